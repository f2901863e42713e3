//! A call in the terms of the telephony API (`crm/planfix.md` §9): its events, in order. Pure.
//!
//! ```text
//! INCOMING   for each telephone that rang, the first rung first: an unknown caller's contact goes to it
//! COMPLETED  Cancelled, for each that did not take the call
//! ACCEPTED   for the one that did
//! COMPLETED  with what the call came to: the only event of which a second one would show
//! ```

use jiff::tz::TimeZone;

use super::wire::written;
use crate::crm::Popup;
use crate::model::call::Direction;
use crate::model::ids::Extension;
use crate::model::plan::{CallLine, CallRecord, CallStatus};

/// Telephones of one call that are told of: of a large queue the first, and the one that counts.
const TOLD_MAX: usize = 10;

/// One event: its parameters but for the token.
pub(super) type Event = Vec<(String, String)>;

/// What the events of an account look like.
pub(super) struct Manner<'a> {
    pub(super) zone: &'a TimeZone,
    pub(super) call_time_field: Option<&'a str>,
    pub(super) missed_extension: Option<&'a str>,
}

/// Returns the events of a call that is over, the last one being the one that counts.
pub(super) fn call(callid: &str, record: &CallRecord, manner: &Manner<'_>) -> (Vec<Event>, Event) {
    let unknown = CallLine::default();
    let line = record.line.as_ref().unwrap_or(&unknown);
    let of = line.of.as_ref().map(|of| of.0.as_str());
    let (begins, kind) = match record.direction {
        Direction::Outgoing => ("OUTGOING", "out"),
        Direction::Incoming | Direction::Internal => ("INCOMING", "in"),
    };
    let ext = of.or(manner.missed_extension.filter(|_| kind == "in"));
    let base = |event: &str, ext: Option<&str>| {
        let our_number = line.our_number.as_deref().map(digits);
        base(
            callid,
            kind,
            event,
            record.phone.digits(),
            our_number.as_deref(),
            ext,
        )
    };
    let mut events = Vec::new();
    let others = line.rung.iter().filter(|one| Some(one.0.as_str()) != ext);
    let others: Vec<&Extension> = match kind {
        // Of an outgoing call only who called is told of.
        "out" => Vec::new(),
        _ => others.take(TOLD_MAX).collect(),
    };
    let own = ext.map(|ext| Extension(ext.to_owned()));
    let mut rung: Vec<&Extension> = others.clone();
    rung.extend(&own);
    // In the order in which they rang.
    rung.sort_by_key(|one| line.rung.iter().position(|other| other == *one));
    for one in rung.iter().filter(|one| !line.shown.contains(**one)) {
        events.push(base(begins, Some(one.0.as_str())));
    }
    if rung.is_empty() && line.shown.is_empty() {
        events.push(base(begins, None));
    }
    if record.status == CallStatus::Talked {
        events.push(base("ACCEPTED", ext));
    }
    for one in others {
        let mut cancelled = base("COMPLETED", Some(one.0.as_str()));
        add(&mut cancelled, "duration", "0");
        add(&mut cancelled, "is_recorded", "0");
        add(&mut cancelled, "status", "Cancelled");
        events.push(cancelled);
    }
    let mut last = base("COMPLETED", ext);
    add(&mut last, "duration", &record.talk_s.to_string());
    let recorded = line.recorded || record.link.is_some();
    add(&mut last, "is_recorded", if recorded { "1" } else { "0" });
    add(&mut last, "status", status(record));
    if let Some(link) = &record.link {
        add(&mut last, "record_link", link);
    }
    if let Some(field) = manner.call_time_field {
        let at = written(record.at, manner.zone, "%d-%m-%Y %H:%M:%S");
        add(&mut last, &format!("data_{field}"), &at);
    }
    (events, last)
}

/// Returns the events of telephones that ring.
pub(super) fn ringing(popup: &Popup) -> Vec<Event> {
    let callid = popup.entry.marker();
    let our_number = popup.our_number.as_deref().map(digits);
    let rung = popup.extensions.iter();
    rung.map(|one| {
        let phone = popup.phone.digits();
        base(
            &callid,
            "in",
            "INCOMING",
            phone,
            our_number.as_deref(),
            Some(&one.0),
        )
    })
    .collect()
}

/// Returns the word about a recording that came later.
pub(super) fn recording(callid: &str, link: &str) -> Event {
    let mut event = Event::new();
    add(&mut event, "cmd", "record");
    add(&mut event, "callid", callid);
    add(&mut event, "record_link", link);
    add(&mut event, "is_temp", "0");
    event
}

