//! A sorted map from bytes to bytes that is packed, immutable and shared: a changed map has the
//! leaves that did not change in common with the one that it was made from.
//!
//! ```text
//! root     -> branches (some dozens of leaves each) -> leaves (about one leaf size each)
//! changed: the leaf that holds the key, its branch, the root; everything else is shared
//! ```
//!
//! Nothing is patched in place, so readers go on with the map they hold; and there is no second
//! structure for what is new, so a change takes no more memory than what it touches.

use std::sync::Arc;

use super::leaf::{Entries, Key, LeafWriter, first_key, seek};

/// Leaves of a branch: above it is cut in even parts, below it is joined with its neighbour. A
/// change copies the pointers of one branch and of the root, and for each looks into a leaf or a
/// branch that is in no cache: with 256, a page of 250 changes of a million cards came to nearly
/// every leaf that there is; with 32, it comes to a quarter of them.
const LEAVES_MAX: usize = 32;
const LEAVES_MIN: usize = 8;

/// One change: the value that a key has from now on, or none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Edit {
    pub(super) key: Vec<u8>,
    pub(super) value: Option<Vec<u8>>,
}

/// The map.
#[derive(Debug, Clone)]
pub(super) struct PackedMap {
    /// A leaf is about so large: a search goes through half of it, a change copies it.
    leaf_bytes: usize,
    count: usize,
    root: Arc<[Branch]>,
}

#[derive(Debug, Clone)]
struct Branch {
    word: u64,
    leaves: Arc<[Leaf]>,
}

#[derive(Debug, Clone)]
struct Leaf {
    word: u64,
    bytes: Arc<[u8]>,
}

/// Returns the beginning of a key: of two that differ in it, it says which is less.
fn word(key: &[u8]) -> u64 {
    let mut bytes = [0; 8];
    for (to, from) in bytes.iter_mut().zip(key) {
        *to = *from;
    }
    u64::from_be_bytes(bytes)
}

/// What begins with a key.
trait Begins {
    fn word(&self) -> u64;
    fn first_key(&self) -> &[u8];

    fn begins_after(&self, key: &[u8], word: u64) -> bool {
        self.word() > word || (self.word() == word && self.first_key() > key)
    }
}

impl Begins for Leaf {
    fn word(&self) -> u64 {
        self.word
    }

    fn first_key(&self) -> &[u8] {
        first_key(&self.bytes)
    }
}

impl Begins for Branch {
    fn word(&self) -> u64 {
        self.word
    }

    fn first_key(&self) -> &[u8] {
        self.leaves.first().map_or(&[], |leaf| leaf.first_key())
    }
}

/// Returns where a key lies, if it is there.
fn place(parts: &[impl Begins], key: &[u8], word: u64) -> usize {
    // By words alone first: no step of it depends on what is elsewhere in memory.
    let mut after = parts.partition_point(|part| part.word() <= word);
    let last = after.saturating_sub(1);
    if parts.get(last).is_some_and(|part| part.word() == word) {
        after = parts.partition_point(|part| !part.begins_after(key, word));
    }
    after.saturating_sub(1)
}

/// Returns the edits that belong before the next part, and the others.
fn cut<'e>(edits: &'e [Edit], next: Option<&impl Begins>) -> (&'e [Edit], &'e [Edit]) {
    let own = next.map_or(edits.len(), |next| {
        edits.partition_point(|edit| next.begins_after(&edit.key, word(&edit.key)))
    });
    edits.split_at_checked(own).unwrap_or((edits, &[]))
}

impl PackedMap {
    /// Makes an empty map with leaves of about this size.
    pub(super) fn new(leaf_bytes: usize) -> Self {
        Self {
            leaf_bytes,
            count: 0,
            root: Arc::from([]),
        }
    }

    /// Returns how many entries there are.
    pub(super) fn len(&self) -> usize {
        self.count
    }

    /// Returns the value of a key.
    pub(super) fn get(&self, key: &[u8]) -> Option<&[u8]> {
        let word = word(key);
        let branch = self.root.get(place(&self.root, key, word))?;
        let leaf = branch.leaves.get(place(&branch.leaves, key, word))?;
        let found = seek(&leaf.bytes, key)?;
        found.exact.then_some(found.entry.value)
    }

