//! A daemon's inside on a bench: store, lanes, integrations, and calls to feed them with.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::sync::watch;
use trunkline::clock::{Clock, SharedClock, TokioClock};
use trunkline::crm::account::http::{AccountHttp, AccountHttpOptions};
use trunkline::intake::room::{Bounds, Room};
use trunkline::intake::routing::{Routing, Taker};
use trunkline::intake::sink::{Intake, Waker};
use trunkline::integration::batcher::Batcher;
use trunkline::integration::child::{IntegrationChild, IntegrationSeat};
use trunkline::integration::context::IntegrationContext;
use trunkline::integration::handle::Handles;
use trunkline::integration::portal::{DoorSettings, Portal};
use trunkline::integration::status::StatusBoard;
use trunkline::integration::supervisor::{Supervised, supervise};
use trunkline::model::activity::Activity;
use trunkline::model::call::{Call, CallLeg, CallPhase, CallResult, Direction, MissReason};
use trunkline::model::communication::{Body, Kind, Phase, Snapshot};
use trunkline::model::ids::{
    CommunicationKey, CrmUserId, Extension, IntegrationKey, PortalKey, SourceKey,
};
use trunkline::model::ledger::Ledger;
use trunkline::model::phone::{ClientNumber, Phone};
use trunkline::model::timestamp::Timestamp;
use trunkline::pbx::Batch;
use trunkline::rules::settings::{
    CallSettings, DirectionSettings, IntegrationSettings, Moment, UnknownAction, UnknownCase,
};
use trunkline::store::command::{Accepted, WorkId};
use trunkline::store::{Store, StoreHandle, StoreKey, StoreOptions, StoreThread};

use super::crm_double::CrmDouble;
use crate::crash_backend::{CrashDisk, StopAt};

pub(crate) const START: Timestamp = Timestamp::from_secs(1_795_210_000);

/// A time that nothing needs on either clock.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Workshop {
    pub(crate) store: StoreHandle,
    pub(crate) clock: SharedClock,
    pub(crate) board: Arc<StatusBoard>,
    pub(crate) intake: Intake,
    pub(crate) handles: Arc<Handles>,
    portals: Arc<ArcSwap<HashMap<IntegrationKey, Arc<Portal>>>>,
    arbiter: actix::ArbiterHandle,
    pub(crate) thread: StoreThread,
    shift_ms: Arc<AtomicI64>,
    folder: Option<tempfile::TempDir>,
}

/// A clock that a test sets forward and back.
struct ShiftedClock {
    clock: TokioClock,
    shift_ms: Arc<AtomicI64>,
}

impl Clock for ShiftedClock {
    fn now(&self) -> Timestamp {
        let shift = self.shift_ms.load(Ordering::Relaxed);
        let by = Duration::from_millis(shift.unsigned_abs());
        if shift < 0 {
            self.clock.now().minus(by)
        } else {
            self.clock.now().plus(by)
        }
    }
}

struct Lanes {
    portals: Arc<ArcSwap<HashMap<IntegrationKey, Arc<Portal>>>>,
    handles: Arc<Handles>,
}

impl Waker for Lanes {
    fn works(&self, snapshot: &Snapshot, works: &[(IntegrationKey, WorkId)]) {
        let mut woken = works.to_vec();
        for (integration, work) in works {
            if let Some(portal) = self.portals.load().get(integration) {
                let addresses = snapshot.body.addresses();
                woken.extend(portal.lanes().insert(*work, integration, &addresses));
            }
        }
        self.handles.wake(woken);
    }
}

pub(crate) struct Integration {
    pub(crate) seat: IntegrationSeat,
    pub(crate) supervised: Supervised,
}

impl Workshop {
    /// Works on a disk in memory and by a paused clock, so that nothing comes late on a machine
    /// that is busy. Once in a test.
    pub(crate) fn new() -> Self {
        tokio::time::pause();
        let disk = CrashDisk::new(Vec::new(), StopAt::Never);
        Self::on_disk(disk).expect("the disk never stops")
    }

