//! The amoCRM adapter against the simulated account: two readings of one contract.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, join_all};
use serde_json::{Value, json};
use trunkline::clock::SystemClock;
use trunkline::crm::account::http::{AccountHttp, AccountHttpOptions};
use trunkline::crm::registry;
use trunkline::crm::{
    AccountDoor, AccountSettings, Adapter, Class, StepCommand, TokenVault, VaultError,
};
use trunkline::lab::amocrm::{AmoHandle, AmoLab, AmoOptions, SeedCard, SeedLead, start};
use trunkline::lab::fault::{Fault, Rule, When};
use trunkline::model::call::Direction;
use trunkline::model::capabilities::Certainty;
use trunkline::model::communication::Phase;
use trunkline::model::facts::FactsQuery;
use trunkline::model::ids::CrmUserId;
use trunkline::model::outcome::{Look, NotAppliedCause, Outcome, StepResult};
use trunkline::model::phone::{Phone, Region};
use trunkline::model::plan::{
    CallRecord, CallStatus, Card, Effect, Entity, NewContact, NewDeal, NewNote, NewTask,
    NewUnsorted, Role, StepKey, StepKind, Target, UnsortedForm,
};
use trunkline::model::secret::{Secret, Secrets};
use trunkline::model::timestamp::Timestamp;

use super::memory_pairs::MemoryPairs;

pub(super) const PHONE: &str = "+79161234567";

pub(super) struct MemoryVault {
    token: Option<Secret>,
    setup: Mutex<Option<Value>>,
}

impl MemoryVault {
    pub(super) fn without_token() -> Self {
        Self {
            token: None,
            setup: Mutex::new(None),
        }
    }
}

impl TokenVault for MemoryVault {
    fn load(&self) -> BoxFuture<'_, Result<Option<Secret>, VaultError>> {
        async { Ok(self.token.clone()) }.boxed()
    }

    fn save(&self, _: Secret) -> BoxFuture<'_, Result<(), VaultError>> {
        async { panic!("a long-lived token is never replaced by us") }.boxed()
    }

    fn setup(&self) -> BoxFuture<'_, Result<Option<Value>, VaultError>> {
        async { Ok(self.setup.lock().expect("no panic").clone()) }.boxed()
    }

    fn save_setup(&self, setup: Value) -> BoxFuture<'_, Result<(), VaultError>> {
        async move {
            *self.setup.lock().expect("no panic") = Some(setup);
            Ok(())
        }
        .boxed()
    }
}

/// An account of the lab, with the adapter that serves it.
pub(super) struct Rehearsal {
    pub(super) lab: AmoLab,
    pub(super) handle: AmoHandle,
    pub(super) adapter: Arc<dyn Adapter>,
}

impl Rehearsal {
    /// Starts with the lab's limit raised, so that tests run fast.
    pub(super) async fn start() -> Self {
        let options = AmoOptions {
            rate_per_second: 2_000,
            account_rate_per_second: 2_000,
            search_lag: Duration::from_secs(60),
            ..AmoOptions::default()
        };
        Self::with(options, 1_000.0).await
    }

    pub(super) async fn with(options: AmoOptions, rate: f64) -> Self {
        let lab = start(options).await.expect("a free port");
        let handle = lab.handle();
        let adapter = open(&handle, rate);
        Self {
            lab,
            handle,
            adapter,
        }
    }

    pub(super) async fn execute(&self, command: &StepCommand) -> Outcome<StepResult> {
        let mut outcomes = self.adapter.execute(vec![command.clone()]).await;
        assert_eq!(outcomes.len(), 1);
        outcomes.remove(0)
    }

    pub(super) async fn look(&self, command: &StepCommand) -> Look {
        done(self.adapter.look(command.clone()).await)
    }

    pub(super) fn fault(&self, method: &str, path: &str, when: When, fault: Fault) {
        let rule = Rule::new(method, path, when, fault);
        self.handle.add_fault(rule).expect("a good rule");
    }