    /// Goes through the entries from the first whose key is not less than this one.
    pub(super) fn from<'a>(&'a self, key: &[u8]) -> Cursor<'a> {
        let word = word(key);
        let branch = place(&self.root, key, word);
        let leaves = self.root.get(branch).map_or(&[][..], |b| &b.leaves);
        let leaf = place(leaves, key, word);
        let mut cursor = Cursor {
            root: &self.root,
            branch,
            leaf,
            key: Key::new(),
            next: None,
            entries: Entries::of(&[]),
        };
        if let Some(found) = leaves.get(leaf).and_then(|leaf| seek(&leaf.bytes, key)) {
            cursor.key.extend_from_slice(key);
            found.entry.turn(&mut cursor.key);
            cursor.next = Some(found.entry.value);
            cursor.entries = found.after;
        }
        cursor
    }

    /// Returns the map with these changes; each key at most once, in ascending order.
    pub(super) fn with(&self, edits: &[Edit]) -> Self {
        if edits.is_empty() {
            return self.clone();
        }
        let mut rewriting = Rewriting::new(self.leaf_bytes, self.count);
        let mut root = Vec::with_capacity(self.root.len().saturating_add(2));
        let mut held = Vec::new();
        if self.root.is_empty() {
            rewriting.merge(&[], edits);
            rewriting.finish_leaf(&mut held);
        }
        let mut edits = edits;
        for (at, branch) in self.root.iter().enumerate() {
            let next = self.root.get(at.saturating_add(1));
            let (own, others) = cut(edits, next);
            edits = others;
            if own.is_empty() && held.is_empty() {
                root.push(branch.clone());
                continue;
            }
            rewriting.branch(branch, own, &mut held);
            if held.len() >= LEAVES_MIN {
                finish_branches(&mut held, &mut root);
            }
        }
        finish_branches(&mut held, &mut root);
        Self {
            leaf_bytes: self.leaf_bytes,
            count: rewriting.count,
            root: Arc::from(root),
        }
    }
}

fn finish_branches(held: &mut Vec<Leaf>, root: &mut Vec<Branch>) {
    let parts = held.len().div_ceil(LEAVES_MAX).max(1);
    for part in held.chunks(held.len().div_ceil(parts).max(1)) {
        root.push(Branch {
            word: part.first().map_or(0, |leaf| leaf.word),
            leaves: Arc::from(part),
        });
    }
    held.clear();
}

/// Writes the leaves that change.
struct Rewriting {
    leaf_bytes: usize,
    count: usize,
    writer: LeafWriter,
    /// The leaf that was ended last.
    leaf: Vec<u8>,
    key: Key,
}

impl Rewriting {
    fn new(leaf_bytes: usize, count: usize) -> Self {
        Self {
            leaf_bytes,
            count,
            writer: LeafWriter::default(),
            leaf: Vec::new(),
            key: Key::new(),
        }
    }

    fn branch(&mut self, branch: &Branch, edits: &[Edit], out: &mut Vec<Leaf>) {
        let mut edits = edits;
        for (at, leaf) in branch.leaves.iter().enumerate() {
            let next = branch.leaves.get(at.saturating_add(1));
            let (own, others) = cut(edits, next);
            edits = others;
            if own.is_empty() && self.writer.len() == 0 {
                out.push(leaf.clone());
                continue;
            }
            self.merge(&leaf.bytes, own);
            // What has become small is joined with the next leaf.
            if self.writer.len() >= self.leaf_bytes / 4 {
                self.finish_leaf(out);
            }
        }
        self.finish_leaf(out);
    }

    /// Writes the entries of a leaf, changed.
    fn merge(&mut self, leaf: &[u8], edits: &[Edit]) {
        self.key.clear();
        let mut edits = edits.iter().peekable();
        for entry in Entries::of(leaf) {
            entry.turn(&mut self.key);
            while let Some(edit) = edits.next_if(|edit| edit.key.as_slice() < self.key.as_slice()) {
                self.insert(edit);
            }
            if let Some(edit) = edits.next_if(|edit| edit.key == self.key.as_slice()) {
                self.count = self.count.saturating_sub(1);
                self.insert(edit);
            } else {
                self.writer.push(&self.key, entry.value);
            }
        }
        for edit in edits {
            self.insert(edit);
        }
    }

