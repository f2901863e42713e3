//! Which contact, deal or unsorted record a chat makes (S2-20, S0-07 … S0-09).

use crate::model::explanation::{Reason, TransferAction};
use crate::model::plan::{
    Card, Effect, Entity, NewContact, NewDeal, NewUnsorted, Target, UnsortedForm,
};

use super::admission::{ClientChat, KIND};
use super::client::{Client, named};
use super::{people, texts};
use crate::rules::draft::{Draft, Wish, made};
use crate::rules::settings::{DealPlace, RequestMethod};
use crate::rules::tags;

/// The role of the contact that a chat makes.
pub(super) const CONTACT: &str = "contact";
/// The role of its deal.
pub(super) const DEAL: &str = "deal";
/// The role of its unsorted record.
pub(super) const UNSORTED: &str = "unsorted";

/// Plans what the method makes.
pub(super) fn plan(chat: &ClientChat<'_>, client: &Client<'_>, draft: &mut Draft<'_>) {
    let method = chat.method(client.known);
    draft.explain(Reason::MethodActs {
        kind: KIND,
        first_time: !client.known,
        method: action(method),
    });
    match method {
        RequestMethod::ByHand {} => {}
        RequestMethod::Unsorted { pipeline } => unsorted(chat, pipeline, draft),
        RequestMethod::Contact { deal: None } => {
            if is_free_of_unsorted(draft, Entity::Contact) {
                contact(chat, client, draft);
            }
        }
        RequestMethod::Contact { deal: Some(place) } => {
            contact_and_deal(chat, client, place.clone(), draft);
        }
        RequestMethod::ContactAndDeal { pipeline, stage } => {
            let place = DealPlace {
                pipeline: pipeline.clone(),
                stage: stage.clone(),
            };
            contact_and_deal(chat, client, place, draft);
        }
    }
}

fn action(method: &RequestMethod) -> TransferAction {
    match method.clone() {
        RequestMethod::ByHand {} => TransferAction::ByHand,
        RequestMethod::Unsorted { pipeline } => TransferAction::Unsorted { pipeline },
        RequestMethod::Contact { deal: None } => TransferAction::Contact,
        RequestMethod::Contact { deal: Some(place) } => TransferAction::ContactAndDeal {
            pipeline: place.pipeline,
            stage: place.stage,
        },
        RequestMethod::ContactAndDeal { pipeline, stage } => {
            TransferAction::ContactAndDeal { pipeline, stage }
        }
    }
}

/// An unsorted record holds its own contact and deal: beside one that stands from an earlier
/// decision, further records would be doubles.
fn is_free_of_unsorted(draft: &mut Draft<'_>, wanted: Entity) -> bool {
    let taken = draft.gives(UNSORTED);
    if taken {
        draft.explain(Reason::MadeAlready {
            made: Entity::Unsorted,
            instead_of: wanted,
        });
    }
    !taken
}

fn contact_and_deal(
    chat: &ClientChat<'_>,
    client: &Client<'_>,
    place: DealPlace,
    draft: &mut Draft<'_>,
) {
    if is_free_of_unsorted(draft, Entity::Deal) {
        let contact = contact(chat, client, draft);
        deal(chat, client, contact, place, draft);
    }
}

/// Returns the client's contact: the one that this chat makes or has made, else the one in the
/// CRM, else a new one. Ours goes first because the CRM's search may not show it yet.
fn contact(
    chat: &ClientChat<'_>,
    client: &Client<'_>,
    draft: &mut Draft<'_>,
) -> Option<Target> {
    if let Some(contact) = client.contact.filter(|_| !draft.gives(CONTACT)) {
        draft.explain(Reason::ContactUsed {
            contact: named(contact),
        });
        return Some(known_contact(&contact.id));
    }
    let (user, whose) = people::responsible(chat, client, None);
    let name = texts::contact_name(chat, client);
    let tags = tags_of(chat);
    let wish = draft.wish(
        CONTACT,
        Effect::CreateContact(NewContact {
            name: name.text,
            phones: chat.phone().cloned().into_iter().collect(),
            emails: chat.email().into_iter().collect(),
            responsible: Some(user),
            tags: tags.clone(),
        }),
    );
    match wish {
        Wish::Planned => {
            if client.known {
                draft.explain(Reason::ContactGone);
            }
            explain_new(draft, whose, name.instead, tags);
        }
        Wish::Stands => {}
        Wish::Refused => return None,
    }
    Some(made(CONTACT, Entity::Contact))
}

fn deal(
    chat: &ClientChat<'_>,
    client: &Client<'_>,
    contact: Option<Target>,
    place: DealPlace,
    draft: &mut Draft<'_>,
) {
    let (user, whose) = people::responsible(chat, client, client.contact);
    let name = texts::deal_name(chat, client);
    let tags = tags_of(chat);
    let wish = draft.wish(
        DEAL,
        Effect::CreateDeal(NewDeal {
            name: name.text,
            pipeline: place.pipeline,
            stage: place.stage,
            contact,
            responsible: Some(user),
            tags: tags.clone(),
        }),
    );
    if wish == Wish::Planned {
        explain_new(draft, whose, name.instead, tags);
    }
}

/// Plans an unsorted record, whatever else there is (S0-08). Templates do not apply (S0-15).
fn unsorted(chat: &ClientChat<'_>, pipeline: &str, draft: &mut Draft<'_>) {
    for (role, entity) in [(DEAL, Entity::Deal), (CONTACT, Entity::Contact)] {
        if draft.gives(role) {
            return draft.explain(Reason::MadeAlready {
                made: entity,
                instead_of: Entity::Unsorted,
            });
        }
    }
    let tags = tags_of(chat);
    let wish = draft.wish(
        UNSORTED,
        Effect::CreateUnsorted(NewUnsorted {
            pipeline: pipeline.to_owned(),
            source_name: chat.situation.source_name.to_owned(),
            form: UnsortedForm::Form {
                name: texts::form_name(chat),
                text: texts::first_words(chat),
                page: texts::page(chat).map(str::to_owned),
            },
            at: chat.chat.started_at,
            deal_name: texts::usual_deal_name(chat),
            contact_name: texts::client_label(chat),
            phone: chat.phone().cloned(),
            email: chat.email(),
            tags: tags.clone(),
        }),
    );
    if wish == Wish::Planned {
        explain_new(draft, Vec::new(), None, tags);
    }
}

fn tags_of(chat: &ClientChat<'_>) -> Vec<String> {
    let source = chat.situation.source_name;
    tags::of(&chat.settings.tags, chat.phone(), source)
}

fn explain_new(draft: &mut Draft<'_>, whose: Vec<Reason>, name: Option<Reason>, tags: Vec<String>) {
    for reason in whose.into_iter().chain(name) {
        draft.explain(reason);
    }
    if !tags.is_empty() {
        draft.explain(Reason::Tagged { tags });
    }
}

/// Points at a contact that the CRM has.
pub(super) fn known_contact(id: &str) -> Target {
    Target::Known {
        card: Card {
            entity: Entity::Contact,
            id: id.to_owned(),
        },
    }
}
