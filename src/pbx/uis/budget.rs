//! How often an account may be asked: by what its limits leave of the day (corrections 8). Pure.

use std::time::Duration;

use super::rpc::Limits;

/// Longest pause while there is anything left.
const PERIOD_MAX: Duration = Duration::from_secs(3_600);

/// How an account is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pace {
    /// Shortest pause.
    pub(super) period_min: Duration,
    /// How much of what is left of the day is ours, in percent: others use the same limit.
    pub(super) day_share: u64,
}

/// Returns the pause before the next round, which costs so many points.
pub(super) fn pause(limits: Option<Limits>, cost: u64, pace: Pace) -> Duration {
    let Some(limits) = limits else {
        return pace.period_min;
    };
    let cost = cost.max(1);
    let ours = limits.day_remaining.saturating_mul(pace.day_share) / 100;
    let rounds = u32::try_from(ours / cost).unwrap_or(u32::MAX);
    let even = match rounds {
        // Nothing before the next day.
        0 => return limits.day_reset.max(pace.period_min),
        rounds => limits.day_reset / rounds,
    };
    let minute = match limits.minute_remaining < cost {
        true => limits.minute_reset,
        false => Duration::ZERO,
    };
    even.min(PERIOD_MAX).max(minute).max(pace.period_min)
}

/// Pause between a notification and the round that it calls for: a chat tells several at once, and
/// reports lag a little behind.
pub(super) const SOON: Duration = Duration::from_secs(2);

/// Returns the shortest time between two rounds of which notifications call for the second. Where
/// little is left, a busy hour must not use up the day.
pub(super) fn gap(pause: Duration, pace: Pace) -> Duration {
    (pause / 10).max(SOON.min(pace.period_min))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(day_remaining: u64, day_reset_s: u64, minute_remaining: u64) -> u64 {
        let limits = Limits {
            day_remaining,
            day_reset: Duration::from_secs(day_reset_s),
            minute_remaining,
            minute_reset: Duration::from_secs(50),
        };
        let pace = Pace {
            period_min: Duration::from_secs(20),
            day_share: 50,
        };
        pause(Some(limits), 4, pace).as_secs()
    }

    #[test]
    fn what_is_left_of_the_day_is_spread_over_the_rest_of_it() {
        // A thousand points a day, half of them ours, four a round: 125 rounds.
        assert_eq!(after(1_000, 86_400, 100), 691);
        // Plenty.
        assert_eq!(after(100_000, 86_400, 100), 20);
        // The minute is used up.
        assert_eq!(after(100_000, 86_400, 3), 50);
        // Little is left: once an hour, as long as there is anything.
        assert_eq!(after(16, 80_000, 100), 3_600);
        // Nothing is left: tomorrow.
        assert_eq!(after(7, 30_000, 100), 30_000);
    }

    #[test]
    fn notifications_have_reports_read_soon_and_later_where_little_is_left() {
        let pace = Pace {
            period_min: Duration::from_secs(60),
            day_share: 70,
        };
        assert_eq!(gap(Duration::from_secs(15), pace), Duration::from_secs(2));
        assert_eq!(gap(Duration::from_secs(60), pace), Duration::from_secs(6));
        assert_eq!(gap(Duration::from_secs(690), pace), Duration::from_secs(69));
    }

    proptest::proptest! {
        #[test]
        fn a_day_never_asks_for_more_than_its_share(
            remaining in 8_u64..20_000, reset_s in 3_600_u64..86_400, cost in 1_u64..20,
        ) {
            let pace = Pace { period_min: Duration::from_secs(1), day_share: 50 };
            let (mut left, mut time) = (remaining, 0_u64);
            while time < reset_s {
                let limits = Limits {
                    day_remaining: left,
                    day_reset: Duration::from_secs(reset_s - time),
                    minute_remaining: u64::MAX,
                    minute_reset: Duration::ZERO,
                };
                let pause = pause(Some(limits), cost, pace);
                time += pause.as_secs().max(1);
                if time < reset_s {
                    proptest::prop_assert!(left >= cost, "asked with {left} left");
                    left -= cost;
                }
            }
        }
    }
}