    fn insert(&mut self, edit: &Edit) {
        if let Some(value) = &edit.value {
            self.writer.push(&edit.key, value);
            self.count = self.count.saturating_add(1);
        }
    }

    /// Ends the leaf that is being written; one that has become too large is cut in even parts.
    fn finish_leaf(&mut self, out: &mut Vec<Leaf>) {
        let length = self.writer.len();
        if length == 0 {
            return;
        }
        self.writer.finish_into(&mut self.leaf);
        if length <= self.leaf_bytes.saturating_mul(2) {
            out.push(Leaf::of(&self.leaf));
            return;
        }
        let parts = length.div_ceil(self.leaf_bytes).max(1);
        let mut builder = LeafBuilder::new(length.div_ceil(parts));
        self.key.clear();
        for entry in Entries::of(&self.leaf) {
            entry.turn(&mut self.key);
            builder.push(&self.key, entry.value);
        }
        out.extend(builder.finish());
    }
}

impl Leaf {
    fn of(bytes: &[u8]) -> Self {
        Self {
            word: word(first_key(bytes)),
            bytes: Arc::from(bytes),
        }
    }
}

/// Cuts a stream of entries into leaves.
struct LeafBuilder {
    leaf_bytes: usize,
    writer: LeafWriter,
    /// The leaf that was ended last.
    leaf: Vec<u8>,
    leaves: Vec<Leaf>,
}

impl LeafBuilder {
    fn new(leaf_bytes: usize) -> Self {
        Self {
            leaf_bytes,
            writer: LeafWriter::default(),
            leaf: Vec::new(),
            leaves: Vec::new(),
        }
    }

    fn push(&mut self, key: &[u8], value: &[u8]) {
        self.writer.push(key, value);
        if self.writer.len() >= self.leaf_bytes {
            self.finish_leaf();
        }
    }

    fn finish_leaf(&mut self) {
        self.writer.finish_into(&mut self.leaf);
        self.leaves.push(Leaf::of(&self.leaf));
    }

    fn finish(mut self) -> Vec<Leaf> {
        if self.writer.len() > 0 {
            self.finish_leaf();
        }
        self.leaves
    }
}

/// Makes a map of a stream of entries.
pub(super) struct MapBuilder {
    count: usize,
    leaves: LeafBuilder,
}

impl MapBuilder {
    pub(super) fn new(leaf_bytes: usize) -> Self {
        Self {
            count: 0,
            leaves: LeafBuilder::new(leaf_bytes),
        }
    }

    /// Appends an entry; keys come in ascending order.
    pub(super) fn push(&mut self, key: &[u8], value: &[u8]) {
        self.count = self.count.saturating_add(1);
        self.leaves.push(key, value);
    }

    pub(super) fn finish(self) -> PackedMap {
        let leaf_bytes = self.leaves.leaf_bytes;
        let mut leaves = self.leaves.finish();
        let mut root = Vec::new();
        finish_branches(&mut leaves, &mut root);
        PackedMap {
            leaf_bytes,
            count: self.count,
            root: Arc::from(root),
        }
    }
}

/// Goes through a map.
#[derive(Debug)]
pub(super) struct Cursor<'a> {
    root: &'a [Branch],
    branch: usize,
    leaf: usize,
    key: Key,
    /// The value of `key`, which was not given out yet.
    next: Option<&'a [u8]>,
    entries: Entries<'a>,
}

