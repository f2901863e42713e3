//! Recordings that are handed to Bitrix24 as files: whole, whatever becomes of the requests, and one
//! for each call.

use std::time::Duration;

use futures_util::future::join_all;
use sha2::{Digest as _, Sha256};
use trunkline::crm::{ALONE, Popup, StepCommand};
use trunkline::lab::bitrix24::{BitrixOptions, Limits, Record, SeedCard, Switches};
use trunkline::lab::fault::{Fault, Rule, When};
use trunkline::model::communication::Phase;
use trunkline::model::outcome::{NotApplied, Outcome, StepResult};
use trunkline::model::plan::{Card, Effect, Entity, RecordingLink, Role, StepKey, Target};

use super::bitrix24_door::sound_of;
use super::bitrix24_lab::{CALLER, Rehearsal};

/// Where files are posted.
const UPLOAD: &str = "*upload.json";

/// Logs a call and returns the step that hands over its recording.
async fn recorded(rehearsal: &Rehearsal, name: &str) -> StepCommand {
    rehearsal
        .lab
        .add_contact(&SeedCard::new("Анна", CALLER, 12));
    let call = rehearsal.call(name, CALLER);
    let made = rehearsal.execute(&call).await;
    upload(
        &call,
        made.card(Entity::CallRecord).expect("an entry").clone(),
    )
}

fn upload(call: &StepCommand, entry: Card) -> StepCommand {
    let Effect::RecordCall(record) = &call.effect else {
        panic!("it records a call");
    };
    StepCommand {
        key: StepKey {
            role: Role::new("recording"),
            ..call.key.clone()
        },
        effect: Effect::LinkRecording(RecordingLink {
            entry: Target::Known { card: entry },
            on: None,
            by: call.key.role.clone(),
            record: record.clone(),
            link: String::new(),
            text: String::new(),
            upload: true,
        }),
        phase: Phase::RecordingReady,
        ..call.clone()
    }
}

async fn send(rehearsal: &Rehearsal, step: &StepCommand) -> Outcome<StepResult> {
    let mut outcomes = rehearsal.adapter.execute(vec![step.clone()]).await;
    outcomes.remove(0)
}

fn fail(rehearsal: &Rehearsal, when: When, fault: Fault) {
    let rule = Rule::new("POST", UPLOAD, when, fault);
    rehearsal.lab.add_fault(rule).expect("a good rule");
}

/// Returns the recording of the only call of the portal.
fn held(rehearsal: &Rehearsal) -> Option<Record> {
    let calls = rehearsal.lab.oracle().calls;
    let [call] = calls.as_slice() else {
        panic!("one call: {calls:?}");
    };
    call.record.clone()
}

