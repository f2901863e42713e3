use super::events::{bind_offline, events};
use super::*;
use crate::lab::bitrix24::{Click, Kind};

#[tokio::test]
async fn the_offline_queue_keeps_one_row_for_each_card() {
    let bench = Bench::start().await;
    bind_offline(&bench, "ONCRMCONTACTUPDATE").await;
    let id = bench.contact("+79161234567").await;
    for name in ["a", "b", "c"] {
        let update = json!({"id": id, "fields": {"NAME": name}});
        bench.ok("crm.contact.update", update).await;
    }
    let peeked = bench.ok("event.offline.list", json!({})).await;
    assert_eq!(peeked.as_array().unwrap().len(), 1);
    let rows = events(&bench, json!({})).await;
    assert_eq!(rows[0]["EVENT_NAME"], "ONCRMCONTACTUPDATE");
    assert_eq!(rows[0]["EVENT_DATA"]["FIELDS"]["ID"], id.to_string());
    assert_eq!(rows[0]["EVENT_ADDITIONAL"], false);
    // What was read is gone.
    let result = bench.ok("event.offline.get", json!({})).await;
    assert_eq!(result, json!({"process_id": null, "events": []}));
}

#[tokio::test]
async fn reserved_rows_stay_until_they_are_cleared() {
    let bench = Bench::start().await;
    bind_offline(&bench, "ONCRMCONTACTADD").await;
    for n in 0..3 {
        bench.contact(&format!("+7916123456{n}")).await;
    }
    let reserved = bench.ok("event.offline.get", json!({"clear": 0})).await;
    let process_id = reserved["process_id"].as_str().unwrap();
    assert_eq!(reserved["events"].as_array().unwrap().len(), 3);
    assert!(events(&bench, json!({"clear": 0})).await.is_empty());
    let again = json!({"clear": 0, "process_id": process_id});
    assert_eq!(events(&bench, again.clone()).await.len(), 3);
    let first = &reserved["events"][0]["MESSAGE_ID"];
    let one = json!({"process_id": process_id, "message_id": [first]});
    bench.ok("event.offline.clear", one).await;
    assert_eq!(events(&bench, again.clone()).await.len(), 2);
    let second = &reserved["events"][1]["MESSAGE_ID"];
    let failed = json!({"process_id": process_id, "message_id": [second]});
    bench.ok("event.offline.error", failed).await;
    assert_eq!(events(&bench, again.clone()).await.len(), 1);
    let errors = json!({"clear": 0, "process_id": process_id, "error": 1});
    assert_eq!(events(&bench, errors).await.len(), 1);
    bench
        .ok("event.offline.clear", json!({"process_id": process_id}))
        .await;
    assert_eq!(bench.lab.counters().offline_waiting, 0);
    bench.lab.switch(|s| s.offline_reserve_available = false);
    let feature = bench
        .ok("feature.get", json!({"CODE": "rest_offline_extended"}))
        .await;
    assert_eq!(feature["value"], "N");
    let refused = bench
        .refused("event.offline.get", json!({"clear": 0}))
        .await;
    assert_eq!(refused.1, "ACCESS_DENIED");
}

#[tokio::test]
async fn the_queue_is_an_administrators() {
    let bench = Bench::start().await;
    let tokens = bench.lab.issue_tokens(&client_id(&bench.lab), 12);
    let bench = Bench {
        token: tokens["access_token"].as_str().unwrap().into(),
        ..bench
    };
    let refused = bench.refused("event.offline.get", json!({})).await;
    assert_eq!((refused.0, refused.1.as_str()), (403, "ACCESS_DENIED"));
    let unknown = json!({"event": "ONMOONRISE", "handler": "https://box.example/"});
    assert_eq!(bench.call("event.bind", unknown).await.0, 400);
    let no_address = json!({"event": "ONCRMLEADADD", "handler": "box"});
    assert_eq!(
        bench.refused("event.bind", no_address).await.1,
        "ERROR_ARGUMENT"
    );
}

#[tokio::test]
async fn own_writes_make_no_echo_where_they_name_their_connector() {
    let bench = Bench::start().await;
    let body = json!({
        "event": "ONCRMCONTACTADD", "event_type": "offline", "auth_connector": "trunkline",
    });
    bench.ok("event.bind", body).await;
    let own = json!({"fields": {"NAME": "a"}, "auth_connector": "trunkline"});
    bench.ok("crm.contact.add", own).await;
    bench
        .ok("crm.contact.add", json!({"fields": {"NAME": "b"}}))
        .await;
    let rows = events(&bench, json!({"auth_connector": "trunkline"})).await;
    assert_eq!(rows.len(), 1);
}

#[tokio::test]
async fn a_click_registers_the_call_and_tells_the_application() {
    let bench = Bench::start().await;
    let contact = bench.contact("+79161234567").await;
    let click = Click {
        user: 12,
        phone: "+79161234567".into(),
        ..Click::default()
    };
    assert_eq!(bench.lab.click(&click), None);
    bind_offline(&bench, "ONEXTERNALCALLSTART").await;
    let call_id = bench.lab.click(&click).unwrap();
    let rows = events(
        &bench,
        json!({"filter": {"EVENT_NAME": "ONEXTERNALCALLSTART"}}),
    )
    .await;
    let data = &rows[0]["EVENT_DATA"];
    assert_eq!(data["CALL_ID"], call_id);
    assert_eq!(
        (&data["USER_ID"], &data["CRM_ENTITY_TYPE"]),
        (&json!("12"), &json!("CONTACT"))
    );
    let body = json!({"CALL_ID": call_id, "USER_ID": 12, "DURATION": 5});
    let finished = bench.ok("telephony.externalCall.finish", body).await;
    assert_eq!(finished["EXTERNAL_CALL_ID"], Value::Null);
    assert_eq!(finished["CRM_ENTITY_ID"], contact);
}

#[tokio::test]
async fn two_clicks_are_two_rows_or_one() {
    let bench = Bench::start().await;
    bind_offline(&bench, "ONEXTERNALCALLSTART").await;
    let click = Click {
        user: 12,
        phone: "+79161234567".into(),
        ..Click::default()
    };
    bench.lab.click(&click);
    bench.lab.click(&click);
    assert_eq!(events(&bench, json!({})).await.len(), 2);
    bench.lab.switch(|s| s.offline_clicks_collapse = true);
    bench.lab.click(&click);
    bench.lab.click(&click);
    assert_eq!(events(&bench, json!({})).await.len(), 1);
}

#[tokio::test]
async fn a_form_asks_for_a_call_without_registering_one() {
    let bench = Bench::start().await;
    bind_offline(&bench, "ONEXTERNALCALLBACKSTART").await;
    bench
        .lab
        .ask_for_callback("+79161234567", "перезвоните", "74951234567");
    let rows = events(&bench, json!({})).await;
    let data = &rows[0]["EVENT_DATA"];
    assert_eq!(data["TEXT"], "перезвоните");
    assert_eq!(
        (data.get("CALL_ID"), &data["LINE_NUMBER"]),
        (None, &json!("74951234567"))
    );
    assert!(bench.lab.oracle().live_calls.is_empty());
}

#[tokio::test]
async fn a_deletion_is_told_of() {
    let bench = Bench::start().await;
    bind_offline(&bench, "ONCRMCONTACTDELETE").await;
    let id = bench.contact("+79161234567").await;
    bench.lab.delete(Kind::Contact, id);
    assert_eq!(events(&bench, json!({})).await.len(), 1);
}
