//! What can go wrong with the store, in the words of its callers. No type of the database stands
//! here.

use std::path::PathBuf;

use super::command::WorkId;
use crate::model::ids::{CommunicationKey, SourceKey};
use crate::model::plan::Role;

/// Why a command or a read was refused. A refused command wrote nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The writer's queue is at its bound. Only `accept` says so; every other command waits.
    #[error("the store's queue is full: try again later")]
    Full,
    /// The store has ended. Whether a command that waited for its answer was carried out is not
    /// known: the next start shows it.
    #[error("the store is closed")]
    Closed,
    /// Another actor has claimed the integration since: stop and claim anew.
    #[error("another actor has claimed the integration since")]
    Fenced,
    /// There is no open work of this number.
    #[error("there is no open work {0}")]
    NoWork(WorkId),
    /// The work is decided already and cannot be deferred.
    #[error("work {0} is decided already")]
    Decided(WorkId),
    /// The work is not decided yet and cannot be closed.
    #[error("work {0} is not decided yet")]
    Undecided(WorkId),
    /// The work has gained an address since it was begun: it stands in other lanes now.
    #[error("work {0} has gained an address since it was begun")]
    Gained(WorkId),
    /// The decision or a step of it names another work or phase than the command.
    #[error("the decision of work {0} names another work or phase")]
    Mismatch(WorkId),
    /// The ledger has a step of this role already.
    #[error("the ledger has a step {0} already")]
    StepExists(Role),
    /// The step was sent, so that another may not take its place.
    #[error("step {0} was sent and cannot be replaced")]
    StepSent(Role),
    /// The step stands in a final state.
    #[error("step {0} is final")]
    StepFinal(Role),
    /// The ledger has no step of this role.
    #[error("the ledger has no step {0}")]
    NoStep(Role),
    /// The step is no dead letter.
    #[error("step {0} is not a dead letter")]
    NotDead(Role),
    /// A step of the work is not final, so that it cannot be closed.
    #[error("step {role} of work {work} is not final")]
    StepOpen {
        /// The work.
        work: WorkId,
        /// The step.
        role: Role,
    },
    /// The communication is not stored, or not any more.
    #[error("communication {0} is not stored")]
    NoCommunication(CommunicationKey),
    /// A source reported a communication whose key is not its own.
    #[error("source {source_key} reported {key}, which is not its own")]
    WrongSource {
        /// Who reported.
        source_key: SourceKey,
        /// What.
        key: CommunicationKey,
    },
    /// The credential was sealed with another key, or its row is damaged.
    #[error("credential {name} cannot be opened with the store's key: enter it again")]
    WrongKey {
        /// The credential's name.
        name: String,
    },
    /// There is no row of this number in quarantine.
    #[error("there is no row {0} in quarantine")]
    NotInQuarantine(u64),
    /// The present build cannot read the row either.
    #[error(
        "row {key} of table {table} (number {id}) cannot be read by this version: install the one that wrote it, put a backup back, or drop the row"
    )]
    StillUnreadable {
        /// Its number in quarantine.
        id: u64,
        /// Its table.
        table: &'static str,
        /// Its key.
        key: String,
    },
    /// Another row stands in its place by now.
    #[error(
        "row {key} of table {table} (number {id}) was written anew since: export it if it is needed, and drop it"
    )]
    PlaceTaken {
        /// Its number in quarantine.
        id: u64,
        /// Its table.
        table: &'static str,
        /// Its key.
        key: String,
    },
    /// A stored row cannot be read, and guessing what it said would be wrong.
    #[error("row {key} of table {table} cannot be read")]
    Unreadable {
        /// The table.
        table: &'static str,
        /// The row's key.
        key: String,
    },
}

/// Why the store was not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder is missing: the package or the administrator makes it.
    #[error("the folder of the store {0:?} does not exist: create it for the user trunkline")]
    NoFolder(PathBuf),
    /// Another process has it open.
    #[error("the store is in use by another process: stop it first")]
    InUse,
    /// A later version of Trunkline has written it.
    #[error(
        "the store has schema {found}, this version knows up to {known}: install the version that wrote it, or a later one"
    )]
    Newer {
        /// The schema's number in the store.
        found: u64,
        /// The highest number that this version reads.
        known: u64,
    },
    /// It was made with another key. Nothing was changed.
    #[error("the store was made with another key: give the key that belongs to it")]
    WrongKey,
    /// It is no store of ours, or is damaged.
    #[error("the file is no store, or is damaged ({0}): restore a backup")]
    Damaged(String),
    /// The disk or the file system refused.
    #[error("open the store: {0}")]
    Io(#[from] std::io::Error),
    /// The writer's thread could not be started.
    #[error("start the store's thread: {0}")]
    Thread(std::io::Error),
}

/// Why the store ended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreEnd {
    /// It was told to end, or nobody holds a handle any more.
    #[error("the store was closed")]
    Closed,
    /// The disk or the database failed: the process must end, so that the next start opens the
    /// file anew.
    #[error("the store failed: {0}")]
    Failed(String),
    /// The writer's thread panicked: a mistake of ours. The process must end.
    #[error("the store's thread panicked")]
    Panicked,
}

/// What stops a command inside the writer, or a read.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The command is refused; its neighbours are not concerned.
    Refused(StoreError),
    /// The database failed: the store ends.
    Fatal(String),
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Trouble::Refused(error)
    }
}

macro_rules! fatal {
    ($($error:ty),*) => {$(
        impl From<$error> for Trouble {
            fn from(error: $error) -> Self {
                Trouble::Fatal(error.to_string())
            }
        }
    )*};
}

fatal!(
    redb::StorageError,
    redb::TableError,
    redb::TransactionError,
    redb::CommitError,
    redb::SetDurabilityError
);
