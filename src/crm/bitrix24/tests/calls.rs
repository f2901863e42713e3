//! Calls: by the portal's telephony, and as activities where that is closed to us.

use super::*;
use crate::crm::Popup;
use crate::model::call::Direction;
use crate::model::plan::{CallRecord, CallStatus, RecordingLink};

const ENTRY: &str = "externalCall.716f1cc568.1790000001";

fn record(card: Option<Target>) -> CallRecord {
    CallRecord {
        card,
        direction: Direction::Incoming,
        phone: phone("+79161234567"),
        status: CallStatus::Talked,
        talk_s: 95,
        at: time("2026-11-20T08:55:00Z"),
        employee: Some(user("12")),
        link: None,
        source_name: "Офис".to_owned(),
        shown_to: None,
        line: None,
    }
}

fn call(record: CallRecord) -> StepCommand {
    command("1", "call-record", Effect::RecordCall(record))
}

/// A portal that takes every call.
fn telephony(called: &Called) -> Said {
    match called.method.as_str() {
        "telephony.externalCall.register" => Ok(json!({
            "CALL_ID": ENTRY, "CRM_CREATED_LEAD": null, "CRM_CREATED_ENTITIES": [],
        })),
        "telephony.externalCall.finish" => Ok(json!({
            "CALL_ID": ENTRY, "CRM_ACTIVITY_ID": 7943, "CRM_ENTITY_TYPE": "CONTACT",
            "CRM_ENTITY_ID": 31, "CALL_START_DATE": {},
        })),
        "telephony.externalCall.show" => Ok(json!(true)),
        "crm.activity.list" => Ok(json!([])),
        "telephony.externalCall.attachRecord" => Ok(json!({"FILE_ID": 9079})),
        other => panic!("{other}"),
    }
}

fn link(entry: &str) -> StepCommand {
    let link = RecordingLink {
        entry: known(Entity::CallRecord, entry),
        on: Some(card(Entity::Contact, "31")),
        by: Role::new("call-record"),
        record: record(None),
        link: "https://box.example/r/token".to_owned(),
        text: "Запись разговора: https://box.example/r/token".to_owned(),
    };
    command("1", "recording", Effect::LinkRecording(link))
}

#[tokio::test]
async fn a_call_is_registered_and_finished_in_one_request() {
    let fixture = Fixture::answering(telephony).await;
    let Outcome::Done(result) = fixture.execute_one(call(record(None))).await else {
        panic!("not done")
    };
    let cards = [card(Entity::CallRecord, ENTRY), card(Entity::Contact, "31")];
    assert_eq!(result.cards, cards);
    let missed = CallRecord {
        card: Some(known(Entity::Company, "4")),
        status: CallStatus::NoAnswer,
        talk_s: 0,
        ..record(None)
    };
    fixture.execute_one(call(missed)).await;
    insta::assert_snapshot!(fixture.told());
    let text = fixture.server.asked()[0].body["cmd"]["c001"].to_string();
    assert!(text.contains("CALL_ID=$result[c000][CALL_ID]"), "{text}");
}

#[tokio::test]
async fn the_end_of_a_call_finishes_what_its_card_began() {
    let fixture = Fixture::answering(telephony).await;
    let popup = Popup {
        extensions: Vec::new(),
        our_number: None,
        phone: phone("+79161234567"),
        users: vec![user("15"), user("12")],
        entry: key("1", "call-record"),
        at: record(None).at,
    };
    let screen = fixture.adapter.screen().expect("a screen");
    assert_eq!(screen.show(popup).await, Outcome::Done(()));
    let shown = CallRecord {
        shown_to: Some(user("15")),
        ..record(None)
    };
    fixture.execute_one(call(shown)).await;
    let requests = calls(&fixture.server);
    let [ringing, ended, _] = requests.as_slice() else {
        panic!("{requests:?}")
    };
    // By these the portal knows that it is the same call.
    for name in [
        "USER_ID",
        "PHONE_NUMBER",
        "TYPE",
        "EXTERNAL_CALL_ID",
        "CALL_START_DATE",
    ] {
        assert!(!ringing[0].param(name).is_empty(), "{name}");
        assert_eq!(ringing[0].param(name), ended[0].param(name), "{name}");
    }
    assert_eq!(ringing[1].param("USER_ID[0]"), "15");
    assert_eq!(ringing[1].param("USER_ID[1]"), "12");
    assert_eq!(ended[1].param("USER_ID"), "12", "who talked");
}