    /// Checks that the account holds nothing twice and was asked in its own manner; ends it.
    async fn end(self) {
        let oracle = self.handle.oracle();
        assert_eq!(oracle.duplicates.count(), 0, "{:?}", oracle.duplicates);
        assert_eq!(
            oracle.counters.oddities.len(),
            0,
            "{:?}",
            oracle.counters.oddities
        );
        let twice = |uses: &usize| *uses > 2;
        let uses = oracle.marker_uses("Trunkline");
        assert!(
            !uses.values().any(twice),
            "contact and deal of one unsorted at most: {uses:?}"
        );
        self.lab.stop().await.expect("a clean end");
    }
}

pub(super) fn open(handle: &AmoHandle, rate: f64) -> Arc<dyn Adapter> {
    open_with(handle, rate, handle.long_lived_token())
}

fn open_with(handle: &AmoHandle, rate: f64, token: String) -> Arc<dyn Adapter> {
    let vault = MemoryVault {
        token: Some(Secret::new(token)),
        setup: Mutex::new(None),
    };
    open_on(handle, rate, Arc::new(vault))
}

fn open_on(handle: &AmoHandle, rate: f64, vault: Arc<MemoryVault>) -> Arc<dyn Adapter> {
    let kind = registry::find("amocrm").expect("registered");
    let table = json!({"url": "https://demo.amocrm.ru", "rate_per_second": rate});
    let settings: Arc<dyn AccountSettings> =
        (kind.build)(&table, Some(&handle.base_url())).expect("good settings");
    let http = AccountHttp::new(AccountHttpOptions {
        portal: settings.portal(),
        base_url: settings.base_url().to_owned(),
        rate_per_second: settings.rate_per_second(),
        per_second_max: settings.per_second_max(),
        quiet_start: Duration::ZERO,
        clock: Arc::new(SystemClock),
    });
    settings.open(AccountDoor {
        http: Arc::new(http.expect("a door")),
        vault,
        pairs: Arc::new(MemoryPairs::default()),
        secrets: Secrets::default(),
        recordings: None,
        clock: Arc::new(SystemClock),
    })
}

#[track_caller]
pub(super) fn done<T: std::fmt::Debug>(outcome: Outcome<T>) -> T {
    match outcome {
        Outcome::Done(value) => value,
        other => panic!("expected success, got {other:?}"),
    }
}

pub(super) fn phone() -> Phone {
    Phone::parse(PHONE, Region::RU).expect("a number")
}

pub(super) fn ask() -> FactsQuery {
    FactsQuery {
        phones: vec![phone()],
        emails: Vec::new(),
        deals: true,
        made: Vec::new(),
        made_leads: Vec::new(),
    }
}

pub(super) fn command(handle: &AmoHandle, call: &str, role: &str, effect: Effect) -> StepCommand {
    StepCommand {
        key: StepKey {
            integration: "acme/sales".parse().expect("a key"),
            communication: format!("acme/office/{call}").parse().expect("a key"),
            role: Role::new(role),
        },
        effect,
        kind: None,
        phase: Phase::Ended,
        first_sent_at: Timestamp::from_secs(handle.now()),
    }
}

fn on(entity: Entity, id: u64) -> Option<Target> {
    Some(Target::Known {
        card: Card {
            entity,
            id: id.to_string(),
        },
    })
}

fn contact(handle: &AmoHandle, call: &str) -> StepCommand {
    let contact = NewContact {
        name: format!("Звонок {PHONE}"),
        phones: vec![phone()],
        emails: Vec::new(),
        responsible: Some(CrmUserId("502".to_owned())),
        tags: vec!["Звонок".to_owned()],
        fields: Vec::new(),
        template: None,
    };
    command(handle, call, "contact", Effect::CreateContact(contact))
}

pub(super) fn deal(handle: &AmoHandle, call: &str, contact: u64) -> StepCommand {
    let description = NewDeal {
        name: "Сделка".to_owned(),
        pipeline: "3100".to_owned(),
        stage: "142".to_owned(),
        contact: on(Entity::Contact, contact),
        responsible: Some(CrmUserId("502".to_owned())),
        tags: vec!["Звонок".to_owned()],
        fields: Vec::new(),
    };
    command(handle, call, "deal", Effect::CreateDeal(description))
}

