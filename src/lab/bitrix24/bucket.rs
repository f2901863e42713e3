//! The leaky bucket of a portal and a sender: each request adds one, so many leave in a second,
//! above the brim requests are refused (crm/bitrix24.md §1 Limits).

use std::collections::BTreeMap;

use tokio::time::Instant;

/// Senders watched; more share one bucket.
const SENDERS_MAX: usize = 1_000;

/// The buckets of a portal.
#[derive(Debug)]
pub(super) struct Buckets {
    pub(super) capacity: u32,
    pub(super) drain_per_second: u32,
    pub(super) refused_count: bool,
    levels: BTreeMap<String, Level>,
    /// Requests refused.
    pub(super) violations: u64,
    /// The fullest that a bucket was.
    pub(super) most: f64,
}

#[derive(Debug, Clone, Copy)]
struct Level {
    level: f64,
    at: Instant,
}

impl Buckets {
    pub(super) fn new(capacity: u32, drain_per_second: u32, refused_count: bool) -> Self {
        Self {
            capacity,
            drain_per_second,
            refused_count,
            levels: BTreeMap::new(),
            violations: 0,
            most: 0.0,
        }
    }

    /// Takes one request of a sender in; false when the bucket is full.
    pub(super) fn admit(&mut self, sender: &str, now: Instant) -> bool {
        let known = self.levels.contains_key(sender) || self.levels.len() < SENDERS_MAX;
        let key = if known { sender } else { "" };
        let entry = self.levels.entry(key.to_owned());
        let level = entry.or_insert(Level {
            level: 0.0,
            at: now,
        });
        // Requests may be judged in another order than they arrived; time does not go back.
        let elapsed = now.saturating_duration_since(level.at).as_secs_f64();
        level.level = (level.level - elapsed * f64::from(self.drain_per_second)).max(0.0);
        level.at = level.at.max(now);
        let admitted = level.level + 1.0 <= f64::from(self.capacity);
        if admitted || self.refused_count {
            level.level += 1.0;
        }
        if !admitted {
            self.violations += 1;
        }
        self.most = self.most.max(level.level);
        admitted
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn fifty_at_once_and_then_two_a_second() {
        let mut buckets = Buckets::new(50, 2, false);
        let start = Instant::now();
        let at_once = (0..60).filter(|_| buckets.admit("a", start)).count();
        assert_eq!((at_once, buckets.violations), (50, 10));
        let later = start + Duration::from_secs(3);
        let then = (0..60).filter(|_| buckets.admit("a", later)).count();
        assert_eq!(then, 6);
        assert!(buckets.admit("b", later));
    }

    #[test]
    fn refused_requests_may_fill_the_bucket() {
        let mut buckets = Buckets::new(2, 2, true);
        let start = Instant::now();
        assert_eq!((0..4).filter(|_| buckets.admit("a", start)).count(), 2);
        // Four are in it; after half a second there are still three.
        assert!(!buckets.admit("a", start + Duration::from_millis(500)));
    }
}
