//! The simulated CRM as a day sees it: seeds, a person's hands, trouble, and what it holds.

use std::collections::{BTreeMap, BTreeSet};

use super::expectation::{CallCard, CallDirection, CallResult, Totals, UnsortedState};
use super::holding::{
    Held, HeldCall, HeldContact, HeldDeal, HeldNote, HeldTask, HeldUnsorted, Holding,
};
use super::script::{Day, last_ten};
use crate::lab::amocrm::{
    AmoHandle, CallView, CardEdit, CardView, LeadView, NoteView, Oracle, SeedCard, SeedLead,
};
use crate::lab::fault::{Fault, Rule, RuleRefused, When};

/// What `call_status` says when a talk took place (`crm/amocrm.md` §11).
const TALK_TOOK_PLACE: i64 = 4;
/// Closed stages, the same in every pipeline (`crm/amocrm.md` §7).
const CLOSED: [u64; 2] = [142, 143];

/// Ids of what was in the account before the day.
#[derive(Debug, Clone, Default)]
pub struct Seeded {
    contacts: BTreeSet<u64>,
    leads: BTreeSet<u64>,
}

/// Puts the day's seeds into the account.
pub fn seed(crm: &AmoHandle, day: &Day) -> Seeded {
    let mut seeded = Seeded::default();
    for seed in &day.seeds {
        let contact = crm.add_contact(&SeedCard {
            tags: seed.tags.clone(),
            ..SeedCard::new(&seed.name, &seed.phone, seed.responsible)
        });
        seeded.contacts.insert(contact);
        for deal in &seed.deals {
            seeded.leads.insert(crm.add_lead(&SeedLead {
                name: seed.name.clone(),
                contact_id: Some(contact),
                pipeline_id: Some(deal.pipeline),
                status_id: Some(deal.stage),
                responsible_user_id: Some(deal.responsible),
                closed_at: CLOSED.contains(&deal.stage).then(|| crm.now()),
                ..SeedLead::default()
            }));
        }
    }
    seeded
}

/// Accepts the oldest waiting unsorted record of a client and moves its deal; false where none
/// waits.
pub fn accept_unsorted(crm: &AmoHandle, client: &str, user: u64, stage: u64) -> bool {
    let oracle = crm.oracle();
    let waiting = oracle
        .unsorted_of_phone(client)
        .into_iter()
        .find(|record| record.state == "waiting");
    let Some(record) = waiting else {
        return false;
    };
    let moved = CardEdit {
        status_id: Some(stage),
        ..CardEdit::default()
    };
    crm.accept_unsorted(&record.uid, user)
        && record.lead.is_none_or(|lead| crm.edit_lead(lead, &moved))
}

/// Makes the account answer everything with 503.
///
/// # Errors
/// Fails when the account's fault plan is full.
pub fn take_down(crm: &AmoHandle) -> Result<(), RuleRefused> {
    let fault = Fault::ErrorBefore { status: 503 };
    crm.add_fault(Rule::new("", "*", When::Always, fault))
}

/// Makes the account itself again.
pub fn bring_up(crm: &AmoHandle) {
    crm.clear_faults();
}

/// Loses the answer to the next request that creates something under this path.
///
/// # Errors
/// Fails when the account's fault plan is full.
pub fn lose_answer(crm: &AmoHandle, path: &str) -> Result<(), RuleRefused> {
    crm.add_fault(Rule::new(
        "POST",
        path,
        When::Nth { n: 1 },
        Fault::LostAfter,
    ))
}

