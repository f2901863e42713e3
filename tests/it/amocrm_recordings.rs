//! The address of a recording reaches the call's entry in amoCRM under every reading of the
//! contract, whatever becomes of the requests, and once.

use trunkline::crm::StepCommand;
use trunkline::lab::amocrm::{Oracle, SeedCard, Switches};
use trunkline::lab::fault::{Fault, When};
use trunkline::model::communication::Phase;
use trunkline::model::outcome::{Look, Outcome, StepResult};
use trunkline::model::plan::{Card, Effect, Entity, RecordingLink, Role, StepKey, Target};

use super::amocrm_lab::{PHONE, Rehearsal, call, done};
use super::amocrm_switches::readings;

/// The command that puts an address to an entry that was made.
fn recording(made: &StepCommand, result: &StepResult) -> StepCommand {
    let Effect::RecordCall(record) = &made.effect else {
        panic!("it records a call");
    };
    let entry = result.card(Entity::CallRecord).expect("an entry").clone();
    let link = format!("https://box.example/r/{}", made.key.marker());
    let on = result.cards.iter().find(|card| **card != entry);
    StepCommand {
        key: StepKey {
            role: Role::new("recording"),
            ..made.key.clone()
        },
        effect: Effect::LinkRecording(RecordingLink {
            entry: Target::Known { card: entry },
            on: on.cloned(),
            by: made.key.role.clone(),
            record: record.clone(),
            text: format!("Запись разговора: {link}"),
            link,
            upload: false,
        }),
        kind: None,
        phase: Phase::RecordingReady,
        first_sent_at: made.first_sent_at,
    }
}

fn link_of(command: &StepCommand) -> &str {
    match &command.effect {
        Effect::LinkRecording(link) => &link.link,
        other => panic!("{other:?}"),
    }
}

/// Returns how often an address stands in calls, and in notes beside them.
fn times(oracle: &Oracle, link: &str) -> (usize, usize) {
    let calls = oracle.calls.iter().filter(|call| call.link == link);
    let beside = |params: &serde_json::Value| {
        let text = params["text"].as_str();
        text.is_some_and(|text| text.contains(link))
    };
    let notes = oracle.notes.iter().filter(|note| beside(&note.params));
    (calls.count(), notes.count())
}

/// Sends until it is done, as the executor would.
async fn settle(rehearsal: &Rehearsal, command: &StepCommand) {
    match rehearsal.execute(command).await {
        Outcome::Done(_) => return,
        Outcome::Ambiguous { .. } => {}
        other => panic!("{other:?}"),
    }
    match rehearsal.look(command).await {
        Look::Found(result) => assert!(result.adopted),
        Look::Absent => drop(done(rehearsal.execute(command).await)),
        Look::Undecidable => panic!("a small account can be read"),
    }
}

async fn rehearse(switches: Switches) {
    let changes = switches.call_notes_change;
    let rehearsal = Rehearsal::start().await;
    let handle = rehearsal.handle.clone();
    handle.set_switches(switches);
    let known = handle.add_contact(&SeedCard::new("Иван", PHONE, 502));
    let on = Some(Target::Known {
        card: Card {
            entity: Entity::Contact,
            id: known.to_string(),
        },
    });
    // On a card that we chose, and on one that amoCRM chose.
    for (name, card) in [("r1", on), ("r2", None)] {
        let made = call(&handle, name, card);
        let result = done(rehearsal.execute(&made).await);
        let marker = made.key.marker();
        let mut calls = handle.oracle().calls.into_iter();
        let before = calls.find(|call| call.uniq == marker).expect("it stands");
        let command = recording(&made, &result);
        assert_eq!(rehearsal.look(&command).await, Look::Absent);
        for method in ["PATCH", "POST"] {
            for fault in [Fault::RefusedBefore, Fault::LostAfter] {
                handle.clear_faults();
                rehearsal.fault(method, "/api/v4/*", When::First { n: 1 }, fault);
                settle(&rehearsal, &command).await;
            }
        }
        handle.clear_faults();
        let oracle = handle.oracle();
        let (calls, notes) = times(&oracle, link_of(&command));
        let expected = if changes { (1, 0) } else { (0, 1) };
        // Each settling above was a step of its own; where notes are made, each made one.
        assert_eq!((calls, notes.min(1)), expected, "{:?}", oracle.notes);
        let after = oracle.calls.iter().find(|call| call.id == before.id);
        let after = after.expect("it still stands").clone();
        let link = after.link.clone();
        let unlinked = trunkline::lab::amocrm::CallView {
            link: before.link.clone(),
            ..after
        };
        assert_eq!(unlinked, before, "nothing but the address changed");
        assert_eq!(link.is_empty(), !changes);
    }
    let oddities = handle.oracle().counters.oddities;
    assert_eq!(oddities.len(), 0, "{oddities:?}");
    rehearsal.lab.stop().await.expect("a clean end");
}

#[actix_rt::test]
async fn an_address_reaches_the_entry_under_every_reading_of_the_contract() {
    let mut failed = Vec::new();
    for (name, switches) in readings() {
        if actix_rt::spawn(rehearse(switches)).await.is_err() {
            failed.push(name);
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}

#[actix_rt::test]
async fn where_calls_cannot_be_changed_a_lost_answer_makes_no_second_note() {
    let rehearsal = Rehearsal::start().await;
    let handle = rehearsal.handle.clone();
    handle.set_switches(Switches {
        call_notes_change: false,
        ..Switches::default()
    });
    handle.add_contact(&SeedCard::new("Иван", PHONE, 502));
    let made = call(&handle, "r1", None);
    let result = done(rehearsal.execute(&made).await);
    let command = recording(&made, &result);
    rehearsal.fault("POST", "/api/v4/*", When::First { n: 1 }, Fault::LostAfter);
    let lost = rehearsal.execute(&command).await;
    assert!(matches!(lost, Outcome::Ambiguous { .. }), "{lost:?}");
    match rehearsal.look(&command).await {
        Look::Found(found) => assert!(found.adopted, "{found:?}"),
        other => panic!("{other:?}"),
    }
    assert_eq!(times(&handle.oracle(), link_of(&command)), (0, 1));
    rehearsal.lab.stop().await.expect("a clean end");
}

#[actix_rt::test]
async fn the_addresses_of_many_calls_go_in_one_request() {
    let rehearsal = Rehearsal::start().await;
    let handle = rehearsal.handle.clone();
    handle.add_contact(&SeedCard::new("Иван", PHONE, 502));
    let mut commands = Vec::new();
    for name in ["r1", "r2", "r3"] {
        let made = call(&handle, name, None);
        let result = done(rehearsal.execute(&made).await);
        commands.push(recording(&made, &result));
    }
    let before = handle.log_counters().arrived;
    for outcome in rehearsal.adapter.execute(commands.clone()).await {
        done(outcome);
    }
    assert_eq!(handle.log_counters().arrived - before, 1);
    for command in &commands {
        assert_eq!(times(&handle.oracle(), link_of(command)), (1, 0));
    }
    rehearsal.lab.stop().await.expect("a clean end");
}
