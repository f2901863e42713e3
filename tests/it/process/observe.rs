//! An integration that only observes: it decides and explains what really happens, and its account
//! is left as it is.

use serde_json::Value;

use super::daemon::{Daemon, list};
use super::office::{Office, site_call};
use super::rules::play;
use super::slow_call::SlowCall;
use super::wait::{until, when};

const ON: &str = "activity = \"on\"";
const OBSERVE: &str = "activity = \"observe\"";
const AT_END: &str = "answered_unknown = { action";
const AT_ANSWER: &str = "answered_unknown = { at = \"answer\", action";

/// Expects that the account was read and nothing else.
#[track_caller]
fn nothing_was_sent(office: &Office) {
    let methods = office.crm.log_counters().by_method;
    let methods: Vec<&str> = methods.keys().map(String::as_str).collect();
    assert_eq!(methods, ["GET"]);
    it_holds_nothing(office);
}

#[track_caller]
fn it_holds_nothing(office: &Office) {
    let oracle = office.oracle();
    let held = [
        oracle.contacts.len(),
        oracle.leads.len(),
        oracle.calls.len(),
        oracle.tasks.len(),
        oracle.unsorted.len(),
    ];
    assert_eq!(held, [0; 5]);
}

/// Returns role and state of every step.
fn steps(story: &Value) -> Vec<(String, String)> {
    let steps = list(&list(story, "integrations")[0], "steps").iter();
    steps
        .map(|step| {
            let text = |value: &Value| value.as_str().unwrap_or("").to_owned();
            (text(&step["role"]), text(&step["state"]["state"]))
        })
        .collect()
}

fn all_dropped(story: &Value, roles: &[&str]) -> bool {
    let dropped = |role: &&str| ((*role).to_owned(), "dropped".to_owned());
    steps(story) == roles.iter().map(dropped).collect::<Vec<_>>()
}

async fn switch_on(office: &Office, daemon: &Daemon) {
    office.home.edit_tenant(OBSERVE, ON);
    let told = daemon.reload().await;
    assert!(told.contains("1 changed"), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_observed_is_explained_and_never_sent_and_what_comes_after_the_switch_is() {
    let (known, other) = ("79165550101", "79165550102");
    let office = Office::open().await;
    office.home.edit_tenant(ON, OBSERVE);
    let daemon = office.start().await;
    office.client_calls(known);
    play(&office, "inbound_missed", other);
    play(&office, "internal_call", other);
    let posted = daemon.post(&site_call("w-1", "+79165550103", 0)).await;
    assert_eq!(posted.0, 202, "{}", posted.1);
    daemon.settled(4).await;
    nothing_was_sent(&office);

    let observed = ["journal", "--outcome", "observed", "--json"];
    let found = office.home.run(&observed).await.json();
    assert_eq!(list(&found, "items").len(), 3, "{found}");
    let story = daemon.story("acme/site/w-1").await;
    assert!(
        all_dropped(&story, &["contact", "deal", "call-record"]),
        "{story:#}"
    );
    for (language, sentences) in [
        ("en", ["new client", "only watches"]),
        ("ru", ["новый клиент", "только наблюдает"]),
    ] {
        let told = ["explain", "acme/site/w-1", "--lang", language];
        let told = office.home.run(&told).await;
        for words in sentences {
            assert!(told.out.contains(words), "{words}: {}", told.out);
        }
    }

    // Neither a power cut nor the switch brings it back.
    daemon.kill();
    let daemon = office.start().await;
    daemon.settled(4).await;
    nothing_was_sent(&office);
    switch_on(&office, &daemon).await;
    // Nothing was made of the client's first call: to the CRM this one is the first.
    office.client_calls(known);
    daemon.settled(5).await;
    office.holds_one_answered_call_of_each(&[known]);
    let newest = daemon.journal_keys().await.remove(0);
    let told = office.home.run(&["explain", &newest, "--lang", "en"]).await;
    assert!(told.out.contains("S1-07"), "{}", told.out);
    // What was not set up while it observed is there before the first record.
    let marked = office.oracle().marker_uses("Trunkline");
    assert_eq!(marked.len(), 2, "{marked:?}");
    // The next call is a repeat.
    office.client_calls(known);
    daemon.settled(6).await;
    let oracle = office.oracle();
    assert_eq!((oracle.contacts.len(), oracle.leads.len()), (1, 1));
    assert_eq!(oracle.calls.len(), 2);
    let story = daemon.story("acme/site/w-1").await;
    assert!(
        all_dropped(&story, &["contact", "deal", "call-record"]),
        "{story:#}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_end_of_an_observed_call_is_decided_as_if_its_answer_had_been_sent() {
    let office = Office::open().await;
    office.home.edit_tenant(ON, OBSERVE);
    office.home.edit_tenant(AT_END, AT_ANSWER);
    let daemon = office.start().await;
    let call = SlowCall::of(&office.ami, "79165550111", office.crm.now());
    call.ring();
    call.answer();
    decided_once(&daemon).await;
    call.hang_up();
    daemon.settled(1).await;
    let key = daemon.journal_keys().await.remove(0);
    let story = daemon.story(&key).await;
    assert!(
        all_dropped(&story, &["contact", "deal", "call-record"]),
        "{story:#}"
    );
    let record = &list(&list(&story, "integrations")[0], "steps")[2]["effect"];
    assert_eq!(record["card"]["by"], "deal", "{record}");
    let story = daemon.story(&format!("{key}?again=true")).await;
    let decisions = list(&list(&story, "integrations")[0], "decisions");
    assert_eq!(decisions.len(), 2, "{story:#}");
    for decision in decisions {
        assert_eq!(decision["again"]["same"], true, "{decision:#}");
    }
    nothing_was_sent(&office);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_began_observed_is_not_sent_half() {
    let (early, late) = ("79165550121", "79165550122");
    let office = Office::open().await;
    office.home.edit_tenant(ON, OBSERVE);
    office.home.edit_tenant(AT_END, AT_ANSWER);
    let daemon = office.start().await;
    let call = SlowCall::of(&office.ami, early, office.crm.now());
    call.ring();
    call.answer();
    decided_once(&daemon).await;
    nothing_was_sent(&office);
    switch_on(&office, &daemon).await;
    call.hang_up();
    daemon.settled(1).await;
    it_holds_nothing(&office);
    let call = SlowCall::of(&office.ami, late, office.crm.now() + 10);
    call.ring();
    call.answer();
    call.hang_up();
    daemon.settled(2).await;
    office.holds_one_answered_call_of_each(&[late]);
}

/// Waits until the call's answer is decided.
async fn decided_once(daemon: &Daemon) {
    until("the answer is decided", async || {
        let keys = daemon.journal_keys().await;
        let Some(key) = keys.first() else {
            return Err("no call yet".to_owned());
        };
        let story = daemon.story(key).await;
        let decided = list(&story, "integrations").first();
        let decisions = decided.map_or(0, |one| list(one, "decisions").len());
        when(decisions == 1, &story)
    })
    .await;
}
