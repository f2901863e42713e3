//! The defaults of `trunkline.toml`. They stand once: in the documented default file, which is
//! part of the program and lies under what the administrator wrote.

use super::document::{Document, Node, SyntaxMistake, Value};

/// The documented default file.
pub const DEFAULT_FILE: &str = include_str!("../../config/trunkline.toml");

/// Keys of one table of which at most one is given: whoever gives one does without the defaults
/// of the others.
const ALTERNATIVES: &[&[&str]] = &[
    &["key_file", "key_credential"],
    &["token_file", "token_credential"],
];

/// Returns the file's tree with the defaults where it is silent.
pub(super) fn under(written: &Node) -> Result<Node, SyntaxMistake> {
    let defaults = Document::parse(DEFAULT_FILE.to_owned())?;
    Ok(overlay(&defaults.root, written))
}

fn overlay(default: &Node, written: &Node) -> Node {
    let (Value::Table(defaults), Value::Table(entries)) = (&default.value, &written.value) else {
        return written.clone();
    };
    let mut merged = entries.clone();
    for (key, default) in defaults {
        let other_given = ALTERNATIVES.iter().any(|group| {
            group.contains(&key.as_str()) && group.iter().any(|other| entries.contains_key(*other))
        });
        match entries.get(key) {
            Some(written) => {
                merged.insert(key.clone(), overlay(default, written));
            }
            None if other_given => {}
            None => {
                merged.insert(key.clone(), default.clone());
            }
        }
    }
    Node {
        value: Value::Table(merged),
        ..written.clone()
    }
}
