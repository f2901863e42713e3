//! Replays of recorded event streams, and of streams made by hand.

mod captures;
mod limits;
mod log;
mod properties;
mod routes;
mod script;
mod transfers;

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::{LiveState, Tracker, TrackerSettings};
use crate::model::call::{Call, CallResult, Direction};
use crate::model::communication::{Body, Snapshot};
use crate::model::timestamp::Timestamp;
use crate::pbx::asterisk::ami_message::{Message, parse_all};

/// A message and its moment.
pub(super) type Timed = (Timestamp, Message);

pub(super) const BEGIN: Timestamp = Timestamp::from_millis(1_795_210_154_000);

pub(super) fn settings() -> TrackerSettings {
    TrackerSettings::new("demo/office".parse().expect("a source"))
}

pub(super) fn at(ms: i64) -> Timestamp {
    Timestamp::from_millis(BEGIN.as_millis() + ms)
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/asterisk")
}

/// Reads a recorded stream with its times; without a file of times each message takes 20 ms.
pub(super) fn capture(name: &str) -> Vec<Timed> {
    let bytes = std::fs::read(folder().join(format!("{name}.txt"))).expect("a capture");
    let messages = parse_all(&bytes);
    let times = std::fs::read_to_string(folder().join(format!("{name}.times"))).ok();
    let times: Option<Vec<i64>> = times.map(|text| {
        let first = |line: &str| line.split(' ').next().and_then(|ms| ms.parse().ok());
        text.lines().filter_map(first).collect()
    });
    if let Some(times) = &times {
        assert_eq!(
            times.len(),
            messages.len(),
            "{name} has a time for each message"
        );
    }
    messages
        .into_iter()
        .enumerate()
        .map(|(position, message)| {
            let ms = times
                .as_ref()
                .map_or(position as i64 * 20, |times| times[position]);
            (at(ms), message)
        })
        .collect()
}

/// Everything that a tracker told, with the rules that always hold.
#[derive(Default)]
pub(super) struct Told {
    pub(super) calls: BTreeMap<String, Call>,
    revisions: BTreeMap<String, u64>,
    pub(super) count: usize,
}

impl Told {
    pub(super) fn take(&mut self, snapshots: Vec<Snapshot>) {
        for snapshot in snapshots {
            self.count += 1;
            let key = snapshot.key.item.clone();
            let Body::Call { call } = snapshot.body else {
                panic!("a tracker tells of calls only");
            };
            let revision = self.revisions.entry(key.clone()).or_default();
            assert!(snapshot.revision > *revision, "{key}: revisions grow");
            *revision = snapshot.revision;
            if let Some(old) = self.calls.get(&key) {
                assert!(!old.is_over(), "{key}: told after its end: {call:?}");
                assert!(
                    !old.is_answered() || call.is_answered(),
                    "{key}: no more answered"
                );
                // A number that was not readable may become one when more is seen.
                let same = old.client == call.client || old.client.phone().is_none();
                assert!(same, "{key}: the client changed: {old:?} {call:?}");
            }
            self.calls.insert(key, call);
        }
    }

    /// Calls that a CRM would hear of, each as one line.
    pub(super) fn lines(&self) -> Vec<String> {
        let mut calls: Vec<&Call> = self.calls.values().collect();
        calls.sort_by_key(|call| call.started_at);
        calls.into_iter().map(line).collect()
    }
}

/// Replays messages on one tracker until everything is closed.
pub(super) fn replay(tracker: &mut Tracker, messages: &[Timed]) -> Told {
    let mut told = Told::default();
    feed(tracker, messages, &mut told);
    finish(tracker, messages, &mut told);
    told
}

pub(super) fn feed(tracker: &mut Tracker, messages: &[Timed], told: &mut Told) {
    for (moment, message) in messages {
        told.take(tracker.handle(message, *moment));
        if tracker
            .next_deadline()
            .is_some_and(|deadline| deadline <= *moment)
        {
            told.take(tracker.tick(*moment));
        }
    }
}

pub(super) fn finish(tracker: &mut Tracker, messages: &[Timed], told: &mut Told) {
    let last = messages.last().map_or(BEGIN, |(moment, _)| *moment);
    told.take(tracker.tick(last.plus(std::time::Duration::from_secs(60))));
    assert_eq!(tracker.open_calls(), 0, "everything is closed");
}

/// Writes a call as one line, times aside.
pub(super) fn line(call: &Call) -> String {
    let direction = match call.direction {
        Direction::Incoming => "in",
        Direction::Outgoing => "out",
        Direction::Internal => "internal",
    };
    let result = match call.result {
        CallResult::Open => "open".to_owned(),
        CallResult::Answered => "answered".to_owned(),
        CallResult::Missed { reason } => format!("missed({reason:?})"),
        CallResult::EmployeeNotReached { reason } => format!("not-reached({reason:?})"),
    };
    let join = |all: Vec<String>| {
        if all.is_empty() {
            "-".to_owned()
        } else {
            all.join(",")
        }
    };
    let talkers = join(call.talkers.iter().map(ToString::to_string).collect());
    let last = call
        .last_talker
        .as_ref()
        .map_or("-".to_owned(), ToString::to_string);
    let mut rung: Vec<String> = call.rung().map(ToString::to_string).collect();
    rung.sort();
    let our = call.our_number.as_deref().unwrap_or("-");
    let mut text = format!(
        "{direction} {result} talk={talkers} last={last} rung={} our={our} client={}",
        join(rung),
        call.client
    );
    if let Some(caller) = &call.caller_extension {
        text.push_str(&format!(" by={caller}"));
    }
    for queue in &call.queues {
        text.push_str(&format!(" queue={queue}"));
    }
    for recording in &call.recordings {
        let name = recording.rsplit('/').next().unwrap_or(recording);
        text.push_str(&format!(" rec={name}"));
    }
    if let Some(request) = &call.click_to_call {
        text.push_str(&format!(" c2c={request}"));
    }
    if call.blind.is_some() {
        text.push_str(" blind");
    }
    text
}
