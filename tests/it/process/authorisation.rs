//! An account that comes in by OAuth: the code by command, the rotation, a restored backup.

use std::fs;
use std::io::Write as _;
use std::process::Stdio;

use super::daemon::list;
use super::office::{Office, site_call};
use super::wait::{until, when};

const CLIENT_ID: &str = "6a1d0c5e-0000-4000-8000-000000000001";
const STORE: &str = "trunkline.redb";

/// Gives the daemon a code of the portal as an administrator does.
async fn authorise(office: &Office) {
    let code = office.crm.issue_code(CLIENT_ID, 501);
    let mut command = office.home.command(&["account", "authorise", "acme/main"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let run = tokio::task::spawn_blocking(move || {
        let mut child = command.spawn().expect("the program starts");
        let mut input = child.stdin.take().expect("piped");
        writeln!(input, "{code}").expect("it reads");
        drop(input);
        child.wait_with_output().expect("it ends")
    });
    let output = run.await.expect("no panic");
    assert!(output.status.success(), "{output:?}");
}

/// Returns what the command line says about the account.
async fn account(office: &Office) -> String {
    let listed = office.home.run(&["account", "list"]).await;
    assert_eq!(listed.status, Some(0), "{listed:?}");
    listed.out
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restored_backup_asks_for_a_code_and_never_sends_its_old_token() {
    let office = Office::open().await;
    office.home.write("secrets/amocrm-client", "lab-secret");
    office.home.edit_tenant(
        "url = \"https://demo.amocrm.ru\"\n",
        &format!(
            "url = \"https://demo.amocrm.ru\"\nclient_id = \"{CLIENT_ID}\"\n\
             redirect_uri = \"https://box.example/amo\"\n"
        ),
    );
    office.home.edit_tenant(
        "token = { file = \"../../secrets/amocrm-main\" }",
        "client_secret = { file = \"../../secrets/amocrm-client\" }",
    );
    let daemon = office.start().await;
    assert!(account(&office).await.contains("not authorised yet"));
    let posted = daemon.post(&site_call("first", "79160000001", 0)).await;
    assert_eq!(posted.0, 202);
    // What waited for the code goes on at once.
    authorise(&office).await;
    daemon.settled(1).await;
    assert!(account(&office).await.contains("in order"));
    assert_eq!(daemon.terminate().await, Some(0));
    let backup = fs::read(office.home.path(STORE)).expect("the store");

    office.crm.expire_access_tokens();
    let daemon = office.start().await;
    daemon.post(&site_call("second", "79160000002", 60)).await;
    daemon.settled(2).await;
    daemon.kill();

    fs::write(office.home.path(STORE), backup).expect("restored");
    office.crm.expire_access_tokens();
    let daemon = office.start().await;
    daemon.post(&site_call("third", "79160000003", 120)).await;
    until("the alarm stands", async || {
        let status = daemon.get("/v1/status").await;
        let alarms = list(&status, "alarms");
        let stands = alarms.iter().any(|alarm| {
            let text = alarm["text"].as_str().unwrap_or_default();
            alarm["word"] == "credential" && text.contains("from a backup")
        });
        when(stands, status)
    })
    .await;
    assert_eq!(office.crm.counters().spent_tokens_reused, 0);
    authorise(&office).await;
    daemon.settled(2).await;
    assert_eq!(office.oracle().calls_of_phone("79160000003").len(), 1);
    assert_eq!(office.crm.counters().spent_tokens_reused, 0);
    for secret in ["lab-secret", "def502"] {
        assert!(
            !office.home.log().contains(secret),
            "{secret} is in the log"
        );
    }
}
