use std::collections::BTreeMap;

use serde_json::Value;

use super::super::found::TALK_TOOK_PLACE;
use super::*;
use crate::lab::amocrm::{
    CallView, CardView, Duplicates, LeadView, Oracle, OracleCounters, UnsortedView,
};

const PHONE: &str = "9035550001";
const ONE_S: i64 = 1_750_000_000;
const TWO_S: i64 = 1_750_000_300;
const CONTACT: u64 = 1;
const DEAL: u64 = 2;

/// An account, made by hand.
fn world() -> Oracle {
    Oracle {
        contacts: Vec::new(),
        companies: Vec::new(),
        leads: Vec::new(),
        calls: Vec::new(),
        notes: Vec::new(),
        tasks: Vec::new(),
        unsorted: Vec::new(),
        popups: Vec::new(),
        duplicates: Duplicates::default(),
        counters: OracleCounters::default(),
    }
}

/// What one new client with these calls makes, all as it must be.
fn served(calls: &[CallView]) -> Oracle {
    let mut world = world();
    world.contacts.push(contact(CONTACT, PHONE));
    world.leads.push(deal(DEAL, &[CONTACT]));
    world.calls.extend(calls.iter().cloned());
    world
}

/// What two calls in their order make.
fn both() -> Oracle {
    served(&[entry(11, ONE_S), entry(12, TWO_S)])
}

fn contact(id: u64, phone: &str) -> CardView {
    CardView {
        id,
        name: phone.to_owned(),
        phones: vec![format!("+7{phone}")],
        emails: Vec::new(),
        responsible_user_id: 501,
        created_by: 501,
        created_at: ONE_S,
        tags: Vec::new(),
        fields: BTreeMap::new(),
        in_unsorted: false,
        leads: Vec::new(),
        companies: Vec::new(),
    }
}

fn deal(id: u64, contacts: &[u64]) -> LeadView {
    LeadView {
        id,
        name: "Call".to_owned(),
        pipeline_id: 3100,
        status_id: 3102,
        stage: String::new(),
        responsible_user_id: 501,
        created_by: 501,
        created_at: ONE_S,
        closed_at: None,
        price: 0,
        tags: Vec::new(),
        fields: BTreeMap::new(),
        in_unsorted: false,
        contacts: contacts.to_vec(),
        companies: Vec::new(),
    }
}

/// An answered incoming call of the client, taken by user 502.
fn entry(id: u64, at_s: i64) -> CallView {
    CallView {
        id,
        phone: PHONE.to_owned(),
        direction: "inbound".to_owned(),
        at: at_s,
        duration: 42,
        uniq: format!("u-{at_s}"),
        link: String::new(),
        status: Some(TALK_TOOK_PLACE),
        result: None,
        call_responsible: Some("502".to_owned()),
        responsible_user_id: 502,
        created_by: 501,
        entity_type: "lead".to_owned(),
        entity_id: DEAL,
        origin: "calls".to_owned(),
        is_shown: true,
    }
}

/// A record in Unsorted, and its call's event.
fn record(id: u64, at_s: i64) -> (UnsortedView, CallView) {
    let view = UnsortedView {
        uid: format!("r-{id}"),
        category: "sip".to_owned(),
        source_uid: format!("s-{id}"),
        source_name: "Site".to_owned(),
        pipeline_id: 3100,
        created_at: at_s,
        state: "waiting".to_owned(),
        phone: PHONE.to_owned(),
        metadata: Value::Null,
        lead: None,
        contact: None,
    };
    let event = CallView {
        status: None,
        duration: 0,
        origin: "unsorted".to_owned(),
        ..entry(id, at_s)
    };
    (view, event)
}

fn call(at_s: i64) -> ExpectedCall {
    ExpectedCall {
        at_s,
        outgoing: false,
        answered: Some(true),
        users: vec![502],
        talk_s: None,
        needed: true,
    }
}

fn client(calls: &[ExpectedCall]) -> ExpectedClient {
    ExpectedClient {
        phone: PHONE.to_owned(),
        unsorted: 0,
        calls: calls.to_vec(),
    }
}

fn counts(lost: usize, duplicated: usize, out_of_order: usize) -> Counts {
    Counts {
        lost,
        duplicated,
        out_of_order,
    }
}

#[track_caller]
fn check(why: &str, clients: &[ExpectedClient], world: &Oracle, expected: Counts) {
    let verdict = judge(clients, &Found::from(world));
    assert_eq!(verdict.counts, expected, "{why}: {:?}", verdict.differences);
    let is_told = !verdict.differences.is_empty();
    assert_eq!(is_told, expected != Counts::default(), "{why}");
}

