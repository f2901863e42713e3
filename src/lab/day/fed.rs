//! The other simulated CRMs that a day feeds. What each must hold is written by hand, as a [`Half`],
//! and seen through the same [`Holding`], so that one comparison serves all.
//!
//! | of Planfix | of AlfaCRM | in the holding |
//! | --- | --- | --- |
//! | contact; its first supervisor | customer, lead or client; who answers for it | contact |
//! | task of an object: `pipeline` is the object, `stage` the status | | deal |
//! | task without an object | task | task |
//! | data tag of a call | comment that tells of a call | entry of the call history, on the contact |
//! | comment | other comment | note |
//!
//! Who left no number is named by the name.

use std::collections::BTreeMap;
use std::fmt::Debug;

use super::comparison::{Seen, compare};
use super::expectation::{CallCard, CallDirection, CallResult, Totals};
use super::holding::{Held, HeldCall, HeldContact, HeldDeal, HeldNote, HeldTask, Holding};
use super::portal::{Half, PortalOutcome};
use super::script::{Day, last_ten};
use crate::lab::alfacrm::{self, AlfaHandle};
use crate::lab::planfix::{self, PlanfixHandle};

/// A simulated CRM that can be looked into.
pub trait FedCrm: Debug + Send + Sync {
    /// Sorts what it holds by client.
    fn holding(&self) -> Holding;
    /// Counts requests above what it permits.
    fn rate_violations(&self) -> u64;
}

/// One that a day feeds, and what it must hold in the end.
#[derive(Debug)]
pub struct Fed {
    /// Its name, for the heading.
    pub name: &'static str,
    /// The CRM.
    pub crm: Box<dyn FedCrm>,
    /// What it must hold.
    pub half: Half,
}

impl Fed {
    /// Compares what the CRM holds after a day; `seen` is what the runner saw of all CRMs.
    pub fn outcome(&self, day: &Day, seen: &Seen) -> PortalOutcome {
        let seen = Seen {
            rate_violations: self.crm.rate_violations(),
            ..seen.clone()
        };
        let day = self.half.of(day);
        let holding = self.crm.holding();
        let comparison = compare(&day, &holding, &seen);
        PortalOutcome {
            day,
            holding,
            seen,
            comparison,
        }
    }
}

/// Returns by what a client is named: the numbers, else the name.
fn clients(phones: &[String], name: &str) -> Vec<String> {
    let numbers: Vec<String> = phones.iter().map(|phone| last_ten(phone)).collect();
    match numbers.is_empty() {
        true => vec![name.to_owned()],
        false => numbers,
    }
}

fn direction(outgoing: bool) -> CallDirection {
    match outgoing {
        true => CallDirection::Out,
        false => CallDirection::In,
    }
}

fn result(answered: bool) -> CallResult {
    match answered {
        true => CallResult::Answered,
        false => CallResult::Missed,
    }
}

impl FedCrm for PlanfixHandle {
    fn holding(&self) -> Holding {
        of_planfix(&self.oracle())
    }

    fn rate_violations(&self) -> u64 {
        self.counters().rate_violations
    }
}

fn of_planfix(oracle: &planfix::Oracle) -> Holding {
    let mut held: BTreeMap<String, Held> = BTreeMap::new();
    let named = |contact: Option<u64>| -> Vec<String> {
        let found = oracle.contacts.iter().find(|one| Some(one.id) == contact);
        found.map_or_else(Vec::new, |one| clients(&one.phones, &one.name))
    };
    for contact in &oracle.contacts {
        for client in clients(&contact.phones, &contact.name) {
            held.entry(client).or_default().contacts.push(HeldContact {
                responsible: contact.supervisors.first().copied().unwrap_or(0),
                tags: Vec::new(),
                seeded: false,
            });
        }
    }
    for task in &oracle.tasks {
        let parent = oracle.tasks.iter().find(|one| Some(one.id) == task.parent);
        let contact = task
            .counterparty
            .or(parent.and_then(|one| one.counterparty));
        let responsible = task.assignees.first().copied().unwrap_or(0);
        for client in named(contact) {
            let held = held.entry(client).or_default();
            match task.template {
                Some(object) => held.deals.push(HeldDeal {
                    pipeline: object,
                    stage: task.status,
                    responsible,
                    tags: Vec::new(),
                    seeded: false,
                }),
                None => held.tasks.push(HeldTask {
                    responsible,
                    text: format!("{} {}", task.name, task.description),
                }),
            }
        }
    }
    for call in &oracle.calls {
        let known = oracle.contacts_of_phone(&call.phone);
        held.entry(call.phone.clone())
            .or_default()
            .calls
            .push(HeldCall {
                direction: direction(call.outgoing),
                result: result(call.status == "Success"),
                employee: call.user,
                talk_s: call.duration,
                on: (!known.is_empty()).then_some(CallCard::Contact),
                at_s: call.at,
            });
    }
    for comment in &oracle.comments {
        let task = oracle.tasks.iter().find(|one| one.id == comment.on);
        let (contact, on) = match comment.of_task {
            true => (task.and_then(|one| one.counterparty), CallCard::Deal),
            false => (Some(comment.on), CallCard::Contact),
        };
        for client in named(contact) {
            held.entry(client).or_default().notes.push(HeldNote {
                on,
                text: comment.text.clone(),
            });
        }
    }
    let of_objects = oracle.tasks.iter().filter(|task| task.template.is_some());
    let deals = of_objects.count();
    Holding {
        totals: Totals {
            contacts: oracle.contacts.len(),
            deals,
            unsorted: 0,
            calls: oracle.calls.len(),
            tasks: oracle.tasks.len() - deals,
            notes: oracle.comments.len(),
        },
        clients: held,
    }
}

