//! A mistyped key is refused in every table of both files.

use super::Folder;
use crate::config::DEFAULT_FILE;
use crate::config::document::{Document, Node, Value};
use crate::config::key_path::KeyPath;

/// A tenant's file that has every table.
const EVERY_TABLE: &str = include_str!("every_table.toml");

fn tables(node: &Node, path: &KeyPath, found: &mut Vec<KeyPath>) {
    match &node.value {
        Value::Table(entries) => {
            found.push(path.clone());
            for (key, member) in entries {
                tables(member, &path.key(key), found);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                tables(item, &path.index(index), found);
            }
        }
        _ => {}
    }
}

/// Adds a wrong key to one table by writing the file anew.
fn spoil(text: &str, path: &KeyPath) -> String {
    let document = Document::parse(text.to_owned()).expect("the example parses");
    let mut json = serde_json::Value::deserialize_node(&document.root);
    let mut here = &mut json;
    for part in path.parts() {
        here = match part {
            crate::config::key_path::Part::Key(key) => &mut here[key.as_str()],
            crate::config::key_path::Part::Index(index) => &mut here[*index],
        };
    }
    here["wrong_key"] = serde_json::Value::from(true);
    toml::to_string(&json).expect("the example can be written")
}

trait DeserializeNode {
    fn deserialize_node(node: &Node) -> serde_json::Value;
}

impl DeserializeNode for serde_json::Value {
    fn deserialize_node(node: &Node) -> serde_json::Value {
        serde::Deserialize::deserialize(node).expect("every tree is a JSON value")
    }
}

#[test]
fn a_wrong_key_is_refused_in_every_table_of_a_tenant() {
    let document = Document::parse(EVERY_TABLE.to_owned()).expect("the example parses");
    let mut found = Vec::new();
    tables(&document.root, &KeyPath::top(), &mut found);
    let folder = Folder::new();
    folder.write("tenants.d/demo.toml", EVERY_TABLE);
    folder.loaded();
    // The kinds themselves check their settings, and these made-up ones check less.
    found.retain(|path| !is_kinds_own(path));
    assert!(found.len() > 15, "{found:?}");
    for path in found {
        folder.write("tenants.d/demo.toml", &spoil(EVERY_TABLE, &path));
        let wrong = path.key("wrong_key");
        let text = folder.mistakes();
        let names_it = text.contains(&format!(" {wrong}: ")) || text.contains("no such secret");
        assert!(names_it, "{wrong}: {text}");
        assert_eq!(text.lines().count(), 1, "{text}");
    }
}

fn is_kinds_own(path: &KeyPath) -> bool {
    let text = path.to_string();
    (text.starts_with("sources") || text.starts_with("accounts")) && text.contains(".settings")
}

#[test]
fn a_wrong_key_is_refused_in_every_table_of_the_daemon() {
    let document = Document::parse(DEFAULT_FILE.to_owned()).expect("the default file parses");
    let mut found = Vec::new();
    tables(&document.root, &KeyPath::top(), &mut found);
    let folder = Folder::new();
    assert_eq!(found.len(), 11, "{found:?}");
    for path in found {
        folder.write("trunkline.toml", &spoil(DEFAULT_FILE, &path));
        let text = folder.mistakes();
        let wrong = path.key("wrong_key");
        assert!(text.contains(&format!(" {wrong}: ")), "{wrong}: {text}");
    }
}

#[test]
fn the_default_file_and_no_file_at_all_are_the_same() {
    let folder = Folder::new();
    let silent = folder.loaded().daemon;
    folder.write("trunkline.toml", DEFAULT_FILE);
    assert_eq!(folder.loaded().daemon, silent);
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]

    /// Whatever a slip of the editor leaves of a file: an answer, and no panic.
    #[test]
    fn a_damaged_file_is_answered(from in 0..EVERY_TABLE.len(), length in 0_usize..40, put in "[\\[\\]{}=\",.a-z0-9\n]{0,6}") {
        let to = (from + length).min(EVERY_TABLE.len());
        let text = format!("{}{put}{}", &EVERY_TABLE[..from], &EVERY_TABLE[to..]);
        let folder = Folder::new();
        folder.write("tenants.d/demo.toml", &text);
        if let Err(mistakes) = folder.load() {
            proptest::prop_assert!(!mistakes.is_empty());
        }
    }
}