/// A portal in which the client has these open calls; the one with the id 9 cannot be changed now.
fn with_open_calls(called: &Called) -> Said {
    match (called.method.as_str(), called.param("id")) {
        ("crm.activity.list", _) => Ok(json!([
            {"ID": "7", "DIRECTION": "1", "COMPLETED": "N", "START_TIME": "2026-11-19T10:00:00+03:00"},
            {"ID": "8", "DIRECTION": "1", "COMPLETED": "N", "START_TIME": "2026-11-20T11:56:00+03:00"},
            {"ID": "10", "DIRECTION": "2", "COMPLETED": "N", "START_TIME": "2026-11-19T10:00:00+03:00"},
        ])),
        ("crm.activity.update", _) => Ok(json!(true)),
        _ => telephony(called),
    }
}

#[tokio::test]
async fn v_04_a_talk_settles_the_misses_before_it_and_no_others() {
    let fixture = Fixture::answering(with_open_calls).await;
    let done = fixture.execute_one(call(record(None))).await;
    assert!(matches!(done, Outcome::Done(_)), "{done:?}");
    let requests = calls(&fixture.server);
    let updated: Vec<&Called> = requests
        .iter()
        .flatten()
        .filter(|one| one.method == "crm.activity.update")
        .collect();
    let [update] = updated.as_slice() else {
        panic!("{updated:?}")
    };
    assert_eq!(
        (update.param("id"), update.param("fields[COMPLETED]")),
        ("7", "Y")
    );
    let list = requests
        .iter()
        .flatten()
        .find(|one| one.method == "crm.activity.list");
    let list = list.expect("asked");
    assert_eq!(list.param("filter[BINDINGS][0][OWNER_ID]"), "31");
}

#[tokio::test]
async fn v_04_misses_that_could_not_be_settled_are_settled_after_the_call_was_found_again() {
    let mut updates = 0;
    let marker = call(record(None)).key.marker();
    let fixture = Fixture::answering(move |called| match called.method.as_str() {
        "crm.activity.update" => {
            updates += 1;
            match updates {
                1 => Err(("QUERY_LIMIT_EXCEEDED", "Too many requests")),
                _ => Ok(json!(true)),
            }
        }
        "voximplant.statistic.get" => Ok(json!([
            {"ID": "7", "CALL_ID": ENTRY, "EXTERNAL_CALL_ID": marker,
             "CRM_ENTITY_TYPE": "CONTACT", "CRM_ENTITY_ID": "31"},
        ])),
        _ => with_open_calls(called),
    })
    .await;
    let unsettled = fixture.execute_one(call(record(None))).await;
    assert!(
        matches!(unsettled, Outcome::Ambiguous { .. }),
        "{unsettled:?}"
    );
    let found = fixture.adapter.look(call(record(None))).await;
    assert!(matches!(found, Outcome::Done(Look::Found(_))), "{found:?}");
    let requests = calls(&fixture.server);
    let methods = requests.iter().flatten().map(|one| one.method.as_str());
    let count = |of: &str| methods.clone().filter(|method| *method == of).count();
    assert_eq!(
        (
            count("telephony.externalCall.finish"),
            count("crm.activity.update")
        ),
        (1, 2)
    );
}

#[tokio::test]
async fn a_user_who_left_costs_no_call() {
    let fixture = Fixture::answering(|called| match called.param("USER_ID") {
        "12" => Err(("ERROR_CORE", "User is not found or is not active")),
        _ => telephony(called),
    })
    .await;
    let Outcome::Done(result) = fixture.execute_one(call(record(None))).await else {
        panic!("lost")
    };
    assert!(
        result
            .note
            .is_some_and(|note| note.contains("no active user"))
    );
}

