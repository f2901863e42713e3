//! Looks for rows that this build cannot read, and at those that are in quarantine.

use std::collections::{BTreeMap, HashMap};

use redb::{ReadableTable, TableDefinition};

use super::super::deal_tables;
use super::super::directory_tables::DIRECTORIES;
use super::super::error::{StoreError, Trouble};
use super::super::query::SEARCH_ROWS_MAX;
use super::super::reader::Reader;
use super::super::recordings::RECORDINGS;
use super::super::tables::{
    ACCOUNTS, CHECKPOINTS, COMMUNICATIONS, DECISIONS, LEDGERS, NOTES, SETTINGS, WORKS, WORKS_OF,
};
use super::change::{Kept, read_kept};
use super::shelf::{Named, QUARANTINE, RowKey, Shelf};
use super::{QuarantineId, QuarantineSummary, QuarantinedRow};
use crate::model::ids::CommunicationKey;
use crate::model::timestamp::Timestamp;

/// So many rows are found in one go: each is held in memory, and with more something is broken as a
/// whole, so that nobody waits for a second go.
const FOUND_MAX: usize = 500;

/// So many rows are looked at to say how much is in quarantine.
const COUNTED_MAX: usize = 10_000;

/// How thoroughly it is looked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum Search {
    /// Everything but the decisions of what is over: they are the most of the file, and nothing is
    /// decided by them any more.
    AtStart,
    /// Everything.
    Whole,
}

/// A row that this build cannot read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::store) struct FoundRow {
    pub(in crate::store) shelf: Shelf,
    pub(in crate::store) key: RowKey,
    pub(in crate::store) communication: Option<CommunicationKey>,
    pub(in crate::store) bytes: Vec<u8>,
    pub(in crate::store) why: String,
}

/// What a search found.
#[derive(Debug, Default)]
pub(in crate::store) struct Found {
    pub(in crate::store) rows: Vec<FoundRow>,
    /// Rows that were kept in place and that this build reads.
    pub(in crate::store) released: Vec<QuarantineId>,
    /// There is more: search again.
    pub(in crate::store) more: bool,
}

/// Looks for rows that cannot be read and are not in quarantine, and for rows that were kept in
/// place and can be read now.
pub(in crate::store) fn find(reader: &Reader<'_>, search: Search) -> Result<Found, Trouble> {
    let mut looker = Looker {
        reader,
        known: known(reader)?,
        found: Found::default(),
    };
    looker.every(Shelf::Communications, COMMUNICATIONS)?;
    looker.every(Shelf::Works, WORKS)?;
    looker.every(Shelf::Checkpoints, CHECKPOINTS)?;
    looker.every(Shelf::Ledgers, LEDGERS)?;
    looker.every(Shelf::Notes, NOTES)?;
    looker.every(Shelf::Settings, SETTINGS)?;
    looker.every(Shelf::Accounts, ACCOUNTS)?;
    looker.every(Shelf::Recordings, RECORDINGS)?;
    looker.every(Shelf::Directories, DIRECTORIES)?;
    looker.every(Shelf::Deals, deal_tables::DEALS)?;
    looker.every(Shelf::DealMoves, deal_tables::MOVES)?;
    looker.every(Shelf::DealPulls, deal_tables::PULLS)?;
    looker.every(Shelf::DealUploads, deal_tables::UPLOADS)?;
    match search {
        Search::Whole => looker.every(Shelf::Decisions, DECISIONS)?,
        Search::AtStart => looker.decisions_of_open_works()?,
    }
    let mut found = looker.found;
    found.released = released(reader)?;
    name_communications(reader, &mut found.rows)?;
    Ok(found)
}

struct Looker<'r, 'h> {
    reader: &'r Reader<'h>,
    /// Rows that were kept in place.
    known: HashMap<(Shelf, RowKey), Vec<u8>>,
    found: Found,
}

