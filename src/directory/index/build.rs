//! Builds an index from all that the store holds, which comes in the order of its keys: cards and
//! deals are packed as they come, what is sorted otherwise is gathered and sorted at the end.
//!
//! Deals are to come first: what is gathered of them is given back before the cards come, so that
//! loading takes little more memory than what it makes.

use super::map::{MapBuilder, PackedMap};
use super::record::{newest_of, phone_card_key, phone_word, put_card_fields, put_deal_fields};
use super::{CARD_LEAF_BYTES, Index, SET_LEAF_BYTES};
use crate::store::directory::{DirectoryChunk, DirectoryPart};

/// Takes chunks, gives an index.
pub struct IndexBuilder {
    cards: MapBuilder,
    phones: Phones,
    deals: MapBuilder,
    newest: Gathered,
    newest_made: Option<PackedMap>,
    value: Vec<u8>,
}

impl IndexBuilder {
    /// Begins; `cards` is about how many cards will come.
    pub fn new(cards: usize) -> Self {
        Self {
            cards: MapBuilder::new(CARD_LEAF_BYTES),
            phones: Phones {
                numbered: Vec::with_capacity(cards),
                others: Gathered::default(),
            },
            deals: MapBuilder::new(SET_LEAF_BYTES),
            newest: Gathered::default(),
            newest_made: None,
            value: Vec::new(),
        }
    }

    /// Takes the next chunk of a part; a row that cannot be read is not there.
    pub fn add(&mut self, part: DirectoryPart, chunk: &DirectoryChunk) {
        match part {
            DirectoryPart::Cards => self.add_cards(chunk),
            DirectoryPart::Deals => self.add_deals(chunk),
        }
    }

    fn add_cards(&mut self, chunk: &DirectoryChunk) {
        if self.newest_made.is_none() {
            self.newest_made = Some(std::mem::take(&mut self.newest).into_map());
        }
        for card in chunk.cards().filter_map(|card| card.fields()) {
            self.value.clear();
            if put_card_fields(&mut self.value, &card).is_some() {
                self.cards.push(card.key, &self.value);
                let phones = card.phones().filter_map(phone_word);
                phones.for_each(|phone| self.phones.add(phone, card.key));
            }
        }
    }

    fn add_deals(&mut self, chunk: &DirectoryChunk) {
        let deals = chunk.deals().filter_map(|deal| deal.fields());
        for deal in deals.filter(|deal| deal.open) {
            self.value.clear();
            if put_deal_fields(&mut self.value, &deal).is_some() {
                self.deals.push(deal.key, &self.value);
                if let Some((keys, responsible)) = newest_of(deal.key, &self.value) {
                    keys.iter()
                        .for_each(|key| self.newest.push(key, responsible));
                }
            }
        }
    }

    /// Returns the index.
    pub fn finish(self) -> Index {
        Index {
            cards: self.cards.finish(),
            phones: self.phones.into_map(),
            deals: self.deals.finish(),
            newest: match self.newest_made {
                Some(made) => made,
                None => self.newest.into_map(),
            },
        }
    }
}

/// Pairs of a number and a card.
struct Phones {
    /// With cards whose key fits a number, which are all in the usual CRMs: sixteen bytes a pair,
    /// and sorted in no time.
    numbered: Vec<(u64, u64)>,
    others: Gathered,
}

/// Bits of an id beside the sort of its card.
const ID_BITS: u32 = 60;

/// Returns a card's key as a number that sorts as the keys do.
fn card_word(key: &[u8]) -> Option<u64> {
    let [entity, length, id @ ..] = key else {
        return None;
    };
    if id.len() > 8 || usize::from(*length) != id.len() {
        return None;
    }
    let id = id
        .iter()
        .fold(0_u64, |id, byte| (id << 8) | u64::from(*byte));
    let fits = id >> ID_BITS == 0 && *entity < 16;
    fits.then_some((u64::from(*entity) << ID_BITS) | id)
}

/// Returns the key that such a number stands for.
fn key_of(word: u64) -> Vec<u8> {
    let id = (word & ((1 << ID_BITS) - 1)).to_be_bytes();
    let zeros = id.iter().take_while(|byte| **byte == 0).count();
    let kept = id.get(zeros..).unwrap_or_default();
    // Both are far below 256.
    let mut key = vec![(word >> ID_BITS) as u8, kept.len() as u8];
    key.extend_from_slice(kept);
    key
}

impl Phones {
    fn add(&mut self, phone: u64, card: &[u8]) {
        match card_word(card) {
            Some(word) => self.numbered.push((phone, word)),
            None => self.others.push(&phone_card_key(phone, card), &[]),
        }
    }

    fn into_map(mut self) -> PackedMap {
        self.numbered.sort_unstable();
        // One card may name a number twice.
        self.numbered.dedup();
        let mut others = self.others.sorted().peekable();
        let mut map = MapBuilder::new(SET_LEAF_BYTES);
        for (phone, card) in &self.numbered {
            let key = phone_card_key(*phone, &key_of(*card));
            while let Some((other, _)) = others.next_if(|(other, _)| *other < key.as_slice()) {
                map.push(other, &[]);
            }
            map.push(&key, &[]);
        }
        others.for_each(|(other, _)| map.push(other, &[]));
        map.finish()
    }
}

/// Entries that come in no order, in one piece of memory.
#[derive(Default)]
struct Gathered {
    bytes: Vec<u8>,
    /// Where each begins, where its key ends, where its value ends.
    places: Vec<(usize, usize, usize)>,
}

impl Gathered {
    fn push(&mut self, key: &[u8], value: &[u8]) {
        let begin = self.bytes.len();
        self.bytes.extend_from_slice(key);
        let key_end = self.bytes.len();
        self.bytes.extend_from_slice(value);
        self.places.push((begin, key_end, self.bytes.len()));
    }

    /// Goes through them in the order of their keys, each key once.
    fn sorted(&mut self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let bytes = &self.bytes;
        let key = |place: &(usize, usize, usize)| bytes.get(place.0..place.1).unwrap_or_default();
        self.places.sort_unstable_by(|a, b| key(a).cmp(key(b)));
        self.places.dedup_by(|a, b| key(a) == key(b));
        self.places.iter().map(|(begin, key_end, end)| {
            let key = self.bytes.get(*begin..*key_end).unwrap_or_default();
            (key, self.bytes.get(*key_end..*end).unwrap_or_default())
        })
    }

    fn into_map(mut self) -> PackedMap {
        let mut map = MapBuilder::new(SET_LEAF_BYTES);
        self.sorted().for_each(|(key, value)| map.push(key, value));
        map.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_with_an_ordinary_id_is_one_number_and_back() {
        for id in [vec![], vec![1], vec![7; 4], vec![15, 255, 0, 0, 0, 0, 0, 1]] {
            let key = [&[3, id.len() as u8], id.as_slice()].concat();
            let word = card_word(&key).expect("fits");
            assert_eq!(key_of(word), key);
        }
        for key in [
            &[0, 255, 1, b'a'][..],
            &[0, 8, 16, 0, 0, 0, 0, 0, 0, 0],
            &[],
        ] {
            assert_eq!(card_word(key), None, "{key:?}");
        }
    }
}