fn unsorted(handle: &AmoHandle, call: &str, form: UnsortedForm) -> StepCommand {
    let unsorted = NewUnsorted {
        pipeline: "3100".to_owned(),
        source_name: "Офис".to_owned(),
        form,
        at: Timestamp::from_secs(handle.now() - 7200),
        deal_name: format!("Звонок {PHONE}"),
        contact_name: PHONE.to_owned(),
        phone: Some(phone()),
        email: None,
        tags: vec!["Звонок".to_owned()],
    };
    command(handle, call, "unsorted", Effect::CreateUnsorted(unsorted))
}

pub(super) fn incoming(handle: &AmoHandle, call: &str) -> StepCommand {
    let form = UnsortedForm::IncomingCall {
        talk_s: 54,
        callee: None,
        link: None,
    };
    unsorted(handle, call, form)
}

fn form(handle: &AmoHandle, call: &str) -> StepCommand {
    let form = UnsortedForm::Form {
        name: "Исходящий звонок".to_owned(),
        text: Some("Говорили 54 с".to_owned()),
        page: None,
    };
    unsorted(handle, call, form)
}

pub(super) fn call(handle: &AmoHandle, call: &str, card: Option<Target>) -> StepCommand {
    let record = CallRecord {
        card,
        direction: Direction::Incoming,
        phone: phone(),
        status: CallStatus::Talked,
        talk_s: 54,
        at: Timestamp::from_secs(handle.now() - 7200),
        employee: Some(CrmUserId("502".to_owned())),
        link: None,
        source_name: "Офис".to_owned(),
        shown_to: None,
        line: None,
    };
    command(handle, call, "call-record", Effect::RecordCall(record))
}

fn task(handle: &AmoHandle, call: &str, card: Option<Target>) -> StepCommand {
    let task = NewTask {
        task_type: None,
        card,
        responsible: Some(CrmUserId("502".to_owned())),
        text: format!("Перезвонить {PHONE}"),
        due: Timestamp::from_secs(handle.now() + 900),
    };
    command(handle, call, "task", Effect::CreateTask(task))
}

fn note(handle: &AmoHandle, call: &str, card: u64) -> StepCommand {
    let note = NewNote {
        card: on(Entity::Contact, card).expect("a card"),
        text: "Заявка с сайта\nПерезвоните".to_owned(),
        at: Timestamp::from_secs(handle.now() - 60),
        messages: Vec::new(),
    };
    command(handle, call, "note", Effect::AddNote(note))
}

/// The commands of every kind of step, in both forms where there are two.
pub(super) fn every_kind(handle: &AmoHandle) -> Vec<StepCommand> {
    let known = handle.add_contact(&SeedCard::new("Иван", PHONE, 502));
    let commands = vec![
        contact(handle, "1"),
        deal(handle, "1", known),
        incoming(handle, "1"),
        form(handle, "2"),
        call(handle, "1", on(Entity::Contact, known)),
        call(handle, "2", None),
        task(handle, "1", on(Entity::Contact, known)),
        note(handle, "1", known),
    ];
    for kind in StepKind::ALL {
        // They read and change what stands already, and have tests of their own; leads are deals.
        let elsewhere = [
            StepKind::FillFields,
            StepKind::LinkRecording,
            StepKind::CreateLead,
            StepKind::HandOver,
            StepKind::AwaitContact,
            StepKind::Notify,
        ];
        if elsewhere.contains(&kind) {
            continue;
        }
        assert!(
            commands.iter().any(|command| command.effect.kind() == kind),
            "{kind:?}"
        );
    }
    commands
}

#[actix_rt::test]
async fn who_finds_the_setup_stored_works_on_while_the_survey_of_this_life_hangs() {
    let rehearsal = Rehearsal::start().await;
    let vault = Arc::new(MemoryVault {
        token: Some(Secret::new(rehearsal.handle.long_lived_token())),
        setup: Mutex::new(None),
    });
    let life = || open_on(&rehearsal.handle, 1_000.0, Arc::clone(&vault));
    done(life().describe().await);

    let late = Fault::LateAfter { ms: 3_600_000 };
    rehearsal.fault("GET", "/api/v4/account", When::Always, late);
    let adapter = life();
    let surveying = Arc::clone(&adapter);
    let survey = tokio::spawn(async move { surveying.describe().await });
    while rehearsal.handle.under_way() == 0 {
        tokio::task::yield_now().await;
    }
    done(adapter.facts(ask(), Class::Work).await);
    assert!(!survey.is_finished());
    survey.abort();
}

