//! Reads a tree as a type and names every mistake, where serde stops at the first: what is wrong
//! is reported, taken out of the tree or replaced by a stand-in, and the rest is read again.
//!
//! ```text
//! read --error--> report --> unknown key, wrong value: take it out --> read
//!                       \--> missing key: put a stand-in there    --> read
//! ```

use std::collections::{BTreeMap, HashSet};

use serde::de::DeserializeOwned;

use super::document::{Node, Value};
use super::key_path::{KeyPath, Part};
use super::node_reader::{ReadError, ReadErrorKind};
use super::suggestion;

/// More mistakes than this are not looked for in one file: nobody reads on, and each costs one
/// more reading of the tree.
const MISTAKES_MAX: usize = 200;

/// Repairs of one tree, silent ones included: a stand-in for a table of many keys needs one for
/// each of them. Past it the file counts as unreadable, with the mistakes found so far.
const REPAIRS_MAX: usize = 4 * MISTAKES_MAX;

/// What came of reading.
#[derive(Debug)]
pub(super) struct Reading<T> {
    /// The value, with stand-ins where something was wrong. Absent where nothing could be made
    /// of the tree at all; then at least one mistake stands.
    pub(super) value: Option<T>,
    /// The mistakes, with the ways to them.
    pub(super) mistakes: Vec<(KeyPath, String)>,
    /// What was taken out or replaced by a stand-in: what is said about it later is no news.
    pub(super) touched: HashSet<KeyPath>,
    /// Where the items of lists stand.
    pub(super) places: Places,
}

/// Knows which items of the file's lists were read: those that were not are no longer in the
/// value, and what follows them has moved up.
#[derive(Debug)]
pub(super) struct Places(Node);

impl Places {
    /// Pairs what was read of a list with the ways to it in the file.
    pub(super) fn of<'a, T>(
        &'a self,
        list: &'a KeyPath,
        read: &'a [T],
    ) -> impl Iterator<Item = (KeyPath, &'a T)> {
        let items = self.0.at(list).map_or(&[][..], Node::items);
        items
            .iter()
            .enumerate()
            .filter(|(_, item)| !matches!(item.value, Value::Removed))
            .map(|(index, _)| list.index(index))
            .zip(read)
    }
}

/// Reads a tree.
pub(super) fn read<T: DeserializeOwned>(tree: &Node) -> Reading<T> {
    let mut repaired = tree.clone();
    let mut mistakes = Vec::new();
    let mut touched = HashSet::new();
    let mut meant = HashSet::new();
    let mut value = None;
    for _ in 0..REPAIRS_MAX {
        let error = match T::deserialize(&repaired) {
            Ok(read) => {
                value = Some(read);
                break;
            }
            Err(error) => error,
        };
        let (path, missing) = locate::<T>(&repaired, &error);
        meant.extend(key_meant(&path, &error.kind));
        let misspelt = missing.is_some_and(|key| meant.contains(&path.key(key)));
        let silent = misspelt || is_silent(&repaired, &touched, &path, missing);
        if !silent {
            let shown = match missing {
                Some(key) => path.key(key),
                None => path.clone(),
            };
            mistakes.push((shown, message(&error.kind)));
        }
        if mistakes.len() >= MISTAKES_MAX || !repair(&mut repaired, &mut touched, path, missing) {
            break;
        }
    }
    Reading {
        value,
        mistakes,
        touched,
        places: Places(repaired),
    }
}

/// Returns the key that a mistyped one stands for: that it is missing is no second mistake.
fn key_meant(path: &KeyPath, kind: &ReadErrorKind) -> Option<KeyPath> {
    let ReadErrorKind::UnknownKey { key, known, .. } = kind else {
        return None;
    };
    let (table, _) = path.split_last()?;
    let meant = suggestion::nearest(key, known.iter().copied())?;
    Some(table.key(meant))
}

/// A mistake inside a stand-in, or a key that is missing because we took it out, has been told.
fn is_silent(
    tree: &Node,
    touched: &HashSet<KeyPath>,
    path: &KeyPath,
    missing: Option<&'static str>,
) -> bool {
    let taken_out = missing.is_some_and(|key| touched.contains(&path.key(key)));
    let mut inside = KeyPath::top();
    let mut in_stand_in = touched.contains(&inside);
    for part in path.parts() {
        inside = inside.with(part.clone());
        in_stand_in |= touched.contains(&inside) && tree.at(&inside).is_some();
    }
    taken_out || in_stand_in
}

