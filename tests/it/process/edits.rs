//! Accounts and integrations changed over the admin endpoint and by command (S1-02 … S1-04).

use std::fs;

use reqwest::header::{ETAG, IF_MATCH};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::daemon::Daemon;
use super::home::ADMIN_TOKEN;
use super::office::{Office, site_call};
use super::portals::{listed, second_portal};
use super::wait::{until, when};

const ACCOUNT: &str = "/v1/tenants/acme/accounts/main";
const INTEGRATION: &str = "/v1/tenants/acme/integrations/sales";

/// Answer of the endpoint.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) tag: Option<String>,
    pub(super) body: Value,
}

/// Asks the endpoint as a program does.
pub(super) async fn ask(
    office: &Office,
    daemon: &Daemon,
    method: Method,
    path: &str,
    tag: Option<&str>,
    body: Option<Value>,
) -> Answer {
    let url = format!("http://{}{path}", office.home.admin());
    let mut request = daemon.http.request(method, url).bearer_auth(ADMIN_TOKEN);
    if let Some(tag) = tag {
        request = request.header(IF_MATCH, tag);
    }
    if let Some(body) = body {
        request = request.json(&body);
    }
    let answer = request.send().await.expect("an answer");
    let tag = answer.headers().get(ETAG);
    Answer {
        status: answer.status(),
        tag: tag.map(|tag| tag.to_str().expect("text").to_owned()),
        body: answer.json().await.expect("JSON"),
    }
}

/// Returns what is written, with its tag.
pub(super) async fn seen(office: &Office, daemon: &Daemon, path: &str) -> (Value, String) {
    let answer = ask(office, daemon, Method::GET, path, None, None).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    let tag = answer.tag.clone();
    (answer.body, tag.expect("a tag"))
}

/// Looks, and makes a change that is in force then.
async fn change(office: &Office, daemon: &Daemon, path: &str, body: Value) {
    let (_, tag) = seen(office, daemon, path).await;
    let answer = ask(office, daemon, Method::PATCH, path, Some(&tag), Some(body)).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    assert_eq!(answer.body, json!({ "in_force": true, "why": null }));
    assert_ne!(answer.tag, Some(tag));
}

pub(super) fn written(office: &Office) -> String {
    let file = office.home.path("etc/tenants.d/acme.toml");
    fs::read_to_string(file).expect("the file")
}

