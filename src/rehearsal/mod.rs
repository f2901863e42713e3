//! What settings would have made of communications that are recorded: the same rules, over the
//! pictures and the facts that the decisions of that time saw. Pure: nothing is sent or changed.
//!
//! ```text
//! recorded   which picture, time and facts stand for a phase?   <- stored decisions
//! run        what do these settings make of it, phase by phase?  -> Made
//! compare    what is otherwise than before?                      -> Difference
//! wording    why something cannot be rehearsed, in words
//! ```
//!
//! Each communication is rehearsed by itself, with the CRM as it was when it was decided: what
//! other settings would have changed for the client's next call is not followed.

mod compare;
mod recorded;
mod run;
mod wording;

use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::Serialize;

use crate::model::capabilities::Capabilities;
use crate::model::communication::Kind;
use crate::model::explanation::Explanation;
use crate::model::field::CrmField;
use crate::model::ids::{IntegrationKey, PortalKey, SourceId};
use crate::model::plan::PlannedStep;
use crate::rules::basis::Basis;

pub use compare::{Difference, StepDifference, Verdict, compare};
pub use recorded::{Account, Record, stored};
pub use run::rehearse;

#[cfg(test)]
mod tests;

/// One integration's settings with everything that decisions rest on, in force or not.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// The integration.
    pub integration: IntegrationKey,
    /// The portal that its account lies in.
    pub portal: PortalKey,
    /// Settings, people, names.
    pub basis: Basis,
    /// What it takes.
    pub takes: Vec<(SourceId, Kind)>,
}

/// A candidate that is ready to be rehearsed.
#[derive(Debug)]
pub struct Stage<'a> {
    /// The settings.
    pub candidate: &'a Candidate,
    /// What the portal's adapter offers.
    pub capabilities: &'a Capabilities,
    /// The company's time zone.
    pub time_zone: TimeZone,
    /// The additional fields of the portal, as it was last read; empty = they are not known, and
    /// those of the decision stand.
    pub fields: Vec<CrmField>,
}

impl<'a> Stage<'a> {
    /// Makes a candidate ready.
    ///
    /// # Errors
    /// Fails where its time zone is not known to this system.
    pub fn new(
        candidate: &'a Candidate,
        capabilities: &'a Capabilities,
    ) -> Result<Self, NotRehearsed> {
        let name = &candidate.basis.time_zone;
        let time_zone = TimeZone::get(name).map_err(|_| NotRehearsed::Zone(name.clone()))?;
        Ok(Self {
            candidate,
            capabilities,
            time_zone,
            fields: Vec::new(),
        })
    }

    /// Adds the portal's additional fields.
    #[must_use]
    pub fn with_fields(self, fields: Vec<CrmField>) -> Self {
        Self { fields, ..self }
    }

    /// Says whether the integration takes what the source reports of this kind.
    pub fn takes(&self, source: &SourceId, kind: Kind) -> bool {
        let takes = &self.candidate.takes;
        takes.iter().any(|(s, k)| s == source && *k == kind)
    }
}

/// What settings make of one communication, over all its phases.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Made {
    /// The integration takes it.
    pub taken: bool,
    /// The steps, in order.
    pub steps: Vec<PlannedStep>,
    /// Why these, or why none.
    pub explanation: Explanation,
    /// What had to be taken for granted.
    pub assumed: Vec<Assumed>,
}

/// What a rehearsal takes for granted because it is not stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Assumed {
    /// Nothing was decided at the answer: the picture and the CRM at the end stand for it.
    EndForAnswer,
}

/// Why a communication cannot be rehearsed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(tag = "reason", content = "what", rename_all = "snake_case")]
pub enum NotRehearsed {
    /// It goes on.
    NotOver,
    /// The CRM has not answered yet, or its turn has not come.
    NotDecided,
    /// No integration of this portal ever decided about it.
    NeverDecided,
    /// It was decided by the first version, which kept nothing of what it saw.
    Unseen,
    /// It was decided without asking the CRM about the client, and these settings ask.
    NotAsked,
    /// The client's deals were not asked for, and these settings look at them.
    DealsNotAsked,
    /// It was decided for another portal, whose cards mean nothing in this one.
    OtherPortal(PortalKey),
    /// The settings are for a portal that no account in force opens: what it offers is unknown.
    PortalNotInForce(PortalKey),
    /// The time zone is not known here.
    Zone(String),
}
