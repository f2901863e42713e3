//! Who the client of a chat is to the CRM: new or known.

use std::cmp::Reverse;

use crate::model::explanation::{CardName, Reason};
use crate::model::facts::{ContactFact, Facts};

use super::admission::ClientChat;
use crate::rules::draft::Draft;

/// The client, as the facts and the ledger have it.
pub(super) struct Client<'a> {
    /// A contact had one of the addresses when this was first decided.
    pub(super) known: bool,
    /// The contact that is used.
    pub(super) contact: Option<&'a ContactFact>,
}

impl<'a> Client<'a> {
    /// Finds the client and explains it. Among several contacts the one changed last is used, then
    /// the lowest id, so that the choice is always the same.
    pub(super) fn find(
        chat: &ClientChat<'_>,
        facts: &'a Facts,
        draft: &mut Draft<'_>,
    ) -> Self {
        let contact = facts
            .contacts
            .iter()
            .min_by_key(|card| (Reverse(card.updated_at), card.id.as_str()));
        let addresses = chat.addresses();
        draft.explain(match contact {
            Some(contact) => Reason::AddressesKnown {
                addresses,
                contact: named(contact),
                among: facts.contacts.len(),
            },
            None => Reason::AddressesUnknown { addresses },
        });
        let settled = chat.situation.ledger.first_time;
        let first_time = settled.unwrap_or_else(|| facts.first_time());
        if first_time != facts.first_time() {
            draft.explain(Reason::FirstTimeKept { first_time });
        }
        Self {
            known: !first_time,
            contact,
        }
    }
}

/// Names a contact for an explanation.
pub(super) fn named(card: &ContactFact) -> CardName {
    CardName {
        id: card.id.clone(),
        name: card.name.clone(),
    }
}
