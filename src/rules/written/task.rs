//! A task on the responsible, whatever the method (S0-11).

use crate::model::explanation::Reason;
use crate::model::ids::CrmUserId;
use crate::model::plan::{Effect, Entity, NewTask, Target};
use crate::model::timestamp::Timestamp;

use super::client::Client;
use super::entities::{CONTACT, DEAL, LEAD, known, known_contact};
use super::texts::Phrase;
use super::{Written, people};
use crate::rules::draft::{Draft, Wish, made};
use crate::rules::schedule;
use crate::rules::settings::TaskSettings;

/// Plans a task, due counted from a moment.
pub(in crate::rules) fn plan<W: Written>(
    role: &str,
    what: &W,
    client: &Client<'_>,
    settings: &TaskSettings,
    text: Phrase,
    from: Timestamp,
    draft: &mut Draft<'_>,
) {
    let situation = what.situation();
    let place = place(client, draft);
    let owned = place
        .as_ref()
        .and_then(|place| Some((place.owner.clone()?, place.entity)));
    let (user, owner_of, whose) = match owned {
        Some((user, entity)) => (user, Some(entity), Vec::new()),
        None => {
            let (user, why) = people::responsible(what, client, client.contact);
            (user, None, why)
        }
    };
    let due = schedule::due(situation, settings, from);
    let wish = draft.wish(
        role,
        Effect::CreateTask(NewTask {
            card: place.map(|place| place.target),
            responsible: Some(user.clone()),
            text: text.text,
            task_type: settings.task_type.clone(),
            // What comes late, after an outage, is due at once rather than long ago.
            due: due.max(situation.now),
        }),
    );
    if wish == Wish::Planned {
        draft.explain(Reason::TextTaskActs {
            kind: W::KIND,
            user: people::user_name(situation, &user),
            owner_of,
        });
        for reason in whose.into_iter().chain(text.instead) {
            draft.explain(reason);
        }
    }
}

/// The card that a task hangs on.
struct Place {
    target: Target,
    entity: Entity,
    owner: Option<CrmUserId>,
}

/// Returns the card that is made, else the client's contact. Not an unsorted record: it is no card
/// before a person accepts it.
fn place(client: &Client<'_>, draft: &Draft<'_>) -> Option<Place> {
    let makers = [
        (DEAL, Entity::Deal),
        (LEAD, Entity::Lead),
        (CONTACT, Entity::Contact),
    ];
    if let Some((role, entity)) = makers.into_iter().find(|(role, _)| draft.gives(role)) {
        return Some(Place {
            target: made(role, entity),
            entity,
            owner: draft.responsible_of(role).cloned(),
        });
    }
    if let Some(lead) = client.lead {
        return Some(Place {
            target: known(Entity::Lead, &lead.id),
            entity: Entity::Lead,
            owner: lead.responsible.clone(),
        });
    }
    let contact = client.contact?;
    Some(Place {
        target: known_contact(&contact.id),
        entity: Entity::Contact,
        owner: contact.responsible.clone(),
    })
}
