//! Where what was written is kept.

use crate::model::plan::{Entity, Target};

use super::client::Client;
use super::entities::{CONTACT, DEAL, LEAD, UNSORTED, known, known_contact};
use crate::rules::draft::{Draft, made};

/// Chooses the card: the one that is made, else the client's open lead where that stands for one,
/// else the client's contact. A form in Unsorted holds a few words only: the deal inside takes the
/// whole.
pub(in crate::rules) fn of_note(
    client: &Client<'_>,
    draft: &Draft<'_>,
) -> Option<(Target, Entity)> {
    let makers = [
        (DEAL, Entity::Deal),
        (LEAD, Entity::Lead),
        (UNSORTED, Entity::Deal),
        (CONTACT, Entity::Contact),
    ];
    if let Some((role, entity)) = makers.into_iter().find(|(role, _)| draft.gives(role)) {
        return Some((made(role, entity), entity));
    }
    if let Some(lead) = client.lead {
        return Some((known(Entity::Lead, &lead.id), Entity::Lead));
    }
    let contact = client.contact?;
    Some((known_contact(&contact.id), Entity::Contact))
}
