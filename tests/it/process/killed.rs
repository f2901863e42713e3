//! The daemon is killed at bad moments and started again.

use std::time::Duration;

use trunkline::lab::fault::{Fault, When};

use super::office::{Office, site_call};
use super::slow_call::SlowCall;
use super::wait::{until, when};

const CLIENT: &str = "79162223344";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_during_which_the_daemon_was_killed_twice_is_one_call_with_its_employee() {
    let office = Office::open().await;
    let call = SlowCall::of(&office.ami, CLIENT, office.crm.now());
    let daemon = office.start().await;
    call.ring();
    daemon.open_calls(1).await;
    daemon.kill();
    // Nobody tells the daemon of the answer.
    call.answer();
    let daemon = office.start().await;
    daemon.open_calls(1).await;
    daemon.kill();
    let daemon = office.start().await;
    daemon.open_calls(1).await;
    call.hang_up();
    daemon.settled(1).await;
    office.holds_one_answered_call_of_each(&[CLIENT]);
    let [key] = &daemon.journal_keys().await[..] else {
        panic!("one call was made");
    };
    let story = daemon.story(key).await;
    let told = &story["snapshot"]["body"]["call"];
    assert_eq!(told["result"]["kind"], "answered", "{told}");
    assert_eq!(told["talkers"], serde_json::json!(["101"]), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_ended_while_the_daemon_was_dead_keeps_its_answer() {
    let office = Office::open().await;
    let call = SlowCall::of(&office.ami, CLIENT, office.crm.now());
    let daemon = office.start().await;
    call.ring();
    call.answer();
    until("the answer is stored", async || {
        let found = daemon.get("/v1/journal").await;
        when(found["items"][0]["phase"] == "answered", found)
    })
    .await;
    daemon.kill();
    call.hang_up();
    let daemon = office.start().await;
    daemon.settled(1).await;
    office.holds_one_answered_call_of_each(&[CLIENT]);
    let blind = daemon
        .notes()
        .await
        .into_iter()
        .filter(|(word, _)| word == "blind");
    assert_eq!(blind.count(), 1, "the time that nobody saw is told");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_effect_whose_answer_never_came_is_found_and_adopted_by_the_next_life() {
    for (path, role) in [
        ("/api/v4/contacts", "contact"),
        ("/api/v4/leads", "deal"),
        ("/api/v4/*/notes", "call-record"),
    ] {
        let office = Office::open().await;
        // Longer than this test: the daemon is dead before the answer.
        let late = Fault::LateAfter { ms: 30_000 };
        office.fault("POST", path, When::Nth { n: 1 }, late);
        let daemon = office.start().await;
        let posted = daemon.post(&site_call("w-1", "+79163334455", 0)).await;
        assert_eq!(posted.0, 202, "{}", posted.1);
        until("the effect is there", async || {
            let struck = office.crm.faults()[0].struck;
            let oracle = office.crm.oracle();
            let effects = [
                oracle.contacts.len(),
                oracle.leads.len(),
                oracle.calls.len(),
            ];
            let wanted = match role {
                "contact" => [1, 0, 0],
                "deal" => [1, 1, 0],
                _ => [1, 1, 1],
            };
            when(
                struck == 1 && effects == wanted,
                format!("{struck} {effects:?}"),
            )
        })
        .await;
        daemon.kill();

        let daemon = office.start().await;
        daemon.settled(1).await;
        office.holds_one_answered_call_of_each(&["+79163334455"]);
        let story = daemon.story("acme/site/w-1").await;
        let steps = story["integrations"][0]["steps"].as_array().expect("steps");
        for step in steps {
            let adopted = step["state"]["result"]["adopted"] == true;
            assert_eq!(adopted, step["role"] == role, "{path}: {step}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_answer_is_looked_for_by_the_life_that_lost_it() {
    let office = Office::open().await;
    office.fault(
        "POST",
        "/api/v4/leads",
        When::Nth { n: 1 },
        Fault::LostAfter,
    );
    let daemon = office.start().await;
    let posted = daemon.post(&site_call("w-1", "+79163334455", 0)).await;
    assert_eq!(posted.0, 202, "{}", posted.1);
    daemon.settled(1).await;
    assert_eq!(office.crm.faults()[0].struck, 1);
    office.holds_one_answered_call_of_each(&["+79163334455"]);
}

/// As `systemctl stop` or an update does it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigterm_ends_soon_with_calls_open_and_the_next_start_goes_on() {
    let office = Office::open().await;
    let call = SlowCall::of(&office.ami, CLIENT, office.crm.now());
    let daemon = office.start().await;
    call.ring();
    call.answer();
    daemon.open_calls(1).await;
    let began = tokio::time::Instant::now();
    assert_eq!(daemon.terminate().await, Some(0), "{}", office.home.log());
    // Nothing is under way but the call; the bound is for a machine that is busy with a build.
    assert!(
        began.elapsed() < Duration::from_secs(20),
        "{:?}",
        began.elapsed()
    );
    assert_eq!(office.ami.clients(), 0);

    let daemon = office.start().await;
    daemon.open_calls(1).await;
    call.hang_up();
    daemon.settled(1).await;
    office.holds_one_answered_call_of_each(&[CLIENT]);
}

/// At the limit and with the slow search of the real account, over two kills.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_vendors_limit_is_kept_to_its_edge_by_one_life_after_the_other() {
    let office = Office::open_strict().await;
    let clients = [
        "+79161230001",
        "+79161230002",
        "+79161230003",
        "+79161230004",
    ];
    let daemon = office.start().await;
    for (number, client) in clients.iter().enumerate() {
        let posted = daemon
            .post(&site_call(&format!("w-{number}"), client, 0))
            .await;
        assert_eq!(posted.0, 202, "{}", posted.1);
    }
    let mut daemon = daemon;
    for contacts in [1, 3] {
        until("some are there", async || {
            let there = office.crm.oracle().contacts.len();
            when(there >= contacts, there)
        })
        .await;
        daemon.kill();
        daemon = office.start().await;
    }
    daemon.settled(clients.len()).await;
    office.holds_one_answered_call_of_each(&clients);
    let most = office.crm.counters().requests_per_second_max;
    assert!((4..=7).contains(&most), "{most} requests in a second");
}
