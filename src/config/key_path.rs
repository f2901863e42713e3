//! The way from the top of a file to one value, as an administrator writes it:
//! `integrations[0].takes[1].source`.

use std::fmt;

/// One stage of the way.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Part {
    /// A key of a table.
    Key(String),
    /// A position in a list, from 0.
    Index(usize),
}

/// The way from the top of a file to one value; empty = the file itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(super) struct KeyPath(Vec<Part>);

impl KeyPath {
    /// Returns the way to the file itself.
    pub(super) fn top() -> Self {
        Self::default()
    }

    /// Returns the way to a key of this table.
    pub(super) fn key(&self, key: &str) -> Self {
        self.with(Part::Key(key.to_owned()))
    }

    /// Returns the way to an item of this list.
    pub(super) fn index(&self, index: usize) -> Self {
        self.with(Part::Index(index))
    }

    /// Returns the way one stage deeper.
    pub(super) fn with(&self, part: Part) -> Self {
        let mut parts = self.0.clone();
        parts.push(part);
        Self(parts)
    }

    /// Returns the way to what holds this value, and the last stage; `None` at the top.
    pub(super) fn split_last(&self) -> Option<(Self, &Part)> {
        let (last, parent) = self.0.split_last()?;
        Some((Self(parent.to_vec()), last))
    }

    /// Puts a stage in front.
    pub(super) fn prepend(&mut self, part: Part) {
        self.0.insert(0, part);
    }

    /// Returns the stages.
    pub(super) fn parts(&self) -> &[Part] {
        &self.0
    }
}

impl fmt::Display for KeyPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, part) in self.0.iter().enumerate() {
            match part {
                Part::Key(key) => {
                    if position > 0 {
                        f.write_str(".")?;
                    }
                    let bare = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
                    if !key.is_empty() && key.chars().all(bare) {
                        f.write_str(key)?;
                    } else {
                        write!(f, "{key:?}")?;
                    }
                }
                Part::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}