impl FedCrm for AlfaHandle {
    fn holding(&self) -> Holding {
        of_alfacrm(&self.oracle())
    }

    fn rate_violations(&self) -> u64 {
        self.counters().rate_violations
    }
}

fn of_alfacrm(oracle: &alfacrm::Oracle) -> Holding {
    let mut held: BTreeMap<String, Held> = BTreeMap::new();
    let named = |customer: u64| -> Vec<String> {
        let found = oracle.customers.iter().find(|one| one.id == customer);
        found.map_or_else(Vec::new, |one| clients(&one.phones, &one.name))
    };
    for customer in &oracle.customers {
        for client in clients(&customer.phones, &customer.name) {
            held.entry(client).or_default().contacts.push(HeldContact {
                responsible: customer.assigned,
                tags: Vec::new(),
                seeded: false,
            });
        }
    }
    for task in &oracle.tasks {
        for client in task.customers.iter().copied().flat_map(named) {
            held.entry(client).or_default().tasks.push(HeldTask {
                responsible: task.assigned.first().copied().unwrap_or(0),
                text: format!("{} {}", task.title, task.text),
            });
        }
    }
    for call in &oracle.calls {
        held.entry(call.phone.clone())
            .or_default()
            .calls
            .push(HeldCall {
                direction: direction(call.outgoing),
                result: result(call.answered),
                employee: Some(call.user).filter(|user| *user != 0),
                talk_s: u64::try_from(call.duration).unwrap_or(0),
                on: call.is_shown.then_some(CallCard::Contact),
                at_s: call.at,
            });
    }
    let is_call = |id: u64| oracle.calls.iter().any(|call| call.id == id);
    let notes = oracle.comments.iter().filter(|one| !is_call(one.id));
    let notes: Vec<&alfacrm::Comment> = notes.collect();
    for note in &notes {
        for client in named(note.customer) {
            held.entry(client).or_default().notes.push(HeldNote {
                on: CallCard::Contact,
                text: note.text.clone(),
            });
        }
    }
    Holding {
        totals: Totals {
            contacts: oracle.customers.len(),
            deals: 0,
            unsorted: 0,
            calls: oracle.calls.len(),
            tasks: oracle.tasks.len(),
            notes: notes.len(),
        },
        clients: held,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::alfacrm::{AlfaOptions, Customer};
    use crate::lab::planfix::PlanfixOptions;

    const DAY: &str = r#"
        name = "small"
        tenant = "demo"
        client = []
        part = []
        totals = { contacts = 0, deals = 0, unsorted = 0, calls = 0, tasks = 0 }
    "#;

    fn half(totals: &str, clients: &str) -> Half {
        Half::parse(&format!("totals = {{ {totals} }}\n{clients}")).unwrap()
    }

    const ONE: &str = "contacts = 1, deals = 0, unsorted = 0, calls = 0, tasks = 0";

    fn expects(responsible: u64) -> Half {
        let client = format!(
            "[[client]]\nphone = \"+79035550001\"\nwhy = \"\"\n\
             contacts = [{{ responsible = {responsible} }}]\n"
        );
        half(ONE, &client)
    }

    fn differences(name: &'static str, crm: Box<dyn FedCrm>, half: Half) -> usize {
        let fed = Fed { name, crm, half };
        let outcome = fed.outcome(&Day::parse(DAY).unwrap(), &Seen::default());
        outcome.comparison.differences.len()
    }

    #[tokio::test]
    async fn what_planfix_holds_is_compared_with_its_half() {
        let lab = planfix::start(PlanfixOptions::default()).await.unwrap();
        lab.add_contact("a", "8 903 555-00-01", 5);
        let crm = || Box::new(lab.handle());
        assert_eq!(differences("a", crm(), expects(5)), 0);
        assert_eq!(differences("a", crm(), expects(6)), 1);
        lab.add_contact("b", "8 903 555-00-02", 5);
        assert_eq!(differences("a", crm(), expects(5)), 2, "it, and the totals");
    }

    #[tokio::test]
    async fn what_alfacrm_holds_is_compared_with_its_half() {
        let lab = alfacrm::start(AlfaOptions::default()).await.unwrap();
        lab.add_customer(Customer {
            name: "a".to_owned(),
            phones: vec!["+79035550001".to_owned()],
            assigned: 502,
            ..Customer::default()
        });
        let crm = || Box::new(lab.handle());
        assert_eq!(differences("a", crm(), expects(502)), 0);
        assert_eq!(differences("a", crm(), expects(501)), 1);
    }
}
