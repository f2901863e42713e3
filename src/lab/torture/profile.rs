//! How fast the company under torture lives: as fast as the machine bears it, or at the limit that
//! the vendor sets.

use std::time::Duration;

use super::{BrokenPromise, CrmKind, TortureOptions};

/// The company and its sources.
const TENANT: &str = include_str!("../../../lab/torture/tenant.toml");
/// Its account and integrations in each CRM.
const AMOCRM: &str = include_str!("../../../lab/torture/amocrm.toml");
const BITRIX24: &str = include_str!("../../../lab/torture/bitrix24.toml");
const PLANFIX: &str = include_str!("../../../lab/torture/planfix.toml");
const ALFACRM: &str = include_str!("../../../lab/torture/alfacrm.toml");
/// The line of the account that says how fast the daemon may be.
const RATE_LINE: &str = "rate_per_second = 400";

/// What the simulated account permits in a sliding second otherwise: half more than the tenant's
/// configuration allows itself, for on a busy machine an even pace arrives in bunches.
const RATE: u32 = 600;

/// Runs with fewer kills have few works under way at once.
const LONG_KILLS_MIN: usize = 20;

/// What differs from torture to torture.
#[derive(Debug)]
pub(super) struct Profile {
    /// The tenant's configuration.
    pub(super) tenant: String,
    /// The address of the account, as the configuration has it.
    pub(super) portal: &'static str,
    /// What the simulated account permits: in any sliding second, or in the long run where it has
    /// a bucket.
    pub(super) rate_per_second: u32,
    /// Access tokens live so long; amoCRM's live for a day. Longer than any request waits for its
    /// turn: its token is chosen before.
    pub(super) access_ttl: Duration,
}

impl Profile {
    /// Chooses.
    pub(super) fn of(options: &TortureOptions) -> Self {
        let (account, portal, limit) = match options.crm {
            // All that the vendor permits in a second (`crm/amocrm.md` §4).
            CrmKind::Amocrm => (AMOCRM, "https://demo.amocrm.ru", 7),
            // What leaves the bucket in a second (`crm/bitrix24.md` §1).
            CrmKind::Bitrix24 => (BITRIX24, "https://demo.bitrix24.ru", 2),
            // One request a second (`crm/planfix.md` §2).
            CrmKind::Planfix => (PLANFIX, "https://demo.planfix.ru", 1),
            // What all programs of a school together may send in a second (`crm/alfacrm.md` §1).
            CrmKind::Alfacrm => (ALFACRM, "https://demo.s20.online", 5),
        };
        let tenant = format!("{TENANT}\n{account}");
        let limiter = options.broken == Some(BrokenPromise::LimiterPlusOne);
        if options.at_the_limit || limiter {
            return Self {
                tenant: tenant.replace(RATE_LINE, &format!("rate_per_second = {limit}")),
                portal,
                rate_per_second: limit,
                access_ttl: Duration::from_secs(60),
            };
        }
        let is_long = options.kills >= LONG_KILLS_MIN;
        Self {
            tenant,
            portal,
            rate_per_second: RATE,
            access_ttl: Duration::from_secs(if is_long { 12 } else { 3 }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CRMS: [(CrmKind, u32); 4] = [
        (CrmKind::Amocrm, 7),
        (CrmKind::Bitrix24, 2),
        (CrmKind::Planfix, 1),
        (CrmKind::Alfacrm, 5),
    ];

    fn options(crm: CrmKind, kills: usize) -> TortureOptions {
        TortureOptions {
            crm,
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
        for (crm, limit) in CRMS {
            let at_the_limit = TortureOptions {
                at_the_limit: true,
                ..options(crm, 2)
            };
            let limiter = TortureOptions {
                broken: Some(BrokenPromise::LimiterPlusOne),
                ..options(crm, 2)
            };
            for options in [at_the_limit, limiter] {
                let profile = Profile::of(&options);
                assert_eq!((rate(&profile), profile.rate_per_second), (limit, limit));
            }
        }
    }

    #[test]
    fn otherwise_the_account_permits_half_more_than_the_daemon_allows_itself() {
        for (crm, _) in CRMS {
            for kills in [5, 200] {
                let profile = Profile::of(&options(crm, kills));
                assert_eq!((rate(&profile), profile.rate_per_second), (400, 600));
                let url = format!("url = {:?}", profile.portal);
                assert!(profile.tenant.contains(&url), "{url}");
            }
        }
    }
}
