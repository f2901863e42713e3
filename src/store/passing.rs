//! Passing steps in the ledger: written down before they are sent, so that none is sent twice.

use super::command::{Pass, Passing};
use super::error::{StoreError, Trouble};
use super::tables::Tables;
use crate::model::passing::PassingState;

/// So many are kept of one communication: a queue that rings a hundred telephones one after the
/// other is all of them.
const PASSING_MAX: usize = 100;

/// Carries out [`Pass`].
pub(super) fn pass(tables: &mut Tables<'_>, command: &Pass) -> Result<(), Trouble> {
    let old = tables.ledger(&command.integration, &command.communication)?;
    let mut new = old.clone();
    match &command.what {
        Passing::Begin(step) => {
            let mut known = new.passing.iter();
            if known.any(|one| one.role == step.role) || new.passing.len() >= PASSING_MAX {
                return Err(StoreError::StepExists(step.role.clone()).into());
            }
            new.passing.push(step.clone());
        }
        Passing::Settle { role, state } => {
            let step = new.passing.iter_mut().find(|step| step.role == *role);
            let step = step.ok_or_else(|| StoreError::NoStep(role.clone()))?;
            match step.state {
                PassingState::Sent { .. } => step.state = state.clone(),
                PassingState::Done { .. }
                | PassingState::Expired { .. }
                | PassingState::Failed { .. }
                | PassingState::NotSent { .. } => {
                    return Err(StoreError::StepFinal(role.clone()).into());
                }
            }
        }
    }
    tables.put_ledger(&command.integration, &command.communication, &old, &new)
}
