//! The parameters of calls (V-07).

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::details;

use super::{Comparison, Facets, Parameter, Told};

/// What a condition looks at in a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CallParameter {
    /// `incoming` or `outgoing`.
    Direction,
    /// `answered` or `missed`.
    Result,
    /// The company's number, as the source reports it: the one called, or the one shown.
    OurNumber,
    /// The queues that the call went through.
    Queue,
    /// The employee who talked, by our own name. Decided by an answer: a missed call matches
    /// neither "include" nor "exclude" (V-08).
    Employee,
    /// The scenario of the phone system.
    Scenario,
    /// The last step of the scenario. Decided by an answer (V-08).
    LastOperation,
    /// The department that the client chose. Decided by an answer (V-08).
    Group,
    /// The advertising campaign.
    Campaign,
    /// The campaign of the client's first visit.
    FirstCampaign,
    /// The site from which the client called.
    Site,
    /// Where the client came from, as the source sorts it.
    Source,
    /// A mark that an employee or the source set.
    Tag,
}

impl CallParameter {
    /// Says whether a call to a client can have it: where the client came from and what way a call
    /// took through the phone system is known of calls from clients only (V-07).
    pub(in crate::rules) fn is_of_outgoing(self) -> bool {
        match self {
            CallParameter::Direction
            | CallParameter::Result
            | CallParameter::OurNumber
            | CallParameter::Employee
            | CallParameter::Tag => true,
            CallParameter::Queue
            | CallParameter::Scenario
            | CallParameter::LastOperation
            | CallParameter::Group
            | CallParameter::Campaign
            | CallParameter::FirstCampaign
            | CallParameter::Site
            | CallParameter::Source => false,
        }
    }

    /// Says whether only an answer decides it (V-08).
    fn needs_answer(self) -> bool {
        match self {
            CallParameter::Employee | CallParameter::LastOperation | CallParameter::Group => true,
            CallParameter::Direction
            | CallParameter::Result
            | CallParameter::OurNumber
            | CallParameter::Queue
            | CallParameter::Scenario
            | CallParameter::Campaign
            | CallParameter::FirstCampaign
            | CallParameter::Site
            | CallParameter::Source
            | CallParameter::Tag => false,
        }
    }
}

impl Parameter for CallParameter {
    fn word(self) -> &'static str {
        match self {
            CallParameter::Direction => "direction",
            CallParameter::Result => "result",
            CallParameter::OurNumber => "our_number",
            CallParameter::Queue => "queue",
            CallParameter::Employee => "employee",
            CallParameter::Scenario => "scenario",
            CallParameter::LastOperation => "last_operation",
            CallParameter::Group => "group",
            CallParameter::Campaign => "campaign",
            CallParameter::FirstCampaign => "first_campaign",
            CallParameter::Site => "site",
            CallParameter::Source => "source",
            CallParameter::Tag => "tag",
        }
    }

    fn comparison(self) -> Comparison {
        match self {
            CallParameter::Direction
            | CallParameter::Result
            | CallParameter::OurNumber
            | CallParameter::Queue
            | CallParameter::Employee => Comparison::Exact,
            CallParameter::Scenario
            | CallParameter::LastOperation
            | CallParameter::Group
            | CallParameter::Campaign
            | CallParameter::FirstCampaign
            | CallParameter::Site
            | CallParameter::Source
            | CallParameter::Tag => Comparison::Name,
        }
    }

    fn known_values(self) -> Option<[&'static str; 2]> {
        match self {
            CallParameter::Direction => Some(["incoming", "outgoing"]),
            CallParameter::Result => Some(["answered", "missed"]),
            _ => None,
        }
    }

    fn is_employee(self) -> bool {
        self == CallParameter::Employee
    }
}

/// What a call has of each parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::rules) struct CallFacets<'a> {
    pub(in crate::rules) direction: &'static str,
    pub(in crate::rules) answered: bool,
    pub(in crate::rules) our_number: Option<&'a str>,
    pub(in crate::rules) queues: &'a [String],
    pub(in crate::rules) employee: Option<&'a str>,
    pub(in crate::rules) tags: &'a [String],
    pub(in crate::rules) details: &'a BTreeMap<String, String>,
}

impl Facets<CallParameter> for CallFacets<'_> {
    fn told(&self, parameter: CallParameter) -> Told<'_> {
        if parameter.needs_answer() && !self.answered {
            return Told::Undecided;
        }
        let detail = |name: &str| Told::One(self.details.get(name).map(String::as_str));
        match parameter {
            CallParameter::Direction => Told::One(Some(self.direction)),
            CallParameter::Result => {
                let result = if self.answered { "answered" } else { "missed" };
                Told::One(Some(result))
            }
            CallParameter::OurNumber => Told::One(self.our_number),
            CallParameter::Queue => Told::Many(self.queues),
            CallParameter::Employee => Told::One(self.employee),
            CallParameter::Scenario => detail(details::SCENARIO),
            CallParameter::LastOperation => detail(details::LAST_OPERATION),
            CallParameter::Group => detail(details::GROUP),
            CallParameter::Campaign => detail(details::CAMPAIGN),
            CallParameter::FirstCampaign => detail(details::FIRST_CAMPAIGN),
            CallParameter::Site => detail(details::SITE),
            CallParameter::Source => detail(details::SOURCE),
            CallParameter::Tag => Told::Many(self.tags),
        }
    }
}
