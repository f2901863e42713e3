//! Everything that the adapter does, under each reading of what the contract leaves open.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use trunkline::crm::{Class, StepCommand};
use trunkline::lab::amocrm::{SeedCard, SeedLead, Switches};
use trunkline::lab::fault::{Fault, When};
use trunkline::model::facts::{Facts, FactsQuery};
use trunkline::model::ids::CrmUserId;
use trunkline::model::outcome::{Look, Outcome, StepResult};
use trunkline::model::phone::{Phone, Region};
use trunkline::model::plan::{Effect, Entity, UnsortedForm};

use super::amocrm_lab::{PHONE, Rehearsal, ask, call, deal, done, every_kind, incoming};

/// Returns every account that differs from the assumed one in one thing, with a name for it.
pub(super) fn readings() -> Vec<(String, Switches)> {
    let assumed = serde_json::to_value(Switches::default()).expect("switches are JSON");
    let others = |value: &Value| match value {
        Value::Bool(on) => vec![json!(!on)],
        Value::Number(_) => vec![json!(60)],
        Value::String(_) => ["accept", "reject", "tag", "store"]
            .into_iter()
            .map(Value::from)
            .collect(),
        other => panic!("a switch of a new sort: {other}"),
    };
    let mut readings = vec![("as assumed".to_owned(), Switches::default())];
    for (key, value) in assumed.as_object().expect("a table") {
        for other in others(value) {
            let mut table = assumed.clone();
            table[key] = other.clone();
            // A word of another switch is none of this one.
            if let Ok(switches) = serde_json::from_value::<Switches>(table)
                && (other != *value)
            {
                readings.push((format!("{key} = {other}"), switches));
            }
        }
    }
    readings
}

impl Rehearsal {
    async fn facts(&self, number: &str) -> Facts {
        let query = FactsQuery {
            phones: vec![Phone::parse(number, Region::RU).expect("a number")],
            ..ask()
        };
        done(self.adapter.facts(query, Class::Work).await)
    }

    fn requests(&self) -> u64 {
        self.handle.log_counters().arrived
    }

    /// Looks for the effect of an ambiguous step, and sends it again if it is absent.
    async fn settle(&self, command: &StepCommand, outcome: Outcome<StepResult>) -> StepResult {
        match outcome {
            Outcome::Done(result) => result,
            Outcome::Ambiguous { .. } => match self.look(command).await {
                Look::Found(result) => result,
                Look::Absent => done(self.execute(command).await),
                Look::Undecidable => panic!("a small account can be read: {command:?}"),
            },
            other => panic!("{other:?} of {command:?}"),
        }
    }
}

async fn the_account_is_described(rehearsal: &Rehearsal) {
    let before = rehearsal.requests();
    let description = done(rehearsal.adapter.describe().await);
    assert!(description.users.iter().filter(|u| u.active).count() == 4);
    assert_eq!(description.pipelines.len(), 2);
    assert!(!description.limits.iter().any(|l| l.contains("Trunkline")));
    // Account, pipelines, users, three lists of fields; two lists again after the two markers.
    // A list may have one empty page more.
    let requests = rehearsal.requests() - before;
    assert!(requests <= 17, "{requests} requests for a description");
}

async fn clients_are_told_apart(rehearsal: &Rehearsal) {
    let handle = &rehearsal.handle;
    let known = handle.add_contact(&SeedCard::new("Иван", "+7 999 0000001", 502));
    for (status_id, closed_at) in [
        (None, None),
        (Some(142), Some(handle.now() - 60)),
        (Some(3101), None),
    ] {
        handle.add_lead(&SeedLead {
            name: "Сделка".to_owned(),
            contact_id: Some(known),
            status_id,
            closed_at,
            ..SeedLead::default()
        });
    }
    let deleted = handle.add_contact(&SeedCard::new("Удалённый", "+79990000002", 502));
    assert!(handle.delete_contact(deleted));
    let company = handle.add_company(&SeedCard::new("ООО", "8 (999) 000-00-03", 502));

    let before = rehearsal.requests();
    let facts = rehearsal.facts("+79990000001").await;
    assert_eq!(facts.contacts[0].id, known.to_string());
    let open = facts.contacts[0].deals.iter().filter(|d| d.open).count();
    assert_eq!((facts.contacts[0].deals.len(), open), (3, 1), "{facts:?}");
    let requests = rehearsal.requests() - before;
    assert!(
        requests <= 7,
        "{requests} requests for a known client with three deals"
    );

    for (number, companies) in [
        ("+79990000002", 0),
        ("+79990000003", 1),
        ("+79990000004", 0),
    ] {
        let before = rehearsal.requests();
        let facts = rehearsal.facts(number).await;
        assert!(facts.first_time(), "{number}");
        assert_eq!(facts.companies.len(), companies, "{number}");
        assert!(facts.companies.iter().all(|c| c.id == company.to_string()));
        let requests = rehearsal.requests() - before;
        assert!(requests <= 9, "{requests} requests for {number}");
    }
}

