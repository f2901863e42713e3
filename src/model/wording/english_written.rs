//! The English wording of what only chats and requests have.

use super::english::{card, person, thing};
use crate::model::communication::{Address, Kind};
use crate::model::written_reason::{MethodName, WrittenReason};

pub(super) fn text(why: &WrittenReason) -> String {
    match why {
        WrittenReason::SwitchedOff { kind } => format!(
            "{} are switched off (S0-06, {}.on): nothing is done.",
            plural(*kind),
            path(*kind)
        ),
        WrittenReason::NoAddress => {
            "The client left neither number nor e-mail address: this counts as the first time."
                .to_owned()
        }
        WrittenReason::ClientUnknown { addresses } => {
            format!("No contact has {}: the client is new.", list(addresses))
        }
        WrittenReason::ClientKnown { addresses, contact } => format!(
            "The contact {} was found by {}: the client is known.",
            card(contact),
            list(addresses)
        ),
        WrittenReason::ClientOnlyCompany { addresses, company } => format!(
            "Only the company {} was found by {}, no contact: this counts as the first time.",
            card(company),
            list(addresses)
        ),
        WrittenReason::OnlyFirstTime { kind } => format!(
            "Only the first time is processed (S0-10, {}.first_time_only), and this is a repeat: \
             nothing is made.",
            path(*kind)
        ),
        WrittenReason::MethodActs {
            kind,
            first_time,
            method,
        } => format!(
            "{}: {} ({}).",
            if *first_time {
                "The first time"
            } else {
                "A repeat"
            },
            made(method),
            row(*kind, method)
        ),
        WrittenReason::MethodKept => {
            "What this makes was settled earlier: it is only added to now.".to_owned()
        }
        WrittenReason::ContactThere { contact } => format!(
            "No contact is made: the CRM has {} already (S0-09).",
            card(contact)
        ),
        WrittenReason::PlaceDefault { kind } => format!(
            "The deal is made in the default pipeline (S0-21, {}.deals).",
            path(*kind)
        ),
        WrittenReason::PlaceByRule { kind, rule } => format!(
            "The deal is made in the pipeline of the rule \"{rule}\" (S0-22, {}.deals.rules).",
            path(*kind)
        ),
        WrittenReason::ResponsibleDefault { kind, user } => format!(
            "Responsible: {}, by default (S0-16, {}.default_responsible).",
            person(user),
            path(*kind)
        ),
        WrittenReason::ResponsibleByRule { kind, rule, user } => format!(
            "Responsible: {}, by the rule \"{rule}\" (S0-16, {}.responsible).",
            person(user),
            path(*kind)
        ),
        WrittenReason::Tagged { tags } => {
            let tags: Vec<String> = tags.iter().map(|tag| format!("\"{tag}\"")).collect();
            format!("Tags of the new records: {} (S0-19).", tags.join(", "))
        }
        WrittenReason::TaskActs { kind } => {
            format!("A task for the responsible (S0-11, {}.task).", path(*kind))
        }
        WrittenReason::TaskOff { kind } => format!(
            "A task for the responsible: switched off (S0-11, {}.task).",
            path(*kind)
        ),
        WrittenReason::TaskOfCardOwner { user, entity } => format!(
            "The task goes to who answers for the {}: {} (S0-11).",
            thing(*entity),
            person(user)
        ),
        WrittenReason::NotedOn { entity, new } => format!(
            "What the client wrote is kept as a note on the {} ({}).",
            thing(*entity),
            if *new { "made now" } else { "there already" }
        ),
        WrittenReason::NotedNowhere => {
            "What the client wrote cannot be noted: the client has no card in the CRM.".to_owned()
        }
    }
}

fn plural(kind: Kind) -> &'static str {
    match kind {
        Kind::Call => "Calls",
        Kind::Chat => "Chats",
        Kind::Request => "Site requests",
    }
}

fn path(kind: Kind) -> &'static str {
    match kind {
        Kind::Call => "calls",
        Kind::Chat => "chats",
        Kind::Request => "requests",
    }
}

fn row(kind: Kind, method: &MethodName) -> &'static str {
    match (kind, method) {
        (Kind::Chat, _) => "V-05",
        (_, MethodName::ByHand) => "S0-07",
        (_, MethodName::Unsorted { .. }) => "S0-08",
        (_, MethodName::Contact | MethodName::ContactAndDeal) => "S0-09",
    }
}

fn made(method: &MethodName) -> String {
    match method {
        MethodName::ByHand => "it is processed by hand, no records are made".to_owned(),
        MethodName::Unsorted { pipeline } => {
            format!("a record in Unsorted, pipeline {pipeline}")
        }
        MethodName::Contact => "a contact where the client has none".to_owned(),
        MethodName::ContactAndDeal => {
            "a deal in any case, a contact where the client has none".to_owned()
        }
    }
}

fn list(addresses: &[Address]) -> String {
    let words: Vec<String> = addresses
        .iter()
        .map(|address| match address {
            Address::Phone(phone) => format!("the number {phone}"),
            Address::Email(email) => format!("the address {email}"),
            Address::Visitor(visitor) => format!("the visitor {visitor}"),
        })
        .collect();
    words.join(" or ")
}
