//! Turns a planned effect into one that can be sent: what earlier steps made is filled in. Pure.

use crate::model::ledger::{Ledger, StepState};
use crate::model::plan::{Effect, Target};

/// What became of an effect's target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Resolved {
    /// It can be sent.
    Ready(Box<Effect>),
    /// It needs the result of a step that is not done yet.
    NotYet,
    /// It needs what will never be: the reason.
    Never(String),
}

/// Fills in the record that an earlier step of the ledger made.
pub(super) fn resolve(effect: &Effect, ledger: &Ledger) -> Resolved {
    let Some(Target::Made { by, entity }) = effect.target() else {
        return Resolved::Ready(Box::new(effect.clone()));
    };
    let Some(step) = ledger.step(by) else {
        return Resolved::Never(format!(
            "needs the result of step {by}, which does not exist"
        ));
    };
    match &step.state {
        StepState::Done { result, .. } => match result.card(*entity) {
            Some(card) => {
                let mut effect = effect.clone();
                if let Some(target) = effect.target_mut() {
                    *target = Target::Known { card: card.clone() };
                }
                Resolved::Ready(Box::new(effect))
            }
            None => {
                let mut effect = effect.clone();
                // The CRM's own contact did not come in time: what hung on it does without.
                match &step.effect {
                    Effect::AwaitContact(_) if effect.do_without_target() => {
                        Resolved::Ready(Box::new(effect))
                    }
                    _ => Resolved::Never(format!("step {by} made no {entity}")),
                }
            }
        },
        StepState::Dead { reason, .. } => Resolved::Never(format!(
            "needs the result of step {by}, which was refused: {reason}"
        )),
        StepState::Dropped { .. } | StepState::Expired { .. } => {
            Resolved::Never(format!("needs the result of step {by}, which was dropped"))
        }
        StepState::Pending | StepState::InFlight { .. } | StepState::Waiting { .. } => {
            Resolved::NotYet
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ledger::LedgerStep;
    use crate::model::outcome::StepResult;
    use crate::model::plan::{Card, Entity, NewDeal, Role};
    use crate::model::timestamp::Timestamp;

    fn deal() -> Effect {
        Effect::CreateDeal(NewDeal {
            name: "a deal".to_owned(),
            pipeline: "1".to_owned(),
            stage: "2".to_owned(),
            contact: Some(Target::Made {
                by: Role::new("contact"),
                entity: Entity::Contact,
            }),
            responsible: None,
            tags: Vec::new(),
            fields: Vec::new(),
        })
    }

    fn ledger_with_contact(state: StepState) -> Ledger {
        let step = LedgerStep {
            role: Role::new("contact"),
            work: 1,
            effect: deal(),
            state,
            attempts: 1,
            first_sent_at: None,
        };
        Ledger {
            first_time: None,
            decisions: Vec::new(),
            steps: vec![step],
            passing: Vec::new(),
            notices: Vec::new(),
        }
    }

    #[test]
    fn the_contact_of_an_earlier_step_is_filled_in() {
        let card = Card {
            entity: Entity::Contact,
            id: "7".to_owned(),
        };
        let result = StepResult {
            cards: vec![card.clone()],
            ..StepResult::default()
        };
        let at = Timestamp::default();
        let ledger = ledger_with_contact(StepState::Done { at, result });
        let Resolved::Ready(effect) = resolve(&deal(), &ledger) else {
            panic!("not ready")
        };
        assert_eq!(effect.target(), Some(&Target::Known { card }));
    }

    #[test]
    fn what_needs_a_dead_step_is_dropped_with_its_reason() {
        let state = StepState::Dead {
            at: Timestamp::default(),
            reason: "no rights".to_owned(),
        };
        let Resolved::Never(why) = resolve(&deal(), &ledger_with_contact(state)) else {
            panic!("expected a reason");
        };
        assert!(why.contains("no rights"), "{why}");
    }

    #[test]
    fn what_needs_a_step_under_way_waits() {
        let state = StepState::InFlight {
            since: Timestamp::default(),
        };
        assert_eq!(
            resolve(&deal(), &ledger_with_contact(state)),
            Resolved::NotYet
        );
    }
}
