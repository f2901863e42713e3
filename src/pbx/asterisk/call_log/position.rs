//! A place in a log file, by its content: so many bytes from the beginning, and what stands right
//! before. A file that was moved away, copied and cut off, or begun anew is recognised by that,
//! whatever its name and inode are. Pure.

use serde::{Deserialize, Serialize};

use crate::model::timestamp::Timestamp;

/// Bytes that are remembered: the end of a line with a Uniqueid in it, which comes once.
pub(super) const TAIL_BYTES: usize = 96;

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Position {
    /// Bytes from the beginning of the file to the end of the last line that was taken; of a table
    /// the id of the last row.
    pub(super) offset: u64,
    /// The bytes before that place, in hexadecimal digits; at the most [`TAIL_BYTES`].
    pub(super) tail: String,
}

impl Position {
    /// Makes a position from what stands before it.
    pub(super) fn new(offset: u64, before: &[u8]) -> Self {
        let from = before.len().saturating_sub(TAIL_BYTES);
        let kept = before.get(from..).unwrap_or_default();
        Self {
            offset,
            tail: kept.iter().map(|byte| format!("{byte:02x}")).collect(),
        }
    }

    /// Returns how many bytes before the place must be read to compare.
    pub(super) fn tail_len(&self) -> u64 {
        (self.tail.len() / 2) as u64
    }

    /// Says whether these bytes stand before the place.
    pub(super) fn fits(&self, before: &[u8]) -> bool {
        Self::new(self.offset, before).tail == self.tail
    }
}

/// What of the log outlives the session. It goes into the same commit as what the log told.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(in crate::pbx::asterisk) struct LogBookmark {
    /// Which log it is a place in: in another one it means nothing.
    #[serde(default)]
    pub(super) place: String,
    /// From where the next session reads.
    pub(super) position: Position,
    /// A recovery that is not finished.
    #[serde(default)]
    pub(super) unfinished: Option<Unfinished>,
}

/// A recovery in the middle of which the session ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Unfinished {
    /// Since when nothing had been seen.
    pub(super) from: Timestamp,
    /// Why.
    pub(super) why: String,
    /// Calls that the log told of so far.
    pub(super) calls: u64,
    /// The log does not hold all of the interval.
    #[serde(default)]
    pub(super) gap: bool,
}
