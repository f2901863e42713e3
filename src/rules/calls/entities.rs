//! Which contact, deal or unsorted record a call makes (S1-07 … S1-20).

use std::time::Duration;

use crate::model::explanation::{CallAction, CallCase, Reason, Side};
use crate::model::plan::{
    AwaitContact, Effect, Entity, NewContact, NewDeal, NewLead, NewUnsorted, StepKind, Target,
    UnsortedForm,
};

use super::admission::ClientCall;
use super::client::{Client, known, named};
use super::{people, texts};
use crate::model::communication::Phase;
use crate::rules::draft::{Draft, Wish, made};
use crate::rules::names;
use crate::rules::settings::{KnownAction, Moment, UnknownAction};

/// The role of the contact that a call makes.
pub(super) const CONTACT: &str = "contact";
/// The role of its deal.
pub(super) const DEAL: &str = "deal";
/// The role of its lead.
pub(super) const LEAD: &str = "lead";
/// The role of its unsorted record.
pub(super) const UNSORTED: &str = "unsorted";

/// Plans what the case of the call makes.
pub(super) fn plan(call: &ClientCall<'_>, client: &Client<'_>, draft: &mut Draft<'_>) {
    let side = call.side;
    if call.explain_filter(draft) {
        return;
    }
    if call.is_at_end() && was_decided_at_answer(call) {
        return draft.explain(Reason::DecidedAtAnswer);
    }
    let case = case_of(call, client);
    let configured = if client.known {
        let case = call.known_case();
        let leads = draft.offers(StepKind::CreateLead);
        case.map(|case| (case.on, case.at, known_action(&case.action, leads)))
    } else {
        let case = call.unknown_case();
        let leads = draft.offers(StepKind::CreateLead);
        case.map(|case| (case.on, case.at, unknown_action(&case.action, leads)))
    };
    let action = match configured {
        None => return draft.explain(Reason::CaseAbsent { side, case }),
        Some((false, ..)) => return draft.explain(Reason::CaseOff { side, case }),
        Some((true, Moment::End, _)) if !call.is_at_end() => {
            return draft.explain(Reason::CaseAtEnd { side, case });
        }
        Some((true, _, action)) => action,
    };
    draft.explain(Reason::CaseActs {
        side,
        case,
        action: action.clone(),
    });
    match action {
        CallAction::ContactAndDeal { pipeline, stage }
        | CallAction::DealAlways { pipeline, stage } => {
            if is_free_of_unsorted(draft, Entity::Deal) {
                let contact = contact(call, client, draft);
                deal(call, client, contact, pipeline, stage, draft);
            }
        }
        CallAction::DealUnlessOpen {
            pipeline,
            stage,
            wait_s,
        } => {
            if is_free_of_unsorted(draft, Entity::Deal) {
                let contact = contact(call, client, draft);
                if is_free_of_deals(call, client, wait_s, draft) {
                    deal(call, client, contact, pipeline, stage, draft);
                }
            }
        }
        CallAction::Unsorted { pipeline } => unsorted(call, client, pipeline, draft),
        CallAction::Lead { stage } => lead(call, client, stage, draft),
        CallAction::Contact => {
            if is_free_of_unsorted(draft, Entity::Contact) {
                contact(call, client, draft);
            }
        }
    }
}

fn case_of(call: &ClientCall<'_>, client: &Client<'_>) -> CallCase {
    match (call.call.is_answered(), client.known) {
        (true, false) => CallCase::AnsweredUnknown,
        (false, false) => CallCase::MissedUnknown,
        (true, true) => CallCase::AnsweredKnown,
        (false, true) => CallCase::MissedKnown,
    }
}