#[actix_rt::test]
async fn an_account_is_described_and_two_at_once_make_one_marker_field() {
    let rehearsal = Rehearsal::start().await;
    let second = open(&rehearsal.handle, 1_000.0);
    let (first, second) =
        futures_util::future::join(rehearsal.adapter.describe(), second.describe()).await;
    let first = done(first);
    assert_eq!(first, done(second));
    assert_eq!(first.users.len(), 5);
    let stages: Vec<&str> = first.pipelines[0]
        .stages
        .iter()
        .map(|s| s.name.as_str())
        .collect();
    assert_eq!(stages.len(), 4, "two of its own, won and lost: {stages:?}");
    // Whichever field each of them chose, what one makes the other finds.
    let made = contact(&rehearsal.handle, "1");
    let third = open(&rehearsal.handle, 1_000.0);
    done(third.execute(vec![made.clone()]).await.remove(0));
    assert!(matches!(rehearsal.look(&made).await, Look::Found(_)));
    rehearsal.end().await;
}

#[actix_rt::test]
async fn a_first_call_becomes_contact_deal_task_and_history() {
    let rehearsal = Rehearsal::start().await;
    let handle = rehearsal.handle.clone();
    let facts = done(rehearsal.adapter.facts(ask(), Class::Work).await);
    assert!(facts.first_time());
    let made = done(rehearsal.execute(&contact(&handle, "1")).await);
    let contact_id: u64 = made.cards[0].id.parse().expect("an id");
    let made = done(rehearsal.execute(&deal(&handle, "1", contact_id)).await);
    let deal_id: u64 = made.cards[0].id.parse().expect("an id");
    done(
        rehearsal
            .execute(&task(&handle, "1", on(Entity::Deal, deal_id)))
            .await,
    );
    let record = call(&handle, "1", on(Entity::Contact, contact_id));
    done(rehearsal.execute(&record).await);

    let oracle = handle.oracle();
    let lead = &oracle.leads_of_phone(PHONE)[0];
    assert_eq!(
        (lead.pipeline_id, lead.status_id, lead.responsible_user_id),
        (3100, 142, 502)
    );
    assert_eq!(lead.tags, ["Звонок"]);
    assert_eq!(lead.contacts, [contact_id]);
    let logged = &oracle.calls_of_phone(PHONE)[0];
    assert_eq!(logged.at, handle.now() - 7200, "a call keeps its own time");
    assert_eq!((logged.status, logged.duration), (Some(4), 54));
    assert_eq!((logged.created_by, logged.responsible_user_id), (502, 502));
    assert_eq!(logged.uniq, record.key.marker());
    assert_eq!(oracle.tasks_of_phone(PHONE).len(), 1);
    rehearsal.end().await;
}

#[actix_rt::test]
async fn a_client_is_found_however_the_number_is_written_and_no_one_else_is() {
    let rehearsal = Rehearsal::start().await;
    let handle = rehearsal.handle.clone();
    let known = handle.add_contact(&SeedCard::new("Иван", "8 (916) 123-45-67", 502));
    handle.add_contact(&SeedCard::new("Заметка 123-45-67", "+79990000000", 502));
    handle.add_contact(&SeedCard::new("Длинный", "8 (916) 123-45-678", 502));
    let open_deal = handle.add_lead(&SeedLead {
        name: "Открытая".to_owned(),
        contact_id: Some(known),
        ..SeedLead::default()
    });
    handle.add_lead(&SeedLead {
        name: "Проданная".to_owned(),
        contact_id: Some(known),
        status_id: Some(142),
        closed_at: Some(handle.now() - 60),
        ..SeedLead::default()
    });
    for filters in [false, true] {
        handle.set_filters_enabled(filters);
        let adapter = open(&handle, 1_000.0);
        let facts = done(adapter.facts(ask(), Class::Live).await);
        assert_eq!(facts.contacts.len(), 1, "{facts:?}");
        assert_eq!(facts.contacts[0].id, known.to_string());
        let deals = &facts.contacts[0].deals;
        let open: Vec<&str> = deals
            .iter()
            .filter(|d| d.open)
            .map(|d| d.id.as_str())
            .collect();
        assert_eq!(
            (deals.len(), open),
            (2, vec![open_deal.to_string().as_str()])
        );
    }
    rehearsal.end().await;
}