/// Each step is lost on the way first, then made with its answer lost, then found.
async fn every_step_is_made_once(rehearsal: &Rehearsal) -> Vec<StepCommand> {
    let handle = &rehearsal.handle;
    let commands = every_kind(handle);
    for command in &commands {
        let name = &command.key.role;
        for (fault, is_there) in [(Fault::RefusedBefore, false), (Fault::LostAfter, true)] {
            handle.clear_faults();
            rehearsal.fault("POST", "/api/v4/*", When::First { n: 1 }, fault);
            let outcome = rehearsal.execute(command).await;
            assert!(
                matches!(outcome, Outcome::Ambiguous { .. }),
                "{name}: {outcome:?}"
            );
            let before = rehearsal.requests();
            match rehearsal.look(command).await {
                Look::Found(result) => assert!(is_there && result.adopted, "{name}: {result:?}"),
                Look::Absent => assert!(!is_there, "{name} is not found"),
                Look::Undecidable => panic!("{name}: a small account can be read"),
            }
            let requests = rehearsal.requests() - before;
            assert!(requests <= 12, "{requests} requests to look for {name}");
        }
    }
    handle.clear_faults();
    commands
}

async fn of_a_mixed_batch_each_item_ends_as_it_must(rehearsal: &Rehearsal) {
    let handle = &rehearsal.handle;
    let other = handle.add_contact(&SeedCard::new("Мария", "+79990000005", 502));
    let mut commands: Vec<StepCommand> = ["b1", "b2", "b3"]
        .map(|name| deal(handle, name, other))
        .to_vec();
    for (command, name) in commands.iter_mut().zip(["Первая", "Негодная", "Третья"])
    {
        if let Effect::CreateDeal(deal) = &mut command.effect {
            deal.name = name.to_owned();
            if name == "Негодная" {
                deal.stage = "999999".to_owned();
            }
        }
    }
    let outcomes = rehearsal.adapter.execute(commands.clone()).await;
    for (index, (command, outcome)) in commands.iter().zip(outcomes).enumerate() {
        if index == 1 {
            assert!(matches!(outcome, Outcome::Rejected(_)), "{outcome:?}");
        } else {
            rehearsal.settle(command, outcome).await;
        }
    }
    let made = handle.oracle();
    let named = |name: &str| made.leads.iter().filter(|lead| lead.name == name).count();
    assert_eq!(
        (named("Первая"), named("Негодная"), named("Третья")),
        (1, 0, 1)
    );

    let mut calls = vec![call(handle, "b4", None), call(handle, "b5", None)];
    for (command, number) in calls.iter_mut().zip(["+79990000099", "+79990000005"]) {
        if let Effect::RecordCall(record) = &mut command.effect {
            record.phone = Phone::parse(number, Region::RU).expect("a number");
        }
    }
    let outcomes = rehearsal.adapter.execute(calls.clone()).await;
    let mut results = Vec::new();
    for (command, outcome) in calls.iter().zip(outcomes) {
        results.push(rehearsal.settle(command, outcome).await);
    }
    assert!(results[0].cards.is_empty(), "{results:?}");
    assert!(results[1].card(Entity::CallRecord).is_some(), "{results:?}");
}

async fn a_record_that_a_person_accepted_is_seen(rehearsal: &Rehearsal) {
    let handle = &rehearsal.handle;
    let command = incoming(handle, "u1");
    let result = done(rehearsal.execute(&command).await);
    let uid = &result.card(Entity::Unsorted).expect("itself").id;
    assert!(handle.accept_unsorted(uid, 502));
    match rehearsal.look(&command).await {
        Look::Found(found) => assert_eq!(found.card(Entity::Deal), result.card(Entity::Deal)),
        other => panic!("{other:?}"),
    }
}

