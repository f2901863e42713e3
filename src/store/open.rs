//! Opening the store, and its writer's thread.

use std::fs::{File, OpenOptions, Permissions};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::thread::JoinHandle;

use redb::backends::FileBackend;
use redb::{Builder, Database, DatabaseError, StorageBackend, StorageError};
use tokio::sync::{mpsc, watch};
use tracing::info;

use super::error::{OpenError, StoreEnd};
use super::handle::StoreHandle;
use super::measured::Measured;
use super::read_pool::ReadPool;
use super::row::RowHealth;
use super::schema;
use super::shared::{Parts, Shared};
use super::writer;
use crate::model::seal::StoreKey;
use crate::model::timestamp::Timestamp;

/// Readable and writable by the daemon's user only: it holds clients' numbers.
const FILE_MODE: u32 = 0o600;

/// How the store is opened.
#[derive(Debug, Clone)]
pub struct StoreOptions {
    /// Memory for the database's cache, in bytes. The database's own default is 1 GiB, too much
    /// for a small box; 64 MiB hold the open work and the recent journal of a busy one.
    pub cache_bytes: usize,
    /// So many commands may wait; above it, intake is refused. 1024 are some seconds of a slow
    /// disk, and no more than a few MiB of snapshots.
    pub queue_max: usize,
    /// So many commands at the most share one transaction: groups of 256 give most of the gain
    /// (`dependencies.md`), larger ones only let the first wait longer.
    pub group_max: usize,
    /// Save the allocator's state with each commit, so that opening after an unclean stop need
    /// not walk the whole file. Measured on 500 MB in the page cache: 0.17 s instead of 0.94 s to
    /// open, and the latter grows with the file and with the disk's seek time; a second sync for
    /// each transaction costs 13 % of the rate in groups of 256, half of it one by one.
    pub quick_repair: bool,
    /// For tests under tokio's paused clock: hold the clock while a command is on its way, which
    /// the runtime would else take for idleness and jump to the next timer.
    pub hold_paused_clock: bool,
    /// Now: the time of making, when the store is new.
    pub now: Timestamp,
    /// What each of the store's threads does first.
    pub at_thread_start: fn(),
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            cache_bytes: 64 * 1024 * 1024,
            queue_max: 1024,
            group_max: 256,
            quick_repair: true,
            hold_paused_clock: false,
            now: Timestamp::default(),
            at_thread_start: || {},
        }
    }
}

/// The embedded store.
#[derive(Debug)]
pub struct Store;

impl Store {
    /// Opens the store's file, making it when it is missing. Its folder must exist. Blocks:
    /// milliseconds as a rule, longer after an unclean stop without quick repair.
    pub fn open(
        path: &Path,
        key: StoreKey,
        options: StoreOptions,
    ) -> Result<(StoreHandle, StoreThread), OpenError> {
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        if let Some(folder) = folder
            && !folder.is_dir()
        {
            return Err(OpenError::NoFolder(folder.to_owned()));
        }
        if std::fs::metadata(path).map_or(0, |file| file.len()) == 0 {
            make_file(path, &key, &options)?;
        }
        let file = OpenOptions::new().read(true).write(true).open(path)?;
        // A file that was made by other means (a restored copy) is closed to others too.
        file.set_permissions(Permissions::from_mode(FILE_MODE))?;
        let backend = FileBackend::new(file).map_err(refused)?;
        Self::open_backend(backend, key, options)
    }

    /// Opens a store on any storage: the seam for tests that let the disk fail. A storage that
    /// loses power while an empty one is first written cannot be opened again; for files
    /// [`Store::open`] sees to that.
    pub fn open_backend(
        backend: impl StorageBackend,
        key: StoreKey,
        options: StoreOptions,
    ) -> Result<(StoreHandle, StoreThread), OpenError> {
        let file_bytes = Arc::new(AtomicU64::new(0));
        let backend = Measured::new(backend, Arc::clone(&file_bytes))?;
        let database = open_database(backend, &options)?;
        let health = RowHealth::default();
        let made_at = schema::prepare(&database, &key, &health, options.now)?;
        let database = Arc::new(database);
        let shared = Arc::new(Shared::new(Parts {
            database: Arc::clone(&database),
            health,
            key,
            quick_repair: options.quick_repair,
            hold_paused_clock: options.hold_paused_clock,
            file_bytes,
            made_at,
        }));
        start(database, shared, &options)
    }
}

