//! Group commit, the queue's bound, and the end of the store.

use std::time::Duration;

use trunkline::store::command::{Accepted, Revival, Revive};
use trunkline::store::{Store, StoreEnd, StoreError, StoreOptions};

use super::sample::*;
use crate::crash_backend::{CrashDisk, StopAt};

#[tokio::test]
async fn many_waiting_commands_share_a_commit_and_a_refused_one_disturbs_nobody() {
    let disk = CrashDisk::new(Vec::new(), StopAt::Never);
    let (store, _thread) = on(disk.clone());
    let before = store.figures().await.expect("reads");
    disk.hold();
    let mut waiting = Vec::new();
    for n in 0..100_u32 {
        let store = store.clone();
        waiting.push(tokio::spawn(async move {
            let snapshot = call(&format!("c{n}"), n, 1);
            store.accept(accept(vec![routed(snapshot)], 1)).await
        }));
    }
    let refused = tokio::spawn({
        let store = store.clone();
        async move {
            let revive = Revive {
                integration: amo(),
                communication: communication("c1"),
                role: role("contact"),
                revival: Revival::Retry,
                now: at(1),
                portal: portal(),
            };
            store.revive(revive).await
        }
    });
    // Everybody has asked once the runtime has nothing left to run: one thread, in order.
    for _ in 0..3 {
        tokio::task::yield_now().await;
    }
    disk.release();
    let mut ids = Vec::new();
    for accepted in waiting {
        let accepted = accepted.await.expect("runs").expect("accepts");
        let [Accepted::Stored { works, .. }] = accepted.as_slice() else {
            panic!("{accepted:?}");
        };
        ids.extend(works.iter().map(|(_, id)| *id));
    }
    refused
        .await
        .expect("runs")
        .expect_err("there is no such step");
    assert_eq!(ids, (1..=100).collect::<Vec<_>>(), "in order of acceptance");
    let after = store.figures().await.expect("reads");
    assert_eq!(after.commands - before.commands, 101);
    let commits = after.commits - before.commits;
    assert!(commits <= 3, "{commits} commits");
}

#[tokio::test]
async fn at_the_bound_intake_is_refused_and_what_waits_is_kept() {
    let disk = CrashDisk::new(Vec::new(), StopAt::Never);
    let options = StoreOptions {
        queue_max: 4,
        group_max: 1,
        ..options()
    };
    let (store, _thread) = Store::open_backend(disk.clone(), key(), options).expect("opens");
    disk.hold();
    let waiting: Vec<_> = (0..20_u32)
        .map(|n| {
            let store = store.clone();
            tokio::spawn(async move {
                let snapshot = call(&format!("c{n}"), n, 1);
                store.accept(accept(vec![routed(snapshot)], 1)).await
            })
        })
        .collect();
    for _ in 0..3 {
        tokio::task::yield_now().await;
    }
    disk.release();
    let mut taken = 0;
    for accepted in waiting {
        match accepted.await.expect("runs") {
            Ok(_) => taken += 1,
            Err(error) => assert_eq!(error, StoreError::Full),
        }
    }
    // Four in the queue, and what the writer had taken out before its disk was held.
    assert!((4..=6).contains(&taken), "{taken} were taken");
    let figures = store.figures().await.expect("reads");
    assert_eq!(figures.communications, taken);
}

#[tokio::test]
async fn after_an_error_of_the_disk_the_store_ends_and_says_why() {
    let disk = CrashDisk::new(Vec::new(), StopAt::Never);
    let (store, thread) = on(disk.clone());
    let accepted = store.accept(accept(vec![routed(call("a", 1, 1))], 1)).await;
    accepted.expect("accepts");
    disk.stop();
    let lost = store.accept(accept(vec![routed(call("b", 2, 1))], 2)).await;
    assert_eq!(lost, Err(StoreError::Closed));
    let end = tokio::time::timeout(Duration::from_secs(60), thread.finished()).await;
    let StoreEnd::Failed(why) = end.expect("the store ends") else {
        panic!("it ended for another reason");
    };
    assert!(why.contains("the power was cut"), "{why}");
    assert_eq!(store.claim(amo()).await, Err(StoreError::Closed));
    assert_eq!(store.open_works().await, Err(StoreError::Closed));
    let later = store.accept(accept(vec![], 3)).await;
    assert_eq!(later, Err(StoreError::Closed));
}

#[tokio::test]
async fn a_panic_of_the_writer_is_told_and_leaves_nobody_waiting() {
    let disk = CrashDisk::new(Vec::new(), StopAt::Never);
    let (store, thread) = on(disk.clone());
    disk.panic_once();
    let lost = store.accept(accept(vec![routed(call("a", 1, 1))], 1)).await;
    assert_eq!(lost, Err(StoreError::Closed));
    assert_eq!(thread.finished().await, StoreEnd::Panicked);
    assert_eq!(store.open_works().await, Err(StoreError::Closed));
    assert_eq!(store.claim(amo()).await, Err(StoreError::Closed));
}

#[tokio::test(start_paused = true)]
async fn a_paused_clock_can_be_held_while_a_command_is_on_its_way() {
    let options = StoreOptions {
        hold_paused_clock: true,
        ..options()
    };
    let disk = CrashDisk::new(Vec::new(), StopAt::Never);
    let (store, _thread) = Store::open_backend(disk, key(), options).expect("opens");
    let before = tokio::time::Instant::now();
    for n in 0..20 {
        let command = accept(vec![routed(call("a", 1, n))], n);
        let timed = tokio::time::timeout(Duration::from_millis(1), store.accept(command)).await;
        timed.expect("the clock stood still").expect("accepts");
        let read = tokio::time::timeout(Duration::from_millis(1), store.open_works()).await;
        read.expect("the clock stood still").expect("reads");
    }
    assert_eq!(before.elapsed(), Duration::ZERO);
}

#[tokio::test]
async fn a_store_ends_after_what_waits_when_it_is_told_or_forgotten() {
    let (store, thread) = in_memory();
    let other = store.clone();
    let last = store.accept(accept(vec![routed(call("a", 1, 1))], 1));
    let (accepted, ()) = tokio::join!(last, other.shut_down());
    accepted.expect("what came first is carried out");
    assert_eq!(thread.finished().await, StoreEnd::Closed);
    assert_eq!(store.claim(amo()).await, Err(StoreError::Closed));

    let (store, thread) = in_memory();
    drop(store);
    assert_eq!(thread.finished().await, StoreEnd::Closed);
}
