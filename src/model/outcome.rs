//! What a request to a CRM came to.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::plan::{Card, Entity};

/// What a CRM call came to: a value, not an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome<T> {
    /// It is done.
    Done(T),
    /// It certainly had no effect: refused, throttled or never sent. May be repeated as it is.
    NotApplied(NotApplied),
    /// It was sent and its effect is unknown: look for the effect before repeating.
    Ambiguous {
        /// What happened, for the journal.
        why: String,
    },
    /// The credential is refused: nothing more goes to this account until it is renewed.
    AuthExpired {
        /// The CRM's own words.
        why: String,
    },
    /// It will never succeed as it is: a dead letter.
    Rejected(Rejection),
}

/// Why something was not done, for one who only wants to know whether to come again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotDone {
    /// In words.
    pub why: String,
    /// Not to be repeated earlier than this from now.
    pub retry_after: Option<Duration>,
}

impl<T> Outcome<T> {
    /// Returns what was done.
    ///
    /// # Errors
    /// Says why nothing was, in one manner for every reason.
    pub fn done(self) -> Result<T, NotDone> {
        let (why, retry_after) = match self {
            Outcome::Done(value) => return Ok(value),
            Outcome::NotApplied(not_applied) => (not_applied.why, not_applied.retry_after),
            Outcome::Ambiguous { why } | Outcome::AuthExpired { why } => (why, None),
            Outcome::Rejected(rejection) => {
                (format!("{} {}", rejection.code, rejection.message), None)
            }
        };
        Err(NotDone { why, retry_after })
    }
}

/// A request without effect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotApplied {
    /// Why.
    pub cause: NotAppliedCause,
    /// In words, for the journal.
    pub why: String,
    /// Not to be repeated earlier than this from now, where the CRM or the breaker said so.
    pub retry_after: Option<Duration>,
}

/// Why a request had no effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotAppliedCause {
    /// Over the limit (429 and its kin).
    Throttled,
    /// The account is blocked until its vendor lifts it (403 with a page instead of JSON).
    Blocked,
    /// The CRM is not paid for (402).
    Unpaid,
    /// No connection was made.
    Unreachable,
    /// The breaker is open: it was not tried.
    BreakerOpen,
    /// A read failed (5xx, cut off, nonsense): reads have no effect.
    Failed,
}

/// A refusal for good, in the CRM's own words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejection {
    /// The CRM's status or code.
    pub code: String,
    /// The CRM's words, cut to a bearable length.
    pub message: String,
}

/// What a step made, or found made.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct StepResult {
    /// The records, the step's own first. Empty for a call that found no card to be logged on.
    pub cards: Vec<Card>,
    /// The records were there already when we looked after an ambiguous answer.
    #[serde(default)]
    pub adopted: bool,
    /// What is worth telling, in words.
    #[serde(default)]
    pub note: Option<String>,
}

impl StepResult {
    /// Returns the first record of a sort.
    pub fn card(&self, entity: Entity) -> Option<&Card> {
        self.cards.iter().find(|card| card.entity == entity)
    }
}

/// What came of looking for the effect of an ambiguous request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Look {
    /// The effect exists.
    Found(StepResult),
    /// It surely does not exist: repeating is safe.
    Absent,
    /// It cannot be known: the integration's policy decides.
    Undecidable,
}
