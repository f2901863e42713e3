use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use actix_web::{App, HttpResponse, HttpServer, web};
use tokio::sync::mpsc;

use super::*;
use crate::lab::bitrix24::{ApplicationKind, ApplicationOptions, SeedCard};

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
                    // Read before the test hears of the form and changes it.
                    let status = answer.load(Ordering::SeqCst).try_into();
                    sender.send(form.into_inner()).await.unwrap();
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

pub(super) async fn bind_offline(bench: &Bench, event: &str) {
    let body = json!({"event": event, "event_type": "offline"});
    assert_eq!(bench.ok("event.bind", body).await, true);
}

pub(super) async fn events(bench: &Bench, body: Value) -> Vec<Value> {
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

#[tokio::test]
async fn an_installer_page_gets_tokens_and_its_application_is_not_done_yet() {
    let mut options = options();
    options.applications[0].installed = false;
    let bench = Bench::with(options).await;
    let client_id = client_id(&bench.lab);
    let visit = bench
        .lab
        .open_page(&client_id, 1, "DEFAULT", &json!({}))
        .unwrap();
    let value = |text: &str, name: &str| {
        let mut pairs = url::form_urlencoded::parse(text.as_bytes());
        pairs
            .find(|(key, _)| key == name)
            .map(|(_, v)| v.into_owned())
    };
    assert_eq!(
        value(&visit.query, "DOMAIN").as_deref(),
        Some("demo.bitrix24.ru")
    );
    assert_eq!(value(&visit.form, "PLACEMENT").as_deref(), Some("DEFAULT"));
    let bench = Bench {
        token: value(&visit.form, "AUTH_ID").unwrap(),
        ..bench
    };
    assert_eq!(bench.ok("app.info", json!({})).await["INSTALLED"], false);
    bench.lab.finish_installation(&client_id);
    assert_eq!(bench.ok("app.info", json!({})).await["INSTALLED"], true);
    let form = bench
        .lab
        .settings_form(&client_id, "OnAppSettingsInstall", &json!({}));
    assert_eq!(
        value(&form, "event").as_deref(),
        Some("OnAppSettingsInstall")
    );
    assert!(value(&form, "auth[application_token]").is_some());
}

#[tokio::test]
async fn what_an_installation_names_and_what_a_new_one_is_known_by_are_switches() {
    let bench = Bench::start().await;
    let client_id = client_id(&bench.lab);
    let form = bench.lab.install(&client_id).unwrap();
    assert!(form.contains("client_endpoint") && form.contains("server_endpoint"));
    let before = bench.lab.application_token(&client_id).unwrap();
    bench.lab.switch(|switches| {
        switches.install_names_endpoint = false;
        switches.install_names_server = false;
        switches.page_names_application_token = false;
        switches.reinstalled_has_new_token = true;
    });
    let form = bench.lab.install(&client_id).unwrap();
    assert!(!form.contains("client_endpoint") && !form.contains("server_endpoint"));
    let page = bench.lab.open_page(&client_id, 1, "DEFAULT", &json!({}));
    assert!(!page.unwrap().form.contains("APPLICATION_TOKEN"));
    // An update keeps it, a new installation does not.
    assert_eq!(
        bench.lab.application_token(&client_id).as_ref(),
        Some(&before)
    );
    bench.lab.uninstall(&client_id, true);
    bench.lab.install(&client_id).unwrap();
    assert_ne!(
        bench.lab.application_token(&client_id).as_ref(),
        Some(&before)
    );
}
