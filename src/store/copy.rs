//! A copy of the whole store, of one moment, made while work goes on; and what is done to such a copy
//! before it is worked with again.

use std::collections::BTreeSet;
use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use redb::backends::FileBackend;
use redb::{
    Builder, Database, Key, ReadTransaction, ReadableDatabase, ReadableTable, TableDefinition,
    TableError, TableHandle, Value as RowValue,
};
use serde::{Deserialize, Serialize};

use super::command::Work;
use super::deal_tables;
use super::directory_tables::{ADDRESSES, CARDS, DEALS, DEALS_OF, DIRECTORIES};
use super::error::{OpenError, StoreError, Trouble};
use super::left_works::LEFT_WORKS;
use super::quarantine::{self, QUARANTINE, Search};
use super::query::StoredCommunication;
use super::reader::Reader;
use super::recordings::{COUNTS, DUE, RECORDINGS, TOKENS, UNTOLD};
use super::row::RowHealth;
use super::schema;
use super::tables::{
    ACCOUNTS, CHECKPOINTS, COMMUNICATIONS, COUNTERS, CREDENTIALS, DEAD_LETTERS, DECISIONS, FENCES,
    JOURNAL_INDEX, LEDGERS, META, NOTES, NOTES_OF, NOTICES_UNSETTLED, SETTINGS, SETTINGS_CURRENT,
    Tables, WORK_UNIQUE, WORKS, WORKS_OF, get_text, put_text, skip_unreadable,
};
use crate::model::ids::CommunicationKey;
use crate::model::ledger::{LedgerStep, StepState};
use crate::model::seal::StoreKey;
use crate::model::timestamp::Timestamp;

/// Rows of one transaction of the copy.
const ROWS_MAX: usize = 20_000;

/// Memory for the copy's cache: it is written once, from beginning to end.
const CACHE_BYTES: usize = 16 * 1024 * 1024;

/// The row that says when a copy was put back.
const RESTORED_ROW: &str = "restored";

/// The credential that holds what portals brought that no administrator has accepted yet.
pub const INSTALLATIONS: &str = "installations";

/// Why a copied step waits.
const LOOK_WHY: &str = "restored from a backup: it is looked first whether it is there already";

/// What a copy holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopyReport {
    /// When the store was first made.
    pub made_at: Timestamp,
    /// Communications.
    pub communications: u64,
    /// Works that are not over.
    pub open_works: u64,
    /// Rows that cannot be read, those in quarantine not counted; five hundred stand for more.
    pub unreadable_rows: u64,
}

#[derive(Debug, Serialize, Deserialize)]
struct Restored {
    at: Timestamp,
}

/// Copies everything that a transaction sees into a new file.
///
/// # Errors
/// The inner one: the copy could not be written, and is worth nothing. The outer one: the store
/// itself could not be read.
pub(super) fn copy(from: &ReadTransaction, to: &Path) -> Result<Result<(), String>, Trouble> {
    let made = OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(to);
    let opened = made.map_err(|error| error.to_string()).and_then(|file| {
        let backend = FileBackend::new(file).map_err(|error| error.to_string())?;
        let mut builder = Builder::new();
        let builder = builder.set_cache_size(CACHE_BYTES);
        let database = builder.create_with_backend(backend);
        database.map_err(|error| error.to_string())
    });
    let database = match opened {
        Ok(database) => database,
        Err(why) => return Ok(Err(why)),
    };
    let mut copied = BTreeSet::new();
    macro_rules! every {
        ($($table:expr),* $(,)?) => {$(
            if let Err(why) = table(from, &database, $table, &mut copied)? {
                return Ok(Err(why));
            }
        )*};
    }
    every!(
        META,
        COUNTERS,
        COMMUNICATIONS,
        CHECKPOINTS,
        WORKS,
        WORKS_OF,
        WORK_UNIQUE,
        FENCES,
        LEDGERS,
        DECISIONS,
        DEAD_LETTERS,
        JOURNAL_INDEX,
        NOTES,
        NOTES_OF,
        SETTINGS,
        SETTINGS_CURRENT,
        CREDENTIALS,
        ACCOUNTS,
        DIRECTORIES,
        CARDS,
        ADDRESSES,
        DEALS,
        DEALS_OF,
        RECORDINGS,
        TOKENS,
        DUE,
        UNTOLD,
        COUNTS,
        deal_tables::DEALS,
        deal_tables::BY_TIME,
        deal_tables::BY_VERSION,
        deal_tables::MOVES,
        deal_tables::HINTS,
        deal_tables::PULLS,
        deal_tables::UPLOADS,
        deal_tables::REFUSED,
        deal_tables::COUNTS,
        QUARANTINE,
        LEFT_WORKS,
        NOTICES_UNSETTLED,
    );
    for there in from.list_tables()? {
        let name = there.name();
        if !copied.contains(name) {
            return Ok(Err(format!("the table {name} is not known to be copied")));
        }
    }
    Ok(Ok(()))
}

