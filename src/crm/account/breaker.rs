//! Stops hammering a CRM that is down, and probes it. A pure state machine: time comes in as a
//! value, nothing is awaited.
//!
//! ```text
//!           failures in a row            hold over, next caller
//!  Closed ---------------------> Open ------------------------> HalfOpen (one probe)
//!    ^                            ^                                |   |
//!    |                            +----- probe failed (longer) ----+   |
//!    +------------------------------------ probe succeeded ------------+
//! ```

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

/// Failures in a row that open the breaker: one or two are a hiccup, five in a row are not.
const FAILURES_MAX: u32 = 5;

/// First hold: long enough to matter, short enough that a restart of the CRM is hardly noticed.
const HOLD_FIRST: Duration = Duration::from_secs(5);

/// Longest hold: one probe every five minutes disturbs nobody.
const HOLD_MAX: Duration = Duration::from_secs(300);

/// What callers are told while a probe is out.
const PROBE_PATIENCE: Duration = Duration::from_secs(1);

/// The breaker of one account.
#[derive(Debug, Clone)]
pub struct Breaker {
    state: State,
    /// The hold that the next opening takes.
    hold_next: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Closed { failures: u32 },
    Open { until: Instant },
    HalfOpen,
}

/// The breaker's state, for status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BreakerState {
    /// Requests pass.
    Closed,
    /// Requests are refused.
    Open,
    /// One request is out to see whether the CRM is back.
    HalfOpen,
}

/// Whether a request may go now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// It may.
    Pass,
    /// It may, as the probe: its result decides, and [`Breaker::abandoned`] must be called when
    /// it ends without one.
    Probe,
    /// It may not, for this long.
    Refused {
        /// How long from now.
        retry_after: Duration,
    },
}

impl Default for Breaker {
    fn default() -> Self {
        Self {
            state: State::Closed { failures: 0 },
            hold_next: HOLD_FIRST,
        }
    }
}

impl Breaker {
    /// Says whether a request would be refused at this time, and for how long. Changes nothing.
    pub fn refusal(&self, now: Instant) -> Option<Duration> {
        match self.state {
            State::Closed { .. } => None,
            State::Open { until } if now >= until => None,
            State::Open { until } => Some(until.saturating_duration_since(now)),
            State::HalfOpen => Some(PROBE_PATIENCE),
        }
    }

    /// Asks to send a request now.
    pub fn admit(&mut self, now: Instant) -> Admission {
        if let Some(retry_after) = self.refusal(now) {
            return Admission::Refused { retry_after };
        }
        match self.state {
            State::Closed { .. } => Admission::Pass,
            State::Open { .. } | State::HalfOpen => {
                self.state = State::HalfOpen;
                Admission::Probe
            }
        }
    }

    /// Takes note of an answer that shows the CRM at work.
    pub fn succeeded(&mut self) {
        // A late success of a request from before the opening proves nothing about now.
        if !matches!(self.state, State::Open { .. }) {
            *self = Self::default();
        }
    }

    /// Takes note of a failure of the CRM or of the way to it.
    pub fn failed(&mut self, now: Instant) {
        match self.state {
            State::Closed { failures } if failures.saturating_add(1) < FAILURES_MAX => {
                self.state = State::Closed {
                    failures: failures.saturating_add(1),
                };
            }
            State::Closed { .. } | State::HalfOpen => {
                self.state = State::Open {
                    until: now + self.hold_next,
                };
                self.hold_next = (self.hold_next * 2).min(HOLD_MAX);
            }
            // Requests that were under way when it opened: they say nothing new.
            State::Open { .. } => {}
        }
    }

    /// Takes note that the probe ended without a result: the next caller probes.
    pub fn abandoned(&mut self, now: Instant) {
        if self.state == State::HalfOpen {
            self.state = State::Open { until: now };
        }
    }

    /// Opens for a given time, whatever the state: the CRM said that it will not serve us.
    pub fn trip(&mut self, now: Instant, hold: Duration) {
        self.state = State::Open { until: now + hold };
    }

    /// Closes, because a person says so.
    pub fn reset(&mut self) {
        *self = Self::default();
    }

    /// Returns the state for status.
    pub fn state(&self) -> BreakerState {
        match self.state {
            State::Closed { .. } => BreakerState::Closed,
            State::Open { .. } => BreakerState::Open,
            State::HalfOpen => BreakerState::HalfOpen,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One letter each: `f` failed, `s` succeeded, `a` probe abandoned, `?` asks and must pass,
    /// `p` asks and must be the probe, `!` asks and must be refused, `.` one second goes by.
    #[track_caller]
    fn check(script: &str, end: BreakerState) {
        let mut breaker = Breaker::default();
        let mut now = Instant::now();
        for (place, letter) in script.chars().enumerate() {
            match letter {
                'f' => breaker.failed(now),
                's' => breaker.succeeded(),
                'a' => breaker.abandoned(now),
                '?' => assert_eq!(breaker.admit(now), Admission::Pass, "{script} at {place}"),
                'p' => assert_eq!(breaker.admit(now), Admission::Probe, "{script} at {place}"),
                '!' => assert!(
                    matches!(breaker.admit(now), Admission::Refused { .. }),
                    "{script} at {place}"
                ),
                '.' => now += Duration::from_secs(1),
                other => panic!("unknown letter {other}"),
            }
        }
        assert_eq!(breaker.state(), end, "{script}");
    }

    #[test]
    fn transitions() {
        use BreakerState::{Closed, HalfOpen, Open};
        check("", Closed);
        check("ffff?", Closed);
        check("ffffsffff?", Closed);
        check("fffff!", Open);
        check("fffff....!", Open);
        check("fffff.....p", HalfOpen);
        check("fffff.....p!", HalfOpen);
        check("fffff.....ps?", Closed);
        // A failed probe doubles the hold.
        check("fffff.....pf.....!", Open);
        check("fffff.....pf..........p", HalfOpen);
        // After a recovery the hold is short again.
        check("fffff.....pf..........psfffff.....p", HalfOpen);
        // Stragglers do not move an open breaker.
        check("ffffffffff.....p", HalfOpen);
        check("fffffs!", Open);
        // A probe whose caller went away does not block the way for ever.
        check("fffff.....pap", HalfOpen);
    }

    #[test]
    fn the_hold_stops_growing_at_five_minutes() {
        let mut breaker = Breaker::default();
        let mut now = Instant::now();
        for _ in 0..40 {
            breaker.failed(now);
            if let Some(wait) = breaker.refusal(now) {
                assert!(wait <= HOLD_MAX);
                now += wait;
                assert_eq!(breaker.admit(now), Admission::Probe);
            }
        }
    }

    #[test]
    fn a_tripped_breaker_waits_out_its_hold_and_then_probes() {
        let mut breaker = Breaker::default();
        let now = Instant::now();
        breaker.trip(now, Duration::from_secs(3600));
        assert_eq!(breaker.refusal(now), Some(Duration::from_secs(3600)));
        assert_eq!(
            breaker.admit(now + Duration::from_secs(3600)),
            Admission::Probe
        );
        breaker.reset();
        assert_eq!(breaker.admit(now), Admission::Pass);
    }
}
