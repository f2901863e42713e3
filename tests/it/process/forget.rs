//! `trunkline forget`: a client leaves the journal, and nothing is made anew because of it.

use super::daemon::list;
use super::office::Office;
use super::requests::{request, settled, with_requests};
use super::wait::{until, when};

const REQUESTS: &str = r#"
[integrations.settings.requests]
default_responsible = "501"
method = { kind = "contact" }
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_forgotten_client_is_in_no_answer_of_the_box_and_what_is_reported_again_is_known() {
    let office = with_requests(Office::open().await, REQUESTS);
    let daemon = office.start().await;
    let (his, other) = (
        request("f-1", "+79165550001", "/price"),
        request("f-2", "+79165550002", "/price"),
    );
    for request in [&his, &other] {
        assert_eq!(daemon.post(request).await.0, 202);
    }
    settled(&daemon, 2).await;
    let ran = office.home.run(&["forget", "8 (916) 555-00-01"]).await;
    assert_eq!(ran.status, Some(0), "{}", ran.err);
    assert!(
        ran.out.contains("forgotten: 1 communication(s)"),
        "{}",
        ran.out
    );

    let found = daemon.get("/v1/journal?phone=%2B79165550001").await;
    assert_eq!(list(&found, "items").len(), 0, "{found}");
    let all = daemon.get("/v1/journal?limit=500").await;
    assert_eq!(list(&all, "items").len(), 2, "that it came stays: {all}");
    let mut told = all.to_string();
    for key in daemon.journal_keys().await {
        told.push_str(&daemon.story(&key).await.to_string());
    }
    told.push_str(&daemon.get("/v1/journal/notes?limit=500").await.to_string());
    assert!(!told.contains("9165550001"), "{told}");
    assert!(told.contains("9165550002"), "the other client is as he was");

    // The site sends it once more: known, nothing is made.
    assert_eq!(daemon.post(&his).await.0, 200);
    let again = office.home.run(&["forget", "+79165550001", "--json"]).await;
    assert_eq!(again.json()["communications"], 0, "{}", again.out);
    let oracle = office.oracle();
    assert_eq!(oracle.contacts_of_phone("+79165550001").len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_for_the_crm_is_kept_and_said() {
    let office = with_requests(Office::open().await, REQUESTS);
    let daemon = office.start().await;
    office.crm_down();
    assert_eq!(
        daemon
            .post(&request("f-1", "+79165550001", "/price"))
            .await
            .0,
        202
    );
    let ran = office.home.run(&["forget", "+79165550001", "--json"]).await;
    let report = ran.json();
    assert_eq!(report["communications"], 0, "{report}");
    assert_eq!(report["kept"][0]["why"], "waits", "{report}");
    office.crm.clear_faults();
    until("it can be forgotten now", async || {
        let ran = office.home.run(&["forget", "+79165550001", "--json"]).await;
        let report = ran.json();
        when(report["communications"] == 1, report.to_string())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_number_is_refused() {
    let office = Office::open().await;
    let _daemon = office.start().await;
    let ran = office.home.run(&["forget", "Ivan"]).await;
    assert_eq!(ran.status, Some(2), "{}", ran.out);
    assert!(!ran.err.is_empty());
}
