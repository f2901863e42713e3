//! Contacts that we ourselves made for a client a short while ago. A CRM's search may not find
//! them yet; asked about directly they keep a second call from making a second contact.

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

/// Returns the contacts made for this client by any integration of the portal, newest first.
pub(super) async fn made_lately(
    context: &IntegrationContext,
    snapshot: &Snapshot,
) -> Result<Vec<String>, StoreError> {
    let since = context.clock.now().minus(LAG_MAX);
    let mut made = Vec::new();
    for address in snapshot.body.addresses() {
        let members = context.portal.members();
        let steps = context
            .store
            .steps_of_address(address, members, COMMUNICATIONS_MAX);
        // What waits in Unsorted is no contact before a person accepts it (S1-12).
        let steps = steps.await?.into_iter();
        for step in steps.filter(|step| step.effect.kind() == StepKind::CreateContact) {
            let card = match &step.state {
                StepState::Done { at, result } if *at >= since => result.card(Entity::Contact),
                _ => None,
            };
            if let Some(card) = card
                && !made.contains(&card.id)
            {
                made.push(card.id.clone());
            }
        }
    }
    Ok(made)
}
