//! Notifications may come twice, late and in any order.

use proptest::prelude::*;

use super::super::memory::{Heard, Memory};
use super::super::notification::Notification;
use super::words::{answered, at, call, row, rules, told};
use crate::model::call::{Call, CallPhase, CallResult, MissReason};
use crate::model::communication::Snapshot;
use serde_json::json;

/// Hears everything and returns the pictures that followed.
fn heard(notifications: &[Notification], reports: bool) -> Vec<Snapshot> {
    let mut memory = Memory::default();
    let mut shown = Vec::new();
    for told in notifications {
        if let Heard::News(snapshots) = memory.hear(told, &rules(reports), at(100)) {
            shown.extend(snapshots);
        }
        // A restart between any two of them changes nothing.
        let stored = serde_json::to_value(&memory).expect("it can be written");
        memory = serde_json::from_value(stored).expect("it can be read");
    }
    shown
}

fn last(notifications: &[Notification]) -> Call {
    let shown = heard(notifications, false);
    call(shown.last().expect("a picture")).clone()
}

#[test]
fn a_call_is_shown_as_it_goes_and_ends_as_it_was() {
    let phases: Vec<CallPhase> = heard(&answered(), true)
        .iter()
        .map(|s| call(s).phase)
        .collect();
    assert_eq!(phases[0], CallPhase::Ringing);
    assert!(phases.contains(&CallPhase::Answered), "{phases:?}");
    let call = last(&answered());
    assert_eq!(call.phase, CallPhase::Ended);
    assert_eq!(call.result, CallResult::Answered);
    assert_eq!(call.client.to_string(), "+79161112233");
    assert_eq!(call.started_at, at(0));
    assert_eq!(call.answered_at, Some(at(9)));
    assert_eq!(call.ended_at, Some(at(74)));
    assert_eq!((call.waiting_ms, call.talking_ms), (9_000, 64_000));
    let talkers: Vec<&str> = call.talkers.iter().map(|one| one.0.as_str()).collect();
    assert_eq!(talkers, ["502"]);
    let rung: Vec<&str> = call.rung().map(|one| one.0.as_str()).collect();
    assert_eq!(rung, ["501", "502"]);
    assert_eq!(call.recordings, ["https://app.uiscom.ru/r/1"]);
    assert_eq!(call.tags, ["Целевой"]);
}

#[test]
fn a_lost_call_is_missed_and_names_who_was_rung() {
    let call = last(&[
        told("call_incoming", 0, json!({})),
        told(
            "call_lost",
            20,
            json!({ "wait_time_duration": 20, "employee_ids": [501, "502"] }),
        ),
    ]);
    let reason = MissReason::NoAnswer;
    assert_eq!(call.result, CallResult::Missed { reason });
    assert_eq!(call.rung().count(), 2);
    assert_eq!(call.waiting_ms, 20_000);
    assert_eq!(call.answered_at, None);
}

#[test]
fn the_end_alone_is_a_whole_call() {
    let call = last(&answered()[5..6]);
    assert_eq!(call.result, CallResult::Answered);
    assert_eq!(call.talking_ms, 64_000);
    assert_eq!(call.talkers.len(), 1);
}

#[test]
fn what_comes_after_the_report_changes_nothing_and_has_it_read_again() {
    let (mut memory, rules) = (Memory::default(), rules(true));
    memory.since = Some(at(0));
    let first = answered();
    memory.hear(&first[0], &rules, at(1));
    let settled = memory
        .take_call(row(json!({})), &rules, at(90))
        .expect("a picture");
    for told in &first {
        assert_eq!(
            memory.hear(told, &rules, at(95)),
            Heard::ReadSoon { changed: false }
        );
    }
    assert_eq!(memory.take_call(row(json!({})), &rules, at(100)), None);
    let marked = row(json!({ "tags": [{ "tag_name": "Брак" }] }));
    let marked = memory
        .take_call(marked, &rules, at(100))
        .expect("another picture");
    assert!(marked.revision > settled.revision);
    assert_eq!(call(&marked).tags, ["Брак"]);
}

proptest! {
    #[test]
    fn any_order_and_repetition_of_notifications_gives_one_picture(
        order in proptest::collection::vec(0_usize..7, 0..12),
        rest in Just((0..7).collect::<Vec<usize>>()).prop_shuffle(),
    ) {
        let all = answered();
        let mixed: Vec<Notification> =
            order.into_iter().chain(rest).map(|place| all[place].clone()).collect();
        prop_assert_eq!(last(&mixed), last(&all));
        let shown = heard(&mixed, false);
        // Pictures grow, and none is shown twice.
        for pair in shown.windows(2) {
            prop_assert!(pair[0].revision < pair[1].revision);
            prop_assert_ne!(&pair[0].body, &pair[1].body);
            prop_assert!(call(&pair[0]).phase <= call(&pair[1]).phase);
        }
    }

    #[test]
    fn the_report_has_the_last_word_whenever_it_comes(
        order in Just((0..7).collect::<Vec<usize>>()).prop_shuffle(),
        place in 0_usize..8,
    ) {
        let (mut memory, rules) = (Memory::default(), rules(true));
        memory.since = Some(at(0));
        let all = answered();
        let mut shown: Vec<Snapshot> = Vec::new();
        for step in 0..8 {
            if step == place {
                shown.extend(memory.take_call(row(json!({})), &rules, at(200)));
            }
            if let Some(told) = order.get(step).map(|at| &all[*at])
                && let Heard::News(snapshots) = memory.hear(told, &rules, at(200))
            {
                shown.extend(snapshots);
            }
        }
        let last = call(shown.last().expect("a picture"));
        prop_assert_eq!(last.details.get("utm_source").map(String::as_str), Some("yandex"));
        prop_assert_eq!(&last.result, &CallResult::Answered);
        prop_assert_eq!(last.talking_ms, 64_000);
        prop_assert!(shown.windows(2).all(|pair| pair[0].revision < pair[1].revision));
    }
}
