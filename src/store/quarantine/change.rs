//! Takes rows into quarantine, puts them back, drops them: each with its remark, in one transaction.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use redb::{ReadableTable, Table, WriteTransaction};
use serde::{Deserialize, Serialize};

use super::super::command::{JournalNote, WorkId};
use super::super::error::{StoreError, Trouble};
use super::super::forget::forget_ledgers;
use super::super::outcome::{put_communication, refresh_outcome};
use super::super::query::StoredCommunication;
use super::super::recordings;
use super::super::row::{RowHealth, decode, encode};
use super::super::tables::{Counter, LAST, Tables, numbers_of};
use super::find::{Found, FoundRow};
use super::shelf::{QUARANTINE, QUARANTINE_NAME, RowKey, Shelf, Touch, touch};
use super::{QuarantineDone, QuarantineId, QuarantinedRow};
use crate::model::ids::{CommunicationKey, IntegrationKey};
use crate::model::timestamp::Timestamp;

/// What the quarantine's table holds of a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::store) struct Kept {
    pub(super) shelf: Shelf,
    pub(super) key: RowKey,
    pub(super) communication: Option<CommunicationKey>,
    /// The row, byte for byte, in base64.
    bytes: String,
    pub(super) at: Timestamp,
    why: String,
}

impl Kept {
    /// Returns the row's bytes; `None` where they are damaged here, too.
    pub(super) fn content(&self) -> Option<Vec<u8>> {
        STANDARD.decode(&self.bytes).ok()
    }

    /// Says whether this build reads the row.
    pub(super) fn is_readable(&self) -> bool {
        let content = self.content();
        content.is_some_and(|bytes| self.shelf.read(&self.key, &bytes).is_ok())
    }

    /// Says whether an open work may wait for it: it is kept however old it is.
    pub(super) fn holds_work(&self) -> bool {
        self.shelf.stays() || self.shelf == Shelf::Works
    }

    pub(super) fn shown(self, id: QuarantineId) -> QuarantinedRow {
        let bytes = self.content().map_or(0, |bytes| bytes.len());
        QuarantinedRow {
            id,
            table: self.shelf.name().to_owned(),
            key: self.shelf.row_name(&self.key),
            integration: self.shelf.integration(&self.key),
            bytes: u64::try_from(bytes).unwrap_or(u64::MAX),
            kept_in_place: self.shelf.stays(),
            readable: self.is_readable(),
            communication: self.communication,
            at: self.at,
            why: self.why,
        }
    }
}

/// Reads a row of the quarantine itself.
pub(super) fn read_kept(
    health: &RowHealth,
    id: QuarantineId,
    bytes: &[u8],
) -> Result<Kept, StoreError> {
    health.read(QUARANTINE_NAME, id, bytes)
}

/// The quarantine's table, opened when a command of the group first needs it: most stores never do.
pub(in crate::store) struct LazyQuarantine<'t> {
    txn: &'t WriteTransaction,
    table: Option<Table<'t, u64, &'static [u8]>>,
}

impl<'t> LazyQuarantine<'t> {
    pub(in crate::store) fn new(txn: &'t WriteTransaction) -> Self {
        Self { txn, table: None }
    }

    fn open(&mut self) -> Result<&mut Table<'t, u64, &'static [u8]>, Trouble> {
        let table = match self.table.take() {
            Some(table) => table,
            None => self.txn.open_table(QUARANTINE)?,
        };
        Ok(self.table.insert(table))
    }
}

/// A change of the quarantine.
#[derive(Debug)]
pub(in crate::store) enum QuarantineCommand {
    /// Takes in what a search found, and lets go what is read again.
    Take(Found, Timestamp),
    /// Puts a row back where it was.
    PutBack(QuarantineId, Timestamp),
    /// Gives a row up, with what rests on it.
    Drop(QuarantineId, Timestamp),
}

/// Carries a change out.
pub(in crate::store) fn apply(
    tables: &mut Tables<'_>,
    command: &QuarantineCommand,
) -> Result<QuarantineDone, Trouble> {
    match command {
        QuarantineCommand::Take(found, now) => {
            let mut done = QuarantineDone::default();
            for row in &found.rows {
                done.rows += u64::from(take(tables, row, *now)?);
            }
            for id in &found.released {
                let_go(tables, *id, *now, &mut done)?;
            }
            Ok(done)
        }
        QuarantineCommand::PutBack(id, now) => put_back(tables, *id, *now),
        QuarantineCommand::Drop(id, now) => drop_row(tables, *id, *now),
    }
}

