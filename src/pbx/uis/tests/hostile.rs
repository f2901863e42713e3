//! Whatever comes is read or refused; nothing of it does harm.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::super::memory::Memory;
use super::super::notification::{BadNotification, Event, Notification, fields};
use super::super::{chat_row, request_row, row::Row};
use super::words::{at, read, rules, zone};
use crate::model::number_rules::NumberRules;

fn told(query: &str, body: &str) -> Result<Notification, BadNotification> {
    let fields = fields(query, body.as_bytes())?;
    Notification::read(&fields, &zone(), at(100))
}

#[test]
fn a_template_is_read_flat_nested_as_a_form_and_from_the_query() {
    let flat = r#"{"event":"call_finished","call_session_id":"910","contact_phone_number":79161112233,"talk_time_duration":64}"#;
    let nested = r#"{"event":"call_finished","call_info":{"call_session_id":910,"talk_time_duration":64},"contact_info":{"contact_phone_number":"79161112233"}}"#;
    let pairs = "event=call_finished&call_session_id=910&contact_phone_number=%2279161112233%22&talk_time_duration=64";
    let first = told("", flat).expect("read");
    assert_eq!(first.call.talk_s, Some(64));
    for other in [told("", nested), told("", pairs), told(pairs, "")] {
        assert_eq!(other.expect("read"), first);
    }
}

#[test]
fn a_template_of_the_platform_is_known_by_its_title() {
    let body = r#"{"notification_name":"Завершение звонка","call_session_id":910}"#;
    assert_eq!(told("", body).expect("read").event, Event::CallFinished);
}

#[test]
fn what_is_no_notification_is_refused_with_the_reason() {
    for (body, why) in [
        (
            r#"{"event":"call_finished","call_session_id":}"#,
            BadNotification::NotJson,
        ),
        (r#"["call_finished"]"#, BadNotification::NotJson),
        (
            r#"{"event":"something","call_session_id":5}"#,
            BadNotification::NoEvent,
        ),
        ("", BadNotification::NoEvent),
        (r#"{"event":"call_finished"}"#, BadNotification::NoId),
        (
            r#"{"event":"call_finished","call_session_id":"../../etc"}"#,
            BadNotification::NoId,
        ),
        (
            r#"{"event":"chat","communication_id":null}"#,
            BadNotification::NoId,
        ),
    ] {
        assert_eq!(told("", body), Err(why), "{body}");
    }
}

#[test]
fn a_time_in_the_future_is_now() {
    let body = r#"{"event":"call_finished","call_session_id":5,"notification_time":"2099-01-01 00:00:00"}"#;
    assert_eq!(told("", body).expect("read").at, at(100));
}

fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        Just(json!("2026-03-02 11:00:00")),
        Just(json!("in")),
    ];
    leaf.prop_recursive(2, 12, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::hash_map("[a-z_]{1,12}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

const KEYS: [&str; 22] = [
    "id",
    "start_time",
    "finish_time",
    "direction",
    "is_lost",
    "talk_duration",
    "wait_duration",
    "employees",
    "call_records",
    "tags",
    "date_time",
    "duration",
    "status",
    "employee_id",
    "visitor_phone_number",
    "visitor_custom_properties",
    "properties",
    "chat_id",
    "resource",
    "call_session_id",
    "notification_time",
    "tag_names",
];

fn any_row() -> impl Strategy<Value = Map<String, Value>> {
    let pairs = proptest::collection::vec((0..KEYS.len(), anything()), 0..24);
    pairs.prop_map(|pairs| {
        let mut row: Map<String, Value> = pairs
            .into_iter()
            .map(|(key, value)| (KEYS[key].to_owned(), value))
            .collect();
        row.insert("event".to_owned(), json!("call_finished"));
        row.entry("id").or_insert(json!(5));
        row.entry("start_time")
            .or_insert(json!("2026-03-02 11:00:00"));
        row.entry("date_time")
            .or_insert(json!("2026-03-02 11:00:00"));
        row.entry("call_session_id").or_insert(json!(5));
        row
    })
}

proptest! {
    #[test]
    fn no_row_and_no_notification_harms(row in any_row()) {
        let mut memory = Memory::default();
        let (zone, numbers) = (zone(), NumberRules::default());
        if let Some(found) = read(&row) {
            let call = found.call.clone();
            prop_assert!(call.answered_at.is_none_or(|answered| answered >= call.started_at));
            prop_assert!(call.ended_at.is_none_or(|ended| ended >= call.started_at));
            memory.take_call(found, &rules(true), at(0));
        }
        let _ = chat_row::read(Row::new(&row), &numbers, &zone);
        let _ = chat_row::read_message(Row::new(&row), &zone);
        let _ = request_row::read(&row, &numbers, &zone);
        if let Ok(told) = Notification::read(&row, &zone, at(0)) {
            memory.hear(&told, &rules(false), at(0));
        }
        memory.sweep(&rules(true), at(1_000_000));
    }

    #[test]
    fn no_body_harms(body in proptest::collection::vec(any::<u8>(), 0..300), query in ".{0,60}") {
        if let Ok(fields) = fields(&query, &body) {
            let _ = Notification::read(&fields, &zone(), at(0));
        }
    }
}
