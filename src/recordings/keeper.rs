//! Keeps recordings moving: what is due is tried, what is ready is told, what is old is removed.
//! Knows nothing that the store does not hold.
//!
//! ```text
//!            found whole, playable                  kept for long enough
//!  Sought ---------------------------> Ready ------------------------------> Forgotten
//!    |  ^                               (told to the CRMs once we can be reached, at once to
//!    |  |                                those that are handed the file)
//!    |  +- not yet: later, ever more seldom
//!    +---- looked for in vain for days ------> Missing
//! ```

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::sync::{Notify, Semaphore, watch};
use tokio::time::Instant;

use super::seek::{Seeker, Sought};
use super::shelf::Shelf;
use super::web;
use crate::clock::SharedClock;
use crate::model::communication::Snapshot;
use crate::model::doubling::pause_after;
use crate::model::ids::{CommunicationKey, IntegrationKey, SourceKey};
use crate::model::recording::{
    AudioFile, Recording, RecordingKeeping, RecordingRoot, RecordingState,
};
use crate::model::timestamp::Timestamp;
use crate::store::command::{JournalNote, RecordingChange, Route, WorkId};
use crate::store::{StoreError, StoreHandle};

/// Recordings that are tried at once: most of the time each only waits.
const AT_ONCE_MAX: usize = 8;

/// How long to sleep when nobody wakes us: what was put off comes due.
const LOOK_AROUND: Duration = Duration::from_secs(2);

/// The first and the longest pause between two tries.
const FIRST_PAUSE: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(900);

/// A file that is late is told in the journal after so many tries, which takes some minutes.
const LATE_AFTER: u32 = 6;

/// Recordings that are looked through at once.
const WALK_ROWS: usize = 100;

/// How often our folder is tidied.
const TIDY_EVERY: Duration = Duration::from_secs(6 * 3600);

/// What is configured; replaced at reload.
#[derive(Debug, Clone)]
pub struct RecordingSettings {
    /// How recordings are kept.
    pub keeping: Arc<RecordingKeeping>,
    /// Where the files of each source lie.
    pub roots: HashMap<SourceKey, Vec<RecordingRoot>>,
}

/// Who is told what became of recordings.
pub trait Audience: Send + Sync {
    /// Says whether somebody outside can reach us: before that there is no address to tell.
    fn is_reached(&self) -> bool;

    /// Returns who has something to do when a recording of this source can be played.
    fn routes(&self, source: &SourceKey) -> Vec<Route>;

    /// Returns who of them is handed the file itself, so that no address is needed.
    fn file_routes(&self, source: &SourceKey) -> Vec<Route>;

    /// These works were made.
    fn works(&self, snapshot: &Snapshot, works: &[(IntegrationKey, WorkId)]);

    /// Something is in the way, in words.
    fn trouble(&self, why: &str);
}

/// Keeps all recordings.
#[derive(Clone)]
pub struct Keeper {
    /// The store.
    pub store: StoreHandle,
    /// The time of day.
    pub clock: SharedClock,
    /// What is configured.
    pub settings: Arc<ArcSwap<RecordingSettings>>,
    /// Who is told.
    pub audience: Arc<dyn Audience>,
    /// Wakes us when there is something new.
    pub wake: Arc<Notify>,
}

/// Removes files of our own folder by their names; those that are gone already are no error. Tries
/// all of them and returns the first failure.
pub fn discard(folder: &std::path::Path, names: &[String]) -> std::io::Result<()> {
    let shelf = Shelf::new(folder);
    let results: Vec<std::io::Result<()>> = names.iter().map(|name| shelf.remove(name)).collect();
    results.into_iter().collect()
}

/// Why a keeper's life ended.
#[derive(Debug, thiserror::Error)]
pub enum KeeperError {
    /// The store is gone, or refuses us.
    #[error("store: {0}")]
    Store(#[from] StoreError),
    /// The client for web servers cannot be made.
    #[error("cannot set up HTTP: {0}")]
    Http(String),
}

impl Keeper {
    /// Works until `stop` turns true. What is under way then is done again at the next start.
    pub async fn run(self, mut stop: watch::Receiver<bool>) -> Result<(), KeeperError> {
        let client = web::client().map_err(|error| KeeperError::Http(error.to_string()))?;
        let converting = Arc::new(Semaphore::new(1));
        let mut busy: HashSet<CommunicationKey> = HashSet::new();
        let mut running = FuturesUnordered::new();
        let mut walk = Walk::default();
        let mut tidy_at = Instant::now();
        loop {
            if tidy_at <= Instant::now() {
                tidy_at = Instant::now() + TIDY_EVERY;
                self.tidy().await;
            }
            if busy.len() < AT_ONCE_MAX {
                for recording in self.due(busy.len(), &mut walk).await? {
                    if busy.len() >= AT_ONCE_MAX || !busy.insert(recording.communication.clone()) {
                        continue;
                    }
                    let seeker = Seeker {
                        client: client.clone(),
                        clock: Arc::clone(&self.clock),
                        keeping: Arc::clone(&self.settings.load().keeping),
                        converting: Arc::clone(&converting),
                    };
                    running.push(self.attend(recording, seeker));
                }
            }
            tokio::select! {
                Some(done) = running.next(), if !running.is_empty() => {
                    let (key, result): (CommunicationKey, Result<(), StoreError>) = done;
                    busy.remove(&key);
                    result?;
                }
                () = self.wake.notified() => {}
                () = tokio::time::sleep(LOOK_AROUND) => {}
                _ = stop.wait_for(|stop| *stop) => return Ok(()),
            }
        }
    }

