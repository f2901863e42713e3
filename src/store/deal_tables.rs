//! Writes the deals that came back. The tables are made when the first deal or hint comes, so that
//! a store of an earlier version is opened as it is.

use redb::{ReadableTable, Table, TableDefinition, WriteTransaction};

use super::deals::{DealBatch, DealCommand, DealPull, DealUploaded, DealsApplied, StoredDeal};
use super::error::Trouble;
use super::row::{RowHealth, encode};
use super::tables::{Counter, LAST, Tables, skip_unreadable};
use crate::model::deal::{Deal, DealState, StageMove, StagePlace};
use crate::model::ids::IntegrationKey;
use crate::model::timestamp::Timestamp;

type Bytes = &'static [u8];
type Texts2 = (&'static str, &'static str);
type MoveKey = (&'static str, &'static str, i64, &'static str);

/// (Integration, deal) -> the deal.
pub(super) const DEALS: TableDefinition<(&str, &str), &[u8]> = TableDefinition::new("deals");
/// (Integration, made in Unix milliseconds, deal).
pub(super) const BY_TIME: TableDefinition<(&str, i64, &str), ()> =
    TableDefinition::new("deals_by_time");
/// (Integration, number of the last change) -> deal.
pub(super) const BY_VERSION: TableDefinition<(&str, u64), &str> =
    TableDefinition::new("deals_by_version");
/// (Integration, deal, Unix milliseconds, move) -> the move.
pub(super) const MOVES: TableDefinition<(&str, &str, i64, &str), &[u8]> =
    TableDefinition::new("deal_moves");
/// (Integration, deal) -> number of the hint.
pub(super) const HINTS: TableDefinition<(&str, &str), u64> = TableDefinition::new("deal_hints");
/// Integration -> how far the reading came.
pub(super) const PULLS: TableDefinition<&str, &[u8]> = TableDefinition::new("deal_pulls");
/// Integration -> how far the deals were passed on.
pub(super) const UPLOADS: TableDefinition<&str, &[u8]> = TableDefinition::new("deal_uploads");
/// (Integration, deal) -> why a phone system refused it.
pub(super) const REFUSED: TableDefinition<(&str, &str), &str> =
    TableDefinition::new("deal_refusals");
/// (Integration, word) -> how many.
pub(super) const COUNTS: TableDefinition<(&str, &str), u64> = TableDefinition::new("deal_counts");

pub(super) const COUNT_DEALS: &str = "deals";
pub(super) const COUNT_HINTS: &str = "hints";
pub(super) const COUNT_REFUSED: &str = "refused";

/// The tables of deals, opened when a command of the group first needs them.
pub(super) struct LazyDeals<'t> {
    txn: &'t WriteTransaction,
    tables: Option<DealTables<'t>>,
}

struct DealTables<'t> {
    deals: Table<'t, Texts2, Bytes>,
    by_time: Table<'t, (&'static str, i64, &'static str), ()>,
    by_version: Table<'t, (&'static str, u64), &'static str>,
    moves: Table<'t, MoveKey, Bytes>,
    hints: Table<'t, Texts2, u64>,
    pulls: Table<'t, &'static str, Bytes>,
    uploads: Table<'t, &'static str, Bytes>,
    refused: Table<'t, Texts2, &'static str>,
    counts: Table<'t, Texts2, u64>,
}

impl<'t> LazyDeals<'t> {
    pub(super) fn new(txn: &'t WriteTransaction) -> Self {
        Self { txn, tables: None }
    }

    fn open(&mut self) -> Result<&mut DealTables<'t>, Trouble> {
        let tables = match self.tables.take() {
            Some(tables) => tables,
            None => DealTables {
                deals: self.txn.open_table(DEALS)?,
                by_time: self.txn.open_table(BY_TIME)?,
                by_version: self.txn.open_table(BY_VERSION)?,
                moves: self.txn.open_table(MOVES)?,
                hints: self.txn.open_table(HINTS)?,
                pulls: self.txn.open_table(PULLS)?,
                uploads: self.txn.open_table(UPLOADS)?,
                refused: self.txn.open_table(REFUSED)?,
                counts: self.txn.open_table(COUNTS)?,
            },
        };
        Ok(self.tables.insert(tables))
    }

    /// Returns the table of the deals themselves.
    pub(super) fn rows(&mut self) -> Result<&mut Table<'t, Texts2, Bytes>, Trouble> {
        Ok(&mut self.open()?.deals)
    }

    /// Returns the table of their moves.
    pub(super) fn move_rows(&mut self) -> Result<&mut Table<'t, MoveKey, Bytes>, Trouble> {
        Ok(&mut self.open()?.moves)
    }

    /// Returns the table of how far the readings came.
    pub(super) fn pull_rows(&mut self) -> Result<&mut Table<'t, &'static str, Bytes>, Trouble> {
        Ok(&mut self.open()?.pulls)
    }

    /// Returns the table of how far the deals were passed on.
    pub(super) fn upload_rows(&mut self) -> Result<&mut Table<'t, &'static str, Bytes>, Trouble> {
        Ok(&mut self.open()?.uploads)
    }
}

