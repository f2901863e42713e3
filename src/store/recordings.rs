//! The recordings of calls: what became of each, who has which token, what is due when. The tables
//! are made when the first recording is looked for.
//!
//! A token is found by its digest, so that neither the time of a search nor a copy of the index
//! tells anything about it.

use std::ops::Bound;

use redb::{ReadableTable, Table, TableDefinition, WriteTransaction};
use sha2::{Digest, Sha256};

use super::accept::make_work;
use super::command::{RecordingChange, WorkId};
use super::error::Trouble;
use super::outcome::refresh_outcome;
use super::query::{RecordingFigures, StoredCommunication};
use super::reader::Reader;
use super::row::encode;
use super::tables::{Tables, get_text, skip_unreadable};
use crate::model::ids::{CommunicationKey, IntegrationKey};
use crate::model::recording::{Recording, RecordingState};
use crate::model::timestamp::Timestamp;

type Bytes = &'static [u8];

/// Communication -> its recording.
pub(super) const RECORDINGS: TableDefinition<&str, &[u8]> = TableDefinition::new("recordings");
/// Digest of the token -> communication.
pub(super) const TOKENS: TableDefinition<&[u8], &str> = TableDefinition::new("recording_tokens");
/// (Unix milliseconds, communication): when something is to be done about a recording.
pub(super) const DUE: TableDefinition<(i64, &str), ()> = TableDefinition::new("recordings_due");

/// Those that can be played and that nobody was told of.
pub(super) const UNTOLD: TableDefinition<&str, ()> = TableDefinition::new("recordings_untold");
/// What became of it -> how many.
pub(super) const COUNTS: TableDefinition<&str, u64> = TableDefinition::new("recording_counts");

/// The tables of recordings, opened when a command of the group first needs them.
pub(super) struct LazyRecordings<'t> {
    txn: &'t WriteTransaction,
    tables: Option<RecordingTables<'t>>,
}

struct RecordingTables<'t> {
    recordings: Table<'t, &'static str, Bytes>,
    tokens: Table<'t, Bytes, &'static str>,
    due: Table<'t, (i64, &'static str), ()>,
    untold: Table<'t, &'static str, ()>,
    counts: Table<'t, &'static str, u64>,
}

impl<'t> LazyRecordings<'t> {
    pub(super) fn new(txn: &'t WriteTransaction) -> Self {
        Self { txn, tables: None }
    }

    fn open(&mut self) -> Result<&mut RecordingTables<'t>, Trouble> {
        let tables = match self.tables.take() {
            Some(tables) => tables,
            None => RecordingTables {
                recordings: self.txn.open_table(RECORDINGS)?,
                tokens: self.txn.open_table(TOKENS)?,
                due: self.txn.open_table(DUE)?,
                untold: self.txn.open_table(UNTOLD)?,
                counts: self.txn.open_table(COUNTS)?,
            },
        };
        Ok(self.tables.insert(tables))
    }

    /// Returns the table of the recordings themselves.
    pub(super) fn rows(&mut self) -> Result<&mut Table<'t, &'static str, Bytes>, Trouble> {
        Ok(&mut self.open()?.recordings)
    }
}

/// Has a recording looked for. One that is known is looked for anew where other files are named:
/// its address stays.
pub(super) fn look_for(tables: &mut Tables<'_>, wanted: &Recording) -> Result<(), Trouble> {
    let new = match read(tables, &wanted.communication)? {
        None => wanted.clone(),
        Some(old) if old.names == wanted.names => return Ok(()),
        Some(old) => {
            let new = Recording {
                token: old.token.clone(),
                ..wanted.clone()
            };
            remove(tables, &old)?;
            new
        }
    };
    put(tables, &new)
}

/// Carries out [`RecordingChange`].
pub(super) fn change(
    tables: &mut Tables<'_>,
    change: &RecordingChange,
) -> Result<Vec<(IntegrationKey, WorkId)>, Trouble> {
    let key = &change.communication;
    let old = read(tables, key)?.filter(|old| old.names == change.names);
    let Some(old) = old else {
        return Ok(Vec::new());
    };
    let text = key.to_string();
    let stored = get_text(
        &tables.communications,
        "communications",
        &text,
        tables.health,
    );
    let stored: Option<StoredCommunication> = skip_unreadable(stored)?;
    remove(tables, &old)?;
    let new = Recording {
        state: change.state.clone(),
        due: change.due,
        ..old
    };
    put(tables, &new)?;
    let mut works = Vec::new();
    if let Some(stored) = &stored {
        for route in &change.routes {
            works.extend(make_work(tables, &stored.snapshot, route, change.now)?);
        }
        if !works.is_empty() {
            refresh_outcome(tables, key, change.now)?;
        }
    }
    if let Some(note) = &change.note {
        tables.put_note(note)?;
    }
    Ok(works)
}

/// Returns the name of our own file of a call, where there is one.
pub(super) fn kept_file(
    tables: &mut Tables<'_>,
    key: &CommunicationKey,
) -> Result<Option<String>, Trouble> {
    let recording = read(tables, key)?;
    Ok(recording.and_then(|recording| recording.kept_file().map(ToOwned::to_owned)))
}

