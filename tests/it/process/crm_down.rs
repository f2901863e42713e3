//! The CRM does not answer for a while.

use super::daemon::list;
use super::office::{Office, site_call};
use super::wait::{until, when};

/// 2026-11-20 09:00 UTC, when the first call of the site began.
const NINE: i64 = 1_795_165_200;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_of_a_time_without_crm_are_kept_and_delivered_once_with_their_own_times() {
    let office = Office::open().await;
    office.crm_down();
    let daemon = office.start().await;
    let clients = ["+79164440001", "+79164440002", "+79164440003"];
    for (client, (number, began_s)) in clients.iter().zip([(1, 0), (2, 600), (3, 1200)]) {
        let posted = daemon
            .post(&site_call(&format!("w-{number}"), client, began_s))
            .await;
        assert_eq!(posted.0, 202, "{}", posted.1);
    }
    until("all three are not decided yet", async || {
        let status = daemon.get("/v1/status").await;
        let sales = &list(&status, "integrations")[0];
        let three = sales["not_decided_yet"] == 3 && sales["open_works"] == 3;
        let told = three && sales["waiting_for"].is_string();
        when(told, sales)
    })
    .await;
    let status = office.home.run(&["status"]).await;
    assert_eq!(status.status, Some(0), "{status:?}");
    assert!(
        status.out.contains("3 open, 3 not decided yet (HTTP 503"),
        "{}",
        status.out
    );
    let told = office.home.run(&["explain", "acme/site/w-1"]).await;
    assert!(told.out.contains("not decided yet"), "{}", told.out);
    assert_eq!(office.crm.oracle().contacts.len(), 0);

    office.crm.clear_faults();
    daemon.settled(3).await;
    office.holds_one_answered_call_of_each(&clients);
    let oracle = office.crm.oracle();
    for (client, began_s) in clients.iter().zip([0, 600, 1200]) {
        let call = oracle.calls_of_phone(client)[0];
        assert_eq!(call.at, NINE + began_s, "{call:?}");
        assert_eq!(call.duration, 30, "{call:?}");
    }
    // The alarm ends with its cause.
    until("no alarm stands", async || {
        let status = daemon.get("/v1/status").await;
        when(list(&status, "alarms").is_empty(), &status["alarms"])
    })
    .await;
}
