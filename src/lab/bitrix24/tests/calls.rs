use super::*;
use crate::lab::bitrix24::{Kind, Mode};

const REGISTER: &str = "telephony.externalCall.register";
const FINISH: &str = "telephony.externalCall.finish";
const PHONE: &str = "79161234567";

pub(super) fn incoming(external: &str) -> Value {
    json!({
        "USER_ID": 12, "PHONE_NUMBER": PHONE, "TYPE": 2, "SHOW": 0, "LINE_NUMBER": "74951234567",
        "EXTERNAL_CALL_ID": external,
    })
}

pub(super) async fn register(bench: &Bench, body: Value) -> String {
    let result = bench.ok(REGISTER, body).await;
    result["CALL_ID"].as_str().unwrap().to_owned()
}

pub(super) async fn finish(bench: &Bench, call_id: &str, seconds: i64, code: &str) -> Value {
    let body = json!({
        "CALL_ID": call_id, "USER_ID": 12, "DURATION": seconds, "STATUS_CODE": code,
        "ADD_TO_CHAT": 0,
    });
    bench.ok(FINISH, body).await
}

#[tokio::test]
async fn a_call_is_registered_finished_and_stands_on_the_client() {
    let bench = Bench::start().await;
    let contact = bench.contact("+79161234567").await;
    let deal = bench.deal(contact).await;
    let mut body = incoming("t1-1");
    body["CALL_START_DATE"] = json!("2026-09-21T10:00:00+03:00");
    let registered = bench.ok(REGISTER, body).await;
    assert_eq!(registered["CRM_ENTITY_TYPE"], "CONTACT");
    assert_eq!(registered["CRM_ENTITY_ID"], contact);
    assert_eq!(registered["CRM_CREATED_ENTITIES"], json!([]));
    let call_id = registered["CALL_ID"].as_str().unwrap();
    assert!(call_id.starts_with("externalCall."));
    let finished = finish(&bench, call_id, 95, "200").await;
    assert_eq!(finished["CALL_DURATION"], 95);
    assert_eq!(finished["INCOMING"], "2");
    assert_eq!(finished["CALL_START_DATE"], json!({}));
    assert_eq!(finished["EXTERNAL_CALL_ID"], "t1-1");
    let oracle = bench.lab.oracle();
    let call = oracle.calls_of_phone(PHONE)[0];
    assert_eq!((call.at, call.duration, call.user), (1_789_974_000, 95, 12));
    let activity = oracle.activities_of_phone("VOXIMPLANT_CALL", PHONE)[0];
    assert_eq!(activity.origin, format!("VI_{call_id}"));
    assert_eq!(activity.end_at, 1_789_974_095);
    assert_eq!(
        activity.bindings,
        [(Kind::Contact, contact), (Kind::Deal, deal)]
    );
    assert!(activity.is_completed);
    bench.assert_no_oddities();
}

#[tokio::test]
async fn a_repeated_register_returns_the_same_call_within_its_window() {
    let bench = Bench::start().await;
    let first = register(&bench, incoming("t1-1")).await;
    assert_eq!(register(&bench, incoming("t1-1")).await, first);
    assert_ne!(register(&bench, incoming("t1-2")).await, first);
    let mut other = incoming("t1-1");
    other["USER_ID"] = json!(13);
    assert_ne!(register(&bench, other).await, first);
    bench.lab.shift_clock_ms(31 * 60 * 1_000);
    let tokens = bench.lab.issue_tokens(&client_id(&bench.lab), 1);
    let bench = Bench {
        token: tokens["access_token"].as_str().unwrap().into(),
        ..bench
    };
    assert_ne!(register(&bench, incoming("t1-1")).await, first);
}

#[tokio::test]
async fn a_backdated_call_is_never_the_same() {
    let bench = Bench::start().await;
    let mut body = incoming("t1-1");
    body["CALL_START_DATE"] = json!("2026-09-21T10:00:00+03:00");
    let first = register(&bench, body.clone()).await;
    assert_ne!(register(&bench, body).await, first);
}

