//! What must hold for every recording, whatever is done to its stream.

use std::collections::BTreeMap;

use super::captures::{RECOMMENDED, ROWS, Row, with_classes};
use super::*;
use crate::pbx::asterisk::tracker::live::{LiveChannel, LiveState};

/// Takes what need not survive a broken link out of a line.
fn bare(line: &str) -> String {
    let gone = |word: &&str| !word.starts_with("rec=") && !word.starts_with("queue=");
    let words = line.split(' ').filter(gone).filter(|word| *word != "blind");
    words.collect::<Vec<_>>().join(" ")
}

/// The same stream of another company's call: other numbers, phones, ids and bridges.
fn renamed(text: &str) -> String {
    let mut text = text.to_owned();
    for (from, to) in [
        ("79161234567", "79261234567"),
        ("79167654321", "79267654321"),
        ("7495", "7496"),
        ("17952", "18952"),
        ("101", "201"),
        ("102", "202"),
        ("trunk", "line"),
        ("c2c-own", "c2d-own"),
    ] {
        text = text.replace(from, to);
    }
    text
}

fn renamed_message(message: &Message) -> Message {
    let own = |(name, value): &(String, String)| {
        let value = match name.as_str() {
            "BridgeUniqueid" => format!("other-{value}"),
            "Context" if value == "from-trunk" => value.clone(),
            _ => renamed(value),
        };
        (name.clone(), value)
    };
    Message::new(message.headers().iter().map(own).collect())
}

#[test]
fn two_calls_at_once_do_not_mix() {
    for (position, row) in ROWS.iter().enumerate() {
        let other = &ROWS[(position + 7) % ROWS.len()];
        let shifted = capture(other.name).into_iter().map(|(moment, message)| {
            let later = moment.plus(std::time::Duration::from_millis(137));
            (later, renamed_message(&message))
        });
        let mut both: Vec<Timed> = capture(row.name).into_iter().chain(shifted).collect();
        both.sort_by_key(|(moment, _)| *moment);
        let told = replay(&mut Tracker::new(settings()), &both);
        let mut expected = vec![row.line.to_owned(), renamed(other.line)];
        expected.sort();
        let mut lines = told.lines();
        lines.sort();
        assert_eq!(lines, expected, "{} with {}", row.name, other.name);
    }
}

#[test]
fn every_message_twice_is_the_same_call() {
    for row in &ROWS {
        let twice: Vec<Timed> = capture(row.name)
            .into_iter()
            .flat_map(|one| [one.clone(), one])
            .collect();
        let told = replay(&mut Tracker::new(settings()), &twice);
        assert_eq!(told.lines(), [row.line], "{}", row.name);
    }
}

#[test]
fn a_checkpoint_at_any_moment_goes_on_as_if_nothing_had_happened() {
    for row in &ROWS {
        let messages = with_classes(&capture(row.name), &RECOMMENDED);
        let whole = replay(&mut Tracker::new(settings()), &messages);
        let mut tracker = Tracker::new(settings());
        let mut told = Told::default();
        let mut text = tracker.checkpoint().to_string();
        for one in &messages {
            feed(&mut tracker, std::slice::from_ref(one), &mut told);
            // What is not dirty needs no checkpoint.
            if tracker.dirty() {
                text = tracker.checkpoint().to_string();
            }
            let value = serde_json::from_str(&text).expect("a checkpoint is JSON");
            tracker = Tracker::restore(settings(), &value).expect("its own checkpoint");
        }
        finish(&mut tracker, &messages, &mut told);
        assert_eq!(told.calls, whole.calls, "{}", row.name);
    }
}

/// Follows which channels live, as a list would tell.
#[derive(Default)]
struct Living {
    channels: BTreeMap<String, LiveChannel>,
}

impl Living {
    fn take(&mut self, message: &Message) {
        let Some(event) = message
            .event()
            .filter(|name| *name != "CEL" && *name != "Cdr")
        else {
            return;
        };
        let Some(id) = message.value("Uniqueid").map(str::to_owned) else {
            return;
        };
        let text = |name: &str| message.value(name).map(str::to_owned);
        if event == "Newchannel" {
            let channel = LiveChannel {
                channel: text("Channel").unwrap_or_default(),
                uniqueid: id.clone(),
                duration: Some(std::time::Duration::from_secs(1)),
                ..LiveChannel::default()
            };
            self.channels.insert(id.clone(), channel);
        }
        if event == "Hangup" {
            self.channels.remove(&id);
        }
        let Some(channel) = self.channels.get_mut(&id) else {
            return;
        };
        channel.linkedid = text("Linkedid").unwrap_or_default();
        if let Some(state) = text("ChannelState").and_then(|state| state.parse().ok()) {
            channel.state = state;
        }
        channel.caller_id_num = text("CallerIDNum");
        channel.connected_line_num = text("ConnectedLineNum");
        channel.context = text("Context");
        channel.exten = text("Exten");
        match event {
            "BridgeEnter" => channel.bridge = text("BridgeUniqueid"),
            "BridgeLeave" => channel.bridge = None,
            "DialBegin" => {
                if let Some(called) = message.value("DestUniqueid")
                    && let Some(called) = self.channels.get_mut(called)
                {
                    called.application = Some("AppDial".to_owned());
                }
            }
            _ => {}
        }
    }

