//! Sources and the company itself, set over the admin endpoint: what the pages do.

use std::fs;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::daemon::{Daemon, list};
use super::edits::{ask, remarks, seen, written};
use super::office::Office;
use super::wait::{until, when};

const TENANT: &str = "/v1/tenants/acme";
const SOURCES: &str = "/v1/tenants/acme/sources";
const BRANCH: &str = "/v1/tenants/acme/sources/branch";
const COMPANY: &str = "/v1/tenants/acme/company";

/// Returns the password of the simulated Asterisk.
fn ami_secret(office: &Office) -> String {
    let file = office.home.path("secrets/ami");
    fs::read_to_string(file)
        .expect("the file")
        .trim()
        .to_owned()
}

/// A second Asterisk, which is the same one.
fn branch(office: &Office, secret: &str) -> Value {
    json!({
        "source": "branch",
        "kind": "asterisk",
        "values": {
            "name": "Филиал",
            "settings": {
                "host": "127.0.0.1",
                "port": office.ami.address().port(),
                "username": "trunkline",
                "channels": { "profile": "plain", "trunks": ["trunk"] },
                "tls": null,
            },
        },
        "secrets": { "secret": secret },
    })
}

async fn is_connected(daemon: &Daemon, source: &str) {
    let key = format!("acme/{source}");
    until("the source is connected", async || {
        let status = daemon.get("/v1/status").await;
        let found = list(&status, "sources").iter();
        let mut found = found.filter(|one| one["key"] == key.as_str());
        let is_up = found.any(|one| one["state"]["health"] == "up");
        when(is_up, &status["sources"])
    })
    .await;
}