#[test]
fn each_kind_of_harm_turns_its_own_counter() {
    type Harm = fn(&mut Oracle);
    let rows: [(&str, Harm, Counts); 19] = [
        ("all right", |_| {}, counts(0, 0, 0)),
        ("a call less", |w| drop(w.calls.pop()), counts(1, 0, 0)),
        (
            "a call twice",
            |w| w.calls.push(entry(13, ONE_S)),
            counts(0, 1, 0),
        ),
        (
            "a call that was never made",
            |w| w.calls.push(entry(13, TWO_S + 300)),
            counts(0, 1, 0),
        ),
        (
            "within two seconds",
            |w| w.calls[1].at += 2,
            counts(0, 0, 0),
        ),
        (
            "the time of delivery",
            |w| w.calls[1].at += 3,
            counts(1, 1, 0),
        ),
        (
            "not answered",
            |w| w.calls[1].status = Some(6),
            counts(1, 0, 0),
        ),
        (
            "somebody else",
            |w| w.calls[1].call_responsible = Some("503".to_owned()),
            counts(1, 0, 0),
        ),
        (
            "nobody",
            |w| w.calls[1].call_responsible = None,
            counts(1, 0, 0),
        ),
        (
            "the wrong way",
            |w| w.calls[1].direction = "outbound".to_owned(),
            counts(1, 0, 0),
        ),
        (
            "on a card in the bin",
            |w| w.calls[1].is_shown = false,
            counts(1, 0, 0),
        ),
        ("the later first", |w| w.calls[0].id = 13, counts(0, 0, 1)),
        (
            "no contact: its deal cannot be found either, and hangs on nobody who is there",
            |w| w.contacts.clear(),
            counts(2, 0, 0),
        ),
        ("no deal", |w| w.leads.clear(), counts(1, 0, 0)),
        (
            "a contact twice",
            |w| w.contacts.push(contact(3, PHONE)),
            counts(0, 1, 0),
        ),
        (
            "a deal twice",
            |w| w.leads.push(deal(4, &[CONTACT])),
            counts(0, 1, 0),
        ),
        (
            "a contact and its deal twice",
            |w| {
                w.contacts.push(contact(3, PHONE));
                w.leads.push(deal(4, &[3]));
            },
            counts(0, 2, 0),
        ),
        (
            "a contact of nobody, and a deal of nobody",
            |w| {
                w.contacts.push(contact(3, "9039999999"));
                w.leads.push(deal(4, &[]));
            },
            counts(0, 2, 0),
        ),
        (
            "a call of somebody else",
            |w| {
                w.calls.push(CallView {
                    phone: "9039999999".to_owned(),
                    ..entry(13, ONE_S)
                });
            },
            counts(0, 1, 0),
        ),
    ];
    for (why, harm, expected) in rows {
        let mut world = both();
        harm(&mut world);
        check(
            why,
            &[client(&[call(ONE_S), call(TWO_S)])],
            &world,
            expected,
        );
    }
}

#[test]
fn a_client_whom_nobody_answers_has_a_record_for_each_call_and_no_card() {
    let missed = |at_s| ExpectedCall {
        answered: Some(false),
        users: Vec::new(),
        ..call(at_s)
    };
    let unlucky = [ExpectedClient {
        unsorted: 2,
        ..client(&[missed(ONE_S), missed(TWO_S)])
    }];
    let mut world = world();
    for (id, at_s) in [(21, ONE_S), (22, TWO_S)] {
        let (view, event) = record(id, at_s);
        world.unsorted.push(view);
        world.calls.push(event);
    }
    check("all right", &unlucky, &world, counts(0, 0, 0));

    let mut less = world.clone();
    less.unsorted.pop();
    less.calls.pop();
    check(
        "a record and its call less",
        &unlucky,
        &less,
        counts(2, 0, 0),
    );

    let mut twice = world.clone();
    let (view, event) = record(23, TWO_S);
    twice.unsorted.push(view);
    twice.calls.push(event);
    check("a record twice", &unlucky, &twice, counts(0, 2, 0));

    let mut card = world;
    card.contacts.push(contact(CONTACT, PHONE));
    check("a card beside it", &unlucky, &card, counts(0, 1, 0));
}

#[test]
fn a_call_that_nobody_could_see_may_be_missing_and_may_be_there_but_not_twice() {
    let unseen = ExpectedCall {
        needed: false,
        answered: None,
        users: Vec::new(),
        ..call(ONE_S)
    };
    let clients = [client(std::slice::from_ref(&unseen))];
    check("missing", &clients, &world(), counts(0, 0, 0));
    let there = served(&[entry(11, ONE_S)]);
    check("there", &clients, &there, counts(0, 0, 0));
    let twice = served(&[entry(11, ONE_S), entry(12, ONE_S)]);
    check("twice", &clients, &twice, counts(0, 1, 0));
    // What is in the CRM must be whole, whoever could see it.
    let mut half = there;
    half.contacts.clear();
    half.leads.clear();
    check("without a card", &clients, &half, counts(2, 0, 0));
}

