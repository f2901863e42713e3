//! The adapter of Planfix against its simulator: what is particular to it. What every CRM must do
//! stands in `conformance`.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use trunkline::crm::{Adapter, Class, Popup, StepCommand};
use trunkline::lab::fault::{Fault, Rule, When};
use trunkline::lab::planfix::{PlanfixLab, PlanfixOptions, Switches, UnknownCaller, start};
use trunkline::model::call::Direction;
use trunkline::model::communication::Phase;
use trunkline::model::facts::{Facts, FactsQuery};
use trunkline::model::ids::{CrmUserId, Extension};
use trunkline::model::outcome::{Look, Outcome, StepResult};
use trunkline::model::phone::{Phone, Region};
use trunkline::model::plan::{
    AwaitContact, CallLine, CallRecord, CallStatus, Card, Effect, Entity, FieldFill, FillFields,
    NewContact, NewDeal, NewNote, RecordingLink, Role, StepKey, Target,
};
use trunkline::model::timestamp::Timestamp;

use super::planfix_door::open;

const CALLER: &str = "+79161234567";

struct Rehearsal {
    lab: PlanfixLab,
    adapter: Arc<dyn Adapter>,
}

impl Rehearsal {
    async fn start(change: impl FnOnce(&mut PlanfixOptions), wanted: Value) -> Self {
        let mut options = PlanfixOptions {
            per_second: None,
            ..PlanfixOptions::default()
        };
        change(&mut options);
        let lab = start(options).await.expect("a free port");
        let adapter = open(&lab.base_url(), wanted);
        Self { lab, adapter }
    }

    async fn usual() -> Self {
        Self::start(|_| {}, json!({})).await
    }

    fn command(&self, call: &str, role: &str, effect: Effect) -> StepCommand {
        StepCommand {
            key: key(call, role),
            effect,
            kind: None,
            phase: Phase::Ended,
            first_sent_at: Timestamp::from_secs(self.lab.now()),
        }
    }

    fn call(&self, call: &str, status: CallStatus, line: CallLine) -> StepCommand {
        let record = CallRecord {
            card: None,
            direction: Direction::Incoming,
            phone: phone(),
            status,
            talk_s: 54,
            at: Timestamp::from_secs(self.lab.now() - 100),
            employee: None,
            link: None,
            source_name: "Офис".to_owned(),
            shown_to: None,
            line: Some(line),
        };
        self.command(call, "call-record", Effect::RecordCall(record))
    }

    fn awaited(&self) -> StepCommand {
        let effect = Effect::AwaitContact(AwaitContact { phone: phone() });
        self.command("1", "contact", effect)
    }

    fn deal(&self, call: &str, contact: Option<&Card>) -> StepCommand {
        let deal = NewDeal {
            name: "Входящий звонок".to_owned(),
            pipeline: "101".to_owned(),
            stage: "2".to_owned(),
            contact: contact.map(|card| Target::Known { card: card.clone() }),
            responsible: Some(CrmUserId("6".to_owned())),
            ..NewDeal::default()
        };
        self.command(call, "deal", Effect::CreateDeal(deal))
    }

    async fn execute(&self, command: &StepCommand) -> Outcome<StepResult> {
        let mut outcomes = self.adapter.execute(vec![command.clone()]).await;
        outcomes.remove(0)
    }

    async fn make(&self, command: &StepCommand) -> Card {
        let result = done(self.execute(command).await);
        result.cards.into_iter().next().expect("a card")
    }

    async fn facts(&self) -> Facts {
        let query = FactsQuery {
            phones: vec![phone()],
            emails: Vec::new(),
            deals: false,
            made: Vec::new(),
            made_leads: Vec::new(),
        };
        done(self.adapter.facts(query, Class::Work).await)
    }

    async fn end(self) {
        let oddities = self.lab.oracle().counters.oddities;
        assert!(oddities.is_empty(), "{oddities:?}");
        self.lab.stop().await.expect("a clean end");
    }
}

fn key(call: &str, role: &str) -> StepKey {
    StepKey {
        integration: "acme/sales".parse().expect("a key"),
        communication: format!("acme/office/{call}").parse().expect("a key"),
        role: Role::new(role),
    }
}

fn phone() -> Phone {
    Phone::parse(CALLER, Region::RU).expect("a number")
}

