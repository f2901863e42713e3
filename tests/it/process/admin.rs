//! The administrator's endpoint, and what the log and the metrics never show.

use std::os::unix::fs::PermissionsExt;

use reqwest::header::{CONTENT_TYPE, HOST};

use super::daemon::http_client;
use super::home::ADMIN_TOKEN;
use super::office::{Office, site_call};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_admin_port_wants_a_token_and_a_known_host_and_the_socket_neither() {
    let office = Office::open().await;
    let daemon = office.start().await;
    let port = format!("http://{}", office.home.admin());
    let ask = |path: &str, token: &str, host: &str| {
        let request = daemon.http.get(format!("{port}{path}"));
        let request = request.header(HOST, host);
        let request = match token {
            "" => request,
            token => request.bearer_auth(token),
        };
        async { request.send().await.expect("an answer").status().as_u16() }
    };
    let own = office.home.admin().to_string();
    for path in [
        "/v1/status",
        "/v1/journal",
        "/v1/journal/notes",
        "/v1/communications/acme/site/w-1",
        "/v1/outbox",
        "/v1/dead-letters",
        "/metrics",
        "/openapi.json",
        "/elsewhere",
    ] {
        assert_eq!(ask(path, "", &own).await, 401, "{path}");
        assert_eq!(ask(path, &ADMIN_TOKEN[1..], &own).await, 401, "{path}");
        assert_eq!(
            ask(path, ADMIN_TOKEN, "evil.example:8460").await,
            403,
            "{path}"
        );
    }
    for host in [own.as_str(), "localhost:8460", "[::1]:8460"] {
        assert_eq!(ask("/v1/status", ADMIN_TOKEN, host).await, 200, "{host}");
    }
    for open in ["/healthz", "/readyz"] {
        assert_eq!(ask(open, "", &own).await, 200, "{open}");
        assert_eq!(ask(open, "", "evil.example").await, 403, "{open}");
    }

    let socket = office.home.path("admin.sock");
    let mode = std::fs::metadata(&socket)
        .expect("it is there")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o660);
    drop(http_client());
    let through = reqwest::Client::builder().unix_socket(socket).no_proxy();
    let through = through.build().expect("a client");
    let asked = through.get("http://localhost/v1/status").send().await;
    assert_eq!(asked.expect("an answer").status(), 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_running_daemon_describes_itself_as_the_committed_document_does() {
    let office = Office::open().await;
    let daemon = office.start().await;
    let request = daemon
        .http
        .get(format!("http://{}/openapi.json", office.home.admin()));
    let answer = request.bearer_auth(ADMIN_TOKEN).send().await;
    let answer = answer.expect("an answer");
    let media = answer.headers().get(CONTENT_TYPE).cloned();
    assert_eq!(
        media.as_ref().map(|media| media.as_bytes()),
        Some(&b"application/json"[..])
    );
    let served = answer.text().await.expect("text");
    // No comparison of two long texts on the screen.
    assert!(
        served == include_str!("../../../docs/openapi.json"),
        "docs/openapi.json is not what is served"
    );
    assert_eq!(daemon.terminate().await, Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_after_a_communication_that_is_not_there_is_asked_for_wrongly() {
    let office = Office::open().await;
    let daemon = office.start().await;
    let place = format!("http://{}/v1/journal", office.home.admin());
    let request = daemon.http.get(format!("{place}?after=acme/site/nothing"));
    let answer = request.bearer_auth(ADMIN_TOKEN).send().await;
    let answer = answer.expect("an answer");
    assert_eq!(answer.status(), 400);
    let problem: serde_json::Value = answer.json().await.expect("JSON");
    assert_eq!(problem["parameter"], "after", "{problem}");
    assert_eq!(daemon.terminate().await, Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn neither_secrets_nor_clients_numbers_reach_the_log_or_the_metrics() {
    let office = Office::open().await;
    // Troubles are logged too: a rejected deal, an account that is down.
    let daemon = office.start().await;
    office.client_calls("79168880001");
    daemon.settled(1).await;
    office.crm_down();
    daemon.post(&site_call("w-1", "+79168880002", 0)).await;
    let mut wrong = site_call("w-2", "+79168880003", 0);
    wrong["client"] = serde_json::json!("8916888000345678901234");
    wrong["phase"] = serde_json::json!("over");
    daemon.post(&wrong).await;
    daemon
        .post_to(
            "/v1/events/acme/site/a-wrong-secret-of-somebody",
            "{}".to_owned(),
        )
        .await;
    office.crm.clear_faults();
    daemon.settled(2).await;
    let metrics = daemon
        .http
        .get(format!("http://{}/metrics", office.home.admin()));
    let metrics = metrics
        .bearer_auth(ADMIN_TOKEN)
        .send()
        .await
        .expect("an answer");
    let metrics = metrics.text().await.expect("text");
    assert!(
        metrics.contains("trunkline_store_communications 2"),
        "{metrics}"
    );
    assert_eq!(daemon.terminate().await, Some(0));

    let log = office.home.log();
    assert!(
        log.contains("+7916***0001"),
        "shortened, as the settings want it: {log}"
    );
    for text in [&log, &metrics] {
        for digits in ["8880001", "8880002", "88800034567"] {
            assert!(!text.contains(digits), "{digits}: {text}");
        }
        for secret in office.home.secrets() {
            assert!(!text.contains(secret.as_str()), "{secret}: {text}");
        }
        assert!(!text.contains("a-wrong-secret"), "{text}");
    }
}
