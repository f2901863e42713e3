//! A mistake in the configuration files, and the list in which one file's mistakes are gathered.

use std::collections::HashSet;
use std::fmt;
use std::path::{Path, PathBuf};

use super::document::{Document, Position};
use super::key_path::KeyPath;

/// Something wrong in a configuration file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ConfigMistake {
    /// The file.
    pub file: PathBuf,
    /// Line and column; absent where the file could not be read at all.
    pub position: Option<Position>,
    /// The way to the value, such as `integrations[0].account`; empty = the file itself.
    pub path: String,
    /// What is wrong and what to do: a lower-case fragment.
    pub message: String,
}

impl fmt::Display for ConfigMistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.file.display())?;
        if let Some(Position { line, column }) = self.position {
            write!(f, "{line}:{column}:")?;
        }
        if !self.path.is_empty() {
            write!(f, " {}:", self.path)?;
        }
        write!(f, " {}", self.message)
    }
}

/// The mistakes of one file.
pub(super) struct Findings<'a> {
    file: &'a Path,
    document: &'a Document,
    /// Values that could not be read: what validation says about their stand-ins is no news.
    unreadable: HashSet<KeyPath>,
    /// What refuses the configuration.
    pub(super) mistakes: Vec<ConfigMistake>,
    /// What does not refuse it, but should be looked at.
    pub(super) warnings: Vec<ConfigMistake>,
}

impl<'a> Findings<'a> {
    /// Begins with what was found while reading, and what could not be read.
    pub(super) fn new(
        file: &'a Path,
        document: &'a Document,
        mistakes: Vec<(KeyPath, String)>,
        unreadable: HashSet<KeyPath>,
    ) -> Self {
        let mut findings = Self {
            file,
            document,
            unreadable: HashSet::new(),
            mistakes: Vec::new(),
            warnings: Vec::new(),
        };
        for (path, message) in mistakes {
            findings.mistake(&path, message);
            findings.unreadable.insert(path);
        }
        findings.unreadable.extend(unreadable);
        findings
    }

    /// Returns the file with the places of its values.
    pub(super) fn document(&self) -> &'a Document {
        self.document
    }

    /// Returns the folder that relative paths in this file start from.
    pub(super) fn folder(&self) -> &'a Path {
        self.file.parent().unwrap_or(Path::new(""))
    }

    /// Adds a mistake, unless reading has complained about this value or it stands already.
    pub(super) fn mistake(&mut self, path: &KeyPath, message: impl Into<String>) {
        if self.is_unreadable(path) {
            return;
        }
        let mistake = self.locate(path, message.into());
        if !self.mistakes.contains(&mistake) {
            self.mistakes.push(mistake);
        }
    }

    /// Adds a warning.
    pub(super) fn warning(&mut self, path: &KeyPath, message: impl Into<String>) {
        let warning = self.locate(path, message.into());
        self.warnings.push(warning);
    }

    /// Says whether reading has complained about the value, or about what holds it.
    fn is_unreadable(&self, path: &KeyPath) -> bool {
        let mut way = KeyPath::top();
        path.parts().iter().any(|part| {
            way = way.with(part.clone());
            self.unreadable.contains(&way)
        })
    }

    /// Unwraps a checked value, or adds the mistake.
    pub(super) fn take<T, E: fmt::Display>(
        &mut self,
        path: &KeyPath,
        checked: Result<T, E>,
    ) -> Option<T> {
        match checked {
            Ok(value) => Some(value),
            Err(error) => {
                self.mistake(path, error.to_string());
                None
            }
        }
    }

    fn locate(&self, path: &KeyPath, message: String) -> ConfigMistake {
        ConfigMistake {
            file: self.file.to_owned(),
            position: Some(self.document.position(path)),
            path: path.to_string(),
            message,
        }
    }
}