/// Copies one table, a bounded transaction at a time.
fn table<K: Key + 'static, V: RowValue + 'static>(
    from: &ReadTransaction,
    to: &Database,
    definition: TableDefinition<'static, K, V>,
    copied: &mut BTreeSet<String>,
) -> Result<Result<(), String>, Trouble> {
    copied.insert(definition.name().to_owned());
    let source = match from.open_table(definition) {
        Ok(source) => source,
        Err(TableError::TableDoesNotExist(_)) => return Ok(Ok(())),
        Err(error) => return Err(error.into()),
    };
    let mut rows = source.iter()?.peekable();
    loop {
        let mut piece = Vec::new();
        while piece.len() < ROWS_MAX
            && let Some(row) = rows.next()
        {
            piece.push(row?);
        }
        let written = (|| {
            let txn = to.begin_write().map_err(|error| error.to_string())?;
            {
                let mut table = txn
                    .open_table(definition)
                    .map_err(|error| error.to_string())?;
                for (key, value) in &piece {
                    let inserted = table.insert(key.value(), value.value());
                    inserted.map_err(|error| error.to_string())?;
                }
            }
            txn.commit().map_err(|error| error.to_string())
        })();
        if written.is_err() || rows.peek().is_none() {
            return Ok(written);
        }
    }
}

/// Opens a copy that nobody works with, and looks what it holds. Changes nothing.
///
/// # Errors
/// It is no store, of a later version, or made with another key.
pub fn inspect_copy(path: &Path, key: &StoreKey) -> Result<CopyReport, OpenError> {
    let database = open(path)?;
    let health = RowHealth::default();
    let made_at = schema::prepare(&database, key, &health, Timestamp::default())?;
    let mut report = CopyReport {
        made_at,
        communications: 0,
        open_works: 0,
        unreadable_rows: 0,
    };
    let txn = database.begin_read().map_err(damaged)?;
    let reader = Reader {
        txn,
        health: &health,
    };
    let figures = reader.figures()?;
    (report.communications, report.open_works) = (figures.communications, figures.open_works);
    let found = quarantine::find(&reader, Search::AtStart)?;
    report.unreadable_rows = u64::try_from(found.rows.len()).unwrap_or(u64::MAX);
    Ok(report)
}

/// Says whether a process works with a store. Changes nothing.
///
/// # Errors
/// The file cannot be opened.
pub fn is_in_use(path: &Path) -> std::io::Result<bool> {
    let file = std::fs::File::open(path)?;
    // The database holds this lock as long as it is open.
    match file.try_lock_shared() {
        Ok(()) => Ok(false),
        Err(std::fs::TryLockError::WouldBlock) => Ok(true),
        Err(std::fs::TryLockError::Error(error)) => Err(error),
    }
}

