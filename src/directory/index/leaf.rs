//! A leaf of a packed map: entries in the order of their keys, in one piece of memory. A key is kept
//! without the bytes that it shares with the one before. All keys stand before all values: a search
//! goes through keys only, which are short, and comes to one value. Every so many entries a key
//! stands whole, and begins a block: a search steps over the blocks that are less as a whole.
//!
//! ```text
//! leaf   = length of all keys, length of the table, table, keys, values
//! table  = for each block after the first, the lengths of the keys and values of the one before
//! key    = header, rest of the key, length of the value
//! header = shared bytes and length of the rest, four bits each; 0xff: both follow as numbers
//! ```
//!
//! Knows nothing of what keys and values mean. Bytes that are no leaf read as a shorter one.

use smallvec::SmallVec;

use crate::store::packing::{Unpack, put_varint};

/// A key that is being put together. Those that there are fit in place.
pub(super) type Key = SmallVec<[u8; 48]>;

/// Stands before lengths that do not fit four bits.
const WIDE: u8 = 0xff;
/// The first length that does not.
const WIDE_FROM: usize = 15;

/// Entries of a block. A search goes through half of one; the table and the whole key cost some ten
/// bytes: a directory of a million numbers is 2 MB larger with blocks of 16.
const BLOCK_ENTRIES: usize = 32;

/// One entry, its key relative to the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry<'a> {
    /// So many bytes of the key before are the beginning of this one.
    pub(super) shared: usize,
    /// The rest of the key.
    pub(super) rest: &'a [u8],
    pub(super) value: &'a [u8],
}

impl Entry<'_> {
    /// Makes the key of the entry before into this one's.
    pub(super) fn turn(&self, key: &mut Key) {
        key.truncate(self.shared);
        key.extend_from_slice(self.rest);
    }
}

/// Goes through a leaf.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entries<'a> {
    keys: Unpack<'a>,
    values: Unpack<'a>,
}

impl<'a> Entries<'a> {
    const NONE: Self = Self {
        keys: Unpack(&[]),
        values: Unpack(&[]),
    };

    pub(super) fn of(leaf: &'a [u8]) -> Self {
        parts(leaf).map_or(Self::NONE, |(_, entries)| entries)
    }

    /// Begins at the last block that does not begin after the wanted key.
    #[inline]
    fn of_block(leaf: &'a [u8], wanted: &[u8]) -> Option<Self> {
        let (mut blocks, mut entries) = parts(leaf)?;
        while !blocks.0.is_empty() {
            let mut next = entries;
            next.keys.bytes(blocks.length()?)?;
            next.values.bytes(blocks.length()?)?;
            if { next }.next()?.rest > wanted {
                break;
            }
            entries = next;
        }
        Some(entries)
    }
}

/// Returns the table of blocks and all entries.
#[inline]
fn parts(leaf: &[u8]) -> Option<(Unpack<'_>, Entries<'_>)> {
    let mut values = Unpack(leaf);
    let (keys, blocks) = (values.length()?, values.length()?);
    let blocks = Unpack(values.bytes(blocks)?);
    let keys = Unpack(values.bytes(keys)?);
    Some((blocks, Entries { keys, values }))
}

impl<'a> Iterator for Entries<'a> {
    type Item = Entry<'a>;

    // A search is this loop: the call would cost more than what it does.
    #[inline(always)]
    fn next(&mut self) -> Option<Entry<'a>> {
        let (shared, length) = match self.keys.byte()? {
            WIDE => (self.keys.length()?, self.keys.length()?),
            header => (usize::from(header >> 4), usize::from(header & 15)),
        };
        let rest = self.keys.bytes(length)?;
        let length = self.keys.length()?;
        let value = self.values.bytes(length)?;
        Some(Entry {
            shared,
            rest,
            value,
        })
    }
}

/// Where a search came to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found<'a> {
    /// The first entry whose key is not less than the wanted one; it shares its bytes with the
    /// wanted one.
    pub(super) entry: Entry<'a>,
    /// It has the wanted key.
    pub(super) exact: bool,
    /// What comes after it.
    pub(super) after: Entries<'a>,
}

/// Looks for the first entry that is not less than the wanted key; `None` if all are less.
pub(super) fn seek<'a>(leaf: &'a [u8], wanted: &[u8]) -> Option<Found<'a>> {
    let mut entries = Entries::of_block(leaf, wanted)?;
    // The entry before is less than the wanted key, and has so many bytes in common with it.
    let mut matched = 0;
    while let Some(entry) = entries.next() {
        if entry.shared > matched {
            // It differs from the wanted key where the one before did.
            continue;
        }
        let mut exact = false;
        if entry.shared == matched {
            let tail = wanted.get(matched..).unwrap_or_default();
            let common = common_bytes(entry.rest, tail);
            let less = match (entry.rest.get(common), tail.get(common)) {
                (Some(own), Some(wanted)) => own < wanted,
                (None, Some(_)) => true,
                (Some(_), None) => false,
                (None, None) => {
                    exact = true;
                    false
                }
            };
            if less {
                matched = matched.saturating_add(common);
                continue;
            }
        }
        return Some(Found {
            entry,
            exact,
            after: entries,
        });
    }
    None
}

