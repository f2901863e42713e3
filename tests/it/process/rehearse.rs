//! `trunkline rehearse`: what settings would have made of recorded calls.

use serde_json::Value;

use super::daemon::{Daemon, list};
use super::office::{Office, site_call};
use super::rules::{self, play};
use super::wait::{until, when};

const TO_DEAL: &str =
    "action = { kind = \"contact_and_deal\", pipeline = \"3100\", stage = \"3102\" }";
const TO_CONTACT: &str = "action = { kind = \"contact\" }";

/// An office with an answered, a missed and an internal call, and one of the site.
async fn with_calls() -> (Office, Daemon) {
    let office = Office::open().await;
    let daemon = office.start().await;
    office.client_calls("79166660001");
    play(&office, "inbound_missed", "79166660002");
    play(&office, "internal_call", "79166660002");
    daemon.post(&site_call("w-1", "+79166660003", 0)).await;
    daemon.settled(4).await;
    (office, daemon)
}

/// Writes a changed copy of the tenant's file outside the configuration; returns its path.
fn draft(office: &Office, changes: &[(&str, &str)]) -> String {
    let text = std::fs::read_to_string(office.home.path("etc/tenants.d/acme.toml"));
    let mut text = text.expect("it is there");
    for (from, to) in changes {
        assert_eq!(text.matches(from).count(), 1, "{from:?}");
        text = text.replace(from, to);
    }
    office.home.write("draft.toml", &text);
    office.home.path("draft.toml").display().to_string()
}

