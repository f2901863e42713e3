//! What the settings pages ask of the endpoint: forms, previews of templates, the people of the
//! company, and the guide that checks itself.

use std::fs;

use reqwest::header::{ETAG, IF_MATCH};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::daemon::{Daemon, list};
use super::home::ADMIN_TOKEN;
use super::office::{Office, site_call};

const SALES: &str = "/v1/tenants/acme/integrations/sales";
const EMPLOYEES: &str = "/v1/tenants/acme/employees";

/// Sends a body, and returns what came back.
async fn send(
    office: &Office,
    daemon: &Daemon,
    (method, path): (Method, &str),
    tag: Option<&str>,
    body: &Value,
) -> (StatusCode, Value) {
    let url = format!("http://{}{path}", office.home.admin());
    let request = daemon.http.request(method, url).bearer_auth(ADMIN_TOKEN);
    let request = match tag {
        Some(tag) => request.header(IF_MATCH, tag),
        None => request,
    };
    let answer = request.json(body).send().await.expect("an answer");
    (answer.status(), answer.json().await.expect("JSON"))
}

/// Returns the people as they are written, and the tag of their file.
async fn people(office: &Office, daemon: &Daemon) -> (Value, String) {
    let url = format!("http://{}{EMPLOYEES}", office.home.admin());
    let request = daemon.http.get(url).bearer_auth(ADMIN_TOKEN);
    let answer = request.send().await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::OK);
    let tag = answer.headers().get(ETAG).expect("a tag");
    let tag = tag.to_str().expect("text").to_owned();
    (answer.json().await.expect("JSON"), tag)
}