    /// Works on a store in a folder, perhaps one that an earlier workshop left, by the machine's
    /// clock; its integrations have a thread of their own.
    pub(crate) fn in_folder(folder: tempfile::TempDir) -> Self {
        let key = StoreKey::from_bytes(&[7; 32]).expect("a key");
        let options = StoreOptions {
            now: START,
            ..StoreOptions::default()
        };
        let opened = Store::open(&folder.path().join("store.redb"), key, options).expect("opens");
        let arbiter = actix::Arbiter::new().handle();
        Self::with(opened, arbiter, Some(folder))
    }

    /// Works on a disk in memory and on this thread, so that a paused clock drives everything.
    /// Nothing where the disk stops before the store is open.
    pub(crate) fn on_disk(disk: CrashDisk) -> Option<Self> {
        let key = StoreKey::from_bytes(&[7; 32]).expect("a key");
        let options = StoreOptions {
            now: START,
            hold_paused_clock: true,
            ..StoreOptions::default()
        };
        let opened = Store::open_backend(disk, key, options).ok()?;
        Some(Self::with(opened, actix::Arbiter::current(), None))
    }

    fn with(
        (store, thread): (StoreHandle, StoreThread),
        arbiter: actix::ArbiterHandle,
        folder: Option<tempfile::TempDir>,
    ) -> Self {
        let shift_ms = Arc::new(AtomicI64::new(0));
        let clock: SharedClock = Arc::new(ShiftedClock {
            clock: TokioClock::starting_at(START),
            shift_ms: Arc::clone(&shift_ms),
        });
        let handles = Arc::new(Handles::default());
        let portals = Arc::new(ArcSwap::from_pointee(HashMap::new()));
        let waker = Lanes {
            portals: Arc::clone(&portals),
            handles: Arc::clone(&handles),
        };
        let intake = Intake {
            store: store.clone(),
            routing: Arc::new(ArcSwap::from_pointee(Routing::default())),
            waker: Arc::new(waker),
            room: Arc::new(Room::new(Bounds {
                free_bytes_min: 0,
                store_bytes_max: u64::MAX,
            })),
            clock: Arc::clone(&clock),
        };
        Self {
            store,
            clock,
            board: Arc::default(),
            intake,
            handles,
            portals,
            arbiter,
            thread,
            shift_ms,
            folder,
        }
    }

    /// Closes the store and returns its folder.
    pub(crate) async fn close(self) -> tempfile::TempDir {
        self.store.shut_down().await;
        self.arbiter.stop();
        self.thread.finished().await;
        self.folder.expect("a store in a folder")
    }

    /// Sets the clock forward or back.
    pub(crate) fn shift_clock(&self, seconds: i64) {
        self.shift_ms.fetch_add(seconds * 1000, Ordering::Relaxed);
    }

    pub(crate) fn portal(&self, name: &str) -> Arc<Portal> {
        let key = PortalKey::new("double", name);
        let http = AccountHttp::new(AccountHttpOptions {
            portal: key.clone(),
            base_url: "http://127.0.0.1:9".to_owned(),
            rate_per_second: 6.0,
            per_second_max: None,
            quiet_start: Duration::ZERO,
            clock: Arc::clone(&self.clock),
        })
        .expect("a door");
        Arc::new(Portal::new(key, DoorSettings::default(), Arc::new(http)))
    }

    /// Starts an integration that takes the calls of `acme/office`.
    pub(crate) fn integration(
        &self,
        name: &str,
        portal: &Arc<Portal>,
        crm: &CrmDouble,
        activity: Activity,
    ) -> Integration {
        self.begin(self.seat(name, portal, crm, activity))
    }

