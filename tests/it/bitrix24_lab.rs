//! The Bitrix24 adapter against the simulated portal: what the conformance suite does not ask of
//! every CRM.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use trunkline::crm::{Adapter, Class, PieceNext, Popup, StepCommand};
use trunkline::lab::bitrix24::{BitrixLab, BitrixOptions, Limits, Mode, SeedCard, Switches, start};
use trunkline::lab::fault::{Fault, Rule, When};
use trunkline::model::call::Direction;
use trunkline::model::communication::Phase;
use trunkline::model::directory::DirectoryChange;
use trunkline::model::facts::FactsQuery;
use trunkline::model::ids::CrmUserId;
use trunkline::model::outcome::{Look, Outcome, StepResult};
use trunkline::model::passing::OpenedEntry;
use trunkline::model::phone::{Phone, Region};
use trunkline::model::plan::{
    CallLine, CallRecord, CallStatus, Card, Effect, Entity, NewContact, NewLead, Role, StepKey,
    StepKind, Target,
};
use trunkline::model::secret::Secret;
use trunkline::model::timestamp::Timestamp;

use super::bitrix24_door::{PORTAL, open};
use super::conformance::bitrix24::EMPTY_REFERENCE;

pub(super) const CALLER: &str = "+79161234567";

/// A portal of the lab and our adapter of it.
pub(super) struct Rehearsal {
    pub(super) lab: BitrixLab,
    pub(super) adapter: Arc<dyn Adapter>,
}

impl Rehearsal {
    /// A portal without limits, let in as an application.
    pub(super) async fn start() -> Self {
        Self::with(BitrixOptions {
            limits: Limits::none(),
            ..BitrixOptions::default()
        })
        .await
    }

    pub(super) async fn with(options: BitrixOptions) -> Self {
        Self::at_rate(options, 900.0).await
    }

    async fn at_rate(options: BitrixOptions, rate: f64) -> Self {
        let lab = start(options).await.expect("a free port");
        let application = &lab.options().applications[0];
        let wanted = json!({
            "client_id": application.client_id, "client_secret": application.client_secret,
            "rate_per_second": rate,
        });
        let adapter = open(&lab.base_url(), wanted);
        let code = Secret::new(lab.issue_code(&application.client_id, 1));
        assert_eq!(adapter.authorise(code).await, Outcome::Done(()));
        Self { lab, adapter }
    }

    /// The same, where each host has its own address.
    pub(super) async fn by_name() -> Self {
        let options = BitrixOptions {
            limits: Limits::none(),
            ..BitrixOptions::default()
        };
        let lab = start(options).await.expect("a free port");
        let application = &lab.options().applications[0];
        let wanted = json!({
            "client_id": application.client_id, "client_secret": application.client_secret,
            "oauth_host": lab.options().oauth_domain,
        });
        let adapter = open(&lab.base_url_of(PORTAL), wanted);
        let code = Secret::new(lab.issue_code(&application.client_id, 1));
        assert_eq!(adapter.authorise(code).await, Outcome::Done(()));
        Self { lab, adapter }
    }

    /// The same, let in by the portal's webhook.
    pub(super) async fn by_webhook(switches: Switches) -> Self {
        let options = BitrixOptions {
            limits: Limits::none(),
            switches,
            ..BitrixOptions::default()
        };
        let lab = start(options).await.expect("a free port");
        let url = lab.webhook_url().expect("a webhook");
        let (_, path) = url.split_once("/rest/").expect("an address of REST");
        let adapter = open(&lab.base_url(), json!({ "webhook": path }));
        Self { lab, adapter }
    }

    /// Opens the account anew, as a restart does: only what is on disk is known.
    async fn another_life(&self) -> Arc<dyn Adapter> {
        let application = &self.lab.options().applications[0];
        let wanted = json!({
            "client_id": application.client_id, "client_secret": application.client_secret,
            "rate_per_second": 900.0,
        });
        let adapter = open(&self.lab.base_url(), wanted);
        let code = Secret::new(self.lab.issue_code(&application.client_id, 1));
        assert_eq!(adapter.authorise(code).await, Outcome::Done(()));
        adapter
    }

