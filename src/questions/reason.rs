//! How an answer was found: data, worded in Russian or English when shown.

use schemars::JsonSchema;
use serde::Serialize;

use crate::model::answering::{Absence, Exit};
use crate::model::explanation::Language;
use crate::model::ids::{CrmUserId, EmployeeId, Extension, IntegrationId};
use crate::model::personal_manager::ResponsibleOf;
use crate::model::plan::Card;
use crate::model::question::{Answer, Route};

use super::wording;

/// An answer, with the way that led to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The answer.
    pub answer: Answer,
    /// The policy that chose among several cards with the number; `None` where there is one card.
    pub policy: Option<&'static str>,
    /// The way, in order.
    pub reasons: Vec<Reason>,
}

/// One thing that counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "reason", rename_all = "snake_case")]
#[schemars(rename = "RouteReason")]
pub enum Reason {
    /// The caller hides the number.
    CallerWithheld,
    /// What the phone system gives is no public number.
    CallerUnreadable,
    /// An employee calls: by an extension, or from a phone of the employee's own.
    CallerInternal {
        /// Who.
        employee: EmployeeId,
    },
    /// The phone system says that the employee whom we named did not answer.
    RedirectFailed,
    /// The scenario of the dialled number names an employee.
    ScenarioEmployee {
        /// Who.
        employee: EmployeeId,
    },
    /// The dialled number belongs to one employee.
    NumberOwner {
        /// Who.
        employee: EmployeeId,
    },
    /// The scenario of the dialled number is the personal manager.
    ScenarioPersonalManager,
    /// The dialled number is not listed, or was not given.
    NumberUnlisted {
        /// The manager is looked for all the same.
        manager: bool,
    },
    /// The scenario of the dialled number is something else.
    ScenarioOther,
    /// An integration was asked whose portal was not read through yet: nobody there is no proof.
    DirectoryIncomplete {
        /// The integration.
        integration: IntegrationId,
    },
    /// No integration of the tenant knows the number.
    ClientUnknown,
    /// The CRM was asked while the phone rang.
    AskedLive {
        /// The integration.
        integration: IntegrationId,
        /// What came of it.
        outcome: LiveOutcome,
    },
    /// An integration knows the client.
    ClientKnown {
        /// The integration.
        integration: IntegrationId,
        /// The card.
        card: Card,
    },
    /// Several cards have the number.
    SharedNumber {
        /// How many.
        cards: usize,
        /// The policy of the integration.
        policy: &'static str,
        /// The policy found one; else the most recently updated was taken.
        settled: bool,
    },
    /// The integration redirects no calls.
    NoRedirect {
        /// The integration.
        integration: IntegrationId,
        /// It would, but only observes.
        observes: bool,
    },
    /// A record names who answers for the client.
    Responsible {
        /// The CRM's user.
        user: CrmUserId,
        /// Of which record.
        of: ResponsibleOf,
    },
    /// No record that counts names anybody.
    NoResponsible,
    /// No employee is mapped to the CRM's user.
    UserUnmapped {
        /// The CRM's user.
        user: CrmUserId,
    },
    /// The employee does not count in the search for a personal manager.
    NotForManagerSearch {
        /// Who.
        employee: EmployeeId,
    },
    /// The employee is not there.
    Absent {
        /// Who.
        employee: EmployeeId,
        /// Why.
        why: Absence,
    },
    /// The employee has no extension at the asking source.
    NoExtension {
        /// Who.
        employee: EmployeeId,
    },
    /// Nobody is named who stands in.
    NoStandIn {
        /// For whom.
        employee: EmployeeId,
    },
    /// Somebody stands in.
    StandsIn {
        /// Who.
        employee: EmployeeId,
    },
    /// The call goes to the destination of a way out.
    Destination {
        /// Which.
        exit: Exit,
        /// Where.
        extension: Extension,
    },
    /// No destination is set for the way out: the phone system goes on by itself.
    NoDestination {
        /// Which.
        exit: Exit,
    },
}

/// What came of a live question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LiveOutcome {
    /// The CRM knows the client.
    Known,
    /// The CRM knows nobody.
    Unknown,
    /// There was no answer before the deadline, or no clear one.
    NoAnswer,
    /// It was not asked: it does not answer at present, or too many questions are under way.
    NotAsked,
}

impl Reason {
    /// Returns the row of the feature table that it comes from.
    pub fn row(&self) -> Option<&'static str> {
        match self {
            Reason::ScenarioEmployee { .. }
            | Reason::NumberOwner { .. }
            | Reason::ScenarioPersonalManager
            | Reason::NumberUnlisted { .. }
            | Reason::ScenarioOther => Some("S1-25"),
            Reason::NoRedirect { .. } => Some("S1-23"),
            Reason::UserUnmapped { .. } => Some("S1-24"),
            Reason::NotForManagerSearch { .. } => Some("V-02"),
            Reason::RedirectFailed | Reason::Responsible { .. } | Reason::NoResponsible => {
                Some("V-15")
            }
            Reason::CallerWithheld
            | Reason::CallerUnreadable
            | Reason::CallerInternal { .. }
            | Reason::DirectoryIncomplete { .. }
            | Reason::ClientUnknown
            | Reason::AskedLive { .. }
            | Reason::ClientKnown { .. }
            | Reason::SharedNumber { .. }
            | Reason::Absent { .. }
            | Reason::NoExtension { .. }
            | Reason::NoStandIn { .. }
            | Reason::StandsIn { .. }
            | Reason::Destination { .. }
            | Reason::NoDestination { .. } => None,
        }
    }

    /// Returns it in words.
    pub fn words(&self, language: Language) -> String {
        wording::words(self, language)
    }
}

/// Returns what a route is, in words.
pub fn route_words(route: Route, language: Language) -> &'static str {
    wording::route(route, language)
}
