//! The door through which a phone system takes deals, to show what calls and chats came to.

use std::time::Duration;

use futures_util::future::BoxFuture;

use crate::model::communication::Kind;
use crate::model::deal::Deal;
use crate::model::ids::CommunicationKey;
use crate::model::timestamp::Timestamp;

/// Takes deals. Taking one again changes nothing.
pub trait DealTaker: Send + Sync {
    /// Returns how many are taken at once.
    fn batch_max(&self) -> usize;

    /// Makes a place for the deals of a pipeline. Safe to repeat.
    fn prepare(&self, funnel: DealFunnel) -> BoxFuture<'_, Result<(), TakeError>>;

    /// Takes deals, all or none.
    fn take(&self, deals: Vec<DealToTake>) -> BoxFuture<'_, Result<(), TakeError>>;
}

/// A place for deals: a pipeline with three stages, in work, success and refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DealFunnel {
    /// Our key of it.
    pub key: String,
    /// What it is called.
    pub name: String,
}

/// A deal to be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DealToTake {
    /// Our key of it.
    pub key: String,
    /// The key of its funnel.
    pub funnel: String,
    /// The deal.
    pub deal: Deal,
    /// When it came to its stage.
    pub stage_since: Timestamp,
    /// The communication of this source that it came of.
    pub communication: Option<(Kind, CommunicationKey)>,
}

/// Why deals were not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TakeError {
    /// One of them is wrong: the others may be taken without it.
    #[error("{0}")]
    Refused(String),
    /// Nothing can be taken now. Try again, where a time is given not earlier.
    #[error("{why}")]
    NotNow {
        /// Why.
        why: String,
        /// After this.
        wait: Option<Duration>,
    },
}
