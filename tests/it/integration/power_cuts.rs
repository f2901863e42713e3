//! The whole flow on a disk that stops: at every single sync, and in the gap between the CRM's
//! yes and our record of it. Whatever the moment, every call has its effects once.
//!
//! The clock is paused and everything runs on one thread, so that a run takes no time to wait in.

use std::collections::BTreeMap;
use std::time::Duration;

use trunkline::model::activity::Activity;
use trunkline::model::communication::Snapshot;

use super::crm_double::CrmDouble;
use super::workshop::{START, Workshop, ended_call};
use crate::crash_backend::{CrashDisk, StopAt, Unsynced};

/// Two calls of one client, one each of two others.
const CALLS: [(&str, &str); 4] = [
    ("1.0", "+79161234501"),
    ("2.0", "+79161234502"),
    ("3.0", "+79161234501"),
    ("4.0", "+79161234503"),
];

/// What the calls make: a contact and a deal for each client, an entry for each call.
fn expected() -> BTreeMap<String, usize> {
    let mut effects = BTreeMap::new();
    for (_, client) in CALLS {
        effects.insert(format!("contact {client}"), 1);
        *effects.entry(format!("call {client}")).or_default() += 1;
    }
    effects.insert("deal".to_owned(), 3);
    effects
}

fn effects(crm: &CrmDouble) -> BTreeMap<String, usize> {
    let mut counted = BTreeMap::new();
    for effect in crm.effects() {
        *counted.entry(effect).or_default() += 1;
    }
    counted
}

fn calls() -> Vec<Snapshot> {
    let calls = CALLS.iter();
    calls
        .map(|(item, client)| ended_call(item, client, START))
        .collect()
}

/// Lives until everything is done (true) or the disk stops (false). The source offers again what
/// was not acknowledged.
async fn live(disk: &CrashDisk, crm: &CrmDouble, unacknowledged: &mut Vec<Snapshot>) -> bool {
    let Some(workshop) = Workshop::on_disk(disk.clone()) else {
        return false;
    };
    let portal = workshop.portal("demo");
    let sales = workshop.integration("sales", &portal, crm, Activity::On);
    let mut lives = true;
    while let (true, Some(call)) = (lives, unacknowledged.first()) {
        lives = workshop.offer(call.clone()).await.is_some();
        if lives {
            unacknowledged.remove(0);
        }
    }
    let done = loop {
        match workshop.store.open_works().await {
            Ok(open) if open.is_empty() => break lives,
            Ok(_) => tokio::time::sleep(Duration::from_millis(5)).await,
            Err(_) => break false,
        }
    };
    sales.supervised.stop().await;
    workshop.store.shut_down().await;
    workshop.thread.finished().await;
    done
}

/// Runs the workload, with the power cut once at the most, and checks what the CRM has.
async fn check(stop_at: StopAt, unsynced: Unsynced, crm: &CrmDouble, disk: &CrashDisk) {
    // What was on its way when the power went still arrives.
    crm.settles_after(Duration::from_secs(20));
    let mut unacknowledged = calls();
    let mut disk = disk.clone();
    let mut lives = 1;
    while !live(&disk, crm, &mut unacknowledged).await {
        lives += 1;
        assert!(lives <= 3, "{stop_at:?}: it never comes to an end");
        disk = CrashDisk::new(disk.after_power_cut(unsynced), StopAt::Never);
    }
    assert_eq!(effects(crm), expected(), "{stop_at:?} {unsynced:?}");
}

async fn empty_store() -> Vec<u8> {
    let disk = CrashDisk::new(Vec::new(), StopAt::Never);
    let workshop = Workshop::on_disk(disk.clone()).expect("opens");
    workshop.store.shut_down().await;
    workshop.thread.finished().await;
    disk.bytes()
}

#[actix::test]
async fn a_power_cut_at_any_sync_of_the_whole_flow_loses_nothing_and_doubles_nothing() {
    tokio::time::pause();
    let made = empty_store().await;
    let whole = CrashDisk::new(made.clone(), StopAt::Never);
    check(StopAt::Never, Unsynced::Lost, &CrmDouble::new(), &whole).await;
    let syncs = whole.syncs();
    assert!(syncs > 20, "{syncs} syncs prove little");
    for sync in 1..=syncs {
        for unsynced in [Unsynced::Lost, Unsynced::SomeKept { seed: sync }] {
            let stop_at = StopAt::Sync(sync);
            let disk = CrashDisk::new(made.clone(), stop_at);
            check(stop_at, unsynced, &CrmDouble::new(), &disk).await;
        }
    }
}

#[actix::test]
async fn an_effect_that_the_crm_made_and_we_did_not_record_is_adopted_and_never_doubled() {
    tokio::time::pause();
    let made = empty_store().await;
    let all: usize = expected().values().sum();
    for effect in 1..=all {
        let crm = CrmDouble::new();
        let disk = CrashDisk::new(made.clone(), StopAt::Never);
        let dying = disk.clone();
        crm.after_each_effect(move |number| {
            if number == effect {
                dying.stop();
            }
        });
        check(StopAt::Never, Unsynced::Lost, &crm, &disk).await;
        assert!(crm.looked() > 0, "effect {effect} was not looked for");
    }
}
