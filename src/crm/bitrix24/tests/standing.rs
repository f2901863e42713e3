//! Calls that the portal put on no card, and the activity of ours that stands for them.

use super::calls::record;
use super::*;
use crate::model::plan::{CallRecord, CallStatus, RecordingLink};

const ENTRY: &str = "externalCall.716f1cc568.1790000001";
const OURS: &str = "7944";

/// What the portal holds of the client: the deal 512 has the contact 31.
fn call_on(card: Option<Target>) -> StepCommand {
    let record = CallRecord {
        shown_to: Some(user("15")),
        ..record(card)
    };
    command("1", "call-record", Effect::RecordCall(record))
}

/// A step that was sent before, and whose answer is settled.
fn again(step: StepCommand) -> StepCommand {
    StepCommand {
        first_sent_at: SystemClock.now().minus(Duration::from_secs(120)),
        ..step
    }
}

/// A portal that puts calls on no card: what its finish says, and whether our activity is there.
fn lonely(called: &Called, finish: &Value, ours: bool) -> Said {
    let marker = key("1", "call-record").marker();
    match called.method.as_str() {
        "telephony.externalCall.register" => Ok(json!({ "CALL_ID": ENTRY })),
        "telephony.externalCall.finish" => Ok(finish.clone()),
        "crm.deal.get" => Ok(json!({ "ID": "512", "CONTACT_ID": "31", "COMPANY_ID": "0" })),
        "crm.activity.add" => Ok(json!(7944)),
        "crm.activity.update" => Ok(json!(true)),
        "crm.activity.list" if asks_for_ours(called) => Ok(match ours {
            true => {
                json!([{ "ID": "7", "ORIGIN_ID": "another" }, { "ID": OURS, "ORIGIN_ID": marker }])
            }
            false => json!([{ "ID": "7", "ORIGIN_ID": "another" }]),
        }),
        "crm.activity.list" => Ok(json!([])),
        "voximplant.statistic.get" => Ok(json!([{
            "ID": "7", "CALL_ID": ENTRY, "EXTERNAL_CALL_ID": marker, "CRM_ENTITY_TYPE": null,
            "CRM_ENTITY_ID": null, "CRM_ACTIVITY_ID": null,
        }])),
        "telephony.externalCall.attachRecord" => Ok(json!({ "FILE_ID": 9079 })),
        other => panic!("{other}"),
    }
}

/// Says whether a list of activities is asked for in order to find ours.
fn asks_for_ours(called: &Called) -> bool {
    called.params.values().any(|value| value == "ORIGIN_ID")
}

fn nowhere() -> Value {
    json!({ "CALL_ID": ENTRY, "CRM_ACTIVITY_ID": false, "CRM_ENTITY_TYPE": null,
        "CRM_ENTITY_ID": null, "ERRORS": { "ACTIVITY_CREATION": "no entity" } })
}

fn methods(fixture: &Fixture) -> Vec<String> {
    let requests = calls(&fixture.server);
    requests
        .into_iter()
        .flatten()
        .map(|one| one.method)
        .collect()
}

fn count(fixture: &Fixture, method: &str) -> usize {
    methods(fixture).iter().filter(|one| *one == method).count()
}

#[tokio::test]
async fn a_call_that_stands_on_no_card_gets_an_activity_of_ours_on_the_card_that_it_made() {
    for (on, owner) in [
        (card(Entity::Deal, "512"), ["2", "512"]),
        (card(Entity::Contact, "31"), ["3", "31"]),
    ] {
        let fixture = Fixture::answering(|called| lonely(called, &nowhere(), false)).await;
        let target = Target::Known { card: on.clone() };
        let outcome = fixture.execute_one(call_on(Some(target))).await;
        let Outcome::Done(result) = outcome else {
            panic!("{outcome:?}")
        };
        assert_eq!(result.cards, [card(Entity::CallRecord, ENTRY), on]);
        assert_eq!(result.note, None);
        let requests = calls(&fixture.server);
        let added = requests.iter().flatten();
        let added: Vec<&Called> = added
            .filter(|one| one.method == "crm.activity.add")
            .collect();
        let [add] = added.as_slice() else {
            panic!("{added:?}")
        };
        let told = ["fields[OWNER_TYPE_ID]", "fields[OWNER_ID]"].map(|name| add.param(name));
        assert_eq!(told, owner);
        assert_eq!(add.param("fields[COMMUNICATIONS][0][ENTITY_ID]"), "31");
        assert_eq!(
            add.param("fields[ORIGIN_ID]"),
            key("1", "call-record").marker()
        );
        assert_eq!(add.param("fields[COMPLETED]"), "Y");
    }
}