fn base(
    callid: &str,
    kind: &str,
    event: &str,
    phone: &str,
    our_number: Option<&str>,
    ext: Option<&str>,
) -> Event {
    let mut told = Event::new();
    add(&mut told, "cmd", "event");
    add(&mut told, "type", kind);
    add(&mut told, "event", event);
    add(&mut told, "phone", phone);
    add(&mut told, "callid", callid);
    if let Some(number) = our_number.filter(|number| !number.is_empty()) {
        add(&mut told, "diversion", number);
    }
    if let Some(ext) = ext {
        add(&mut told, "ext", ext);
    }
    told
}

fn status(record: &CallRecord) -> &'static str {
    match (record.direction, record.status) {
        (_, CallStatus::Talked) => "Success",
        (Direction::Outgoing, CallStatus::NoAnswer) => "NoAnswer",
        (Direction::Outgoing, CallStatus::Busy) => "Busy",
        (Direction::Outgoing, CallStatus::WrongNumber) => "NotAvailable",
        (Direction::Incoming | Direction::Internal, _) => "Missed",
    }
}

fn digits(number: &str) -> String {
    number.chars().filter(char::is_ascii_digit).collect()
}

fn add(event: &mut Event, key: &str, value: &str) {
    event.push((key.to_owned(), value.to_owned()));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::phone::{Phone, Region};
    use crate::model::timestamp::Timestamp;

    fn record(
        direction: Direction,
        status: CallStatus,
        rung: &[&str],
        of: Option<&str>,
    ) -> CallRecord {
        let extension = |text: &str| Extension(text.to_owned());
        CallRecord {
            card: None,
            direction,
            phone: Phone::parse("+79161234567", Region::RU).expect("a number"),
            status,
            talk_s: 54,
            at: Timestamp::parse("2026-11-21T09:00:07Z").expect("a time"),
            employee: None,
            link: None,
            source_name: String::new(),
            shown_to: None,
            line: Some(CallLine {
                rung: rung.iter().map(|one| extension(one)).collect(),
                of: of.map(extension),
                our_number: Some("+7 495 111-22-33".to_owned()),
                ..CallLine::default()
            }),
        }
    }

    /// Writes events as one line each: what, at which telephone, with which result.
    fn told(record: &CallRecord) -> Vec<String> {
        let manner = Manner {
            zone: &TimeZone::UTC,
            call_time_field: Some("Время"),
            missed_extension: None,
        };
        let (mut events, last) = call("c-1", record, &manner);
        events.push(last);
        let line = |event: &Event| {
            let get = |key: &str| {
                event
                    .iter()
                    .find(|(k, _)| k == key)
                    .map(|(_, v)| v.as_str())
            };
            let parts = ["type", "event", "ext", "status", "data_Время"].map(get);
            parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
        };
        events.iter().map(line).collect()
    }

    #[test]
    fn a_group_call_rings_everywhere_and_is_taken_once() {
        let record = record(
            Direction::Incoming,
            CallStatus::Talked,
            &["101", "102"],
            Some("102"),
        );
        assert_eq!(
            told(&record),
            [
                "in INCOMING 101",
                "in INCOMING 102",
                "in ACCEPTED 102",
                "in COMPLETED 101 Cancelled",
                "in COMPLETED 102 Success 21-11-2026 09:00:07",
            ]
        );
    }

    #[test]
    fn a_lost_call_stands_under_who_was_rung_last() {
        let lost = record(
            Direction::Incoming,
            CallStatus::NoAnswer,
            &["101", "102"],
            Some("102"),
        );
        assert_eq!(
            told(&lost)[3],
            "in COMPLETED 102 Missed 21-11-2026 09:00:07"
        );
        let nobody = record(Direction::Incoming, CallStatus::NoAnswer, &[], None);
        assert_eq!(
            told(&nobody),
            ["in INCOMING", "in COMPLETED Missed 21-11-2026 09:00:07"]
        );
    }

    #[test]
    fn an_outgoing_call_is_of_who_placed_it() {
        for (status, word) in [
            (CallStatus::NoAnswer, "NoAnswer"),
            (CallStatus::Busy, "Busy"),
            (CallStatus::WrongNumber, "NotAvailable"),
        ] {
            let record = record(Direction::Outgoing, status, &["101"], Some("101"));
            let last = format!("out COMPLETED 101 {word} 21-11-2026 09:00:07");
            assert_eq!(told(&record), ["out OUTGOING 101".to_owned(), last]);
        }
    }

    #[test]
    fn of_a_large_queue_the_first_telephones_are_told_and_the_one_that_counts() {
        let many: Vec<String> = (200..240).map(|n| n.to_string()).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        let record = record(Direction::Incoming, CallStatus::Talked, &many, Some("239"));
        let told = told(&record);
        assert_eq!(told.len(), 11 + 1 + 10 + 1);
        assert_eq!(told[10], "in INCOMING 239");
    }
}