impl Looker<'_, '_> {
    fn every<K: Named>(
        &mut self,
        shelf: Shelf,
        definition: TableDefinition<'_, K, &'static [u8]>,
    ) -> Result<(), Trouble> {
        let Some(table) = self.reader.table_if_made(definition)? else {
            return Ok(());
        };
        for row in table.iter()? {
            if self.found.more {
                return Ok(());
            }
            let (key, row) = row?;
            self.look(shelf, K::named(key.value()), row.value());
        }
        Ok(())
    }

    fn decisions_of_open_works(&mut self) -> Result<(), Trouble> {
        let Some(table) = self.reader.table_if_made(DECISIONS)? else {
            return Ok(());
        };
        let works = self.reader.open_works()?;
        for work in works {
            if self.found.more {
                return Ok(());
            }
            let (communication, integration) =
                (work.communication.to_string(), work.integration.to_string());
            if let Some(row) = table.get((communication.as_str(), integration.as_str()))? {
                let key = RowKey::Pair(communication, integration);
                if !self
                    .found
                    .rows
                    .iter()
                    .any(|one| one.key == key && one.shelf == Shelf::Decisions)
                {
                    self.look(Shelf::Decisions, key, row.value());
                }
            }
        }
        Ok(())
    }

    fn look(&mut self, shelf: Shelf, key: RowKey, bytes: &[u8]) {
        let Err(why) = shelf.read(&key, bytes) else {
            return;
        };
        let (health, name) = (self.reader.health, shelf.row_name(&key));
        let place = (shelf, key);
        if self.known.get(&place).is_some_and(|known| known == bytes) {
            health.settle(shelf.name(), &name, true);
            return;
        }
        health.report(shelf.name(), &name, &why);
        let (shelf, key) = place;
        self.found.rows.push(FoundRow {
            shelf,
            communication: shelf.communication(&key),
            key,
            bytes: bytes.to_vec(),
            why,
        });
        self.found.more = self.found.rows.len() >= FOUND_MAX;
    }
}

/// Says to which communications open works belong that cannot say so themselves.
fn name_communications(reader: &Reader<'_>, rows: &mut [FoundRow]) -> Result<(), Trouble> {
    if !rows.iter().any(|row| row.shelf == Shelf::Works) {
        return Ok(());
    }
    let mut owners = HashMap::new();
    for row in reader.table(WORKS_OF)?.iter()? {
        let (place, _) = row?;
        let (communication, work) = place.value();
        owners.insert(work, communication.to_owned());
    }
    for row in rows {
        if let (Shelf::Works, RowKey::Number(work)) = (row.shelf, &row.key) {
            let owner = owners.get(work);
            row.communication = owner.and_then(|owner| owner.parse().ok());
        }
    }
    Ok(())
}

/// Returns what stands in quarantine and in its table at once.
fn known(reader: &Reader<'_>) -> Result<HashMap<(Shelf, RowKey), Vec<u8>>, Trouble> {
    let mut known = HashMap::new();
    each(reader, None, |_, kept| {
        if kept.shelf.stays()
            && let Some(bytes) = kept.content()
        {
            known.insert((kept.shelf, kept.key), bytes);
        }
        true
    })?;
    Ok(known)
}

/// Returns the rows that were kept in place and that this build reads there, or that are gone.
fn released(reader: &Reader<'_>) -> Result<Vec<QuarantineId>, Trouble> {
    let mut found = Vec::new();
    let (ledgers, decisions) = (
        reader.table_if_made(LEDGERS)?,
        reader.table_if_made(DECISIONS)?,
    );
    let mut failure = None;
    each(reader, None, |id, kept| {
        let (RowKey::Pair(first, second), true) = (&kept.key, kept.shelf.stays()) else {
            return true;
        };
        let table = match kept.shelf {
            Shelf::Ledgers => &ledgers,
            _ => &decisions,
        };
        let row = table
            .as_ref()
            .map(|table| table.get((first.as_str(), second.as_str())));
        match row.transpose() {
            Ok(row) => {
                let row = row.flatten();
                let reads = |row: &redb::AccessGuard<'_, &[u8]>| {
                    kept.shelf.read(&kept.key, row.value()).is_ok()
                };
                if row.as_ref().is_none_or(reads) {
                    found.push(id);
                }
                true
            }
            Err(error) => {
                failure = Some(error);
                false
            }
        }
    })?;
    match failure {
        Some(error) => Err(error.into()),
        None => Ok(found),
    }
}

