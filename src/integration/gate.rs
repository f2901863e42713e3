//! Keeps a backlog from knocking at a CRM that does not serve the account at present: down,
//! blocked, unpaid, throttling, or refusing the credential. Pure: time comes in as a value.
//!
//! ```text
//!          the account is refused              the hold is over
//!  Free -----------------------> Closed ------------------------> one work at a time
//!    ^                              ^                                 |    |
//!    |                              +------- refused (longer) --------+    |
//!    +--------------------------------- the CRM served ----------------+
//! ```
//!
//! The breaker of `crm::account` guards the CRM; this guards our own disk, processor and log: of
//! ten thousand works that wait, one a minute finds out that they still wait. And a CRM of which
//! nothing was heard yet is met by some works, not by all for which there is room: the more of
//! them it serves, the more follow.

use std::cell::RefCell;
use std::time::Duration;

use tokio::time::Instant;

use crate::model::outcome::{NotAppliedCause, Outcome};

use super::retry;

/// The longest hold: within a minute of a repair the first work moves, and the others follow it.
/// What the CRM itself asked for is kept by its door, which refuses without sending anything.
const HOLD_MAX: Duration = Duration::from_secs(60);

/// Works that may be under way while nothing was heard of the CRM.
const FIRST: usize = 128;

/// How works may be begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Passage {
    /// So many may be under way, if there is room for them.
    Free(usize),
    /// One, to see how things stand.
    OneAtATime,
    /// None.
    Closed,
}

/// The gate of one integration.
#[derive(Debug, Default)]
pub(super) struct Gate {
    refusals: u32,
    closed_until: Option<Instant>,
    /// Works that were served since the last refusal.
    served: usize,
}

impl Gate {
    /// Says how works may be begun now.
    pub(super) fn passage(&self, now: Instant) -> Passage {
        match self.closed_until {
            None => Passage::Free(FIRST.saturating_add(self.served)),
            Some(until) if until > now => Passage::Closed,
            Some(_) => Passage::OneAtATime,
        }
    }

    /// Takes note that the account was refused; returns how long the gate is closed from now.
    pub(super) fn refused(
        &mut self,
        now: Instant,
        retry_after: Option<Duration>,
        jitter: f64,
    ) -> Duration {
        // Works that were under way when it closed say nothing new.
        if self.passage(now) != Passage::Closed {
            self.refusals = self.refusals.saturating_add(1);
        }
        let hold = retry::delay(self.refusals, jitter, retry_after).min(HOLD_MAX);
        let until = now + hold;
        let until = self.closed_until.map_or(until, |before| before.max(until));
        self.closed_until = Some(until);
        self.served = 0;
        until.saturating_duration_since(now)
    }

    /// Takes note that the CRM served the account.
    pub(super) fn served(&mut self) {
        *self = Self {
            served: self.served.saturating_add(1),
            ..Self::default()
        };
    }
}

/// What a work learned about the CRM while it was carried on; the last word counts.
#[derive(Debug, Default)]
pub(super) struct Heard(RefCell<Option<Word>>);

/// One word of the CRM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Word {
    /// It serves the account, though perhaps not this request.
    Served,
    /// It does not serve the account.
    Refused {
        /// In words.
        why: String,
        /// What the CRM or its door asked for.
        retry_after: Option<Duration>,
    },
}

impl Heard {
    /// Takes note of what a request came to.
    pub(super) fn note<T>(&self, outcome: &Outcome<T>) {
        let word = match outcome {
            Outcome::Done(_) | Outcome::Rejected(_) => Word::Served,
            // Says nothing sure about the account.
            Outcome::Ambiguous { .. } => return,
            Outcome::AuthExpired { why } => Word::Refused {
                why: why.clone(),
                retry_after: None,
            },
            Outcome::NotApplied(not_applied) => match not_applied.cause {
                NotAppliedCause::Throttled
                | NotAppliedCause::Blocked
                | NotAppliedCause::Unpaid
                | NotAppliedCause::Unreachable
                | NotAppliedCause::BreakerOpen => Word::Refused {
                    why: not_applied.why.clone(),
                    retry_after: not_applied.retry_after,
                },
                // One question may fail where others do not; many in a row open the breaker.
                NotAppliedCause::Failed => return,
            },
        };
        *self.0.borrow_mut() = Some(word);
    }

    /// Returns the last word.
    pub(super) fn last_word(self) -> Option<Word> {
        self.0.into_inner()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_account_is_tried_by_one_work_after_ever_longer_holds() {
        let mut gate = Gate::default();
        let mut now = Instant::now();
        assert_eq!(gate.passage(now), Passage::Free(FIRST));
        let mut holds = Vec::new();
        for _ in 0..8 {
            let hold = gate.refused(now, None, 0.0);
            holds.push(hold.as_secs());
            assert_eq!(gate.passage(now), Passage::Closed);
            now += hold;
            assert_eq!(gate.passage(now), Passage::OneAtATime);
        }
        assert_eq!(holds, [1, 2, 4, 8, 16, 32, 60, 60]);
        gate.served();
        assert_eq!(gate.passage(now), Passage::Free(FIRST + 1));
        assert_eq!(gate.refused(now, None, 0.0), Duration::from_secs(1));
    }

    #[test]
    fn the_more_works_are_served_the_more_follow_until_one_is_refused() {
        let mut gate = Gate::default();
        let now = Instant::now();
        (0..1000).for_each(|_| gate.served());
        assert_eq!(gate.passage(now), Passage::Free(FIRST + 1000));
        let hold = gate.refused(now, None, 0.0);
        gate.served();
        assert_eq!(gate.passage(now + hold), Passage::Free(FIRST + 1));
    }

    #[test]
    fn works_that_were_under_way_when_the_gate_closed_do_not_lengthen_the_hold() {
        let mut gate = Gate::default();
        let now = Instant::now();
        for _ in 0..32 {
            assert_eq!(gate.refused(now, None, 0.0), Duration::from_secs(1));
        }
        let hour = Some(Duration::from_secs(3600));
        assert_eq!(gate.refused(now, hour, 0.0), HOLD_MAX);
    }
}
