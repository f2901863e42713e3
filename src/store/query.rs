//! What can be read from the store.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::command::{JournalNote, Work};
use crate::model::communication::{Kind, Snapshot};
use crate::model::ids::{CommunicationKey, IntegrationKey, SourceKey, TenantId};
use crate::model::ledger::Ledger;
use crate::model::phone::Phone;
use crate::model::plan::{Effect, Role};
use crate::model::recording::Recording;
use crate::model::timestamp::Timestamp;

/// What a communication came to over all its integrations; the gravest stands.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum JournalOutcome {
    /// It goes on: nothing was to be done yet.
    Open,
    /// No integration takes it.
    NotTaken,
    /// It was decided that nothing is to be made.
    Ignored,
    /// It was decided by integrations that only observe: nothing of it is sent.
    Observed,
    /// Everything is done.
    Done,
    /// Work waits.
    Waiting,
    /// There is a dead letter.
    Dead,
}

/// A stored communication.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StoredCommunication {
    /// Its newest snapshot.
    pub snapshot: Snapshot,
    /// When it was first accepted.
    pub accepted_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// What it came to.
    pub outcome: JournalOutcome,
    /// Why no integration takes it.
    pub not_taken: Option<String>,
}

/// What to look for in the journal. Every given part must match; answered from indexes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct JournalSearch {
    /// Only this tenant.
    pub tenant: Option<TenantId>,
    /// Only communications with this client number.
    pub phone: Option<Phone>,
    /// Only those that began at or after this time.
    pub from: Option<Timestamp>,
    /// Only those that began before this time.
    pub until: Option<Timestamp>,
    /// Only those of this outcome.
    pub outcome: Option<JournalOutcome>,
    /// Only this kind.
    pub kind: Option<Kind>,
    /// Goes on after this communication of an earlier answer.
    pub after: Option<CommunicationKey>,
    /// At the most so many; the store takes no more than [`SEARCH_ROWS_MAX`].
    pub limit: usize,
}

/// The most rows that one search returns: a page for people, and a bound on what one answer
/// holds in memory.
pub const SEARCH_ROWS_MAX: usize = 500;

/// One page of a search, newest first.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct JournalPage {
    /// What was found.
    pub found: Vec<StoredCommunication>,
    /// Where to go on ([`JournalSearch::after`]); `None` when everything was looked at.
    pub next: Option<CommunicationKey>,
}

/// The store's own number of a remark; grows.
pub type NoteId = u64;

/// A remark with its number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StoredNote {
    /// Its number.
    pub id: NoteId,
    /// What it says.
    pub note: JournalNote,
}

/// What remarks to look for. Every given part must match.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NoteSearch {
    /// Only this tenant.
    pub tenant: Option<TenantId>,
    /// Only this source.
    pub source: Option<SourceKey>,
    /// Only this integration.
    pub integration: Option<IntegrationKey>,
    /// Only this communication.
    pub communication: Option<CommunicationKey>,
    /// Only this word.
    pub word: Option<String>,
    /// Goes on after this remark of an earlier answer.
    pub after: Option<NoteId>,
    /// At the most so many; the store takes no more than [`SEARCH_ROWS_MAX`].
    pub limit: usize,
}

/// One communication with everything that is known of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Story {
    /// The communication.
    pub communication: StoredCommunication,
    /// What each integration decided and did.
    pub ledgers: Vec<(IntegrationKey, Ledger)>,
    /// Its open works.
    pub works: Vec<Work>,
    /// Remarks about it.
    pub notes: Vec<JournalNote>,
    /// Its recording, where it has one.
    #[serde(default)]
    pub recording: Option<Recording>,
}

/// How many recordings there are, by what became of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct RecordingFigures {
    /// They are looked for, fetched or converted.
    pub sought: u64,
    /// They can be played, and the CRMs were given the address.
    pub ready: u64,
    /// They can be played, and there is no address to give to the CRMs.
    pub not_told: u64,
    /// They were given up.
    pub missing: u64,
    /// They were kept for as long as was wished.
    pub forgotten: u64,
}

/// A dead letter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DeadLetter {
    /// Whose.
    pub integration: IntegrationKey,
    /// The communication.
    pub communication: CommunicationKey,
    /// The step.
    pub role: Role,
    /// What it was to do.
    pub effect: Effect,
    /// When it was given up.
    pub at: Timestamp,
    /// The CRM's reason.
    pub reason: String,
}

/// Figures for status and metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct StoreFigures {
    /// Communications kept.
    pub communications: u64,
    /// Open works.
    pub open_works: u64,
    /// Works of integrations that are not configured any more.
    #[serde(default)]
    pub left_works: u64,
    /// Dead letters.
    pub dead_letters: u64,
    /// Size of the store's file, in bytes.
    pub file_bytes: u64,
    /// When the store was made.
    #[serde(default)]
    pub made_at: Timestamp,
    /// Commands carried out since the start, refused ones included.
    #[serde(default)]
    pub commands: u64,
    /// Transactions that carried them; fewer than commands when many waited together.
    #[serde(default)]
    pub commits: u64,
    /// Rows that could not be read since the start and are not in quarantine yet.
    #[serde(default)]
    pub unreadable_rows: u64,
    /// Rows in quarantine, those that stay in their tables included.
    #[serde(default)]
    pub quarantined_rows: u64,
}
