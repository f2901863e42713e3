//! The deals that came back from CRMs: what can be asked of their tables, as values.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::deal::{Deal, DealState, StageMove};
use crate::model::ids::IntegrationKey;
use crate::model::timestamp::Timestamp;

/// The most deals that one page holds.
pub const DEALS_PAGE_MAX: usize = 500;

/// Changes what is kept of an integration's deals, in one transaction.
#[derive(Debug, Clone, PartialEq)]
pub struct DealBatch {
    /// Whose.
    pub integration: IntegrationKey,
    /// Deals as they are now. Of two pictures the one that was changed later stands; of two that
    /// were changed at one time the one that comes last.
    pub deals: Vec<Deal>,
    /// Deals that are not there any more: kept, as removed.
    pub removed: Vec<String>,
    /// Moves from stage to stage; those of unknown deals are dropped, and one that is known is
    /// not kept twice.
    pub moves: Vec<StageMove>,
    /// The CRM does not tell moves: one is made of every stage that is another than the stored.
    pub derive_moves: bool,
    /// Hints that this answers, with their numbers: one that was given again since stays.
    pub answered: Vec<DealHint>,
    /// How far the reading came.
    pub pull: Option<DealPull>,
    /// Now.
    pub now: Timestamp,
}

/// A word of the CRM that something about a deal changed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DealHint {
    /// The deal.
    pub deal: String,
    /// Grows with every hint.
    pub number: u64,
}

/// How far the reading of deals came. Cursor and mark are the adapter's own.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DealPull {
    /// By which settings the deals are kept as they are: others have all of them read anew.
    #[serde(default)]
    pub settings: Value,
    /// What changed at or after this time was read.
    #[serde(default)]
    pub since: Option<Timestamp>,
    /// Changes are read from this mark.
    pub mark: Option<Value>,
    /// A reading is under way, and goes on here.
    pub cursor: Option<Value>,
    /// When the reading that is under way began.
    pub begun_at: Option<Timestamp>,
    /// When the last reading began that came to its end: what changed before is here.
    pub complete_as_of: Option<Timestamp>,
    /// When a webhook named a deal last.
    #[serde(default)]
    pub heard_at: Option<Timestamp>,
    /// Changes since then that only a reading found.
    #[serde(default)]
    pub unheard: u64,
    /// When it was last made sure that all deals that are kept are still there.
    #[serde(default)]
    pub checked_at: Option<Timestamp>,
}

/// How far deals were passed on to a phone system.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DealUpload {
    /// To where, with everything that what is sent depends on: another begins anew.
    pub target: String,
    /// Changes up to this number were taken.
    pub version: u64,
    /// The places for deals that were made there.
    #[serde(default)]
    pub prepared: Value,
    /// When something was taken last.
    #[serde(default)]
    pub at: Option<Timestamp>,
}

/// Records how far deals were passed on.
#[derive(Debug, Clone, PartialEq)]
pub struct DealUploaded {
    /// Whose.
    pub integration: IntegrationKey,
    /// How far.
    pub upload: DealUpload,
    /// The deals that were taken: what was refused of them before is forgotten.
    pub taken: Vec<String>,
    /// The deals that were refused, with the reason.
    pub refused: Vec<(String, String)>,
}

/// Everything that the writer does about deals.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum DealCommand {
    Batch(DealBatch),
    Hint(IntegrationKey, Vec<String>),
    Uploaded(DealUploaded),
    Remove(Vec<(IntegrationKey, String)>, Timestamp),
}

/// What a batch came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DealsApplied {
    /// Deals and moves that made a difference.
    pub changed: u64,
    /// Those that were known.
    pub known: u64,
}

/// A deal as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StoredDeal {
    /// The deal.
    pub deal: Deal,
    /// The number of its last change; grows over all deals.
    pub version: u64,
    /// When we stored that change.
    pub stored_at: Timestamp,
}

/// How the deals of an integration are getting on.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DealFigures {
    /// Deals that are kept.
    pub deals: u64,
    /// Hints that wait.
    pub hints: u64,
    /// Deals that a phone system refused.
    pub refused: u64,
}

/// Which deals to look for; every given part must match. Newest made first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DealSearch {
    /// Made at or after this time.
    pub from: Option<Timestamp>,
    /// Made before this time.
    pub until: Option<Timestamp>,
    /// Only of this state; without it, all but the removed ones.
    pub state: Option<DealState>,
    /// Only of this pipeline, by id.
    pub pipeline: Option<String>,
    /// Only of this responsible, by id.
    pub responsible: Option<String>,
    /// Only those whose name, id, client or client's number holds this text.
    pub text: Option<String>,
    /// Only those that a phone system refused.
    pub refused: bool,
    /// Goes on after this deal.
    pub after: Option<DealPlace>,
    /// At the most so many; no more than [`DEALS_PAGE_MAX`].
    pub limit: usize,
}

/// Where a deal stands in the order of a search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DealPlace {
    /// When it was made.
    pub created_at: Timestamp,
    /// Its id.
    pub id: String,
}

/// A deal with what a phone system said against it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FoundDeal {
    /// The deal.
    #[serde(flatten)]
    pub stored: StoredDeal,
    /// Why it was refused.
    pub refused: Option<String>,
}

/// One page of a search.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DealPageFound {
    /// What was found.
    pub deals: Vec<FoundDeal>,
    /// Where the next page begins; `None` when everything was looked at.
    pub next: Option<DealPlace>,
}
