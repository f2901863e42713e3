//! Which contact, deal or unsorted record is made (S0-07 … S0-09, S0-15).

use crate::model::explanation::Reason;
use crate::model::plan::{Effect, Entity, NewContact, NewDeal, NewUnsorted, Target};
use crate::model::written_reason::{MethodName, WrittenReason};

use super::client::Client;
use super::{CONTACT, DEAL, UNSORTED, Written, explain, people, place, texts};
use crate::rules::calls::client::{known, named};
use crate::rules::draft::{Draft, Wish, made};
use crate::rules::settings::Method;

/// Plans what the method makes. The choice is made once for a communication, whatever client and
/// settings have become since.
pub(super) fn plan(written: &Written<'_>, client: &Client<'_>, draft: &mut Draft<'_>) {
    if was_chosen_before(written) {
        return explain(draft, WrittenReason::MethodKept);
    }
    let method = written.method(client);
    explain(
        draft,
        WrittenReason::MethodActs {
            kind: written.kind,
            first_time: !client.known,
            method: name(method),
        },
    );
    match method {
        Method::ByHand {} => {}
        Method::Unsorted { pipeline } => unsorted(written, pipeline, draft),
        Method::Contact { .. } | Method::ContactAndDeal {} => {
            if draft.gives(UNSORTED) {
                // An unsorted record holds its own contact and deal.
                return draft.explain(Reason::MadeAlready {
                    made: Entity::Unsorted,
                    instead_of: Entity::Contact,
                });
            }
            let contact = contact(written, client, draft);
            if method.makes_deals() {
                deal(written, client, contact, draft);
            }
        }
    }
}

fn name(method: &Method) -> MethodName {
    match method {
        Method::ByHand {} => MethodName::ByHand,
        Method::Unsorted { pipeline } => MethodName::Unsorted {
            pipeline: pipeline.clone(),
        },
        Method::Contact { deal: false } => MethodName::Contact,
        Method::Contact { deal: true } | Method::ContactAndDeal {} => MethodName::ContactAndDeal,
    }
}

/// Says whether an earlier moment of the communication chose what is made.
fn was_chosen_before(written: &Written<'_>) -> bool {
    let situation = written.situation;
    situation.ledger.decisions.iter().any(|decision| {
        let mut reasons = decision.explanation.iter();
        decision.phase != situation.phase
            && reasons.any(|reason| {
                let why = match reason {
                    Reason::Written { why } => why,
                    _ => return false,
                };
                matches!(why, WrittenReason::MethodActs { .. })
            })
    })
}

/// Returns the client's contact: the one that this communication makes or has made, else the one
/// in the CRM, else, at the first time, a new one (S0-09).
fn contact(written: &Written<'_>, client: &Client<'_>, draft: &mut Draft<'_>) -> Option<Target> {
    if let Some(contact) = client.contact.filter(|_| !draft.gives(CONTACT)) {
        let contact_named = named(contact);
        explain(
            draft,
            WrittenReason::ContactThere {
                contact: contact_named,
            },
        );
        return Some(known(Entity::Contact, &contact.id));
    }
    let (user, whose) = people::responsible(written, client, None);
    let name = texts::contact_name(written, client);
    let tags = texts::tags(written);
    let wish = draft.wish(
        CONTACT,
        Effect::CreateContact(NewContact {
            name: name.text,
            phones: written.phone.cloned().into_iter().collect(),
            emails: written.email.clone().into_iter().collect(),
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
    written: &Written<'_>,
    client: &Client<'_>,
    contact: Option<Target>,
    draft: &mut Draft<'_>,
) {
    let Some((place, why_there)) = place::of_deal(written) else {
        // Settings without it are refused when they are saved (S0-21).
        return;
    };
    let (user, whose) = people::responsible(written, client, client.contact);
    let name = texts::deal_name(written, client);
    let tags = texts::tags(written);
    let wish = draft.wish(
        DEAL,
        Effect::CreateDeal(NewDeal {
            name: name.text,
            pipeline: place.pipeline.to_owned(),
            stage: place.stage.to_owned(),
            contact,
            responsible: Some(user),
            tags: tags.clone(),
        }),
    );
    if wish == Wish::Planned {
        explain(draft, why_there);
        explain_new(draft, whose, name.instead, tags);
    }
}

fn explain_new(draft: &mut Draft<'_>, whose: Vec<Reason>, name: Option<Reason>, tags: Vec<String>) {
    for reason in whose.into_iter().chain(name) {
        draft.explain(reason);
    }
    if !tags.is_empty() {
        explain(draft, WrittenReason::Tagged { tags });
    }
}

/// Names in Unsorted are the default ones: templates do not apply there (S0-15).
fn unsorted(written: &Written<'_>, pipeline: &str, draft: &mut Draft<'_>) {
    if draft.gives(DEAL) {
        return draft.explain(Reason::MadeAlready {
            made: Entity::Deal,
            instead_of: Entity::Unsorted,
        });
    }
    let tags = texts::tags(written);
    let wish = draft.wish(
        UNSORTED,
        Effect::CreateUnsorted(NewUnsorted {
            pipeline: pipeline.to_owned(),
            source_name: written.situation.source_name.to_owned(),
            form: written.form.clone(),
            at: written.at,
            deal_name: texts::usual_deal_name(written),
            contact_name: texts::usual_contact_name(written),
            phone: written.phone.cloned(),
            email: written.email.clone(),
            tags: tags.clone(),
        }),
    );
    if wish == Wish::Planned {
        explain_new(draft, Vec::new(), None, tags);
    }
}
