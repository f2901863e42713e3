//! How a ledger lies in the store: what every step rewrites in one row, and what a decision writes
//! once in another. A decision holds all that it saw, ten times as much as its steps.

use redb::ReadableTable;
use serde::{Deserialize, Serialize};

use super::error::Trouble;
use super::query::JournalOutcome;
use super::row::encode;
use super::tables::Tables;
use crate::model::ids::{CommunicationKey, IntegrationKey};
use crate::model::ledger::{Decision, Ledger, LedgerStep, StepState, Verdict};
use crate::model::notice::OutsideNotice;
use crate::model::passing::PassingStep;
use crate::model::plan::Role;

/// A ledger without what its decisions saw.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Progress {
    first_time: Option<bool>,
    /// What each decision came to.
    #[serde(default)]
    verdicts: Vec<Verdict>,
    /// The decisions themselves, in rows that the first version wrote.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    decisions: Vec<Decision>,
    pub(super) steps: Vec<LedgerStep>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    passing: Vec<PassingStep>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    notices: Vec<OutsideNotice>,
}

/// The same, borrowed.
#[derive(Serialize)]
struct ProgressOf<'l> {
    first_time: Option<bool>,
    verdicts: Vec<Verdict>,
    steps: &'l [LedgerStep],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    passing: &'l [PassingStep],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    notices: &'l [OutsideNotice],
}

impl Progress {
    /// Puts the ledger together again, with the row of its decisions where there is one.
    pub(super) fn with(self, decisions: Option<Vec<Decision>>) -> Ledger {
        Ledger {
            first_time: self.first_time,
            decisions: decisions.unwrap_or(self.decisions),
            steps: self.steps,
            passing: self.passing,
            notices: self.notices,
        }
    }

    /// Returns the step of a role.
    pub(super) fn step_mut(&mut self, role: &Role) -> Option<&mut LedgerStep> {
        self.steps.iter_mut().find(|step| step.role == *role)
    }

    /// What it says of its communication.
    pub(super) fn outcome(&self) -> JournalOutcome {
        if dead_roles(&self.steps).next().is_some() {
            return JournalOutcome::Dead;
        }
        let first_form = self.decisions.iter().map(|one| one.verdict);
        let verdicts: Vec<Verdict> = self.verdicts.iter().copied().chain(first_form).collect();
        let came_to = |wanted: Verdict| verdicts.contains(&wanted);
        if came_to(Verdict::Planned) {
            return JournalOutcome::Done;
        }
        if came_to(Verdict::Observed) {
            return JournalOutcome::Observed;
        }
        if verdicts.is_empty() {
            return JournalOutcome::Open;
        }
        JournalOutcome::Ignored
    }
}

impl Tables<'_> {
    /// Reads a ledger; empty when there is none.
    pub(super) fn ledger(
        &self,
        integration: &IntegrationKey,
        communication: &CommunicationKey,
    ) -> Result<Ledger, Trouble> {
        let Some(progress) = self.progress(integration, communication)? else {
            return Ok(Ledger::default());
        };
        let (communication, integration) = (communication.to_string(), integration.to_string());
        let place = (communication.as_str(), integration.as_str());
        let decisions = match self.decisions.get(place)? {
            Some(row) => {
                let name = format!("{integration} {communication}");
                Some(self.health.read("decisions", name, row.value())?)
            }
            None => None,
        };
        Ok(progress.with(decisions))
    }

    /// Reads a ledger without its decisions.
    pub(super) fn progress(
        &self,
        integration: &IntegrationKey,
        communication: &CommunicationKey,
    ) -> Result<Option<Progress>, Trouble> {
        let (communication, integration) = (communication.to_string(), integration.to_string());
        let place = (communication.as_str(), integration.as_str());
        match self.ledgers.get(place)? {
            Some(row) => {
                let name = format!("{integration} {communication}");
                Ok(Some(self.health.read("ledgers", name, row.value())?))
            }
            None => Ok(None),
        }
    }

    /// Writes a ledger and moves the dead letters that came or went.
    pub(super) fn put_ledger(
        &mut self,
        integration: &IntegrationKey,
        communication: &CommunicationKey,
        old: &Ledger,
        new: &Ledger,
    ) -> Result<(), Trouble> {
        let row = encode(&ProgressOf {
            first_time: new.first_time,
            verdicts: new.decisions.iter().map(|one| one.verdict).collect(),
            steps: &new.steps,
            passing: &new.passing,
            notices: &new.notices,
        })?;
        let (c, i) = (communication.to_string(), integration.to_string());
        let place = (c.as_str(), i.as_str());
        if new.decisions != old.decisions || self.decisions.get(place)?.is_none() {
            let decisions = encode(&new.decisions)?;
            self.decisions.insert(place, decisions.as_slice())?;
        }
        self.put_steps((&c, &i), &row, &old.steps, &new.steps)
    }

    /// Writes a ledger whose decisions are as they were.
    pub(super) fn put_progress(
        &mut self,
        integration: &IntegrationKey,
        communication: &CommunicationKey,
        old: &[LedgerStep],
        new: &Progress,
    ) -> Result<(), Trouble> {
        let (c, i) = (communication.to_string(), integration.to_string());
        self.put_steps((&c, &i), &encode(new)?, old, &new.steps)
    }

    fn put_steps(
        &mut self,
        (communication, integration): (&str, &str),
        row: &[u8],
        old: &[LedgerStep],
        new: &[LedgerStep],
    ) -> Result<(), Trouble> {
        self.ledgers.insert((communication, integration), row)?;
        for role in dead_roles(old) {
            self.dead_letters
                .remove((integration, communication, role))?;
        }
        for role in dead_roles(new) {
            self.dead_letters
                .insert((integration, communication, role), ())?;
        }
        self.wrote = true;
        Ok(())
    }
}

/// Returns the roles of the dead steps.
pub(super) fn dead_roles(steps: &[LedgerStep]) -> impl Iterator<Item = &str> {
    steps
        .iter()
        .filter(|step| matches!(step.state, StepState::Dead { .. }))
        .map(|step| step.role.0.as_str())
}
