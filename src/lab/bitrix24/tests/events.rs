use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use actix_web::{App, HttpResponse, HttpServer, web};
use tokio::sync::mpsc;

use super::*;
use crate::lab::bitrix24::{ApplicationKind, ApplicationOptions, Click, Kind, SeedCard};

/// A handler of events that hands on every form it gets.
struct Handler {
    url: String,
    forms: mpsc::Receiver<BTreeMap<String, String>>,
    status: Arc<AtomicU16>,
}

impl Handler {
    fn start() -> Self {
        let (sender, forms) = mpsc::channel(100);
        let status = Arc::new(AtomicU16::new(200));
        let answer = status.clone();
        let server = HttpServer::new(move || {
            let (sender, answer) = (sender.clone(), answer.clone());
            let take = move |form: web::Form<BTreeMap<String, String>>| {
                let (sender, answer) = (sender.clone(), answer.clone());
                async move {
                    sender.send(form.into_inner()).await.unwrap();
                    let status = answer.load(Ordering::SeqCst).try_into();
                    HttpResponse::build(status.unwrap_or_default()).finish()
                }
            };
            App::new().default_service(web::post().to(take))
        });
        let server = server.workers(1).disable_signals();
        let server = server.bind(("127.0.0.1", 0)).unwrap();
        let url = format!("http://{}/b24", server.addrs()[0]);
        actix_web::rt::spawn(server.run());
        Self { url, forms, status }
    }

    async fn form(&mut self) -> BTreeMap<String, String> {
        let wait = tokio::time::timeout(Duration::from_secs(20), self.forms.recv());
        wait.await.unwrap().unwrap()
    }
}

async fn bind_offline(bench: &Bench, event: &str) {
    let body = json!({"event": event, "event_type": "offline"});
    assert_eq!(bench.ok("event.bind", body).await, true);
}

async fn events(bench: &Bench, body: Value) -> Vec<Value> {
    let result = bench.ok("event.offline.get", body).await;
    result["events"].as_array().unwrap().clone()
}

#[actix_web::test]
async fn an_event_names_the_card_and_the_application_by_its_token() {
    let bench = Bench::start().await;
    let mut handler = Handler::start();
    let body = json!({"event": "onCrmContactAdd", "handler": handler.url});
    bench.ok("event.bind", body.clone()).await;
    let id = bench.contact("+79161234567").await;
    let form = handler.form().await;
    assert_eq!(form["event"], "ONCRMCONTACTADD");
    assert_eq!(form["data[FIELDS][ID]"], id.to_string());
    assert_eq!(form["auth[domain]"], "demo.bitrix24.ru");
    let token = bench.lab.application_token(&client_id(&bench.lab)).unwrap();
    assert_eq!(form["auth[application_token]"], token);
    assert!(form.contains_key("auth[access_token]"));
    assert!(!form.contains_key("auth[refresh_token]"));
    assert_eq!(form["auth[member_id]"], bench.lab.options().member_id);
    // The same handler once more is refused, or not.
    let again = bench.refused("event.bind", body.clone()).await;
    assert_eq!(
        (again.1.as_str(), again.2.as_str()),
        ("ERROR_CORE", "Handler already binded")
    );
    bench.lab.switch(|s| {
        s.repeated_bind_refused = false;
        s.events_carry_token = false;
    });
    bench.ok("event.bind", body).await;
    assert_eq!(
        bench
            .ok("event.get", json!({}))
            .await
            .as_array()
            .unwrap()
            .len(),
        1
    );
    bench.contact("+79161234568").await;
    assert!(!handler.form().await.contains_key("auth[access_token]"));
}

#[actix_web::test]
async fn an_event_that_failed_is_not_sent_again() {
    let bench = Bench::start().await;
    let mut handler = Handler::start();
    let body = json!({"event": "ONCRMLEADADD", "handler": handler.url});
    bench.ok("event.bind", body).await;
    handler.status.store(500, Ordering::SeqCst);
    bench.lab.add_lead(&SeedCard::new("a", "+79161234567", 12));
    handler.form().await;
    handler.status.store(200, Ordering::SeqCst);
    let second = bench.lab.add_lead(&SeedCard::new("b", "+79161234568", 12));
    assert_eq!(handler.form().await["data[FIELDS][ID]"], second.to_string());
    while bench.lab.counters().events_delivered == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(bench.lab.counters().events_lost, 1);
}