    /// Seats an integration that takes the calls of `acme/office`, and does not begin it.
    pub(crate) fn seat(
        &self,
        name: &str,
        portal: &Arc<Portal>,
        crm: &CrmDouble,
        activity: Activity,
    ) -> IntegrationSeat {
        let key: IntegrationKey = format!("acme/{name}").parse().expect("a key");
        let context = IntegrationContext {
            key: key.clone(),
            activity,
            account: "main".parse().expect("an id"),
            settings_revision: 1,
            settings: Arc::new(settings()),
            employees: Arc::default(),
            source_names: Arc::default(),
            time_zone: jiff::tz::TimeZone::UTC,
            adapter: Arc::new(crm.clone()),
            batcher: Batcher::new(Arc::new(crm.clone())),
            portal: Arc::clone(portal),
            store: self.store.clone(),
            public: Arc::default(),
            clock: Arc::clone(&self.clock),
            board: Arc::clone(&self.board),
            handles: Arc::clone(&self.handles),
            notices: None,
            jitter: || 0.0,
        };
        let mut portals = HashMap::clone(&self.portals.load());
        portals.insert(key.clone(), Arc::clone(portal));
        self.portals.store(Arc::new(portals));
        let mut routing = Routing::clone(&self.intake.routing.load());
        let taker = Taker {
            integration: key,
            portal: portal.key.clone(),
            phases: vec![Phase::Ended],
            recordings: true,
            files: false,
            off: activity == Activity::Off,
        };
        routing.add(source(), Kind::Call, taker);
        self.intake.routing.store(Arc::new(routing));
        IntegrationSeat::new(context)
    }

    /// Begins the first life of an integration.
    pub(crate) fn begin(&self, seat: IntegrationSeat) -> Integration {
        let child = IntegrationChild::new(seat.clone(), self.arbiter.clone());
        let supervised = supervise(child, Arc::clone(&self.board), Arc::clone(&self.clock));
        Integration { seat, supervised }
    }

    /// The same, once everybody has taken his places in the lanes.
    pub(crate) fn begin_once_filled(
        &self,
        seat: IntegrationSeat,
        filled: watch::Receiver<bool>,
    ) -> Integration {
        let child = IntegrationChild::new(seat.clone(), self.arbiter.clone()).once_filled(filled);
        let supervised = supervise(child, Arc::clone(&self.board), Arc::clone(&self.clock));
        Integration { seat, supervised }
    }

    /// Accepts an ended call; returns its key.
    pub(crate) async fn call(&self, item: &str, client: &str) -> CommunicationKey {
        self.accept(ended_call(item, client, self.clock.now()))
            .await
    }

    /// Accepts a later picture of a call, with another number of the client.
    pub(crate) async fn revise(&self, item: &str, client: &str) -> CommunicationKey {
        let mut snapshot = ended_call(item, client, self.clock.now());
        snapshot.revision = 2;
        self.accept(snapshot).await
    }

    /// Accepts an ended call of a caller who hid the number: it makes nothing.
    pub(crate) async fn hidden_call(&self, item: &str) -> CommunicationKey {
        let mut snapshot = ended_call(item, "+79160000000", self.clock.now());
        if let Body::Call { call } = &mut snapshot.body {
            call.client = ClientNumber::Withheld;
        }
        self.accept(snapshot).await
    }

    async fn accept(&self, snapshot: Snapshot) -> CommunicationKey {
        let key = snapshot.key.clone();
        let accepted = self.offer(snapshot).await.expect("accepted");
        assert!(matches!(accepted, Accepted::Stored { .. }), "{accepted:?}");
        key
    }

    /// Offers a picture as a source does that repeats until it is taken.
    pub(crate) async fn offer(&self, snapshot: Snapshot) -> Option<Accepted> {
        let batch = Batch {
            snapshots: vec![snapshot],
            ..Batch::default()
        };
        let accepted = self.intake.accept(&source(), batch).await;
        accepted.ok()?.pop()
    }

