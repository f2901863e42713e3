//! The tables of schema 1, their keys, and one open set of them inside a write transaction.
//!
//! Keys are texts as people write them (`tenant/source/item`); everything that belongs to a
//! communication begins with its key, so that it is found and removed by one range.

use std::ops::RangeInclusive;

use redb::{ReadableTable, ReadableTableMetadata, Table, TableDefinition, WriteTransaction};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::command::{JournalNote, Work, WorkId};
use super::deal_tables::LazyDeals;
use super::directory_tables::LazyDirectory;
use super::error::{StoreError, Trouble};
use super::left_works::LEFT_WORKS;
use super::quarantine::LazyQuarantine;
use super::query::NoteId;
use super::recordings::LazyRecordings;
use super::row::{RowHealth, encode};
use crate::model::ids::CommunicationKey;

type Texts2 = (&'static str, &'static str);
type Texts3 = (&'static str, &'static str, &'static str);
type Bytes = &'static [u8];

/// Schema, check of the key, time of making.
pub(super) const META: TableDefinition<&str, &[u8]> = TableDefinition::new("meta");
/// The last number given out, by what is numbered.
pub(super) const COUNTERS: TableDefinition<&str, u64> = TableDefinition::new("counters");
/// Communication -> its newest snapshot and what it came to.
pub(super) const COMMUNICATIONS: TableDefinition<&str, &[u8]> =
    TableDefinition::new("communications");
/// Source -> its checkpoint.
pub(super) const CHECKPOINTS: TableDefinition<&str, &[u8]> = TableDefinition::new("checkpoints");
/// Number -> open work.
pub(super) const WORKS: TableDefinition<u64, &[u8]> = TableDefinition::new("works");
/// (Communication, open work).
pub(super) const WORKS_OF: TableDefinition<(&str, u64), ()> = TableDefinition::new("works_of");
/// (Communication, integration, phase) -> the work that was made for it, open or not.
pub(super) const WORK_UNIQUE: TableDefinition<(&str, &str, &str), u64> =
    TableDefinition::new("work_unique");
/// Integration -> the fence of its last claim.
pub(super) const FENCES: TableDefinition<&str, u64> = TableDefinition::new("fences");
/// (Communication, integration) -> ledger, without its decisions: see [`super::ledger_rows`].
pub(super) const LEDGERS: TableDefinition<(&str, &str), &[u8]> = TableDefinition::new("ledgers");
/// (Communication, integration) -> the ledger's decisions.
pub(super) const DECISIONS: TableDefinition<(&str, &str), &[u8]> =
    TableDefinition::new("decisions");
/// (Integration, communication, role) of every dead step.
pub(super) const DEAD_LETTERS: TableDefinition<(&str, &str, &str), ()> =
    TableDefinition::new("dead_letters");
/// (Facet, begin in Unix milliseconds, communication): see [`super::facet`].
pub(super) const JOURNAL_INDEX: TableDefinition<(&str, i64, &str), ()> =
    TableDefinition::new("journal_index");
/// (Integration, communication) with a notice of which it is not known what it came to.
pub(super) const NOTICES_UNSETTLED: TableDefinition<(&str, &str), ()> =
    TableDefinition::new("notices_unsettled");
/// Number -> remark.
pub(super) const NOTES: TableDefinition<u64, &[u8]> = TableDefinition::new("notes");
/// (Communication, remark).
pub(super) const NOTES_OF: TableDefinition<(&str, u64), ()> = TableDefinition::new("notes_of");
/// (Integration, revision) -> settings.
pub(super) const SETTINGS: TableDefinition<(&str, u64), &[u8]> = TableDefinition::new("settings");
/// Integration -> its present revision.
pub(super) const SETTINGS_CURRENT: TableDefinition<&str, u64> =
    TableDefinition::new("settings_current");
/// Name -> sealed secret.
pub(super) const CREDENTIALS: TableDefinition<&str, &[u8]> = TableDefinition::new("credentials");
/// Portal -> what we set up in it.
pub(super) const ACCOUNTS: TableDefinition<&str, &[u8]> = TableDefinition::new("accounts");

/// Comes after every text that can stand in a key.
pub(super) const LAST: &str = "\u{10ffff}";

/// Every row of a communication in a table keyed (communication, number).
pub(super) fn numbers_of(communication: &str) -> RangeInclusive<(&str, u64)> {
    (communication, 0)..=(communication, u64::MAX)
}

/// Every row of a communication in [`LEDGERS`] and [`DECISIONS`].
pub(super) fn ledgers_of(communication: &str) -> RangeInclusive<(&str, &str)> {
    (communication, "")..=(communication, LAST)
}

/// Every row of a communication in [`WORK_UNIQUE`].
pub(super) fn uniques_of(communication: &str) -> RangeInclusive<(&str, &str, &str)> {
    (communication, "", "")..=(communication, LAST, LAST)
}

/// What is numbered.
#[derive(Debug, Clone, Copy)]
pub(super) enum Counter {
    /// Works, in order of acceptance over all integrations.
    Work,
    /// Fences, over all integrations.
    Fence,
    /// Remarks.
    Note,
    /// Portals that have a directory.
    Directory,
    /// Changes of deals, and hints that there are some.
    Deal,
    /// Rows in quarantine.
    Quarantine,
}

impl Counter {
    fn name(self) -> &'static str {
        match self {
            Counter::Work => "work",
            Counter::Fence => "fence",
            Counter::Note => "note",
            Counter::Directory => "directory",
            Counter::Deal => "deal",
            Counter::Quarantine => "quarantine",
        }
    }
}