/// Returns the key of the first entry.
pub(super) fn first_key(leaf: &[u8]) -> &[u8] {
    Entries::of(leaf).next().map_or(&[], |entry| entry.rest)
}

fn common_bytes(a: &[u8], b: &[u8]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

/// Writes a leaf.
#[derive(Debug, Default)]
pub(super) struct LeafWriter {
    keys: Vec<u8>,
    values: Vec<u8>,
    last: Key,
    table: Vec<u8>,
    /// Entries of the block that is being written, and where its keys and values begin.
    in_block: usize,
    began: (usize, usize),
}

impl LeafWriter {
    /// Appends an entry; keys come in ascending order.
    pub(super) fn push(&mut self, key: &[u8], value: &[u8]) {
        debug_assert!(
            self.keys.is_empty() || self.last.as_slice() < key,
            "keys ascend"
        );
        if self.in_block == BLOCK_ENTRIES {
            self.begin_block();
        }
        let shared = match self.in_block {
            0 => 0,
            _ => common_bytes(&self.last, key),
        };
        self.in_block = self.in_block.saturating_add(1);
        let rest = key.get(shared..).unwrap_or_default();
        if shared < WIDE_FROM && rest.len() < WIDE_FROM {
            // Both are less than 16.
            self.keys.push(((shared << 4) | rest.len()) as u8);
        } else {
            self.keys.push(WIDE);
            put_varint(&mut self.keys, shared as u64);
            put_varint(&mut self.keys, rest.len() as u64);
        }
        self.keys.extend_from_slice(rest);
        put_varint(&mut self.keys, value.len() as u64);
        self.values.extend_from_slice(value);
        self.last.truncate(shared);
        self.last.extend_from_slice(rest);
    }

    fn begin_block(&mut self) {
        let now = (self.keys.len(), self.values.len());
        put_varint(&mut self.table, now.0.saturating_sub(self.began.0) as u64);
        put_varint(&mut self.table, now.1.saturating_sub(self.began.1) as u64);
        self.began = now;
        self.in_block = 0;
    }

    /// Returns about how many bytes are written.
    pub(super) fn len(&self) -> usize {
        self.keys.len().saturating_add(self.values.len())
    }

    /// Ends the leaf and begins the next. The leaf is written into `out`, which is emptied first.
    pub(super) fn finish_into(&mut self, out: &mut Vec<u8>) {
        out.clear();
        put_varint(out, self.keys.len() as u64);
        put_varint(out, self.table.len() as u64);
        out.append(&mut self.table);
        out.append(&mut self.keys);
        out.append(&mut self.values);
        self.in_block = 0;
        self.began = (0, 0);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_search_stops_at_the_first_entry_that_is_not_less(
            entries in prop::collection::btree_map(key(), prop::collection::vec(0_u8..3, 0..4), 0..90),
            wanted in key(),
        ) {
            let entries: BTreeMap<Vec<u8>, Vec<u8>> = entries;
            let mut writer = LeafWriter::default();
            for (key, value) in &entries {
                writer.push(key, value);
            }
            let mut leaf = Vec::new();
            writer.finish_into(&mut leaf);
            let expected = entries.range(wanted.clone()..).next();
            let found = seek(&leaf, &wanted);
            prop_assert_eq!(Entries::of(&leaf).count(), entries.len());
            prop_assert_eq!(found.is_some(), expected.is_some());
            if let (Some(found), Some((key, value))) = (found, expected) {
                let mut own = Key::from_slice(&wanted);
                found.entry.turn(&mut own);
                prop_assert_eq!(own.as_slice(), key.as_slice());
                prop_assert_eq!(found.entry.value, value.as_slice());
                prop_assert_eq!(found.exact, *key == wanted);
            }
        }

        #[test]
        fn no_bytes_make_a_reader_panic(
            bytes in prop::collection::vec(any::<u8>(), 0..60),
            wanted in key(),
        ) {
            let _ = seek(&bytes, &wanted).map(|found| found.after.count());
        }
    }

    fn key() -> impl Strategy<Value = Vec<u8>> {
        prop::collection::vec(0_u8..3, 0..20)
    }
}