/// Says whether what this call makes was settled at its answer (S1-27): the choice is made once,
/// whatever client and settings have become since.
fn was_decided_at_answer(call: &ClientCall<'_>) -> bool {
    let mut decisions = call.situation.ledger.decisions.iter();
    decisions.any(|decision| {
        let mut reasons = decision.explanation.iter();
        decision.phase == Phase::Answered
            && reasons.any(|reason| matches!(reason, Reason::CaseActs { .. }))
    })
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

/// Says whether the client needs a deal (S1-15): none is open, and the last one was closed long
/// enough before the call. One that this call makes itself does not count.
fn is_free_of_deals(
    call: &ClientCall<'_>,
    client: &Client<'_>,
    wait_s: Option<u64>,
    draft: &mut Draft<'_>,
) -> bool {
    if draft.gives(DEAL) {
        return true;
    }
    if let Some(newest) = client.open_deals.first() {
        draft.explain(Reason::OpenDeal {
            deal: newest.id.clone(),
            open: client.open_deals.len(),
        });
        return false;
    }
    if let (Some(wait_s), Some((deal, closed_at))) = (wait_s, client.closed_last) {
        let until = closed_at.plus(Duration::from_secs(wait_s));
        // A call keeps its own time, however late it is decided.
        if call.call.started_at < until {
            draft.explain(Reason::DealTooSoon {
                deal: deal.id.clone(),
                closed_at,
                until,
            });
            return false;
        }
    }
    draft.explain(Reason::NoOpenDeal);
    true
}

/// Returns the client's contact: the one that this communication makes or has made, else the one
/// in the CRM, else a new one. Ours goes first because the CRM's search may not show it yet.
fn contact(call: &ClientCall<'_>, client: &Client<'_>, draft: &mut Draft<'_>) -> Option<Target> {
    if let Some(contact) = client.contact.filter(|_| !draft.gives(CONTACT)) {
        if !client.known {
            draft.explain(Reason::ContactUsed {
                contact: named(contact),
            });
        }
        return Some(known(Entity::Contact, &contact.id));
    }
    if call.situation.capabilities.calls.makes_contacts {
        return awaited(call, draft);
    }
    let (user, whose) = people::responsible(call, client, None);
    let name = texts::contact_name(call, client);
    let tags = texts::tags(call);
    let wish = draft.wish(
        CONTACT,
        Effect::CreateContact(NewContact {
            name: name.text,
            phones: vec![call.phone.clone()],
            emails: Vec::new(),
            responsible: Some(user),
            tags: tags.clone(),
            fields: Vec::new(),
            template: None,
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

/// Returns the contact that the CRM makes by itself from the entry of the call history (S2-12).
fn awaited(call: &ClientCall<'_>, draft: &mut Draft<'_>) -> Option<Target> {
    let effect = Effect::AwaitContact(AwaitContact {
        phone: call.phone.clone(),
    });
    match draft.wish(CONTACT, effect) {
        Wish::Planned => draft.explain(Reason::ContactAwaited),
        Wish::Stands => {}
        Wish::Refused => return None,
    }
    Some(made(CONTACT, Entity::Contact))
}

fn deal(
    call: &ClientCall<'_>,
    client: &Client<'_>,
    contact: Option<Target>,
    pipeline: String,
    stage: String,
    draft: &mut Draft<'_>,
) {
    let (user, whose) = people::responsible(call, client, client.contact);
    let name = texts::deal_name(call, client);
    let tags = texts::tags(call);
    let wish = draft.wish(
        DEAL,
        Effect::CreateDeal(NewDeal {
            name: name.text,
            pipeline,
            stage,
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

/// Makes a lead, unless the client has an open one.
fn lead(call: &ClientCall<'_>, client: &Client<'_>, stage: Option<String>, draft: &mut Draft<'_>) {
    if let Some(open) = client.open_lead.filter(|_| !draft.gives(LEAD)) {
        return draft.explain(Reason::OpenLead { lead: named(open) });
    }
    let (user, whose) = people::responsible(call, client, client.contact);
    let name = texts::deal_name(call, client);
    let who = texts::contact_name(call, client);
    let tags = texts::tags(call);
    let wish = draft.wish(
        LEAD,
        Effect::CreateLead(NewLead {
            name: name.text,
            client: who.text,
            phones: vec![call.phone.clone()],
            emails: Vec::new(),
            contact: client
                .contact
                .map(|contact| known(Entity::Contact, &contact.id)),
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

fn explain_new(draft: &mut Draft<'_>, whose: Vec<Reason>, name: Option<Reason>, tags: Vec<String>) {
    for reason in whose.into_iter().chain(name) {
        draft.explain(reason);
    }
    if !tags.is_empty() {
        draft.explain(Reason::Tagged { tags });
    }
}

fn unsorted(call: &ClientCall<'_>, client: &Client<'_>, pipeline: String, draft: &mut Draft<'_>) {
    if draft.gives(DEAL) {
        return draft.explain(Reason::MadeAlready {
            made: Entity::Deal,
            instead_of: Entity::Unsorted,
        });
    }
    let form = match call.side {
        Side::Incoming => UnsortedForm::IncomingCall {
            talk_s: call.talk_s(),
            callee: people::employee(call).ok(),
            // The record cannot be changed later, so that the address stands there in advance.
            link: (call.situation.recording)
                .filter(|one| !one.upload)
                .map(|one| one.link.clone()),
        },
        Side::Outgoing => UnsortedForm::Form {
            name: names::event(call.side, call.call).to_owned(),
            text: (!is_logged_on_unsorted(client, draft))
                .then(|| names::outgoing_summary(call.call, call.phone)),
            page: None,
        },
    };
    let tags = texts::tags(call);
    let wish = draft.wish(
        UNSORTED,
        Effect::CreateUnsorted(NewUnsorted {
            pipeline,
            source_name: call.situation.source_name.to_owned(),
            form,
            at: call.call.started_at,
            deal_name: names::deal(call.side, call.call, call.phone),
            contact_name: names::contact(call.phone),
            phone: Some(call.phone.clone()),
            email: None,
            tags: tags.clone(),
        }),
    );
    if wish == Wish::Planned {
        explain_new(draft, Vec::new(), None, tags);
    }
}

/// Says whether the log entry of an outgoing call will stand on the unsorted record, which then
/// needs no text of its own: where the client has no card (see `log`) and the CRM takes entries.
fn is_logged_on_unsorted(client: &Client<'_>, draft: &Draft<'_>) -> bool {
    draft.offers(StepKind::RecordCall)
        && client.contact.is_none()
        && client.company.is_none()
        && !draft.gives(CONTACT)
}

/// Returns what is made for an unknown client; `leads` = the CRM works with leads.
fn unknown_action(action: &UnknownAction, leads: bool) -> CallAction {
    match action.clone() {
        UnknownAction::LeadOrDeal { lead_stage, .. } if leads => {
            CallAction::Lead { stage: lead_stage }
        }
        UnknownAction::ContactAndDeal { pipeline, stage }
        | UnknownAction::LeadOrDeal {
            pipeline, stage, ..
        } => CallAction::ContactAndDeal { pipeline, stage },
        UnknownAction::Unsorted { pipeline } => CallAction::Unsorted { pipeline },
        UnknownAction::Contact {} => CallAction::Contact,
    }
}

fn known_action(action: &KnownAction, leads: bool) -> CallAction {
    match action.clone() {
        KnownAction::LeadOrDeal { lead_stage, .. } if leads => {
            CallAction::Lead { stage: lead_stage }
        }
        KnownAction::ContactAndDeal {
            pipeline,
            stage,
            wait,
        }
        | KnownAction::LeadOrDeal {
            pipeline,
            stage,
            wait,
            ..
        } => CallAction::DealUnlessOpen {
            pipeline,
            stage,
            wait_s: wait.map(|wait| wait.duration().as_secs()),
        },
        KnownAction::DealAlways { pipeline, stage } => CallAction::DealAlways { pipeline, stage },
        KnownAction::Unsorted { pipeline } => CallAction::Unsorted { pipeline },
    }
}
