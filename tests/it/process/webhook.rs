//! The generic webhook, from outside.

use serde_json::{Value, json};

use super::daemon::list;
use super::home::SITE_HOOK;
use super::office::{Office, site_call};
use super::wait::{until, when};

/// Paths of the mistakes that an answer names.
fn paths(answer: &Value) -> Vec<&str> {
    let mistakes = list(answer, "mistakes").iter();
    mistakes
        .filter_map(|mistake| mistake["path"].as_str())
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_post_is_accepted_once_known_when_repeated_and_refused_with_reasons() {
    let office = Office::open().await;
    let daemon = office.start().await;
    let call = site_call("w-1", "+79167770001", 0);
    let (status, answer) = daemon.post(&call).await;
    assert_eq!((status, &answer["stored"]), (202, &json!(1)), "{answer}");
    let (status, answer) = daemon.post(&call).await;
    assert_eq!((status, &answer["repeats"]), (200, &json!(1)), "{answer}");

    // One wrong item of three: nothing of it is taken.
    let mut wrong = site_call("w-3", "+79167770003", 0);
    wrong["ended_at"] = json!("yesterday");
    wrong["talkrs"] = json!([]);
    let all = json!([
        site_call("w-2", "+79167770002", 0),
        wrong,
        site_call("w-4", "+79167770004", 0)
    ]);
    let (status, answer) = daemon.post(&all).await;
    assert_eq!(status, 400, "{answer}");
    let mut named = paths(&answer);
    named.sort_unstable();
    assert_eq!(named, ["1.ended_at", "1.talkrs"], "{answer}");
    assert_eq!(daemon.journal_keys().await, ["acme/site/w-1"]);

    let own = format!("/v1/events/acme/site/{SITE_HOOK}");
    for body in ["", "{", "5", "\u{feff}[]x"] {
        let (status, answer) = daemon.post_to(&own, body.to_owned()).await;
        assert_eq!(
            (status, paths(&answer).len()),
            (400, 1),
            "{body:?}: {answer}"
        );
    }
    // The daemon's limit in this test is 64 KiB.
    let (status, answer) = daemon.post_to(&own, " ".repeat(70_000)).await;
    assert_eq!(status, 413, "{answer}");

    let mut refusals = Vec::new();
    for path in [
        format!("/v1/events/acme/site/{SITE_HOOK}x"),
        "/v1/events/acme/site/wrong-secret-of-some-length".to_owned(),
        format!("/v1/events/acme/nowhere/{SITE_HOOK}"),
        format!("/v1/events/nobody/site/{SITE_HOOK}"),
        format!("/v1/events/acme/office/{SITE_HOOK}"),
        format!("/hooks/asterisk/acme/site/{SITE_HOOK}"),
        "/elsewhere".to_owned(),
    ] {
        let (status, answer) = daemon.post_to(&path, call.to_string()).await;
        assert_eq!(status, 404, "{path}");
        refusals.push(answer);
    }
    refusals.dedup();
    assert_eq!(
        refusals.len(),
        1,
        "nothing is learned by trying: {refusals:?}"
    );
    daemon.settled(1).await;
    office.holds_one_answered_call_of_each(&["+79167770001"]);
    for secret in office.home.secrets() {
        assert!(!office.home.log().contains(secret.as_str()), "{secret}");
    }
}

/// Acknowledged is stored: the daemon is killed as soon as the answer is here, again and again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_a_kill() {
    let office = Office::open().await;
    let mut clients = Vec::new();
    for life in 0..4 {
        let daemon = office.start().await;
        let client = format!("+7916777100{life}");
        let (status, answer) = daemon
            .post(&site_call(&format!("w-{life}"), &client, 0))
            .await;
        daemon.kill();
        assert_eq!(status, 202, "{answer}");
        clients.push(client);
    }
    let daemon = office.start().await;
    // A sender that heard no answer would send it again.
    let (status, answer) = daemon.post(&site_call("w-3", "+79167771003", 0)).await;
    assert_eq!(status, 200, "{answer}");
    daemon.settled(4).await;
    let clients: Vec<&str> = clients.iter().map(String::as_str).collect();
    office.holds_one_answered_call_of_each(&clients);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pictures_of_one_call_in_any_order_make_one_call() {
    let office = Office::open().await;
    let daemon = office.start().await;
    let mut ended = site_call("w-1", "8 (916) 777-20-01", 0);
    ended["revision"] = json!(3);
    let ringing = json!({
        "kind": "call", "key": "w-1", "revision": 1, "direction": "incoming", "phase": "ringing",
        "client": "+79167772001", "started_at": "2026-11-20T09:00:00Z",
    });
    assert_eq!(daemon.post(&ringing).await.0, 202);
    assert_eq!(daemon.post(&ended).await.0, 202);
    assert_eq!(daemon.post(&ringing).await.0, 200);
    until("it is done", async || {
        let found = daemon.get("/v1/journal").await;
        when(found["items"][0]["outcome"] == "done", found)
    })
    .await;
    daemon.settled(1).await;
    office.holds_one_answered_call_of_each(&["+79167772001"]);
}