/// Carries out a command.
pub(super) fn apply(
    tables: &mut Tables<'_>,
    command: &DealCommand,
) -> Result<DealsApplied, Trouble> {
    match command {
        DealCommand::Batch(batch) => apply_batch(tables, batch),
        DealCommand::Hint(integration, deals) => hint(tables, integration, deals),
        DealCommand::Uploaded(uploaded) => note_upload(tables, uploaded),
        DealCommand::Remove(list, before) => remove(tables, list, *before),
    }
}

fn apply_batch(tables: &mut Tables<'_>, batch: &DealBatch) -> Result<DealsApplied, Trouble> {
    let key = batch.integration.to_string();
    let mut applied = DealsApplied::default();
    let mut count = |made_a_difference: bool| match made_a_difference {
        true => applied.changed = applied.changed.saturating_add(1),
        false => applied.known = applied.known.saturating_add(1),
    };
    for deal in &batch.deals {
        count(put(tables, &key, deal, batch)?);
    }
    for id in &batch.removed {
        count(mark_removed(tables, &key, id, batch.now)?);
    }
    for one in &batch.moves {
        count(put_move(tables, &key, one)?);
    }
    let open = tables.deals.open()?;
    for hint in &batch.answered {
        let place = (key.as_str(), hint.deal.as_str());
        let given = open.hints.get(place)?.map(|number| number.value());
        if given == Some(hint.number) {
            open.hints.remove(place)?;
            add(open, &key, COUNT_HINTS, -1)?;
        }
    }
    if let Some(pull) = &batch.pull {
        put_pull(open, &key, pull)?;
    }
    tables.wrote = true;
    Ok(applied)
}

fn put_pull(open: &mut DealTables<'_>, key: &str, pull: &DealPull) -> Result<(), Trouble> {
    open.pulls.insert(key, encode(pull)?.as_slice())?;
    Ok(())
}

/// Writes a deal; says whether it made a difference.
fn put(
    tables: &mut Tables<'_>,
    key: &str,
    deal: &Deal,
    batch: &DealBatch,
) -> Result<bool, Trouble> {
    let old = read(tables, key, &deal.id)?;
    if let Some(old) = &old
        && (old.deal == *deal || old.deal.updated_at > deal.updated_at)
    {
        return Ok(false);
    }
    if batch.derive_moves
        && let Some(old) = &old
    {
        let place = |deal: &Deal| StagePlace {
            pipeline: deal.pipeline.id.clone(),
            stage: deal.stage.id.clone(),
        };
        let (from, to) = (place(&old.deal), place(deal));
        if from != to {
            let one = StageMove {
                deal: deal.id.clone(),
                at: deal.updated_at,
                id: format!("seen/{}/{}", to.pipeline, to.stage),
                from: Some(from),
                to,
            };
            write_move(tables.deals.open()?, key, &one)?;
        }
    }
    write(tables, key, old.as_ref(), deal.clone(), batch.now)?;
    Ok(true)
}

fn mark_removed(
    tables: &mut Tables<'_>,
    key: &str,
    id: &str,
    now: Timestamp,
) -> Result<bool, Trouble> {
    let Some(old) = read(tables, key, id)? else {
        return Ok(false);
    };
    if old.deal.state == DealState::Removed {
        return Ok(false);
    }
    let deal = Deal {
        state: DealState::Removed,
        ..old.deal.clone()
    };
    write(tables, key, Some(&old), deal, now)?;
    Ok(true)
}

/// Reads a row; one that cannot be read is replaced.
fn read(tables: &mut Tables<'_>, key: &str, id: &str) -> Result<Option<StoredDeal>, Trouble> {
    let health = tables.health;
    let row = tables.deals.open()?.deals.get((key, id))?;
    let read = row.map(|row| read_row(health, key, id, row.value()));
    skip_unreadable(read.transpose())
}

pub(super) fn read_row(
    health: &RowHealth,
    key: &str,
    id: &str,
    bytes: &[u8],
) -> Result<StoredDeal, Trouble> {
    Ok(health.read("deals", format!("{key} {id}"), bytes)?)
}

