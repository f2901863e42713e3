//! A call as `get.calls_report` tells it (`pbx/uis.md` §4.1): the last word about it. Pure.

use std::time::Duration;

use jiff::tz::TimeZone;

use super::notification::{Way, is_id};
use super::row::Row;
use super::{finish_reason, live_call, local_time, number, visit};
use crate::model::call::{Call, CallLeg, CallPhase, CallResult, Direction};
use crate::model::details;
use crate::model::ids::Extension;
use crate::model::number_rules::NumberRules;
use crate::model::timestamp::Timestamp;

/// What is asked for besides the visit. Without `fields` a report leaves out what matters
/// (corrections 2).
const FIELDS: [&str; 24] = [
    "id",
    "start_time",
    "finish_time",
    "direction",
    "source",
    "is_lost",
    "finish_reason",
    "contact_phone_number",
    "virtual_phone_number",
    "contact_full_name",
    "wait_duration",
    "total_wait_duration",
    "talk_duration",
    "clean_talk_duration",
    "total_duration",
    "call_records",
    "full_record_file_link",
    "employees",
    "first_talked_employee_id",
    "last_talked_employee_id",
    "last_answered_employee_id",
    "scenario_name",
    "scenario_operations",
    "call_api_external_id",
];

/// Returns the fields to be asked for.
pub(super) fn fields() -> Vec<&'static str> {
    FIELDS.into_iter().chain(visit::fields()).collect()
}

/// A row that was understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CallRow {
    /// The call.
    pub(super) id: String,
    /// Its picture.
    pub(super) call: Call,
}

/// How rows of an account are read.
#[derive(Debug, Clone)]
pub(super) struct Reading<'a> {
    pub(super) numbers: &'a NumberRules,
    pub(super) zone: &'a TimeZone,
    /// Below what address recordings lie that are named by id alone: `https://app.uiscom.ru`.
    pub(super) media: Option<&'a str>,
}

/// Reads a row; `None` where it has no id or no beginning.
pub(super) fn read(row: Row<'_>, reading: &Reading<'_>) -> Option<CallRow> {
    let id = row.line("id").filter(|id| is_id(id))?;
    let time = |key: &str| local_time::read(&row.line(key)?, reading.zone);
    let started_at = time("start_time")?;
    let ended_at = time("finish_time").map(|end| end.max(started_at));
    let way = row.line("direction").and_then(|word| Way::read(&word));
    let way = way.unwrap_or(Way::In);
    let span = |key: &str| row.whole(key).map(Duration::from_secs);
    let talk = span("talk_duration").filter(|talk| !talk.is_zero());
    let employees = employees(row);
    let has_talked = talk.is_some() || employees.iter().any(|one| one.talked);
    let answered = has_talked && row.flag("is_lost") != Some(true);
    let wait = span("wait_duration");
    let answered_at = answered.then(|| {
        let from_end = || Some(ended_at?.minus(talk?));
        let first = wait.map(|wait| started_at.plus(wait)).or_else(from_end);
        let first = first.unwrap_or(started_at).max(started_at);
        ended_at.map_or(first, |end| first.min(end))
    });
    let order = row.line("call_api_external_id");
    let placed = order.is_some() || row.line("source").is_some_and(|s| s.starts_with("callapi"));
    let result = match (answered, ended_at) {
        (true, _) => CallResult::Answered,
        (false, None) => CallResult::Open,
        (false, Some(_)) => {
            finish_reason::result(row.line("finish_reason").as_deref(), way, placed)
        }
    };
    let phase = match (ended_at, answered) {
        (Some(_), _) => CallPhase::Ended,
        (None, true) => CallPhase::Answered,
        (None, false) => CallPhase::Ringing,
    };
    let until = answered_at.or(ended_at).unwrap_or(started_at);
    let lost_wait = || span("total_wait_duration").filter(|_| !answered);
    let waiting = lost_wait().or(wait).unwrap_or(until.since(started_at));
    let measured = answered_at.zip(ended_at).map(|(from, to)| to.since(from));
    let talking = talk.or(measured).filter(|_| answered).unwrap_or_default();
    let talk_end = answered_at.map(|from| match ended_at {
        Some(end) => from.plus(talking).min(end),
        None => from,
    });
    let legs = legs(
        &employees,
        started_at,
        answered_at.zip(talk_end),
        ended_at.is_some(),
    );
    let last = ["last_talked_employee_id", "last_answered_employee_id"];
    let last = last.iter().find_map(|key| row.line(key)).map(Extension);
    let talkers = talkers(row, &legs);
    let last_talker = last.filter(|last| talkers.contains(last));
    let call = Call {
        direction: match way {
            Way::In => Direction::Incoming,
            Way::Out => Direction::Outgoing,
        },
        phase,
        result,
        client: number::client(
            reading.numbers,
            way,
            row.line("contact_phone_number").as_deref(),
        ),
        client_name: row.line("contact_full_name"),
        our_number: row.line("virtual_phone_number"),
        caller_extension: match way {
            Way::In => None,
            Way::Out => legs.first().map(|leg| leg.extension.clone()),
        },
        started_at,
        answered_at,
        ended_at,
        waiting_ms: number::millis(waiting),
        talking_ms: number::millis(talking),
        last_talker: last_talker.or_else(|| talkers.last().cloned()),
        talkers,
        legs,
        queues: Vec::new(),
        recordings: recordings(row, &id, reading.media),
        click_to_call: order,
        blind: None,
        tags: visit::tags(row),
        details: details(row),
    };
    Some(CallRow { id, call })
}

