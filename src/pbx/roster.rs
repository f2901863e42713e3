//! The door through which a source lists who and what it has.

use futures_util::future::BoxFuture;

use crate::model::roster::Roster;

/// Lists the people, groups and numbers of a phone system, and changes nothing there.
pub trait RosterReader: Send + Sync {
    /// Reads all of it, within half a minute.
    fn read(&self) -> BoxFuture<'_, Result<Roster, RosterError>>;
}

/// Why nothing was listed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RosterError {
    /// The settings of the source do not say how to ask.
    #[error("{0}")]
    NotConfigured(String),
    /// It could not be reached, or did not answer in time. Try again.
    #[error("{0}")]
    Unreachable(String),
    /// It refuses us: a person must act.
    #[error("{0}")]
    Refused(String),
    /// It asks for a pause.
    #[error("the phone system takes no more questions for now: {0}")]
    Busy(String),
    /// Its answer cannot be read.
    #[error("{0}")]
    Unreadable(String),
}
