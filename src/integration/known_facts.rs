//! Facts from the portal's directory. In a backlog a client need not be asked for one by one: one
//! reading of what changed makes the directory later than all that waits.

use std::time::Duration;

use crate::model::facts::{ContactFact, Facts, FactsOrigin, FactsQuery};
use crate::model::plan::{Card, Entity};
use crate::model::timestamp::Timestamp;
use crate::store::StoreError;
use crate::store::directory::{DirectoryQuery, KnownCard};

use super::context::IntegrationContext;

/// The oldest picture that is decided by. Colleagues make cards by hand, and a card made twice is
/// dearer than a request in a minute.
const OLDEST: Duration = Duration::from_secs(60);

/// Returns what the directory says about a client, where it is later than the communication was
/// told, which was at `told_at`; `None` where the CRM must be asked.
pub(super) async fn known_facts(
    context: &IntegrationContext,
    told_at: Timestamp,
    query: &FactsQuery,
) -> Result<Option<Facts>, StoreError> {
    let freshness = context.portal.freshness();
    let at_least = told_at.max(context.clock.now().minus(OLDEST));
    if !freshness.reaches(at_least).await {
        return Ok(None);
    }
    let ours = [
        (Entity::Contact, &query.made),
        (Entity::Lead, &query.made_leads),
    ];
    let made = ours.into_iter().flat_map(|(entity, ids)| {
        ids.iter().map(move |id| Card {
            entity,
            id: id.clone(),
        })
    });
    let answer = context.store.directory_answer(DirectoryQuery {
        portal: context.portal.key.clone(),
        phones: query.phones.clone(),
        emails: query.emails.clone(),
        deals: query.deals,
        expected: made.collect(),
    });
    let answer = answer.await?;
    // What we made ourselves stands in the directory at once; without it something is amiss.
    let (Some(as_of), true) = (answer.state.complete_as_of, answer.missing.is_empty()) else {
        return Ok(None);
    };
    let (mut contacts, mut companies) = (Vec::new(), Vec::new());
    for known in answer.cards {
        match known.card.card.entity {
            Entity::Contact => contacts.push(fact(known)),
            Entity::Company => companies.push(fact(known)),
            // Whether it is still worked on, only the CRM knows.
            Entity::Lead => return Ok(None),
            Entity::Deal
            | Entity::Unsorted
            | Entity::Task
            | Entity::CallRecord
            | Entity::Note
            | Entity::Fields
            | Entity::Notice => {}
        }
    }
    if !contacts.is_empty() {
        companies.clear();
    }
    Ok(Some(Facts {
        as_of,
        origin: FactsOrigin::Directory,
        contacts,
        companies,
        leads: Vec::new(),
        closed_leads: Vec::new(),
        fields: None,
    }))
}

fn fact(known: KnownCard) -> ContactFact {
    ContactFact {
        id: known.card.card.id,
        name: known.card.name,
        responsible: known.card.responsible,
        created_at: known.card.created_at,
        updated_at: known.card.updated_at,
        deals: known.deals,
    }
}
