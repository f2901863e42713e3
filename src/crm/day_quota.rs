//! What a CRM permits a day.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::timestamp::Timestamp;

/// Requests a day, and what is left of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DayQuota {
    /// Requests a day, by the plan.
    pub a_day: u64,
    /// What is left; none before the CRM said it.
    pub left: Option<u64>,
    /// As of when.
    pub as_of: Option<Timestamp>,
    /// It is used up, and tried again then.
    pub used_up_until: Option<Timestamp>,
}