fn extensions(all: &[&str]) -> Vec<Extension> {
    all.iter().map(|one| Extension((*one).to_owned())).collect()
}

/// A call that rang at these telephones, the last of which counts.
fn line(rung: &[&str]) -> CallLine {
    CallLine {
        rung: extensions(rung),
        of: extensions(rung).pop(),
        our_number: Some("+7 495 111-22-33".to_owned()),
        ..CallLine::default()
    }
}

#[track_caller]
fn done<T: std::fmt::Debug>(outcome: Outcome<T>) -> T {
    match outcome {
        Outcome::Done(value) => value,
        other => panic!("expected success, got {other:?}"),
    }
}

#[actix_rt::test]
async fn s2_12_planfix_makes_the_contact_of_a_caller_for_who_was_rung_first() {
    let rehearsal = Rehearsal::usual().await;
    let call = rehearsal.call("1", CallStatus::Talked, line(&["101", "102"]));
    rehearsal.make(&call).await;
    let contact = rehearsal.make(&rehearsal.awaited()).await;
    let task = rehearsal.make(&rehearsal.deal("1", Some(&contact))).await;
    let oracle = rehearsal.lab.oracle();
    let [made] = oracle.contacts.as_slice() else {
        panic!("{:?}", oracle.contacts)
    };
    assert!(made.by_planfix && made.id.to_string() == contact.id);
    assert_eq!(made.supervisors, [5]);
    let [tag] = oracle.calls.as_slice() else {
        panic!("{:?}", oracle.calls)
    };
    assert_eq!(tag.ext.as_deref(), Some("102"));
    assert_eq!((tag.status.as_str(), tag.duration), ("Success", 54));
    assert_eq!(tag.callid, call.key.marker());
    let [deal] = oracle.tasks.as_slice() else {
        panic!("{:?}", oracle.tasks)
    };
    assert_eq!(deal.id.to_string(), task.id);
    assert_eq!((deal.template, deal.status), (Some(101), 2));
    assert_eq!(
        (deal.counterparty, deal.assignees.as_slice()),
        (Some(made.id), &[6][..])
    );
    rehearsal.end().await;
}

#[actix_rt::test]
async fn s2_12_a_contact_that_comes_late_is_waited_for_and_one_that_never_comes_is_done_without() {
    let never = |options: &mut PlanfixOptions| options.switches.makes_callers = false;
    let lagging = |options: &mut PlanfixOptions| options.switches.caller_lag_ms = 60_000;
    let rehearsal = Rehearsal::start(lagging, json!({})).await;
    rehearsal
        .make(&rehearsal.call("1", CallStatus::Talked, line(&["101"])))
        .await;
    let Outcome::NotApplied(waits) = rehearsal.execute(&rehearsal.awaited()).await else {
        panic!("it is not there yet");
    };
    assert!(
        waits
            .retry_after
            .is_some_and(|wait| wait <= Duration::from_secs(3))
    );
    rehearsal.lab.shift_ms(61_000);
    rehearsal.make(&rehearsal.awaited()).await;
    rehearsal.end().await;

    let rehearsal = Rehearsal::start(never, json!({"contact_wait_seconds": 0})).await;
    let result = done(rehearsal.execute(&rehearsal.awaited()).await);
    assert!(
        result.cards.is_empty() && result.note.is_some(),
        "{result:?}"
    );
    rehearsal.end().await;

    let wanted = json!({"contact_wait_seconds": 0, "without_contact": "give_up"});
    let rehearsal = Rehearsal::start(never, wanted).await;
    let outcome = rehearsal.execute(&rehearsal.awaited()).await;
    assert!(matches!(outcome, Outcome::Rejected(_)), "{outcome:?}");
    rehearsal.end().await;
}