#[tokio::test]
async fn two_calls_of_one_pair_without_an_id_of_their_own_collapse() {
    let bench = Bench::start().await;
    let body = json!({"USER_ID": 12, "PHONE_NUMBER": PHONE, "TYPE": 2, "SHOW": 0});
    let first = register(&bench, body.clone()).await;
    assert_eq!(register(&bench, body.clone()).await, first);
    finish(&bench, &first, 5, "200").await;
    assert_ne!(register(&bench, body).await, first);
}

#[tokio::test]
async fn only_the_first_finish_counts() {
    let bench = Bench::start().await;
    let call_id = register(&bench, incoming("t1-1")).await;
    finish(&bench, &call_id, 5, "200").await;
    let again = bench
        .refused(FINISH, json!({"CALL_ID": call_id, "DURATION": 5}))
        .await;
    let text = "Call is not found (call should be registered prior to finishing";
    assert_eq!(again, (400, String::new(), text.into()));
    bench
        .lab
        .switch(|s| s.telephony_errors_are_nameless = false);
    let again = bench
        .refused(FINISH, json!({"CALL_ID": call_id, "DURATION": 5}))
        .await;
    assert_eq!(again.1, "ERROR_CORE");
    let none = bench.refused(FINISH, json!({})).await;
    assert_eq!(
        (none.1.as_str(), none.2.as_str()),
        ("INVALID_ARGUMENT", "CALL_ID must be a string")
    );
    let ask = json!({"FILTER": {"EXTERNAL_CALL_ID": "t1-1"}});
    let rows = bench.ok("voximplant.statistic.get", ask).await;
    assert_eq!(
        (rows.as_array().unwrap().len(), &rows[0]["CALL_ID"]),
        (1, &json!(call_id))
    );
}

#[tokio::test]
async fn what_is_wrong_with_a_register_is_told() {
    let bench = Bench::start().await;
    let with = |key: &str, value: Value| {
        let mut body = incoming("t1-1");
        body[key] = value;
        body
    };
    for (body, expected) in [
        (
            with("USER_ID", json!(16)),
            "User is not found or is not active",
        ),
        (
            with("USER_ID", json!(99)),
            "User is not found or is not active",
        ),
        (
            with("USER_ID", Value::Null),
            "USER_ID or USER_PHONE_INNER should be set",
        ),
        (
            with("PHONE_NUMBER", json!("Анна")),
            "Unsupported phone number format",
        ),
        (with("TYPE", json!(9)), "Unknown TYPE"),
        (
            with("CALL_START_DATE", json!("yesterday")),
            "CALL_START_DATE should be in the ISO-8601 format",
        ),
    ] {
        assert_eq!(bench.refused(REGISTER, body).await.2, expected);
    }
    let mut body = with("USER_ID", Value::Null);
    body["USER_PHONE_INNER"] = json!("102");
    register(&bench, body).await;
    assert_eq!(bench.lab.oracle().live_calls[0].user, 13);
}

#[tokio::test]
async fn a_missed_call_waits_until_somebody_calls_back() {
    let bench = Bench::start().await;
    bench.contact("+79161234567").await;
    let call_id = register(&bench, incoming("t1-1")).await;
    finish(&bench, &call_id, 0, "304").await;
    assert_eq!(bench.lab.oracle().missed.len(), 1);
    assert!(
        !bench
            .lab
            .oracle()
            .activities_of_phone("VOXIMPLANT_CALL", PHONE)[0]
            .is_completed
    );
    let mut back = incoming("t1-2");
    back["TYPE"] = json!(1);
    let call_id = register(&bench, back).await;
    finish(&bench, &call_id, 20, "200").await;
    assert!(bench.lab.oracle().missed.is_empty());
}

#[tokio::test]
async fn a_call_without_a_card_is_finished_without_an_activity() {
    let bench = Bench::start().await;
    let call_id = register(&bench, incoming("t1-1")).await;
    let finished = finish(&bench, &call_id, 5, "200").await;
    assert_eq!(finished["CRM_ACTIVITY_ID"], false);
    assert!(finished["ERRORS"]["ACTIVITY_CREATION"].is_string());
    bench.lab.switch(|s| {
        s.no_activity_is_false = false;
        s.finish_date_is_object = false;
    });
    let call_id = register(&bench, incoming("t1-2")).await;
    let finished = finish(&bench, &call_id, 5, "200").await;
    assert_eq!(finished["CRM_ACTIVITY_ID"], 0);
    assert!(finished["CALL_START_DATE"].is_string());
}