fn digest(content: &[u8]) -> String {
    let digest = Sha256::digest(content);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Fails unless the portal holds the recording of a call, byte for byte.
fn assert_whole(rehearsal: &Rehearsal, step: &StepCommand) -> Record {
    let record = held(rehearsal).expect("a recording");
    let sound = sound_of(&step.key.communication);
    assert_eq!(
        (record.bytes, record.sha256.clone()),
        (sound.len(), digest(&sound))
    );
    record
}

#[actix_rt::test]
async fn a_recording_is_handed_over_byte_for_byte() {
    let rehearsal = Rehearsal::start().await;
    let step = recorded(&rehearsal, "1").await;
    assert_eq!(rehearsal.adapter.request_sort(&step.effect), ALONE);
    assert!(rehearsal.adapter.replaces_itself(&step.effect));
    rehearsal.execute(&step).await;
    let record = assert_whole(&rehearsal, &step);
    assert_eq!((record.times, record.url.as_str()), (1, ""));
    assert!(record.name.ends_with("-79161234567.mp3"), "{record:?}");
    rehearsal.end().await;
}

#[actix_rt::test]
async fn whatever_becomes_of_an_upload_the_next_one_takes_its_place() {
    for (fault, times) in [
        (Fault::LostAfter, 2),
        (Fault::RefusedBefore, 1),
        (Fault::ErrorBefore { status: 502 }, 1),
        (Fault::ErrorAfter { status: 504 }, 2),
        (Fault::TruncatedJson, 2),
        (Fault::HtmlInsteadOfJson, 2),
        (
            Fault::TooManyRequests {
                retry_after_s: None,
            },
            1,
        ),
    ] {
        let rehearsal = Rehearsal::start().await;
        let step = recorded(&rehearsal, "1").await;
        fail(&rehearsal, When::First { n: 1 }, fault.clone());
        let first = send(&rehearsal, &step).await;
        let is_tried_again = matches!(first, Outcome::Ambiguous { .. } | Outcome::NotApplied(_));
        assert!(is_tried_again, "{fault:?}: {first:?}");
        rehearsal.execute(&step).await;
        assert_eq!(assert_whole(&rehearsal, &step).times, times, "{fault:?}");
        rehearsal.end().await;
    }
}

#[actix_rt::test]
async fn a_token_that_ends_between_the_address_and_the_file_costs_nothing() {
    let rehearsal = Rehearsal::start().await;
    let step = recorded(&rehearsal, "1").await;
    fail(&rehearsal, When::First { n: 1 }, Fault::ExpiredToken);
    rehearsal.execute(&step).await;
    assert_eq!(assert_whole(&rehearsal, &step).times, 1);
    // A portal that refuses every address that it gives is asked again later.
    rehearsal.lab.expire_access_tokens();
    fail(&rehearsal, When::Always, Fault::ExpiredToken);
    let refused = send(&rehearsal, &step).await;
    assert!(matches!(refused, Outcome::NotApplied(_)), "{refused:?}");
    rehearsal.end().await;
}

#[actix_rt::test]
async fn a_call_that_is_not_finished_is_waited_for_in_either_wording() {
    for other_wording in [false, true] {
        let rehearsal = Rehearsal::with(BitrixOptions {
            limits: Limits::none(),
            switches: Switches {
                other_unfinished_wording: other_wording,
                ..Switches::default()
            },
            ..BitrixOptions::default()
        })
        .await;
        let call = rehearsal.call("1", CALLER);
        let Effect::RecordCall(record) = &call.effect else {
            panic!("it records a call");
        };
        let popup = Popup {
            extensions: Vec::new(),
            our_number: None,
            phone: record.phone.clone(),
            users: record.employee.clone().into_iter().collect(),
            entry: call.key.clone(),
            opened: None,
            at: record.at,
        };
        let screen = rehearsal.adapter.screen().expect("a screen");
        let shown = screen.show(popup).await;
        assert!(matches!(shown, Outcome::Done(Some(_))), "{shown:?}");
        let live = rehearsal.lab.oracle().live_calls;
        let entry = Card {
            entity: Entity::CallRecord,
            id: live[0].call_id.clone(),
        };
        let step = upload(&call, entry);
        let early = send(&rehearsal, &step).await;
        let Outcome::NotApplied(NotApplied { retry_after, .. }) = &early else {
            panic!("{early:?}");
        };
        assert_eq!(*retry_after, Some(Duration::from_secs(60)));
        rehearsal.end().await;
    }
}

#[actix_rt::test]
async fn a_file_that_the_portal_finds_too_large_is_given_up_with_its_words() {
    let rehearsal = Rehearsal::with(BitrixOptions {
        limits: Limits::none(),
        switches: Switches {
            record_bytes_max: Some(1000),
            ..Switches::default()
        },
        ..BitrixOptions::default()
    })
    .await;
    let step = recorded(&rehearsal, "1").await;
    let refused = send(&rehearsal, &step).await;
    let Outcome::Rejected(rejection) = &refused else {
        panic!("{refused:?}");
    };
    assert!(rejection.message.contains("too large"), "{rejection:?}");
    assert_eq!(held(&rehearsal), None);
    rehearsal.end().await;
}

#[actix_rt::test]
async fn a_webhook_hands_files_over_where_it_may_use_telephony() {
    let switches = Switches {
        telephony_by_webhook: true,
        ..Switches::default()
    };
    let rehearsal = Rehearsal::by_webhook(switches).await;
    let step = recorded(&rehearsal, "1").await;
    rehearsal.execute(&step).await;
    assert_whole(&rehearsal, &step);
    rehearsal.end().await;
}

#[actix_rt::test]
async fn a_crowd_of_recordings_goes_one_by_one_and_keeps_nobody_waiting() {
    let rehearsal = Rehearsal::start().await;
    let step = recorded(&rehearsal, "1").await;
    fail(
        &rehearsal,
        When::First { n: 1 },
        Fault::LateAfter { ms: 300 },
    );
    let crowd = join_all((0..10).map(|_| send(&rehearsal, &step))).await;
    let done = crowd.iter().filter(|one| matches!(one, Outcome::Done(_)));
    // One on the line and three behind it; who finds no room comes back.
    assert_eq!(done.count(), 4, "{crowd:?}");
    for other in &crowd[4..] {
        let Outcome::NotApplied(not_applied) = other else {
            panic!("{other:?}");
        };
        assert_eq!(not_applied.retry_after, Some(Duration::from_secs(5)));
    }
    assert_whole(&rehearsal, &step);
    rehearsal.end().await;
}
