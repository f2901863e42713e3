//! The tasks of a chat: one when its records are made (S2-20), one when it ended without anybody
//! of the company having written.

use crate::model::explanation::Reason;
use crate::model::ids::CrmUserId;
use crate::model::plan::{Effect, Entity, NewTask, Target};
use crate::model::timestamp::Timestamp;

use super::admission::{ClientChat, KIND};
use super::client::Client;
use super::entities::{CONTACT, DEAL, known_contact};
use super::texts::Written;
use super::{people, texts};
use crate::rules::draft::{Draft, Wish, made};
use crate::rules::schedule;
use crate::rules::settings::TaskSettings;

/// The role of the task.
const TASK: &str = "task";
/// The role of the task about a lost chat.
const LOST_TASK: &str = "lost-task";

/// Plans the task, due from the moment at which records are made.
pub(super) fn plan(chat: &ClientChat<'_>, client: &Client<'_>, draft: &mut Draft<'_>) {
    if let Some(settings) = chat.settings.task.as_ref().filter(|task| task.on) {
        let text = texts::task_text(chat, client, settings.text.as_ref());
        wish(TASK, chat, client, settings, text, draft);
    }
}

/// Plans the task of a lost chat.
pub(super) fn plan_lost(chat: &ClientChat<'_>, client: &Client<'_>, draft: &mut Draft<'_>) {
    let settings = chat.settings.lost_task.as_ref().filter(|task| task.on);
    if let Some(settings) = settings.filter(|_| chat.chat.lost) {
        let text = texts::lost_task_text(chat, client, settings.text.as_ref());
        draft.explain(Reason::ChatLost);
        wish(LOST_TASK, chat, client, settings, text, draft);
    }
}

fn wish(
    role: &str,
    chat: &ClientChat<'_>,
    client: &Client<'_>,
    settings: &TaskSettings,
    text: Written,
    draft: &mut Draft<'_>,
) {
    let place = place(client, draft);
    let owned = place
        .as_ref()
        .and_then(|place| Some((place.owner.clone()?, place.entity)));
    let (user, owner_of, whose) = match owned {
        Some((user, entity)) => (user, Some(entity), Vec::new()),
        None => {
            let (user, why) = people::responsible(chat, client, client.contact);
            (user, None, why)
        }
    };
    let due = schedule::due(chat.situation, settings, counted_from(chat));
    let wish = draft.wish(
        role,
        Effect::CreateTask(NewTask {
            card: place.map(|place| place.target),
            responsible: Some(user.clone()),
            text: text.text,
            task_type: settings.task_type.clone(),
            // What comes late, after an outage, is due at once rather than long ago.
            due: due.max(chat.situation.now),
        }),
    );
    if wish == Wish::Planned {
        draft.explain(Reason::TextTaskActs {
            kind: KIND,
            user: people::user_name(chat, &user),
            owner_of,
        });
        for reason in whose.into_iter().chain(text.instead) {
            draft.explain(reason);
        }
    }
}

fn counted_from(chat: &ClientChat<'_>) -> Timestamp {
    let ended = chat.chat.ended_at.filter(|_| chat.is_at_end());
    ended.unwrap_or(chat.chat.started_at)
}

/// The card that a task hangs on.
struct Place {
    target: Target,
    entity: Entity,
    owner: Option<CrmUserId>,
}

/// Returns the card that the chat makes or made, else the client's contact. Not an unsorted
/// record: it is no card before a person accepts it.
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
