//! What the writer, its handles and the readers share.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwapOption;
use redb::{Database, ReadableDatabase};
use tokio::sync::broadcast;

use super::directory::{DirectoryFeed, FEED_BATCHES_MAX};
use super::error::{StoreError, Trouble};
use super::query::StoreFigures;
use super::reader::Reader;
use super::row::RowHealth;
use crate::model::seal::StoreKey;
use crate::model::timestamp::Timestamp;

/// Shared by the writer and every handle.
pub(super) struct Shared {
    /// Empty once the store has ended: reads are refused from then on, and the file is closed
    /// when the last running read is over.
    database: ArcSwapOption<Database>,
    failure: OnceLock<String>,
    pub(super) health: RowHealth,
    pub(super) key: StoreKey,
    pub(super) quick_repair: bool,
    pub(super) hold_paused_clock: bool,
    file_bytes: Arc<AtomicU64>,
    made_at: Timestamp,
    commands: AtomicU64,
    commits: AtomicU64,
    feed: broadcast::Sender<DirectoryFeed>,
}

/// What [`Shared`] is made from.
pub(super) struct Parts {
    pub(super) database: Arc<Database>,
    pub(super) health: RowHealth,
    pub(super) key: StoreKey,
    pub(super) quick_repair: bool,
    pub(super) hold_paused_clock: bool,
    pub(super) file_bytes: Arc<AtomicU64>,
    pub(super) made_at: Timestamp,
}

impl Shared {
    pub(super) fn new(parts: Parts) -> Self {
        Self {
            database: ArcSwapOption::from(Some(parts.database)),
            failure: OnceLock::new(),
            health: parts.health,
            key: parts.key,
            quick_repair: parts.quick_repair,
            hold_paused_clock: parts.hold_paused_clock,
            file_bytes: parts.file_bytes,
            made_at: parts.made_at,
            commands: AtomicU64::new(0),
            commits: AtomicU64::new(0),
            feed: broadcast::Sender::new(FEED_BATCHES_MAX),
        }
    }

    /// Reads one moment's picture.
    pub(super) fn read<T>(
        &self,
        read: impl FnOnce(&Reader<'_>) -> Result<T, Trouble>,
    ) -> Result<T, Trouble> {
        let database = self.database.load_full().ok_or(StoreError::Closed)?;
        let reader = Reader {
            txn: database.begin_read()?,
            health: &self.health,
        };
        read(&reader)
    }

    /// Refuses reads from now on.
    pub(super) fn end(&self) {
        self.database.store(None);
    }

    /// Ends the store because a read failed: after an error of the disk the file must be closed
    /// and opened anew.
    pub(super) fn fail(&self, why: String) {
        self.failure.get_or_init(|| why);
        self.end();
    }

    /// Returns why a read failed, where one did.
    pub(super) fn failure(&self) -> Option<&String> {
        self.failure.get()
    }

    /// Tells those who follow the directories what is on disk now.
    pub(super) fn tell(&self, changes: DirectoryFeed) {
        // Nobody may be following.
        drop(self.feed.send(changes));
    }

    pub(super) fn follow(&self) -> broadcast::Receiver<DirectoryFeed> {
        self.feed.subscribe()
    }

    pub(super) fn count_commit(&self) {
        self.commits.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_commands(&self, n: usize) {
        let n = u64::try_from(n).unwrap_or(u64::MAX);
        self.commands.fetch_add(n, Ordering::Relaxed);
    }

    /// Adds what is not counted in tables.
    pub(super) fn complete(&self, figures: StoreFigures) -> StoreFigures {
        StoreFigures {
            file_bytes: self.file_bytes.load(Ordering::Relaxed),
            made_at: self.made_at,
            commands: self.commands.load(Ordering::Relaxed),
            commits: self.commits.load(Ordering::Relaxed),
            unreadable_rows: self.health.unreadable(),
            ..figures
        }
    }
}
