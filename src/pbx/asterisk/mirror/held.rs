//! What Asterisk's database holds of the copy, as far as it was read and written; and what of it
//! is to be changed.

use std::collections::{BTreeMap, HashSet};
use std::ops::Bound;
use std::sync::Arc;

use super::rows::{Change, ClientKey, Row};

/// Values that are kept in common: far more than there are extensions.
const VALUES_MAX: usize = 10_000;

/// See the module.
#[derive(Default)]
pub(super) struct Held {
    /// Values in common: a company has few extensions and many clients.
    values: HashSet<Arc<str>>,
    clients: BTreeMap<ClientKey, Arc<str>>,
    small: BTreeMap<Row, Arc<str>>,
}

impl Held {
    /// Takes down what a row is now.
    pub(super) fn set(&mut self, change: Change) {
        match (change.row, change.value) {
            (Row::Client(key), Some(value)) => {
                let value = self.in_common(value);
                self.clients.insert(key, value);
            }
            (Row::Client(key), None) => drop(self.clients.remove(&key)),
            (row, Some(value)) => drop(self.small.insert(row, value)),
            (row, None) => drop(self.small.remove(&row)),
        }
    }

    fn in_common(&mut self, value: Arc<str>) -> Arc<str> {
        if let Some(known) = self.values.get(&value) {
            return Arc::clone(known);
        }
        if self.values.len() < VALUES_MAX {
            self.values.insert(Arc::clone(&value));
        }
        value
    }

    /// Returns how many clients it holds.
    pub(super) fn clients(&self) -> usize {
        self.clients.len()
    }

    /// Returns the value of a row that is no client's.
    pub(super) fn small(&self, row: &Row) -> Option<&str> {
        self.small.get(row).map(AsRef::as_ref)
    }

    /// Returns what makes the small rows these and no others, but for rows to be left as they are.
    pub(super) fn small_changes(
        &self,
        wanted: &BTreeMap<Row, Arc<str>>,
        leave: &[Row],
    ) -> Vec<Change> {
        let gone = self.small.keys().filter(|row| !wanted.contains_key(row));
        let gone = gone.filter(|row| !leave.contains(row)).map(|row| Change {
            row: row.clone(),
            value: None,
        });
        let new = wanted
            .iter()
            .filter(|(row, value)| self.small.get(row) != Some(value));
        let new = new.map(|(row, value)| Change {
            row: row.clone(),
            value: Some(Arc::clone(value)),
        });
        gone.chain(new).collect()
    }

    /// Returns what makes the clients after one and up to another (without one: to the end) these,
    /// which are in order, and no others; of those to be removed at most `max`.
    pub(super) fn client_changes(
        &self,
        after: Option<ClientKey>,
        up_to: Option<ClientKey>,
        wanted: &[(ClientKey, Arc<str>)],
        max: usize,
    ) -> Vec<Change> {
        let begin = after.map_or(Bound::Unbounded, Bound::Excluded);
        let end = up_to.map_or(Bound::Unbounded, Bound::Included);
        // A range that ends before it begins is a panic.
        let is_range = match (after, up_to) {
            (Some(after), Some(up_to)) => after < up_to,
            _ => true,
        };
        let held = is_range.then(|| self.clients.range((begin, end)));
        let is_wanted = |key: &ClientKey| wanted.binary_search_by_key(key, |(key, _)| *key).is_ok();
        let gone = held.into_iter().flatten().map(|(key, _)| *key);
        let gone = gone
            .filter(|key| !is_wanted(key))
            .take(max)
            .map(|key| Change {
                row: Row::Client(key),
                value: None,
            });
        let new = wanted
            .iter()
            .filter(|(key, value)| self.clients.get(key) != Some(value));
        let new = new.map(|(key, value)| Change {
            row: Row::Client(*key),
            value: Some(Arc::clone(value)),
        });
        gone.chain(new).collect()
    }
}
