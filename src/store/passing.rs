//! Passing steps in the ledger: written down before they are sent, so that none is sent twice.

use super::command::{Pass, Passing};
use super::error::{StoreError, Trouble};
use super::tables::Tables;
use crate::model::ledger::Ledger;
use crate::model::passing::PassingState;
use crate::model::plan::Role;

/// So many are kept of one communication: a queue that rings a hundred telephones one after the
/// other is all of them.
const PASSING_MAX: usize = 100;

/// Carries out [`Pass`].
pub(super) fn pass(tables: &mut Tables<'_>, command: &Pass) -> Result<(), Trouble> {
    let old = tables.ledger(&command.integration, &command.communication)?;
    let mut new = old.clone();
    match &command.what {
        Passing::Begin(step) => {
            begin(&new, &step.role, new.passing.len())?;
            new.passing.push(step.clone());
        }
        Passing::BeginNotice(notice) => {
            begin(&new, &notice.role, new.notices.len())?;
            new.notices.push(notice.clone());
        }
        Passing::Settle { role, state } => {
            let present = state_of(&mut new, role);
            let present = present.ok_or_else(|| StoreError::NoStep(role.clone()))?;
            match present {
                PassingState::Sent { .. } => present.clone_from(state),
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

/// Refuses a role that was taken before.
fn begin(ledger: &Ledger, role: &Role, kept: usize) -> Result<(), StoreError> {
    let steps = ledger.passing.iter().map(|step| &step.role);
    let mut taken = steps.chain(ledger.notices.iter().map(|notice| &notice.role));
    if taken.any(|one| one == role) || kept >= PASSING_MAX {
        return Err(StoreError::StepExists(role.clone()));
    }
    Ok(())
}

fn state_of<'l>(ledger: &'l mut Ledger, role: &Role) -> Option<&'l mut PassingState> {
    let steps = ledger.passing.iter_mut();
    let steps = steps.map(|step| (&step.role, &mut step.state));
    let notices = ledger.notices.iter_mut();
    let notices = notices.map(|notice| (&notice.role, &mut notice.state));
    steps
        .chain(notices)
        .find(|(one, _)| *one == role)
        .map(|(_, state)| state)
}
