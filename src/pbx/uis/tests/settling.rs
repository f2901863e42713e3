//! What is ended, forgotten, looked for and bounded.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::super::memory::{Heard, Memory, Report};
use super::super::notification::Notification;
use super::super::{chat_row, request_row, row::Row};
use super::words::{answered, at, call, row, rules, told, written, zone};
use crate::model::chat::{Author, ChatPhase};
use crate::model::communication::{Body, Kind};
use crate::model::number_rules::NumberRules;

const HOUR: u64 = 3_600;

fn memory() -> Memory {
    let mut memory = Memory::default();
    memory.since = Some(at(0));
    memory
}

#[test]
fn a_call_whose_end_nobody_told_is_ended_and_says_so() {
    let (mut memory, rules) = (memory(), rules(false));
    memory.hear(&answered()[0], &rules, at(1));
    assert_eq!(memory.open_calls(), 1);
    assert_eq!(memory.sweep(&rules, at(HOUR)), (vec![], vec![], false));
    let (shown, _, changed) = memory.sweep(&rules, at(5 * HOUR));
    assert!(changed);
    let call = call(&shown[0]);
    assert!(call.is_over());
    assert!(
        call.blind
            .as_ref()
            .is_some_and(|why| why.contains("did not tell"))
    );
    assert_eq!(memory.open_calls(), 0);
    // Nothing of it is left in the end.
    memory.sweep(&rules, at(30 * HOUR));
    memory.sweep(&rules, at(60 * HOUR));
    let left = serde_json::to_value(&memory).expect("it can be written");
    assert_eq!((&left["live"], &left["settled"]), (&json!({}), &json!({})));
}

#[test]
fn a_call_from_before_the_first_start_is_not_taken() {
    let (mut memory, rules) = (memory(), rules(true));
    memory.since = Some(at(HOUR));
    assert_eq!(memory.take_call(row(json!({})), &rules, at(HOUR)), None);
}

#[test]
fn a_window_reaches_back_to_the_oldest_call_that_goes_on() {
    let (mut memory, rules) = (memory(), rules(true));
    let now = at(10 * HOUR);
    memory.read_until.insert(Report::Calls, now);
    assert_eq!(memory.read_from(Report::Calls, &rules, now), at(9 * HOUR));
    let ongoing =
        json!({ "finish_time": null, "talk_duration": null, "start_time": written(2 * HOUR) });
    memory
        .take_call(row(ongoing), &rules, now)
        .expect("a picture");
    assert_eq!(memory.open_calls(), 1);
    let from = memory.read_from(Report::Calls, &rules, now);
    assert_eq!(from, at(2 * HOUR - 60));
}

fn request_told(second: u64) -> Notification {
    let fields: Map<String, Value> = json!({
        "event": "offline_message", "communication_id": 70_031, "notification_time": written(second),
        "visitor_name": "Пётр", "visitor_phone_number": 79_165_550_011_u64, "text": "Нужен расчёт",
    })
    .as_object()
    .cloned()
    .expect("an object");
    Notification::read(&fields, &zone(), at(86_400)).expect("a notification")
}

#[test]
fn a_request_that_was_told_of_is_looked_for_until_the_report_has_it() {
    let (mut memory, rules) = (memory(), rules(true));
    let told = request_told(10);
    assert_eq!(
        memory.hear(&told, &rules, at(11)),
        Heard::ReadSoon { changed: true }
    );
    assert_eq!(
        memory.hear(&told, &rules, at(12)),
        Heard::ReadSoon { changed: false }
    );
    assert_eq!(memory.wanted(), 1);
    let value = json!({ "id": 70_031, "communication_id": 70_031, "date_time": written(10),
        "visitor_name": "Пётр", "visitor_phone_number": 79_165_550_011_u64,
        "visitor_email": "p@example.org", "text": "Нужен расчёт", "form_name": "Калькулятор",
        "utm_source": "yandex", "site_domain_name": "shop.example" });
    let object = value.as_object().expect("an object");
    let read = || request_row::read(object, &NumberRules::default(), &zone()).expect("a row");
    let shown = memory
        .take_request(read(), &rules, at(20))
        .expect("a picture");
    assert_eq!(shown.key.to_string(), "acme/cloud/request-70031");
    let Body::Request { request } = &shown.body else {
        panic!("{shown:?}");
    };
    assert_eq!(
        request.phone.as_ref().map(ToString::to_string).as_deref(),
        Some("+79165550011")
    );
    assert_eq!(request.form.as_deref(), Some("Калькулятор"));
    assert_eq!(
        request.details.get("utm_source").map(String::as_str),
        Some("yandex")
    );
    assert_eq!(memory.wanted(), 0);
    assert_eq!(memory.take_request(read(), &rules, at(30)), None);
}

#[test]
fn what_no_report_ever_has_is_given_up_after_a_day_and_the_journal_says_so() {
    let (mut memory, rules) = (memory(), rules(true));
    memory.hear(&request_told(10), &rules, at(11));
    let (_, words, _) = memory.sweep(&rules, at(25 * HOUR));
    assert_eq!(words.len(), 1);
    assert!(words[0].contains("request:70031"), "{words:?}");
    assert_eq!(memory.wanted(), 0);
}

#[test]
fn without_reports_a_request_is_what_its_notification_says() {
    let (mut memory, rules) = (memory(), rules(false));
    let Heard::News(shown) = memory.hear(&request_told(10), &rules, at(11)) else {
        panic!("no news");
    };
    assert_eq!(shown.len(), 1);
    assert_eq!(memory.hear(&request_told(10), &rules, at(12)), Heard::Known);
    let chat = Notification {
        event: super::super::notification::Event::Chat,
        ..request_told(10)
    };
    assert_eq!(memory.hear(&chat, &rules, at(12)), Heard::NoReports);
}