    /// Returns recordings about which something is to be done now.
    async fn due(&self, busy: usize, walk: &mut Walk) -> Result<Vec<Recording>, StoreError> {
        // Those that are busy may be among them.
        let limit = AT_ONCE_MAX + busy;
        let mut due = self.store.recordings_due(self.clock.now(), limit).await?;
        if self.audience.is_reached() {
            due.extend(self.store.recordings_untold(None, limit).await?);
        } else {
            // No more than there is room for: what the walk has passed is not looked at again.
            let room = AT_ONCE_MAX.saturating_sub(busy + due.len());
            due.extend(self.to_hand_over(walk, room).await?);
        }
        Ok(due)
    }

    /// Returns recordings that can be handed over as files although nobody reaches us: all are
    /// looked through once for each configuration, for another one may have somebody to take them.
    async fn to_hand_over(
        &self,
        walk: &mut Walk,
        limit: usize,
    ) -> Result<Vec<Recording>, StoreError> {
        let settings = self.settings.load_full();
        let is_new = |under: &Arc<RecordingSettings>| !Arc::ptr_eq(under, &settings);
        if walk.under.as_ref().is_none_or(is_new) {
            *walk = Walk {
                under: Some(settings),
                after: None,
                is_over: false,
            };
        }
        let mut found = Vec::new();
        while !walk.is_over && found.len() < limit {
            let after = walk.after.clone();
            let rows = self.store.recordings_untold(after, WALK_ROWS).await?;
            walk.is_over = rows.len() < WALK_ROWS;
            for row in rows {
                if found.len() >= limit {
                    walk.is_over = false;
                    break;
                }
                walk.after = Some(row.communication.clone());
                if !self
                    .audience
                    .file_routes(&row.communication.source)
                    .is_empty()
                {
                    found.push(row);
                }
            }
        }
        Ok(found)
    }

    async fn tidy(&self) {
        let folder = self.settings.load().keeping.folder.clone();
        match Shelf::new(&folder)
            .tidy(&self.store, system_time(self.clock.now()))
            .await
        {
            Ok(0) => {}
            Ok(removed) => tracing::info!(removed, "files without a recording removed"),
            Err(error) => self
                .audience
                .trouble(&format!("{}: {error}", folder.display())),
        }
    }

    /// Does what is due about one recording.
    async fn attend(
        &self,
        recording: Recording,
        seeker: Seeker,
    ) -> (CommunicationKey, Result<(), StoreError>) {
        let key = recording.communication.clone();
        let next = match &recording.state {
            RecordingState::Sought { attempts, why } => {
                let (attempts, why) = (*attempts, why.clone());
                self.seek(&recording, &seeker, attempts, why.as_deref())
                    .await
            }
            RecordingState::Ready { at, file, .. } => {
                self.ready(&recording, &seeker.keeping, *at, file.clone(), None)
            }
            RecordingState::Missing { .. } | RecordingState::Forgotten { .. } => Change {
                state: recording.state.clone(),
                due: None,
                routes: Vec::new(),
                note: None,
            },
        };
        let is_ready = matches!(next.state, RecordingState::Ready { .. });
        // The row goes first: a file that is left over is found by the tidying.
        let result = self.record(&recording, next).await;
        if let (Some(name), true, false) = (recording.kept_file(), result.is_ok(), is_ready)
            && let Err(error) = Shelf::new(&seeker.keeping.folder).remove(name)
        {
            self.audience.trouble(&format!("remove {name}: {error}"));
        }
        (key, result)
    }

