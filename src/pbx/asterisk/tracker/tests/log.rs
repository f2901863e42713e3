//! The recorded calls once more, as the PBX's own log tells them: the CEL events and Cdr of the
//! recordings, written as `cel_custom` and `cdr_csv` write them.

use jiff::tz::TimeZone;

use super::captures::ROWS;
use super::*;
use crate::pbx::asterisk::call_log::{CdrRecord, CelEvent, CelStory, SAMPLE_COLUMNS, cdr_messages};
use crate::pbx::asterisk::channels::ChannelRules;

fn quoted(fields: &[&str]) -> String {
    let quoted = fields
        .iter()
        .map(|one| format!("\"{}\"", one.replace('"', "\"\"")));
    quoted.collect::<Vec<_>>().join(",")
}

/// Writes the CEL events of a recording as the sample mapping of cel_custom.conf does.
pub(super) fn cel_lines(messages: &[Timed]) -> Vec<String> {
    let cel = messages
        .iter()
        .filter(|(_, one)| one.event() == Some("CEL"));
    cel.map(|(at, one)| {
        let text = |name| one.get(name).unwrap_or_default();
        let ms = at.as_millis();
        let time = format!("{}.{:06}", ms / 1000, ms % 1000 * 1000);
        quoted(&[
            text("EventName"),
            &time,
            text("CallerIDname"),
            text("CallerIDnum"),
            text("CallerIDani"),
            text("CallerIDrdnis"),
            text("CallerIDdnid"),
            text("Exten"),
            text("Context"),
            text("Channel"),
            text("Application"),
            text("AppData"),
            text("AMAFlags"),
            text("AccountCode"),
            text("UniqueID"),
            text("LinkedID"),
            text("Peer"),
            text("Userfield"),
            text("UserDefType"),
            text("Extra"),
        ])
    })
    .collect()
}

/// Writes the Cdr of a recording as `cdr_csv` does, with or without its new columns.
fn cdr_lines(messages: &[Timed], new_columns: bool) -> Vec<String> {
    let cdr = messages
        .iter()
        .filter(|(_, one)| one.event() == Some("Cdr"));
    cdr.map(|(_, one)| {
        let text = |name| one.get(name).unwrap_or_default();
        let words = quoted(&[
            text("AccountCode"),
            text("Source"),
            text("Destination"),
            text("DestinationContext"),
            text("CallerID"),
            text("Channel"),
            text("DestinationChannel"),
            text("LastApplication"),
            text("LastData"),
        ]);
        let date = |name| match text(name) {
            "" => String::new(),
            date => quoted(&[date]),
        };
        let mut line = format!(
            "{words},{},{},{},{},{},{}",
            date("StartTime"),
            date("AnswerTime"),
            date("EndTime"),
            text("Duration"),
            text("BillableSeconds"),
            quoted(&[text("Disposition"), text("AMAFlags"), text("UniqueID"), ""]),
        );
        if new_columns {
            line.push_str(&format!(",{},1", quoted(&["", text("LinkedID")])));
        }
        line
    })
    .collect()
}

pub(super) fn events(lines: &[String]) -> Vec<CelEvent> {
    let columns = SAMPLE_COLUMNS.map(str::to_owned);
    let read = |line: &String| CelEvent::read(line, &columns, &[TimeZone::UTC]);
    lines.iter().filter_map(read).collect()
}

pub(super) fn tell_cel(tracker: &mut Tracker, events: &[CelEvent]) -> Vec<Snapshot> {
    let mut story = CelStory::new(ChannelRules::default());
    let mut told = Vec::new();
    for event in events {
        for message in story.tell(event, tracker) {
            told.extend(tracker.tick(event.at));
            told.extend(tracker.replay(&message, event.at));
        }
    }
    told
}

/// What the log cannot know of a recording, and how it then tells it.
fn as_cel_tells(name: &str, line: &str) -> String {
    match name {
        // The recording's name stands in no event.
        "recording" => line.split(" rec=").next().unwrap_or_default().to_owned(),
        _ => line.to_owned(),
    }
}

#[test]
fn each_recorded_call_is_the_same_call_by_the_events_of_the_log() {
    let mut compared = 0;
    for row in &ROWS {
        let lines = cel_lines(&capture(row.name));
        // Whom the PBX was to call stands nowhere when the employee's phone was never answered.
        if lines.is_empty() || row.line.contains("not-reached") {
            continue;
        }
        let events = events(&lines);
        assert_eq!(events.len(), lines.len(), "{}", row.name);
        let mut tracker = Tracker::new(settings());
        let mut told = Told::default();
        told.take(tell_cel(&mut tracker, &events));
        told.take(tracker.tick(at(3_600_000)));
        assert_eq!(
            told.lines(),
            [as_cel_tells(row.name, row.line)],
            "{}",
            row.name
        );
        let call = told.calls.values().next().expect("one call");
        assert!(
            call.talking_ms.abs_diff(row.talking_ms) <= 100,
            "{} {}",
            row.name,
            call.talking_ms
        );
        assert!(
            call.waiting_ms.abs_diff(row.waiting_ms) <= 100,
            "{} {}",
            row.name,
            call.waiting_ms
        );
        assert_eq!(call.blind, None, "{}", row.name);
        compared += 1;
    }
    assert!(compared > 25, "{compared}");
}

