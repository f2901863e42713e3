//! Calls: by the portal's telephony, and as activities where that is closed to us.

use super::*;
use crate::crm::{Click, Popup};
use crate::model::call::Direction;
use crate::model::passing::OpenedEntry;
use crate::model::plan::{CallLine, CallRecord, CallStatus, RecordingLink};

const ENTRY: &str = "externalCall.716f1cc568.1790000001";

pub(in crate::crm::bitrix24) fn record(card: Option<Target>) -> CallRecord {
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
        "telephony.externalCall.show" | "telephony.externalCall.hide" => Ok(json!(true)),
        "crm.activity.list" => Ok(json!([])),
        "telephony.externalCall.attachRecord" => Ok(json!({"FILE_ID": 9079})),
        other => panic!("{other}"),
    }
}

/// What is told of a card that was shown or taken away.
fn opened() -> Outcome<Option<String>> {
    Outcome::Done(Some(ENTRY.to_owned()))
}

fn link(entry: &str) -> StepCommand {
    let link = RecordingLink {
        entry: known(Entity::CallRecord, entry),
        on: Some(card(Entity::Contact, "31")),
        by: Role::new("call-record"),
        record: record(None),
        link: "https://box.example/r/token".to_owned(),
        text: "Запись разговора: https://box.example/r/token".to_owned(),
        upload: false,
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
        opened: None,
        at: record(None).at,
    };
    let screen = fixture.adapter.screen().expect("a screen");
    assert_eq!(screen.show(popup).await, opened());
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

fn ringing(users: &[&str]) -> Popup {
    Popup {
        extensions: Vec::new(),
        our_number: None,
        phone: phone("+79161234567"),
        users: users.iter().map(|id| user(id)).collect(),
        entry: key("1", "call-record"),
        opened: None,
        at: record(None).at,
    }
}

#[tokio::test]
async fn a_call_is_registered_by_its_first_card_and_by_no_other() {
    let fixture = Fixture::answering(telephony).await;
    let screen = fixture.adapter.screen().expect("a screen");
    // Both telephones ring in the same moment, the third later.
    let (first, second) = (ringing(&["15"]), ringing(&["12"]));
    let both = futures_util::join!(screen.show(first), screen.show(second));
    assert_eq!(both, (opened(), opened()));
    assert_eq!(screen.show(ringing(&["13"])).await, opened());
    assert_eq!(screen.take_away(ringing(&["12", "13"])).await, opened());
    let requests = calls(&fixture.server);
    let methods: Vec<&str> = requests
        .iter()
        .flatten()
        .map(|one| one.method.rsplit('.').next().unwrap_or_default())
        .collect();
    assert_eq!(methods, ["register", "show", "show", "show", "hide"]);
    for one in requests.iter().skip(1).flatten() {
        assert_eq!(one.param("CALL_ID"), ENTRY, "{one:?}");
    }
}

#[tokio::test]
async fn a_card_after_a_restart_belongs_to_what_the_first_one_opened() {
    for (id, expected) in [
        (Some(ENTRY), vec!["telephony.externalCall.show"]),
        // The answer was lost: by the same values the portal knows the call again.
        (
            None,
            vec![
                "telephony.externalCall.register",
                "telephony.externalCall.show",
            ],
        ),
    ] {
        let fixture = Fixture::answering(telephony).await;
        let screen = fixture.adapter.screen().expect("a screen");
        let popup = Popup {
            opened: Some(OpenedEntry {
                user: user("15"),
                id: id.map(str::to_owned),
            }),
            ..ringing(&["12"])
        };
        assert_eq!(screen.show(popup).await, opened());
        let requests = calls(&fixture.server);
        let methods: Vec<&str> = requests[0].iter().map(|one| one.method.as_str()).collect();
        assert_eq!(methods, expected);
        if id.is_none() {
            assert_eq!(requests[0][0].param("USER_ID"), "15");
        }
        let show = requests[0].last().expect("a card");
        assert_eq!(show.param("USER_ID[0]"), "12");
    }
}

#[tokio::test]
async fn the_end_of_a_call_whose_entry_is_known_finishes_that_and_registers_nothing() {
    let ended = |entry: &str| CallRecord {
        shown_to: Some(user("15")),
        line: Some(CallLine {
            opened: Some(entry.to_owned()),
            ..CallLine::default()
        }),
        ..record(None)
    };
    let fixture = Fixture::answering(telephony).await;
    let outcome = fixture.execute_one(call(ended(ENTRY))).await;
    assert!(matches!(outcome, Outcome::Done(_)), "{outcome:?}");
    let requests = calls(&fixture.server);
    assert_eq!(requests[0].len(), 1);
    assert_eq!(requests[0][0].method, "telephony.externalCall.finish");
    assert_eq!(requests[0][0].param("CALL_ID"), ENTRY);
    // The statistics are closed to us: whether it was ended before cannot be known.
    let fixture = Fixture::answering(|called| match called.method.as_str() {
        "voximplant.statistic.get" => Err(("ACCESS_DENIED", "no")),
        _ => Err(("", "Call is not found (call should be registered prior")),
    })
    .await;
    let outcome = fixture.execute_one(call(ended(ENTRY))).await;
    assert!(matches!(outcome, Outcome::Ambiguous { .. }), "{outcome:?}");
    let look = fixture.adapter.look(call(ended(ENTRY))).await;
    assert_eq!(look, Outcome::Done(Look::Undecidable));
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
        "crm.deal.get" => Ok(json!({"ID": "512", "CONTACT_ID": "31"})),
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

/// A click in the portal, as the rules tell of it.
fn clicked(record: CallRecord, click: &str) -> CallRecord {
    CallRecord {
        direction: Direction::Outgoing,
        line: Some(CallLine {
            our_number: Some("+74951234567".to_owned()),
            click: Some(click.to_owned()),
            ..CallLine::default()
        }),
        ..record
    }
}

const CLICKED: &str = "externalCall.9c9c9c9c.1790000002";
const CLICK: &str = "crm-1790000002.9c9c9c9c";

#[tokio::test]
async fn the_end_of_a_clicked_call_ends_the_portals_own_entry_and_registers_nothing() {
    let fixture = Fixture::answering(telephony).await;
    let outcome = fixture
        .execute_one(call(clicked(record(None), CLICK)))
        .await;
    let Outcome::Done(result) = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!(
        result.card(Entity::CallRecord),
        Some(&card(Entity::CallRecord, CLICKED))
    );
    let requests = calls(&fixture.server);
    let finished: Vec<&Called> = requests.iter().flatten().collect();
    let [finish, _] = finished.as_slice() else {
        panic!("{finished:?}")
    };
    assert_eq!(finish.method, "telephony.externalCall.finish");
    assert_eq!(finish.param("CALL_ID"), CLICKED);
    assert_eq!(
        (finish.param("USER_ID"), finish.param("DURATION")),
        ("12", "95")
    );
}

#[tokio::test]
async fn a_clicked_call_that_was_ended_is_found_and_one_that_is_forgotten_is_registered_anew() {
    for is_ended in [true, false] {
        let fixture = Fixture::answering(move |called| match called.method.as_str() {
            "telephony.externalCall.finish" if called.param("CALL_ID") == CLICKED => Err((
                "",
                "Call is not found (call should be registered prior to finishing",
            )),
            "voximplant.statistic.get" if called.param("FILTER[CALL_ID]") == CLICKED => {
                match is_ended {
                    true => Ok(json!([{
                        "ID": "7", "CALL_ID": CLICKED, "CRM_ENTITY_TYPE": "CONTACT",
                        "CRM_ENTITY_ID": "31",
                    }])),
                    false => Ok(json!([])),
                }
            }
            _ => telephony(called),
        })
        .await;
        let step = call(clicked(record(None), CLICK));
        let Outcome::Done(result) = fixture.execute_one(step.clone()).await else {
            panic!("not done")
        };
        let entry = result.card(Entity::CallRecord).expect("an entry");
        assert_eq!(entry.id, if is_ended { CLICKED } else { ENTRY });
        if is_ended {
            let looked = fixture.adapter.look(step).await;
            assert!(
                matches!(looked, Outcome::Done(Look::Found(_))),
                "{looked:?}"
            );
        }
    }
}

#[tokio::test]
async fn v_14_a_call_asked_for_in_a_callback_form_is_one_to_the_portal() {
    let fixture = Fixture::answering(telephony).await;
    fixture
        .execute_one(call(clicked(record(None), "crm-1790000002.form901")))
        .await;
    let requests = calls(&fixture.server);
    let register = &requests[0][0];
    assert_eq!(register.method, "telephony.externalCall.register");
    assert_eq!(register.param("TYPE"), "4");
}

#[tokio::test]
async fn v_14_the_employee_is_told_in_the_chat_and_our_number_is_the_line_where_that_is_set() {
    let numbered = CallRecord {
        line: Some(CallLine {
            our_number: Some("+74951234567".to_owned()),
            ..CallLine::default()
        }),
        ..record(None)
    };
    for (settings, chat, line) in [
        (json!({}), "0", ""),
        (json!({"message_in_chat": true}), "1", ""),
        (json!({"number_as_line": true}), "0", "+74951234567"),
    ] {
        let fixture = Fixture::with(settings, |asked| batch(asked, telephony)).await;
        let wanted = fixture.adapter.capabilities().calls.names_our_number;
        assert_eq!(wanted, !line.is_empty());
        fixture.execute_one(call(numbered.clone())).await;
        let requests = calls(&fixture.server);
        let [register, finish] = requests[0].as_slice() else {
            panic!("{requests:?}")
        };
        assert_eq!(register.param("LINE_NUMBER"), line);
        // One message, at the end.
        assert_eq!(register.param("ADD_TO_CHAT"), "0");
        assert_eq!(finish.param("ADD_TO_CHAT"), chat);
    }
}

#[tokio::test]
async fn v_14_the_line_of_a_call_whose_card_was_shown_is_told_with_the_card() {
    let settings = json!({"number_as_line": true});
    let fixture = Fixture::with(settings, |asked| batch(asked, telephony)).await;
    let popup = Popup {
        extensions: Vec::new(),
        our_number: Some("+74951234567".to_owned()),
        phone: phone("+79161234567"),
        users: vec![user("15")],
        entry: key("1", "call-record"),
        opened: None,
        at: record(None).at,
    };
    let screen = fixture.adapter.screen().expect("a screen");
    assert_eq!(screen.show(popup).await, opened());
    let shown = CallRecord {
        shown_to: Some(user("15")),
        line: Some(CallLine {
            // The phone system may say it otherwise at the end: the call would be another one.
            our_number: Some("84951234567".to_owned()),
            ..CallLine::default()
        }),
        ..record(None)
    };
    fixture.execute_one(call(shown)).await;
    let requests = calls(&fixture.server);
    assert_eq!(requests[0][0].param("LINE_NUMBER"), "+74951234567");
    assert_eq!(requests[1][0].method, "telephony.externalCall.register");
    assert_eq!(requests[1][0].param("LINE_NUMBER"), "");
}

#[tokio::test]
async fn a_click_that_was_taken_is_taken_no_more_in_any_later_life() {
    let fixture = Fixture::answering(telephony).await;
    let click = |name: &str| Click {
        name: name.to_owned(),
        user: Some(user("12")),
        phone: "+79161234567".to_owned(),
        at: time(SENT),
    };
    let (first, second) = (click("1790000002.9c"), click("1790000003.9d"));
    let setup = &fixture.adapter.setup;
    let both = [first.clone(), first.clone()];
    assert_eq!(setup.take_clicks(&both).await, Ok(vec![first.clone()]));
    let again = SetupKeeper::new(fixture.vault.clone());
    let found = [first.clone(), second.clone()];
    assert_eq!(again.take_clicks(&found).await, Ok(vec![second]));
    // What was found out of the portal stands there all the same.
    let kept = fixture
        .vault
        .setup
        .lock()
        .expect("no panic")
        .clone()
        .expect("kept");
    assert_eq!(
        (&kept["leads"], &kept["telephony_closed"]),
        (&json!(true), &json!(false))
    );
}
