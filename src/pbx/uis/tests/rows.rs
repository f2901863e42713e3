//! Rows of the reports.

use serde_json::{Value, json};

use super::super::call_row::Reading;
use super::super::mgf_row;
use super::super::roster::{NamedPeople, People, Person};
use super::super::row::Row;
use super::words::{at, read, row, written, zone};
use crate::model::call::{CallPhase, CallResult, Direction, MissReason};
use crate::model::number_rules::NumberRules;

#[test]
fn a_row_of_the_report_is_a_whole_call() {
    let call = row(json!({})).call;
    assert_eq!(
        (call.phase, call.result),
        (CallPhase::Ended, CallResult::Answered)
    );
    assert_eq!(call.answered_at, Some(at(9)));
    assert_eq!(
        call.last_talker.as_ref().map(|one| one.0.as_str()),
        Some("502")
    );
    assert_eq!(call.rung().count(), 2);
    assert_eq!(
        call.details.get("campaign").map(String::as_str),
        Some("Директ")
    );
    assert_eq!(
        call.details.get("communication_number").map(String::as_str),
        Some("1")
    );
}

#[test]
fn a_recording_is_named_by_its_link_or_by_its_id() {
    assert_eq!(
        row(json!({})).call.recordings,
        ["https://app.uiscom.ru/r/1"]
    );
    let by_id = json!({ "full_record_file_link": null, "call_records": ["5a6b", "../x"] });
    assert_eq!(
        row(by_id).call.recordings,
        ["https://app.uiscom.ru/system/media/talk/910000017/5a6b/"]
    );
}

#[test]
fn a_click_to_call_that_did_not_reach_its_employee_is_told_apart() {
    let lost = |reason: &str, order: Value| {
        let call = row(
            json!({ "direction": "out", "is_lost": true, "talk_duration": 0,
            "wait_duration": null, "total_wait_duration": 30, "finish_reason": reason,
            "first_talked_employee_id": null, "last_talked_employee_id": null,
            "employees": [{ "employee_id": 501, "is_talked": false }],
            "call_api_external_id": order }),
        )
        .call;
        assert_eq!(call.direction, Direction::Outgoing);
        assert_eq!(
            call.caller_extension.as_ref().map(|one| one.0.as_str()),
            Some("501")
        );
        call.result
    };
    let busy = MissReason::Busy;
    assert_eq!(
        lost("operator_busy", json!("c2c-1.2")),
        CallResult::EmployeeNotReached { reason: busy }
    );
    assert_eq!(
        lost("subscriber_busy", Value::Null),
        CallResult::Missed { reason: busy }
    );
}

#[test]
fn a_call_that_goes_on_is_open() {
    let ringing = json!({ "finish_time": null, "talk_duration": null, "wait_duration": null,
        "first_talked_employee_id": null, "last_talked_employee_id": null, "employees": [] });
    let call = row(ringing).call;
    assert_eq!(
        (call.phase, call.result),
        (CallPhase::Ringing, CallResult::Open)
    );
    assert_eq!(call.ended_at, None);
}

#[test]
fn a_row_without_id_or_beginning_is_left_out() {
    for value in [
        json!({}),
        json!({ "id": 5 }),
        json!({ "id": "a b", "start_time": written(0) }),
    ] {
        assert_eq!(read(value.as_object().expect("an object")), None, "{value}");
    }
}

fn history(more: &Value) -> crate::model::call::Call {
    let mut value = json!({
        "communication_id": 77, "call_start_date_time": written(0),
        "call_finish_date_time": written(74),
        "contact_phone_number": { "value": "79161112233", "extra": { "call_status": "received" } },
        "virtual_phone_number": { "value": "79231230000" },
        "call_direction": { "value_id": "in" }, "call_status": { "value_id": "received" },
        "call_is_internal": { "value_id": "external" }, "call_finish_reason": { "value_id": null },
        "call_await_talk_duration": "00:00:09", "call_talk_duration": "00:01:04",
        "call_total_duration": "00:01:14", "employees": ["Орлова Анна", "Иванов Иван"],
        "received_call": "Орлова Анна", "call_records": null,
        "tags": { "items": [{ "id": 1, "name": "Целевой" }] },
    });
    for (key, one) in more.as_object().expect("an object") {
        value[key] = one.clone();
    }
    let person = |id: &str, name: &str| Person {
        id: id.to_owned(),
        name: Some(name.to_owned()),
        email: None,
        extension: None,
        phones: Vec::new(),
    };
    let people = People(vec![
        person("501", "Орлова Анна"),
        person("502", "Иванов Иван"),
        person("503", "Иванов Иван"),
    ]);
    let (zone, numbers) = (zone(), NumberRules::default());
    let reading = Reading {
        numbers: &numbers,
        zone: &zone,
        media: None,
    };
    let row = Row::of(&value).expect("an object");
    mgf_row::read(row, &reading, &NamedPeople::of(&people))
        .expect("a row")
        .call
}

#[test]
fn a_call_of_vats_2_names_its_employee_by_name_unless_two_have_it() {
    let call = history(&json!({}));
    assert_eq!(call.result, CallResult::Answered);
    assert_eq!((call.waiting_ms, call.talking_ms), (9_000, 64_000));
    let talkers: Vec<&str> = call.talkers.iter().map(|one| one.0.as_str()).collect();
    assert_eq!(talkers, ["501"]);
    // Of two of one name neither was rung, for all we know.
    assert_eq!(call.rung().count(), 1);
    assert_eq!(call.tags, ["Целевой"]);
    let shared = history(&json!({ "received_call": "Иванов Иван", "employees": ["Иванов Иван"] }));
    assert_eq!(shared.result, CallResult::Answered);
    assert!(shared.talkers.is_empty());
    let name = shared.details.get("employee_name").map(String::as_str);
    assert_eq!(name, Some("Иванов Иван"));
}

#[test]
fn a_lost_or_internal_call_of_vats_2_is_told_either_way_it_is_written() {
    let lost = history(
        &json!({ "call_status": { "value_id": "lost" }, "received_call": null,
        "call_talk_duration": null, "call_finish_reason": { "value_id": "operator_busy" } }),
    );
    let reason = MissReason::Busy;
    assert_eq!(lost.result, CallResult::Missed { reason });
    for (written, direction) in [
        (json!({ "value_id": "internal" }), Direction::Internal),
        (json!({ "value_id": true }), Direction::Internal),
        (json!({ "value_id": false }), Direction::Incoming),
        (json!({ "value_id": "external" }), Direction::Incoming),
        (json!(null), Direction::Incoming),
    ] {
        let call = history(&json!({ "call_is_internal": written }));
        assert_eq!(call.direction, direction, "{written}");
    }
}