#[actix_rt::test]
async fn s2_39_the_card_is_shown_where_it_rings_and_the_end_of_the_call_takes_it_away() {
    let rehearsal = Rehearsal::usual().await;
    let screen = rehearsal.adapter.screen().expect("a screen");
    assert_eq!(screen.is_known(&phone()).await, Some(false));
    let popup = Popup {
        phone: phone(),
        users: vec![CrmUserId("5".to_owned())],
        entry: key("1", "call-record"),
        opened: None,
        at: Timestamp::from_secs(rehearsal.lab.now()),
        extensions: extensions(&["101"]),
        our_number: Some("74951112233".to_owned()),
    };
    done(screen.show(popup).await);
    let shown = rehearsal.lab.oracle();
    assert_eq!((shown.unfinished.len(), shown.counters.events), (1, 1));
    // The contact is there from now on: that the client was new had to be asked before.
    assert_eq!(screen.is_known(&phone()).await, Some(true));
    let told = CallLine {
        shown: extensions(&["101"]),
        ..line(&["101"])
    };
    rehearsal
        .make(&rehearsal.call("1", CallStatus::NoAnswer, told))
        .await;
    let oracle = rehearsal.lab.oracle();
    assert!(oracle.unfinished.is_empty());
    // Shown once: the end of the call brought no second card.
    assert_eq!(oracle.counters.events, 2);
    assert_eq!(oracle.calls_of_phone(CALLER)[0].status, "Missed");
    rehearsal.end().await;
}

#[actix_rt::test]
async fn s2_41_a_recording_is_put_to_its_call_and_once_more_is_the_same() {
    let rehearsal = Rehearsal::usual().await;
    let recorded = CallLine {
        recorded: true,
        ..line(&["101"])
    };
    let call = rehearsal.call("1", CallStatus::Talked, recorded);
    let entry = rehearsal.make(&call).await;
    let Effect::RecordCall(record) = call.effect else {
        unreachable!("a call")
    };
    let link = "https://box.example/recordings/1.mp3";
    let effect = Effect::LinkRecording(RecordingLink {
        entry: Target::Known { card: entry },
        on: None,
        by: Role::new("call-record"),
        record,
        link: link.to_owned(),
        text: String::new(),
        upload: false,
    });
    let step = rehearsal.command("1", "recording", effect);
    for _ in 0..2 {
        done(rehearsal.execute(&step).await);
    }
    let oracle = rehearsal.lab.oracle();
    let [tag] = oracle.calls.as_slice() else {
        panic!("{:?}", oracle.calls)
    };
    assert_eq!((tag.recorded, tag.link.as_deref()), (true, Some(link)));
    rehearsal.end().await;
}

#[actix_rt::test]
async fn only_the_doubt_about_a_calls_last_event_is_one() {
    let rehearsal = Rehearsal::usual().await;
    let call = rehearsal.call("1", CallStatus::Talked, line(&["101"]));
    // INCOMING, ACCEPTED, COMPLETED: the second is lost, then the third.
    for (lost, sure) in [(2, true), (3, false)] {
        let rule = Rule::new("POST", "/tel/api", When::Nth { n: lost }, Fault::LostAfter);
        rehearsal.lab.add_fault(rule).expect("a good rule");
        let outcome = rehearsal.execute(&call).await;
        match sure {
            true => assert!(matches!(outcome, Outcome::NotApplied(_)), "{outcome:?}"),
            false => assert!(matches!(outcome, Outcome::Ambiguous { .. }), "{outcome:?}"),
        }
    }
    assert_eq!(rehearsal.lab.oracle().calls.len(), 1);
    let looked = done(rehearsal.adapter.look(call.clone()).await);
    assert_eq!(looked, Look::Undecidable);
    // Told again: whether it counts twice is Planfix's own affair.
    rehearsal
        .lab
        .switch(|switches| switches.repeated_completed_counts = false);
    done(rehearsal.execute(&call).await);
    assert_eq!(rehearsal.lab.oracle().calls.len(), 1);
    rehearsal.end().await;
}

