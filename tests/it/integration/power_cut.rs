//! The disk stops at every single sync of a workload, in between the CRM's yes and our record of
//! it, too; on what it kept, the next life goes on.

use futures_util::future::join_all;
use trunkline::model::activity::Activity;
use trunkline::model::plan::StepKind;

use super::crm_double::{CrmDouble, Trouble};
use super::workshop::Workshop;
use crate::crash_backend::{CrashDisk, StopAt, Unsynced};

/// Workloads that run side by side.
const AT_ONCE: usize = 12;

/// Calls in order: two of one client.
const CALLS: [(&str, &str); 4] = [
    ("1.0", "+79160000001"),
    ("2.0", "+79160000002"),
    ("3.0", "+79160000001"),
    ("4.0", "+79160000003"),
];

/// Everything that the calls must make, once.
const EFFECTS: [&str; 10] = [
    "call +79160000001",
    "call +79160000001",
    "call +79160000002",
    "call +79160000003",
    "contact +79160000001",
    "contact +79160000002",
    "contact +79160000003",
    "deal",
    "deal",
    "deal",
];

/// Lets the calls be reported and worked off until there is nothing left to do, or the disk has
/// stopped. A source that got no acknowledgement reports again in the next life.
async fn live(disk: CrashDisk, crm: &CrmDouble, acknowledged: &mut [bool; CALLS.len()]) {
    let workshop = Workshop::on_disk(disk);
    let portal = workshop.portal("demo");
    let seat = workshop.seat("sales", &portal, crm, Activity::On);
    let open = workshop.store.open_works().await.unwrap_or_default();
    seat.take_places(&open);
    let integration = workshop.begin(seat);
    for (done, (item, client)) in acknowledged.iter_mut().zip(CALLS) {
        *done = *done || workshop.report(item, client).await;
    }
    workshop.idle_or_ended("sales").await;
    integration.supervised.stop().await;
    workshop.close().await;
}

fn made() -> CrmDouble {
    let crm = CrmDouble::new();
    // Not only the disk fails.
    crm.script(StepKind::CreateDeal, Trouble::AnswerLost);
    crm.script(StepKind::RecordCall, Trouble::RequestLost);
    crm
}

/// Returns what was made, with the order that every client is owed checked.
#[track_caller]
fn check(crm: &CrmDouble, why: &str) {
    let mut effects = crm.effects();
    for (_, client) in CALLS {
        let at = |what: &str| {
            effects
                .iter()
                .position(|e| *e == format!("{what} {client}"))
        };
        assert!(at("contact") < at("call"), "{why}: {effects:?}");
    }
    effects.sort();
    assert_eq!(effects, EFFECTS, "{why}");
}

#[actix::test]
async fn at_whatever_sync_the_disk_stops_every_effect_is_made_once() {
    // A store that is made already: what its making is worth is tested elsewhere.
    let disk = CrashDisk::new(Vec::new(), StopAt::Never);
    Workshop::on_disk(disk.clone()).close().await;
    let empty = disk.bytes();
    let disk = CrashDisk::new(empty.clone(), StopAt::Never);
    let opened = Workshop::on_disk(disk.clone());
    let opening = disk.syncs();
    opened.close().await;

    let crm = made();
    let disk = CrashDisk::new(empty.clone(), StopAt::Never);
    live(disk.clone(), &crm, &mut [false; CALLS.len()]).await;
    check(&crm, "undisturbed");
    let syncs = disk.syncs();
    assert!(syncs > 20, "the workload is worth stopping: {syncs}");

    let stops: Vec<u64> = (opening + 1..=syncs).collect();
    // Each mostly waits for its retries: many at once take no longer than one.
    for some in stops.chunks(AT_ONCE) {
        join_all(some.iter().map(|stop| interrupted(&empty, *stop))).await;
    }
}

/// Stops the disk of a workload at a sync and goes on with what the disk kept.
async fn interrupted(empty: &[u8], stop: u64) {
    let unsynced = match stop % 2 {
        0 => Unsynced::Lost,
        _ => Unsynced::SomeKept { seed: stop },
    };
    let crm = made();
    let mut acknowledged = [false; CALLS.len()];
    let disk = CrashDisk::new(empty.to_vec(), StopAt::Sync(stop));
    live(disk.clone(), &crm, &mut acknowledged).await;
    let left = disk.after_power_cut(unsynced);
    live(CrashDisk::new(left, StopAt::Never), &crm, &mut acknowledged).await;
    assert_eq!(acknowledged, [true; CALLS.len()]);
    check(&crm, &format!("stopped at sync {stop}"));
}
