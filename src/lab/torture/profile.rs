//! How fast the company under torture lives: as fast as the machine bears it, or at the limit that
//! the vendor sets.

use std::borrow::Cow;
use std::time::Duration;

use super::{BrokenPromise, TortureOptions};

const TENANT: &str = include_str!("../../../lab/torture/tenant.toml");
/// The tenant's line that says how fast the daemon may be, and what stands there at the limit: all
/// that the vendor permits in a second (`crm/amocrm.md` §4).
const RATE_LINE: &str = "rate_per_second = 400";
const RATE_LINE_AT_THE_LIMIT: &str = "rate_per_second = 7";
const RATE_AT_THE_LIMIT: u32 = 7;

/// What the simulated account permits in a sliding second otherwise: half more than the tenant's
/// configuration allows itself, for on a busy machine an even pace arrives in bunches.
const RATE: u32 = 600;

/// Runs with fewer kills have few works under way at once.
const LONG_KILLS_MIN: usize = 20;

/// What differs from torture to torture.
#[derive(Debug)]
pub(super) struct Profile {
    /// The tenant's configuration.
    pub(super) tenant: Cow<'static, str>,
    /// What the simulated account permits in any sliding second.
    pub(super) rate_per_second: u32,
    /// Access tokens live so long; amoCRM's live for a day. Longer than any request waits for its
    /// turn: its token is chosen before.
    pub(super) access_ttl: Duration,
}

impl Profile {
    /// Chooses.
    pub(super) fn of(options: &TortureOptions) -> Self {
        let limiter = options.broken == Some(BrokenPromise::LimiterPlusOne);
        if options.at_the_limit || limiter {
            return Self {
                tenant: TENANT.replace(RATE_LINE, RATE_LINE_AT_THE_LIMIT).into(),
                rate_per_second: RATE_AT_THE_LIMIT,
                access_ttl: Duration::from_secs(60),
            };
        }
        let is_long = options.kills >= LONG_KILLS_MIN;
        Self {
            tenant: TENANT.into(),
            rate_per_second: RATE,
            access_ttl: Duration::from_secs(if is_long { 12 } else { 3 }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(kills: usize) -> TortureOptions {
        TortureOptions {
            kills,
            seed: 1,
            dir: "var".into(),
            daemon: None,
            broken: None,
            at_the_limit: false,
        }
    }

    /// Returns the daemon's rate by the tenant's configuration.
    fn rate(profile: &Profile) -> u32 {
        let lines = profile.tenant.lines();
        let mut rates = lines.filter_map(|line| line.strip_prefix("rate_per_second = "));
        rates.next().unwrap().parse().unwrap()
    }

    #[test]
    fn at_the_limit_the_daemon_uses_all_that_the_account_permits() {
        let at_the_limit = TortureOptions {
            at_the_limit: true,
            ..options(2)
        };
        let limiter = TortureOptions {
            broken: Some(BrokenPromise::LimiterPlusOne),
            ..options(2)
        };
        for options in [at_the_limit, limiter] {
            let profile = Profile::of(&options);
            assert_eq!((rate(&profile), profile.rate_per_second), (7, 7));
        }
    }

    #[test]
    fn otherwise_the_account_permits_half_more_than_the_daemon_allows_itself() {
        for kills in [5, 200] {
            let profile = Profile::of(&options(kills));
            assert_eq!((rate(&profile), profile.rate_per_second), (400, 600));
        }
    }
}