/// What the records cannot know of a recording, and how they then tell it. They have no hang-up
/// causes, no ringing, no transfers and no numbers dialled in between.
fn as_cdr_tells(name: &str, line: &str) -> String {
    let line = line.split(" rec=").next().unwrap_or_default();
    let line = line
        .replace("CallerGaveUp", "NoAnswer")
        .replace("Declined", "NoAnswer");
    match name {
        // The DID gave way to the target of the transfer.
        "ast16_blind_transfer"
        | "lean/blind_unanswered"
        | "lean/blind_external"
        | "lean/blind_chain_back" => line.replace("our=74950000001", "our=-"),
        "lean/client_first" => line
            .replace("our=74950000001", "our=-")
            .replace("client=+79167654321", "client=withheld"),
        _ => line,
    }
}

/// Recordings that the records do not tell at all, or as something else: who answered for a
/// forwarded phone, a consultation that nobody took, a click-to-call that never reached a client.
const NOT_IN_CDR: [&str; 5] = [
    "originate_agent_busy",
    "originate_agent_noanswer",
    "lean/blonde_unanswered",
    "lean/forward_302_mobile",
    "lean/c2c_local_noanswer",
];

#[test]
fn each_recorded_call_is_nearly_the_same_call_by_the_records_of_the_log() {
    for new_columns in [true, false] {
        let mut compared = 0;
        for row in &ROWS {
            let lines = cdr_lines(&capture(row.name), new_columns);
            // Without a Linkedid a Local channel of our own naming is taken for another call.
            let apart = row.name == "lean/c2c_local" && !new_columns;
            if lines.is_empty() || apart || NOT_IN_CDR.contains(&row.name) {
                continue;
            }
            let read = |line: &String| CdrRecord::read(line, &[TimeZone::UTC]);
            let records: Vec<CdrRecord> = lines.iter().filter_map(read).collect();
            assert_eq!(records.len(), lines.len(), "{}", row.name);
            let mut tracker = Tracker::new(settings());
            let mut told = Told::default();
            let live = LiveState::default();
            for (at, message) in cdr_messages(&records, &ChannelRules::default(), &tracker, &live) {
                told.take(tracker.replay(&message, at));
            }
            let last = records.iter().map(|one| one.end).max().expect("a record");
            told.take(tracker.tick(last.plus(std::time::Duration::from_secs(60))));
            let name = row.name;
            assert_eq!(
                told.lines(),
                [as_cdr_tells(name, row.line)],
                "{name} {new_columns}"
            );
            let call = told.calls.values().next().expect("one call");
            // Whole seconds at both ends, and a queue's answer before the phone's.
            let near = |is: u64, wanted: u64| is.abs_diff(wanted) <= 2_600;
            assert!(
                near(call.talking_ms, row.talking_ms),
                "{name} {}",
                call.talking_ms
            );
            assert!(
                near(call.waiting_ms, row.waiting_ms),
                "{name} {}",
                call.waiting_ms
            );
            compared += 1;
        }
        assert!(compared > 35, "{compared}");
    }
}

/// Where a recording may be cut: what AMI told before, what the log tells afterwards.
#[test]
fn a_call_cut_anywhere_is_completed_by_the_log_as_if_it_had_been_seen_whole() {
    for name in [
        "inbound_answered",
        "parallel_ring",
        "blind_transfer",
        "attended_transfer",
        "queue_local_members_answered",
        "outbound_answered",
        "pickup",
        "hold_unhold",
    ] {
        let row = ROWS.iter().find(|row| row.name == name).expect("a row");
        let messages = capture(name);
        let log = events(&cel_lines(&messages));
        for cut in 0..messages.len() {
            let (seen, _) = messages.split_at(cut);
            let mut told = Told::default();
            let mut tracker = Tracker::new(settings());
            for (moment, message) in seen {
                told.take(tracker.handle(message, *moment));
            }
            let lost = seen.last().map_or(at(0), |(moment, _)| *moment);
            let mut tracker = Tracker::restore(settings(), &tracker.checkpoint()).expect("its own");
            tracker.link_lost(lost);
            // All of the log, also what was seen: what is told twice changes nothing.
            told.take(tell_cel(&mut tracker, &log));
            let end = messages.last().map_or(at(0), |(moment, _)| *moment);
            tracker.replayed_until(end);
            told.take(tracker.reconcile(&LiveState::default(), end));
            assert_eq!(told.lines(), [row.line], "{name} cut at {cut}");
            let call = told.calls.values().next().expect("one call");
            let near = |is: u64, wanted: u64| is.abs_diff(wanted) <= 150;
            assert!(
                near(call.talking_ms, row.talking_ms),
                "{name} {cut}: {}",
                call.talking_ms
            );
            assert!(
                call.ended_at
                    .is_some_and(|ended| end.since(ended).as_millis() < 500)
            );
            assert_eq!(tracker.open_calls(), 0);
        }
    }
}