#[test]
fn of_a_call_in_progress_at_the_kill_only_what_was_seen_is_expected() {
    let talk_unseen = ExpectedCall {
        answered: None,
        users: Vec::new(),
        ..call(ONE_S)
    };
    let clients = [client(&[talk_unseen])];
    let missed = CallView {
        status: Some(6),
        call_responsible: None,
        ..entry(11, ONE_S)
    };
    for (why, entry) in [("as missed", missed), ("as answered", entry(11, ONE_S))] {
        check(why, &clients, &served(&[entry]), counts(0, 0, 0));
    }
    check("nothing of it", &clients, &world(), counts(3, 0, 0));
}

#[test]
fn who_calls_both_ways_is_one_client_whose_sources_keep_their_own_order() {
    let (posted, played) = (ONE_S, ONE_S + 600_000);
    let ways = [client(&[call(posted)]), client(&[call(played)])];
    let world = served(&[entry(11, played), entry(12, posted)]);
    check("the other source first", &ways, &world, counts(0, 0, 0));
    let one_way = served(&[entry(11, played)]);
    check("one source's call less", &ways, &one_way, counts(1, 0, 0));
}

#[test]
fn a_talk_of_another_length_is_another_call() {
    let expected = ExpectedCall {
        talk_s: Some(30),
        ..call(ONE_S)
    };
    let clients = [client(&[expected])];
    for (duration, lost) in [(28, 0), (30, 0), (32, 0), (27, 1), (33, 1)] {
        let held = CallView {
            duration,
            ..entry(11, ONE_S)
        };
        let what = format!("{duration} seconds");
        check(&what, &clients, &served(&[held]), counts(lost, 0, 0));
    }
}

mod of_a_portal {
    use super::*;
    use crate::lab::bitrix24;

    fn card(
        kind: bitrix24::Kind,
        id: u64,
        phones: &[&str],
        contacts: &[u64],
    ) -> bitrix24::CardView {
        bitrix24::CardView {
            kind,
            id,
            title: String::new(),
            phones: phones.iter().map(|phone| (*phone).to_owned()).collect(),
            emails: Vec::new(),
            responsible: 12,
            created_by: 1,
            created_at: ONE_S,
            contacts: contacts.to_vec(),
            company: 0,
            category: 0,
            stage: "NEW".to_owned(),
            stage_id: 106,
            is_open: true,
            originator: String::new(),
            origin: String::new(),
            source: String::new(),
            comments: String::new(),
            fields: BTreeMap::new(),
            is_announced: false,
            became: None,
        }
    }

    fn call(id: u64, at: i64) -> bitrix24::CallView {
        bitrix24::CallView {
            id,
            call_id: format!("externalCall.{id}"),
            external_id: format!("t1-{id}"),
            phone: PHONE.to_owned(),
            number: format!("7{PHONE}"),
            call_type: 2,
            direction: "inbound".to_owned(),
            at,
            registered_at: at,
            on_screens: Vec::new(),
            duration: 60,
            finished_at: at + 60,
            code: "200".to_owned(),
            user: 502,
            line: String::new(),
            in_chat: false,
            card: Some((bitrix24::Kind::Contact, CONTACT)),
            activity: Some(id),
            record: None,
            transcript_lines: 0,
            is_shown: true,
        }
    }

    /// An activity of a call on the client's card; of ours the origin is our name of the call.
    fn activity(id: u64, origin: &str) -> bitrix24::ActivityView {
        bitrix24::ActivityView {
            id,
            provider: "VOXIMPLANT_CALL".to_owned(),
            type_id: 2,
            subject: String::new(),
            description: String::new(),
            responsible: 502,
            owner: Some((bitrix24::Kind::Contact, CONTACT)),
            bindings: Vec::new(),
            deadline: None,
            start_at: ONE_S,
            end_at: ONE_S,
            direction: 1,
            is_completed: true,
            originator: String::new(),
            origin: origin.to_owned(),
        }
    }

    fn judged(calls: Vec<bitrix24::CallView>) -> Counts {
        judged_with(calls, Vec::new())
    }

    fn judged_with(calls: Vec<bitrix24::CallView>, live_calls: Vec<bitrix24::CallView>) -> Counts {
        judged_after(calls, live_calls, 0)
    }

    /// The same of a portal that broke off so many batches in the middle.
    fn judged_after(
        calls: Vec<bitrix24::CallView>,
        live_calls: Vec<bitrix24::CallView>,
        broken_off: usize,
    ) -> Counts {
        let by_portal = calls.iter().filter_map(|call| call.activity);
        let activities = by_portal.map(|id| activity(id, "VI_")).collect();
        judged_standing(calls, live_calls, broken_off, activities)
    }

