//! What a person does about work that does not get through.

use serde_json::Value;
use trunkline::lab::fault::{Fault, When};

use super::daemon::{Daemon, list};
use super::office::{Office, site_call};
use super::wait::{until, when};

const ANNA_CALLS: &str = "+79165550001";
const BORIS_CALLS: &str = "+79165550002";

async fn blocked_alarm(daemon: &Daemon) -> Value {
    until("the alarm stands", async || {
        let status = daemon.get("/v1/status").await;
        let alarms = list(&status, "alarms");
        let blocked = alarms.iter().find(|alarm| alarm["word"] == "blocked");
        blocked.cloned().ok_or_else(|| status["alarms"].to_string())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_blocked_account_stays_blocked_over_a_restart_until_a_person_resumes_it() {
    let office = Office::open().await;
    let daemon = office.start_warm(ANNA_CALLS).await;
    office.fault("", "*", When::Always, Fault::BlockedHtml);
    let posted = daemon.post(&site_call("second", BORIS_CALLS, 60)).await;
    assert_eq!(posted.0, 202, "{}", posted.1);
    blocked_alarm(&daemon).await;
    // The block was written before this.
    let later = daemon.post(&site_call("later", ANNA_CALLS, 90)).await;
    assert_eq!(later.0, 202, "{}", later.1);
    daemon.kill();
    office.crm.clear_faults();
    let handle = office.crm.handle();
    let before = handle.log_counters().arrived;

    let daemon = office.start().await;
    let alarm = blocked_alarm(&daemon).await;
    let third = daemon.post(&site_call("third", ANNA_CALLS, 120)).await;
    assert_eq!(third.0, 202, "{}", third.1);
    until("all three wait", async || {
        let status = daemon.get("/v1/status").await;
        let sales = &list(&status, "integrations")[0];
        let waits = sales["open_works"] == 3 && sales["waiting_for"].is_string();
        when(waits, sales)
    })
    .await;
    assert_eq!(handle.log_counters().arrived, before, "not even one knock");
    let portal = alarm["what"].as_str().expect("the account");
    let resumed = office.home.run(&["account", "resume", portal]).await;
    assert_eq!(resumed.status, Some(0), "{resumed:?}");
    daemon.settled(4).await;
    assert_eq!(office.oracle().contacts_of_phone(BORIS_CALLS).len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_settings_are_put_right_dead_letters_are_offered_to_be_decided_again() {
    let office = Office::open().await;
    office
        .home
        .edit_tenant("stage = \"3102\"", "stage = \"999\"");
    let daemon = office.start().await;
    let posted = daemon.post(&site_call("w-1", ANNA_CALLS, 0)).await;
    assert_eq!(posted.0, 202, "{}", posted.1);
    daemon.settled(1).await;
    assert_eq!(office.crm.oracle().leads.len(), 0);
    office
        .home
        .edit_tenant("stage = \"999\"", "stage = \"3102\"");
    let told = daemon.reload().await;
    let command = "trunkline outbox decide-again --all-of acme/sales";
    assert!(told.contains(command), "{told}");
    let status = office.home.run(&["status"]).await;
    assert!(status.out.contains(command), "{}", status.out);
    let none = ["outbox", "decide-again", "--reason", "no such words"];
    let none = office.home.run(&none).await;
    assert!(none.out.contains("0 dead letter(s) changed"), "{none:?}");
    let again = ["outbox", "decide-again", "--all-of", "acme/sales"];
    let again = office.home.run(&again).await;
    assert_eq!(again.status, Some(0), "{again:?}");
    daemon.settled(1).await;
    office.holds_one_answered_call_of_each(&[ANNA_CALLS]);
}
