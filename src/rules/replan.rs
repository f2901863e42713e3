//! Which steps of an earlier decision a new one takes the place of ("decide again").

use crate::model::ledger::{Decision, LedgerStep, StepState};
use crate::model::plan::Role;

use super::situation::Situation;

/// Returns the roles of earlier steps that a decision about this phase replaces: when the phase
/// was decided before, the steps of that decision of which nothing reached the CRM, are dead or were
/// dropped. They are gone from the ledger once the new decision stands, planned anew or not.
pub fn replaced<'a>(situation: &Situation<'a>) -> Vec<&'a Role> {
    let ledger = situation.ledger;
    ledger
        .steps
        .iter()
        .filter(|step| is_undone(step) && decided_at_this_phase(situation, step))
        .map(|step| &step.role)
        .collect()
}

/// Says whether this phase was decided before.
pub(super) fn is_again(situation: &Situation<'_>) -> bool {
    let decisions = &situation.ledger.decisions;
    decisions.iter().any(|d| is_same(situation, d))
}

/// A step of another phase keeps its role: a later phase only adds, and what a person dropped at
/// the answer must not come back at the end.
fn decided_at_this_phase(situation: &Situation<'_>, step: &LedgerStep) -> bool {
    let decisions = &situation.ledger.decisions;
    decisions
        .iter()
        .any(|d| is_same(situation, d) && d.work == step.work)
}

/// A phase that recurs is another one each time.
fn is_same(situation: &Situation<'_>, decision: &Decision) -> bool {
    let phase = situation.phase;
    decision.phase == phase && (!phase.recurs() || decision.work == situation.work)
}

fn is_undone(step: &LedgerStep) -> bool {
    match step.state {
        StepState::Pending => step.attempts == 0 && step.first_sent_at.is_none(),
        // Every try was refused: the CRM has nothing of it.
        StepState::Waiting { look_first, .. } => !look_first,
        StepState::Dead { .. } | StepState::Dropped { .. } => true,
        StepState::InFlight { .. } | StepState::Done { .. } | StepState::Expired { .. } => false,
    }
}
