//! Builders of what the platform writes.

use std::time::Duration;

use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};

use super::super::call_row::{self, CallRow, Reading};
use super::super::local_time;
use super::super::memory::Rules;
use super::super::notification::Notification;
use super::super::row::Row;
use crate::model::call::Call;
use crate::model::communication::{Body, Snapshot};
use crate::model::number_rules::NumberRules;
use crate::model::timestamp::Timestamp;
use crate::pbx::SourceIdentity;

/// The beginning of every call here, in the account's time.
pub(super) const BEGAN: &str = "2026-03-02 11:00:00";

/// Returns a time so many seconds after the beginning.
pub(super) fn at(second: u64) -> Timestamp {
    let began = local_time::read(BEGAN, &zone()).expect("a time");
    began.plus(Duration::from_secs(second))
}

/// Returns how that is written.
pub(super) fn written(second: u64) -> String {
    local_time::write(at(second), &zone())
}

pub(super) fn zone() -> TimeZone {
    local_time::usual_zone()
}

pub(super) fn rules(reports: bool) -> Rules {
    Rules {
        identity: SourceIdentity {
            key: "acme/cloud".parse().expect("a key"),
            numbers: NumberRules::default(),
        },
        reports,
        overlap: Duration::from_secs(3_600),
    }
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        other => panic!("{other} is no object"),
    }
}

/// Reads a notification; `more` is added to what every one says.
pub(super) fn told(event: &str, second: u64, more: Value) -> Notification {
    let mut fields = object(json!({
        "event": event, "call_session_id": 910_000_017_u64, "direction": "in",
        "contact_phone_number": "79161112233", "virtual_phone_number": "74951230000",
        "notification_time": written(second),
    }));
    fields.extend(object(more));
    Notification::read(&fields, &zone(), at(86_400)).expect("a notification")
}

/// Everything that is told of a call that 501 missed and 502 took.
pub(super) fn answered() -> Vec<Notification> {
    vec![
        told("call_incoming", 0, json!({})),
        told("call_ringing", 1, json!({ "employee_id": 501 })),
        told("call_ringing", 2, json!({ "employee_id": 502 })),
        told("talk_started", 9, json!({ "employee_id": 502 })),
        told(
            "talk_finished",
            73,
            json!({ "employee_id": 502, "talk_time_duration": 64 }),
        ),
        told(
            "call_finished",
            74,
            json!({ "employee_id": 502, "talk_time_duration": 64, "wait_time_duration": 9,
                "total_time_duration": 74, "tag_names": ["Целевой"] }),
        ),
        told(
            "call_recorded",
            80,
            json!({ "file_link": "https://app.uiscom.ru/r/1" }),
        ),
    ]
}

/// Reads a row of the report; `more` stands over what an answered call says.
pub(super) fn row(more: Value) -> CallRow {
    let mut fields = object(json!({
        "id": 910_000_017_u64, "start_time": BEGAN, "finish_time": written(74),
        "direction": "in", "source": "va", "is_lost": false,
        "finish_reason": "operator_disconnects", "contact_phone_number": "79161112233",
        "virtual_phone_number": "74951230000", "wait_duration": 9, "talk_duration": 64,
        "total_duration": 74,
        "employees": [{ "employee_id": 501, "is_talked": false },
            { "employee_id": 502, "is_talked": true }],
        "first_talked_employee_id": 502, "last_talked_employee_id": 502,
        "full_record_file_link": "https://app.uiscom.ru/r/1",
        "tags": [{ "tag_name": "Целевой" }], "utm_source": "yandex",
        "campaign_name": "Директ", "communication_number": 1,
    }));
    fields.extend(object(more));
    read(&fields).expect("a row")
}

pub(super) fn read(fields: &Map<String, Value>) -> Option<CallRow> {
    let (zone, numbers) = (zone(), NumberRules::default());
    let reading = Reading {
        numbers: &numbers,
        zone: &zone,
        media: Some("https://app.uiscom.ru"),
    };
    call_row::read(Row::new(fields), &reading)
}

#[track_caller]
pub(super) fn call(snapshot: &Snapshot) -> &Call {
    match &snapshot.body {
        Body::Call { call } => call,
        other => panic!("no call: {other:?}"),
    }
}
