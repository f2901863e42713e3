//! What waits: bounded, on disk, ended by itself.

use std::path::Path;

use super::*;
use crate::app::pairs::Pairs;
use crate::clock::TokioClock;
use crate::integration::handle::Handles;
use crate::model::timestamp::Timestamp;
use crate::store::{Store, StoreKey, StoreOptions, mark_restored};

const DAY: Duration = Duration::from_secs(86_400);

/// A desk over a store, at which two may wait for ten days.
fn desk(store: &StoreHandle, clock: &SharedClock, folder: &Path) -> Installations {
    let overview = Arc::new(ArcSwap::from_pointee(Overview::default()));
    let consent = Desk::new(
        Arc::clone(&overview),
        store.clone(),
        Arc::clone(clock),
        Arc::new(Handles::default()),
        Arc::new(Pairs::new(store.clone(), folder)),
    );
    let rules = Rules {
        installations: InstallationSettings {
            portals: Vec::new(),
            waiting_max: 2,
            waiting: DAY * 10,
        },
        base_urls: BTreeMap::new(),
    };
    Installations::new(
        overview,
        store.clone(),
        Arc::clone(clock),
        consent,
        Arc::new(rules),
    )
    .expect("doors")
}

fn bundle(portal: &str, token: &str) -> (Bundle, Proven) {
    let host = format!("{portal}.example.org");
    let bundle = Bundle {
        portal_id: portal.to_owned(),
        host: host.clone(),
        tokens: token.to_owned(),
        fingerprint: token.to_owned(),
        proof: (token == "first").then(|| "proof".to_owned()),
        by_event: true,
    };
    let proven = Proven {
        portal_id: portal.to_owned(),
        host,
        application: "app".to_owned(),
        installed_by: None,
        administrator: true,
    };
    (bundle, proven)
}

#[tokio::test(start_paused = true)]
async fn s3_01_what_waits_has_a_bound_outlives_a_restart_and_ends_by_itself() {
    let folder = tempfile::tempdir().expect("a folder");
    let key = || StoreKey::from_bytes(&[7; 32]).expect("a key");
    let path = folder.path().join("store.redb");
    let open = || Store::open(&path, key(), StoreOptions::default()).expect("a store");
    let clock: SharedClock = Arc::new(TokioClock::starting_at(Timestamp::from_secs(1000)));
    let kind = registry::KINDS.iter().find(|kind| kind.installer.is_some());
    let kind = kind.expect("a CRM whose portals install applications");
    let (store, thread) = open();
    let installations = desk(&store, &clock, folder.path());
    let put = async |desk: &Installations, portal: &str, token: &str| {
        let (bundle, proven) = bundle(portal, token);
        desk.put(kind, bundle, proven).await
    };
    let first = put(&installations, "a", "first").await;
    tokio::time::advance(DAY * 5).await;
    // A later bundle takes the earlier one's place, and what that was known by.
    assert_eq!(put(&installations, "a", "second").await, first);
    assert!(matches!(
        put(&installations, "b", "x").await,
        Received::Waits { .. }
    ));
    assert_eq!(put(&installations, "c", "x").await, Received::Full);
    store.shut_down().await;
    thread.finished().await;
    drop((store, installations));

    let (store, thread) = open();
    let installations = desk(&store, &clock, folder.path());
    let Received::Waits { id } = first else {
        panic!("{first:?}");
    };
    let kept = installations.find(&id).await.expect("read").expect("there");
    assert_eq!(kept.bundle.fingerprint, "second");
    assert_eq!(kept.bundle.proof.as_deref(), Some("proof"));
    assert_eq!(installations.waiting().await.expect("read").len(), 2);
    let removal = |proof: &str| Removal {
        portal_id: "a".to_owned(),
        proof: proof.to_owned(),
    };
    // Who was let in by nothing is taken out by nobody.
    let forged = installations.removed(kind, removal("guessed")).await;
    assert_eq!(forged, Received::Unknown);
    let told = installations.removed(kind, removal("proof")).await;
    assert_eq!(told, Received::Removed);
    assert_eq!(installations.waiting().await.expect("read").len(), 1);
    tokio::time::advance(DAY * 10).await;
    assert!(installations.waiting().await.expect("read").is_empty());
    // A store that comes back from a backup brings none with it: it may have been accepted since,
    // and its tokens be used up.
    assert!(matches!(
        put(&installations, "b", "y").await,
        Received::Waits { .. }
    ));
    store.shut_down().await;
    thread.finished().await;
    drop((store, installations));
    mark_restored(&path, &key(), clock.now()).expect("a store");
    let (store, _thread) = open();
    let installations = desk(&store, &clock, folder.path());
    assert!(installations.waiting().await.expect("read").is_empty());
    store.shut_down().await;
}
