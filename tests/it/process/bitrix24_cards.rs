//! The card of a caller in Bitrix24, from the telephones that ring to the end of the call: one call in
//! the portal, whoever rings, picks up, or dies meanwhile.

use jiff::{Timestamp, ToSpan as _};
use serde_json::{Value, json};
use trunkline::clock::{Clock as _, SystemClock};
use trunkline::lab::bitrix24::{CallView, Mode};

use super::bitrix24::Branch;
use super::wait::until;

const CLIENT: &str = "+79161234567";
/// Users of the portal: Anna has the telephone 101, Boris 102.
const ANNA: u64 = 12;
const BORIS: u64 = 13;

async fn branch() -> Branch {
    let branch = Branch::open(Mode::Simple).await;
    let boris = "extensions = [{ source = \"office\", extension = \"102\" }]";
    let at_site = "extensions = [{ source = \"site\", extension = \"102\" }]";
    branch.home.edit_tenant(boris, at_site);
    let last = "missed_unknown = { action = { kind = \"contact\" } }";
    let popup = format!("{last}\n\n[integrations.settings.popup]\nshow_to = \"rung\"");
    branch.home.edit_tenant(last, &popup);
    branch
}

fn now() -> Timestamp {
    Timestamp::from_millisecond(SystemClock.now().as_millis()).expect("a time")
}

/// The call as it stands; it began now.
fn picture(began: Timestamp, revision: u64, phase: &str, rung: &[&str], talkers: &[&str]) -> Value {
    let rung: Vec<Value> = rung
        .iter()
        .map(|extension| json!({ "extension": extension, "rung_at": began.to_string() }))
        .collect();
    let mut call = json!({
        "kind": "call", "key": "c-1", "revision": revision, "direction": "incoming",
        "phase": phase, "client": CLIENT, "started_at": began.to_string(), "rung": rung,
    });
    if !talkers.is_empty() {
        call["answered_at"] = json!((began + 5.seconds()).to_string());
        call["talkers"] = json!(talkers);
    }
    if phase == "ended" {
        call["ended_at"] = json!((began + 35.seconds()).to_string());
    }
    call
}

/// Waits until these, and nobody else, see the card of the portal's only call.
async fn seen_by(branch: &Branch, users: &[u64]) -> CallView {
    until("the card is on the right screens", async || {
        let live = branch.portal.oracle().live_calls;
        match live.as_slice() {
            [call] if call.on_screens == users => Ok(call.clone()),
            other => Err(format!("{other:?}\n{}", branch.home.log())),
        }
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn telephones_that_ring_one_after_the_other_are_one_call_and_only_who_talks_keeps_the_card() {
    let branch = branch().await;
    let daemon = branch.start().await;
    let began = now();
    let tell = async |revision, phase, rung: &[&str], talkers: &[&str]| {
        let told = picture(began, revision, phase, rung, talkers);
        assert_eq!(daemon.post(&told).await.0, 202);
    };
    tell(1, "ringing", &["101"], &[]).await;
    let first = seen_by(&branch, &[ANNA]).await;
    tell(2, "ringing", &["101", "102"], &[]).await;
    let both = seen_by(&branch, &[ANNA, BORIS]).await;
    assert_eq!(first.call_id, both.call_id);
    tell(3, "answered", &["101", "102"], &["102"]).await;
    seen_by(&branch, &[BORIS]).await;
    tell(4, "ended", &["101", "102"], &["102"]).await;
    daemon.settled(1).await;
    let oracle = branch.oracle();
    assert!(oracle.live_calls.is_empty(), "{:?}", oracle.live_calls);
    let calls = oracle.calls_of_phone(CLIENT);
    assert_eq!(calls.len(), 1);
    assert_eq!(
        (calls[0].call_id.as_str(), calls[0].user),
        (first.call_id.as_str(), BORIS)
    );
    let keys = daemon.journal_keys().await;
    let told = branch
        .home
        .run(&["explain", &keys[0], "--lang", "en"])
        .await;
    assert!(
        told.out
            .contains("The card is taken away from Анна (12): somebody else talks"),
        "{told:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_card_of_a_strangers_call_that_makes_nothing_goes_when_the_call_is_over() {
    let branch = branch().await;
    let case = "missed_unknown = { action = { kind = \"contact\" } }";
    branch.home.edit_tenant(case, "");
    let daemon = branch.start().await;
    let began = now();
    let ringing = picture(began, 1, "ringing", &["101"], &[]);
    assert_eq!(daemon.post(&ringing).await.0, 202);
    seen_by(&branch, &[ANNA]).await;
    let ended = picture(began, 2, "ended", &["101"], &[]);
    assert_eq!(daemon.post(&ended).await.0, 202);
    daemon.settled(1).await;
    let oracle = branch.oracle();
    assert!(oracle.live_calls.is_empty(), "{:?}", oracle.live_calls);
    assert_eq!(oracle.calls_of_phone(CLIENT).len(), 1);
    assert!(oracle.contacts_of_phone(CLIENT).is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_another_telephony_logs_the_calls_no_card_opens_one() {
    let branch = branch().await;
    let last = "default_responsible = \"1\"";
    let another = format!("{last}\ntelephony = \"another\"");
    branch.home.edit_tenant(last, &another);
    let popup = "[integrations.settings.popup]";
    let field = "card = \"deal\"\nfield = \"UTM_SOURCE\"\nvalue = \"mango\"";
    let fields = format!("[[integrations.settings.calls.fields]]\n{field}\n\n{popup}");
    branch.home.edit_tenant(popup, &fields);
    let daemon = branch.start().await;
    let began = now();
    for (revision, phase) in [(1, "ringing"), (2, "ended")] {
        let told = picture(began, revision, phase, &["101"], &[]);
        assert_eq!(daemon.post(&told).await.0, 202);
    }
    daemon.settled(1).await;
    let oracle = branch.oracle();
    assert!(oracle.live_calls.is_empty(), "{:?}", oracle.live_calls);
    assert!(oracle.calls.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_while_it_rings_leaves_one_call_and_no_card() {
    let branch = branch().await;
    let daemon = branch.start().await;
    let began = now();
    let ringing = picture(began, 1, "ringing", &["101"], &[]);
    assert_eq!(daemon.post(&ringing).await.0, 202);
    let first = seen_by(&branch, &[ANNA]).await;
    daemon.kill();
    let daemon = branch.start_again().await;
    let more = picture(began, 2, "ringing", &["101", "102"], &[]);
    assert_eq!(daemon.post(&more).await.0, 202);
    let second = seen_by(&branch, &[ANNA, BORIS]).await;
    assert_eq!(first.call_id, second.call_id);
    let ended = picture(began, 3, "ended", &["101", "102"], &[]);
    assert_eq!(daemon.post(&ended).await.0, 202);
    daemon.settled(1).await;
    let oracle = branch.oracle();
    assert!(oracle.live_calls.is_empty(), "{:?}", oracle.live_calls);
    assert_eq!(oracle.calls_of_phone(CLIENT).len(), 1);
}
