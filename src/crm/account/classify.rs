//! What is known about the effect of a request, from what happened to it. Pure; knows HTTP, no CRM.
//!
//! The rule behind the table: whatever may have reached the CRM and got no clear refusal is
//! ambiguous for a write. A read has no effect, so it has merely failed.

use std::time::Duration;

use crate::model::outcome::{NotApplied, NotAppliedCause, Outcome};

/// Shortest pause after a 429: budgets are counted by the second (`crm/amocrm.md` §3).
pub const THROTTLED_MIN: Duration = Duration::from_secs(1);

/// Longest `Retry-After` that is believed: a day. More is a mistake or malice, and a day is
/// asked again soon enough.
pub const RETRY_AFTER_MAX: Duration = Duration::from_secs(86_400);

/// When work for a blocked account looks again whether a person has resumed it. Nothing is sent
/// for that: only the vendor's support lifts a block, and traffic prolongs it.
pub const BLOCKED_RETRY: Duration = Duration::from_secs(60);

/// How long an unpaid account stays untouched.
pub const UNPAID_HOLD: Duration = Duration::from_secs(3600);

/// Whether a request may change something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// It changes nothing there.
    Read,
    /// It does, or may.
    Write,
}

/// What happened to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Happened {
    /// It never left: no connection, no name, no handshake.
    NotSent {
        /// Why.
        why: String,
    },
    /// It left, wholly or in part, and no whole answer came.
    NoAnswer {
        /// Why.
        why: String,
    },
    /// An answer came.
    Answered {
        /// HTTP status.
        status: u16,
        /// The body is JSON.
        json: bool,
        /// `Retry-After`, where given.
        retry_after: Option<Duration>,
        /// The beginning of the body, for the journal.
        words: String,
    },
}

/// What is to be thought of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Judgement {
    /// The adapter can read the answer: success, or a refusal in the CRM's own words.
    Answered,
    /// There is no use in reading it.
    Failed(Failure),
}

/// An outcome that carries no result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// See [`Outcome::NotApplied`].
    NotApplied(NotApplied),
    /// See [`Outcome::Ambiguous`].
    Ambiguous {
        /// What happened.
        why: String,
    },
    /// See [`Outcome::AuthExpired`].
    AuthExpired {
        /// The CRM's words.
        why: String,
    },
}

impl Failure {
    /// Builds a request without effect.
    pub fn not_applied(cause: NotAppliedCause, why: String, retry_after: Option<Duration>) -> Self {
        Failure::NotApplied(NotApplied {
            cause,
            why,
            retry_after,
        })
    }

    /// Returns the outcome, whatever the request would have returned.
    pub fn into_outcome<T>(self) -> Outcome<T> {
        match self {
            Failure::NotApplied(not_applied) => Outcome::NotApplied(not_applied),
            Failure::Ambiguous { why } => Outcome::Ambiguous { why },
            Failure::AuthExpired { why } => Outcome::AuthExpired { why },
        }
    }
}

/// What a request says about the CRM's health, for the breaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// It answers, be it with a refusal.
    Alive,
    /// It does not answer, or says itself that it is broken.
    Sick,
}

/// Says what is known after a request.
pub fn judge(purpose: Purpose, happened: &Happened) -> Judgement {
    let failure = match happened {
        Happened::NotSent { why } => {
            Failure::not_applied(NotAppliedCause::Unreachable, why.clone(), None)
        }
        Happened::NoAnswer { why } => lost(purpose, why.clone(), None),
        Happened::Answered {
            status,
            json,
            retry_after,
            words,
        } => {
            let why = format!("HTTP {status}: {words}");
            match *status {
                429 => Failure::not_applied(
                    NotAppliedCause::Throttled,
                    why,
                    Some(throttle_pause(*retry_after)),
                ),
                401 => Failure::AuthExpired { why },
                402 => Failure::not_applied(NotAppliedCause::Unpaid, why, Some(UNPAID_HOLD)),
                403 if !json => {
                    Failure::not_applied(NotAppliedCause::Blocked, why, Some(BLOCKED_RETRY))
                }
                // Said so in the CRM's own words, see `Manners::status`.
                423 => Failure::not_applied(NotAppliedCause::Blocked, why, Some(BLOCKED_RETRY)),
                // We follow no redirects, so nothing was done: the portal has moved.
                300..=399 => Failure::not_applied(
                    NotAppliedCause::Unreachable,
                    format!(
                        "the portal answers with a redirect (HTTP {status}): check its address"
                    ),
                    None,
                ),
                // 408 is said about a request that came in part; how much of it, nobody says.
                408 | 500..=599 => lost(purpose, why, *retry_after),
                _ => return Judgement::Answered,
            }
        }
    };
    Judgement::Failed(failure)
}