/// Returns the journal's remarks about changes.
pub(super) async fn remarks(daemon: &Daemon) -> Vec<String> {
    let notes = daemon.notes().await.into_iter();
    notes
        .filter(|(word, _)| word == "settings_changed_by_person")
        .map(|(_, text)| text)
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s1_02_title_and_address_are_changed_over_the_endpoint_and_are_in_force_at_once() {
    let office = Office::open().await;
    second_portal(&office).await;
    let daemon = office.start().await;
    let (before, tag) = seen(&office, &daemon, ACCOUNT).await;
    let expected = json!({
        "tenant": "acme", "account": "main", "crm": "amocrm",
        "title": "Отдел продаж", "address": before["address"],
        "settings": { "url": before["address"], "rate_per_second": 500 },
        "secrets": ["token"],
    });
    assert_eq!(before, expected);
    change(
        &office,
        &daemon,
        ACCOUNT,
        json!({ "title": "Новый портал" }),
    )
    .await;
    assert!(listed(&office, "acme/main").await.contains("Новый портал"));
    // Whoever saw what was before has to look again.
    let wish = || Some(json!({ "title": "Старый" }));
    let late = ask(&office, &daemon, Method::PATCH, ACCOUNT, Some(&tag), wish()).await;
    assert_eq!(late.status, StatusCode::PRECONDITION_FAILED, "{late:?}");
    let (_, now) = seen(&office, &daemon, ACCOUNT).await;
    assert_eq!(
        format!("\"{}\"", late.body["revision"].as_str().expect("text")),
        now
    );
    change(&office, &daemon, ACCOUNT, json!({ "title": null })).await;
    let untitled = "  main  https://demo.amocrm.ru";
    assert!(listed(&office, "acme/main").await.contains(untitled));

    // What would be wrong is refused as a whole, with the places.
    let text = written(&office);
    let (_, tag) = seen(&office, &daemon, ACCOUNT).await;
    for (body, words) in [
        (
            json!({ "title": "X", "address": "demo.example.org" }),
            "amocrm.ru",
        ),
        (
            json!({ "address": "other.amocrm.ru" }),
            "is this portal already",
        ),
    ] {
        let answer = ask(
            &office,
            &daemon,
            Method::PATCH,
            ACCOUNT,
            Some(&tag),
            Some(body),
        )
        .await;
        assert_eq!(
            answer.status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "{answer:?}"
        );
        let mistakes = answer.body["mistakes"].to_string();
        assert!(
            mistakes.contains(words) && mistakes.contains("acme.toml:"),
            "{mistakes}"
        );
    }
    for (tag, body, status) in [
        (None, json!({ "title": "X" }), 428),
        (Some("*"), json!({ "title": "X" }), 400),
        (Some("W/\"x\""), json!({ "title": "X" }), 400),
        (Some(tag.as_str()), json!({}), 400),
        (Some(tag.as_str()), json!({ "crm": "x" }), 400),
        (Some(tag.as_str()), json!({ "title": "a\nb" }), 400),
        (
            Some(tag.as_str()),
            json!({ "title": "x".repeat(2000) }),
            400,
        ),
    ] {
        let answer = ask(&office, &daemon, Method::PATCH, ACCOUNT, tag, Some(body)).await;
        assert_eq!(answer.status.as_u16(), status, "{answer:?}");
    }
    for path in [
        "/v1/tenants/acme/accounts/nobody",
        "/v1/tenants/nobody/accounts/main",
        "/v1/tenants/..%2Facme/accounts/main",
    ] {
        let answer = ask(&office, &daemon, Method::PATCH, path, Some(&tag), wish()).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}: {answer:?}");
    }
    assert_eq!(written(&office), text);
    assert_eq!(
        remarks(&daemon).await,
        [
            "by the admin endpoint: account acme/main: title \"Новый портал\"",
            "by the admin endpoint: account acme/main: no title",
        ]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s1_02_an_account_that_nothing_works_in_is_removed_and_another_one_stays() {
    let office = Office::open().await;
    second_portal(&office).await;
    let daemon = office.start().await;
    let before = written(&office);
    let (_, tag) = seen(&office, &daemon, ACCOUNT).await;
    let kept = ask(&office, &daemon, Method::DELETE, ACCOUNT, Some(&tag), None).await;
    assert_eq!(kept.status, StatusCode::UNPROCESSABLE_ENTITY, "{kept:?}");
    assert!(
        kept.body["mistakes"].to_string().contains("main"),
        "{kept:?}"
    );
    assert_eq!(written(&office), before);
    let other = "/v1/tenants/acme/accounts/other";
    let unseen = ask(&office, &daemon, Method::DELETE, other, None, None).await;
    assert_eq!(
        unseen.status,
        StatusCode::PRECONDITION_REQUIRED,
        "{unseen:?}"
    );
    let gone = ask(&office, &daemon, Method::DELETE, other, Some(&tag), None).await;
    assert_eq!(gone.status, StatusCode::OK, "{gone:?}");
    assert_eq!(gone.body["in_force"], true, "{gone:?}");
    // Nothing that it was let in with is left.
    let again = format!("{other}/authorisation");
    let again = ask(&office, &daemon, Method::DELETE, &again, None, None).await;
    assert_eq!(again.body, json!({ "forgotten": false }), "{again:?}");
    assert!(!written(&office).contains("other.amocrm.ru"));
    let ran = office.home.run(&["account", "list"]).await;
    assert!(ran.out.contains("acme/main"), "{ran:?}");
    assert!(!ran.out.contains("acme/other"), "{ran:?}");
    // The same by command, where there is one account left and the integration needs it.
    let ran = office.home.run(&["account", "remove", "acme/main"]).await;
    assert_eq!(ran.status, Some(2), "{ran:?}");
    let ran = office.home.run(&["account", "remove", "acme/other"]).await;
    assert_eq!(ran.status, Some(2), "{ran:?}");
    assert!(ran.err.contains("acme/other"), "{ran:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s1_03_an_integration_is_given_another_portal_over_the_endpoint() {
    let office = Office::open().await;
    let other = second_portal(&office).await;
    let daemon = office.start_warm("79160000001").await;
    let (_, tag) = seen(&office, &daemon, INTEGRATION).await;
    let nowhere = Some(json!({ "account": "nowhere" }));
    let refused = ask(
        &office,
        &daemon,
        Method::PATCH,
        INTEGRATION,
        Some(&tag),
        nowhere,
    )
    .await;
    assert_eq!(
        refused.status,
        StatusCode::UNPROCESSABLE_ENTITY,
        "{refused:?}"
    );
    assert!(
        refused.body["mistakes"].to_string().contains("nowhere"),
        "{refused:?}"
    );
    change(&office, &daemon, INTEGRATION, json!({ "account": "other" })).await;
    let (now, _) = seen(&office, &daemon, INTEGRATION).await;
    let expected = json!({
        "tenant": "acme", "integration": "sales", "account": "other", "activity": "on",
        "title": "Продажи",
        "takes": [
            { "source": "office", "kinds": ["call"] },
            { "source": "site", "kinds": ["call"] },
        ],
    });
    assert_eq!(now, expected);
    daemon.post(&site_call("second", "79160000002", 60)).await;
    daemon.settled(2).await;
    assert_eq!(other.oracle().calls_of_phone("79160000002").len(), 1);
    let before = office.oracle();
    assert!(before.calls_of_phone("79160000002").is_empty());
    // And back by command.
    let back = ["integration", "edit", "acme/sales", "--account", "main"];
    let ran = office.home.run(&back).await;
    assert_eq!(ran.status, Some(0), "{ran:?}");
    daemon.reload().await;
    daemon.post(&site_call("third", "79160000003", 120)).await;
    daemon.settled(3).await;
    assert_eq!(office.oracle().calls_of_phone("79160000003").len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s1_04_an_integration_is_switched_over_the_endpoint_and_by_command() {
    let office = Office::open().await;
    let daemon = office.start_warm("79160000001").await;
    let served = |client: &str| office.oracle().calls_of_phone(client).len();
    change(&office, &daemon, INTEGRATION, json!({ "activity": "off" })).await;
    daemon.post(&site_call("off", "79160000002", 60)).await;
    until("the call is not taken", async || {
        let story = daemon.story("acme/site/off").await;
        when(story["not_taken"].is_string(), &story)
    })
    .await;
    change(
        &office,
        &daemon,
        INTEGRATION,
        json!({ "activity": "observe" }),
    )
    .await;
    daemon
        .post(&site_call("observed", "79160000003", 120))
        .await;
    until("the call is decided", async || {
        let story = daemon.story("acme/site/observed").await;
        let decisions = &story["integrations"][0]["decisions"];
        when(
            decisions.as_array().is_some_and(|list| !list.is_empty()),
            &story,
        )
    })
    .await;
    let on = ["integration", "edit", "acme/sales", "--activity", "on"];
    let ran = office.home.run(&on).await;
    assert_eq!(ran.status, Some(0), "{ran:?}");
    daemon.reload().await;
    daemon.post(&site_call("on", "79160000004", 180)).await;
    until("the call is in the CRM", async || {
        when(served("79160000004") == 1, served("79160000004"))
    })
    .await;
    assert_eq!((served("79160000002"), served("79160000003")), (0, 0));
    let wrong = Some(json!({ "activity": "sometimes" }));
    let answer = ask(
        &office,
        &daemon,
        Method::PATCH,
        INTEGRATION,
        Some("\"x\""),
        wrong,
    )
    .await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{answer:?}");
    assert_eq!(
        remarks(&daemon).await,
        [
            "by the admin endpoint: integration acme/sales: activity off",
            "by the admin endpoint: integration acme/sales: activity observe",
        ]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_changes_that_race_one_is_made_and_what_cannot_be_written_is_said() {
    let office = Office::open().await;
    let daemon = office.start().await;
    let (_, tag) = seen(&office, &daemon, ACCOUNT).await;
    let race = (0..8).map(|number| {
        let body = json!({ "title": format!("Портал {number}") });
        ask(
            &office,
            &daemon,
            Method::PATCH,
            ACCOUNT,
            Some(&tag),
            Some(body),
        )
    });
    let answers = futures_util::future::join_all(race).await;
    let of = |status: StatusCode| answers.iter().filter(|one| one.status == status).count();
    let refused = of(StatusCode::PRECONDITION_FAILED) + of(StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!((of(StatusCode::OK), refused), (1, 7), "{answers:?}");
    assert_eq!(remarks(&daemon).await.len(), 1);
    // Nobody may write where the new file would be.
    fs::create_dir(office.home.path("etc/tenants.d/.acme.toml.new")).expect("a folder");
    let text = written(&office);
    let (_, tag) = seen(&office, &daemon, ACCOUNT).await;
    let body = Some(json!({ "title": "X" }));
    let answer = ask(&office, &daemon, Method::PATCH, ACCOUNT, Some(&tag), body).await;
    assert_eq!(answer.status, StatusCode::CONFLICT, "{answer:?}");
    let title = answer.body["title"].as_str().unwrap_or_default();
    assert!(title.contains("docs/install.md"), "{title}");
    assert_eq!(written(&office), text);
    // No token, no look.
    let url = format!("http://{}{ACCOUNT}", office.home.admin());
    let stranger = daemon.http.get(url).send().await.expect("an answer");
    assert_eq!(stranger.status(), StatusCode::UNAUTHORIZED);
}
