//! The directory in memory, of one portal: who has a number, and whose deal is open.
//!
//! Four packed maps (see [`record`] for what is in them) that share with their earlier versions
//! what did not change. An [`Index`] never changes for who holds it: [`Index::with`] makes a new
//! one, at the price of what it touches. It knows nothing of the store's times and of publishing.

mod build;
mod compare;
mod leaf;
mod map;
mod record;
#[cfg(test)]
mod tests;

use std::cmp::Reverse;
use std::collections::BTreeMap;

pub use build::IndexBuilder;
pub use compare::Comparison;

use crate::model::directory::{DirectoryCard, DirectoryChange, DirectoryDeal};
use crate::model::phone::Phone;
use crate::model::plan::{Card, Entity};
use crate::store::directory::CARDS_MAX;

use super::known::{KnownClient, OpenDeal};
use map::{Edit, PackedMap};
use record::{
    card_key, card_value, client, deal_value, newest, newest_of, phone_card_key, phone_key,
    phone_of, phones_in, phones_of,
};

/// A card takes some 60 bytes, a number 10, and a leaf some 60 of its own: smaller leaves are
/// searched and copied in less time, and weigh more.
const CARD_LEAF_BYTES: usize = 1280;
const SET_LEAF_BYTES: usize = 512;

/// Who the clients of a portal are.
#[derive(Debug, Clone)]
pub struct Index {
    cards: PackedMap,
    phones: PackedMap,
    deals: PackedMap,
    newest: PackedMap,
}

impl Default for Index {
    fn default() -> Self {
        Self {
            cards: PackedMap::new(CARD_LEAF_BYTES),
            phones: PackedMap::new(SET_LEAF_BYTES),
            deals: PackedMap::new(SET_LEAF_BYTES),
            newest: PackedMap::new(SET_LEAF_BYTES),
        }
    }
}

/// How much an index holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct IndexSize {
    /// Client cards.
    pub cards: usize,
    /// Pairs of a number and a card that has it.
    pub phones: usize,
    /// Open deals.
    pub open_deals: usize,
}

impl Index {
    /// Returns the cards that have the number, most recently updated first, with the newest open
    /// deal of each; at the most [`CARDS_MAX`], since a number on more cards identifies nobody.
    pub fn clients(&self, phone: &Phone) -> Vec<KnownClient> {
        let mut found = Vec::new();
        let Some(beginning) = phone_key(phone) else {
            return found;
        };
        let mut entries = self.phones.from(&beginning);
        while let Some((key, _)) = entries.next() {
            let Some(card) = key.strip_prefix(&beginning) else {
                break;
            };
            if found.len() >= CARDS_MAX {
                break;
            }
            let value = self.cards.get(card);
            let known = value.and_then(|value| client(card, value, self.newest_deal(card)));
            if let Some(known) = known {
                // Most numbers are on one card.
                found.reserve_exact(usize::from(found.is_empty()));
                found.push(known);
            }
        }
        found.sort_by_key(|client| Reverse(client.updated_at));
        found
    }

    /// Returns the numbers after one, each once and in their order, at most `max`.
    pub fn numbers(&self, after: Option<&Phone>, max: usize) -> Vec<Phone> {
        let mut found = Vec::new();
        let mut last = after.and_then(phone_key);
        let mut entries = self
            .phones
            .from(last.as_ref().map_or(&[], |key| key.as_slice()));
        while found.len() < max
            && let Some((key, _)) = entries.next()
        {
            let key = key.first_chunk().copied();
            if key != last {
                found.extend(key.and_then(phone_of));
                last = key;
            }
        }
        found
    }

    fn newest_deal(&self, card: &[u8]) -> Option<OpenDeal> {
        if self.newest.len() == 0 {
            return None;
        }
        let mut entries = self.newest.from(card);
        let (key, value) = entries.next()?;
        newest(key.strip_prefix(card)?, value)
    }

