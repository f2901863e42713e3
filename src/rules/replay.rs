//! Makes a stored decision again from what is stored (the invariant "replayed with the same
//! result by the version that made it"; a later version shows what it would decide differently).

use jiff::tz::TimeZone;

use crate::model::capabilities::Capabilities;
use crate::model::communication::Snapshot;
use crate::model::ids::CommunicationKey;
use crate::model::ledger::{Decision, Ledger};
use crate::model::plan::Plan;

use super::basis::Basis;
use super::situation::Situation;
use super::{Triage, plan, triage};

/// Why a decision cannot be made again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReplayError {
    /// The first version did not keep what a decision saw.
    #[error("this decision was made by a version that did not keep what it saw")]
    Unseen,
    /// The revision of settings was stored by the first version, without people and account.
    #[error("settings of revision {0} were stored without the people and the account")]
    BasisPartial(u64),
    /// The stored time zone is not known to this system.
    #[error("the time zone {0:?} is not known here")]
    Zone(String),
    /// This version asks the CRM something, and the decision was made without asking.
    #[error("this version asks the CRM before it decides, and nothing was asked then")]
    NothingAsked,
}

/// Decides again what a stored decision decided. `basis` is the revision that it names,
/// `capabilities` are those of the account's adapter.
///
/// # Errors
/// Fails where something that went into the decision is not stored.
pub fn replay(
    decision: &Decision,
    communication: &CommunicationKey,
    basis: &Basis,
    capabilities: &Capabilities,
) -> Result<Plan, ReplayError> {
    let seen = decision.seen.as_ref().ok_or(ReplayError::Unseen)?;
    let account = basis.account.as_ref();
    let account = account.ok_or(ReplayError::BasisPartial(decision.settings))?;
    let zone =
        TimeZone::get(&basis.time_zone).map_err(|_| ReplayError::Zone(basis.time_zone.clone()))?;
    let snapshot = Snapshot {
        key: communication.clone(),
        revision: decision.revision,
        body: seen.body.clone(),
    };
    let source = &communication.source.source;
    let source_name = basis
        .source_names
        .get(source)
        .map_or(source.as_str(), String::as_str);
    let nothing = Ledger::default();
    let situation = Situation {
        snapshot: &snapshot,
        phase: decision.phase,
        work: decision.work,
        ledger: seen.before.as_ref().unwrap_or(&nothing),
        settings: &basis.settings,
        employees: &basis.employees,
        account,
        capabilities,
        source_name,
        recording: decision.recording.as_ref(),
        time_zone: &zone,
        now: seen.now,
    };
    match (triage(&situation), &decision.facts) {
        (Triage::Ignore(explanation), _) => Ok(Plan {
            steps: Vec::new(),
            first_time: None,
            explanation,
        }),
        (Triage::Plan(plan), _) => Ok(*plan),
        (Triage::Ask(_), Some(facts)) => Ok(plan(&situation, facts)),
        (Triage::Ask(_), None) => Err(ReplayError::NothingAsked),
    }
}

/// Names what a plan has otherwise than the decision that is stored; nothing where they are the
/// same. Steps that a later decision replaced are compared by their roles only.
pub fn differences(decision: &Decision, ledger: &Ledger, plan: &Plan) -> Vec<String> {
    let mut found = Vec::new();
    let roles: Vec<_> = plan.steps.iter().map(|step| &step.role).collect();
    if roles != decision.roles.iter().collect::<Vec<_>>() {
        found.push(format!("steps: {} then, {plan} now", listed(decision)));
    }
    for step in &plan.steps {
        let stored = ledger
            .step(&step.role)
            .filter(|stored| stored.work == decision.work);
        let is_later = |other: &Decision| {
            other.work == decision.work
                && other.at > decision.at
                && other.roles.contains(&step.role)
        };
        let replaced = ledger.decisions.iter().any(is_later);
        if let Some(stored) = stored.filter(|stored| !replaced && stored.effect != step.effect) {
            found.push(format!(
                "{}: {} then, {} now",
                step.role, stored.effect, step.effect
            ));
        }
    }
    if plan.explanation != decision.explanation {
        found.push("the reasons".to_owned());
    }
    found
}

fn listed(decision: &Decision) -> String {
    let roles: Vec<String> = decision.roles.iter().map(ToString::to_string).collect();
    roles.join(", ")
}