/// Hands on what is in quarantine, in order, until it was enough.
fn each(
    reader: &Reader<'_>,
    after: Option<QuarantineId>,
    mut take: impl FnMut(QuarantineId, Kept) -> bool,
) -> Result<bool, Trouble> {
    let Some(table) = reader.table_if_made(QUARANTINE)? else {
        return Ok(true);
    };
    let from = after.map_or(0, |after| after.saturating_add(1));
    for row in table.range(from..)? {
        let (id, row) = row?;
        match read_kept(reader.health, id.value(), row.value()) {
            Ok(kept) => {
                if !take(id.value(), kept) {
                    return Ok(false);
                }
            }
            Err(StoreError::Unreadable { .. }) => {}
            Err(other) => return Err(other.into()),
        }
    }
    Ok(true)
}

/// Lists what is in quarantine, in order of finding.
pub(in crate::store) fn rows_listed(
    reader: &Reader<'_>,
    after: Option<QuarantineId>,
    limit: usize,
) -> Result<Vec<QuarantinedRow>, Trouble> {
    let mut rows = Vec::new();
    let limit = limit.clamp(1, SEARCH_ROWS_MAX);
    each(reader, after, |id, kept| {
        rows.push(kept.shown(id));
        rows.len() < limit
    })?;
    Ok(rows)
}

/// Returns one row in quarantine with its content.
pub(in crate::store) fn quarantined(
    reader: &Reader<'_>,
    id: QuarantineId,
) -> Result<Option<(QuarantinedRow, Vec<u8>)>, Trouble> {
    let Some(table) = reader.table_if_made(QUARANTINE)? else {
        return Ok(None);
    };
    let Some(row) = table.get(id)? else {
        return Ok(None);
    };
    let kept = read_kept(reader.health, id, row.value())?;
    let bytes = kept.content().unwrap_or_default();
    Ok(Some((kept.shown(id), bytes)))
}

/// Says how much is in quarantine.
pub(in crate::store) fn summary(reader: &Reader<'_>) -> Result<QuarantineSummary, Trouble> {
    let mut tables: BTreeMap<&'static str, u64> = BTreeMap::new();
    let (mut counted, mut readable) = (0, 0);
    let all = each(reader, None, |_, kept| {
        let count = tables.entry(kept.shelf.name()).or_default();
        *count = count.saturating_add(1);
        readable += u64::from(kept.is_readable());
        counted += 1;
        counted < COUNTED_MAX
    })?;
    let tables = tables.into_iter();
    Ok(QuarantineSummary {
        tables: tables.map(|(name, rows)| (name.to_owned(), rows)).collect(),
        readable,
        more: !all,
    })
}

/// Returns what is in quarantine of one client: rows of these communications, and rows that the
/// client's number stands in.
pub(in crate::store) fn rows_about(
    reader: &Reader<'_>,
    communications: &[CommunicationKey],
    has_number: impl Fn(&[u8]) -> bool,
) -> Result<Vec<QuarantineId>, Trouble> {
    let mut found = Vec::new();
    each(reader, None, |id, kept| {
        let of_these = kept.communication.as_ref();
        let of_these = of_these.is_some_and(|one| communications.contains(one));
        if of_these || kept.content().is_some_and(|bytes| has_number(&bytes)) {
            found.push(id);
        }
        true
    })?;
    Ok(found)
}

/// Returns what was found before a time and nothing waits for, so many rows at the most.
pub(in crate::store) fn old(
    reader: &Reader<'_>,
    before: Timestamp,
    rows_max: usize,
) -> Result<Vec<QuarantineId>, Trouble> {
    let mut found = Vec::new();
    each(reader, None, |id, kept| {
        if kept.at < before && !kept.holds_work() {
            found.push(id);
        }
        found.len() < rows_max
    })?;
    Ok(found)
}
