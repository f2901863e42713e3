//! The client of a repeat is handed over to whom the rules name (V-05).

use crate::model::explanation::Reason;
use crate::model::plan::{Effect, HandOver};

use super::admission::ClientChat;
use crate::rules::draft::{Draft, Wish};
use crate::rules::settings::RequestMethod;
use crate::rules::written::client::{Client, named};
use crate::rules::written::entities::{CONTACT, known_contact};
use crate::rules::written::{Written, people};

/// The role of the step.
const OWNER: &str = "owner";

/// Plans the change of the contact's responsible, where a rule finds somebody else.
pub(super) fn plan(chat: &ClientChat<'_>, client: &Client<'_>, draft: &mut Draft<'_>) {
    let by_hand = matches!(chat.method(client.known), RequestMethod::ByHand {});
    if !chat.settings.update_responsible || !client.known || by_hand || draft.gives(CONTACT) {
        return;
    }
    let Some(contact) = client.contact else {
        return;
    };
    let mut why = Vec::new();
    let named_user = people::by_rules(chat, client, &mut why);
    let Some(user) = named_user.filter(|user| contact.responsible.as_ref() != Some(user)) else {
        return;
    };
    let effect = Effect::HandOver(HandOver {
        card: known_contact(&contact.id),
        responsible: user.clone(),
    });
    if draft.wish(OWNER, effect) == Wish::Planned {
        for reason in why {
            draft.explain(reason);
        }
        draft.explain(Reason::HandedOver {
            contact: named(contact),
            user: people::user_name(chat.situation, &user),
        });
    }
}
