//! How a row is written: one version byte, then self-describing JSON, so that a later version
//! reads what an earlier one wrote. A row that cannot be read is counted and logged once; it
//! never stops the daemon.

use std::collections::HashSet;
use std::fmt::Display;
use std::sync::{Mutex, MutexGuard};

use serde::Serialize;
use serde::de::DeserializeOwned;
use tracing::error;

use super::error::{StoreError, Trouble};

/// The version byte of the rows that this version writes.
const ROW_VERSION: u8 = 1;

/// So many unreadable rows are remembered and logged; with more, something is broken as a whole
/// and a longer log would not help.
const UNREADABLE_MAX: usize = 1000;

/// Writes a row.
pub(super) fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>, Trouble> {
    let mut bytes = vec![ROW_VERSION];
    serde_json::to_writer(&mut bytes, value)
        .map_err(|error| Trouble::Fatal(format!("write a row: {error}")))?;
    Ok(bytes)
}

pub(super) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    match bytes.split_first() {
        Some((&ROW_VERSION, json)) => serde_json::from_slice(json).map_err(|e| e.to_string()),
        Some((version, _)) => Err(format!("unknown row version {version}")),
        None => Err("the row is empty".to_owned()),
    }
}

/// The rows that could not be read since the start.
#[derive(Debug, Default)]
pub(super) struct RowHealth {
    rows: Mutex<Rows>,
}

#[derive(Debug, Default)]
struct Rows {
    /// Those that nobody has put into quarantine yet.
    unreadable: HashSet<(&'static str, String)>,
    /// Those of which the quarantine knows and that may be met all the same.
    kept: HashSet<(&'static str, String)>,
}

impl RowHealth {
    /// Reads a row; one that cannot be read is counted and logged once.
    pub(super) fn read<T: DeserializeOwned>(
        &self,
        table: &'static str,
        key: impl Display,
        bytes: &[u8],
    ) -> Result<T, StoreError> {
        decode(bytes).map_err(|why| {
            let key = key.to_string();
            self.report(table, &key, &why);
            StoreError::Unreadable { table, key }
        })
    }

    /// Counts a row that cannot be read and logs it, once.
    pub(super) fn report(&self, table: &'static str, key: &str, why: &str) {
        let mut rows = self.rows();
        let name = (table, key.to_owned());
        if rows.kept.contains(&name) {
            return;
        }
        if rows.unreadable.len() < UNREADABLE_MAX && rows.unreadable.insert(name) {
            error!(table, row = key, why, "a stored row cannot be read");
        }
    }

    /// A row is accounted for. With `is_kept` it is in the quarantine's books, and not told of when it
    /// is met again.
    pub(super) fn settle(&self, table: &'static str, key: &str, is_kept: bool) {
        let mut rows = self.rows();
        let name = (table, key.to_owned());
        rows.unreadable.remove(&name);
        if is_kept {
            rows.kept.insert(name);
        }
    }

    /// A row is in the quarantine's books no more: met again, it is told of again.
    pub(super) fn release(&self, table: &'static str, key: &str) {
        self.rows().kept.remove(&(table, key.to_owned()));
    }

    /// Returns how many rows that could not be read since the start are not in quarantine; stops
    /// counting at a thousand.
    pub(super) fn unreadable(&self) -> u64 {
        u64::try_from(self.rows().unreadable.len()).unwrap_or(u64::MAX)
    }

    fn rows(&self) -> MutexGuard<'_, Rows> {
        match self.rows.lock() {
            Ok(rows) => rows,
            Err(poisoned) => poisoned.into_inner(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_that_cannot_be_read_is_counted_once_and_refused() {
        let health = RowHealth::default();
        for bytes in [&b""[..], b"\x02{}", b"\x01{", b"\x01\"text\""] {
            let read = health.read::<u64>("works", 7, bytes);
            assert!(
                matches!(read, Err(StoreError::Unreadable { .. })),
                "{bytes:?}"
            );
        }
        assert_eq!(health.unreadable(), 1);
        assert_eq!(health.read::<u64>("works", 8, b"\x015"), Ok(5));
    }
}