#[tokio::test]
async fn the_portal_makes_a_lead_or_a_deal_where_it_is_asked_to() {
    let bench = Bench::start().await;
    let mut body = incoming("t1-1");
    body["CRM_CREATE"] = json!(1);
    let registered = bench.ok(REGISTER, body.clone()).await;
    let lead = registered["CRM_CREATED_LEAD"].as_u64().unwrap();
    assert_eq!(registered["CRM_ENTITY_TYPE"], "LEAD");
    let body_of = json!({"CALL_ID": registered["CALL_ID"], "USER_ID": 13, "DURATION": 5});
    bench.ok(FINISH, body_of).await;
    let card = &bench.lab.oracle().leads[0];
    // What was made belongs to who is named at the end.
    assert_eq!((card.id, card.responsible), (lead, 13));
    assert_eq!(card.title, "79161234567 - Входящий звонок");
    let mut own = body.clone();
    own["PHONE_NUMBER"] = json!("+79031110101");
    let registered = bench.ok(REGISTER, own).await;
    let text = "Lead creation is disabled for local users";
    assert_eq!(registered["LEAD_CREATION_ERROR"], text);
    bench.lab.set_mode(Mode::Simple);
    body["PHONE_NUMBER"] = json!("79169999999");
    let registered = bench.ok(REGISTER, body).await;
    assert_eq!(registered["CRM_CREATED_ENTITIES"][0]["ENTITY_TYPE"], "DEAL");
    assert_eq!(registered["CRM_ENTITY_TYPE"], "CONTACT");
}

#[tokio::test]
async fn the_card_is_shown_and_hidden_and_gone_at_the_end() {
    let bench = Bench::start().await;
    let mut body = incoming("t1-1");
    body["SHOW"] = json!(1);
    let call_id = register(&bench, body).await;
    let show = json!({"CALL_ID": call_id, "USER_ID": [12, 13, 14]});
    assert_eq!(bench.ok("telephony.externalCall.show", show).await, true);
    let hide = json!({"CALL_ID": call_id, "USER_ID": [13]});
    assert_eq!(bench.ok("telephony.externalCall.hide", hide).await, true);
    let shown = bench.lab.oracle().shown;
    let users: Vec<u64> = shown.iter().map(|card| card.user_id).collect();
    assert_eq!(users, [12, 13, 14]);
    let standing = |shown: Vec<crate::lab::bitrix24::Shown>| {
        shown.iter().filter(|card| card.hidden_ms.is_none()).count()
    };
    assert_eq!(standing(shown), 2);
    finish(&bench, &call_id, 5, "200").await;
    assert_eq!(standing(bench.lab.oracle().shown), 0);
    let late = json!({"CALL_ID": call_id, "USER_ID": 12});
    assert_eq!(bench.ok("telephony.externalCall.show", late).await, false);
}

#[tokio::test]
async fn the_number_of_a_client_brings_his_manager() {
    let bench = Bench::start().await;
    let fields = json!({
        "NAME": "Иван", "LAST_NAME": "Петров", "ASSIGNED_BY_ID": 12,
        "PHONE": [{"VALUE": "+79161234567"}],
    });
    bench.ok("crm.contact.add", json!({"fields": fields})).await;
    let namesake = json!({"NAME": "Пётр", "PHONE": [{"VALUE": "89161234567"}]});
    bench
        .ok("crm.contact.add", json!({"fields": namesake}))
        .await;
    const SEARCH: &str = "telephony.externalCall.searchCrmEntities";
    let rows = bench
        .ok(SEARCH, json!({"PHONE_NUMBER": "8 916 123-45-67"}))
        .await;
    assert_eq!(rows.as_array().unwrap().len(), 1);
    assert_eq!(rows[0]["NAME"], "Иван Петров");
    assert_eq!(rows[0]["ASSIGNED_BY"]["USER_PHONE_INNER"], "101");
    bench.lab.switch(|s| s.search_cuts_namesakes = false);
    let rows = bench.ok(SEARCH, json!({"PHONE_NUMBER": PHONE})).await;
    assert_eq!(rows.as_array().unwrap().len(), 2);
    let empty = bench.refused(SEARCH, json!({"PHONE_NUMBER": ""})).await;
    assert_eq!(empty.2, "PHONE_NUMBER is empty");
}

