//! How a tenant answers "who should this caller reach?": its numbers with their scenarios, who
//! may be rung when, who may ask.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ids::{EmployeeId, Extension, IntegrationId, SourceId};
use super::ip_range::IpRange;
use super::timestamp::Timestamp;
use super::work_hours::WorkHours;

/// What a tenant chose. Checked: everybody who is named exists.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct TenantAnswering {
    /// Its integrations in the order in which they are asked who a client is.
    pub integrations: Vec<IntegrationId>,
    /// Its numbers.
    pub numbers: Vec<InboundNumber>,
    /// Those of its people for whom something else than usual holds.
    pub people: BTreeMap<EmployeeId, PersonAnswering>,
}

/// One of the company's numbers (S1-25).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InboundNumber {
    /// The number as it was written.
    pub number: String,
    /// At which source it is dialled; `None` = at any.
    pub source: Option<SourceId>,
    /// What the phone system does with calls to it.
    pub scenario: Scenario,
    /// The one employee whom it belongs to.
    pub owner: Option<EmployeeId>,
    /// Where calls go for whom nobody is found.
    pub exits: Exits,
}

/// The inbound scenario of a number (S1-25).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Scenario {
    /// The client's personal manager is looked for.
    PersonalManager,
    /// This employee is rung, whoever calls.
    Employee(EmployeeId),
    /// Something else, such as a menu or a queue: nobody is looked for.
    Other,
}

/// Where a call goes that reaches no employee, as extensions of the asking source. What is absent
/// is decided by what stands behind it: the source's for a number's, `default` for the two others,
/// and at last the phone system itself.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Exits {
    /// Everything that is not said below.
    pub default: Option<Extension>,
    /// The personal manager was looked for, and there is none who can be rung (V-15).
    pub no_manager: Option<Extension>,
    /// The phone system says that the employee whom we named did not answer (V-15).
    pub redirect_failed: Option<Extension>,
}

/// One of the ways out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Exit {
    /// The ordinary one.
    Default,
    /// There is no personal manager who can be rung.
    NoManager,
    /// The employee did not answer.
    RedirectFailed,
}

impl Exits {
    /// Returns what is set for one of the ways out, else the ordinary one.
    pub fn of(&self, exit: Exit) -> Option<&Extension> {
        let own = match exit {
            Exit::Default => None,
            Exit::NoManager => self.no_manager.as_ref(),
            Exit::RedirectFailed => self.redirect_failed.as_ref(),
        };
        own.or(self.default.as_ref())
    }
}

/// What a source may ask, and what it is answered where nobody is found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SourceAnswering {
    /// Who may ask for it.
    pub allow: Vec<IpRange>,
    /// Where calls go for whom nobody is found.
    pub exits: Exits,
    /// What holds for a number that the tenant does not list, and for a question without one.
    pub unlisted: Unlisted,
    /// How long the CRM may be asked about a client who is not in memory; `None` = never.
    pub live_within: Option<Duration>,
}

impl Default for SourceAnswering {
    fn default() -> Self {
        Self {
            allow: IpRange::loopback().to_vec(),
            exits: Exits::default(),
            unlisted: Unlisted::default(),
            live_within: None,
        }
    }
}

/// The scenario of a number that is not listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unlisted {
    /// The phone system asks, so that its scenario is this one.
    #[default]
    PersonalManager,
    /// Nobody is looked for.
    Other,
}

/// When and for what an employee may be rung.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PersonAnswering {
    /// The employee counts in the search for a personal manager (V-02).
    pub personal_manager: bool,
    /// A person switched the employee off.
    pub away: bool,
    /// The hours of work; `None` = always.
    pub hours: Option<WorkHours>,
    /// Who is rung instead.
    pub stand_in: Option<EmployeeId>,
}

impl Default for PersonAnswering {
    fn default() -> Self {
        Self {
            personal_manager: true,
            away: false,
            hours: None,
            stand_in: None,
        }
    }
}

/// Why an employee is not rung now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Absence {
    /// Switched off by a person.
    Away,
    /// Outside the hours of work.
    OffHours,
}

impl PersonAnswering {
    /// Returns why the employee is not to be rung at this time, if that is so.
    pub fn absence(&self, now: Timestamp, zone: &TimeZone) -> Option<Absence> {
        if self.away {
            return Some(Absence::Away);
        }
        let off = |hours: &WorkHours| !hours.covers(now, zone);
        self.hours
            .as_ref()
            .is_some_and(off)
            .then_some(Absence::OffHours)
    }
}
