//! The operating time of methods: for each method of each application or webhook the sum over
//! ten buckets of a minute. It is looked at before a call, so the call that crosses the line
//! succeeds (crm/bitrix24.md §1 Limits).

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

/// A bucket's length in seconds.
const BUCKET_S: i64 = 60;
/// Buckets that count.
const BUCKETS: i64 = 10;

/// What a method has used.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Used {
    pub(super) seconds: f64,
    /// Unix second at which the oldest bucket leaves.
    pub(super) reset_at: i64,
}

/// The time that methods used.
#[derive(Debug)]
pub(super) struct Operating {
    pub(super) limit: Option<Duration>,
    pub(super) cost: Duration,
    pub(super) costs: BTreeMap<String, Duration>,
    /// By application or webhook, and method: bucket number and time.
    used: BTreeMap<(String, String), VecDeque<(i64, Duration)>>,
    /// Methods that a script has blocked.
    pub(super) parked: BTreeSet<String>,
    /// Calls refused.
    pub(super) violations: u64,
}

impl Operating {
    pub(super) fn new(
        limit: Option<Duration>,
        cost: Duration,
        costs: BTreeMap<String, Duration>,
    ) -> Self {
        Self {
            limit,
            cost,
            costs,
            used: BTreeMap::new(),
            parked: BTreeSet::new(),
            violations: 0,
        }
    }

    /// Returns whether a call may begin.
    pub(super) fn admit(&mut self, who: &str, method: &str, now_s: i64) -> bool {
        let used = self.sum(who, method, now_s);
        let over = self.limit.is_some_and(|limit| used > limit);
        let admitted = !over && !self.parked.contains(method);
        if !admitted {
            self.violations += 1;
        }
        admitted
    }

    /// Charges a call, and returns what the method has used now.
    pub(super) fn charge(&mut self, who: &str, method: &str, now_s: i64) -> Used {
        let cost = self.costs.get(method).copied().unwrap_or(self.cost);
        let bucket = now_s.div_euclid(BUCKET_S);
        let key = (who.to_owned(), method.to_owned());
        let buckets = self.used.entry(key).or_default();
        match buckets.back_mut().filter(|(at, _)| *at == bucket) {
            Some((_, used)) => *used = used.saturating_add(cost),
            None => buckets.push_back((bucket, cost)),
        }
        let oldest = buckets
            .iter()
            .find(|(at, _)| *at > bucket - BUCKETS)
            .map_or(bucket, |(at, _)| *at);
        Used {
            seconds: self.sum(who, method, now_s).as_secs_f64(),
            reset_at: (oldest + BUCKETS) * BUCKET_S,
        }
    }

    fn sum(&mut self, who: &str, method: &str, now_s: i64) -> Duration {
        let first = now_s.div_euclid(BUCKET_S) - BUCKETS + 1;
        let key = (who.to_owned(), method.to_owned());
        let Some(buckets) = self.used.get_mut(&key) else {
            return Duration::ZERO;
        };
        while buckets.front().is_some_and(|(at, _)| *at < first) {
            buckets.pop_front();
        }
        buckets.iter().map(|(_, used)| *used).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_call_that_crosses_the_line_succeeds_and_the_next_waits_for_the_oldest_minute() {
        let limit = Some(Duration::from_secs(3));
        let mut operating = Operating::new(limit, Duration::from_secs(1), BTreeMap::new());
        let mut call = |now_s| {
            let admitted = operating.admit("app", "crm.deal.add", now_s);
            admitted.then(|| operating.charge("app", "crm.deal.add", now_s))
        };
        assert_eq!(call(60).map(|used| used.reset_at), Some(660));
        assert_eq!([call(70), call(130)].iter().flatten().count(), 2);
        // Exactly at the line is not over it.
        assert_eq!(call(131).map(|used| used.seconds), Some(4.0));
        assert_eq!(call(650), None);
        // The first minute has left: two seconds are still counted.
        assert_eq!(call(660).map(|used| used.seconds), Some(3.0));
    }

    #[test]
    fn methods_and_applications_have_their_own_time() {
        let limit = Some(Duration::ZERO);
        let mut operating = Operating::new(limit, Duration::from_secs(1), BTreeMap::new());
        operating.charge("app", "a", 0);
        assert!(!operating.admit("app", "a", 1));
        assert!(operating.admit("app", "b", 1));
        assert!(operating.admit("hook", "a", 1));
    }
}
