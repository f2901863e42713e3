//! SIGHUP: what changed takes effect, what did not change is not touched.

use std::time::Duration;

use tokio::time::Instant;
use trunkline::lab::fault::{Fault, When};

use super::daemon::{Daemon, list};
use super::office::{Office, site_call};
use super::wait::{until, when};

const TO_DEAL: &str =
    "action = { kind = \"contact_and_deal\", pipeline = \"3100\", stage = \"3102\" }";
const TO_CONTACT: &str = "on = true, action = { kind = \"contact\" }";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_setting_acts_on_the_next_call_and_no_session_is_dropped() {
    let office = Office::open().await;
    let daemon = office.start().await;
    // Grows with every client that comes and asks which channels live.
    let mut attached = office.ami.attached();
    attached.mark_unchanged();
    office.client_calls("79165550001");
    daemon.settled(1).await;
    assert_eq!(office.oracle().leads.len(), 1);

    office.home.edit_tenant(TO_DEAL, TO_CONTACT);
    let told = daemon.reload().await;
    assert!(
        told.contains("integrations: 0 added, 1 changed, 0 removed"),
        "{told}"
    );
    assert!(!told.contains("sources"), "{told}");
    office.client_calls("79165550002");
    daemon.settled(2).await;
    let oracle = office.oracle();
    assert_eq!(oracle.contacts_of_phone("79165550002").len(), 1);
    assert_eq!(
        oracle.leads_of_phone("79165550002").len(),
        0,
        "the new setting makes none"
    );
    assert_eq!(oracle.calls.len(), 2);

    // Nothing changed: nothing happens.
    assert_eq!(daemon.reload().await, "reloaded: nothing changed");
    assert_eq!(office.ami.clients(), 1);
    assert!(
        !attached.has_changed().expect("it runs"),
        "the session is the first one"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_configuration_changes_nothing_and_the_journal_says_so() {
    let office = Office::open().await;
    let daemon = office.start().await;
    let mut attached = office.ami.attached();
    attached.mark_unchanged();
    // One change that would be right, and two mistakes.
    office.home.edit_tenant(TO_DEAL, TO_CONTACT);
    office
        .home
        .edit_tenant("username = \"trunkline\"", "usrname = \"trunkline\"");
    let told = daemon.reload().await;
    assert_eq!(
        told,
        "reload refused: 2 mistake(s) in the configuration; the old one stays in force"
    );
    let log = office.home.log();
    assert!(log.contains("sources[0].settings.usrname"), "{log}");
    assert!(log.contains("sources[0].settings.username"), "{log}");
    office.client_calls("79165550003");
    daemon.settled(1).await;
    assert_eq!(office.oracle().leads.len(), 1, "by the old setting");
    assert!(!attached.has_changed().expect("it runs"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_session_of_a_removed_source_ends_and_its_return_begins_one() {
    let office = Office::open().await;
    let daemon = office.start().await;
    let tenant = "etc/tenants.d/acme.toml";
    let whole = std::fs::read_to_string(office.home.path(tenant)).expect("it is there");
    let begin = whole
        .find("[[sources]]\nid = \"office\"")
        .expect("it is there");
    let end = whole
        .find("[[sources]]\nid = \"site\"")
        .expect("it is there");
    let mut without = whole.clone();
    without.replace_range(begin..end, "");
    let lines = without
        .lines()
        .filter(|line| !line.contains("source = \"office\", ext"));
    let without = lines.collect::<Vec<_>>().join("\n");
    let without = without.replace("{ source = \"office\", kinds = [\"call\"] }, ", "");
    let without = without.replace(
        "extensions = [{ source = \"office\", extension = \"102\" }]\n",
        "",
    );
    office.home.write(tenant, &without);
    let told = daemon.reload().await;
    assert!(
        told.contains("sources: 0 added, 0 changed, 1 removed, 1 untouched"),
        "{told}"
    );
    until("the session is gone", async || {
        let clients = office.ami.clients();
        when(clients == 0, clients)
    })
    .await;
    let status = daemon.get("/v1/status").await;
    assert_eq!(list(&status, "sources").len(), 1, "{status}");
    // The other source goes on.
    let posted = daemon.post(&site_call("w-1", "+79165550004", 0)).await;
    assert_eq!(posted.0, 202, "{}", posted.1);

    office.home.write(tenant, &whole);
    let told = daemon.reload().await;
    assert!(told.contains("sources: 1 added"), "{told}");
    daemon.attached().await;
    office.client_calls("79165550005");
    daemon.settled(2).await;
    office.holds_one_answered_call_of_each(&["+79165550004", "+79165550005"]);
}

/// Waits until one work, the end of a call, is kept up by the CRM.
async fn one_work_waits(daemon: &Daemon) {
    until("one work waits", async || {
        let status = daemon.get("/v1/status").await;
        let sales = &list(&status, "integrations")[0];
        let waits = sales["waiting_for"].is_string() && sales["open_works"] == 1;
        when(waits, sales)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn work_that_waits_for_an_edited_integration_is_kept_and_done_by_the_new_settings() {
    let office = Office::open().await;
    // Facts are refused: nothing can be decided.
    office.fault("GET", "*", When::Always, Fault::ForbiddenJson);
    let daemon = office.start().await;
    let posted = daemon.post(&site_call("w-1", "+79165550006", 0)).await;
    assert_eq!(posted.0, 202, "{}", posted.1);
    one_work_waits(&daemon).await;
    office.home.edit_tenant(TO_DEAL, TO_CONTACT);
    office.crm.clear_faults();
    // An account that cannot be set up is left alone for half a minute, but that somebody edits
    // the integration is a reason to try at once.
    let began = Instant::now();
    daemon.reload().await;
    daemon.settled(1).await;
    assert!(
        began.elapsed() < Duration::from_secs(20),
        "{:?}",
        began.elapsed()
    );
    let oracle = office.oracle();
    assert_eq!((oracle.contacts.len(), oracle.leads.len()), (1, 0));
    assert_eq!(oracle.calls.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn work_of_an_integration_that_is_switched_off_waits_until_it_is_on_again() {
    let office = Office::open().await;
    office.crm_down();
    let daemon = office.start().await;
    let posted = daemon.post(&site_call("w-1", "+79165550007", 0)).await;
    assert_eq!(posted.0, 202, "{}", posted.1);
    one_work_waits(&daemon).await;
    office
        .home
        .edit_tenant("activity = \"on\"", "activity = \"off\"");
    daemon.reload().await;
    office.crm.clear_faults();
    // What comes now is nobody's; what came before is kept.
    let posted = daemon.post(&site_call("w-2", "+79165550008", 0)).await;
    assert_eq!(posted.0, 202, "{}", posted.1);
    let story = daemon.story("acme/site/w-2").await;
    assert_eq!(story["not_taken"], "switched off: sales", "{story}");
    let status = daemon.get("/v1/status").await;
    assert_eq!(status["store"]["open_works"], 1, "{status}");

    office
        .home
        .edit_tenant("activity = \"off\"", "activity = \"on\"");
    daemon.reload().await;
    daemon.settled(2).await;
    office.holds_one_answered_call_of_each(&["+79165550007"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reload_offers_to_decide_dead_letters_by_the_new_settings() {
    let office = Office::open().await;
    let no_pipeline = TO_DEAL.replace("3100", "9999");
    office.home.edit_tenant(TO_DEAL, &no_pipeline);
    let daemon = office.start().await;
    daemon.post(&site_call("first", "79160000001", 0)).await;
    daemon.settled(1).await;
    assert_eq!(office.oracle().leads.len(), 0);
    let status = office.home.run(&["status"]).await;
    assert!(status.out.contains("outbox dead"), "{status:?}");

    office.home.edit_tenant(&no_pipeline, TO_DEAL);
    let told = daemon.reload().await;
    let command = "trunkline outbox decide-again --all-of acme/sales";
    assert!(told.contains(command), "{told}");
    let arguments: Vec<&str> = command.split(' ').skip(1).collect();
    let done = office.home.run(&arguments).await;
    assert_eq!(done.status, Some(0), "{done:?}");
    daemon.settled(1).await;
    let oracle = office.oracle();
    assert_eq!(oracle.leads_of_phone("79160000001").len(), 1);
    assert_eq!(oracle.contacts.len(), 1);
}
