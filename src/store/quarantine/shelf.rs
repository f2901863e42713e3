//! The tables whose rows can be put into quarantine: their keys as values, what each row must be,
//! and the way to a row by its key.

use redb::{Key, ReadableTable, Table, TableDefinition};
use serde::{Deserialize, Serialize};

use super::super::command::{JournalNote, Work};
use super::super::deals::{DealPull, DealUpload, StoredDeal};
use super::super::directory_tables::DirectoryRow;
use super::super::error::{StoreError, Trouble};
use super::super::keep::SettingsRow;
use super::super::ledger_rows::Progress;
use super::super::query::StoredCommunication;
use super::super::row::decode;
use super::super::tables::Tables;
use crate::model::deal::StageMove;
use crate::model::ids::{CommunicationKey, IntegrationKey};
use crate::model::ledger::Decision;
use crate::model::recording::Recording;

type Bytes = &'static [u8];

/// Number -> a row in quarantine.
pub(in crate::store) const QUARANTINE: TableDefinition<u64, &[u8]> =
    TableDefinition::new("quarantine");
/// A table whose rows can be put into quarantine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::store) enum Shelf {
    Communications,
    Works,
    Checkpoints,
    Ledgers,
    Decisions,
    Notes,
    Settings,
    Accounts,
    Recordings,
    Directories,
    Deals,
    DealMoves,
    DealPulls,
    DealUploads,
}

/// The key of a row, of whatever table.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::store) enum RowKey {
    Text(String),
    Number(u64),
    Pair(String, String),
    Revision(String, u64),
    Move(String, String, i64, String),
}

impl Shelf {
    /// Returns the table's name in the file and in the log.
    pub(in crate::store) fn name(self) -> &'static str {
        match self {
            Shelf::Communications => "communications",
            Shelf::Works => "works",
            Shelf::Checkpoints => "checkpoints",
            Shelf::Ledgers => "ledgers",
            Shelf::Decisions => "decisions",
            Shelf::Notes => "notes",
            Shelf::Settings => "settings",
            Shelf::Accounts => "accounts",
            Shelf::Recordings => "recordings",
            Shelf::Directories => "directories",
            Shelf::Deals => "deals",
            Shelf::DealMoves => "deal_moves",
            Shelf::DealPulls => "deal_pulls",
            Shelf::DealUploads => "deal_uploads",
        }
    }

    /// Says whether its rows stay in their table: taken for missing they would have effects made
    /// twice.
    pub(super) fn stays(self) -> bool {
        matches!(self, Shelf::Ledgers | Shelf::Decisions)
    }

    /// Names a row as the log does where it is met.
    pub(in crate::store) fn row_name(self, key: &RowKey) -> String {
        match key {
            RowKey::Text(text) => text.clone(),
            RowKey::Number(number) => number.to_string(),
            RowKey::Pair(communication, integration) if self.stays() => {
                format!("{integration} {communication}")
            }
            RowKey::Pair(first, second) => format!("{first} {second}"),
            RowKey::Revision(integration, number) => format!("{integration} {number}"),
            RowKey::Move(integration, deal, at, one) => {
                format!("{integration} {deal} {at} {one}")
            }
        }
    }

    /// Returns the communication that a row belongs to, where its key says so.
    pub(super) fn communication(self, key: &RowKey) -> Option<CommunicationKey> {
        match (self, key) {
            (Shelf::Communications | Shelf::Recordings, RowKey::Text(text))
            | (Shelf::Ledgers | Shelf::Decisions, RowKey::Pair(text, _)) => text.parse().ok(),
            _ => None,
        }
    }

    /// Returns the integration that a row belongs to, where its key says so.
    pub(super) fn integration(self, key: &RowKey) -> Option<IntegrationKey> {
        match (self, key) {
            (Shelf::Ledgers | Shelf::Decisions, RowKey::Pair(_, text))
            | (Shelf::Deals, RowKey::Pair(text, _))
            | (Shelf::Settings, RowKey::Revision(text, _))
            | (Shelf::DealMoves, RowKey::Move(text, ..))
            | (Shelf::DealPulls | Shelf::DealUploads, RowKey::Text(text)) => text.parse().ok(),
            _ => None,
        }
    }

    /// Says why this build cannot read a row, if so. A row that says of itself that it is another
    /// one cannot be believed either.
    pub(super) fn read(self, key: &RowKey, bytes: &[u8]) -> Result<(), String> {
        let another = |is_own: bool| match is_own {
            true => Ok(()),
            false => Err("it says that it is another row".to_owned()),
        };
        match self {
            Shelf::Communications => {
                let stored = decode::<StoredCommunication>(bytes)?;
                another(*key == RowKey::Text(stored.snapshot.key.to_string()))
            }
            Shelf::Works => another(*key == RowKey::Number(decode::<Work>(bytes)?.id)),
            Shelf::Checkpoints | Shelf::Accounts => decode::<serde_json::Value>(bytes).map(drop),
            Shelf::Ledgers => decode::<Progress>(bytes).map(drop),
            Shelf::Decisions => decode::<Vec<Decision>>(bytes).map(drop),
            Shelf::Notes => decode::<JournalNote>(bytes).map(drop),
            Shelf::Settings => decode::<SettingsRow>(bytes).map(drop),
            Shelf::Recordings => {
                let recording = decode::<Recording>(bytes)?;
                another(*key == RowKey::Text(recording.communication.to_string()))
            }
            Shelf::Directories => decode::<DirectoryRow>(bytes).map(drop),
            Shelf::Deals => decode::<StoredDeal>(bytes).map(drop),
            Shelf::DealMoves => decode::<StageMove>(bytes).map(drop),
            Shelf::DealPulls => decode::<DealPull>(bytes).map(drop),
            Shelf::DealUploads => decode::<DealUpload>(bytes).map(drop),
        }
    }
}

