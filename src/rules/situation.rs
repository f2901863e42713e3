//! Everything that a decision may look at.

use jiff::tz::TimeZone;

use crate::model::capabilities::Capabilities;
use crate::model::communication::{Phase, Snapshot};
use crate::model::employee::Employees;
use crate::model::ids::AccountId;
use crate::model::ledger::Ledger;
use crate::model::recording::RecordingAddress;
use crate::model::timestamp::Timestamp;

use super::settings::IntegrationSettings;

/// The values that one decision is made from.
#[derive(Debug, Clone, Copy)]
pub struct Situation<'a> {
    /// The communication, at its newest revision.
    pub snapshot: &'a Snapshot,
    /// The phase to be decided.
    pub phase: Phase,
    /// The number of the work that decides it: it tells one coming of a phase from another.
    pub work: u64,
    /// What this integration planned and got for it so far.
    pub ledger: &'a Ledger,
    /// What the administrator chose.
    pub settings: &'a IntegrationSettings,
    /// The people of the tenant.
    pub employees: &'a Employees,
    /// The account, by which an employee's user is found.
    pub account: &'a AccountId,
    /// What the CRM can do.
    pub capabilities: &'a Capabilities,
    /// The source's name as cards show it.
    pub source_name: &'a str,
    /// The company's time zone, in which texts tell the time of day.
    pub time_zone: &'a TimeZone,
    /// Where the call's recording can be played, or will be; `None` = there is none, or no public
    /// address.
    pub recording: Option<&'a RecordingAddress>,
    /// Now.
    pub now: Timestamp,
}
