//! How a CRM's deals are read: what changed since a mark, piece by piece, and single ones anew.
//! Knows nothing of settings, nor of where deals are kept.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serde_json::Value;

use super::HookAddress;
use crate::model::deal::{Deal, DealRecord, StageMove};
use crate::model::outcome::{Outcome, Rejection};
use crate::model::timestamp::Timestamp;

/// Reads an account's deals, in the lowest class of its budget. Cursors and marks are the adapter's
/// own; they outlive restarts.
pub trait DealReader: Send + Sync {
    /// Reads the next piece of what changed: a page and what belongs to it.
    fn changes<'a>(
        &'a self,
        since: DealsSince,
        wanted: &'a DealsWanted,
    ) -> BoxFuture<'a, Outcome<DealPiece>>;

    /// Reads deals anew, one by one. What is not there any more is told as gone.
    fn anew<'a>(
        &'a self,
        ids: Vec<String>,
        wanted: &'a DealsWanted,
    ) -> BoxFuture<'a, Outcome<DealRecords>>;

    /// Reads what pipelines, stages and people are called.
    fn names<'a>(&'a self, wanted: &'a DealsWanted) -> BoxFuture<'a, Outcome<DealNames>>;

    /// Says whether a reading of what changed tells of every deal that is gone. Where it does not,
    /// the deals that are kept are asked about now and then.
    fn tells_gone(&self) -> bool {
        true
    }

    /// Returns which of these are not there any more; at the most [`GONE_IDS_MAX`] are asked about.
    fn gone(&self, ids: Vec<String>) -> BoxFuture<'_, Outcome<Vec<String>>> {
        drop(ids);
        async { Outcome::Done(Vec::new()) }.boxed()
    }

    /// Has the CRM tell of changes at an address of ours, where its directory does not do that
    /// already. Safe to repeat.
    fn subscribe(&self, hook: HookAddress) -> BoxFuture<'_, Outcome<()>> {
        drop(hook);
        let rejection = Rejection {
            code: "no_hooks".to_owned(),
            message: "webhooks of this CRM are set up on its own pages".to_owned(),
        };
        async move { Outcome::Rejected(rejection) }.boxed()
    }
}

/// The most deals that are asked about together, see [`DealReader::gone`].
pub const GONE_IDS_MAX: usize = 100;

/// What is wanted of an account's deals. What is read beside that does no harm, and may cost.
#[derive(Clone)]
pub struct DealsWanted {
    /// Only deals of these pipelines; none = of all.
    pub pipelines: Vec<String>,
    /// The fields that settings name, by id, code or name.
    pub fields: Vec<String>,
    /// What was read before.
    pub known: Arc<dyn KnownDeals>,
}

/// The deals that were read before.
pub trait KnownDeals: Send + Sync {
    /// Returns those of these that are kept, removed ones among them, by id; or why they cannot be
    /// had.
    fn known(&self, ids: Vec<String>) -> BoxFuture<'_, Result<BTreeMap<String, Deal>, String>>;
}

/// Where a reading begins or goes on.
#[derive(Debug, Clone, PartialEq)]
pub enum DealsSince {
    /// For the first time: what changed at or after this time.
    Time(Timestamp),
    /// At the mark of a reading that came to its end.
    Mark(Value),
    /// In the middle of a reading.
    Cursor(Value),
}

/// A piece of what changed.
#[derive(Debug, Clone, PartialEq)]
pub struct DealPiece {
    /// What is in it.
    pub records: DealRecords,
    /// What is next.
    pub next: DealsNext,
}

/// What follows a piece.
#[derive(Debug, Clone, PartialEq)]
pub enum DealsNext {
    /// Another piece, at this cursor.
    At(Value),
    /// Nothing. What changes from now on is read from this mark.
    End(Value),
}

/// Deals as they are now, and how they came there.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DealRecords {
    /// The deals.
    pub deals: Vec<DealRecord>,
    /// Deals that are not there any more.
    pub gone: Vec<String>,
    /// Moves from stage to stage, as far as the CRM tells them.
    pub moves: Vec<StageMove>,
    /// The CRM tells every move. Else one is made of what is seen.
    pub moves_told: bool,
}

/// What things of deals are called, by the CRM's ids.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DealNames {
    /// The pipelines.
    pub pipelines: BTreeMap<String, String>,
    /// The stages, by pipeline and stage.
    pub stages: BTreeMap<(String, String), String>,
    /// The people.
    pub users: BTreeMap<String, String>,
    /// The additional fields of deals.
    pub fields: Vec<DealField>,
    /// The account's currency (ISO 4217), where it has one.
    pub currency: Option<String>,
}

/// An additional field of deals.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DealField {
    /// The CRM's id.
    pub id: String,
    /// The code by which programs name it, where it has one.
    pub code: Option<String>,
    /// The name.
    pub name: String,
}