#[actix_web::test]
async fn an_installation_posts_its_tokens_and_an_uninstallation_only_its_own() {
    let mut handler = Handler::start();
    let market = ApplicationOptions {
        id: 4,
        client_id: "app.market.1".into(),
        kind: ApplicationKind::Market,
        install_url: Some(handler.url.clone()),
        installed: false,
        ..options().applications[0].clone()
    };
    let mut options = options();
    options.applications.push(market);
    let bench = Bench::with(options).await;
    bench.lab.install("app.market.1").unwrap();
    let form = handler.form().await;
    assert_eq!(
        (form["event"].as_str(), form["auth[status]"].as_str()),
        ("ONAPPINSTALL", "F")
    );
    assert!(form.contains_key("auth[refresh_token]"));
    assert_eq!(
        form["auth[client_endpoint]"],
        "https://demo.bitrix24.ru/rest/"
    );
    let bench = Bench {
        token: form["auth[access_token]"].clone(),
        ..bench
    };
    assert_eq!(bench.ok("app.info", json!({})).await["STATUS"], "F");
    let body = json!({"event": "ONAPPUNINSTALL", "handler": handler.url});
    bench.ok("event.bind", body).await;
    let token = bench.lab.application_token("app.market.1").unwrap();
    bench.lab.uninstall("app.market.1", true);
    let form = handler.form().await;
    assert_eq!(form["event"], "ONAPPUNINSTALL");
    assert_eq!(form["auth[application_token]"], token);
    assert!(!form.contains_key("auth[access_token]"));
    assert_eq!(bench.refused("profile", json!({})).await.1, "invalid_token");
    assert!(bench.lab.install("app.unknown").is_none());
}

#[actix_web::test]
async fn events_wait_for_an_installer_that_is_not_done() {
    let bench = Bench::start().await;
    let client_id = client_id(&bench.lab);
    bench.lab.reopen_installation(&client_id);
    assert_eq!(bench.ok("app.info", json!({})).await["INSTALLED"], false);
    bind_offline(&bench, "ONCRMCONTACTADD").await;
    bench.contact("+79161234567").await;
    assert!(events(&bench, json!({})).await.is_empty());
    bench.lab.finish_installation(&client_id);
    bench.contact("+79161234568").await;
    assert_eq!(events(&bench, json!({})).await.len(), 1);
}

#[actix_web::test]
async fn an_outgoing_webhook_names_no_application() {
    let bench = Bench::start().await;
    let mut handler = Handler::start();
    bench.lab.add_outgoing_webhook("onCrmDealAdd", &handler.url);
    bench
        .ok("crm.deal.add", json!({"fields": {"TITLE": "a"}}))
        .await;
    let form = handler.form().await;
    assert_eq!(form["event"], "ONCRMDEALADD");
    assert!(!form.contains_key("auth[access_token]") && !form.contains_key("auth[scope]"));
}

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

#[tokio::test]
async fn a_connector_brings_messages_to_an_open_line() {
    let bench = Bench::start().await;
    let register = json!({
        "ID": "box", "NAME": "Box", "ICON": {"DATA_IMAGE": ""},
        "PLACEMENT_HANDLER": "https://box.example/",
    });
    bench.ok("imconnector.register", register).await;
    let message = json!({
        "CONNECTOR": "box", "LINE": 1,
        "MESSAGES": [{
            "user": {"id": "u1", "name": "Иван"}, "message": {"id": "1", "text": "Привет"},
            "chat": {"id": "c1"},
        }],
    });
    let early = bench
        .refused("imconnector.send.messages", message.clone())
        .await;
    assert_eq!(early.1, "NOT_ACTIVE_LINE");
    let activate = json!({"CONNECTOR": "box", "LINE": 1, "ACTIVE": 1});
    bench.ok("imconnector.activate", activate).await;
    bench.ok("imconnector.send.messages", message).await;
    assert_eq!(bench.lab.counters().connector_messages, 1);
    bind_offline(&bench, "ONIMCONNECTORMESSAGEADD").await;
    bench.lab.answer_on_line("box", 1, "c1", "Здравствуйте");
    let rows = events(&bench, json!({})).await;
    assert_eq!(
        rows[0]["EVENT_DATA"]["MESSAGES"][0]["message"]["text"],
        "Здравствуйте"
    );
}

#[tokio::test]
async fn a_place_is_bound_by_an_administrator() {
    let bench = Bench::start().await;
    let bind = |placement: &str| json!({"PLACEMENT": placement, "HANDLER": "https://box.example/card", "TITLE": "a"});
    bench.ok("placement.bind", bind("CALL_CARD")).await;
    assert_eq!(
        bench
            .ok("placement.get", json!({}))
            .await
            .as_array()
            .unwrap()
            .len(),
        1
    );
    let unknown = bench.refused("placement.bind", bind("MOON")).await;
    assert_eq!(unknown.1, "ERROR_PLACEMENT_NOT_FOUND");
    assert_eq!(bench.call("placement.bind", bind("CALL_CARD")).await.0, 400);
}