#[actix_rt::test]
async fn what_the_contract_leaves_open_is_borne_both_ways() {
    type Change = fn(&mut Switches);
    let changes: [Change; 10] = [
        |s| s.phone_filter_ignores_format = true,
        |s| s.persons_without_companies = false,
        |s| s.unknown_caller = UnknownCaller::EmptyBody,
        |s| s.unknown_caller = UnknownCaller::EmptyTexts,
        |s| s.capital_keys = true,
        |s| s.failure_and_message = true,
        |s| s.updates_are_queued = true,
        |s| s.updates_say_nothing = true,
        |s| s.statuses_tell_active = false,
        |s| s.completed_alone = false,
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let rehearsal = Rehearsal::start(|o| change(&mut o.switches), json!({})).await;
        assert!(rehearsal.facts().await.first_time(), "{number}");
        rehearsal
            .make(&rehearsal.call("1", CallStatus::Talked, line(&["101"])))
            .await;
        assert_eq!(rehearsal.lab.oracle().calls.len(), 1, "{number}");
        let known = rehearsal.facts().await;
        assert_eq!(known.contacts.len(), 1, "{number}: {known:?}");
        let client = rehearsal.make(&rehearsal.awaited()).await;
        let fill = Effect::FillFields(FillFields {
            card: Target::Known {
                card: client.clone(),
            },
            fields: vec![FieldFill {
                field: "311".to_owned(),
                value: "Яндекс".to_owned(),
                ..FieldFill::default()
            }],
        });
        let fill = rehearsal.command("1", "contact-fields", fill);
        for _ in 0..2 {
            done(rehearsal.execute(&fill).await);
        }
        let mut bad = rehearsal.deal("1", Some(&client));
        if let Effect::CreateDeal(deal) = &mut bad.effect {
            deal.responsible = Some(CrmUserId("77".to_owned()));
        }
        let refused = rehearsal.execute(&bad).await;
        let Outcome::Rejected(why) = &refused else {
            panic!("{number}: {refused:?}")
        };
        assert_eq!(why.code, "41", "{number}");
        let oracle = rehearsal.lab.oracle();
        assert_eq!(oracle.contacts[0].custom.get(&311), Some(&json!("Яндекс")));
        rehearsal.end().await;
    }
}

#[actix_rt::test]
async fn a_key_that_is_swallowed_is_found_out_and_stands_in_the_names_of_tasks() {
    let loose = |options: &mut PlanfixOptions| {
        for field in &mut options.fields {
            field.is_loose = field.id == 1050;
        }
    };
    let rehearsal = Rehearsal::start(loose, json!({})).await;
    rehearsal.make(&rehearsal.deal("1", None)).await;
    let account = done(rehearsal.adapter.describe().await);
    rehearsal.make(&rehearsal.deal("2", None)).await;
    let told = |account: &trunkline::crm::AccountDescription| {
        let mut limits = account.limits.iter();
        limits.any(|limit| limit.contains("not attached to template task:101"))
    };
    let again = done(rehearsal.adapter.describe().await);
    assert!(told(&account) && told(&again), "{:?}", again.limits);
    let lost = rehearsal.deal("3", None);
    let rule = Rule::new(
        "POST",
        "/rest/task/",
        When::First { n: 1 },
        Fault::LostAfter,
    );
    rehearsal.lab.add_fault(rule).expect("a good rule");
    let outcome = rehearsal.execute(&lost).await;
    assert!(matches!(outcome, Outcome::Ambiguous { .. }), "{outcome:?}");
    let found = done(rehearsal.adapter.look(lost).await);
    assert!(matches!(found, Look::Found(_)), "{found:?}");
    let oracle = rehearsal.lab.oracle();
    assert!(
        oracle.tasks.iter().all(|task| task.name.contains(" #")),
        "{:?}",
        oracle.tasks
    );
    rehearsal.end().await;
}

#[actix_rt::test]
async fn where_the_key_is_kept_names_stay_as_they_were_written() {
    let rehearsal = Rehearsal::usual().await;
    for call in ["1", "2"] {
        rehearsal.make(&rehearsal.deal(call, None)).await;
    }
    let oracle = rehearsal.lab.oracle();
    // The first of a template carries the key: whether the field keeps it is not known before.
    assert_eq!(oracle.tasks[1].name, "Входящий звонок");
    assert!(oracle.keys_twice.is_empty());
    rehearsal.end().await;
}

#[actix_rt::test]
async fn a_first_call_takes_two_requests_of_the_day_and_a_repeat_two() {
    let rehearsal = Rehearsal::usual().await;
    // What is read once for all calls.
    rehearsal.make(&rehearsal.deal("0", None)).await;
    for (call, first_time) in [("1", true), ("2", false)] {
        let before = rehearsal.lab.counters().used_today;
        let facts = rehearsal.facts().await;
        assert_eq!(facts.first_time(), first_time);
        rehearsal
            .make(&rehearsal.call(call, CallStatus::Talked, line(&["101"])))
            .await;
        let client = match facts.contacts.first() {
            Some(contact) => Card {
                entity: Entity::Contact,
                id: contact.id.clone(),
            },
            None => rehearsal.make(&rehearsal.awaited()).await,
        };
        rehearsal.make(&rehearsal.deal(call, Some(&client))).await;
        assert_eq!(rehearsal.lab.counters().used_today - before, 2, "{call}");
    }
    rehearsal.end().await;
}

