//! What goes wrong in the CRM under torture: everything, seldom enough that work gets done.

use crate::lab::fault::{Fault, FaultPlan, Rule, RuleRefused, When};

/// Requests of a thousand that something befalls.
const TROUBLE_PER_MILLE: u32 = 130;
/// Each pauses the account for a second and slows it down for a minute: at hundreds of requests a
/// second, a throttled request in a few thousand is as many a minute as a real account would see.
const THROTTLED_EVERY: u64 = 5_000;
/// Each costs its client's lane the whole patience of the daemon, twenty seconds.
const TOO_LATE_PER_MILLE: u32 = 1;
const TOO_LATE_MS: u64 = 21_000;

/// Each costs an authorisation by hand.
const ROTATION_LOST_EVERY: u64 = 4;

/// Runs with fewer kills are to be over within a minute, without such patience.
const TOO_LATE_KILLS_MIN: usize = 20;

/// Makes the plan of a seed.
pub(super) fn plan(seed: u64, kills: usize) -> Result<FaultPlan, RuleRefused> {
    let mut plan = FaultPlan::new(seed);
    let too_late = if kills < TOO_LATE_KILLS_MIN {
        0
    } else {
        TOO_LATE_PER_MILLE
    };
    let rules = [
        (
            "/oauth2/access_token",
            When::Every {
                k: ROTATION_LOST_EVERY,
            },
            vec![Fault::LostAfter],
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
            When::Every { k: THROTTLED_EVERY },
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
