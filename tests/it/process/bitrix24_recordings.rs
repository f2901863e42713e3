//! Recordings that a portal cannot fetch are handed to it, by the real daemon, which nobody outside
//! can reach.

use std::fs;

use serde_json::json;
use sha2::{Digest as _, Sha256};
use trunkline::lab::bitrix24::{Mode, Record};
use trunkline::lab::fault::{Fault, Rule, When};

use super::bitrix24::Branch;
use super::daemon::Daemon;
use super::office::site_call;
use super::recordings::wav;
use super::wait::{until, when};

const CLIENT: &str = "+79161112233";

/// A portal and a daemon without a public address whose site keeps recordings in a folder.
async fn recorded_branch() -> Branch {
    let branch = Branch::open(Mode::Simple).await;
    fs::create_dir(branch.home.path("monitor")).expect("a folder");
    let root = branch.home.path("monitor");
    branch.home.edit_tenant(
        "name = \"Сайт\"",
        &format!("name = \"Сайт\"\nrecordings = [{{ folder = {root:?} }}]"),
    );
    branch
}

/// Tells of a call that was recorded into a file.
async fn call(daemon: &Daemon, key: &str, file: &str) {
    let mut call = site_call(key, CLIENT, 0);
    call["recordings"] = json!([file]);
    assert_eq!(daemon.post(&call).await.0, 202);
}

/// Returns the recording of the portal's only call.
fn held(branch: &Branch) -> Option<Record> {
    let calls = branch.oracle().calls;
    calls.first().and_then(|call| call.record.clone())
}

fn digest(content: &[u8]) -> String {
    let digest = Sha256::digest(content);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Waits until the portal holds a recording that was attached so often.
async fn attached(branch: &Branch, times: u64) -> Record {
    until("the portal holds the recording", async || {
        let record = held(branch).filter(|record| record.times == times);
        record.ok_or_else(|| format!("{:?}\n{}", branch.oracle().calls, branch.home.log()))
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn v_14_a_recording_that_comes_late_is_handed_to_a_portal_that_cannot_reach_us() {
    let branch = recorded_branch().await;
    let daemon = branch.start().await;
    call(&daemon, "1", "a.wav").await;
    daemon.settled(1).await;
    // The call stands there, its file is not even written.
    assert_eq!(branch.oracle().calls.len(), 1);
    assert_eq!(held(&branch), None);
    let sound = wav(30_000);
    fs::write(branch.home.path("monitor/a.wav"), &sound).expect("written");
    let record = attached(&branch, 1).await;
    assert_eq!((record.bytes, record.sha256), (sound.len(), digest(&sound)));
    assert!(record.name.ends_with("-79161112233.wav"), "{}", record.name);
    assert_eq!(record.url, "");
    daemon.settled(1).await;
    let key = daemon.journal_keys().await.remove(0);
    let story = daemon.story(&key).await;
    assert_eq!(story["recording"]["told"], true, "{story:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_that_was_cut_short_by_kill_9_is_made_by_the_next_life_and_leaves_one_recording()
{
    let branch = recorded_branch().await;
    let sound = wav(30_000);
    fs::write(branch.home.path("monitor/a.wav"), &sound).expect("written");
    let daemon = branch.start().await;
    // The file arrives, and the answer does not.
    let never = Fault::LateAfter { ms: 3_600_000 };
    let rule = Rule::new("POST", "*upload.json", When::First { n: 1 }, never);
    branch.portal.add_fault(rule).expect("a good rule");
    call(&daemon, "1", "a.wav").await;
    attached(&branch, 1).await;
    let key = daemon.journal_keys().await.remove(0);
    let story = daemon.story(&key).await;
    assert!(story.to_string().contains("in_flight"), "{story:#}");
    daemon.kill();
    let daemon = branch.start_again().await;
    let record = attached(&branch, 2).await;
    assert_eq!((record.bytes, record.sha256), (sound.len(), digest(&sound)));
    daemon.settled(1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_that_fails_again_and_again_keeps_the_clients_next_call_from_nothing() {
    let branch = recorded_branch().await;
    fs::write(branch.home.path("monitor/a.wav"), wav(8_000)).expect("written");
    let daemon = branch.start().await;
    let broken = Fault::ErrorBefore { status: 502 };
    let rule = Rule::new("POST", "*upload.json", When::Always, broken);
    branch.portal.add_fault(rule).expect("a good rule");
    call(&daemon, "1", "a.wav").await;
    until("the upload has failed", async || {
        let status = daemon.get("/v1/status").await;
        let keys = daemon.journal_keys().await;
        let Some(key) = keys.first() else {
            return Err(status.to_string());
        };
        let story = daemon.story(key).await;
        when(story.to_string().contains("HTTP 502"), &story)
    })
    .await;
    let again = site_call("2", CLIENT, 600);
    assert_eq!(daemon.post(&again).await.0, 202);
    until("the next call is logged", async || {
        let calls = branch.oracle().calls.len();
        when(calls == 2, branch.home.log())
    })
    .await;
}
