//! What the store keeps of a portal's directory, as values: batches of changes, the state of the
//! sync that is committed with them, and what can be asked.
//!
//! The directory can be read anew from the CRM at any time, so its rows are packed and a row that
//! cannot be read is simply not there.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub(crate) use super::directory_pack::{CardFields, DealFields};
pub use super::directory_pack::{PackedCard, PackedDeal};
use crate::model::directory::{DirectoryCard, DirectoryChange};
use crate::model::facts::DealFact;
use crate::model::ids::PortalKey;
use crate::model::phone::Phone;
use crate::model::plan::{Card, Entity};
use crate::model::timestamp::Timestamp;

/// Where the sync of a portal's directory stands. Cursor and mark are the adapter's own.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DirectoryState {
    /// The reading of everything that is under way.
    #[serde(default)]
    pub pass: Option<FullPass>,
    /// Where the next change poll goes on; `None` until everything was read once.
    #[serde(default)]
    pub mark: Option<Value>,
    /// Everything that the CRM held at this time, by our clock, is here; `None` until everything
    /// was read once.
    #[serde(default)]
    pub complete_as_of: Option<Timestamp>,
    /// When the last reading of everything that came to its end began.
    #[serde(default)]
    pub full_at: Option<Timestamp>,
}

/// A reading of everything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FullPass {
    /// When it began.
    pub begun_at: Timestamp,
    /// Where it goes on; `None` = at the beginning.
    pub cursor: Option<Value>,
    /// Records read so far.
    pub read: u64,
    /// Records found in it that had been missed, or were gone, so far.
    #[serde(default)]
    pub repaired: u64,
}

/// Changes of one portal, with the state that follows from having them: one transaction.
#[derive(Debug, Clone, PartialEq)]
pub struct DirectoryBatch {
    /// The portal.
    pub portal: PortalKey,
    /// The changes, in order.
    pub changes: Vec<DirectoryChange>,
    /// The new state of the sync; `None` leaves it as it is.
    pub state: Option<DirectoryState>,
}

/// What became of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DirectoryApplied {
    /// Changes that made a difference.
    pub changed: u64,
    /// Changes that were known already, or older than what is known.
    pub known: u64,
}

/// A directory's state with its size.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct StoredDirectory {
    /// The sync's state.
    pub state: DirectoryState,
    /// Client cards.
    pub cards: u64,
    /// Deals.
    pub deals: u64,
}

/// Who has one of these addresses?
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectoryQuery {
    /// The portal.
    pub portal: PortalKey,
    /// Numbers.
    pub phones: Vec<Phone>,
    /// E-mail addresses, lower case.
    pub emails: Vec<String>,
    /// Deals of the cards are wanted too.
    pub deals: bool,
    /// Records that ought to be here: which are not?
    pub expected: Vec<Card>,
}

/// What the directory says about a client, at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectoryAnswer {
    /// The sync's state at that moment.
    pub state: DirectoryState,
    /// Cards with one of the addresses, most recently updated first.
    pub cards: Vec<KnownCard>,
    /// The expected records that are not here.
    pub missing: Vec<Card>,
}

/// A card with its deals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownCard {
    /// The card.
    pub card: DirectoryCard,
    /// Its deals, newest first; at the most [`DEALS_MAX`].
    pub deals: Vec<DealFact>,
}

/// The most deals of one card that an answer holds: nobody's open deal lies further back.
pub const DEALS_MAX: usize = 200;

/// The most cards that one answer holds: a number on more cards than this identifies nobody.
pub const CARDS_MAX: usize = 100;

/// Changes that are on disk, in the order of their commits: the directory's index follows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectoryFeed {
    /// The portal.
    pub portal: PortalKey,
    /// What changed; nothing, where only `complete_as_of` did.
    pub changes: Arc<[DirectoryChange]>,
    /// The sync's own, as it was committed with the changes.
    pub complete_as_of: Option<Timestamp>,
}

/// Batches that may wait for one who follows them. Who falls further behind is told so, and
/// reads everything anew.
pub const FEED_BATCHES_MAX: usize = 256;

/// Which rows a chunk holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DirectoryPart {
    /// Client cards.
    Cards,
    /// Deals.
    Deals,
}

/// A piece of a portal's directory, for loading all of it without holding the database back.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DirectoryChunk {
    /// Keys (without the portal) and rows, one after the other.
    pub(super) bytes: Vec<u8>,
    /// The ends of key and row of each record in `bytes`.
    pub(super) ends: Vec<(usize, usize)>,
    /// Where to go on; `None` when this is the last piece.
    pub next: Option<DirectoryPlace>,
}

/// A place in the directory's order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectoryPlace(pub(super) Vec<u8>);

impl DirectoryChunk {
    /// Returns how many records it holds.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Says whether it holds nothing.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    fn pairs(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let mut begin = 0;
        self.ends.iter().filter_map(move |(key_end, end)| {
            let key = self.bytes.get(begin..*key_end);
            let row = self.bytes.get(*key_end..*end);
            begin = *end;
            key.zip(row)
        })
    }

    /// Goes through a chunk of [`DirectoryPart::Cards`].
    pub fn cards(&self) -> impl Iterator<Item = PackedCard<'_>> {
        self.pairs().map(|(key, row)| PackedCard { key, row })
    }

    /// Goes through a chunk of [`DirectoryPart::Deals`].
    pub fn deals(&self) -> impl Iterator<Item = PackedDeal<'_>> {
        self.pairs().map(|(key, row)| PackedDeal { key, row })
    }
}

/// A range of ids of one sort of record, as the CRM's list covers it: which of them are known?
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectoryRange {
    /// The portal.
    pub portal: PortalKey,
    /// The sort.
    pub entity: Entity,
    /// Ids after this one; `None` = from the first.
    pub after: Option<String>,
    /// Up to this one, included; `None` = to the last.
    pub up_to: Option<String>,
    /// At the most so many.
    pub limit: usize,
}
