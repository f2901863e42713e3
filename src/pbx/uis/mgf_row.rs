//! A call as MegaFon's VATS 2.0 tells it by `get.mgf_calls` (`pbx/megafon.md` §B3). Its employees
//! have names only. Pure.

use std::time::Duration;

use super::call_row::{CallRow, Reading};
use super::notification::{Way, is_id};
use super::roster::NamedPeople;
use super::row::Row;
use super::{finish_reason, local_time, number};
use crate::model::call::{Call, CallLeg, CallPhase, CallResult, Direction};
use crate::model::ids::Extension;

/// The name of the report whose rows these are.
pub(super) const REPORT: &str = "История звонков";

/// What is asked for.
pub(super) const FIELDS: [&str; 19] = [
    "communication_id",
    "call_start_date_time",
    "call_finish_date_time",
    "contact_phone_number",
    "virtual_phone_number",
    "call_direction",
    "call_status",
    "call_type",
    "call_is_internal",
    "call_finish_reason",
    "call_total_duration",
    "call_await_talk_duration",
    "call_talk_duration",
    "employees",
    "received_call",
    "call_records",
    "tags",
    "communication_comment",
    "is_blacklisted_phone",
];

/// Reads a row; `None` where it has no id or no beginning.
pub(super) fn read(row: Row<'_>, reading: &Reading<'_>, people: &NamedPeople) -> Option<CallRow> {
    let id = row.line("communication_id").filter(|id| is_id(id))?;
    let time = |key: &str| local_time::read(&row.line(key)?, reading.zone);
    let started_at = time("call_start_date_time")?;
    let way = choice(row, "call_direction").and_then(|word| Way::read(&word));
    let way = way.unwrap_or(Way::In);
    let span = |key: &str| row.line(key).and_then(|text| local_time::read_span(&text));
    let talk = span("call_talk_duration").filter(|talk| !talk.is_zero());
    let total = span("call_total_duration");
    let ended_at = time("call_finish_date_time").or_else(|| Some(started_at.plus(total?)));
    let ended_at = ended_at.map(|end| end.max(started_at));
    // The word for an answered call is `received` (corrections 1); whatever else comes, a talk is
    // an answer.
    let answered = match choice(row, "call_status").as_deref() {
        Some("lost") => false,
        Some("received") => true,
        _ => talk.is_some(),
    };
    let wait = span("call_await_talk_duration");
    let answered_at = answered.then(|| {
        let from_end = || Some(ended_at?.minus(talk?));
        let first = wait.map(|wait| started_at.plus(wait)).or_else(from_end);
        let first = first.unwrap_or(started_at).max(started_at);
        ended_at.map_or(first, |end| first.min(end))
    });
    let measured = answered_at.zip(ended_at).map(|(from, to)| to.since(from));
    let talking: Duration = talk.or(measured).filter(|_| answered).unwrap_or_default();
    let until = answered_at.or(ended_at).unwrap_or(started_at);
    let internal = choice(row, "call_is_internal");
    let internal = matches!(internal.as_deref(), Some("internal" | "true"));
    let reason = choice(row, "call_finish_reason");
    let (phase, result) = match (ended_at, answered) {
        (Some(_), true) => (CallPhase::Ended, CallResult::Answered),
        (Some(_), false) => {
            let result = finish_reason::result(reason.as_deref(), way, false);
            (CallPhase::Ended, result)
        }
        (None, true) => (CallPhase::Answered, CallResult::Answered),
        (None, false) => (CallPhase::Ringing, CallResult::Open),
    };
    let talker = row.line("received_call").filter(|_| answered);
    let mut names = row.lines("employees");
    if let Some(talker) = talker.clone().filter(|talker| !names.contains(talker)) {
        names.insert(0, talker);
    }
    let talker = talker.or_else(|| names.first().cloned().filter(|_| answered));
    let mut legs: Vec<CallLeg> = Vec::new();
    for name in &names {
        // Who cannot be told apart from another of the same name is nobody.
        let Some(extension) = people.of_name(name) else {
            continue;
        };
        let talk = answered_at.filter(|_| Some(name) == talker.as_ref());
        legs.push(CallLeg {
            extension,
            rung_at: started_at,
            talked_from: talk,
            talked_until: talk.and(ended_at),
        });
    }
    let talkers: Vec<Extension> = super::live_call::talkers(&legs);
    let mut details = std::collections::BTreeMap::new();
    let told = [
        ("finish_reason", reason),
        ("call_source", choice(row, "call_type")),
        ("employee_name", talker.or_else(|| names.first().cloned())),
        (
            "comment",
            row.row("communication_comment")
                .and_then(|c| c.line("comment")),
        ),
    ];
    details.extend(
        told.into_iter()
            .filter_map(|(key, text)| Some((key.to_owned(), text?))),
    );
    let call = Call {
        direction: match (internal, way) {
            (true, _) => Direction::Internal,
            (false, Way::In) => Direction::Incoming,
            (false, Way::Out) => Direction::Outgoing,
        },
        phase,
        result,
        client: number::client(
            reading.numbers,
            way,
            value(row, "contact_phone_number").as_deref(),
        ),
        client_name: None,
        our_number: value(row, "virtual_phone_number"),
        caller_extension: match (internal, way) {
            (false, Way::In) => None,
            (false, Way::Out) | (true, _) => legs.first().map(|leg| leg.extension.clone()),
        },
        started_at,
        answered_at,
        ended_at,
        waiting_ms: number::millis(until.since(started_at)),
        talking_ms: number::millis(talking),
        last_talker: talkers.last().cloned(),
        talkers,
        legs,
        queues: Vec::new(),
        recordings: links(row),
        click_to_call: None,
        blind: None,
        tags: tags(row),
        details,
    };
    Some(CallRow { id, call })
}

/// Reads a word of a closed set, written as an object with `value_id`, or plainly.
fn choice(row: Row<'_>, key: &str) -> Option<String> {
    let word = |row: Row<'_>, key: &str| {
        let flag = || row.flag(key).map(|flag| flag.to_string());
        row.line(key).or_else(flag)
    };
    let written = row
        .row(key)
        .and_then(|one| word(one, "value_id").or_else(|| word(one, "value")));
    Some(written.or_else(|| word(row, key))?.to_lowercase())
}

/// Reads a number, written as an object with `value`, or plainly.
fn value(row: Row<'_>, key: &str) -> Option<String> {
    let written = row.row(key).and_then(|one| one.line("value"));
    written.or_else(|| row.line(key))
}

/// The form of an address of a recording is not known (`pbx/megafon.md` unconfirmed 5): what is
/// one, is taken.
fn links(row: Row<'_>) -> Vec<String> {
    let listed = row.rows("call_records");
    let inside = listed
        .iter()
        .filter_map(|one| one.line("link").or_else(|| one.line("url")));
    let plain = row.lines("call_records").into_iter();
    plain
        .chain(inside)
        .filter(|link| link.starts_with("http"))
        .collect()
}

fn tags(row: Row<'_>) -> Vec<String> {
    let items = row
        .row("tags")
        .map(|tags| tags.rows("items"))
        .unwrap_or_default();
    items.iter().filter_map(|tag| tag.line("name")).collect()
}
