//! What becomes of steps that were planned for one portal when their integration works in
//! another: ids of cards mean other cards there, or none. Pure.
//!
//! A plan of which nothing was sent is decided again for the new portal; of one that was begun,
//! every step that is left is a dead letter, for a person to look at both portals.

use crate::model::ids::PortalKey;
use crate::model::ledger::{Ledger, LedgerStep, StepState};
use crate::model::plan::{Card, Effect, Role, Target};
use crate::store::command::Work;

/// Says whether the plan of a work was made for another portal than this one.
pub(super) fn is_elsewhere(ledger: &Ledger, work: &Work, here: &PortalKey) -> bool {
    let mut mine = ledger.steps.iter().filter(|step| step.work == work.id);
    mine.any(|step| planned_for(ledger, &step.role).is_some_and(|portal| portal != here))
}

/// Returns why a step, with its target filled in, cannot be carried out in this portal.
pub(super) fn foreign(
    ledger: &Ledger,
    step: &LedgerStep,
    effect: &Effect,
    here: &PortalKey,
) -> Option<String> {
    if let Some(there) = planned_for(ledger, &step.role).filter(|portal| *portal != here) {
        return Some(match &step.state {
            StepState::InFlight { .. }
            | StepState::Waiting {
                look_first: true, ..
            } => format!(
                "sent to {there}, where it may have arrived, before the integration moved to \
                 {here}: look there, then drop it or decide again"
            ),
            StepState::Pending
            | StepState::Waiting { .. }
            | StepState::Done { .. }
            | StepState::Dead { .. }
            | StepState::Dropped { .. }
            | StepState::Expired { .. } => {
                format!("planned for {there}, and the integration moved to {here}: decide again")
            }
        });
    }
    let Some(Target::Known { card }) = effect.target() else {
        return None;
    };
    let (by, there) = maker(ledger, card)?;
    (there != here).then(|| {
        format!(
            "it belongs to the {} that step {by} made in {there}, and the integration moved to \
             {here}",
            card.entity
        )
    })
}

/// Returns the portal that a step was planned for, where its decision says: the last one that
/// planned it.
fn planned_for<'l>(ledger: &'l Ledger, role: &Role) -> Option<&'l PortalKey> {
    let mut decisions = ledger.decisions.iter().rev();
    let decision = decisions.find(|decision| decision.roles.contains(role))?;
    decision.portal.as_ref()
}

/// Returns the step of this ledger that made a card, and the portal in which it did.
fn maker<'l>(ledger: &'l Ledger, card: &Card) -> Option<(&'l Role, &'l PortalKey)> {
    let step = ledger.steps.iter().find(|step| match &step.state {
        StepState::Done { result, .. } => result.cards.contains(card),
        StepState::Pending
        | StepState::InFlight { .. }
        | StepState::Waiting { .. }
        | StepState::Dead { .. }
        | StepState::Dropped { .. }
        | StepState::Expired { .. } => false,
    })?;
    Some((&step.role, planned_for(ledger, &step.role)?))
}
