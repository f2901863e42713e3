//! How a CRM's clients and deals are read: all of them once, then what changed.

use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serde_json::Value;

use super::Class;
use crate::model::directory::DirectoryChange;
use crate::model::object_reader::Reader;
use crate::model::outcome::{Outcome, Rejection};
use crate::model::plan::{Card, Entity};
use crate::model::secret::Secret;

/// Reads an account's clients and deals. Knows nothing of where they are kept. Cursors and marks
/// are the adapter's own; they outlive restarts.
pub trait DirectoryReader: Send + Sync {
    /// Reads the next piece of everything: one request. Without a cursor it begins.
    fn everything(&self, cursor: Option<Value>) -> BoxFuture<'_, Outcome<Piece>>;

    /// Reads what changed since a mark.
    fn changes(&self, mark: Value, class: Class) -> BoxFuture<'_, Outcome<Changes>>;

    /// Has the CRM tell of changes at an address of ours. Safe to repeat.
    fn subscribe(&self, hook: HookAddress) -> BoxFuture<'_, Outcome<()>> {
        drop(hook);
        let rejection = Rejection {
            code: "no_hooks".to_owned(),
            message: "this CRM does not tell of changes".to_owned(),
        };
        async move { Outcome::Rejected(rejection) }.boxed()
    }

    /// Reads records anew, one by one. What is not there any more is told as gone.
    fn anew(&self, cards: Vec<Card>, class: Class) -> BoxFuture<'_, Outcome<Vec<DirectoryChange>>>;
}

/// An address at which a CRM may tell of changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookAddress {
    /// The whole address; a secret stands at its end.
    pub address: Secret,
    /// The address without its secret: other addresses there are our own older ones.
    pub place: String,
}

/// A piece of everything.
#[derive(Debug, Clone, PartialEq)]
pub struct Piece {
    /// Records as they are now.
    pub changes: Vec<DirectoryChange>,
    /// The range of which every record is in `changes`; `None` = nothing can be said of those that
    /// are not.
    pub covered: Option<Covered>,
    /// What is next.
    pub next: PieceNext,
}

/// A range of records of one sort, by their ids in the order in which the CRM numbers them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Covered {
    /// The sort.
    pub entity: Entity,
    /// After this id; `None` = from the first.
    pub after: Option<String>,
    /// Up to this id, included.
    pub up_to: String,
}

/// What follows a piece.
#[derive(Debug, Clone, PartialEq)]
pub enum PieceNext {
    /// Another piece, at this cursor.
    At(Value),
    /// Nothing. Changes since the reading began are read from this mark.
    End {
        /// The mark.
        mark: Value,
    },
}

/// What changed since a mark.
#[derive(Debug, Clone, PartialEq)]
pub enum Changes {
    /// All of it.
    Read {
        /// Records as they are now.
        changes: Vec<DirectoryChange>,
        /// Cards that took over others: those that share an address with them may be gone.
        heirs: Vec<Card>,
        /// Where the next reading goes on.
        mark: Value,
        /// Deletions are among the changes. Otherwise a card of the directory may not be in the CRM
        /// any more, and no step may be planned on it.
        gone_told: bool,
    },
    /// More than is read this way: everything must be read anew.
    TooMany,
}

/// How the directory of an account is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DirectorySettings {
    /// How often changes are asked for.
    pub poll: Duration,
    /// How often everything is read again, to find what no change told of.
    pub repair: Duration,
}

/// How often changes are asked for where nothing is set.
const POLL_SECONDS: u64 = 15;
/// Vendors frown on reading everything often, and changes leave little to be found.
const REPAIR_DAYS: u64 = 7;

const SECONDS_A_DAY: u64 = 24 * 3600;

impl Default for DirectorySettings {
    fn default() -> Self {
        Self {
            poll: Duration::from_secs(POLL_SECONDS),
            repair: Duration::from_secs(REPAIR_DAYS * SECONDS_A_DAY),
        }
    }
}

impl DirectorySettings {
    /// Reads a `directory` table and notes every mistake. `None` = switched off.
    pub(crate) fn read(r: Reader<'_>) -> Option<Self> {
        Self::read_every(r, POLL_SECONDS)
    }

    /// Does the same where changes are asked for every so many seconds unless set.
    pub(crate) fn read_every(mut r: Reader<'_>, poll_seconds: u64) -> Option<Self> {
        let on = r.flag("on", true);
        let poll = r.seconds("poll_seconds", 5..=3600, poll_seconds);
        let repair = r.whole_in("repair_days", 1..=365, REPAIR_DAYS);
        r.finish();
        let repair = Duration::from_secs(repair.saturating_mul(SECONDS_A_DAY));
        on.then_some(Self { poll, repair })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::mistake::Mistake;
    use crate::model::object_reader::read_settings;

    fn read(table: Value) -> Result<Option<DirectorySettings>, Vec<Mistake>> {
        read_settings(&table, |r| Some(DirectorySettings::read(r)))
    }

    #[test]
    fn a_directory_is_on_with_sensible_times_unless_told_otherwise() {
        let read = read(json!({}));
        assert_eq!(read, Ok(Some(DirectorySettings::default())));
        assert_eq!(self::read(json!({"on": false})), Ok(None));
        let set = self::read(json!({"poll_seconds": 60, "repair_days": 1}));
        let wanted = DirectorySettings {
            poll: Duration::from_secs(60),
            repair: Duration::from_secs(24 * 3600),
        };
        assert_eq!(set, Ok(Some(wanted)));
    }

    #[test]
    fn every_mistake_in_the_table_is_named() {
        let table = json!({"on": 1, "poll_seconds": 0, "repair_days": "x", "pol": 1});
        let mistakes = read(table).expect_err("full of mistakes");
        assert_eq!(mistakes.len(), 4);
    }
}
