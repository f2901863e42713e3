//! Passing steps and notices in the ledger: written down before they are sent. Those notices of which
//! it is not known what they came to stand in a table of their own, so that they are found again.

use redb::ReadableTable;

use super::command::{Pass, Passing};
use super::error::{StoreError, Trouble};
use super::reader::Reader;
use super::tables::{LAST, NOTICES_UNSETTLED, Tables, ledgers_of};
use crate::model::ids::{CommunicationKey, IntegrationKey};
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
    tables.put_ledger(&command.integration, &command.communication, &old, &new)?;
    let unsettled = |ledger: &Ledger| {
        let mut notices = ledger.notices.iter();
        notices.any(|notice| matches!(notice.state, PassingState::Sent { .. }))
    };
    let (was, is) = (unsettled(&old), unsettled(&new));
    if was != is {
        let integration = command.integration.to_string();
        let communication = command.communication.to_string();
        let place = (integration.as_str(), communication.as_str());
        match is {
            true => drop(tables.notices_unsettled.insert(place, ())?),
            false => drop(tables.notices_unsettled.remove(place)?),
        }
    }
    Ok(())
}

/// Removes what is known of a communication's notices, before its ledgers go.
pub(super) fn forget(tables: &mut Tables<'_>, communication: &str) -> Result<(), Trouble> {
    let integrations = tables
        .ledgers
        .range(ledgers_of(communication))?
        .map(|row| row.map(|(place, _)| place.value().1.to_owned()))
        .collect::<Result<Vec<String>, _>>()?;
    for integration in integrations {
        let place = (integration.as_str(), communication);
        tables.notices_unsettled.remove(place)?;
    }
    Ok(())
}

impl Reader<'_> {
    /// Returns the communications of an integration with a notice of which it is not known what it
    /// came to.
    pub(super) fn notices_unsettled(
        &self,
        integration: &IntegrationKey,
    ) -> Result<Vec<CommunicationKey>, Trouble> {
        let Some(table) = self.table_if_made(NOTICES_UNSETTLED)? else {
            return Ok(Vec::new());
        };
        let key = integration.to_string();
        let mut found = Vec::new();
        for row in table.range((key.as_str(), "")..=(key.as_str(), LAST))? {
            let (place, _) = row?;
            found.extend(place.value().1.parse::<CommunicationKey>());
        }
        Ok(found)
    }
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