/// Changes the tree so that the same error cannot come again. Returns `false` where it cannot.
fn repair(
    tree: &mut Node,
    touched: &mut HashSet<KeyPath>,
    path: KeyPath,
    missing: Option<&'static str>,
) -> bool {
    match missing {
        Some(key) => put_stand_in(tree, touched, &path, key),
        None => take_out(tree, touched, path),
    }
}

fn put_stand_in(
    tree: &mut Node,
    touched: &mut HashSet<KeyPath>,
    path: &KeyPath,
    key: &'static str,
) -> bool {
    let Some(node) = tree.at_mut(path) else {
        return false;
    };
    if matches!(node.value, Value::StandIn) {
        node.value = Value::Table(BTreeMap::new());
    }
    let stand_in = Node {
        key_span: None,
        span: node.span.clone(),
        value: Value::StandIn,
    };
    let Value::Table(entries) = &mut node.value else {
        return false;
    };
    touched.insert(path.key(key));
    entries.insert(key.to_owned(), stand_in).is_none()
}

/// Takes a value out. Where it is a stand-in itself, its type has no plain value: then what holds
/// it goes instead, and what holds that if it went before.
fn take_out(tree: &mut Node, touched: &mut HashSet<KeyPath>, path: KeyPath) -> bool {
    let is_stand_in = |path: &KeyPath| {
        tree.at(path)
            .is_some_and(|node| matches!(node.value, Value::StandIn))
    };
    let mut path = path;
    if is_stand_in(&path) {
        while touched.contains(&path) {
            let Some((parent, _)) = path.split_last() else {
                return false;
            };
            path = parent;
        }
    }
    let Some((parent, last)) = path.split_last() else {
        return false;
    };
    let Some(parent) = tree.at_mut(&parent) else {
        return false;
    };
    let removed = match (last, &mut parent.value) {
        (Part::Key(key), Value::Table(entries)) => entries.remove(key).is_some(),
        (Part::Index(index), Value::Array(items)) => match items.get_mut(*index) {
            Some(item) => {
                item.value = Value::Removed;
                true
            }
            None => false,
        },
        _ => false,
    };
    touched.insert(path);
    removed
}

/// Finds the value that an error means, and the key where one is missing. Serde reads a tagged
/// table as a whole before its variant is known, and errors inside it name only the table.
fn locate<T: DeserializeOwned>(tree: &Node, error: &ReadError) -> (KeyPath, Option<&'static str>) {
    let path = &error.path;
    let here = tree.at(path);
    match &error.kind {
        ReadErrorKind::MissingKey { key } => (path.clone(), Some(key)),
        ReadErrorKind::UnknownKey { located: true, .. } => (path.clone(), None),
        ReadErrorKind::UnknownKey { key, .. } => {
            let has = here.is_some_and(|node| node.get(key).is_some());
            let path = if has { path.key(key) } else { path.clone() };
            (path, None)
        }
        ReadErrorKind::UnknownWord { .. }
        | ReadErrorKind::WrongType { .. }
        | ReadErrorKind::BadValue { .. } => {
            let culprit = here.and_then(|node| member_to_blame::<T>(tree, error, node));
            let path = culprit.map_or_else(|| path.clone(), |key| path.key(&key));
            (path, None)
        }
    }
}

/// Returns the member of a table that an error about the whole table comes from: the one without
/// which the error is another. The tag itself is not to blame, though everything hangs on it.
fn member_to_blame<T: DeserializeOwned>(
    tree: &Node,
    error: &ReadError,
    node: &Node,
) -> Option<String> {
    let Value::Table(entries) = &node.value else {
        return None;
    };
    if let ReadErrorKind::UnknownWord { word, .. } = &error.kind {
        let has_word = |(_, member): &(&String, &Node)| member.as_str() == Some(word);
        return entries.iter().find(has_word).map(|(key, _)| key.clone());
    }
    let error_with = |key: &str, change: fn(&mut Node, &str)| {
        let mut changed = tree.clone();
        if let Some(node) = changed.at_mut(&error.path) {
            change(node, key);
        }
        T::deserialize(&changed).err()
    };
    let mut blamed_if_absent = None;
    for key in entries.keys() {
        let with_stand_in = error_with(key, |node, key| {
            if let Some(member) = node.at_mut(&KeyPath::top().key(key)) {
                member.value = Value::StandIn;
            }
        });
        let is_tag = matches!(
            with_stand_in.as_ref().map(|error| &error.kind),
            Some(ReadErrorKind::UnknownWord { word, .. }) if word.is_empty()
        );
        if is_tag {
            continue;
        }
        if with_stand_in.as_ref() != Some(error) {
            return Some(key.clone());
        }
        let when_absent = error_with(key, |node, key| {
            if let Value::Table(entries) = &mut node.value {
                entries.remove(key);
            }
        });
        if when_absent.as_ref() != Some(error) {
            blamed_if_absent = blamed_if_absent.or(Some(key.clone()));
        }
    }
    blamed_if_absent
}