/// Removes what is known of a call's recording.
pub(super) fn forget(tables: &mut Tables<'_>, key: &CommunicationKey) -> Result<(), Trouble> {
    match read(tables, key)? {
        Some(old) => remove(tables, &old),
        None => Ok(()),
    }
}

/// Reads a row; one that cannot be read is replaced, for the files are still there.
fn read(tables: &mut Tables<'_>, key: &CommunicationKey) -> Result<Option<Recording>, Trouble> {
    let health = tables.health;
    let recordings = &tables.recordings.open()?.recordings;
    skip_unreadable(get_text(recordings, "recordings", &key.to_string(), health))
}

fn put(tables: &mut Tables<'_>, recording: &Recording) -> Result<(), Trouble> {
    let key = recording.communication.to_string();
    let row = encode(recording)?;
    let open = tables.recordings.open()?;
    open.recordings.insert(key.as_str(), row.as_slice())?;
    open.tokens
        .insert(digest(&recording.token).as_slice(), key.as_str())?;
    if let Some(due) = recording.due {
        open.due.insert((due.as_millis(), key.as_str()), ())?;
    }
    let word = word(&recording.state);
    if word == NOT_TOLD {
        open.untold.insert(key.as_str(), ())?;
    }
    let count = open.counts.get(word)?.map_or(0, |count| count.value());
    open.counts.insert(word, count.saturating_add(1))?;
    tables.wrote = true;
    Ok(())
}

fn remove(tables: &mut Tables<'_>, recording: &Recording) -> Result<(), Trouble> {
    let key = recording.communication.to_string();
    let open = tables.recordings.open()?;
    open.recordings.remove(key.as_str())?;
    open.tokens.remove(digest(&recording.token).as_slice())?;
    open.untold.remove(key.as_str())?;
    if let Some(due) = recording.due {
        open.due.remove((due.as_millis(), key.as_str()))?;
    }
    let word = word(&recording.state);
    let count = open.counts.get(word)?.map_or(0, |count| count.value());
    open.counts.insert(word, count.saturating_sub(1))?;
    tables.wrote = true;
    Ok(())
}

const SOUGHT: &str = "sought";
const READY: &str = "ready";
const NOT_TOLD: &str = "not_told";
const MISSING: &str = "missing";
const FORGOTTEN: &str = "forgotten";

fn word(state: &RecordingState) -> &'static str {
    match state {
        RecordingState::Sought { .. } => SOUGHT,
        RecordingState::Ready { told: true, .. } => READY,
        RecordingState::Ready { told: false, .. } => NOT_TOLD,
        RecordingState::Missing { .. } => MISSING,
        RecordingState::Forgotten { .. } => FORGOTTEN,
    }
}

pub(super) fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

impl Reader<'_> {
    pub(super) fn recording(&self, key: &CommunicationKey) -> Result<Option<Recording>, Trouble> {
        self.recording_by_text(&key.to_string())
    }

    fn recording_by_text(&self, key: &str) -> Result<Option<Recording>, Trouble> {
        match self.table_if_made(RECORDINGS)? {
            Some(table) => get_text(&table, "recordings", key, self.health),
            None => Ok(None),
        }
    }

    pub(super) fn recording_of_digest(
        &self,
        digest: &[u8; 32],
    ) -> Result<Option<Recording>, Trouble> {
        let Some(tokens) = self.table_if_made(TOKENS)? else {
            return Ok(None);
        };
        match tokens.get(digest.as_slice())? {
            Some(key) => self.recording_by_text(key.value()),
            None => Ok(None),
        }
    }

    pub(super) fn recordings_due(
        &self,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<Recording>, Trouble> {
        let Some(due) = self.table_if_made(DUE)? else {
            return Ok(Vec::new());
        };
        let mut found = Vec::new();
        for row in due.range(..(now.as_millis().saturating_add(1), ""))? {
            if found.len() >= limit {
                break;
            }
            let (place, _) = row?;
            let (_, key) = place.value();
            // One that cannot be read was counted and logged; the others go on.
            found.extend(skip_unreadable(self.recording_by_text(key))?);
        }
        Ok(found)
    }

    pub(super) fn recordings_untold(
        &self,
        after: Option<&CommunicationKey>,
        limit: usize,
    ) -> Result<Vec<Recording>, Trouble> {
        let Some(untold) = self.table_if_made(UNTOLD)? else {
            return Ok(Vec::new());
        };
        let after = after.map(ToString::to_string);
        let from = match &after {
            Some(after) => Bound::Excluded(after.as_str()),
            None => Bound::Unbounded,
        };
        let mut found = Vec::new();
        for row in untold.range::<&str>((from, Bound::Unbounded))?.take(limit) {
            let (key, _) = row?;
            found.extend(skip_unreadable(self.recording_by_text(key.value()))?);
        }
        Ok(found)
    }

    pub(super) fn recording_figures(&self) -> Result<RecordingFigures, Trouble> {
        let Some(table) = self.table_if_made(COUNTS)? else {
            return Ok(RecordingFigures::default());
        };
        let count = |word: &str| -> Result<u64, Trouble> {
            Ok(table.get(word)?.map_or(0, |count| count.value()))
        };
        Ok(RecordingFigures {
            sought: count(SOUGHT)?,
            ready: count(READY)?,
            not_told: count(NOT_TOLD)?,
            missing: count(MISSING)?,
            forgotten: count(FORGOTTEN)?,
        })
    }
}