/// Makes a new store beside its place and moves it there when it is whole: the database cannot
/// open a file whose first writing was cut off.
fn make_file(path: &Path, key: &StoreKey, options: &StoreOptions) -> Result<(), OpenError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    let new = Path::new(&name);
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(true)
        .mode(FILE_MODE)
        .open(new)?;
    let whole = file.try_clone()?;
    let database = open_database(FileBackend::new(file).map_err(refused)?, options)?;
    schema::prepare(&database, key, &RowHealth::default(), options.now)?;
    drop(database);
    whole.sync_all()?;
    std::fs::rename(new, path)?;
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
    Ok(())
}

fn open_database(
    backend: impl StorageBackend,
    options: &StoreOptions,
) -> Result<Database, OpenError> {
    let mut builder = Builder::new();
    builder.set_cache_size(options.cache_bytes);
    builder.set_repair_callback(|repair| {
        info!(progress = repair.progress(), "repairing the store");
    });
    builder.create_with_backend(backend).map_err(refused)
}

fn start(
    database: Arc<Database>,
    shared: Arc<Shared>,
    options: &StoreOptions,
) -> Result<(StoreHandle, StoreThread), OpenError> {
    let (sender, mut queue) = mpsc::channel(options.queue_max.max(1));
    let (ending, ended) = watch::channel(None);
    let reads = ReadPool::start(options.at_thread_start).map_err(OpenError::Thread)?;
    let handle = StoreHandle::new(sender, Arc::clone(&shared), reads);
    let group_max = options.group_max.max(1);
    let at_start = options.at_thread_start;
    let thread = std::thread::Builder::new()
        .name("store".to_owned())
        .spawn(move || {
            at_start();
            let mut guard = EndGuard {
                shared: Arc::clone(&shared),
                ending,
                end: StoreEnd::Panicked,
            };
            guard.end = writer::run(&database, &mut queue, &shared, group_max);
            // Reads are refused first, so that the file is closed here and not by a reader.
            shared.end();
            drop(queue);
            drop(database);
        })
        .map_err(OpenError::Thread)?;
    Ok((handle, StoreThread { thread, ended }))
}

/// Tells that the writer has ended, also when it panics.
struct EndGuard {
    shared: Arc<Shared>,
    ending: watch::Sender<Option<StoreEnd>>,
    end: StoreEnd,
}

impl Drop for EndGuard {
    fn drop(&mut self) {
        self.shared.end();
        self.ending.send_replace(Some(self.end.clone()));
    }
}

/// The writer's thread: who holds it learns of its end.
#[derive(Debug)]
pub struct StoreThread {
    thread: JoinHandle<()>,
    ended: watch::Receiver<Option<StoreEnd>>,
}

impl StoreThread {
    /// Waits until the store has ended and says why. After [`StoreEnd::Failed`] and
    /// [`StoreEnd::Panicked`] the process must end.
    pub async fn finished(&self) -> StoreEnd {
        let mut ended = self.ended.clone();
        match ended.wait_for(Option::is_some).await {
            Ok(end) => end.clone().unwrap_or(StoreEnd::Panicked),
            Err(_) => StoreEnd::Panicked,
        }
    }

    /// Waits for the thread itself, blocking: after it the file is closed, but for a read that
    /// still runs.
    pub fn join(self) -> StoreEnd {
        match self.thread.join() {
            Ok(()) => self.ended.borrow().clone().unwrap_or(StoreEnd::Panicked),
            Err(_) => StoreEnd::Panicked,
        }
    }
}

pub(super) fn refused(error: DatabaseError) -> OpenError {
    match error {
        DatabaseError::DatabaseAlreadyOpen => OpenError::InUse,
        DatabaseError::Storage(StorageError::Io(error)) => OpenError::Io(error),
        other => OpenError::Damaged(other.to_string()),
    }
}