fn message(kind: &ReadErrorKind) -> String {
    match kind {
        ReadErrorKind::UnknownKey { key, known, .. } => {
            format!(
                "there is no such key; {}",
                suggestion::hint(key, known.iter().copied())
            )
        }
        ReadErrorKind::MissingKey { .. } => "this key is missing".to_owned(),
        ReadErrorKind::UnknownWord { word, known } => {
            let word: String = word.chars().take(64).collect();
            format!(
                "{word:?} is not a known word; {}",
                suggestion::hint(&word, known.iter().copied())
            )
        }
        ReadErrorKind::WrongType { found, expected } => {
            format!("this is {found}, but must be {expected}")
        }
        ReadErrorKind::BadValue { message } => message.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;
    use crate::config::document::Document;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only reading is tested")]
    struct Top {
        name: String,
        #[serde(default)]
        count: u16,
        #[serde(default)]
        items: Vec<Item>,
        #[serde(default)]
        choice: Option<Choice>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only reading is tested")]
    struct Item {
        id: String,
        size: u8,
        inner: Inner,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only reading is tested")]
    struct Inner {
        phone: crate::model::phone::Phone,
    }

    #[derive(Debug, Deserialize)]
    #[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
    #[expect(dead_code, reason = "only reading is tested")]
    enum Choice {
        Deal { pipeline: String, stage: String },
        Contact,
    }

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let document = Document::parse(text.to_owned()).expect("the example parses");
        let reading: Reading<Top> = read(&document.root);
        let mut found: Vec<String> = reading
            .mistakes
            .iter()
            .map(|(path, message)| format!("{path}: {message}"))
            .collect();
        found.sort();
        assert_eq!(found, expected);
    }

    #[test]
    fn every_wrong_key_and_value_is_named_in_one_go() {
        check(
            r#"
            nam = "x"
            count = -1
            items = [{ id = 5, size = 300, inner = { phone = "+7" } }, "no", { sise = 1 }]
            "#,
            &[
                "count: -1 is out of range",
                "items[0].id: this is a whole number, but must be a text in quotes",
                "items[0].inner.phone: not a telephone number",
                "items[0].size: 300 is out of range",
                "items[1]: this is a text in quotes, but must be a table",
                "items[2].id: this key is missing",
                "items[2].inner: this key is missing",
                "items[2].sise: there is no such key; did you mean \"size\"? known: id, size, inner",
                "nam: there is no such key; did you mean \"name\"? known: name, count, items, choice",
            ],
        );
    }

    #[test]
    fn mistakes_inside_a_tagged_table_are_found_too() {
        check(
            "name = \"x\"\nchoice = { kind = \"deal\", pipeline = 5, stagee = \"1\", stage = [] }",
            &[
                "choice.pipeline: this is a whole number, but must be a text in quotes",
                "choice.stage: this is a list, but must be a text in quotes",
                "choice.stagee: there is no such key; did you mean \"stage\"? known: pipeline, stage",
            ],
        );
        check(
            "name = \"x\"\nchoice = { kind = \"deal\" }",
            &[
                "choice.pipeline: this key is missing",
                "choice.stage: this key is missing",
            ],
        );
        check(
            "name = \"x\"\nchoice = { kind = \"del\", stage = \"1\" }",
            &[
                "choice.kind: \"del\" is not a known word; did you mean \"deal\"? known: deal, contact",
            ],
        );
    }

    #[test]
    fn a_file_full_of_mistakes_ends() {
        let keys: String = (0..2000).map(|n| format!("wrong_{n} = 1\n")).collect();
        let document = Document::parse(keys).expect("the example parses");
        let reading: Reading<Top> = read(&document.root);
        assert_eq!(reading.mistakes.len(), MISTAKES_MAX);
        assert!(reading.value.is_none());
    }

    #[test]
    fn items_keep_their_places_in_the_file() {
        let text = "name = \"x\"\nitems = [1, { id = \"a\", size = 1, inner = { phone = \"+79161234567\" } }]";
        let document = Document::parse(text.to_owned()).expect("the example parses");
        let reading: Reading<Top> = read(&document.root);
        let items = reading.value.expect("it is read").items;
        let list = KeyPath::top().key("items");
        let ways: Vec<String> = reading
            .places
            .of(&list, &items)
            .map(|(path, item)| format!("{path}={}", item.id))
            .collect();
        assert_eq!(ways, ["items[1]=a"]);
    }
}
