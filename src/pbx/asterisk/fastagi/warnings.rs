//! Says in the log what a person must put right, and not once for every call.

use std::cell::RefCell;
use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

/// One line of a kind in this time; metrics count them all.
const EVERY: Duration = Duration::from_secs(60);

/// When which kind of warning was given last. Used on one thread.
#[derive(Debug, Default)]
pub(super) struct Warnings {
    last: RefCell<HashMap<&'static str, Instant>>,
}

impl Warnings {
    /// Whether a warning of this kind is due; then it counts as given.
    pub(super) fn due(&self, kind: &'static str) -> bool {
        let now = Instant::now();
        let mut last = self.last.borrow_mut();
        let due = last.get(kind).is_none_or(|at| now >= *at + EVERY);
        if due {
            last.insert(kind, now);
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_flood_of_one_kind_is_one_line_a_minute() {
        let warnings = Warnings::default();
        assert!(warnings.due("a"));
        assert!(!warnings.due("a"));
        assert!(warnings.due("b"));
        tokio::time::advance(EVERY).await;
        assert!(warnings.due("a"));
    }
}
