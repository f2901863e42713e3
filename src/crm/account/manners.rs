//! How a CRM's HTTP departs from what is usual, and how its budget is counted: data that an adapter
//! declares and the door keeps to.

use std::time::Duration;

/// What the door of an account must know of its CRM.
#[derive(Debug, Clone, Copy)]
pub struct Manners {
    /// Returns the status that an answer would have if the CRM used HTTP's statuses as everybody
    /// does: 429 = too many requests, 402 = not paid for, 423 = blocked until its vendor lifts it,
    /// 401 = the credential is refused; any other is the adapter's to read.
    pub status: fn(u16, &[u8]) -> u16,
    /// Requests that may leave at once after a quiet time, where the CRM counts by a bucket that
    /// empties steadily; 0 = all are evenly paced. A whole bucket may stand from an earlier
    /// process, so that at most half of it is safe.
    pub burst: u32,
    /// How long an answer is waited for.
    pub answer_within: Duration,
    /// The content type of bodies.
    pub body_type: &'static str,
}

/// Time for all of a request, as the vendor's library of the first CRM has it (`crm/amocrm.md` §1).
pub(super) const TOTAL_MAX: Duration = Duration::from_secs(20);

impl Default for Manners {
    fn default() -> Self {
        Self {
            status: |status, _| status,
            burst: 0,
            answer_within: TOTAL_MAX,
            body_type: "application/json",
        }
    }
}