/// All tables inside one write transaction. Knows how rows are written, not what they mean.
pub(super) struct Tables<'t> {
    pub(super) meta: Table<'t, &'static str, Bytes>,
    pub(super) counters: Table<'t, &'static str, u64>,
    pub(super) communications: Table<'t, &'static str, Bytes>,
    pub(super) checkpoints: Table<'t, &'static str, Bytes>,
    pub(super) works: Table<'t, u64, Bytes>,
    pub(super) works_of: Table<'t, (&'static str, u64), ()>,
    pub(super) left_works: Table<'t, (&'static str, u64), Bytes>,
    pub(super) work_unique: Table<'t, Texts3, u64>,
    pub(super) fences: Table<'t, &'static str, u64>,
    pub(super) ledgers: Table<'t, Texts2, Bytes>,
    pub(super) decisions: Table<'t, Texts2, Bytes>,
    pub(super) dead_letters: Table<'t, Texts3, ()>,
    pub(super) journal_index: Table<'t, (&'static str, i64, &'static str), ()>,
    pub(super) notices_unsettled: Table<'t, Texts2, ()>,
    pub(super) notes: Table<'t, u64, Bytes>,
    pub(super) notes_of: Table<'t, (&'static str, u64), ()>,
    pub(super) settings: Table<'t, (&'static str, u64), Bytes>,
    pub(super) settings_current: Table<'t, &'static str, u64>,
    pub(super) credentials: Table<'t, &'static str, Bytes>,
    pub(super) accounts: Table<'t, &'static str, Bytes>,
    pub(super) directory: LazyDirectory<'t>,
    pub(super) recordings: LazyRecordings<'t>,
    pub(super) deals: LazyDeals<'t>,
    pub(super) quarantine: LazyQuarantine<'t>,
    pub(super) health: &'t RowHealth,
    /// Something was written: the transaction is worth a commit.
    pub(super) wrote: bool,
}

impl<'t> Tables<'t> {
    /// Opens every table, making those that are missing.
    pub(super) fn open(txn: &'t WriteTransaction, health: &'t RowHealth) -> Result<Self, Trouble> {
        Ok(Self {
            meta: txn.open_table(META)?,
            counters: txn.open_table(COUNTERS)?,
            communications: txn.open_table(COMMUNICATIONS)?,
            checkpoints: txn.open_table(CHECKPOINTS)?,
            works: txn.open_table(WORKS)?,
            works_of: txn.open_table(WORKS_OF)?,
            left_works: txn.open_table(LEFT_WORKS)?,
            work_unique: txn.open_table(WORK_UNIQUE)?,
            fences: txn.open_table(FENCES)?,
            ledgers: txn.open_table(LEDGERS)?,
            decisions: txn.open_table(DECISIONS)?,
            dead_letters: txn.open_table(DEAD_LETTERS)?,
            journal_index: txn.open_table(JOURNAL_INDEX)?,
            notices_unsettled: txn.open_table(NOTICES_UNSETTLED)?,
            notes: txn.open_table(NOTES)?,
            notes_of: txn.open_table(NOTES_OF)?,
            settings: txn.open_table(SETTINGS)?,
            settings_current: txn.open_table(SETTINGS_CURRENT)?,
            credentials: txn.open_table(CREDENTIALS)?,
            accounts: txn.open_table(ACCOUNTS)?,
            directory: LazyDirectory::new(txn),
            recordings: LazyRecordings::new(txn),
            deals: LazyDeals::new(txn),
            quarantine: LazyQuarantine::new(txn),
            health,
            wrote: false,
        })
    }