/// Takes a row in, unless it has changed since it was found.
fn take(tables: &mut Tables<'_>, found: &FoundRow, now: Timestamp) -> Result<bool, Trouble> {
    let (shelf, key) = (found.shelf, &found.key);
    let stands = touch(tables, shelf, key, Touch::Look)?;
    let name = shelf.row_name(key);
    if stands.as_ref() != Some(&found.bytes) {
        tables.health.settle(shelf.name(), &name, false);
        return Ok(false);
    }
    if !shelf.stays() {
        touch(tables, shelf, key, Touch::Remove)?;
    } else if is_kept(tables, found)? {
        tables.health.settle(shelf.name(), &name, true);
        return Ok(false);
    }
    let id = tables.next(Counter::Quarantine)?;
    let row = encode(&Kept {
        shelf,
        key: key.clone(),
        communication: found.communication.clone(),
        bytes: STANDARD.encode(&found.bytes),
        at: now,
        why: found.why.clone(),
    })?;
    tables.quarantine.open()?.insert(id, row.as_slice())?;
    let said = match shelf.stays() {
        true => "it stays where it is, and what rests on it is set aside",
        false => "it was put aside",
    };
    let text = format!(
        "row {name} of table {} cannot be read ({}); {said}: number {id} in quarantine",
        shelf.name(),
        found.why
    );
    remark(
        tables,
        (shelf, key),
        found.communication.as_ref(),
        now,
        ("row_in_quarantine", text),
    )?;
    // Also of a row that is gone from its table: a read that began before may meet it yet.
    tables.health.settle(shelf.name(), &name, true);
    if let Some(communication) = &found.communication {
        refresh_outcome(tables, communication, now)?;
    }
    Ok(true)
}

