//! Quarantine: rows that this build cannot read, taken out of the way of everything else and kept as
//! they are, for a build that reads them or for somebody who looks at them.
//!
//! ```text
//!   found unreadable --- moved here, and the daemon goes on without it ---> put back | dropped
//!                  \---- kept in place, copied here (ledgers, decisions) -> released | dropped
//! ```
//!
//! Ledgers and decisions stay where they are: what was sent to a CRM stands in them, and a row that
//! is gone would be taken for "nothing was sent yet", so that everything would be made once more.
//! Their works stay set aside until a person or a build that reads them says otherwise.
//!
//! Not concerned are credentials, which are sealed and have an alarm of their own, and the packed
//! copy of a CRM's cards, which is read from the CRM again.

mod change;
mod find;
mod handle;
mod shelf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::command::WorkId;
use crate::model::ids::{CommunicationKey, IntegrationKey};
use crate::model::timestamp::Timestamp;

pub(super) use self::change::{
    LazyQuarantine, QuarantineCommand, apply, forget, keep_replaced, sweep,
};
pub(super) use self::find::{Search, find, old, quarantined, rows_about, rows_listed, summary};
pub(super) use self::shelf::QUARANTINE;

/// The store's own number of a row in quarantine; grows.
pub type QuarantineId = u64;

/// A row in quarantine, without its content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct QuarantinedRow {
    /// Its number in quarantine.
    pub id: QuarantineId,
    /// The table from which it is.
    pub table: String,
    /// Its key there, as the log names it.
    pub key: String,
    /// The communication that it belongs to, where that is known.
    pub communication: Option<CommunicationKey>,
    /// The integration that it belongs to, where its key says so.
    pub integration: Option<IntegrationKey>,
    /// When it was found.
    pub at: Timestamp,
    /// Why it cannot be read.
    pub why: String,
    /// Its length, in bytes.
    pub bytes: u64,
    /// It stays in its table, since what was sent to the CRM stands in it; what rests on it is set aside.
    pub kept_in_place: bool,
    /// The present build reads it: it can be put back.
    pub readable: bool,
}

/// How much is in quarantine.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct QuarantineSummary {
    /// How many rows of each table, in order of the tables' names.
    pub tables: Vec<(String, u64)>,
    /// How many of them the present build reads.
    pub readable: u64,
    /// There are more than were counted.
    pub more: bool,
}

/// What a change of the quarantine came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct QuarantineDone {
    /// Rows that were taken in, put back or dropped.
    pub rows: u64,
    /// Open works that may go on because of it.
    pub works: Vec<(IntegrationKey, WorkId)>,
}