    /// Gives out the next number.
    pub(super) fn next(&mut self, counter: Counter) -> Result<u64, Trouble> {
        let last = self.counters.get(counter.name())?.map_or(0, |n| n.value());
        let next = last
            .checked_add(1)
            .ok_or_else(|| Trouble::Fatal(format!("the {} numbers are used up", counter.name())))?;
        self.counters.insert(counter.name(), next)?;
        self.wrote = true;
        Ok(next)
    }

    /// Reads an open work.
    pub(super) fn work(&self, id: WorkId) -> Result<Option<Work>, Trouble> {
        match self.works.get(id)? {
            Some(row) => Ok(Some(self.health.read("works", id, row.value())?)),
            None => Ok(None),
        }
    }

    /// Reads the open works of a communication; skips unreadable ones.
    pub(super) fn works_of(&self, key: &CommunicationKey) -> Result<Vec<Work>, Trouble> {
        let mut works = Vec::new();
        for row in self.works_of.range(numbers_of(&key.to_string()))? {
            let (_, id) = row?.0.value();
            match self.work(id) {
                Ok(found) => works.extend(found),
                Err(Trouble::Refused(_)) => {}
                Err(fatal) => return Err(fatal),
            }
        }
        Ok(works)
    }

    /// Says whether a communication has an open work, readable or not.
    pub(super) fn has_open_work(&self, key: &CommunicationKey) -> Result<bool, Trouble> {
        Ok(self
            .works_of
            .range(numbers_of(&key.to_string()))?
            .next()
            .transpose()?
            .is_some())
    }

    /// Writes an open work.
    pub(super) fn put_work(&mut self, work: &Work) -> Result<(), Trouble> {
        self.works.insert(work.id, encode(work)?.as_slice())?;
        self.works_of
            .insert((work.communication.to_string().as_str(), work.id), ())?;
        self.wrote = true;
        Ok(())
    }

    /// Removes a work that is no longer open.
    pub(super) fn remove_work(&mut self, work: &Work) -> Result<(), Trouble> {
        self.works.remove(work.id)?;
        self.works_of
            .remove((work.communication.to_string().as_str(), work.id))?;
        self.wrote = true;
        Ok(())
    }

    /// Writes a remark.
    pub(super) fn put_note(&mut self, note: &JournalNote) -> Result<NoteId, Trouble> {
        let id = self.next(Counter::Note)?;
        self.notes.insert(id, encode(note)?.as_slice())?;
        if let Some(key) = &note.communication {
            self.notes_of.insert((key.to_string().as_str(), id), ())?;
        }
        Ok(id)
    }
}

/// Reads a row of a table keyed by text.
pub(super) fn get_text<T: DeserializeOwned>(
    table: &impl ReadableTable<&'static str, &'static [u8]>,
    name: &'static str,
    key: &str,
    health: &RowHealth,
) -> Result<Option<T>, Trouble> {
    match table.get(key)? {
        Some(row) => Ok(Some(health.read(name, key, row.value())?)),
        None => Ok(None),
    }
}

/// Writes a row of a table keyed by text.
pub(super) fn put_text<T: Serialize>(
    table: &mut Table<'_, &'static str, &'static [u8]>,
    key: &str,
    value: &T,
) -> Result<(), Trouble> {
    table.insert(key, encode(value)?.as_slice())?;
    Ok(())
}

/// Turns "cannot be read" into "is not there", for rows that are about to be replaced or that a
/// list may skip; they were counted and logged when they were met.
pub(super) fn skip_unreadable<T>(read: Result<Option<T>, Trouble>) -> Result<Option<T>, Trouble> {
    match read {
        Err(Trouble::Refused(StoreError::Unreadable { .. })) => Ok(None),
        other => other,
    }
}

/// Counts the rows of a table.
pub(super) fn rows(table: &impl ReadableTableMetadata) -> Result<u64, Trouble> {
    Ok(table.len()?)
}