/// Makes a copy ready to be worked with: everything that may have been sent after it was made is
/// looked for in the CRM before it is sent. Returns how many steps stood open in it.
///
/// # Errors
/// It is no store, or cannot be written.
pub fn mark_restored(path: &Path, key: &StoreKey, now: Timestamp) -> Result<usize, OpenError> {
    let database = open(path)?;
    let health = RowHealth::default();
    schema::prepare(&database, key, &health, now)?;
    let txn = database.begin_write().map_err(damaged)?;
    let mut tables = Tables::open(&txn, &health)?;
    put_text(&mut tables.meta, RESTORED_ROW, &Restored { at: now })?;
    // One that was accepted after the copy was made has used its tokens up since: accepted once more,
    // they would be sent twice. Portals can install an application again.
    let gone = tables.credentials.remove(INSTALLATIONS).map_err(damaged)?;
    drop(gone);
    let mut works = Vec::new();
    for row in tables.works.iter().map_err(damaged)? {
        let (id, row) = row.map_err(damaged)?;
        works.extend(health.read::<Work>("works", id.value(), row.value()).ok());
    }
    let mut open = 0;
    for work in works {
        let read = tables.progress(&work.integration, &work.communication);
        let Some(mut progress) = skip_unreadable(read)? else {
            continue;
        };
        let old = progress.steps.clone();
        let since = began(&tables, &work.communication)?.unwrap_or(work.accepted_at);
        let mine = progress.steps.iter_mut();
        for step in mine.filter(|step| step.work == work.id && !step.state.is_final()) {
            open += 1;
            look_first(step, since, now);
        }
        tables.put_progress(&work.integration, &work.communication, &old, &progress)?;
    }
    drop(tables);
    txn.commit().map_err(damaged)?;
    Ok(open)
}

/// Has a new step looked for before it is sent, where its communication began before the store was
/// put back: an earlier life may have sent it.
pub(super) fn doubt_what_was_before(
    tables: &Tables<'_>,
    communication: &CommunicationKey,
    steps: &mut [LedgerStep],
) -> Result<(), Trouble> {
    let read = get_text::<Restored>(&tables.meta, "meta", RESTORED_ROW, tables.health);
    let Some(restored) = skip_unreadable(read)? else {
        return Ok(());
    };
    match began(tables, communication)? {
        Some(began) if began < restored.at => {
            for step in steps {
                look_first(step, began, restored.at);
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

fn began(tables: &Tables<'_>, key: &CommunicationKey) -> Result<Option<Timestamp>, Trouble> {
    let (name, table) = ("communications", &tables.communications);
    let read = get_text::<StoredCommunication>(table, name, &key.to_string(), tables.health);
    let stored = skip_unreadable(read)?;
    Ok(stored.map(|stored| stored.snapshot.body.started_at()))
}

fn look_first(step: &mut LedgerStep, since: Timestamp, at: Timestamp) {
    let looks = matches!(
        step.state,
        StepState::InFlight { .. }
            | StepState::Waiting {
                look_first: true,
                ..
            }
    );
    if step.state.is_final() || looks {
        return;
    }
    step.first_sent_at.get_or_insert(since);
    step.state = StepState::Waiting {
        until: at,
        why: LOOK_WHY.to_owned(),
        look_first: true,
        settles_at: Some(at),
    };
}

fn open(path: &Path) -> Result<Database, OpenError> {
    let file = OpenOptions::new().read(true).write(true).open(path)?;
    let backend = FileBackend::new(file).map_err(super::open::refused)?;
    let mut builder = Builder::new();
    let opened = builder
        .set_cache_size(CACHE_BYTES)
        .create_with_backend(backend);
    opened.map_err(super::open::refused)
}

fn damaged(error: impl ToString) -> OpenError {
    OpenError::Damaged(error.to_string())
}

impl From<StoreError> for OpenError {
    fn from(error: StoreError) -> Self {
        damaged(error)
    }
}