fn write(
    tables: &mut Tables<'_>,
    key: &str,
    old: Option<&StoredDeal>,
    deal: Deal,
    now: Timestamp,
) -> Result<(), Trouble> {
    let version = tables.next(Counter::Deal)?;
    let open = tables.deals.open()?;
    let id = deal.id.clone();
    match old {
        Some(old) => {
            open.by_version.remove((key, old.version))?;
            let made = old.deal.created_at.as_millis();
            open.by_time.remove((key, made, id.as_str()))?;
        }
        None if open.deals.get((key, id.as_str()))?.is_none() => {
            add(open, key, COUNT_DEALS, 1)?;
        }
        // It could not be read; its places in the indexes are hints that lead nowhere.
        None => {}
    }
    let made = deal.created_at.as_millis();
    let stored = StoredDeal {
        deal,
        version,
        stored_at: now,
    };
    open.deals
        .insert((key, id.as_str()), encode(&stored)?.as_slice())?;
    open.by_time.insert((key, made, id.as_str()), ())?;
    open.by_version.insert((key, version), id.as_str())?;
    tables.wrote = true;
    Ok(())
}

fn put_move(tables: &mut Tables<'_>, key: &str, one: &StageMove) -> Result<bool, Trouble> {
    let open = tables.deals.open()?;
    if open.deals.get((key, one.deal.as_str()))?.is_none() {
        return Ok(false);
    }
    write_move(open, key, one)
}

fn write_move(open: &mut DealTables<'_>, key: &str, one: &StageMove) -> Result<bool, Trouble> {
    let place = (key, one.deal.as_str(), one.at.as_millis(), one.id.as_str());
    if open.moves.get(place)?.is_some() {
        return Ok(false);
    }
    open.moves.insert(place, encode(one)?.as_slice())?;
    Ok(true)
}

fn hint(
    tables: &mut Tables<'_>,
    integration: &IntegrationKey,
    deals: &[String],
) -> Result<DealsApplied, Trouble> {
    let key = integration.to_string();
    for deal in deals {
        let number = tables.next(Counter::Deal)?;
        let open = tables.deals.open()?;
        let known = open.hints.insert((key.as_str(), deal.as_str()), number)?;
        let is_new = known.is_none();
        drop(known);
        if is_new {
            add(open, &key, COUNT_HINTS, 1)?;
        }
    }
    Ok(DealsApplied::default())
}

fn note_upload(tables: &mut Tables<'_>, uploaded: &DealUploaded) -> Result<DealsApplied, Trouble> {
    let key = uploaded.integration.to_string();
    let open = tables.deals.open()?;
    for id in &uploaded.taken {
        let known = open.refused.remove((key.as_str(), id.as_str()))?.is_some();
        if known {
            add(open, &key, COUNT_REFUSED, -1)?;
        }
    }
    for (id, why) in &uploaded.refused {
        let place = (key.as_str(), id.as_str());
        let known = open.refused.insert(place, why.as_str())?.is_some();
        if !known {
            add(open, &key, COUNT_REFUSED, 1)?;
        }
    }
    let row = encode(&uploaded.upload)?;
    open.uploads.insert(key.as_str(), row.as_slice())?;
    tables.wrote = true;
    Ok(DealsApplied::default())
}

/// Removes old deals with everything that belongs to them, unless something has come up.
fn remove(
    tables: &mut Tables<'_>,
    list: &[(IntegrationKey, String)],
    before: Timestamp,
) -> Result<DealsApplied, Trouble> {
    let mut applied = DealsApplied::default();
    for (integration, id) in list {
        let key = integration.to_string();
        let Some(old) = read(tables, &key, id)?.filter(|old| is_old(old, before)) else {
            continue;
        };
        let open = tables.deals.open()?;
        let place = (key.as_str(), id.as_str());
        open.deals.remove(place)?;
        open.by_version.remove((key.as_str(), old.version))?;
        let made = old.deal.created_at.as_millis();
        open.by_time.remove((key.as_str(), made, id.as_str()))?;
        let moves =
            (key.as_str(), id.as_str(), i64::MIN, "")..=(key.as_str(), id.as_str(), i64::MAX, LAST);
        open.moves.retain_in(moves, |_, _| false)?;
        let was_refused = open.refused.remove(place)?.is_some();
        if was_refused {
            add(open, &key, COUNT_REFUSED, -1)?;
        }
        add(open, &key, COUNT_DEALS, -1)?;
        applied.changed = applied.changed.saturating_add(1);
        tables.wrote = true;
    }
    Ok(applied)
}

/// Says whether a deal may be forgotten: one that is still open never is.
pub(super) fn is_old(stored: &StoredDeal, before: Timestamp) -> bool {
    stored.deal.state != DealState::Open
        && stored.deal.created_at < before
        && stored.deal.updated_at < before
        && stored.stored_at < before
}

fn add(open: &mut DealTables<'_>, key: &str, word: &str, by: i64) -> Result<(), Trouble> {
    let known = open
        .counts
        .get((key, word))?
        .map_or(0, |count| count.value());
    open.counts
        .insert((key, word), known.saturating_add_signed(by))?;
    Ok(())
}