#[tokio::test]
async fn a_call_whose_end_was_taken_already_is_looked_for_in_the_statistics() {
    let marker = call(record(None)).key.marker();
    let fixture = Fixture::answering(move |called| match called.method.as_str() {
        "telephony.externalCall.finish" => Err((
            "",
            "Call is not found (call should be registered prior to finishing",
        )),
        "crm.activity.list" => Ok(json!([])),
        "voximplant.statistic.get" => Ok(json!([
            {"ID": "6", "CALL_ID": "other", "EXTERNAL_CALL_ID": null},
            {"ID": "7", "CALL_ID": ENTRY, "EXTERNAL_CALL_ID": marker,
             "CRM_ENTITY_TYPE": "CONTACT", "CRM_ENTITY_ID": "31"},
        ])),
        _ => telephony(called),
    })
    .await;
    let outcome = fixture.execute_one(call(record(None))).await;
    assert!(matches!(outcome, Outcome::Ambiguous { .. }), "{outcome:?}");
    let Outcome::Done(Look::Found(result)) = fixture.adapter.look(call(record(None))).await else {
        panic!("not found")
    };
    assert_eq!(
        result.cards,
        [card(Entity::CallRecord, ENTRY), card(Entity::Contact, "31")]
    );
}

#[tokio::test]
async fn where_the_statistics_are_closed_a_lost_answer_cannot_be_decided() {
    let fixture = Fixture::answering(|_| Err(("ACCESS_DENIED", "no"))).await;
    let look = fixture.adapter.look(call(record(None))).await;
    assert_eq!(look, Outcome::Done(Look::Undecidable));
}

#[tokio::test]
async fn where_telephony_is_closed_a_call_is_an_activity() {
    let fixture = Fixture::answering(|called| match called.method.as_str() {
        "telephony.externalCall.register" => {
            Err(("WRONG_AUTH_TYPE", "Application context required"))
        }
        "telephony.externalCall.finish" => Err(("", "Call is not found (")),
        "crm.duplicate.findbycomm" => Ok(json!({"CONTACT": [31]})),
        "crm.activity.add" => Ok(json!(7944)),
        "crm.activity.list" => Ok(json!([])),
        "crm.timeline.comment.add" => Ok(json!(7946)),
        other => panic!("{other}"),
    })
    .await;
    let on_deal = CallRecord {
        card: Some(known(Entity::Deal, "512")),
        ..record(None)
    };
    for _ in 0..2 {
        let Outcome::Done(result) = fixture.execute_one(call(on_deal.clone())).await else {
            panic!("lost")
        };
        assert_eq!(
            result.cards,
            [card(Entity::CallRecord, "7944"), card(Entity::Deal, "512")]
        );
    }
    let linked = fixture.execute_one(link("7944")).await;
    assert!(matches!(linked, Outcome::Done(_)), "{linked:?}");
    // Telephony is tried once.
    insta::assert_snapshot!(fixture.told());
    assert!(!fixture.adapter.capabilities().calls.opened_by_card);
}

#[tokio::test]
async fn a_recording_is_fetched_by_the_portal_once_the_call_is_in_its_statistics() {
    let fixture = Fixture::answering(telephony).await;
    let linked = fixture.execute_one(link(ENTRY)).await;
    assert!(matches!(linked, Outcome::Done(_)), "{linked:?}");
    let asked = &calls(&fixture.server)[0][0];
    assert_eq!(asked.param("RECORD_URL"), "https://box.example/r/token");

    let text = "Call is not found in the statistic table. Looks like it is not finished yet.";
    let fixture = Fixture::answering(move |_| Err(("ERROR_CORE", text))).await;
    let early = fixture.execute_one(link(ENTRY)).await;
    assert!(matches!(early, Outcome::NotApplied(_)), "{early:?}");
}
