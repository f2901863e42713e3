//! The limiter of the simulated account: requests are counted in any sliding second, per
//! integration and over the whole account; too many violations block everything until lifted
//! (crm/amocrm.md §4, §21.9).

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use tokio::time::Instant;

/// Violations are remembered so long towards a block.
const VIOLATION_MEMORY: Duration = Duration::from_secs(60);

/// Integrations watched; tokens of unknown ones share one window.
const INTEGRATIONS_MAX: usize = 1_000;

const SECOND: Duration = Duration::from_secs(1);

/// Arrivals are kept longer than the second they count in, for requests that are judged late.
const KEPT: Duration = Duration::from_secs(5);

/// What the limiter says about one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Pass,
    TooMany,
    Blocked,
}

/// Counts requests and violations.
#[derive(Debug)]
pub(super) struct Limiter {
    pub(super) per_integration: u32,
    pub(super) per_account: u32,
    pub(super) block_after: Option<u32>,
    pub(super) refused_count: bool,
    windows: BTreeMap<String, Window>,
    account: Window,
    recent_violations: VecDeque<Instant>,
    pub(super) blocked: bool,
    pub(super) violations: u64,
    pub(super) blocked_requests: u64,
}

#[derive(Debug, Default)]
struct Window {
    arrivals: VecDeque<Instant>,
    most: u64,
}

impl Window {
    /// Returns the most requests in any second in which this one lies, this one among them.
    /// Requests may be judged in another order than they arrived, because they wait for one lock.
    fn count(&mut self, now: Instant) -> u64 {
        while let Some(first) = self.arrivals.front() {
            if now.saturating_duration_since(*first) < KEPT {
                break;
            }
            self.arrivals.pop_front();
        }
        let place = self.arrivals.partition_point(|at| *at <= now);
        let ends = self
            .arrivals
            .range(place..)
            .take_while(|end| end.duration_since(now) < SECOND);
        let in_second_to = |end: Instant| {
            let inside = |at: &&Instant| **at <= end && end.duration_since(**at) < SECOND;
            self.arrivals.iter().filter(inside).count() as u64 + 1
        };
        let later = ends.map(|end| in_second_to(*end)).max().unwrap_or(0);
        let count = later.max(in_second_to(now));
        self.most = self.most.max(count);
        count
    }

    fn add(&mut self, now: Instant) {
        let place = self.arrivals.partition_point(|at| *at <= now);
        self.arrivals.insert(place, now);
    }
}

impl Limiter {
    pub(super) fn new(per_integration: u32, per_account: u32, block_after: Option<u32>) -> Self {
        Self {
            per_integration,
            per_account,
            block_after,
            refused_count: true,
            windows: BTreeMap::new(),
            account: Window::default(),
            recent_violations: VecDeque::new(),
            blocked: false,
            violations: 0,
            blocked_requests: 0,
        }
    }

    /// Judges one request of an integration.
    pub(super) fn judge(&mut self, integration: &str, now: Instant) -> Verdict {
        let known = self.windows.contains_key(integration);
        let key = if known || self.windows.len() < INTEGRATIONS_MAX {
            integration
        } else {
            ""
        };
        let window = self.windows.entry(key.to_owned()).or_default();
        let of_integration = window.count(now);
        let of_account = self.account.count(now);
        let too_many = of_integration > u64::from(self.per_integration)
            || of_account > u64::from(self.per_account);
        if !too_many || self.refused_count {
            window.add(now);
            self.account.add(now);
        }
        if too_many {
            self.violate(now);
        }
        if self.blocked {
            self.blocked_requests += 1;
            Verdict::Blocked
        } else if too_many {
            Verdict::TooMany
        } else {
            Verdict::Pass
        }
    }

    /// Lifts the block, as vendor support does.
    pub(super) fn lift(&mut self) {
        self.blocked = false;
        self.recent_violations.clear();
    }