async fn rehearse(switches: Switches, filters: bool) {
    let rehearsal = Rehearsal::start().await;
    rehearsal.handle.set_switches(switches);
    rehearsal.handle.set_filters_enabled(filters);
    the_account_is_described(&rehearsal).await;
    clients_are_told_apart(&rehearsal).await;
    let steps = every_step_is_made_once(&rehearsal).await;
    of_a_mixed_batch_each_item_ends_as_it_must(&rehearsal).await;
    a_record_that_a_person_accepted_is_seen(&rehearsal).await;

    let oracle = rehearsal.handle.oracle();
    let uses: BTreeMap<String, usize> = oracle.marker_uses("Trunkline");
    for command in &steps {
        let used = uses.get(&command.key.marker()).copied().unwrap_or(0);
        let most = match command.effect {
            Effect::CreateContact(_) | Effect::CreateDeal(_) => 1,
            Effect::CreateUnsorted(_) => 2,
            Effect::RecordCall(_)
            | Effect::CreateTask(_)
            | Effect::FillFields(_)
            | Effect::CreateLead(_)
            | Effect::LinkRecording(_)
            | Effect::AddNote(_)
            | Effect::HandOver(_)
            | Effect::AwaitContact(_)
            | Effect::Notify(_) => 0,
        };
        assert!(used <= most, "{} stands on {used} cards", command.key.role);
    }
    assert!(oracle.duplicates.unsorted.is_empty());
    let mut logged: Vec<&str> = oracle.calls.iter().map(|call| call.uniq.as_str()).collect();
    logged.sort_unstable();
    let of_steps = logged.len();
    logged.dedup();
    assert_eq!(logged.len(), of_steps, "a call is logged twice");
    assert_eq!(oracle.tasks.len(), 1);
    assert_eq!(
        oracle.counters.oddities.len(),
        0,
        "{:?}",
        oracle.counters.oddities
    );
    for logged in oracle.calls.iter().filter(|call| call.origin != "unsorted") {
        assert_eq!(
            logged.created_by, logged.responsible_user_id,
            "for the analytics"
        );
    }
    rehearsal.lab.stop().await.expect("a clean end");
}