/// Somebody whose phone was part of the call.
struct Employee {
    id: String,
    talked: bool,
}

fn employees(row: Row<'_>) -> Vec<Employee> {
    let mut found: Vec<Employee> = Vec::new();
    for one in row.rows("employees") {
        let Some(id) = one.line("employee_id").filter(|id| is_id(id)) else {
            continue;
        };
        let talked = one.flag("is_talked").unwrap_or(false);
        match found.iter_mut().find(|known| known.id == id) {
            Some(known) => known.talked |= talked,
            None => found.push(Employee { id, talked }),
        }
    }
    for key in ["first_talked_employee_id", "last_talked_employee_id"] {
        let Some(id) = row.line(key).filter(|id| is_id(id)) else {
            continue;
        };
        match found.iter_mut().find(|known| known.id == id) {
            Some(known) => known.talked = true,
            None => found.push(Employee { id, talked: true }),
        }
    }
    found
}

/// The report does not say who was rung when, nor who of several talked how long.
fn legs(
    employees: &[Employee],
    started_at: Timestamp,
    talk: Option<(Timestamp, Timestamp)>,
    over: bool,
) -> Vec<CallLeg> {
    let leg = |one: &Employee| {
        let talk = talk.filter(|_| one.talked);
        CallLeg {
            extension: Extension(one.id.clone()),
            rung_at: started_at,
            talked_from: talk.map(|(from, _)| from),
            talked_until: talk.map(|(_, until)| until).filter(|_| over),
        }
    };
    employees.iter().map(leg).collect()
}

fn talkers(row: Row<'_>, legs: &[CallLeg]) -> Vec<Extension> {
    let mut talkers = live_call::talkers(legs);
    if let Some(first) = row.line("first_talked_employee_id").map(Extension)
        && let Some(place) = talkers.iter().position(|one| *one == first)
    {
        talkers[..=place].rotate_right(1);
    }
    talkers
}

fn recordings(row: Row<'_>, id: &str, media: Option<&str>) -> Vec<String> {
    let is_link = |link: &String| link.starts_with("https://") || link.starts_with("http://");
    if let Some(whole) = row.line("full_record_file_link").filter(is_link) {
        return vec![whole];
    }
    let Some(media) = media else {
        return Vec::new();
    };
    let records = row
        .lines("call_records")
        .into_iter()
        .filter(|record| is_id(record));
    let link = |record| {
        format!(
            "{}/system/media/talk/{id}/{record}/",
            media.trim_end_matches('/')
        )
    };
    records.map(link).collect()
}

fn details(row: Row<'_>) -> std::collections::BTreeMap<String, String> {
    let mut found = visit::details(row);
    let operations = row.rows("scenario_operations");
    let last = operations.last().and_then(|one| one.line("name"));
    let own = [
        (details::SCENARIO, row.line("scenario_name")),
        (details::LAST_OPERATION, last),
        ("call_source", row.line("source")),
        ("finish_reason", row.line("finish_reason")),
    ];
    found.extend(
        own.into_iter()
            .filter_map(|(key, text)| Some((key.to_owned(), text?))),
    );
    found
}