    fn state(&self) -> LiveState {
        LiveState {
            channels: self.channels.values().cloned().collect(),
        }
    }
}

/// Breaks the link after `seen` messages; the next `lost` are never seen. The tracker comes back
/// from its checkpoint, or with nothing when that is lost as well.
fn broken(messages: &[Timed], seen: usize, lost: usize, remembers: bool) -> Told {
    let mut living = Living::default();
    let mut tracker = Tracker::new(settings());
    let mut told = Told::default();
    let back = (seen + lost).min(messages.len());
    feed(&mut tracker, &messages[..seen], &mut told);
    let moment = |position: usize| position.checked_sub(1).map_or(BEGIN, |at| messages[at].0);
    tracker.link_lost(moment(seen));
    if remembers {
        let value = tracker.checkpoint();
        tracker = Tracker::restore(settings(), &value).expect("its own checkpoint");
    } else {
        tracker = Tracker::new(settings());
    }
    for (_, message) in &messages[..back] {
        living.take(message);
    }
    told.take(tracker.reconcile(&living.state(), moment(back)));
    feed(&mut tracker, &messages[back..], &mut told);
    finish(&mut tracker, messages, &mut told);
    told
}

fn clients(told: &Told) -> Vec<&Call> {
    let client = |call: &&Call| call.direction != Direction::Internal;
    told.calls.values().filter(client).collect()
}

#[test]
fn a_link_that_breaks_for_a_moment_changes_no_call() {
    for row in &ROWS {
        let messages = with_classes(&capture(row.name), &RECOMMENDED);
        for seen in 0..=messages.len() {
            let told = broken(&messages, seen, 0, true);
            let lines: Vec<String> = told.lines().iter().map(|line| bare(line)).collect();
            assert_eq!(lines, [bare(row.line)], "{} cut at {seen}", row.name);
        }
    }
}

#[test]
fn a_link_that_breaks_for_long_never_makes_two_calls_nor_takes_an_answer_back() {
    for row in &ROWS {
        let messages = with_classes(&capture(row.name), &RECOMMENDED);
        for lost in [1, 7, 40] {
            for seen in (0..=messages.len()).step_by(lost.min(3)) {
                // Told itself checks that no answered call turns into a missed one.
                let told = broken(&messages, seen, lost, true);
                let calls = clients(&told);
                let place = format!("{} cut at {seen} for {lost}", row.name);
                assert!(calls.len() <= 1, "{place}: {:?}", told.lines());
                assert_direction(row, &calls, &place);
            }
        }
    }
}

#[test]
fn a_tracker_that_remembers_nothing_makes_one_call_of_what_lives() {
    for row in &ROWS {
        let messages = with_classes(&capture(row.name), &RECOMMENDED);
        for seen in 0..=messages.len() {
            let mut fresh = Tracker::new(settings());
            let mut living = Living::default();
            for (_, message) in &messages[..seen] {
                living.take(message);
            }
            let mut told = Told::default();
            told.take(fresh.reconcile(&living.state(), BEGIN));
            feed(&mut fresh, &messages[seen..], &mut told);
            finish(&mut fresh, &messages, &mut told);
            let calls = clients(&told);
            let place = format!("{} from {seen}", row.name);
            assert!(calls.len() <= 1, "{place}: {:?}", told.lines());
        }
    }
}

#[track_caller]
fn assert_direction(row: &Row, calls: &[&Call], place: &str) {
    for call in calls {
        let (text, client) = (line(call), row.line.split(' ').next());
        assert_eq!(text.split(' ').next(), client, "{place}: {text}");
    }
}

#[test]
fn messages_in_another_order_never_break_anything() {
    // Neighbours change places: threads of the PBX write as they come.
    for row in &ROWS {
        for start in 0..2 {
            let mut messages = capture(row.name);
            let moments: Vec<Timestamp> = messages.iter().map(|(moment, _)| *moment).collect();
            for pair in messages[start..].chunks_exact_mut(2) {
                pair.swap(0, 1);
            }
            for (message, moment) in messages.iter_mut().zip(moments) {
                message.0 = moment;
            }
            let told = replay(&mut Tracker::new(settings()), &messages);
            assert!(
                clients(&told).len() <= 1,
                "{}: {:?}",
                row.name,
                told.lines()
            );
            let answered = row.line.contains(" answered ");
            for call in clients(&told) {
                assert_eq!(
                    call.is_answered(),
                    answered,
                    "{} {start}: {}",
                    row.name,
                    line(call)
                );
            }
        }
    }
}