    /// The same with these activities.
    fn judged_standing(
        calls: Vec<bitrix24::CallView>,
        live_calls: Vec<bitrix24::CallView>,
        broken_off: usize,
        activities: Vec<bitrix24::ActivityView>,
    ) -> Counts {
        let phone = format!("+7{PHONE}");
        let oracle = bitrix24::Oracle {
            contacts: vec![card(bitrix24::Kind::Contact, CONTACT, &[&phone], &[])],
            deals: vec![card(bitrix24::Kind::Deal, DEAL, &[], &[CONTACT])],
            calls,
            live_calls,
            activities,
            ..bitrix24::Oracle::default()
        };
        let expected = |at_s| ExpectedCall {
            at_s,
            outgoing: false,
            answered: Some(true),
            users: vec![502],
            talk_s: Some(60),
            needed: true,
        };
        let client = ExpectedClient {
            phone: PHONE.to_owned(),
            unsorted: 0,
            calls: vec![expected(ONE_S), expected(TWO_S)],
        };
        judge(&[client], &Found::of_portal(&oracle, broken_off)).counts
    }

    #[test]
    fn its_calls_are_judged_as_those_of_any_other() {
        assert_eq!(
            judged(vec![call(1, ONE_S), call(2, TWO_S)]),
            counts(0, 0, 0)
        );
        assert_eq!(judged(vec![call(1, ONE_S)]), counts(1, 0, 0));
        assert_eq!(
            judged(vec![call(1, ONE_S), call(2, TWO_S), call(3, TWO_S)]),
            counts(0, 1, 0)
        );
        assert_eq!(
            judged(vec![call(2, ONE_S), call(1, TWO_S)]),
            counts(0, 0, 1)
        );
        let both = vec![call(1, ONE_S), call(2, TWO_S)];
        assert_eq!(judged_with(both, vec![call(0, TWO_S)]), counts(0, 1, 0));
    }

    #[test]
    fn a_call_stands_on_its_card_by_the_portals_activity_or_by_ours_and_not_by_both() {
        let lonely = bitrix24::CallView {
            card: None,
            activity: None,
            ..call(2, TWO_S)
        };
        let gone = bitrix24::ActivityView {
            owner: Some((bitrix24::Kind::Contact, CONTACT + 1)),
            ..activity(9, "t1-2")
        };
        for (case, second, activities, expected) in [
            ("on none", lonely.clone(), vec![], counts(1, 0, 0)),
            (
                "by ours",
                lonely.clone(),
                vec![activity(9, "t1-2")],
                counts(0, 0, 0),
            ),
            (
                "on a card that is gone",
                lonely.clone(),
                vec![gone],
                counts(1, 0, 0),
            ),
            (
                "twice by ours",
                lonely,
                vec![activity(8, "t1-2"), activity(9, "t1-2")],
                counts(0, 1, 0),
            ),
            (
                "by the portal's and by ours",
                call(2, TWO_S),
                vec![activity(2, "VI_"), activity(9, "t1-2")],
                counts(0, 1, 0),
            ),
        ] {
            let calls = vec![call(1, ONE_S), second];
            let all = activities.into_iter().chain([activity(1, "VI_")]);
            let found = judged_standing(calls, Vec::new(), 0, all.collect());
            assert_eq!(found, expected, "{case}");
        }
    }

    #[test]
    fn what_half_a_batch_left_of_an_old_call_is_no_second_one_unless_somebody_sees_it() {
        let both = || vec![call(1, ONE_S), call(2, TWO_S)];
        // Under the name of the second, which was finished by another registration.
        let left = bitrix24::CallView {
            external_id: "t1-2".to_owned(),
            registered_at: TWO_S + 6 * 3600,
            ..call(0, TWO_S)
        };
        let young = bitrix24::CallView {
            registered_at: TWO_S + 60,
            ..left.clone()
        };
        let seen = bitrix24::CallView {
            on_screens: vec![502],
            ..left.clone()
        };
        let another = bitrix24::CallView {
            call_id: "externalCall.9".to_owned(),
            ..left.clone()
        };
        let nowhere_else = bitrix24::CallView {
            external_id: "t1-3".to_owned(),
            ..left.clone()
        };
        for (case, live, broken_off, duplicated) in [
            ("left behind", vec![left.clone()], 1, 0),
            ("no batch was broken off", vec![left.clone()], 0, 1),
            ("one for a batch", vec![left.clone(), another], 1, 1),
            ("the portal knows it again", vec![young], 1, 1),
            ("its card is seen", vec![seen], 1, 1),
            ("its call stands nowhere", vec![nowhere_else], 1, 1),
        ] {
            let found = judged_after(both(), live, broken_off);
            assert_eq!(found, counts(0, duplicated, 0), "{case}");
        }
    }
}