/// Returns the places that a refusal names.
fn places(body: &Value) -> Vec<&str> {
    let places = list(body, "places").iter();
    places.filter_map(|one| one["path"].as_str()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_source_is_added_changed_and_removed_and_its_secret_is_typed_once_and_shown_never() {
    let office = Office::open().await;
    let daemon = office.start().await;
    let before = written(&office);
    let secret = ami_secret(&office);
    let (_, tag) = seen(&office, &daemon, TENANT).await;
    let wish = Some(branch(&office, &secret));
    let made = ask(&office, &daemon, Method::POST, SOURCES, Some(&tag), wish).await;
    assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
    assert_eq!(
        made.body,
        json!({ "source": "branch", "in_force": true, "why": null })
    );
    is_connected(&daemon, "branch").await;

    // What stood in the file stands there to the letter; the secret is sealed.
    let text = written(&office);
    let head = text.split("[[accounts]]").next().unwrap_or_default();
    assert!(
        before.starts_with(
            head.split("[[sources]]\nid = \"branch\"")
                .next()
                .unwrap_or("?")
        ),
        "{text}"
    );
    for line in before.lines() {
        assert!(text.contains(line), "{line} is gone");
    }
    assert!(!text.contains(&secret) && text.contains("sealed"), "{text}");
    let (shown, tag) = seen(&office, &daemon, BRANCH).await;
    assert_eq!(shown["path"], "sources[2]");
    assert_eq!(shown["kind"], "asterisk");
    assert_eq!(shown["secrets"], json!(["secret"]));
    assert_eq!(shown["values"]["settings"]["username"], "trunkline");
    assert!(!shown.to_string().contains(&secret), "{shown}");

    // The rest is changed without typing the secret again, and the session comes back with it.
    let mut values = shown["values"].clone();
    values["name"] = json!("Склад");
    values["settings"]["linger_ms"] = json!(200);
    values["settings"]["channels"] = Value::Null;
    let wish = Some(json!({ "values": values }));
    let changed = ask(
        &office,
        &daemon,
        Method::PUT,
        BRANCH,
        Some(&tag),
        wish.clone(),
    )
    .await;
    assert_eq!(changed.status, StatusCode::OK, "{changed:?}");
    assert_eq!(changed.body, json!({ "in_force": true, "why": null }));
    is_connected(&daemon, "branch").await;
    let (shown, now) = seen(&office, &daemon, BRANCH).await;
    assert_eq!(shown["values"]["name"], "Склад");
    assert!(
        shown["values"]["settings"].get("channels").is_none(),
        "{shown}"
    );
    assert_eq!(shown["secrets"], json!(["secret"]));

    // Whoever saw what was before has to look again; what is wrong is refused, with the places.
    let late = ask(&office, &daemon, Method::PUT, BRANCH, Some(&tag), wish).await;
    assert_eq!(late.status, StatusCode::PRECONDITION_FAILED, "{late:?}");
    let text = written(&office);
    let mut wrong = shown["values"].clone();
    wrong["settings"]["port"] = json!("x");
    wrong["settings"]["hots"] = json!("127.0.0.1");
    let wish = Some(json!({ "values": wrong, "secrets": { "secret": null } }));
    let refused = ask(&office, &daemon, Method::PUT, BRANCH, Some(&now), wish).await;
    assert_eq!(
        refused.status,
        StatusCode::UNPROCESSABLE_ENTITY,
        "{refused:?}"
    );
    let named = places(&refused.body);
    for place in ["settings.port", "settings.hots", "secrets.secret"] {
        let place = format!("sources[2].{place}");
        assert!(named.contains(&place.as_str()), "{place}: {named:?}");
    }
    for (tag, body, status) in [
        (None, json!({ "values": {} }), 428),
        (
            Some(now.as_str()),
            json!({ "values": { "kind": "webhook" } }),
            400,
        ),
        (Some(now.as_str()), json!({ "values": [] }), 400),
        (
            Some(now.as_str()),
            json!({ "values": {}, "secrets": { "secret": "a\nb" } }),
            400,
        ),
        (
            Some(now.as_str()),
            json!({ "values": {}, "secrets": { "secret": "" } }),
            400,
        ),
    ] {
        let answer = ask(&office, &daemon, Method::PUT, BRANCH, tag, Some(body)).await;
        assert_eq!(answer.status.as_u16(), status, "{answer:?}");
        assert!(!answer.body.to_string().contains("a\\nb"), "{answer:?}");
    }
    assert_eq!(written(&office), text);

    // Nobody takes it: it goes, and nothing else does.
    let gone = ask(&office, &daemon, Method::DELETE, BRANCH, Some(&now), None).await;
    assert_eq!(gone.status, StatusCode::OK, "{gone:?}");
    assert_eq!(written(&office), before);
    let status = daemon.get("/v1/status").await;
    assert!(
        !status["sources"].to_string().contains("acme/branch"),
        "{status:#}"
    );
    assert_eq!(
        remarks(&daemon).await,
        [
            "by the admin endpoint: source acme/branch: added: asterisk",
            "by the admin endpoint: source acme/branch: its settings",
            "by the admin endpoint: source acme/branch: removed",
        ]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_source_that_is_taken_is_not_removed_and_who_takes_it_is_named() {
    let office = Office::open().await;
    let daemon = office.start().await;
    let before = written(&office);
    let (_, tag) = seen(&office, &daemon, TENANT).await;
    let path = format!("{SOURCES}/office");
    let kept = ask(&office, &daemon, Method::DELETE, &path, Some(&tag), None).await;
    assert_eq!(kept.status, StatusCode::CONFLICT, "{kept:?}");
    assert!(
        kept.body["title"]
            .as_str()
            .is_some_and(|text| text.contains("Продажи")),
        "{kept:?}"
    );
    assert_eq!(written(&office), before);

    // What is known by an id cannot be there twice, and what a kind needs is named.
    let secret = ami_secret(&office);
    let mut twice = branch(&office, &secret);
    twice["source"] = json!("office");
    let answer = ask(
        &office,
        &daemon,
        Method::POST,
        SOURCES,
        Some(&tag),
        Some(twice),
    )
    .await;
    assert_eq!(
        answer.status,
        StatusCode::UNPROCESSABLE_ENTITY,
        "{answer:?}"
    );
    let bare = json!({ "source": "cloud", "kind": "webhook" });
    let answer = ask(
        &office,
        &daemon,
        Method::POST,
        SOURCES,
        Some(&tag),
        Some(bare),
    )
    .await;
    assert_eq!(
        answer.status,
        StatusCode::UNPROCESSABLE_ENTITY,
        "{answer:?}"
    );
    assert_eq!(
        places(&answer.body),
        ["sources[2].secrets.hook"],
        "{answer:?}"
    );
    let unknown = json!({ "source": "cloud", "kind": "telegraph" });
    let answer = ask(
        &office,
        &daemon,
        Method::POST,
        SOURCES,
        Some(&tag),
        Some(unknown),
    )
    .await;
    assert_eq!(
        answer.status,
        StatusCode::UNPROCESSABLE_ENTITY,
        "{answer:?}"
    );
    for path in [
        "/v1/tenants/acme/sources/gone",
        "/v1/tenants/gone/sources/office",
        "/v1/tenants/gone/company",
    ] {
        let answer = ask(&office, &daemon, Method::GET, path, None, None).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}: {answer:?}");
    }
    assert_eq!(written(&office), before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_kind_of_source_says_what_it_asks_for() {
    let office = Office::open().await;
    let daemon = office.start().await;
    let kinds = daemon.get("/v1/source-kinds").await;
    let names: Vec<&str> = list(&kinds, "items")
        .iter()
        .filter_map(|one| one["kind"].as_str())
        .collect();
    let built_in: Vec<&str> = trunkline::pbx::registry::KINDS
        .iter()
        .map(|kind| kind.name)
        .collect();
    assert_eq!(names, built_in);
    for kind in list(&kinds, "items") {
        assert!(kind["settings"]["properties"].is_object(), "{kind}");
        let secrets = list(kind, "secrets").iter();
        let secrets: Vec<String> = secrets
            .filter_map(|one| Some(format!("secrets.{}", one["name"].as_str()?)))
            .collect();
        for first in list(kind, "first") {
            let key = first.as_str().expect("a key");
            let setting = &kind["settings"]["properties"][key];
            let is_secret = secrets.iter().any(|secret| secret == key);
            assert!(setting.is_object() || is_secret, "{key}");
        }
    }
    assert!(kinds["source"]["properties"]["recordings"].is_object());
    assert!(kinds["company"]["numbers"]["items"].is_object());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s1_25_the_numbers_of_a_company_are_set_and_a_call_to_one_is_answered_by_them_at_once() {
    let office = Office::open().await;
    let daemon = office.start().await;
    let before = written(&office);
    let (shown, tag) = seen(&office, &daemon, COMPANY).await;
    assert_eq!(shown["numbers"], json!([]));
    assert_eq!(shown["company"]["name"], "Акме");
    let numbers = json!([
        { "number": "+74950000001", "source": "office", "scenario": "employee", "employee": "boris" },
        { "number": "+74950000002", "exits": { "default": "600" } },
    ]);
    let wish = json!({ "numbers": numbers, "questions": { "integrations": ["sales"] } });
    let answer = ask(
        &office,
        &daemon,
        Method::PUT,
        COMPANY,
        Some(&tag),
        Some(wish.clone()),
    )
    .await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    let text = written(&office);
    for line in before.lines() {
        assert!(text.contains(line), "{line} is gone: {text}");
    }
    let (shown, now) = seen(&office, &daemon, COMPANY).await;
    assert_eq!(shown["numbers"], numbers);
    assert_eq!(shown["questions"], json!({ "integrations": ["sales"] }));
    // Who calls the first number reaches Boris.
    let asked = "/v1/tenants/acme/sources/office/lookup?phone=%2B79160000009&did=%2B74950000001";
    let found = daemon.get(asked).await;
    assert_eq!(found["extension"], "102", "{found:#}");

    // The clocks of the company; its id cannot be set, and nobody works in no time zone.
    let mut company = shown["company"].clone();
    company["time_zone"] = json!("Asia/Omsk");
    let wish = Some(json!({ "company": company }));
    let late = ask(
        &office,
        &daemon,
        Method::PUT,
        COMPANY,
        Some(&tag),
        wish.clone(),
    )
    .await;
    assert_eq!(late.status, StatusCode::PRECONDITION_FAILED, "{late:?}");
    let answer = ask(&office, &daemon, Method::PUT, COMPANY, Some(&now), wish).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    assert_eq!(written(&office), text.replace("Europe/Moscow", "Asia/Omsk"));
    let (_, now) = seen(&office, &daemon, COMPANY).await;
    let text = written(&office);
    for (body, status, place) in [
        (
            json!({ "company": { "name": "Акме", "time_zone": "Mars" } }),
            422,
            "tenant.time_zone",
        ),
        (
            json!({ "numbers": [{ "number": "+74950000001", "employee": "nobody" }] }),
            422,
            "numbers[0].employee",
        ),
        (
            json!({ "questions": { "integrations": ["gone"] } }),
            422,
            "questions.integrations[0]",
        ),
        (json!({ "company": { "id": "other" } }), 400, ""),
        (json!({}), 400, ""),
        (json!({ "numbers": {} }), 400, ""),
    ] {
        let answer = ask(
            &office,
            &daemon,
            Method::PUT,
            COMPANY,
            Some(&now),
            Some(body),
        )
        .await;
        assert_eq!(answer.status.as_u16(), status, "{answer:?}");
        if !place.is_empty() {
            assert!(places(&answer.body).contains(&place), "{place}: {answer:?}");
        }
    }
    assert_eq!(written(&office), text);

    // All of it can go again.
    let none = Some(json!({ "numbers": [], "questions": {} }));
    let answer = ask(&office, &daemon, Method::PUT, COMPANY, Some(&now), none).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    assert_eq!(
        written(&office),
        before.replace("Europe/Moscow", "Asia/Omsk")
    );
    assert_eq!(
        remarks(&daemon).await,
        [
            "by the admin endpoint: company acme: numbers, 2 of them, questions",
            "by the admin endpoint: company acme: its own settings",
            "by the admin endpoint: company acme: numbers, 0 of them, questions",
        ]
    );
}