/// Says whether the same row is in the books already.
fn is_kept(tables: &mut Tables<'_>, found: &FoundRow) -> Result<bool, Trouble> {
    let health = tables.health;
    for row in tables.quarantine.open()?.iter()? {
        let (id, row) = row?;
        let same = read_kept(health, id.value(), row.value()).is_ok_and(|kept| {
            kept.shelf == found.shelf
                && kept.key == found.key
                && kept.content().as_ref() == Some(&found.bytes)
        });
        if same {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Takes a communication's row in that a fresh snapshot is about to replace.
pub(in crate::store) fn keep_replaced(
    tables: &mut Tables<'_>,
    key: &CommunicationKey,
    now: Timestamp,
) -> Result<(), Trouble> {
    let (shelf, row) = (Shelf::Communications, RowKey::Text(key.to_string()));
    let Some(bytes) = touch(tables, shelf, &row, Touch::Look)? else {
        return Ok(());
    };
    let Err(why) = shelf.read(&row, &bytes) else {
        return Ok(());
    };
    let found = FoundRow {
        shelf,
        key: row,
        communication: Some(key.clone()),
        bytes,
        why,
    };
    take(tables, &found, now).map(drop)
}

/// Lets a row go that stayed in its place and is read there again.
fn let_go(
    tables: &mut Tables<'_>,
    id: QuarantineId,
    now: Timestamp,
    done: &mut QuarantineDone,
) -> Result<(), Trouble> {
    let Some(kept) = kept_of(tables, id)? else {
        return Ok(());
    };
    let stands = touch(tables, kept.shelf, &kept.key, Touch::Look)?;
    let reads = |bytes: &Vec<u8>| kept.shelf.read(&kept.key, bytes).is_ok();
    if !kept.shelf.stays() || !stands.as_ref().is_none_or(reads) {
        return Ok(());
    }
    remove(tables, id, &kept)?;
    let text = format!(
        "row {} of table {} is read again",
        kept.name(),
        kept.shelf.name()
    );
    told(tables, &kept, now, ("row_put_back", text))?;
    if let Some(communication) = &kept.communication {
        refresh_outcome(tables, communication, now)?;
    }
    done.rows += 1;
    done.works.extend(works_resting_on(tables, &kept)?);
    Ok(())
}

impl Kept {
    fn name(&self) -> String {
        self.shelf.row_name(&self.key)
    }
}

fn kept_of(tables: &mut Tables<'_>, id: QuarantineId) -> Result<Option<Kept>, Trouble> {
    let health = tables.health;
    match tables.quarantine.open()?.get(id)? {
        Some(row) => Ok(Some(read_kept(health, id, row.value())?)),
        None => Ok(None),
    }
}

fn remove(tables: &mut Tables<'_>, id: QuarantineId, kept: &Kept) -> Result<(), Trouble> {
    tables.quarantine.open()?.remove(id)?;
    tables.wrote = true;
    tables.health.release(kept.shelf.name(), &kept.name());
    Ok(())
}

fn put_back(
    tables: &mut Tables<'_>,
    id: QuarantineId,
    now: Timestamp,
) -> Result<QuarantineDone, Trouble> {
    let kept = kept_of(tables, id)?.ok_or(StoreError::NotInQuarantine(id))?;
    let (shelf, key) = (kept.shelf, &kept.key);
    let place = || (shelf.name(), kept.name());
    let unreadable = || {
        let (table, key) = place();
        Trouble::Refused(StoreError::StillUnreadable { id, table, key })
    };
    let bytes = kept.content().ok_or_else(unreadable)?;
    shelf.read(key, &bytes).map_err(|_| unreadable())?;
    let stands = touch(tables, shelf, key, Touch::Look)?;
    if !shelf.stays() && stands.is_some() {
        let (table, key) = place();
        return Err(StoreError::PlaceTaken { id, table, key }.into());
    }
    if shelf.stays() && stands.is_none_or(|bytes| shelf.read(key, &bytes).is_err()) {
        // What stands there is another row than the one that was found.
        return Err(unreadable());
    }
    match shelf {
        Shelf::Communications => {
            let stored: Result<StoredCommunication, String> = decode(&bytes);
            let stored = stored.map_err(|_| unreadable())?;
            put_communication(tables, Some(&stored.clone()), stored)?;
        }
        Shelf::Ledgers | Shelf::Decisions => {}
        Shelf::Works
        | Shelf::Checkpoints
        | Shelf::Notes
        | Shelf::Settings
        | Shelf::Accounts
        | Shelf::Recordings
        | Shelf::Directories
        | Shelf::Deals
        | Shelf::DealMoves
        | Shelf::DealPulls
        | Shelf::DealUploads => {
            touch(tables, shelf, key, Touch::Put(&bytes))?;
        }
    }
    remove(tables, id, &kept)?;
    let text = format!("row {} of table {} was put back", kept.name(), shelf.name());
    told(tables, &kept, now, ("row_put_back", text))?;
    if let Some(communication) = &kept.communication {
        refresh_outcome(tables, communication, now)?;
    }
    Ok(QuarantineDone {
        rows: 1,
        works: works_resting_on(tables, &kept)?,
    })
}

/// Returns the open works that were set aside for want of a row.
fn works_resting_on(
    tables: &Tables<'_>,
    kept: &Kept,
) -> Result<Vec<(IntegrationKey, WorkId)>, Trouble> {
    let Some(communication) = &kept.communication else {
        return Ok(Vec::new());
    };
    let only = kept.shelf.integration(&kept.key);
    let works = tables.works_of(communication)?.into_iter();
    Ok(works
        .filter(|work| only.as_ref().is_none_or(|only| work.integration == *only))
        .map(|work| (work.integration, work.id))
        .collect())
}

fn drop_row(
    tables: &mut Tables<'_>,
    id: QuarantineId,
    now: Timestamp,
) -> Result<QuarantineDone, Trouble> {
    let kept = kept_of(tables, id)?.ok_or(StoreError::NotInQuarantine(id))?;
    give_up(tables, id, &kept, now)?;
    let text = format!(
        "row {} of table {} was given up",
        kept.name(),
        kept.shelf.name()
    );
    told(tables, &kept, now, ("row_dropped_by_person", text))?;
    Ok(QuarantineDone {
        rows: 1,
        works: Vec::new(),
    })
}

/// Removes a row for good, with the open works that cannot go on without it: a work must not be
/// decided by a ledger that is taken for empty.
fn give_up(
    tables: &mut Tables<'_>,
    id: QuarantineId,
    kept: &Kept,
    now: Timestamp,
) -> Result<(), Trouble> {
    match (kept.shelf, &kept.key) {
        (Shelf::Works, RowKey::Number(work)) => {
            if let Some(communication) = &kept.communication {
                let text = communication.to_string();
                tables.works_of.remove((text.as_str(), *work))?;
            }
        }
        (Shelf::Communications, RowKey::Text(text))
            if touch(tables, kept.shelf, &kept.key, Touch::Look)?.is_none() =>
        {
            end_works(tables, text, None)?;
            forget_ledgers(tables, text)?;
            if let Some(communication) = &kept.communication {
                recordings::forget(tables, communication)?;
            }
        }
        (Shelf::Ledgers, RowKey::Pair(communication, integration)) => {
            end_works(tables, communication, Some(integration))?;
            let place = (communication.as_str(), integration.as_str());
            tables.ledgers.remove(place)?;
            tables.decisions.remove(place)?;
            let dead = (integration.as_str(), communication.as_str(), "")
                ..=(integration.as_str(), communication.as_str(), LAST);
            tables.dead_letters.retain_in(dead, |_, ()| false)?;
        }
        (Shelf::Decisions, RowKey::Pair(communication, integration)) => {
            // What was sent stands in the ledger and stays known.
            end_works(tables, communication, Some(integration))?;
            let place = (communication.as_str(), integration.as_str());
            tables.decisions.remove(place)?;
        }
        _ => {}
    }
    remove(tables, id, kept)?;
    if let Some(communication) = &kept.communication {
        refresh_outcome(tables, communication, now)?;
    }
    Ok(())
}

/// Ends the open works of a communication, those of one integration only where one is named.
fn end_works(
    tables: &mut Tables<'_>,
    communication: &str,
    integration: Option<&str>,
) -> Result<(), Trouble> {
    let ids = tables
        .works_of
        .range(numbers_of(communication))?
        .map(|row| row.map(|(place, _)| place.value().1))
        .collect::<Result<Vec<_>, _>>()?;
    for id in ids {
        let work = match tables.work(id) {
            Ok(work) => work,
            Err(Trouble::Refused(_)) => None,
            Err(fatal) => return Err(fatal),
        };
        let is_meant = match (&work, integration) {
            (_, None) => true,
            (Some(work), Some(integration)) => work.integration.to_string() == integration,
            // Whose it is cannot be said; it is in quarantine itself.
            (None, Some(_)) => false,
        };
        if is_meant {
            tables.works.remove(id)?;
            tables.works_of.remove((communication, id))?;
            tables.wrote = true;
        }
    }
    Ok(())
}

/// Removes what is in quarantine of a client who is forgotten; returns how many rows. Rows that
/// a work waits for stay, as their works do.
pub(in crate::store) fn forget(
    tables: &mut Tables<'_>,
    ids: &[QuarantineId],
    now: Timestamp,
) -> Result<u64, Trouble> {
    let mut removed = 0;
    for id in ids {
        let Some(kept) = kept_of(tables, *id)? else {
            continue;
        };
        if !rests(tables, &kept)? {
            give_up(tables, *id, &kept, now)?;
            removed += 1;
        }
    }
    Ok(removed)
}

/// Removes rows that were in quarantine for as long as anything is kept.
pub(in crate::store) fn sweep(
    tables: &mut Tables<'_>,
    ids: &[QuarantineId],
    before: Timestamp,
) -> Result<(), Trouble> {
    for id in ids {
        if let Some(kept) = kept_of(tables, *id)?
            && kept.at < before
            && !kept.holds_work()
            && !rests(tables, &kept)?
        {
            give_up(tables, *id, &kept, before)?;
        }
    }
    Ok(())
}

/// Says whether open work waits for a row.
fn rests(tables: &Tables<'_>, kept: &Kept) -> Result<bool, Trouble> {
    match &kept.communication {
        Some(communication) => tables.has_open_work(communication),
        None => Ok(kept.holds_work()),
    }
}

fn told(
    tables: &mut Tables<'_>,
    kept: &Kept,
    now: Timestamp,
    said: (&str, String),
) -> Result<(), Trouble> {
    let communication = kept.communication.as_ref();
    remark(tables, (kept.shelf, &kept.key), communication, now, said)
}

fn remark(
    tables: &mut Tables<'_>,
    (shelf, key): (Shelf, &RowKey),
    communication: Option<&CommunicationKey>,
    at: Timestamp,
    (word, text): (&str, String),
) -> Result<(), Trouble> {
    let integration = shelf.integration(key);
    let tenant = communication.map(CommunicationKey::tenant);
    tables.put_note(&JournalNote {
        at,
        tenant: tenant
            .or(integration.as_ref().map(|one| &one.tenant))
            .cloned(),
        source: communication.map(|one| one.source.clone()),
        integration,
        communication: communication.cloned(),
        word: word.to_owned(),
        text,
    })?;
    Ok(())
}
