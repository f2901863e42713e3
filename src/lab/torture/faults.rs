//! What goes wrong in the CRM under torture: everything, seldom enough that work gets done.

use crate::lab::fault::{Fault, FaultPlan, Rule, RuleRefused, When};

/// Requests of a thousand that something befalls.
const TROUBLE_PER_MILLE: u32 = 130;
/// Each pauses the account for a second and slows it down for a minute.
const THROTTLED_EVERY: u64 = 1_500;
/// Each costs its client's lane the whole patience of the daemon, twenty seconds.
const TOO_LATE_PER_MILLE: u32 = 1;
const TOO_LATE_MS: u64 = 21_000;

/// Where tokens rotate: `/oauth2/access_token` in amoCRM, `/oauth/token/` in Bitrix24.
const ROTATION: &str = "/oauth*token*";
/// Each costs an authorisation by hand.
const ROTATION_LOST_EVERY: u64 = 4;
/// Others are slow, so that some are under way when the daemon is killed.
const ROTATION_SLOW_EVERY: u64 = 2;
const ROTATION_SLOW_MS: u64 = 500;

/// Runs with fewer kills are to be over within a minute, without such patience.
const TOO_LATE_KILLS_MIN: usize = 20;

/// What the plan is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// Lives that are cut short.
    Kills,
    /// The last life, which may finish: it is not throttled any more. Each lowers the rate for a
    /// minute, so that a long run would go on at a quarter of it, and wait for nothing else.
    Finish,
}

/// Makes the plan of a seed.
pub(super) fn plan(seed: u64, kills: usize, part: Part) -> Result<FaultPlan, RuleRefused> {
    let mut plan = FaultPlan::new(seed);
    let too_late = if kills < TOO_LATE_KILLS_MIN {
        0
    } else {
        TOO_LATE_PER_MILLE
    };
    let rules = [
        (
            ROTATION,
            When::Every {
                k: ROTATION_LOST_EVERY,
            },
            vec![Fault::LostAfter],
        ),
        (
            ROTATION,
            When::Every {
                k: ROTATION_SLOW_EVERY,
            },
            vec![Fault::LateAfter {
                ms: ROTATION_SLOW_MS,
            }],
        ),
        (
            "*",
            When::Chance {
                per_mille: too_late,
            },
            vec![Fault::LateAfter { ms: TOO_LATE_MS }],
        ),
        (
            "*",
            match part {
                Part::Kills => When::Every { k: THROTTLED_EVERY },
                Part::Finish => When::First { n: 0 },
            },
            vec![
                Fault::TooManyRequests {
                    retry_after_s: Some(1),
                },
                Fault::TooManyRequests {
                    retry_after_s: None,
                },
            ],
        ),
        (
            "*",
            When::Chance {
                per_mille: TROUBLE_PER_MILLE,
            },
            vec![
                Fault::LateAfter { ms: 100 },
                Fault::LateAfter { ms: 250 },
                Fault::LateAfter { ms: 500 },
                Fault::LostAfter,
                Fault::LostAfter,
                Fault::RefusedBefore,
                Fault::ErrorBefore { status: 502 },
                Fault::ErrorBefore { status: 503 },
                Fault::ErrorAfter { status: 500 },
                Fault::ErrorAfter { status: 504 },
                Fault::SlowDrip {
                    chunk_bytes: 64,
                    pause_ms: 5,
                },
                Fault::TruncatedJson,
                Fault::HtmlInsteadOfJson,
                Fault::PartialBatch { status: 502 },
            ],
        ),
    ];
    for (path, when, faults) in rules {
        plan.add(Rule {
            method: None,
            path: path.to_owned(),
            when,
            faults,
        })?;
    }
    Ok(plan)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn struck(part: Part, path: &str) -> Vec<(u64, &'static str)> {
        let mut plan = plan(7, 200, part).unwrap();
        let requests = 1..=6_000;
        requests
            .filter_map(|n| Some((n, plan.decide(n, "GET", path)?.name())))
            .collect()
    }

    #[test]
    fn one_seed_is_one_plan_and_everything_happens() {
        let kills = struck(Part::Kills, "/api/v4/contacts");
        assert_eq!(kills, struck(Part::Kills, "/api/v4/contacts"));
        let names: std::collections::BTreeSet<&str> = kills.iter().map(|(_, name)| *name).collect();
        assert_eq!(
            names.into_iter().collect::<Vec<&str>>(),
            [
                "error_after",
                "error_before",
                "html_instead_of_json",
                "late_after",
                "lost_after",
                "partial_batch",
                "refused_before",
                "slow_drip",
                "too_many_requests",
                "truncated_json",
            ]
        );
    }

    #[test]
    fn the_last_life_is_not_throttled_and_spared_nothing_else() {
        let throttled = |(_, name): &(u64, &str)| *name == "too_many_requests";
        let mut kills = struck(Part::Kills, "/api/v4/leads");
        let finish = struck(Part::Finish, "/api/v4/leads");
        assert!(kills.iter().any(throttled) && !finish.iter().any(throttled));
        kills.retain(|one| !throttled(one));
        assert!(kills.iter().all(|one| finish.contains(one)));
    }

    #[test]
    fn every_fourth_rotation_loses_its_answer_whatever_else_happens() {
        let lost = struck(Part::Kills, "/oauth2/access_token");
        let every_fourth = lost.iter().filter(|(n, _)| n.is_multiple_of(4));
        assert!(every_fourth.clone().count() == 1_500);
        assert!(
            every_fourth
                .into_iter()
                .all(|(_, name)| *name == "lost_after")
        );
    }
}