#[actix_rt::test]
async fn every_operation_holds_under_every_reading_of_the_contract() {
    let readings = readings();
    assert!(readings.len() > 25, "{}", readings.len());
    let mut failed = Vec::new();
    for (name, switches) in readings {
        let filters = name.len() % 2 == 0;
        if actix_rt::spawn(rehearse(switches, filters)).await.is_err() {
            failed.push(name);
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}

#[actix_rt::test]
async fn what_is_a_deactivated_users_is_made_all_the_same() {
    let rehearsal = Rehearsal::start().await;
    let handle = rehearsal.handle.clone();
    for mut command in every_kind(&handle) {
        let left = Some(CrmUserId("505".to_owned()));
        match &mut command.effect {
            Effect::CreateContact(contact) => contact.responsible = left,
            Effect::CreateDeal(deal) => deal.responsible = left,
            Effect::CreateUnsorted(unsorted) => {
                if let UnsortedForm::IncomingCall { callee, .. } = &mut unsorted.form {
                    *callee = left;
                }
            }
            Effect::RecordCall(record) => record.employee = left,
            Effect::CreateTask(task) => task.responsible = left,
            Effect::FillFields(_)
            | Effect::LinkRecording(_)
            | Effect::CreateLead(_)
            | Effect::AddNote(_)
            | Effect::HandOver(_)
            | Effect::AwaitContact(_)
            | Effect::Notify(_) => continue,
        }
        let result = done(rehearsal.execute(&command).await);
        assert!(!result.cards.is_empty(), "{}", command.key.role);
    }
    assert_eq!(handle.oracle().tasks.len(), 1);
    rehearsal.lab.stop().await.expect("a clean end");
}

#[actix_rt::test]
async fn a_client_is_found_in_every_form_in_which_numbers_are_stored() {
    let rehearsal = Rehearsal::start().await;
    let handle = rehearsal.handle.clone();
    let mut ids = Vec::new();
    for stored in [
        PHONE,
        "8 (916) 123-45-67",
        "+7 916 1234567",
        "9161234567",
        "79161234567",
        "8-916-123-45-67",
        "+7 916 123 45 67",
        "+7 (916) 123-45-67 доб. 12",
    ] {
        let only = Rehearsal::start().await;
        let id = only.handle.add_contact(&SeedCard {
            phones: vec!["+74951112233".to_owned(), stored.to_owned()],
            ..SeedCard::new("Иван", "", 502)
        });
        let facts = only.facts(PHONE).await;
        assert_eq!(facts.contacts.len(), 1, "{stored}");
        assert_eq!(facts.contacts[0].id, id.to_string());
        only.lab.stop().await.expect("a clean end");
        ids.push(id);
    }
    assert_eq!(ids.len(), 8);
    handle.add_contact(&SeedCard::new("Чужой", "8 (917) 123-45-67", 502));
    assert!(
        rehearsal.facts(PHONE).await.first_time(),
        "the same but for the code"
    );
    rehearsal.lab.stop().await.expect("a clean end");
}

#[actix_rt::test]
async fn of_a_client_with_sixty_deals_the_newest_fifty_are_read() {
    for filters in [false, true] {
        let rehearsal = Rehearsal::start().await;
        let handle = rehearsal.handle.clone();
        handle.set_filters_enabled(filters);
        let known = handle.add_contact(&SeedCard::new("Иван", PHONE, 502));
        let mut newest = 0;
        for number in 0..60 {
            newest = handle.add_lead(&SeedLead {
                name: format!("Сделка {number}"),
                contact_id: Some(known),
                ..SeedLead::default()
            });
        }
        done(rehearsal.adapter.describe().await);
        let before = rehearsal.requests();
        let facts = rehearsal.facts(PHONE).await;
        let deals = &facts.contacts[0].deals;
        assert_eq!(deals.len(), 50);
        assert!(deals.iter().any(|deal| deal.id == newest.to_string()));
        let requests = rehearsal.requests() - before;
        let most = if filters { 3 } else { 52 };
        assert!(requests <= most, "{requests} requests, filters: {filters}");
        rehearsal.lab.stop().await.expect("a clean end");
    }
}

/// Whatever goes wrong with a question, nobody becomes a new client by it, and the next one is
/// answered.
#[actix_rt::test]
async fn a_question_that_goes_wrong_is_never_answered_with_nobody() {
    let rehearsal = Rehearsal::start().await;
    let handle = rehearsal.handle.clone();
    let known = handle.add_contact(&SeedCard::new("Иван", PHONE, 502));
    done(rehearsal.adapter.describe().await);
    let faults = [
        Fault::LostAfter,
        Fault::ErrorBefore { status: 502 },
        Fault::TooManyRequests {
            retry_after_s: None,
        },
        Fault::ForbiddenJson,
        Fault::ExpiredToken,
        Fault::TruncatedJson,
        Fault::HtmlInsteadOfJson,
    ];
    for fault in faults {
        handle.clear_faults();
        // A page that merely fails is asked for three times.
        rehearsal.fault("GET", "/api/v4/*", When::First { n: 3 }, fault.clone());
        let outcome = rehearsal.adapter.facts(ask(), Class::Work).await;
        assert!(
            !matches!(outcome, Outcome::Done(_)),
            "{fault:?}: {outcome:?}"
        );
        handle.clear_faults();
        let again = async {
            loop {
                if let Outcome::Done(facts) = rehearsal.adapter.facts(ask(), Class::Work).await {
                    return facts;
                }
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
        };
        let again = tokio::time::timeout(std::time::Duration::from_secs(60), again);
        let facts = again.await.expect("answered once the trouble is over");
        assert_eq!(facts.contacts[0].id, known.to_string(), "{fault:?}");
    }
    handle.clear_faults();
    let drip = Fault::SlowDrip {
        chunk_bytes: 200,
        pause_ms: 5,
    };
    rehearsal.fault("GET", "/api/v4/contacts", When::First { n: 1 }, drip);
    assert_eq!(rehearsal.facts(PHONE).await.contacts.len(), 1);
    rehearsal.lab.stop().await.expect("a clean end");
}