#[tokio::test]
async fn lines_come_by_name_or_in_silence() {
    let bench = Bench::start().await;
    let line = json!({"NUMBER": "74951234567", "NAME": "Москва", "CRM_AUTO_CREATE": "N"});
    bench.ok("telephony.externalLine.add", line.clone()).await;
    let again = bench.refused("telephony.externalLine.add", line).await;
    assert_eq!(again.2, "Line already exists");
    let mut body = incoming("t1-1");
    body["LINE_NUMBER"] = json!("74957654321");
    register(&bench, body).await;
    let lines = bench.ok("telephony.externalLine.get", json!({})).await;
    assert_eq!(lines.as_array().unwrap().len(), 2);
    assert_eq!(lines[0]["CRM_AUTO_CREATE"], "N");
    bench
        .ok(
            "telephony.externalLine.delete",
            json!({"NUMBER": "74957654321"}),
        )
        .await;
}

#[tokio::test]
async fn a_call_does_not_bind_deals_where_the_portal_does_not() {
    let bench = Bench::switched(|s| s.calls_bind_open_deals = false).await;
    let contact = bench.contact("+79161234567").await;
    bench.deal(contact).await;
    let call_id = register(&bench, incoming("t1-1")).await;
    finish(&bench, &call_id, 5, "200").await;
    let oracle = bench.lab.oracle();
    let activity = oracle.activities_of_phone("VOXIMPLANT_CALL", PHONE)[0];
    assert_eq!(activity.bindings, [(Kind::Contact, contact)]);
}

#[tokio::test]
async fn a_call_that_was_registered_long_ago_may_be_forgotten() {
    let bench = Bench::switched(|s| s.live_calls_forgotten_after_s = Some(600)).await;
    let call_id = register(&bench, incoming("t1-1")).await;
    bench.lab.shift_clock_ms(601_000);
    let body = json!({"CALL_ID": call_id, "DURATION": 5});
    assert!(
        bench
            .refused(FINISH, body)
            .await
            .2
            .starts_with("Call is not found (")
    );
    let ask = json!({"FILTER": {"CALL_ID": call_id}});
    assert_eq!(bench.ok("voximplant.statistic.get", ask).await, json!([]));
}

#[tokio::test]
async fn a_portal_without_inner_numbers_wants_users() {
    let bench = Bench::with(options().without_inner_numbers()).await;
    let mut body = incoming("t1-1");
    body["USER_ID"] = Value::Null;
    body["USER_PHONE_INNER"] = json!("101");
    let text = "USER_ID or USER_PHONE_INNER should be set";
    assert_eq!(bench.refused(REGISTER, body).await.2, text);
}

#[tokio::test]
async fn a_call_registered_before_its_client_stands_on_nothing_unless_it_is_looked_for_at_the_end()
{
    for late in [false, true] {
        let bench = Bench::switched(|s| s.calls_find_clients_at_finish = late).await;
        let call_id = register(&bench, incoming("t1-1")).await;
        let contact = bench.contact("+79161234567").await;
        let finished = finish(&bench, &call_id, 5, "200").await;
        let found = match late {
            true => json!(contact),
            false => Value::Null,
        };
        assert_eq!(finished["CRM_ENTITY_ID"], found);
        let standings = bench.lab.oracle().standings().into_values().sum::<usize>();
        assert_eq!(standings, usize::from(late));
    }
}

#[tokio::test]
async fn an_index_that_lags_finds_a_card_when_it_has_it() {
    let bench = Bench::switched(|s| s.search_lags_s = Some(60)).await;
    let contact = bench.contact("+79161234567").await;
    let asked = json!({"type": "PHONE", "values": [PHONE]});
    let find = async || bench.ok("crm.duplicate.findbycomm", asked.clone()).await;
    assert_eq!(find().await, json!([]));
    bench.lab.shift_clock_ms(61_000);
    assert_eq!(find().await, json!({"CONTACT": [contact]}));
}
