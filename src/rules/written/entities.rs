//! Which contact, deal or unsorted record is made (S0-07 … S0-09, S0-20 … S0-22).

use crate::model::explanation::{Reason, TransferAction};
use crate::model::plan::{
    Card, Effect, Entity, NewContact, NewDeal, NewLead, NewUnsorted, StepKind, Target, UnsortedForm,
};
use crate::model::timestamp::Timestamp;

use super::client::{Client, named};
use super::{Written, people, texts};
use crate::rules::draft::{Draft, Wish, made};
use crate::rules::settings::{DealPlace, RequestMethod};
use crate::rules::tags;

/// The role of the contact.
pub(in crate::rules) const CONTACT: &str = "contact";
/// The role of the deal.
pub(in crate::rules) const DEAL: &str = "deal";
/// The role of the lead.
pub(in crate::rules) const LEAD: &str = "lead";
/// The role of the unsorted record.
pub(in crate::rules) const UNSORTED: &str = "unsorted";

/// Plans what the method makes.
pub(in crate::rules) fn plan<W: Written>(what: &W, client: &Client<'_>, draft: &mut Draft<'_>) {
    let method = what.method(client.known);
    draft.explain(Reason::MethodActs {
        kind: W::KIND,
        first_time: !client.known,
        method: action(method, draft),
    });
    match method {
        RequestMethod::ByHand {} => {}
        RequestMethod::Unsorted { pipeline } => first_unsorted(what, pipeline, draft),
        RequestMethod::Contact { deal: None } => {
            if is_free_of_unsorted(draft, Entity::Contact) {
                contact(what, client, draft);
            }
        }
        RequestMethod::Contact { deal: Some(place) } => {
            contact_and_deal(what, client, place.clone(), draft);
        }
        RequestMethod::ContactAndDeal { pipeline, stage } => {
            let usual = DealPlace {
                pipeline: pipeline.clone(),
                stage: stage.clone(),
            };
            let place = by_rules(what, usual, draft);
            contact_and_deal(what, client, place, draft);
        }
        RequestMethod::LeadOrDeal {
            pipeline,
            stage,
            lead_stage,
        } => {
            if draft.offers(StepKind::CreateLead) {
                lead(what, client, lead_stage.clone(), draft);
                return;
            }
            let place = DealPlace {
                pipeline: pipeline.clone(),
                stage: stage.clone(),
            };
            if !what.addresses().is_empty() {
                contact_and_deal(what, client, place, draft);
            } else if is_free_of_unsorted(draft, Entity::Deal) {
                // Nobody could be told from anybody else by such a contact (V-06).
                deal(what, client, None, place, draft);
            }
        }
    }
}

/// Names a method for an explanation.
pub(in crate::rules) fn action(method: &RequestMethod, draft: &Draft<'_>) -> TransferAction {
    match method.clone() {
        RequestMethod::ByHand {} => TransferAction::ByHand,
        RequestMethod::Unsorted { pipeline } => TransferAction::Unsorted { pipeline },
        RequestMethod::Contact { deal: None } => TransferAction::Contact,
        RequestMethod::Contact { deal: Some(place) } => TransferAction::ContactAndDeal {
            pipeline: place.pipeline,
            stage: place.stage,
        },
        RequestMethod::LeadOrDeal { lead_stage, .. } if draft.offers(StepKind::CreateLead) => {
            TransferAction::Lead { stage: lead_stage }
        }
        RequestMethod::ContactAndDeal { pipeline, stage }
        | RequestMethod::LeadOrDeal {
            pipeline, stage, ..
        } => TransferAction::ContactAndDeal { pipeline, stage },
    }
}