async fn preview(office: &Office, daemon: &Daemon, body: Value) -> Value {
    let path = format!("{SALES}/preview");
    let (status, answer) = send(office, daemon, (Method::POST, &path), None, &body).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    answer
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s2_29_a_preview_shows_the_name_that_the_last_real_calls_would_have_got() {
    let office = Office::open().await;
    let daemon = office.start_warm("79160000001").await;
    daemon.post(&site_call("second", "79160000002", 60)).await;
    daemon.settled(2).await;
    let wish = |text: &str| json!({ "kind": "call", "direction": "incoming", "text": text });
    let found = preview(
        &office,
        &daemon,
        wish("Звонок {{ client_phone }}, {{ employee_name }}"),
    );
    let found = found.await;
    let texts: Vec<&Value> = list(&found, "items")
        .iter()
        .map(|one| &one["text"])
        .collect();
    assert_eq!(
        texts,
        ["Звонок +79160000002, Анна", "Звонок +79160000001, Анна"]
    );
    assert_eq!(found["sample"], "Звонок +79161234567, Иванов Иван");

    // The client as the CRM had it then: nobody knew the number.
    let unknown = preview(&office, &daemon, wish("{{ contact_name }}")).await;
    for one in list(&unknown, "items") {
        assert_eq!(one["text"], Value::Null, "{one}");
        assert!(
            one["why"].as_str().is_some_and(|why| !why.is_empty()),
            "{one}"
        );
    }
    let outgoing = json!({ "kind": "call", "direction": "outgoing", "text": "{{ event }}" });
    let outgoing = preview(&office, &daemon, outgoing).await;
    assert_eq!(list(&outgoing, "items"), &[] as &[Value]);

    let wrong = preview(&office, &daemon, wish("{{ clinet_phone }}")).await;
    let mistake = wrong["mistakes"][0].as_str().unwrap_or_default();
    assert!(mistake.contains("clinet_phone"), "{wrong}");
    assert_eq!(wrong["sample"], Value::Null);
    let gone = "/v1/tenants/acme/integrations/gone/preview";
    let gone = send(&office, &daemon, (Method::POST, gone), None, &wish("x")).await;
    assert_eq!(gone.0, StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s1_06_a_pair_of_employee_and_user_is_saved_and_in_force_at_once() {
    let office = Office::open().await;
    let daemon = office.start_warm("79160000001").await;
    let (seen, tag) = people(&office, &daemon).await;
    let mut wanted = seen["employees"].clone();
    assert_eq!(
        wanted[0]["users"],
        json!([{ "account": "main", "user": "502" }])
    );
    wanted[0]["users"] = json!([{ "account": "main", "user": "503" }]);
    wanted[1]["users"] = json!([{ "account": "main", "user": "502" }]);
    let put = |wanted: &Value| json!({ "employees": wanted });
    let change = (Method::PUT, EMPLOYEES);
    let answer = send(&office, &daemon, change.clone(), Some(&tag), &put(&wanted)).await;
    assert_eq!(
        answer,
        (StatusCode::OK, json!({ "in_force": true, "why": null }))
    );
    let file = fs::read_to_string(office.home.path("etc/tenants.d/acme.toml")).expect("read");
    assert!(file.starts_with("# A company with an Asterisk"), "{file}");

    // A stale change is refused, and so is a user of two people; neither changes anything.
    let stale = send(
        &office,
        &daemon,
        change.clone(),
        Some(&tag),
        &put(&json!([])),
    )
    .await;
    assert_eq!(stale.0, StatusCode::PRECONDITION_FAILED);
    let (_, tag) = people(&office, &daemon).await;
    wanted[1]["users"] = json!([{ "account": "main", "user": "503" }]);
    let twice = send(&office, &daemon, change, Some(&tag), &put(&wanted)).await;
    assert_eq!(twice.0, StatusCode::UNPROCESSABLE_ENTITY, "{twice:?}");
    let path = twice.1["places"][0]["path"].as_str().unwrap_or_default();
    assert!(path.starts_with("employees[1]"), "{twice:?}");
    let after = fs::read_to_string(office.home.path("etc/tenants.d/acme.toml")).expect("read");
    assert_eq!(after, file);

    // Anna's calls are the other user's now.
    daemon.post(&site_call("later", "79160000009", 60)).await;
    daemon.settled(2).await;
    let oracle = office.oracle();
    let calls = oracle.calls_of_phone("79160000009");
    assert_eq!(calls[0].call_responsible.as_deref(), Some("503"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_tells_what_can_be_set_and_what_this_crm_can_do() {
    let office = Office::open().await;
    let daemon = office.start_warm("79160000001").await;
    let form = daemon.get("/v1/settings/form?lang=ru").await;
    assert!(form["settings"]["properties"]["calls"].is_object());
    assert!(form["employee"]["properties"]["users"].is_object());
    let variables = list(&form["variables"], "call");
    let phone = variables.iter().find(|one| one["name"] == "client_phone");
    let phone = phone.expect("a variable");
    assert_eq!(phone["meaning"], "номер клиента (E.164)");
    let here = daemon.get(&format!("{SALES}/form")).await;
    assert!(list(&here, "kinds").contains(&json!("call")), "{here}");
    assert!(
        list(&here, "steps").contains(&json!("create_unsorted")),
        "{here}"
    );
    assert_eq!(list(&here, "sources").len(), 2);
    let url = format!("http://{}/v1/settings/form?lang=de", office.home.admin());
    let wrong = daemon.http.get(url).bearer_auth(ADMIN_TOKEN).send().await;
    assert_eq!(wrong.expect("an answer").status(), StatusCode::BAD_REQUEST);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_guide_waits_for_the_first_event_and_sees_it_come_and_be_made() {
    let office = Office::open().await;
    let daemon = office.start().await;
    let site = async || {
        let guide = daemon.get("/v1/guide").await;
        let mut sources = list(&guide, "sources").iter();
        let site = sources.find(|one| one["key"] == "acme/site");
        let mut integrations = list(&guide, "integrations").iter();
        let sales = integrations.find(|one| one["key"] == "acme/sales");
        (site.expect("a source").clone(), sales.expect("one").clone())
    };
    let (before, sales) = site().await;
    assert_eq!(
        (&before["last"], &sales["last_done"]),
        (&Value::Null, &Value::Null)
    );
    let address = before["address"].as_str().expect("an address");
    assert!(
        address.ends_with("/hooks/webhook/acme/site/SECRET"),
        "{address}"
    );
    assert_eq!(before["taken_by"], json!(["acme/sales"]));
    daemon.post(&site_call("first", "79160000001", 0)).await;
    daemon.settled(1).await;
    let (after, sales) = site().await;
    assert_eq!(after["last"]["key"], "acme/site/first");
    assert_eq!(sales["last_done"]["key"], "acme/site/first");
    assert_eq!(sales["alarm"], Value::Null);
}