/// Sorts what the account holds by client.
pub fn holding(crm: &AmoHandle, seeded: &Seeded) -> Holding {
    let oracle = crm.oracle();
    let mut clients: BTreeMap<String, Held> = BTreeMap::new();
    let contacts: Vec<&CardView> = oracle.contacts.iter().filter(|c| !c.in_unsorted).collect();
    let leads: Vec<&LeadView> = oracle.leads.iter().filter(|l| !l.in_unsorted).collect();
    for contact in &contacts {
        for key in keys(contact) {
            clients.entry(key).or_default().contacts.push(HeldContact {
                responsible: contact.responsible_user_id,
                tags: contact.tags.clone(),
                seeded: seeded.contacts.contains(&contact.id),
            });
        }
    }
    for lead in &leads {
        let owners = contacts
            .iter()
            .filter(|contact| lead.contacts.contains(&contact.id));
        let owners: BTreeSet<String> = owners.flat_map(|contact| keys(contact)).collect();
        for key in owners {
            clients.entry(key).or_default().deals.push(HeldDeal {
                pipeline: lead.pipeline_id,
                stage: lead.status_id,
                responsible: lead.responsible_user_id,
                tags: lead.tags.clone(),
                seeded: seeded.leads.contains(&lead.id),
            });
        }
    }
    for record in &oracle.unsorted {
        clients
            .entry(record.phone.clone())
            .or_default()
            .unsorted
            .push(HeldUnsorted {
                pipeline: record.pipeline_id,
                category: record.category.clone(),
                state: match record.state.as_str() {
                    "accepted" => UnsortedState::Accepted,
                    "declined" => UnsortedState::Declined,
                    _ => UnsortedState::Waiting,
                },
            });
    }
    for call in &oracle.calls {
        let held = held_call(call, &oracle);
        clients
            .entry(call.phone.clone())
            .or_default()
            .calls
            .push(held);
    }
    for key in clients.keys().cloned().collect::<Vec<_>>() {
        let tasks = oracle
            .tasks_of_phone(&key)
            .into_iter()
            .map(|task| HeldTask {
                responsible: task.responsible_user_id,
                text: task.text.clone(),
            });
        let held = clients.entry(key.clone()).or_default();
        held.tasks.extend(tasks);
        held.notes = notes(&key, &oracle);
    }
    Holding {
        clients,
        totals: Totals {
            contacts: contacts.len(),
            deals: leads.len(),
            unsorted: oracle.unsorted.len(),
            calls: oracle.calls.len(),
            tasks: oracle.tasks.len(),
            notes: oracle.notes.len(),
        },
    }
}

/// Returns by what a card's client is known: the numbers, else the name.
fn keys(card: &CardView) -> BTreeSet<String> {
    if card.phones.is_empty() {
        return [last_ten(&card.name)].into();
    }
    card.phones.iter().map(|phone| last_ten(phone)).collect()
}

/// Returns the notes on a client's cards, those inside of unsorted records included.
fn notes(client: &str, oracle: &Oracle) -> Vec<HeldNote> {
    let own = oracle.contacts.iter().filter(|c| keys(c).contains(client));
    let own: Vec<&CardView> = own.collect();
    let place = |note: &NoteView| match note.entity_type.as_str() {
        "contact" | "contacts" => {
            let contact = own.iter().find(|c| c.id == note.entity_id)?;
            Some(if contact.in_unsorted {
                CallCard::Unsorted
            } else {
                CallCard::Contact
            })
        }
        "lead" | "leads" => {
            let lead = oracle.leads.iter().find(|lead| lead.id == note.entity_id)?;
            let ours = own.iter().any(|c| lead.contacts.contains(&c.id));
            ours.then_some(if lead.in_unsorted {
                CallCard::Unsorted
            } else {
                CallCard::Deal
            })
        }
        _ => None,
    };
    let notes = oracle.notes.iter();
    notes
        .filter_map(|note| {
            let text = note.params["text"].as_str().unwrap_or_default();
            Some(HeldNote {
                on: place(note)?,
                text: text.to_owned(),
            })
        })
        .collect()
}

fn held_call(call: &CallView, oracle: &Oracle) -> HeldCall {
    let answered = match call.status {
        Some(status) => status == TALK_TOOK_PLACE,
        // The call event of an unsorted record has no status, only a length.
        None => call.duration > 0,
    };
    HeldCall {
        direction: if call.direction == "outbound" {
            CallDirection::Out
        } else {
            CallDirection::In
        },
        result: if answered {
            CallResult::Answered
        } else {
            CallResult::Missed
        },
        employee: call
            .call_responsible
            .as_deref()
            .and_then(|user| user.parse().ok()),
        talk_s: u64::try_from(call.duration).unwrap_or(0),
        on: card_of(call, oracle),
        at_s: call.at,
    }
}

/// Returns the kind of the card, or nothing where the card is not this client's or is in the bin.
fn card_of(call: &CallView, oracle: &Oracle) -> Option<CallCard> {
    let own = |card: &CardView| keys(card).contains(&call.phone);
    match call.entity_type.as_str() {
        "lead" | "leads" => {
            let lead = oracle.leads.iter().find(|lead| lead.id == call.entity_id)?;
            let owners = oracle
                .contacts
                .iter()
                .filter(|c| lead.contacts.contains(&c.id));
            owners.into_iter().any(own).then_some(if lead.in_unsorted {
                CallCard::Unsorted
            } else {
                CallCard::Deal
            })
        }
        "contact" | "contacts" => {
            let contact = oracle.contacts.iter().find(|c| c.id == call.entity_id)?;
            own(contact).then_some(if contact.in_unsorted {
                CallCard::Unsorted
            } else {
                CallCard::Contact
            })
        }
        "company" | "companies" => {
            let company = oracle.companies.iter().find(|c| c.id == call.entity_id)?;
            own(company).then_some(CallCard::Company)
        }
        _ => None,
    }
}