    async fn seek(
        &self,
        recording: &Recording,
        seeker: &Seeker,
        attempts: u32,
        known: Option<&str>,
    ) -> Change {
        let source = &recording.communication.source;
        let roots = self.settings.load().roots.get(source).cloned();
        let sought = match roots {
            Some(roots) => seeker.seek(recording, &roots).await,
            None => Sought::Stuck(format!("the recordings of {source} are set up no more")),
        };
        let now = self.clock.now();
        let (why, is_stuck) = match sought {
            Sought::Ready(file, remark) => {
                return self.ready(recording, &seeker.keeping, now, file, remark);
            }
            Sought::NotYet(why) => (why, false),
            Sought::Stuck(why) => (why, true),
        };
        if now.since(recording.ended_at) > seeker.keeping.seek {
            let reason = format!("given up: {why}");
            tracing::warn!(communication = %recording.communication, reason, "recording");
            self.audience.trouble(&reason);
            return Change {
                note: Some(remark(recording, now, "recording_missing", &reason)),
                state: RecordingState::Missing { at: now, reason },
                due: None,
                routes: Vec::new(),
            };
        }
        let attempts = attempts.saturating_add(1);
        let news = known != Some(why.as_str());
        let note = ((is_stuck && news) || attempts == LATE_AFTER).then(|| {
            tracing::warn!(communication = %recording.communication, why, "recording waits");
            self.audience.trouble(&why);
            remark(recording, now, "recording_waits", &why)
        });
        Change {
            state: RecordingState::Sought {
                attempts,
                why: Some(why),
            },
            due: Some(now.plus(pause_after(attempts, FIRST_PAUSE, LONGEST_PAUSE))),
            routes: Vec::new(),
            note,
        }
    }

    /// Says what is next for a recording that can be played.
    fn ready(
        &self,
        recording: &Recording,
        keeping: &RecordingKeeping,
        at: Timestamp,
        file: AudioFile,
        what: Option<String>,
    ) -> Change {
        let now = self.clock.now();
        let until = recording.ended_at.plus(keeping.keep);
        if until <= now {
            return Change {
                state: RecordingState::Forgotten { at: now },
                due: None,
                routes: Vec::new(),
                note: Some(remark(
                    recording,
                    now,
                    "recording_forgotten",
                    "it was kept for as long as is set",
                )),
            };
        }
        let source = &recording.communication.source;
        let was_told = matches!(recording.state, RecordingState::Ready { told: true, .. });
        let (told, routes) = match (was_told, self.audience.is_reached()) {
            (true, _) => (true, Vec::new()),
            (false, true) => (true, self.audience.routes(source)),
            (false, false) => {
                // The others are told once there is an address; who was told makes nothing anew.
                let files = self.audience.file_routes(source);
                let all = self.audience.routes(source).len();
                (!files.is_empty() && files.len() == all, files)
            }
        };
        Change {
            state: RecordingState::Ready { at, file, told },
            due: Some(until),
            routes,
            note: what.map(|what| remark(recording, now, "recording_incomplete", &what)),
        }
    }

    async fn record(&self, recording: &Recording, change: Change) -> Result<(), StoreError> {
        let key = recording.communication.clone();
        if let RecordingState::Ready { file, .. } = &change.state
            && matches!(recording.state, RecordingState::Sought { .. })
        {
            tracing::info!(communication = %key, bytes = file.bytes, "recording ready");
        }
        let works = self.store.change_recording(RecordingChange {
            communication: key.clone(),
            names: recording.names.clone(),
            state: change.state,
            due: change.due,
            routes: change.routes,
            note: change.note,
            now: self.clock.now(),
        });
        let works = works.await?;
        if !works.is_empty()
            && let Some(stored) = self.store.communication(key).await?
        {
            self.audience.works(&stored.snapshot, &works);
        }
        Ok(())
    }
}

/// How far the recordings that were not told of were looked through.
#[derive(Default)]
struct Walk {
    /// With which configuration.
    under: Option<Arc<RecordingSettings>>,
    after: Option<CommunicationKey>,
    is_over: bool,
}

/// What is next for a recording.
struct Change {
    state: RecordingState,
    due: Option<Timestamp>,
    routes: Vec<Route>,
    note: Option<JournalNote>,
}

fn remark(recording: &Recording, at: Timestamp, word: &str, text: &str) -> JournalNote {
    let key = &recording.communication;
    JournalNote {
        at,
        tenant: Some(key.tenant().clone()),
        source: Some(key.source.clone()),
        integration: None,
        communication: Some(key.clone()),
        word: word.to_owned(),
        text: text.to_owned(),
    }
}

fn system_time(at: Timestamp) -> SystemTime {
    let millis = u64::try_from(at.as_millis()).unwrap_or_default();
    SystemTime::UNIX_EPOCH + Duration::from_millis(millis)
}
