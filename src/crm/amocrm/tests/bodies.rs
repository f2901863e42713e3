//! What goes over the wire, item by item.

use super::super::map;
use super::*;

/// Shows path and body of a command's item.
fn shown(command: &StepCommand) -> String {
    let item = map::item(command, &set_up()).expect("a permitted step");
    let body = serde_json::to_string_pretty(&item.body).expect("text");
    format!("POST {}\n{body}", item.path)
}

#[test]
fn bodies_of_every_kind_of_step() {
    insta::assert_snapshot!("contact", shown(&contact("1")));
    insta::assert_snapshot!("deal", shown(&deal("1")));
    insta::assert_snapshot!("unsorted_sip", shown(&incoming_unsorted("1")));
    insta::assert_snapshot!("unsorted_forms", shown(&form_unsorted("1")));
    let on_contact = known(Entity::Contact, "7001");
    insta::assert_snapshot!(
        "call_note",
        shown(&call_record("1", on_contact, Some("501")))
    );
    insta::assert_snapshot!("call", shown(&call_record("1", None, Some("501"))));
    insta::assert_snapshot!("task", shown(&task("1", known(Entity::Deal, "9001"))));
}

#[test]
fn no_body_holds_a_null_whatever_is_unknown() {
    fn nulls(value: &Value) -> bool {
        match value {
            Value::Null => true,
            Value::Array(items) => items.iter().any(nulls),
            Value::Object(map) => map.values().any(nulls),
            Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
        }
    }
    let mut bare_contact = contact("1");
    if let Effect::CreateContact(contact) = &mut bare_contact.effect {
        contact.responsible = None;
        contact.phones.clear();
        contact.emails.clear();
        contact.tags.clear();
    }
    let mut bare_unsorted = unsorted(
        "1",
        UnsortedForm::IncomingCall {
            talk_s: 0,
            callee: None,
            link: None,
        },
    );
    if let Effect::CreateUnsorted(unsorted) = &mut bare_unsorted.effect {
        unsorted.phone = None;
        unsorted.tags.clear();
    }
    let mut bare_call = call_record("1", known(Entity::Company, "8001"), None);
    let mut bare_search = call_record("1", None, None);
    for command in [&mut bare_call, &mut bare_search] {
        if let Effect::RecordCall(record) = &mut command.effect {
            record.link = None;
        }
    }
    for command in [
        bare_contact,
        deal("1"),
        bare_unsorted,
        bare_call,
        bare_search,
        task("1", None),
    ] {
        let bare = Setup::default();
        let item = map::item(&command, &bare).expect("a permitted step");
        assert!(!nulls(&item.body), "{}", item.body);
    }
}

#[test]
fn a_call_keeps_its_own_time_and_each_outcome_its_own_code() {
    for (status, code) in [
        (CallStatus::Talked, 4),
        (CallStatus::WrongNumber, 5),
        (CallStatus::NoAnswer, 6),
        (CallStatus::Busy, 7),
    ] {
        let mut command = call_record("1", known(Entity::Deal, "9001"), None);
        if let Effect::RecordCall(record) = &mut command.effect {
            record.status = status;
            record.direction = Direction::Outgoing;
        }
        let item = map::item(&command, &set_up()).expect("a permitted step");
        assert_eq!(item.body["params"]["call_status"], code);
        assert_eq!(item.body["note_type"], "call_out");
        assert_eq!(
            item.body["created_at"],
            time("2026-11-20T08:55:00Z").as_secs()
        );
        assert_eq!(item.path, "/api/v4/leads/notes");
    }
}

#[test]
fn what_amocrm_has_no_word_for_is_refused_unsent() {
    let mut bad_stage = deal("1");
    if let Effect::CreateDeal(deal) = &mut bad_stage.effect {
        deal.stage = "NEW".to_owned();
    }
    let unresolved = call_record(
        "1",
        Some(Target::Made {
            by: Role::new("contact"),
            entity: Entity::Contact,
        }),
        None,
    );
    let on_task = task("1", known(Entity::Task, "1"));
    let bad_user = call_record("1", None, Some("ivanov"));
    for command in [bad_stage, unresolved, on_task, bad_user] {
        let refused = map::item(&command, &set_up());
        assert!(refused.is_err(), "{refused:?}");
    }
}

#[test]
fn a_forms_text_stands_in_its_name_and_a_long_one_is_seen_to_be_cut() {
    for (text, shown) in [
        (None, "Заявка".to_owned()),
        (Some("цена?".to_owned()), "Заявка: цена?".to_owned()),
        (
            Some("ж".repeat(400)),
            format!("Заявка: {}…", "ж".repeat(246)),
        ),
    ] {
        let form = UnsortedForm::Form {
            name: "Заявка".to_owned(),
            text,
            page: None,
        };
        let item = map::item(&unsorted("1", form), &set_up()).expect("a permitted step");
        assert_eq!(item.body["metadata"]["form_name"], shown.as_str());
    }
}