    /// Returns how much it holds.
    pub fn size(&self) -> IndexSize {
        IndexSize {
            cards: self.cards.len(),
            phones: self.phones.len(),
            open_deals: self.deals.len(),
        }
    }

    /// Says whether it holds nothing.
    pub fn is_empty(&self) -> bool {
        self.size() == IndexSize::default()
    }

    /// Returns the index after these changes, in their order: of several pictures of one record
    /// the last one stands.
    pub fn with<'c>(&self, changes: impl IntoIterator<Item = &'c DirectoryChange>) -> Self {
        let (cards, deals) = last_pictures(changes);
        let (cards, phones) = self.card_edits(cards);
        let (deals, newest) = self.deal_edits(deals);
        Self {
            cards: self.cards.with(&cards),
            phones: self.phones.with(&phones),
            deals: self.deals.with(&deals),
            newest: self.newest.with(&newest),
        }
    }

    /// Returns the edits of cards and of numbers.
    fn card_edits(&self, cards: Pictures<&DirectoryCard>) -> (Vec<Edit>, Vec<Edit>) {
        let (mut edits, mut phones) = (Vec::with_capacity(cards.len()), Vec::new());
        for (key, card) in cards {
            let value = card.and_then(card_value);
            let before = self.cards.get(&key).map(phones_in).unwrap_or_default();
            let after = card.filter(|_| value.is_some()).map(phones_of);
            let after = after.unwrap_or_default();
            let mut edit_phone = |phone: u64, value| {
                let key = phone_card_key(phone, &key);
                phones.push(Edit { key, value });
            };
            before.difference(&after).for_each(|p| edit_phone(*p, None));
            let new = after.difference(&before);
            new.for_each(|p| edit_phone(*p, Some(Vec::new())));
            edits.push(Edit { key, value });
        }
        phones.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        (edits, phones)
    }

    /// Returns the edits of open deals and of the newest by card.
    fn deal_edits(&self, deals: Pictures<&DirectoryDeal>) -> (Vec<Edit>, Vec<Edit>) {
        let mut edits = Vec::with_capacity(deals.len());
        let mut newest = BTreeMap::new();
        for (key, deal) in deals {
            let open = deal.filter(|deal| deal.deal.open);
            let value = open.and_then(deal_value);
            let before = self.deals.get(&key);
            if let Some((gone, _)) = before.and_then(|value| newest_of(&key, value)) {
                newest.extend(gone.into_iter().map(|key| (key, None)));
            }
            let after = value.as_deref().and_then(|value| newest_of(&key, value));
            if let Some((new, responsible)) = after {
                let value = Some(responsible.to_vec());
                newest.extend(new.into_iter().map(|key| (key, value.clone())));
            }
            edits.push(Edit { key, value });
        }
        let newest = newest.into_iter().map(|(key, value)| Edit { key, value });
        (edits, newest.collect())
    }
}

/// Records by key: what stands of them in the end, `None` for what is gone.
type Pictures<T> = BTreeMap<Vec<u8>, Option<T>>;

fn last_pictures<'c>(
    changes: impl IntoIterator<Item = &'c DirectoryChange>,
) -> (Pictures<&'c DirectoryCard>, Pictures<&'c DirectoryDeal>) {
    let (mut cards, mut deals) = (Pictures::new(), Pictures::new());
    for change in changes {
        match change {
            DirectoryChange::Card(card) => {
                cards.extend(card_key(&card.card).map(|key| (key, Some(card))));
            }
            DirectoryChange::Deal(deal) => {
                let record = deal_record(&deal.deal.id);
                deals.extend(card_key(&record).map(|key| (key, Some(deal))));
            }
            DirectoryChange::Gone { card } if card.entity == Entity::Deal => {
                deals.extend(card_key(card).map(|key| (key, None)));
            }
            DirectoryChange::Gone { card } => {
                cards.extend(card_key(card).map(|key| (key, None)));
            }
        }
    }
    (cards, deals)
}

fn deal_record(id: &str) -> Card {
    Card {
        entity: Entity::Deal,
        id: id.to_owned(),
    }
}
