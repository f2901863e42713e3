//! The task that a request makes (S0-11): on the responsible, whatever the method.

use crate::model::explanation::Reason;
use crate::model::ids::CrmUserId;
use crate::model::plan::{Effect, Entity, NewTask, Target};

use super::admission::{ClientRequest, KIND};
use super::client::Client;
use super::entities::{CONTACT, DEAL, known_contact};
use super::{people, texts};
use crate::rules::draft::{Draft, Wish, made};
use crate::rules::settings::TaskDue;

/// The role of the task.
const TASK: &str = "task";

/// Plans the task.
pub(super) fn plan(request: &ClientRequest<'_>, client: &Client<'_>, draft: &mut Draft<'_>) {
    let Some(settings) = request.settings.task.as_ref().filter(|task| task.on) else {
        return;
    };
    let place = place(client, draft);
    let owned = place
        .as_ref()
        .and_then(|place| Some((place.owner.clone()?, place.entity)));
    let (user, owner_of, whose) = match owned {
        Some((user, entity)) => (user, Some(entity), Vec::new()),
        None => {
            let (user, why) = people::responsible(request, client, client.contact);
            (user, None, why)
        }
    };
    let text = texts::task_text(request, client, settings.text.as_ref());
    let due = match settings.due {
        TaskDue::After(interval) => request.request.at.plus(interval.duration()),
    };
    let wish = draft.wish(
        TASK,
        Effect::CreateTask(NewTask {
            card: place.map(|place| place.target),
            responsible: Some(user.clone()),
            text: text.text,
            task_type: settings.task_type.clone(),
            // What comes late, after an outage, is due at once rather than long ago.
            due: due.max(request.situation.now),
        }),
    );
    if wish == Wish::Planned {
        draft.explain(Reason::TextTaskActs {
            kind: KIND,
            user: people::user_name(request, &user),
            owner_of,
        });
        for reason in whose.into_iter().chain(text.instead) {
            draft.explain(reason);
        }
    }
}

/// The card that the task hangs on.
struct Place {
    target: Target,
    entity: Entity,
    owner: Option<CrmUserId>,
}

/// Returns the card that the request makes, else the client's contact. Not an unsorted record: it
/// is no card before a person accepts it.
fn place(client: &Client<'_>, draft: &Draft<'_>) -> Option<Place> {
    let makers = [(DEAL, Entity::Deal), (CONTACT, Entity::Contact)];
    if let Some((role, entity)) = makers.into_iter().find(|(role, _)| draft.gives(role)) {
        return Some(Place {
            target: made(role, entity),
            entity,
            owner: draft.responsible_of(role).cloned(),
        });
    }
    let contact = client.contact?;
    Some(Place {
        target: known_contact(&contact.id),
        entity: Entity::Contact,
        owner: contact.responsible.clone(),
    })
}