#[tokio::test]
async fn v_04_a_missed_call_that_stands_on_no_card_leaves_an_open_activity() {
    let fixture = Fixture::answering(|called| lonely(called, &nowhere(), false)).await;
    let mut step = call_on(Some(known(Entity::Contact, "31")));
    if let Effect::RecordCall(record) = &mut step.effect {
        (record.status, record.talk_s) = (CallStatus::NoAnswer, 0);
    }
    fixture.execute_one(step).await;
    let requests = calls(&fixture.server);
    let add = requests.iter().flatten();
    let add = add.last().expect("asked");
    assert_eq!(
        (add.method.as_str(), add.param("fields[COMPLETED]")),
        ("crm.activity.add", "N")
    );
}

#[tokio::test]
async fn what_the_portal_itself_put_on_a_card_gets_no_second_activity() {
    for finish in [
        json!({ "CALL_ID": ENTRY, "CRM_ACTIVITY_ID": 7943, "CRM_ENTITY_TYPE": "CONTACT",
            "CRM_ENTITY_ID": 31 }),
        // It says which activity, and not where.
        json!({ "CALL_ID": ENTRY, "CRM_ACTIVITY_ID": "7943" }),
    ] {
        let fixture = Fixture::answering(move |called| lonely(called, &finish, false)).await;
        let step = call_on(Some(known(Entity::Contact, "31")));
        let outcome = fixture.execute_one(step).await;
        assert!(matches!(outcome, Outcome::Done(_)), "{outcome:?}");
        assert_eq!(count(&fixture, "crm.activity.add"), 0);
    }
}

#[tokio::test]
async fn a_call_of_nobody_stands_in_the_statistics_and_says_so() {
    let fixture = Fixture::answering(|called| lonely(called, &nowhere(), false)).await;
    let Outcome::Done(result) = fixture.execute_one(call_on(None)).await else {
        panic!("not done")
    };
    let note = result.note.expect("said");
    assert!(note.contains("statistics only"), "{note}");
    assert_eq!(count(&fixture, "crm.activity.add"), 0);
}

#[tokio::test]
async fn an_activity_whose_answer_was_lost_is_found_and_one_that_is_not_there_is_made_and_no_call()
{
    for ours in [true, false] {
        let fixture = Fixture::answering(move |called| lonely(called, &nowhere(), ours)).await;
        let step = again(call_on(Some(known(Entity::Deal, "512"))));
        let looked = fixture.adapter.look(step.clone()).await;
        match (ours, looked) {
            (true, Outcome::Done(Look::Found(found))) => {
                let cards = [card(Entity::CallRecord, ENTRY), card(Entity::Deal, "512")];
                assert_eq!(found.cards, cards);
            }
            // Half of it is there: the step is sent again.
            (false, Outcome::Done(Look::Absent)) => {}
            (_, looked) => panic!("{looked:?}"),
        }
        let outcome = fixture.execute_one(step).await;
        assert!(matches!(outcome, Outcome::Done(_)), "{outcome:?}");
        assert_eq!(count(&fixture, "telephony.externalCall.register"), 0);
        assert_eq!(count(&fixture, "crm.activity.add"), usize::from(!ours));
    }
}