#[actix_rt::test]
async fn a_used_up_day_is_waited_out_and_a_person_is_told_while_calls_are_still_told() {
    for status in [400, 200] {
        let small = |options: &mut PlanfixOptions| {
            options.per_day = 20;
            options.switches.quota_status = status;
        };
        let rehearsal = Rehearsal::start(small, json!({})).await;
        done(rehearsal.adapter.describe().await);
        let mut refused = None;
        for call in 0..30 {
            match rehearsal
                .execute(&rehearsal.deal(&call.to_string(), None))
                .await
            {
                Outcome::Done(_) => {}
                other => refused = Some(other),
            }
        }
        let Some(Outcome::NotApplied(not_applied)) = refused else {
            panic!("{refused:?}")
        };
        let wait = not_applied.retry_after.unwrap_or_default();
        assert!(wait > Duration::from_secs(500), "{not_applied:?}");
        // One request found it out; no other was sent.
        assert_eq!(rehearsal.lab.oracle().counters.quota_refusals, 1);
        let alarm = rehearsal.adapter.alarm().await.unwrap_or_default();
        assert!(alarm.contains("used up"), "{alarm}");
        rehearsal
            .make(&rehearsal.call("9", CallStatus::Talked, line(&["101"])))
            .await;
        rehearsal.end().await;
    }
}

#[actix_rt::test]
async fn s2_01_s2_02_a_refused_token_is_said_by_its_name() {
    let rehearsal = Rehearsal::start(|_| {}, json!({"token": "stale"})).await;
    let described = rehearsal.adapter.describe().await;
    assert!(
        matches!(described, Outcome::AuthExpired { .. }),
        "{described:?}"
    );
    let alarm = rehearsal.adapter.alarm().await.unwrap_or_default();
    assert!(alarm.contains("REST"), "{alarm}");
    rehearsal.end().await;

    let rehearsal = Rehearsal::start(|_| {}, json!({"telephony_token": "stale"})).await;
    let account = done(rehearsal.adapter.describe().await);
    assert!(
        account.limits.iter().any(|limit| limit.contains("S2-03")),
        "{:?}",
        account.limits
    );
    let alarm = rehearsal.adapter.alarm().await;
    assert!(alarm.is_none_or(|alarm| alarm.contains("telephony")));
    rehearsal.end().await;
}

#[actix_rt::test]
async fn s2_19_a_contact_is_made_from_its_template_and_what_a_client_wrote_is_no_markup() {
    let rehearsal = Rehearsal::start(|_| {}, json!({"contact_template": "7"})).await;
    let contact = NewContact {
        name: "Анна".to_owned(),
        phones: vec![phone()],
        emails: vec!["not an address".to_owned()],
        responsible: Some(CrmUserId("5".to_owned())),
        ..NewContact::default()
    };
    let step = rehearsal.command("1", "contact", Effect::CreateContact(contact));
    let result = done(rehearsal.execute(&step).await);
    assert!(result.note.is_some(), "the e-mail was left out");
    let client = result.cards.into_iter().next().expect("a card");
    let note = NewNote {
        card: Target::Known { card: client },
        text: "<script>alert(1)</script>\n& всё".to_owned(),
        at: Timestamp::from_secs(rehearsal.lab.now()),
        messages: Vec::new(),
    };
    let step = rehearsal.command("1", "note", Effect::AddNote(note));
    rehearsal.make(&step).await;
    let looked = done(rehearsal.adapter.look(step).await);
    assert!(matches!(looked, Look::Found(_)), "{looked:?}");
    let oracle = rehearsal.lab.oracle();
    assert_eq!(oracle.contacts[0].template, Some(7));
    let text = &oracle.comments[0].text;
    assert!(
        text.starts_with("&lt;script&gt;alert(1)&lt;/script&gt;<br>&amp; всё"),
        "{text}"
    );
    rehearsal.end().await;
}