fn counts(found: &Value) -> [u64; 5] {
    let counts = &list(found, "integrations")[0]["counts"];
    [
        "communications",
        "same",
        "other_steps",
        "other_reasons",
        "not_rehearsed",
    ]
    .map(|name| counts[name].as_u64().unwrap_or(u64::MAX))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settings_that_are_not_in_force_are_compared_and_nothing_is_sent_or_changed() {
    let (office, daemon) = with_calls().await;
    let sent = office.crm.log_counters().arrived;
    let before = daemon.get("/v1/status").await;

    // The settings in force make what was decided.
    let found = office.home.run(&["rehearse", "--json"]).await.json();
    assert_eq!(found["compared_with"], "decisions");
    assert_eq!(counts(&found), [4, 4, 0, 0, 0], "{found:#}");

    let path = draft(&office, &[(TO_DEAL, TO_CONTACT)]);
    let rehearse = ["rehearse", "--settings", &path];
    let found = office
        .home
        .run(&[&rehearse[..], &["--json"]].concat())
        .await;
    assert_eq!(found.status, Some(0), "{found:?}");
    let found = found.json();
    assert_eq!(found["compared_with"], "settings_in_force");
    assert_eq!(counts(&found), [4, 2, 2, 0, 0], "{found:#}");
    let report = &list(&found, "integrations")[0];
    assert_eq!(report["made_before"]["create_deal"], 2, "{report}");
    assert_eq!(report["made_after"].get("create_deal"), None, "{report}");
    assert_eq!(report["made_after"]["create_contact"], 3, "{report}");
    for (language, reason) in [("en", "new client"), ("ru", "новый клиент")] {
        let told = [&rehearse[..], &["--lang", language]].concat();
        let told = office.home.run(&told).await.out;
        for words in [
            "acme/site/w-1",
            "other steps",
            "step deal",
            "now: not made",
            reason,
            "4 communication(s): 2 the same, 2 with other steps",
            "nothing was sent, nothing was changed",
        ] {
            assert!(told.contains(words), "{language}, {words}: {told}");
        }
    }

    // Bounds.
    let last = [&rehearse[..], &["--json", "--last", "1"]].concat();
    let found = office.home.run(&last).await.json();
    assert_eq!(counts(&found)[0], 1, "{found:#}");
    assert_eq!(list(&found, "integrations")[0]["more"], true);
    let since = [
        &rehearse[..],
        &["--json", "--since", "2099-01-01T00:00:00Z"],
    ]
    .concat();
    let found = office.home.run(&since).await.json();
    assert_eq!(counts(&found)[0], 0, "{found:#}");

    let after = daemon.get("/v1/status").await;
    let revision = |status: &Value| list(status, "integrations")[0]["settings_revision"].clone();
    assert_eq!(revision(&before), revision(&after));
    // The directory may read meanwhile; nothing is written.
    let written: Vec<_> = office
        .crm
        .log()
        .into_iter()
        .filter(|entry| entry.ordinal > sent && entry.method != "GET")
        .collect();
    assert!(written.is_empty(), "{written:#?}");
    // What is in force still is.
    office.client_calls("79166660004");
    daemon.settled(5).await;
    assert_eq!(office.oracle().leads_of_phone("79166660004").len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settings_with_mistakes_are_refused_and_every_mistake_is_named() {
    let (office, _daemon) = with_calls().await;
    let mistakes = [
        ("kind = \"contact_and_deal\"", "kind = \"contact_and_deel\""),
        (
            "account = \"main\"\nactivity",
            "account = \"mane\"\nactivity",
        ),
        (
            "time_zone = \"Europe/Moscow\"",
            "time_zone = \"Europe/Moskow\"",
        ),
    ];
    let path = draft(&office, &mistakes);
    let told = office.home.run(&["rehearse", "--settings", &path]).await;
    assert_eq!(told.status, Some(2), "{told:?}");
    for words in [
        "contact_and_deel",
        "mane",
        "Moskow",
        "mistake(s) in the settings",
    ] {
        assert!(told.err.contains(words), "{words}: {}", told.err);
    }
    assert!(told.err.contains("draft.toml:"), "{}", told.err);

    let other = draft(&office, &[("id = \"acme\"", "id = \"other\"")]);
    let absent = office.home.path("nowhere.toml").display().to_string();
    for question in [
        &["rehearse", "--settings", &other][..],
        &["rehearse", "--settings", &absent],
        &["rehearse", "--integration", "acme/nowhere"],
        &["rehearse", "--since", "yesterday"],
    ] {
        let told = office.home.run(question).await;
        assert_eq!(told.status, Some(2), "{question:?}: {told:?}");
        assert!(!told.err.trim().is_empty(), "{question:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_integration_that_is_new_is_rehearsed_by_what_others_knew_and_gaps_are_counted() {
    let (office, daemon) = with_calls().await;
    let text = std::fs::read_to_string(office.home.path("etc/tenants.d/acme.toml"));
    let text = text.expect("it is there");
    let (head, integration) = text.split_once("[[integrations]]").expect("there is one");
    let trial = integration
        .replace("id = \"sales\"", "id = \"trial\"")
        .replace("activity = \"on\"", "activity = \"observe\"")
        .replace(TO_DEAL, TO_CONTACT);
    let both = format!("{head}[[integrations]]{integration}\n[[integrations]]{trial}");
    office.home.write("draft.toml", &both);
    let path = office.home.path("draft.toml").display().to_string();
    let rehearse = [
        "rehearse",
        "--settings",
        &path,
        "--integration",
        "acme/trial",
        "--json",
    ];
    let found = office.home.run(&rehearse).await.json();
    assert_eq!(counts(&found), [4, 0, 3, 1, 0], "{found:#}");
    let report = &list(&found, "integrations")[0];
    assert_eq!(report["made_after"]["create_contact"], 3, "{report}");

    // A call whose client the CRM could not be asked about.
    office.crm_down();
    daemon.post(&site_call("w-2", "+79166660009", 60)).await;
    until("the call waits for the CRM", async || {
        let status = daemon.get("/v1/status").await;
        when(status["store"]["open_works"] == 1, &status["store"])
    })
    .await;
    let found = office.home.run(&["rehearse", "--json"]).await.json();
    assert_eq!(counts(&found), [5, 4, 0, 0, 1], "{found:#}");
    let told = office.home.run(&["rehearse", "--lang", "en"]).await;
    assert!(
        told.out.contains("not rehearsed, 1: It is not decided yet"),
        "{}",
        told.out
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_sort_of_call_comes_to_the_same_under_the_same_settings() {
    let office = rules::office().await;
    office.home.edit_tenant(
        "answered_unknown = { action = { kind = \"contact_and_deal\"",
        "answered_unknown = { at = \"answer\", action = { kind = \"contact_and_deal\"",
    );
    let daemon = office.start().await;
    let captures = [
        "inbound_answered",
        "inbound_missed",
        "outbound_answered",
        "outbound_noanswer",
        "attended_transfer",
        "blind_transfer",
        "queue_answered",
        "parallel_ring_missed",
    ];
    for round in 1..=2 {
        for (number, capture) in captures.into_iter().enumerate() {
            play(&office, capture, &format!("7916667000{number}"));
        }
        daemon.settled(round * captures.len()).await;
    }
    let path = draft(&office, &[]);
    for more in [&["--all"][..], &["--settings", &path]] {
        let rehearse = [&["rehearse", "--json"], more].concat();
        let found = office.home.run(&rehearse).await.json();
        assert_eq!(counts(&found), [16, 16, 0, 0, 0], "{found:#}");
        let report = &list(&found, "integrations")[0];
        assert_eq!(report["made_before"], report["made_after"]);
        let told = list(report, "communications").len();
        assert_eq!(told, if more == ["--all"] { 16 } else { 0 });
    }
}