    /// Returns the numbers of an integration's works that may be begun or go on.
    pub(crate) fn ready(&self, portal: &Portal, integration: &str) -> Vec<WorkId> {
        let integration = format!("acme/{integration}").parse().expect("a key");
        portal.lanes().ready(&integration)
    }

    /// Accepts an ended call of each client.
    pub(crate) async fn calls(&self, clients: &[String]) {
        for (part, clients) in clients.chunks(500).enumerate() {
            let now = self.clock.now();
            let calls = clients.iter().enumerate();
            let snapshots = calls
                .map(|(n, client)| ended_call(&format!("{part}.{n}"), client, now))
                .collect();
            let batch = Batch {
                snapshots,
                ..Batch::default()
            };
            self.intake
                .accept(&source(), batch)
                .await
                .expect("accepted");
        }
    }

    pub(crate) async fn ledger(&self, integration: &str, key: &CommunicationKey) -> Ledger {
        let integration = format!("acme/{integration}").parse().expect("a key");
        self.store
            .ledger(integration, key.clone())
            .await
            .expect("reads")
    }

    /// Waits until an integration has no open work.
    pub(crate) async fn idle(&self, integration: &str) {
        self.idle_within(integration, PATIENCE).await;
    }

    /// Waits, so long at the most, until an integration has no open work.
    pub(crate) async fn idle_within(&self, integration: &str, patience: Duration) {
        let integration: IntegrationKey = format!("acme/{integration}").parse().expect("a key");
        let idle = || async {
            let works = self.store.open_works().await.expect("reads");
            works.iter().all(|work| work.integration != integration)
        };
        self.until_within(idle, patience).await;
    }

    /// Waits until a condition holds; fails after a time that nothing needs.
    pub(crate) async fn until<F, T>(&self, condition: F)
    where
        F: Fn() -> T,
        T: Future<Output = bool>,
    {
        self.until_within(condition, PATIENCE).await;
    }

    async fn until_within<F, T>(&self, condition: F, patience: Duration)
    where
        F: Fn() -> T,
        T: Future<Output = bool>,
    {
        let holds = async {
            while !condition().await {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(patience, holds)
            .await
            .expect("in time");
    }
}

fn source() -> SourceKey {
    "acme/office".parse().expect("a key")
}

fn settings() -> IntegrationSettings {
    let case = UnknownCase {
        on: true,
        action: UnknownAction::ContactAndDeal {
            pipeline: "10".into(),
            stage: "11".into(),
        },
        at: Moment::End,
        assign_to: None,
    };
    IntegrationSettings {
        calls: Some(CallSettings {
            incoming: DirectionSettings {
                answered_unknown: Some(case.clone()),
                missed_unknown: Some(case),
                ..DirectionSettings::default()
            },
            ..CallSettings::new(CrmUserId("501".to_owned()))
        }),
        ..IntegrationSettings::default()
    }
}

pub(crate) fn ended_call(item: &str, client: &str, now: Timestamp) -> Snapshot {
    let phone = Phone::try_from(client.to_owned()).expect("a number");
    let call = Call {
        direction: Direction::Incoming,
        phase: CallPhase::Ended,
        result: CallResult::Missed {
            reason: MissReason::NoAnswer,
        },
        client: ClientNumber::Phone { phone },
        client_name: None,
        our_number: Some("74950000001".to_owned()),
        caller_extension: None,
        started_at: now,
        answered_at: None,
        ended_at: Some(now),
        waiting_ms: 1000,
        talking_ms: 0,
        legs: vec![CallLeg {
            extension: Extension("101".to_owned()),
            rung_at: now,
            talked_from: None,
            talked_until: None,
        }],
        talkers: Vec::new(),
        last_talker: None,
        queues: Vec::new(),
        recordings: Vec::new(),
        click_to_call: None,
        blind: None,
        tags: Vec::new(),
        details: Default::default(),
    };
    Snapshot {
        key: CommunicationKey::new(source(), item).expect("a key"),
        revision: 1,
        body: Body::Call { call },
    }
}
