//! Identifiers, references and names, checked alike in every table of a tenant's file.

use std::collections::HashMap;
use std::fmt::Display;
use std::str::FromStr;

use super::document::Document;
use super::key_path::KeyPath;
use super::mistake::Findings;
use super::suggestion;

/// Longest name of anything, in characters: it stands in cards, tables and log fields.
const NAME_CHARS_MAX: usize = 200;

/// The identifiers of one list of tables, as the file has them, wrong entries included: a
/// reference to an entry with a mistake is no mistake of its own.
pub(super) struct Declared<'a> {
    /// One of them, in words: `source`.
    what: &'static str,
    ids: Vec<&'a str>,
}

impl<'a> Declared<'a> {
    /// Gathers the `id` of every table in a list at the top of the file.
    pub(super) fn in_list(document: &'a Document, list: &str, what: &'static str) -> Self {
        let items = document.root.get(list).map_or(&[][..], |node| node.items());
        let ids = items
            .iter()
            .filter_map(|item| item.get("id")?.as_str())
            .collect();
        Self { what, ids }
    }

    /// Says whether something has this id.
    pub(super) fn has(&self, id: &str) -> bool {
        self.ids.contains(&id)
    }

    /// Reads a reference; adds a mistake where nothing has this id.
    pub(super) fn refer<T>(
        &self,
        findings: &mut Findings<'_>,
        path: &KeyPath,
        text: &str,
    ) -> Option<T>
    where
        T: FromStr<Err: Display>,
    {
        if !self.ids.contains(&text) {
            let hint = suggestion::hint(text, self.ids.iter().copied());
            findings.mistake(path, format!("there is no {} {text:?}; {hint}", self.what));
            return None;
        }
        findings.take(path, text.parse())
    }
}

/// The identifiers of one list, each permitted once.
#[derive(Default)]
pub(super) struct Unique(HashMap<String, KeyPath>);

impl Unique {
    /// Reads the `id` of a table; adds a mistake where it is none, or stands a second time.
    pub(super) fn id<T>(
        &mut self,
        findings: &mut Findings<'_>,
        table: &KeyPath,
        text: &str,
    ) -> Option<T>
    where
        T: FromStr<Err: Display>,
    {
        let path = table.key("id");
        let id = findings.take(&path, text.parse())?;
        if let Some(first) = self.0.get(text) {
            findings.mistake(&path, format!("{first} has the id {text:?} already"));
            return None;
        }
        self.0.insert(text.to_owned(), table.clone());
        Some(id)
    }
}

/// Checks a name that people read.
pub(super) fn name(findings: &mut Findings<'_>, path: &KeyPath, text: &str) -> Option<String> {
    let chars = text.chars().count();
    let checked = if text.trim().is_empty() {
        Err("give it a name".to_owned())
    } else if chars > NAME_CHARS_MAX || text.chars().any(char::is_control) {
        Err(format!(
            "a name has at most {NAME_CHARS_MAX} characters and no line breaks"
        ))
    } else {
        Ok(text.to_owned())
    };
    findings.take(path, checked)
}