/// A key of a table that can be made a value.
pub(super) trait Named: Key + 'static {
    fn named(key: Self::SelfType<'_>) -> RowKey;
}

impl Named for &'static str {
    fn named(key: Self::SelfType<'_>) -> RowKey {
        RowKey::Text(key.to_owned())
    }
}

impl Named for u64 {
    fn named(key: Self::SelfType<'_>) -> RowKey {
        RowKey::Number(key)
    }
}

impl Named for (&'static str, &'static str) {
    fn named((first, second): Self::SelfType<'_>) -> RowKey {
        RowKey::Pair(first.to_owned(), second.to_owned())
    }
}

impl Named for (&'static str, u64) {
    fn named((integration, revision): Self::SelfType<'_>) -> RowKey {
        RowKey::Revision(integration.to_owned(), revision)
    }
}

impl Named for (&'static str, &'static str, i64, &'static str) {
    fn named((integration, deal, at, one): Self::SelfType<'_>) -> RowKey {
        RowKey::Move(integration.to_owned(), deal.to_owned(), at, one.to_owned())
    }
}

/// What is done with a row.
#[derive(Debug, Clone, Copy)]
pub(super) enum Touch<'b> {
    Look,
    Put(&'b [u8]),
    Remove,
}

/// Looks at a row, writes or removes it; returns what stood there.
pub(super) fn touch(
    tables: &mut Tables<'_>,
    shelf: Shelf,
    key: &RowKey,
    how: Touch<'_>,
) -> Result<Option<Vec<u8>>, Trouble> {
    let before = match (shelf, key) {
        (Shelf::Communications, RowKey::Text(key)) => {
            at(&mut tables.communications, key.as_str(), how)
        }
        (Shelf::Works, RowKey::Number(key)) => at(&mut tables.works, *key, how),
        (Shelf::Checkpoints, RowKey::Text(key)) => at(&mut tables.checkpoints, key.as_str(), how),
        (Shelf::Ledgers, RowKey::Pair(first, second)) => {
            at(&mut tables.ledgers, (first.as_str(), second.as_str()), how)
        }
        (Shelf::Decisions, RowKey::Pair(first, second)) => {
            let key = (first.as_str(), second.as_str());
            at(&mut tables.decisions, key, how)
        }
        (Shelf::Notes, RowKey::Number(key)) => at(&mut tables.notes, *key, how),
        (Shelf::Settings, RowKey::Revision(integration, revision)) => {
            at(&mut tables.settings, (integration.as_str(), *revision), how)
        }
        (Shelf::Accounts, RowKey::Text(key)) => at(&mut tables.accounts, key.as_str(), how),
        (Shelf::Recordings, RowKey::Text(key)) => at(tables.recordings.rows()?, key.as_str(), how),
        (Shelf::Directories, RowKey::Text(key)) => at(tables.directory.rows()?, key.as_str(), how),
        (Shelf::Deals, RowKey::Pair(first, second)) => {
            at(tables.deals.rows()?, (first.as_str(), second.as_str()), how)
        }
        (Shelf::DealMoves, RowKey::Move(integration, deal, time, one)) => {
            let key = (integration.as_str(), deal.as_str(), *time, one.as_str());
            at(tables.deals.move_rows()?, key, how)
        }
        (Shelf::DealPulls, RowKey::Text(key)) => at(tables.deals.pull_rows()?, key.as_str(), how),
        (Shelf::DealUploads, RowKey::Text(key)) => {
            at(tables.deals.upload_rows()?, key.as_str(), how)
        }
        // Only a row of the quarantine that is damaged itself says so.
        (shelf, key) => Err(Trouble::Refused(StoreError::Unreadable {
            table: QUARANTINE_NAME,
            key: shelf.row_name(key),
        })),
    }?;
    tables.wrote |= !matches!(how, Touch::Look);
    Ok(before)
}

/// How the log names the quarantine's own rows.
pub(super) const QUARANTINE_NAME: &str = "quarantine";

fn at<K: Key + 'static>(
    table: &mut Table<'_, K, Bytes>,
    key: K::SelfType<'_>,
    how: Touch<'_>,
) -> Result<Option<Vec<u8>>, Trouble> {
    let before = match how {
        Touch::Look => table.get(key)?,
        Touch::Put(bytes) => table.insert(key, bytes)?,
        Touch::Remove => table.remove(key)?,
    };
    Ok(before.map(|row| row.value().to_vec()))
}
