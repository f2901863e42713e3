//! The keeper of recordings as the supervisor sees it, and what it shares with the rest.

use std::sync::Arc;

use arc_swap::ArcSwap;
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use tokio::sync::{Notify, watch};

use crate::admin::state::DiscardRecordings;
use crate::clock::SharedClock;
use crate::config::Configuration;
use crate::crm::RecordingFiles;
use crate::intake::recordings::PlayRecording;
use crate::intake::sink::Intake;
use crate::integration::context::SharedPublicUrl;
use crate::integration::status::{Health, StatusBoard};
use crate::integration::supervisor::{Child, LifeEnd};
use crate::model::communication::Snapshot;
use crate::model::ids::{IntegrationKey, SourceKey};
use crate::recordings::keeper::{self, Audience, Keeper, RecordingSettings};
use crate::recordings::opener::Opener;
use crate::recordings::player::Player;
use crate::store::StoreHandle;
use crate::store::command::{Route, WorkId};

/// Its name on the status board.
const NAME: &str = "recordings";

/// What is configured about recordings, and who is to be woken.
pub(super) struct Recordings {
    /// Where the outside reaches us.
    pub(super) public: SharedPublicUrl,
    /// Wakes the keeper.
    pub(super) wake: Arc<Notify>,
    settings: Arc<ArcSwap<RecordingSettings>>,
}

impl Recordings {
    /// Begins with a configuration; no source's recordings are looked for yet.
    pub(super) fn new(configuration: &Configuration) -> Self {
        Self {
            public: Arc::default(),
            wake: Arc::default(),
            settings: Arc::new(ArcSwap::from_pointee(settings(configuration))),
        }
    }

    /// Returns what removes files of our own folder.
    pub(super) fn discarder(&self) -> DiscardRecordings {
        let settings = Arc::clone(&self.settings);
        Arc::new(move |names| keeper::discard(&settings.load().keeping.folder, names))
    }

    /// Puts another configuration into effect.
    pub(super) fn configure(&self, new: &Configuration) {
        let public = new.daemon.public_url.clone();
        self.public.store(public.map(Arc::new));
        self.settings.store(Arc::new(settings(new)));
        self.wake.notify_one();
    }

    /// Returns what opens recordings for CRMs that take files.
    pub(super) fn files(&self, store: StoreHandle) -> Arc<dyn RecordingFiles> {
        Arc::new(Opener::new(store, Arc::clone(&self.settings)))
    }

    /// Returns what answers for the addresses of recordings.
    pub(super) fn player(&self, store: StoreHandle, clock: SharedClock) -> PlayRecording {
        let player = Arc::new(Player::new(store, clock, Arc::clone(&self.settings)));
        Arc::new(move |token, request, from| {
            let player = Arc::clone(&player);
            async move { player.play(&token, &request, from).await }.boxed_local()
        })
    }
}

fn settings(configuration: &Configuration) -> RecordingSettings {
    let sources = configuration
        .tenants
        .iter()
        .flat_map(|tenant| &tenant.sources);
    RecordingSettings {
        keeping: Arc::new(configuration.daemon.recordings.clone()),
        roots: sources
            .filter(|source| !source.recordings.is_empty())
            .map(|source| (source.key.clone(), source.recordings.clone()))
            .collect(),
    }
}

/// The keeper, to be supervised.
pub(super) struct RecordingChild {
    keeper: Keeper,
    board: Arc<StatusBoard>,
    clock: SharedClock,
}

impl RecordingChild {
    pub(super) fn new(recordings: &Recordings, intake: &Intake, board: &Arc<StatusBoard>) -> Self {
        let audience = Outside {
            public: Arc::clone(&recordings.public),
            intake: intake.clone(),
            board: Arc::clone(board),
        };
        Self {
            keeper: Keeper {
                store: intake.store.clone(),
                clock: Arc::clone(&intake.clock),
                settings: Arc::clone(&recordings.settings),
                audience: Arc::new(audience),
                wake: Arc::clone(&recordings.wake),
            },
            board: Arc::clone(board),
            clock: Arc::clone(&intake.clock),
        }
    }
}

impl Child for RecordingChild {
    fn name(&self) -> String {
        NAME.to_owned()
    }

    fn live(&self, stop: watch::Receiver<bool>) -> LocalBoxFuture<'static, LifeEnd> {
        let keeper = self.keeper.clone();
        self.board.set_health(NAME, Health::Up, self.clock.now());
        async move {
            match keeper.run(stop).await {
                Ok(()) => LifeEnd::Stopped,
                Err(error) => LifeEnd::Failed(error.to_string()),
            }
        }
        .boxed_local()
    }
}

/// Knows who is to be told, and shows what is in the way.
struct Outside {
    public: SharedPublicUrl,
    intake: Intake,
    board: Arc<StatusBoard>,
}

impl Audience for Outside {
    fn is_reached(&self) -> bool {
        self.public.load().is_some()
    }

    fn routes(&self, source: &SourceKey) -> Vec<Route> {
        self.intake.routing.load().recording_routes(source)
    }

    fn file_routes(&self, source: &SourceKey) -> Vec<Route> {
        self.intake.routing.load().file_routes(source)
    }

    fn works(&self, snapshot: &Snapshot, works: &[(IntegrationKey, WorkId)]) {
        self.intake.waker.works(snapshot, works);
    }

    fn trouble(&self, why: &str) {
        self.board.trouble(NAME, why, self.intake.clock.now());
    }
}
