//! Contacts and leads that we ourselves made for a client a short while ago. A CRM's search may not
//! find them yet; asked about directly they keep a second call from making a second card.

use std::time::Duration;

use crate::model::communication::Snapshot;
use crate::model::ledger::StepState;
use crate::model::plan::{Entity, StepKind};
use crate::store::StoreError;

use super::context::IntegrationContext;

/// How long a search may lag behind; far longer than any search was seen to.
const LAG_MAX: Duration = Duration::from_secs(3600);

/// Earlier communications of the client that are looked through. The newest are the ones that can
/// have made something within [`LAG_MAX`]; a client who calls more often is in the CRM long since.
const COMMUNICATIONS_MAX: usize = 20;

/// Cards by the CRM's ids, newest first.
#[derive(Debug, Default)]
pub(super) struct Made {
    pub(super) contacts: Vec<String>,
    pub(super) leads: Vec<String>,
}

/// Returns the contacts and leads made for this client by any integration of the portal.
pub(super) async fn made_lately(
    context: &IntegrationContext,
    snapshot: &Snapshot,
) -> Result<Made, StoreError> {
    let since = context.clock.now().minus(LAG_MAX);
    let mut made = Made::default();
    for address in snapshot.body.addresses() {
        let members = context.portal.members();
        let steps = context
            .store
            .steps_of_address(address, members, COMMUNICATIONS_MAX);
        for step in steps.await? {
            // What waits in Unsorted is no contact before a person accepts it (S1-12).
            let (entity, ids) = match step.effect.kind() {
                StepKind::CreateContact => (Entity::Contact, &mut made.contacts),
                StepKind::CreateLead => (Entity::Lead, &mut made.leads),
                _ => continue,
            };
            let card = match &step.state {
                StepState::Done { at, result } if *at >= since => result.card(entity),
                _ => None,
            };
            if let Some(card) = card
                && !ids.contains(&card.id)
            {
                ids.push(card.id.clone());
            }
        }
    }
    Ok(made)
}