    /// Returns the most requests seen in any sliding second of one integration.
    pub(super) fn most_per_second(&self) -> u64 {
        self.windows.values().map(|w| w.most).max().unwrap_or(0)
    }

    fn violate(&mut self, now: Instant) {
        self.violations += 1;
        let Some(block_after) = self.block_after.filter(|_| !self.blocked) else {
            return;
        };
        while let Some(first) = self.recent_violations.front() {
            if now.saturating_duration_since(*first) < VIOLATION_MEMORY {
                break;
            }
            self.recent_violations.pop_front();
        }
        self.recent_violations.push_back(now);
        self.blocked |= self.recent_violations.len() as u64 >= u64::from(block_after.max(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pace(limiter: &mut Limiter, gaps_ms: &[u64]) -> Vec<Verdict> {
        let mut at = Instant::now();
        let judge = |gap: &u64| {
            at += Duration::from_millis(*gap);
            limiter.judge("a", at)
        };
        gaps_ms.iter().map(judge).collect()
    }

    #[test]
    fn an_even_pace_under_seven_a_second_passes() {
        let mut limiter = Limiter::new(7, 50, Some(1));
        let verdicts = pace(&mut limiter, &[143; 100]);
        assert!(verdicts.iter().all(|v| *v == Verdict::Pass));
        assert_eq!((limiter.violations, limiter.most_per_second()), (0, 7));
    }

    #[test]
    fn a_burst_of_seven_and_then_seven_a_second_does_not_pass() {
        let mut limiter = Limiter::new(7, 50, None);
        let mut gaps = vec![0; 7];
        gaps.extend([143; 7]);
        let verdicts = pace(&mut limiter, &gaps);
        assert!(verdicts[..7].iter().all(|v| *v == Verdict::Pass));
        assert_eq!(verdicts[7], Verdict::TooMany);
    }

    #[test]
    fn the_second_slides() {
        let mut limiter = Limiter::new(7, 50, None);
        // Four at the end of one calendar second and four at the start of the next.
        let verdicts = pace(&mut limiter, &[990, 0, 0, 0, 20, 0, 0, 0]);
        assert_eq!(verdicts[6], Verdict::Pass);
        assert_eq!(verdicts[7], Verdict::TooMany);
    }

    #[test]
    fn requests_judged_out_of_order_count_by_their_arrival() {
        let start = Instant::now();
        let after = |ms| start + Duration::from_millis(ms);
        let mut limiter = Limiter::new(2, 50, None);
        assert_eq!(limiter.judge("a", after(1_100)), Verdict::Pass);
        assert_eq!(limiter.judge("a", after(1_200)), Verdict::Pass);
        // More than a second before both of them.
        assert_eq!(limiter.judge("a", after(50)), Verdict::Pass);
        // Within one second of both of them.
        assert_eq!(limiter.judge("a", after(900)), Verdict::TooMany);
    }

    #[test]
    fn repeated_violations_block_until_lifted() {
        let mut limiter = Limiter::new(1, 50, Some(3));
        let verdicts = pace(&mut limiter, &[0, 1, 1, 1, 5_000]);
        assert_eq!(
            verdicts,
            [
                Verdict::Pass,
                Verdict::TooMany,
                Verdict::TooMany,
                Verdict::Blocked,
                Verdict::Blocked
            ]
        );
        limiter.lift();
        assert_eq!(
            limiter.judge("a", Instant::now() + Duration::from_secs(60)),
            Verdict::Pass
        );
    }

    #[test]
    fn integrations_have_their_own_windows_and_share_the_account() {
        let mut limiter = Limiter::new(2, 3, None);
        let now = Instant::now();
        assert_eq!(limiter.judge("a", now), Verdict::Pass);
        assert_eq!(limiter.judge("a", now), Verdict::Pass);
        assert_eq!(limiter.judge("b", now), Verdict::Pass);
        assert_eq!(limiter.judge("b", now), Verdict::TooMany);
    }
}