/// Says what a request tells about the CRM's health.
pub fn health(happened: &Happened) -> Health {
    match happened {
        Happened::NotSent { .. } | Happened::NoAnswer { .. } => Health::Sick,
        Happened::Answered { status, .. } => match status {
            408 | 500..=599 => Health::Sick,
            _ => Health::Alive,
        },
    }
}

/// Returns the pause that a CRM asks for while it says itself that it is not well: nothing goes to
/// the account meanwhile, whatever became of the request.
pub fn pause_asked(happened: &Happened) -> Option<Duration> {
    match happened {
        Happened::Answered {
            status: 500..=599,
            retry_after,
            ..
        } => retry_after.map(|pause| pause.min(RETRY_AFTER_MAX)),
        Happened::Answered { .. } | Happened::NotSent { .. } | Happened::NoAnswer { .. } => None,
    }
}

/// Returns the pause after a 429.
pub fn throttle_pause(retry_after: Option<Duration>) -> Duration {
    retry_after
        .unwrap_or(THROTTLED_MIN)
        .clamp(THROTTLED_MIN, RETRY_AFTER_MAX)
}

fn lost(purpose: Purpose, why: String, retry_after: Option<Duration>) -> Failure {
    match purpose {
        Purpose::Read => {
            let retry_after = retry_after.map(|pause| pause.min(RETRY_AFTER_MAX));
            Failure::not_applied(NotAppliedCause::Failed, why, retry_after)
        }
        Purpose::Write => Failure::Ambiguous { why },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(status: u16, json: bool) -> Happened {
        Happened::Answered {
            status,
            json,
            retry_after: None,
            words: "words".to_owned(),
        }
    }

    /// What a judgement comes to, in one word.
    fn word(judgement: &Judgement) -> String {
        match judgement {
            Judgement::Answered => "answered".to_owned(),
            Judgement::Failed(Failure::NotApplied(n)) => format!("{:?}", n.cause).to_lowercase(),
            Judgement::Failed(Failure::Ambiguous { .. }) => "ambiguous".to_owned(),
            Judgement::Failed(Failure::AuthExpired { .. }) => "auth".to_owned(),
        }
    }

    #[test]
    fn table_of_what_is_known() {
        let not_sent = Happened::NotSent { why: String::new() };
        let no_answer = Happened::NoAnswer { why: String::new() };
        let rows: [(Happened, &str, &str, Health); 17] = [
            (not_sent, "unreachable", "unreachable", Health::Sick),
            (no_answer, "failed", "ambiguous", Health::Sick),
            (answered(200, true), "answered", "answered", Health::Alive),
            (answered(200, false), "answered", "answered", Health::Alive),
            (answered(204, false), "answered", "answered", Health::Alive),
            (
                answered(302, false),
                "unreachable",
                "unreachable",
                Health::Alive,
            ),
            (answered(400, true), "answered", "answered", Health::Alive),
            (answered(401, true), "auth", "auth", Health::Alive),
            (answered(402, true), "unpaid", "unpaid", Health::Alive),
            (answered(403, true), "answered", "answered", Health::Alive),
            (answered(403, false), "blocked", "blocked", Health::Alive),
            (answered(404, false), "answered", "answered", Health::Alive),
            (answered(408, false), "failed", "ambiguous", Health::Sick),
            (
                answered(429, false),
                "throttled",
                "throttled",
                Health::Alive,
            ),
            (answered(500, true), "failed", "ambiguous", Health::Sick),
            (answered(502, false), "failed", "ambiguous", Health::Sick),
            (answered(504, false), "failed", "ambiguous", Health::Sick),
        ];
        for (happened, read, write, expected) in rows {
            assert_eq!(word(&judge(Purpose::Read, &happened)), read, "{happened:?}");
            assert_eq!(
                word(&judge(Purpose::Write, &happened)),
                write,
                "{happened:?}"
            );
            assert_eq!(health(&happened), expected, "{happened:?}");
        }
    }

    #[test]
    fn a_broken_crm_that_asks_for_ages_is_asked_again_after_a_day() {
        let happened = Happened::Answered {
            status: 503,
            json: false,
            retry_after: Some(Duration::from_secs(u64::MAX)),
            words: String::new(),
        };
        let Judgement::Failed(Failure::NotApplied(failed)) = judge(Purpose::Read, &happened) else {
            panic!("a read has merely failed");
        };
        assert_eq!(failed.retry_after, Some(RETRY_AFTER_MAX));
    }

    #[test]
    fn a_throttled_request_waits_at_least_a_second_and_at_most_a_day() {
        for (given, pause) in [
            (None, 1),
            (Some(0), 1),
            (Some(7), 7),
            (Some(u64::MAX), 86_400),
        ] {
            let given = given.map(Duration::from_secs);
            assert_eq!(throttle_pause(given), Duration::from_secs(pause));
        }
    }
}