impl<'a> Cursor<'a> {
    /// Goes on to the next entry.
    pub(super) fn next(&mut self) -> Option<(&[u8], &'a [u8])> {
        if let Some(value) = self.next.take() {
            return Some((&self.key, value));
        }
        loop {
            if let Some(entry) = self.entries.next() {
                entry.turn(&mut self.key);
                return Some((&self.key, entry.value));
            }
            self.leaf = self.leaf.saturating_add(1);
            if self.leaf >= self.root.get(self.branch)?.leaves.len() {
                self.branch = self.branch.saturating_add(1);
                self.leaf = 0;
            }
            let leaf = self.root.get(self.branch)?.leaves.get(self.leaf)?;
            self.entries = Entries::of(&leaf.bytes);
            self.key.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    type Model = BTreeMap<Vec<u8>, Vec<u8>>;

    /// Keys that share beginnings longer than a word, some of them long.
    fn key() -> impl Strategy<Value = Vec<u8>> {
        prop_oneof![
            4 => prop::collection::vec(0_u8..4, 0..6),
            1 => prop::collection::vec(0_u8..2, 15..20),
            1 => prop::collection::vec(0_u8..2, 250..252),
        ]
    }

    fn edits() -> impl Strategy<Value = BTreeMap<Vec<u8>, Option<Vec<u8>>>> {
        let value = prop::option::weighted(0.6, prop::collection::vec(any::<u8>(), 0..30));
        prop::collection::btree_map(key(), value, 0..300)
    }

    fn all(map: &PackedMap, from: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
        let mut cursor = map.from(from);
        let mut found = Vec::new();
        while let Some((key, value)) = cursor.next() {
            found.push((key.to_vec(), value.to_vec()));
        }
        found
    }

    fn copied(model: &Model, from: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
        let range = model.range(from.to_vec()..);
        range.map(|(k, v)| (k.clone(), v.clone())).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn a_map_holds_what_an_ordinary_map_holds_and_an_old_one_does_not_change(
            rounds in prop::collection::vec(edits(), 1..6),
            asked in prop::collection::vec(key(), 1..10),
        ) {
            let mut model = Model::new();
            let mut map = PackedMap::new(64);
            for round in rounds {
                let (before, model_before) = (map.clone(), model.clone());
                let edits: Vec<Edit> = round
                    .iter()
                    .map(|(key, value)| Edit { key: key.clone(), value: value.clone() })
                    .collect();
                map = map.with(&edits);
                for (key, value) in round {
                    match value {
                        Some(value) => drop(model.insert(key, value)),
                        None => drop(model.remove(&key)),
                    }
                }
                prop_assert_eq!(all(&before, &[]), copied(&model_before, &[]));
                prop_assert_eq!(all(&map, &[]), copied(&model, &[]));
                prop_assert_eq!(map.len(), model.len());
                for key in &asked {
                    prop_assert_eq!(map.get(key), model.get(key).map(Vec::as_slice));
                    prop_assert_eq!(all(&map, key), copied(&model, key));
                }
                let mut built = MapBuilder::new(64);
                model.iter().for_each(|(key, value)| built.push(key, value));
                prop_assert_eq!(all(&built.finish(), &[]), copied(&model, &[]));
            }
        }
    }

    #[test]
    fn many_entries_come_and_go_and_the_map_stays_packed() {
        let key = |n: u32| n.wrapping_mul(2_654_435_761).to_be_bytes().to_vec();
        let edit = |n: u32, value: Option<&[u8]>| Edit {
            key: key(n),
            value: value.map(<[u8]>::to_vec),
        };
        let sorted = |mut edits: Vec<Edit>| {
            edits.sort_unstable_by(|a, b| a.key.cmp(&b.key));
            edits
        };
        let mut map = PackedMap::new(512);
        for round in 0..100 {
            let new = (0..1000).map(|n| edit(round * 1000 + n, Some(b"12345678")));
            map = map.with(&sorted(new.collect()));
        }
        assert_eq!(map.len(), 100_000);
        let bytes = |map: &PackedMap| -> usize {
            let leaves = map.root.iter().flat_map(|branch| branch.leaves.iter());
            leaves.map(|leaf| leaf.bytes.len() + 48).sum()
        };
        assert!(bytes(&map) < 100_000 * 16, "{}", bytes(&map));
        assert!(map.root.iter().all(|b| b.leaves.len() <= LEAVES_MAX));
        for round in 0..99 {
            let gone = (0..1000).map(|n| edit(round * 1000 + n, None));
            map = map.with(&sorted(gone.collect()));
        }
        assert_eq!(map.len(), 1000);
        assert!(bytes(&map) < 1000 * 24, "{}", bytes(&map));
        assert!((99_000..100_000).all(|n| map.get(&key(n)).is_some()));
    }
}
