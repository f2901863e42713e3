//! What an account's door tells administrators about itself.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::breaker::BreakerState;
use super::limiter::Waiting;

pub use super::limiter::WAITING_MAX;
use crate::model::ids::PortalKey;
use crate::model::timestamp::Timestamp;

/// The state of one account's door at one moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AccountStatus {
    /// The portal.
    pub portal: PortalKey,
    /// Whether requests pass.
    pub breaker: BreakerState,
    /// The CRM refuses to serve the account at all.
    pub held: Option<Held>,
    /// Requests a second that we allow ourselves at present; lower than configured for a while
    /// after the CRM throttled us.
    pub rate_per_second: f64,
    /// Requests that wait for their turn.
    pub waiting: Waiting,
    /// Requests that were sent and are not answered yet.
    pub in_flight: usize,
    /// The last failure.
    pub last_error: Option<LastError>,
    /// When the CRM last answered as it should.
    pub last_success_at: Option<Timestamp>,
    /// Requests sent since the start.
    pub requests_total: u64,
    /// How many of them were throttled.
    pub throttled_total: u64,
    /// How many of them got no answer or a 5xx.
    pub failed_total: u64,
}

/// The account is left alone because the CRM said that it will not serve it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Held {
    /// Which sort of refusal.
    pub cause: HeldCause,
    /// Since when.
    pub since: Timestamp,
    /// The CRM's words.
    pub why: String,
}

/// Why an account is left alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HeldCause {
    /// Its vendor blocked it: a person must ask the vendor's support.
    Blocked,
    /// It is not paid for.
    Unpaid,
}

/// The last failure of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LastError {
    /// When.
    pub at: Timestamp,
    /// In words.
    pub why: String,
}

/// Returns the name under which what a portal is made of is kept, beside what was set up there.
pub fn description_row(portal: &PortalKey) -> PortalKey {
    PortalKey::new("described", portal.as_str())
}

/// Returns the name under which it is kept that a portal is blocked, beside what was set up there.
pub fn block_row(portal: &PortalKey) -> PortalKey {
    PortalKey::new("blocked", portal.as_str())
}
