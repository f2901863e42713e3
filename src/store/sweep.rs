//! Retention. What may go is found by a reader, so that the writer is held only for the removal;
//! the writer looks again before it removes, since the reader's picture may be old.

use std::collections::HashSet;

use redb::ReadableTable;

use super::command::{JournalNote, Retention, SweepReport};
use super::error::{StoreError, Trouble};
use super::facet::{of_outcome, reindex};
use super::left_works;
use super::passing;
use super::quarantine::{self, QuarantineId};
use super::query::{JournalOutcome, NoteId, StoredCommunication};
use super::reader::Reader;
use super::recordings;
use super::tables::{
    COMMUNICATIONS, JOURNAL_INDEX, NOTES, Tables, get_text, ledgers_of, numbers_of,
    skip_unreadable, uniques_of,
};
use crate::model::ids::CommunicationKey;
use crate::model::timestamp::Timestamp;

/// The most index rows and remarks that one sweep looks at: some seconds of one reader, whatever
/// the store holds.
const LOOK_MAX: usize = 100_000;

/// What can be forgotten: waiting and dead communications never.
const FORGETTABLE: [JournalOutcome; 5] = [
    JournalOutcome::Open,
    JournalOutcome::NotTaken,
    JournalOutcome::Ignored,
    JournalOutcome::Observed,
    JournalOutcome::Done,
];

/// What a sweep is to remove.
#[derive(Debug)]
pub(super) struct SweepList {
    /// The bound that was asked for.
    pub(super) before: Timestamp,
    /// Communications that had nothing open.
    pub(super) communications: Vec<CommunicationKey>,
    /// Remarks that belong to no stored communication.
    pub(super) notes: Vec<NoteId>,
    /// Rows that were in quarantine for as long.
    pub(super) quarantine: Vec<QuarantineId>,
    /// There may be more.
    pub(super) more: bool,
}

/// Looks for what may be forgotten, oldest first.
pub(super) fn candidates(reader: &Reader<'_>, retention: Retention) -> Result<SweepList, Trouble> {
    let mut list = SweepList {
        before: retention.before,
        communications: Vec::new(),
        notes: Vec::new(),
        quarantine: quarantine::old(reader, retention.before, retention.rows_max)?,
        more: false,
    };
    find_communications(reader, retention, &mut list)?;
    find_notes(reader, retention, &mut list)?;
    Ok(list)
}

fn find_communications(
    reader: &Reader<'_>,
    retention: Retention,
    list: &mut SweepList,
) -> Result<(), Trouble> {
    let index = reader.table(JOURNAL_INDEX)?;
    let communications = reader.table(COMMUNICATIONS)?;
    let mut looks = 0;
    for outcome in FORGETTABLE {
        let facet = of_outcome(outcome);
        let end = retention.before.as_millis();
        let range = (facet.as_str(), i64::MIN, "")..(facet.as_str(), end, "");
        for row in index.range(range)? {
            if list.communications.len() >= retention.rows_max || looks >= LOOK_MAX {
                list.more = true;
                return Ok(());
            }
            looks += 1;
            let (place, _) = row?;
            let (_, _, key) = place.value();
            let read = get_text(&communications, "communications", key, reader.health);
            let stored: Option<StoredCommunication> = skip_unreadable(read)?;
            if stored
                .as_ref()
                .is_some_and(|s| s.updated_at < retention.before)
            {
                list.communications.extend(key.parse::<CommunicationKey>());
            }
        }
    }
    Ok(())
}

fn find_notes(
    reader: &Reader<'_>,
    retention: Retention,
    list: &mut SweepList,
) -> Result<(), Trouble> {
    let communications = reader.table(COMMUNICATIONS)?;
    let going: HashSet<String> = list
        .communications
        .iter()
        .map(ToString::to_string)
        .collect();
    for (looks, row) in reader.table(NOTES)?.iter()?.enumerate() {
        if list.notes.len() >= retention.rows_max || looks >= LOOK_MAX {
            list.more = true;
            return Ok(());
        }
        let (id, row) = row?;
        let id = id.value();
        let read = reader.health.read::<JournalNote>("notes", id, row.value());
        let note = match read {
            Ok(note) => note,
            Err(StoreError::Unreadable { .. }) => continue,
            Err(other) => return Err(other.into()),
        };
        if note.at >= retention.before {
            // Numbers follow time closely enough: what is left is for a later sweep.
            return Ok(());
        }
        let owner = note.communication.map(|key| key.to_string());
        let is_owned = match &owner {
            Some(key) => going.contains(key) || communications.get(key.as_str())?.is_some(),
            None => false,
        };
        if !is_owned {
            list.notes.push(id);
        }
    }
    Ok(())
}

/// Removes what still may go.
pub(super) fn sweep(tables: &mut Tables<'_>, list: &SweepList) -> Result<SweepReport, Trouble> {
    let mut report = SweepReport {
        more: list.more,
        ..SweepReport::default()
    };
    for key in &list.communications {
        report.communications += u64::from(forget(tables, key, list.before)?);
    }
    for id in &list.notes {
        if tables.notes.remove(*id)?.is_some() {
            tables.wrote = true;
            report.notes += 1;
        }
    }
    quarantine::sweep(tables, &list.quarantine, list.before)?;
    Ok(report)
}

/// Removes a communication with everything that belongs to it, unless something has come up.
fn forget(
    tables: &mut Tables<'_>,
    key: &CommunicationKey,
    before: Timestamp,
) -> Result<bool, Trouble> {
    let text = key.to_string();
    let read = get_text(
        &tables.communications,
        "communications",
        &text,
        tables.health,
    );
    let Some(stored) = skip_unreadable::<StoredCommunication>(read)? else {
        return Ok(false);
    };
    let is_forgettable = FORGETTABLE.contains(&stored.outcome)
        && stored.snapshot.body.started_at() < before
        && stored.updated_at < before
        && !tables.has_open_work(key)?;
    if !is_forgettable {
        return Ok(false);
    }
    tables.wrote = true;
    reindex(tables, Some(&stored), None)?;
    tables.communications.remove(text.as_str())?;
    passing::forget(tables, &text)?;
    tables.ledgers.retain_in(ledgers_of(&text), |_, _| false)?;
    tables
        .decisions
        .retain_in(ledgers_of(&text), |_, _| false)?;
    tables
        .work_unique
        .retain_in(uniques_of(&text), |_, _| false)?;
    let notes = tables
        .notes_of
        .range(numbers_of(&text))?
        .map(|row| row.map(|(place, _)| place.value().1))
        .collect::<Result<Vec<_>, _>>()?;
    for id in notes {
        tables.notes.remove(id)?;
    }
    tables.notes_of.retain_in(numbers_of(&text), |_, _| false)?;
    left_works::forget(tables, &text)?;
    recordings::forget(tables, key)?;
    Ok(true)
}
