//! Finds what an index holds otherwise than the store, chunk by chunk: who lost the thread of the
//! changes takes it up again without a second index beside the first.

use super::Index;
use super::map::PackedMap;
use super::record::{put_card_fields, put_deal_fields};
use crate::model::directory::DirectoryChange;
use crate::store::directory::{DirectoryChunk, DirectoryPart};
use crate::store::packing::Unpack;

/// A comparison of one part with the store's, from its first record to its last.
#[derive(Debug)]
pub struct Comparison {
    part: DirectoryPart,
    /// The last record that was compared.
    after: Vec<u8>,
}

impl Comparison {
    /// Begins.
    pub fn new(part: DirectoryPart) -> Self {
        Self {
            part,
            after: Vec::new(),
        }
    }

    /// Compares the next chunk of the part; returns the changes that make the index hold what it
    /// holds.
    pub fn differences(&mut self, index: &Index, chunk: &DirectoryChunk) -> Vec<DirectoryChange> {
        let map = match self.part {
            DirectoryPart::Cards => &index.cards,
            DirectoryPart::Deals => &index.deals,
        };
        let mut beside = Beside::new(map, &self.after);
        let mut value = Vec::new();
        match self.part {
            DirectoryPart::Cards => {
                for card in chunk.cards() {
                    value.clear();
                    let fields = card.fields();
                    let readable = fields.and_then(|fields| put_card_fields(&mut value, &fields));
                    if beside.differs(card.key(), readable.map(|()| value.as_slice())) {
                        beside
                            .changes
                            .extend(card.unpack().map(DirectoryChange::Card));
                    }
                }
            }
            DirectoryPart::Deals => {
                for deal in chunk.deals() {
                    value.clear();
                    let open = deal.fields().filter(|fields| fields.open);
                    let open = open.and_then(|fields| put_deal_fields(&mut value, &fields));
                    if beside.differs(deal.key(), open.map(|()| value.as_slice())) {
                        beside
                            .changes
                            .extend(deal.unpack().map(DirectoryChange::Deal));
                    }
                }
            }
        }
        if chunk.next.is_none() {
            beside.rest_is_gone();
        }
        self.after = beside.at;
        beside.changes
    }
}

/// Goes through a map beside the store's records.
struct Beside<'a> {
    entries: super::map::Cursor<'a>,
    /// The entry that was reached: not before the store's record.
    entry: Option<(Vec<u8>, &'a [u8])>,
    /// The last record that was compared.
    at: Vec<u8>,
    changes: Vec<DirectoryChange>,
}

impl<'a> Beside<'a> {
    fn new(map: &'a PackedMap, after: &[u8]) -> Self {
        let mut beside = Self {
            entries: map.from(after),
            entry: None,
            at: after.to_vec(),
            changes: Vec::new(),
        };
        beside.go_on();
        while beside.entry.as_ref().is_some_and(|(key, _)| key == after) {
            beside.go_on();
        }
        beside
    }

    fn go_on(&mut self) {
        let entry = self.entries.next();
        self.entry = entry.map(|(key, value)| (key.to_vec(), value));
    }

    /// Says whether the store's record is another than the index's, `None` standing for one that
    /// has no place in the index. What the index holds before it is gone.
    fn differs(&mut self, key: &[u8], value: Option<&[u8]>) -> bool {
        while let Some((own, _)) = self.entry.as_ref().filter(|(own, _)| own.as_slice() < key) {
            self.changes.extend(gone(own));
            self.go_on();
        }
        self.at.clear();
        self.at.extend_from_slice(key);
        let own = self.entry.take_if(|(own, _)| own == key);
        if own.is_some() {
            self.go_on();
        }
        match (own, value) {
            (Some((_, own)), Some(value)) => own != value,
            (Some((own, _)), None) => {
                self.changes.extend(gone(&own));
                false
            }
            (None, value) => value.is_some(),
        }
    }

    fn rest_is_gone(&mut self) {
        while let Some((own, _)) = &self.entry {
            self.changes.extend(gone(own));
            self.go_on();
        }
    }
}

fn gone(key: &[u8]) -> Option<DirectoryChange> {
    let card = Unpack(key).card()?;
    Some(DirectoryChange::Gone { card })
}