#[actix_rt::test]
async fn an_effect_whose_answer_was_spoilt_is_found_and_adopted_whatever_the_step() {
    let faults = [
        Fault::LostAfter,
        Fault::ErrorAfter { status: 502 },
        Fault::TruncatedJson,
        Fault::HtmlInsteadOfJson,
    ];
    for fault in faults {
        let rehearsal = Rehearsal::start().await;
        let commands = every_kind(&rehearsal.handle);
        done(rehearsal.adapter.describe().await);
        for command in &commands {
            rehearsal.handle.clear_faults();
            rehearsal.fault("POST", "/api/v4/*", When::First { n: 1 }, fault.clone());
            let name = command.key.role.to_string();
            let outcome = rehearsal.execute(command).await;
            assert!(
                matches!(outcome, Outcome::Ambiguous { .. }),
                "{name}: {outcome:?}"
            );
            let before = rehearsal.handle.oracle();
            match rehearsal.look(command).await {
                Look::Found(result) => {
                    assert!(
                        result.adopted && !result.cards.is_empty(),
                        "{name}: {result:?}"
                    );
                }
                other => panic!("{name} after {fault:?}: {other:?}, {before:#?}"),
            }
        }
        let oracle = rehearsal.handle.oracle();
        assert_eq!(oracle.unsorted.len(), 2);
        assert_eq!(oracle.tasks.len(), 1);
        // The contact made here shares its number with the one that was there.
        rehearsal.lab.stop().await.expect("a clean end");
    }
}

#[actix_rt::test]
async fn an_effect_that_never_was_is_absent_and_repeating_makes_it_once() {
    for fault in [Fault::RefusedBefore, Fault::ErrorBefore { status: 500 }] {
        let rehearsal = Rehearsal::start().await;
        let handle = rehearsal.handle.clone();
        let known = handle.add_company(&SeedCard::new("ООО", "+74951112233", 502));
        done(rehearsal.adapter.describe().await);
        let mut later = call(&handle, "3", on(Entity::Company, known));
        if let Effect::RecordCall(record) = &mut later.effect {
            record.at = record.at.plus(Duration::from_secs(60));
        }
        let commands = [
            contact(&handle, "1"),
            incoming(&handle, "1"),
            form(&handle, "2"),
            later,
            task(&handle, "1", on(Entity::Company, known)),
        ];
        for command in &commands {
            let name = command.key.role.to_string();
            handle.clear_faults();
            rehearsal.fault("POST", "/api/v4/*", When::First { n: 1 }, fault.clone());
            let outcome = rehearsal.execute(command).await;
            assert!(
                matches!(outcome, Outcome::Ambiguous { .. }),
                "{name}: {outcome:?}"
            );
            assert_eq!(rehearsal.look(command).await, Look::Absent, "{name}");
            done(rehearsal.execute(command).await);
            assert!(
                matches!(rehearsal.look(command).await, Look::Found(_)),
                "{name}"
            );
        }
        rehearsal.end().await;
    }
}

#[actix_rt::test]
async fn of_half_a_batch_that_took_effect_each_item_is_told_apart() {
    let rehearsal = Rehearsal::start().await;
    let handle = rehearsal.handle.clone();
    done(rehearsal.adapter.describe().await);
    let fault = Fault::PartialBatch { status: 504 };
    rehearsal.fault("POST", "/api/v4/tasks", When::First { n: 1 }, fault);
    let commands: Vec<StepCommand> = (0..10)
        .map(|n| {
            let mut command = task(&handle, &n.to_string(), None);
            if let Effect::CreateTask(task) = &mut command.effect {
                task.text = format!("Задача {n}");
            }
            command
        })
        .collect();
    let outcomes = rehearsal.adapter.execute(commands.clone()).await;
    assert!(
        outcomes
            .iter()
            .all(|o| matches!(o, Outcome::Ambiguous { .. })),
        "{outcomes:?}"
    );
    let mut missing = Vec::new();
    for command in commands {
        match rehearsal.look(&command).await {
            Look::Found(_) => {}
            Look::Absent => missing.push(command),
            Look::Undecidable => panic!("{command:?}"),
        }
    }
    assert_eq!(missing.len(), 5);
    for outcome in rehearsal.adapter.execute(missing).await {
        done(outcome);
    }
    assert_eq!(handle.oracle().tasks.len(), 10);
    rehearsal.end().await;
}