fn chat(more: &Value) -> chat_row::ChatRow {
    let mut value = json!({ "id": 5_001, "communication_id": 5_001, "date_time": written(0),
        "duration": "100", "status": "active", "chat_channel_type": "telegram", "chat_user_id": "tg7",
        "chat_username": "maria", "employee_id": 501, "is_group_chat": false,
        "visitor_phone_number": 79_161_112_233_u64 });
    for (key, one) in more.as_object().expect("an object") {
        value[key] = one.clone();
    }
    let row = Row::of(&value).expect("an object");
    chat_row::read(row, &NumberRules::default(), &zone()).expect("a row")
}

fn message(id: u64, second: u64, source: &str) -> crate::model::chat::Message {
    let value = json!({ "id": id, "chat_id": 5_001, "date_time": written(second), "source": source,
        "text": "слово", "employee_id": (source == "operator").then_some(501) });
    let row = Row::of(&value).expect("an object");
    chat_row::read_message(row, &zone()).expect("a row").message
}

fn place(second: u64) -> chat_row::Place {
    chat_row::place(&message(second + 1, second, "visitor"))
}

#[test]
fn a_chat_grows_and_a_message_in_a_closed_one_makes_a_new_picture() {
    let (mut memory, rules) = (memory(), rules(true));
    let new = chat(&json!({ "status": "new", "employee_id": null }));
    assert!(memory.chat_changed(&new, None));
    let first = memory.take_chat(new.clone(), vec![message(1, 0, "visitor")], &rules, at(5));
    let first = first.expect("a picture");
    assert_eq!(first.key.to_string(), "acme/cloud/chat-5001");
    assert_eq!(memory.open_ids(Kind::Chat), ["5001"]);
    assert!(!memory.chat_changed(&new, Some(&place(0))));
    assert!(memory.chat_changed(&new, Some(&place(3))));

    let closed = chat(&json!({ "status": "succeed", "release_cause": "closed_by_operator" }));
    let messages = vec![message(2, 30, "operator"), message(1, 0, "visitor")];
    let ended = memory.take_chat(closed.clone(), messages.clone(), &rules, at(120));
    let ended = ended.expect("a picture");
    let Body::Chat { chat } = &ended.body else {
        panic!("{ended:?}");
    };
    assert_eq!(
        (chat.phase, chat.ended_at),
        (ChatPhase::Ended, Some(at(100)))
    );
    let ids: Vec<&str> = chat.messages.iter().map(|one| one.id.as_str()).collect();
    assert_eq!(ids, ["1", "2"]);
    assert!(matches!(&chat.messages[1].author, Author::Employee { login } if login.0 == "501"));
    assert_eq!(memory.open_ids(Kind::Chat), Vec::<String>::new());
    assert_eq!(
        memory.take_chat(closed.clone(), messages, &rules, at(130)),
        None
    );

    // Another message of the second in which the last one was written, too.
    assert!(!memory.chat_changed(&closed, Some(&chat_row::place(&message(2, 30, "operator")))));
    assert!(memory.chat_changed(&closed, Some(&chat_row::place(&message(3, 30, "visitor")))));
    assert!(memory.chat_changed(&closed, Some(&place(500))));
    let three = vec![
        message(1, 0, "visitor"),
        message(2, 30, "operator"),
        message(3, 500, "visitor"),
    ];
    let again = memory
        .take_chat(closed, three, &rules, at(510))
        .expect("a picture");
    assert!(again.revision > ended.revision && ended.revision > first.revision);
}

#[test]
fn a_group_has_no_client_and_a_lost_chat_is_told() {
    let group = chat(&json!({ "is_group_chat": true, "chat_username": "Родители 5Б" })).chat;
    assert_eq!(group.group.as_deref(), Some("Родители 5Б"));
    assert_eq!((group.phone, group.name), (None, None));
    let lost = chat(&json!({ "status": "lost", "employee_id": null })).chat;
    assert!(lost.lost && lost.phase == ChatPhase::Ended);
    let site =
        chat(&json!({ "chat_channel_type": "comagic", "chat_user_id": null, "visitor_id": 9 }));
    assert_eq!(
        (site.chat.channel.as_str(), site.chat.visitor.as_str()),
        ("site", "9")
    );
}

#[test]
fn an_old_chat_is_read_only_where_something_new_stands_in_it() {
    let mut memory = memory();
    memory.since = Some(at(10 * HOUR));
    let old = chat(&json!({}));
    assert!(!memory.chat_changed(&old, None));
    assert!(!memory.chat_changed(&old, Some(&place(HOUR))));
    assert!(memory.chat_changed(&old, Some(&place(11 * HOUR))));
}

#[test]
fn what_was_settled_is_forgotten_after_the_reports_look_back_no_more() {
    let (mut memory, rules) = (memory(), rules(true));
    let first = memory
        .take_call(row(json!({})), &rules, at(90))
        .expect("a picture");
    assert!(!memory.sweep(&rules, at(HOUR)).2);
    assert!(memory.sweep(&rules, at(8 * HOUR)).2);
    // Should it come once more all the same, its picture is newer than the stored one and equal.
    let again = memory
        .take_call(row(json!({})), &rules, at(8 * HOUR))
        .expect("a picture");
    assert!(again.revision > first.revision);
    assert_eq!(again.body, first.body);
}

#[test]
fn a_notification_that_is_a_day_late_is_left_out() {
    let (mut memory, rules) = (memory(), rules(false));
    let late = told("call_finished", 0, json!({ "talk_time_duration": 5 }));
    let now = at(25 * HOUR).plus(Duration::from_secs(1));
    assert_eq!(memory.hear(&late, &rules, now), Heard::TooLate);
}