    pub(super) fn command(&self, call: &str, role: &str, effect: Effect) -> StepCommand {
        StepCommand {
            key: key(call, role),
            effect,
            kind: None,
            phase: Phase::Ended,
            first_sent_at: Timestamp::from_secs(self.lab.now()),
        }
    }

    pub(super) fn call(&self, call: &str, number: &str) -> StepCommand {
        let record = CallRecord {
            card: None,
            direction: Direction::Incoming,
            phone: phone(number),
            status: CallStatus::Talked,
            talk_s: 54,
            at: Timestamp::from_secs(self.lab.now() - 100),
            employee: Some(user("12")),
            link: None,
            source_name: "Офис".to_owned(),
            shown_to: None,
            line: None,
        };
        self.command(call, "call-record", Effect::RecordCall(record))
    }

    pub(super) async fn execute(&self, command: &StepCommand) -> StepResult {
        let mut outcomes = self.adapter.execute(vec![command.clone()]).await;
        match outcomes.remove(0) {
            Outcome::Done(result) => result,
            other => panic!("{}: {other:?}", command.key.role),
        }
    }

    pub(super) async fn end(self) {
        let oracle = self.lab.oracle();
        assert_eq!(oracle.duplicates.count(), 0, "{:?}", oracle.duplicates);
        let mut odd = oracle.counters.oddities;
        odd.remove(EMPTY_REFERENCE);
        assert!(odd.is_empty(), "{odd:?}");
        assert_eq!(oracle.counters.spent_tokens_reused, 0);
        assert_eq!(oracle.counters.rate_violations, 0);
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

fn user(id: &str) -> CrmUserId {
    CrmUserId(id.to_owned())
}

fn phone(text: &str) -> Phone {
    Phone::parse(text, Region::RU).expect("a number")
}

fn query() -> FactsQuery {
    FactsQuery {
        phones: vec![phone(CALLER)],
        emails: Vec::new(),
        deals: true,
        made: Vec::new(),
        made_leads: Vec::new(),
    }
}

fn ringing(rehearsal: &Rehearsal, users: &[&str], opened: Option<OpenedEntry>) -> Popup {
    let Effect::RecordCall(record) = rehearsal.call("1", CALLER).effect else {
        unreachable!("a call")
    };
    Popup {
        phone: phone(CALLER),
        users: users.iter().map(|id| user(id)).collect(),
        entry: key("1", "call-record"),
        opened,
        at: record.at,
        extensions: Vec::new(),
        our_number: None,
    }
}

/// The end of the call whose cards were shown first to user 13.
fn ended(rehearsal: &Rehearsal, entry: Option<String>) -> StepCommand {
    let mut ended = rehearsal.call("1", CALLER);
    if let Effect::RecordCall(record) = &mut ended.effect {
        record.shown_to = Some(user("13"));
        record.line = entry.map(|entry| CallLine {
            opened: Some(entry),
            ..CallLine::default()
        });
    }
    ended
}

/// Returns who sees the card of a call that goes on.
fn on_screens(rehearsal: &Rehearsal) -> Vec<u64> {
    let live = rehearsal.lab.oracle().live_calls;
    live.into_iter().flat_map(|call| call.on_screens).collect()
}

#[actix_rt::test]
async fn telephones_that_ring_one_after_the_other_see_the_card_of_one_call_until_somebody_talks() {
    // With the portal's name of the call, and where the answer that told it was lost.
    for is_told in [true, false] {
        let rehearsal = Rehearsal::start().await;
        let screen = rehearsal.adapter.screen().expect("a screen");
        let first = screen.show(ringing(&rehearsal, &["13"], None)).await;
        let Outcome::Done(Some(entry)) = first else {
            panic!("{first:?}")
        };
        let opened = OpenedEntry {
            user: user("13"),
            id: is_told.then(|| entry.clone()),
        };
        // Another life of ours, which remembers nothing by itself.
        let again = rehearsal.another_life().await;
        let screen = again.screen().expect("a screen");
        let second = ringing(&rehearsal, &["12"], Some(opened.clone()));
        let shown = screen.show(second).await;
        assert_eq!(shown, Outcome::Done(Some(entry.clone())));
        assert_eq!(on_screens(&rehearsal), [12, 13]);
        let away = ringing(&rehearsal, &["13"], Some(opened));
        let away = screen.take_away(away).await;
        assert_eq!(away, Outcome::Done(Some(entry.clone())));
        assert_eq!(on_screens(&rehearsal), [12]);
        let end = ended(&rehearsal, is_told.then_some(entry));
        rehearsal.execute(&end).await;
        let oracle = rehearsal.lab.oracle();
        assert!(oracle.live_calls.is_empty(), "{:?}", oracle.live_calls);
        let calls = oracle.calls_of_phone(CALLER);
        assert_eq!(calls.len(), 1);
        assert_eq!((calls[0].user, calls[0].duration), (12, 54));
        rehearsal.end().await;
    }
}

#[actix_rt::test]
async fn a_call_that_lasts_longer_than_the_portal_knows_it_again_is_ended_by_its_own_name() {
    let rehearsal = Rehearsal::start().await;
    let screen = rehearsal.adapter.screen().expect("a screen");
    let popup = ringing(&rehearsal, &["13"], None);
    let at = popup.at;
    let shown = screen.show(popup).await;
    let Outcome::Done(Some(entry)) = shown else {
        panic!("{shown:?}")
    };
    rehearsal.lab.shift_clock_ms(45 * 60 * 1000);
    let mut end = ended(&rehearsal, Some(entry));
    if let Effect::RecordCall(record) = &mut end.effect {
        (record.at, record.talk_s) = (at, 40 * 60);
    }
    rehearsal.execute(&end).await;
    let oracle = rehearsal.lab.oracle();
    assert!(oracle.live_calls.is_empty(), "{:?}", oracle.live_calls);
    assert_eq!(oracle.calls_of_phone(CALLER).len(), 1);
    // The answer to the end is lost: it is found by the same name.
    let found = rehearsal.adapter.look(end).await;
    assert!(matches!(found, Outcome::Done(Look::Found(_))), "{found:?}");
    rehearsal.end().await;
}

/// A batch breaks off after the registration of a call, before its end.
#[actix_rt::test]
async fn half_a_batch_leaves_one_call_and_of_an_old_one_a_registration_of_which_nothing_shows() {
    // Half an hour after it began the portal knows a call no more (§8).
    for (ago_s, left_behind) in [(100, 0), (6 * 3600, 1)] {
        let rehearsal = Rehearsal::start().await;
        let mut call = rehearsal.call("1", CALLER);
        if let Effect::RecordCall(record) = &mut call.effect {
            record.at = Timestamp::from_secs(rehearsal.lab.now() - ago_s);
        }
        let half = Fault::PartialBatch { status: 502 };
        let rule = Rule::new("POST", "*/batch", When::Nth { n: 1 }, half);
        rehearsal.lab.add_fault(rule).expect("a rule");
        let outcomes = rehearsal.adapter.execute(vec![call.clone()]).await;
        assert!(
            matches!(outcomes[..], [Outcome::Ambiguous { .. }]),
            "{outcomes:?}"
        );
        let look = rehearsal.adapter.look(call.clone()).await;
        assert_eq!(look, Outcome::Done(Look::Absent));
        rehearsal.execute(&call).await;
        let oracle = rehearsal.lab.oracle();
        assert_eq!(oracle.calls_of_phone(CALLER).len(), 1);
        assert_eq!(oracle.live_calls.len(), left_behind, "{ago_s}");
        assert_eq!(oracle.left_behind().count(), left_behind, "{ago_s}");
        rehearsal.end().await;
    }
}

/// Makes an incoming call of the client a missed one, so many seconds ago.
fn missed(rehearsal: &Rehearsal, call: &str, status: CallStatus, ago_s: i64) -> StepCommand {
    let mut command = rehearsal.call(call, CALLER);
    if let Effect::RecordCall(record) = &mut command.effect {
        record.status = status;
        record.talk_s = 0;
        record.at = Timestamp::from_secs(rehearsal.lab.now() - ago_s);
    }
    command
}

#[actix_rt::test]
async fn v_04_a_missed_call_stays_open_until_somebody_talks_to_the_client() {
    let rehearsal = Rehearsal::start().await;
    rehearsal
        .lab
        .add_contact(&SeedCard::new("Anna", CALLER, 12));
    let is_open = || {
        let activities = rehearsal.lab.oracle().activities;
        let calls = activities
            .iter()
            .filter(|one| one.provider == "VOXIMPLANT_CALL");
        calls.map(|one| !one.is_completed).collect::<Vec<bool>>()
    };
    for (call, status, ago_s) in [
        ("1", CallStatus::NoAnswer, 900),
        ("2", CallStatus::Busy, 800),
        // It came after the talk that is delivered next.
        ("3", CallStatus::NoAnswer, 50),
    ] {
        rehearsal
            .execute(&missed(&rehearsal, call, status, ago_s))
            .await;
    }
    assert_eq!(is_open(), [true, true, true]);
    let mut unanswered = missed(&rehearsal, "4", CallStatus::NoAnswer, 700);
    if let Effect::RecordCall(record) = &mut unanswered.effect {
        record.direction = Direction::Outgoing;
    }
    rehearsal.execute(&unanswered).await;
    assert_eq!(is_open(), [true, true, true, false]);
    rehearsal.execute(&rehearsal.call("5", CALLER)).await;
    assert_eq!(is_open(), [false, false, true, false, false]);
    rehearsal.end().await;
}

#[actix_rt::test]
async fn a_backlog_of_calls_fills_requests_and_keeps_to_the_bucket() {
    let limits = Limits {
        drain_per_second: 50,
        ..Limits::default()
    };
    let options = BitrixOptions {
        limits,
        ..BitrixOptions::default()
    };
    let rehearsal = Rehearsal::at_rate(options, 50.0).await;
    let calls = (0..1500).map(|n| {
        let command = rehearsal.call(&n.to_string(), &format!("+7916{n:07}"));
        let query = FactsQuery {
            phones: vec![phone(&format!("+7916{n:07}"))],
            ..query()
        };
        let rehearsal = &rehearsal;
        async move {
            let facts = rehearsal.adapter.facts(query, Class::Work).await;
            assert!(matches!(facts, Outcome::Done(_)), "{facts:?}");
            rehearsal.execute(&command).await;
        }
    });
    join_all(calls).await;
    let counters = rehearsal.lab.counters();
    let average = counters.batch_commands / counters.batches;
    assert!(average >= 40, "{average} commands a request: {counters:?}");
    assert_eq!(rehearsal.lab.oracle().calls.len(), 1500);
    rehearsal.end().await;
}

#[actix_rt::test]
async fn a_webhook_without_telephony_writes_activities_and_says_so() {
    for telephony_by_webhook in [true, false] {
        let rehearsal = Rehearsal::by_webhook(Switches {
            telephony_by_webhook,
            ..Switches::default()
        })
        .await;
        rehearsal
            .lab
            .add_contact(&SeedCard::new("Анна", CALLER, 12));
        let Outcome::Done(account) = rehearsal.adapter.describe().await else {
            panic!("not described")
        };
        let said = account
            .limits
            .iter()
            .any(|limit| limit.contains("telephony is closed"));
        assert_eq!(said, !telephony_by_webhook, "{:?}", account.limits);
        let result = rehearsal.execute(&rehearsal.call("1", CALLER)).await;
        let on: Vec<Entity> = result.cards.iter().map(|card| card.entity).collect();
        assert_eq!(on, [Entity::CallRecord, Entity::Contact]);
        let oracle = rehearsal.lab.oracle();
        assert_eq!(oracle.calls.len(), usize::from(telephony_by_webhook));
        assert_eq!(oracle.activities.len(), 1, "{:?}", oracle.activities);
        rehearsal.end().await;
    }
}

#[actix_rt::test]
async fn tokens_that_expire_are_renewed_once_and_a_removed_application_asks_for_a_person() {
    let rehearsal = Rehearsal::start().await;
    rehearsal.lab.expire_access_tokens();
    let calls = (0..30).map(|n| rehearsal.call(&n.to_string(), &format!("+791600000{n:02}")));
    let outcomes = rehearsal.adapter.execute(calls.collect()).await;
    assert!(
        outcomes.iter().all(|one| matches!(one, Outcome::Done(_))),
        "{outcomes:?}"
    );
    assert_eq!(rehearsal.lab.counters().token_rotations, 1);
    rehearsal.lab.revoke_tokens();
    let mut outcomes = rehearsal
        .adapter
        .execute(vec![rehearsal.call("x", CALLER)])
        .await;
    let outcome = outcomes.remove(0);
    assert!(
        matches!(outcome, Outcome::AuthExpired { .. }),
        "{outcome:?}"
    );
    assert!(rehearsal.adapter.alarm().await.is_some());
    rehearsal.end().await;
}

#[actix_rt::test]
async fn leads_are_made_where_the_portal_works_with_them_and_known_at_the_next_call() {
    for mode in [Mode::Classic, Mode::Simple] {
        let rehearsal = Rehearsal::with(BitrixOptions {
            limits: Limits::none(),
            mode,
            ..BitrixOptions::default()
        })
        .await;
        let Outcome::Done(facts) = rehearsal.adapter.facts(query(), Class::Work).await else {
            panic!("no facts")
        };
        assert!(facts.leads.is_empty() && facts.first_time());
        let offered = rehearsal.adapter.capabilities().step(StepKind::CreateLead);
        assert_eq!(offered.is_some(), mode == Mode::Classic);
        if offered.is_none() {
            rehearsal.end().await;
            continue;
        }
        let lead = NewLead {
            contact: None,
            name: "Входящий звонок".to_owned(),
            client: CALLER.to_owned(),
            phones: vec![phone(CALLER)],
            emails: Vec::new(),
            stage: Some("IN_PROCESS".to_owned()),
            responsible: Some(user("12")),
            tags: vec!["Звонок".to_owned()],
            fields: Vec::new(),
        };
        let lead = rehearsal.command("1", "lead", Effect::CreateLead(lead));
        let made = rehearsal.execute(&lead).await;
        let card = made.card(Entity::Lead).expect("a lead").clone();
        let Outcome::Done(facts) = rehearsal.adapter.facts(query(), Class::Work).await else {
            panic!("no facts")
        };
        assert_eq!(facts.leads.first().map(|lead| &lead.id), Some(&card.id));
        let mut entry = rehearsal.call("1", CALLER);
        if let Effect::RecordCall(record) = &mut entry.effect {
            record.card = Some(Target::Known { card: card.clone() });
        }
        let logged = rehearsal.execute(&entry).await;
        assert_eq!(logged.card(Entity::Lead), Some(&card));
        rehearsal.end().await;
    }
}

/// Every switch that concerns how answers look, turned the other way.
fn turned() -> Switches {
    let usual = Switches::default();
    Switches {
        classic_errors_are_nameless: !usual.classic_errors_are_nameless,
        telephony_errors_are_nameless: !usual.telephony_errors_are_nameless,
        statuses_of_sdk: !usual.statuses_of_sdk,
        operating_reported: !usual.operating_reported,
        long_batch_refused: !usual.long_batch_refused,
        empty_maps_are_lists: !usual.empty_maps_are_lists,
        unresolved_reference_fails: !usual.unresolved_reference_fails,
        uncounted_lists_have_no_total: !usual.uncounted_lists_have_no_total,
        finish_date_is_object: !usual.finish_date_is_object,
        no_activity_is_false: !usual.no_activity_is_false,
        calls_bind_open_deals: !usual.calls_bind_open_deals,
        ..usual
    }
}

#[actix_rt::test]
async fn what_the_contract_leaves_open_may_be_either_way() {
    for switches in [Switches::default(), turned()] {
        let rehearsal = Rehearsal::with(BitrixOptions {
            limits: Limits::none(),
            switches,
            ..BitrixOptions::default()
        })
        .await;
        // A call of a stranger stands on nothing.
        let alone = rehearsal
            .execute(&rehearsal.call("0", "+79160000000"))
            .await;
        assert_eq!(alone.cards.len(), 1, "{alone:?}");
        assert!(alone.note.is_some());
        let contact = NewContact {
            name: "$result[c000][CALL_ID]".to_owned(),
            phones: vec![phone(CALLER)],
            emails: Vec::new(),
            responsible: Some(user("12")),
            tags: Vec::new(),
            fields: Vec::new(),
            template: None,
        };
        let contact = rehearsal.command("1", "contact", Effect::CreateContact(contact));
        let client = rehearsal.execute(&contact).await.cards.remove(0);
        let logged = rehearsal.execute(&rehearsal.call("1", CALLER)).await;
        assert!(logged.cards.contains(&client), "{logged:?}");
        for n in 0..149 {
            let card = SeedCard::new(&format!("К{n}"), &format!("+7916000{n:04}"), 12);
            rehearsal.lab.add_contact(&card);
        }
        // Exactly three full pages: the fourth is empty, those after it refer to nothing.
        assert_eq!(clients(rehearsal.adapter.as_ref()).await.len(), 150);
        rehearsal.end().await;
    }
}

async fn clients(adapter: &dyn Adapter) -> BTreeSet<Card> {
    let reader = adapter.directory().expect("a directory");
    let (mut cursor, mut clients): (Option<Value>, _) = (None, BTreeSet::new());
    loop {
        let piece = match reader.everything(cursor).await {
            Outcome::Done(piece) => piece,
            other => panic!("{other:?}"),
        };
        for change in piece.changes {
            if let DirectoryChange::Card(card) = change {
                assert!(clients.insert(card.card), "twice");
            }
        }
        match piece.next {
            PieceNext::At(next) => cursor = Some(next),
            PieceNext::End { .. } => return clients,
        }
    }
}

#[actix_rt::test]
async fn a_parked_method_rests_alone() {
    let rehearsal = Rehearsal::start().await;
    rehearsal.lab.park_method("crm.contact.add", true);
    let contact = NewContact {
        name: "Анна".to_owned(),
        phones: vec![phone(CALLER)],
        emails: Vec::new(),
        responsible: None,
        tags: Vec::new(),
        fields: Vec::new(),
        template: None,
    };
    let contact = rehearsal.command("1", "contact", Effect::CreateContact(contact));
    let steps = vec![contact, rehearsal.call("1", CALLER)];
    let outcomes = rehearsal.adapter.execute(steps).await;
    let [Outcome::NotApplied(parked), Outcome::Done(_)] = outcomes.as_slice() else {
        panic!("{outcomes:?}")
    };
    assert!(
        parked
            .retry_after
            .is_some_and(|rest| rest >= Duration::from_secs(1))
    );
    rehearsal.end().await;
}