#[actix_rt::test]
async fn a_400_that_stored_the_valid_items_leads_to_no_duplicate() {
    for stores in [false, true] {
        let rehearsal = Rehearsal::start().await;
        let handle = rehearsal.handle.clone();
        let mut switches = handle.switches();
        switches.invalid_batch_stores_valid_items = stores;
        handle.set_switches(switches);
        let known = handle.add_contact(&SeedCard::new("Иван", PHONE, 502));
        let mut bad = deal(&handle, "bad", known);
        if let Effect::CreateDeal(deal) = &mut bad.effect {
            deal.stage = "999999".to_owned();
        }
        let mut other = deal(&handle, "other", known);
        if let Effect::CreateDeal(deal) = &mut other.effect {
            deal.name = "Другая".to_owned();
        }
        let commands = vec![deal(&handle, "good", known), bad, other];
        let outcomes = rehearsal.adapter.execute(commands.clone()).await;
        assert!(matches!(outcomes[1], Outcome::Rejected(_)), "{outcomes:?}");
        for index in [0, 2] {
            assert!(
                matches!(outcomes[index], Outcome::Ambiguous { .. }),
                "{outcomes:?}"
            );
            match rehearsal.look(&commands[index]).await {
                Look::Found(_) => assert!(stores),
                Look::Absent => {
                    assert!(!stores);
                    done(rehearsal.execute(&commands[index]).await);
                }
                Look::Undecidable => panic!("a small account can be read"),
            }
        }
        assert_eq!(handle.oracle().leads.len(), 2);
        rehearsal.end().await;
    }
}

#[actix_rt::test]
async fn an_unsorted_record_that_a_person_accepted_is_not_made_again() {
    let rehearsal = Rehearsal::start().await;
    let handle = rehearsal.handle.clone();
    let command = incoming(&handle, "1");
    let result = done(rehearsal.execute(&command).await);
    let uid = &result.card(Entity::Unsorted).expect("itself").id;
    assert!(result.card(Entity::Contact).is_some() && result.card(Entity::Deal).is_some());
    assert!(handle.accept_unsorted(uid, 502));
    match rehearsal.look(&command).await {
        Look::Found(found) => assert_eq!(found.card(Entity::Deal), result.card(Entity::Deal)),
        other => panic!("{other:?}"),
    }
    rehearsal.end().await;
}

#[actix_rt::test]
async fn s1_26_a_call_of_a_stranger_finds_nothing_to_stand_on() {
    let rehearsal = Rehearsal::start().await;
    let handle = rehearsal.handle.clone();
    let alone = done(rehearsal.execute(&call(&handle, "1", None)).await);
    assert!(alone.cards.is_empty(), "{alone:?}");
    let known = handle.add_contact(&SeedCard::new("Иван", "+79990000000", 502));
    let mut stranger = call(&handle, "2", None);
    let mut friend = call(&handle, "3", None);
    for (command, number) in [(&mut stranger, PHONE), (&mut friend, "+79990000000")] {
        if let Effect::RecordCall(record) = &mut command.effect {
            record.phone = Phone::parse(number, Region::RU).expect("a number");
        }
    }
    let outcomes = rehearsal.adapter.execute(vec![stranger, friend]).await;
    let results: Vec<StepResult> = outcomes.into_iter().map(done).collect();
    assert!(results[0].cards.is_empty());
    assert_eq!(
        results[1].card(Entity::Contact).map(|card| card.id.clone()),
        Some(known.to_string())
    );
    rehearsal.end().await;
}