#[tokio::test]
async fn where_only_a_question_failed_the_look_makes_the_activity_and_nobody_waits() {
    for lost in [false, true] {
        let (mut questions, mut adds) = (0, 0);
        let fixture = Fixture::start(move |asked| {
            let text = asked.body["cmd"].to_string();
            if text.contains("crm.deal.get") {
                questions += 1;
                if questions == 1 {
                    return Reply::Lost;
                }
            }
            if text.contains("crm.activity.add") {
                adds += 1;
                if lost && adds == 1 {
                    return Reply::Lost;
                }
            }
            batch(asked, |called| lonely(called, &nowhere(), false))
        })
        .await;
        let step = call_on(Some(known(Entity::Deal, "512")));
        let outcome = fixture.execute_one(step.clone()).await;
        assert!(matches!(outcome, Outcome::Ambiguous { .. }), "{outcome:?}");
        let looked = fixture.adapter.look(step.clone()).await;
        if !lost {
            assert!(
                matches!(looked, Outcome::Done(Look::Found(_))),
                "{looked:?}"
            );
            continue;
        }
        // It was sent: from now on it is looked for only.
        assert!(matches!(looked, Outcome::Ambiguous { .. }), "{looked:?}");
        let looked = fixture.adapter.look(step).await;
        assert_eq!(looked, Outcome::Done(Look::Absent));
        assert_eq!(count(&fixture, "crm.activity.add"), 1);
    }
}

#[tokio::test]
async fn where_activities_are_closed_to_us_the_call_is_not_lost_for_it() {
    let fixture = Fixture::answering(|called| match called.method.as_str() {
        "crm.activity.add" | "crm.activity.list" => Err(("", "Access denied.")),
        _ => lonely(called, &nowhere(), false),
    })
    .await;
    let step = call_on(Some(known(Entity::Contact, "31")));
    let Outcome::Done(result) = fixture.execute_one(step.clone()).await else {
        panic!("lost")
    };
    let note = result.note.expect("said");
    assert!(note.contains("Access denied."), "{note}");
    let looked = fixture.adapter.look(step).await;
    assert!(
        matches!(looked, Outcome::Done(Look::Found(_))),
        "{looked:?}"
    );
}

#[tokio::test]
async fn a_recording_is_told_on_the_activity_that_stands_for_its_call() {
    for ours in [true, false] {
        let fixture = Fixture::answering(move |called| lonely(called, &nowhere(), ours)).await;
        let link = RecordingLink {
            entry: known(Entity::CallRecord, ENTRY),
            on: Some(card(Entity::Contact, "31")),
            by: Role::new("call-record"),
            record: CallRecord {
                shown_to: Some(user("15")),
                ..record(Some(known(Entity::Contact, "31")))
            },
            link: "https://box.example/r/token".to_owned(),
            text: "Запись разговора: https://box.example/r/token".to_owned(),
            upload: false,
        };
        let step = command("1", "recording", Effect::LinkRecording(link));
        let outcome = fixture.execute_one(step).await;
        assert!(matches!(outcome, Outcome::Done(_)), "{outcome:?}");
        let requests = calls(&fixture.server);
        let updates = requests.iter().flatten();
        let updates: Vec<&Called> = updates
            .filter(|one| one.method == "crm.activity.update")
            .collect();
        assert_eq!(updates.len(), usize::from(ours));
        if let [update] = updates.as_slice() {
            let told = (update.param("id"), update.param("fields[DESCRIPTION]"));
            assert_eq!(
                told,
                (OURS, "Запись разговора: https://box.example/r/token")
            );
        }
    }
}

#[tokio::test]
async fn whose_an_installed_application_is_the_portal_is_asked_once_for_each_token() {
    let fixture = Fixture::with(json!({ "client_id": "local.1" }), |asked| {
        batch(asked, |called| match called.method.as_str() {
            "profile" => Ok(json!({ "ID": "1", "ADMIN": true })),
            other => panic!("{other}"),
        })
    })
    .await;
    let pair = |access: &str, user: Value| {
        json!({
            "access": access, "refresh": "r", "from": SystemClock.now(),
            "until": SystemClock.now().plus(Duration::from_secs(3600)), "previous": null,
            "member_id": "5f0c", "portal": "demo.bitrix24.ru", "host": "demo.bitrix24.ru",
            "server": "oauth.bitrix24.tech", "user": user,
        })
    };
    let keep = |pair: Value| {
        *fixture.vault.pair.lock().expect("no panic") = Some(Secret::new(pair.to_string()));
    };
    keep(pair("a1", Value::Null));
    let client = &fixture.adapter.client;
    let asked = futures_util::join!(client.own_user(), client.own_user());
    let said = Ok(Some("1".to_owned()));
    assert_eq!(asked, (said.clone(), said.clone()));
    assert_eq!(client.own_user().await, said);
    assert_eq!(count(&fixture, "profile"), 1);
}