/// Returns where the deal goes: the first rule of pipelines that holds says so, else the default
/// (S0-21, S0-22).
fn by_rules<W: Written>(what: &W, usual: DealPlace, draft: &mut Draft<'_>) -> DealPlace {
    let facets = what.facets();
    let rules = what.choices().pipelines.iter().enumerate();
    for (position, rule) in rules.filter(|(_, rule)| rule.on) {
        let holds = rule.when.passes(&facets);
        draft.explain(Reason::ConditionsSeen {
            path: format!("{}.pipelines.{position}.when", W::BLOCK),
            holds,
            conditions: rule.when.seen(&facets),
        });
        if holds {
            draft.explain(Reason::PipelineByRule {
                rule: rule.name.clone(),
                pipeline: rule.pipeline.clone(),
                stage: rule.stage.clone(),
            });
            return DealPlace {
                pipeline: rule.pipeline.clone(),
                stage: rule.stage.clone(),
            };
        }
    }
    usual
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

fn contact_and_deal<W: Written>(
    what: &W,
    client: &Client<'_>,
    place: DealPlace,
    draft: &mut Draft<'_>,
) {
    if is_free_of_unsorted(draft, Entity::Deal) {
        let contact = contact(what, client, draft);
        deal(what, client, contact, place, draft);
    }
}

/// Returns the client's contact: the one that is made here or was made before, else the one in the
/// CRM, else a new one. Ours goes first because the CRM's search may not show it yet.
fn contact<W: Written>(what: &W, client: &Client<'_>, draft: &mut Draft<'_>) -> Option<Target> {
    if let Some(contact) = client.contact.filter(|_| !draft.gives(CONTACT)) {
        draft.explain(Reason::ContactUsed {
            contact: named(contact),
        });
        return Some(known_contact(&contact.id));
    }
    let (user, whose) = people::responsible(what, client, None);
    let name = texts::contact_name(what, client);
    let tags = tags_of(what);
    let wish = draft.wish(
        CONTACT,
        Effect::CreateContact(NewContact {
            name: name.text,
            phones: what.phone().cloned().into_iter().collect(),
            emails: what.email().into_iter().collect(),
            responsible: Some(user),
            tags: tags.clone(),
            fields: Vec::new(),
            template: what.choices().contact_template.map(str::to_owned),
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

fn deal<W: Written>(
    what: &W,
    client: &Client<'_>,
    contact: Option<Target>,
    place: DealPlace,
    draft: &mut Draft<'_>,
) {
    let (user, whose) = people::responsible(what, client, client.contact);
    let name = texts::deal_name(what, client);
    let tags = tags_of(what);
    let wish = draft.wish(
        DEAL,
        Effect::CreateDeal(NewDeal {
            name: name.text,
            pipeline: place.pipeline,
            stage: place.stage,
            contact,
            responsible: Some(user),
            tags: tags.clone(),
            fields: Vec::new(),
        }),
    );
    if wish == Wish::Planned {
        explain_new(draft, whose, name.instead, tags);
    }
}

/// Makes a lead, unless the client has an open one. One of a known client hangs on the contact.
fn lead<W: Written>(what: &W, client: &Client<'_>, stage: Option<String>, draft: &mut Draft<'_>) {
    if !is_free_of_unsorted(draft, Entity::Lead) {
        return;
    }
    if let Some(open) = client.lead.filter(|_| !draft.gives(LEAD)) {
        return draft.explain(Reason::OpenLead { lead: named(open) });
    }
    let (user, whose) = people::responsible(what, client, client.contact);
    let name = texts::deal_name(what, client);
    let who = texts::contact_name(what, client);
    let tags = tags_of(what);
    let wish = draft.wish(
        LEAD,
        Effect::CreateLead(NewLead {
            name: name.text,
            client: who.text,
            phones: what.phone().cloned().into_iter().collect(),
            emails: what.email().into_iter().collect(),
            contact: client.contact.map(|contact| known_contact(&contact.id)),
            stage,
            responsible: Some(user),
            tags: tags.clone(),
            fields: Vec::new(),
        }),
    );
    if wish == Wish::Planned {
        explain_new(draft, whose, name.instead, tags);
    }
}

fn first_unsorted<W: Written>(what: &W, pipeline: &str, draft: &mut Draft<'_>) {
    let made = [
        (DEAL, Entity::Deal),
        (LEAD, Entity::Lead),
        (CONTACT, Entity::Contact),
    ];
    for (role, entity) in made {
        if draft.gives(role) {
            return draft.explain(Reason::MadeAlready {
                made: entity,
                instead_of: Entity::Unsorted,
            });
        }
    }
    let (form, at) = (what.form(), what.began_at());
    unsorted(UNSORTED, what, pipeline, form, at, draft);
}

/// Plans an unsorted record, whatever else there is (S0-08). Templates do not apply (S0-15).
pub(in crate::rules) fn unsorted<W: Written>(
    role: &str,
    what: &W,
    pipeline: &str,
    form: UnsortedForm,
    at: Timestamp,
    draft: &mut Draft<'_>,
) -> Wish {
    let tags = tags_of(what);
    let wish = draft.wish(
        role,
        Effect::CreateUnsorted(NewUnsorted {
            pipeline: pipeline.to_owned(),
            source_name: what.situation().source_name.to_owned(),
            form,
            at,
            deal_name: texts::usual_deal_name(what),
            contact_name: texts::client_label(what),
            phone: what.phone().cloned(),
            email: what.email(),
            tags: tags.clone(),
        }),
    );
    if wish == Wish::Planned {
        explain_new(draft, Vec::new(), None, tags);
    }
    wish
}

fn tags_of<W: Written>(what: &W) -> Vec<String> {
    let source = what.situation().source_name;
    tags::of(what.choices().tags, what.phone(), source)
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
pub(in crate::rules) fn known_contact(id: &str) -> Target {
    known(Entity::Contact, id)
}

/// Points at a card that the CRM has.
pub(in crate::rules) fn known(entity: Entity, id: &str) -> Target {
    let id = id.to_owned();
    Target::Known {
        card: Card { entity, id },
    }
}