#[actix_rt::test]
async fn at_the_real_limit_a_crowd_of_requests_meets_no_429() {
    let options = AmoOptions {
        block_after_violations: Some(1),
        ..AmoOptions::default()
    };
    let rehearsal = Rehearsal::with(options, 7.0).await;
    let asked = (0..3).map(|_| rehearsal.adapter.facts(ask(), Class::Work));
    for outcome in join_all(asked).await {
        done(outcome);
    }
    let counters = rehearsal.handle.counters();
    assert_eq!(counters.rate_violations, 0);
    assert!(counters.requests_per_second_max <= 7, "{counters:?}");
    assert!(rehearsal.handle.log_counters().arrived > 15);
    rehearsal.end().await;
}

#[actix_rt::test]
async fn a_blocked_account_is_asked_once_and_left_alone() {
    let rehearsal = Rehearsal::start().await;
    rehearsal.handle.set_blocked(true);
    for _ in 0..3 {
        match rehearsal.adapter.facts(ask(), Class::Work).await {
            Outcome::NotApplied(refused) => assert_eq!(refused.cause, NotAppliedCause::Blocked),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(rehearsal.handle.log_counters().arrived, 1);
    rehearsal.lab.stop().await.expect("a clean end");
}

#[actix_rt::test]
async fn a_revoked_token_is_told_from_everything_else() {
    let rehearsal = Rehearsal::start().await;
    rehearsal.handle.revoke_tokens();
    let outcome = rehearsal.execute(&contact(&rehearsal.handle, "1")).await;
    assert!(
        matches!(outcome, Outcome::AuthExpired { .. }),
        "{outcome:?}"
    );
    rehearsal.end().await;
}

#[actix_rt::test]
async fn a_plain_users_token_makes_no_marker_and_effects_are_still_found() {
    let mut rehearsal = Rehearsal::start().await;
    let handle = rehearsal.handle.clone();
    let client_id = "6a1d0c5e-0000-4000-8000-000000000001";
    let token = handle.issue_token(client_id, 502, 2_000_000_000);
    rehearsal.adapter = open_with(&handle, 1_000.0, token);
    let description = done(rehearsal.adapter.describe().await);
    assert!(
        description
            .limits
            .iter()
            .any(|limit| limit.contains("Trunkline"))
    );
    assert!(description.users.is_empty());
    let certainty = rehearsal
        .adapter
        .capabilities()
        .step(StepKind::CreateContact);
    assert_eq!(
        certainty.map(|step| step.certainty),
        Some(Certainty::BySearch)
    );
    for command in [contact(&handle, "1"), incoming(&handle, "2")] {
        handle.clear_faults();
        rehearsal.fault("POST", "/api/v4/*", When::First { n: 1 }, Fault::LostAfter);
        let outcome = rehearsal.execute(&command).await;
        assert!(matches!(outcome, Outcome::Ambiguous { .. }), "{outcome:?}");
        assert!(matches!(rehearsal.look(&command).await, Look::Found(_)));
    }
    rehearsal.end().await;
}

/// Deals of this many clients' own names; one of them for a stage that does not exist.
fn deals_with_one_bad(handle: &AmoHandle, count: usize, bad: usize) -> Vec<StepCommand> {
    let known = handle.add_contact(&SeedCard::new("Иван", PHONE, 502));
    let deals = (0..count).map(|n| {
        let mut command = deal(handle, &n.to_string(), known);
        if let Effect::CreateDeal(deal) = &mut command.effect {
            deal.name = format!("Сделка {n}");
            if n == bad {
                deal.stage = "999999".to_owned();
            }
        }
        command
    });
    deals.collect()
}

#[actix_rt::test]
async fn of_forty_nine_good_and_one_bad_each_good_one_is_made_once_whatever_goes_wrong() {
    for stores in [false, true] {
        for fault in [
            None,
            Some(Fault::ErrorBefore { status: 400 }),
            Some(Fault::PartialBatch { status: 503 }),
            Some(Fault::ErrorAfter { status: 502 }),
        ] {
            let rehearsal = Rehearsal::start().await;
            let handle = rehearsal.handle.clone();
            let mut switches = handle.switches();
            switches.invalid_batch_stores_valid_items = stores;
            handle.set_switches(switches);
            done(rehearsal.adapter.describe().await);
            if let Some(fault) = fault.clone() {
                rehearsal.fault("POST", "/api/v4/leads", When::First { n: 1 }, fault);
            }
            let mut left = deals_with_one_bad(&handle, 50, 17);
            let (mut rejected, mut rounds) = (Vec::new(), 0);
            while !left.is_empty() {
                rounds += 1;
                assert!(rounds <= 3, "{stores} {fault:?}: {} are left", left.len());
                let outcomes = rehearsal.adapter.execute(left.clone()).await;
                let mut again = Vec::new();
                for (command, outcome) in left.into_iter().zip(outcomes) {
                    match outcome {
                        Outcome::Done(_) => {}
                        Outcome::Rejected(_) => rejected.push(command.key.communication),
                        Outcome::Ambiguous { .. } => match rehearsal.look(&command).await {
                            Look::Found(_) => {}
                            Look::Absent => again.push(command),
                            Look::Undecidable => panic!("a small account can be read"),
                        },
                        other => panic!("{other:?}"),
                    }
                }
                left = again;
            }
            assert_eq!(rejected.len(), 1, "{stores} {fault:?}");
            assert_eq!(rejected[0].item, "17");
            assert_eq!(handle.oracle().leads.len(), 49, "{stores} {fault:?}");
            rehearsal.end().await;
        }
    }
}

#[actix_rt::test]
async fn a_step_delivered_days_late_carries_the_calls_own_time_and_is_found_again() {
    const DAYS: i64 = 5 * 86_400;
    let rehearsal = Rehearsal::start().await;
    let handle = rehearsal.handle.clone();
    done(rehearsal.adapter.describe().await);
    let then = handle.now() - DAYS;
    let (mut entries, mut records, mut due) = (Vec::new(), Vec::new(), Vec::new());
    for (mut command, n) in every_kind(&handle).into_iter().zip(1..) {
        let at = then + 60 * n;
        match &mut command.effect {
            Effect::CreateUnsorted(unsorted) => {
                unsorted.at = Timestamp::from_secs(at);
                records.push(at);
                // amoCRM writes an entry of its own for a call in unsorted.
                if matches!(unsorted.form, UnsortedForm::IncomingCall { .. }) {
                    entries.push(at);
                }
            }
            Effect::RecordCall(record) => {
                record.at = Timestamp::from_secs(at);
                entries.push(at);
            }
            Effect::CreateTask(task) => {
                task.due = Timestamp::from_secs(at);
                due.push(at);
            }
            // Records of the CRM, made when they are made: the call's time stands in its entry.
            Effect::CreateContact(_)
            | Effect::CreateDeal(_)
            | Effect::FillFields(_)
            | Effect::CreateLead(_)
            | Effect::LinkRecording(_)
            | Effect::AddNote(_)
            | Effect::HandOver(_)
            | Effect::AwaitContact(_)
            | Effect::Notify(_) => continue,
        }
        let lost = Fault::LostAfter;
        rehearsal.fault("POST", "/api/v4/*", When::First { n: 1 }, lost);
        let outcome = rehearsal.execute(&command).await;
        assert!(matches!(outcome, Outcome::Ambiguous { .. }), "{outcome:?}");
        let seen = rehearsal.look(&command).await;
        assert!(matches!(seen, Look::Found(_)), "{command:?}: {seen:?}");
    }
    let made = handle.oracle();
    let mut called: Vec<i64> = made.calls.iter().map(|call| call.at).collect();
    called.sort_unstable();
    assert_eq!(called, entries);
    let own: Vec<i64> = made.unsorted.iter().map(|one| one.created_at).collect();
    assert_eq!(own, records);
    for (unsorted, at) in made.unsorted.iter().zip(records) {
        let metadata = &unsorted.metadata;
        let called = metadata["called_at"].as_i64();
        let own = called.or(metadata["form_sent_at"].as_i64());
        assert_eq!(own, Some(at), "{metadata}");
    }
    let tasks: Vec<i64> = made.tasks.iter().map(|task| task.complete_till).collect();
    assert_eq!(tasks, due);
    rehearsal.end().await;
}
