//! Who the client is to the CRM: new or known.

use std::cmp::Reverse;

use crate::model::explanation::{CardName, Reason};
use crate::model::facts::{ContactFact, Facts};
use crate::model::field::CrmField;

use super::Written;
use crate::model::plan::StepKind;
use crate::rules::draft::Draft;
use crate::rules::settings::RequestMethod;

/// The client, as the facts and the ledger have it.
pub(in crate::rules) struct Client<'a> {
    /// A contact had one of the addresses when this was first decided.
    pub(in crate::rules) known: bool,
    /// The contact that is used.
    pub(in crate::rules) contact: Option<&'a ContactFact>,
    /// The company that has one of the addresses, where it is used.
    pub(in crate::rules) company: Option<&'a ContactFact>,
    /// The open lead that is used instead of a new one.
    pub(in crate::rules) lead: Option<&'a ContactFact>,
    /// Everything that the CRM says of the client.
    pub(in crate::rules) facts: &'a Facts,
    /// The CRM's additional fields that the settings name, where it lists them.
    pub(in crate::rules) fields: Option<&'a [CrmField]>,
}

impl<'a> Client<'a> {
    /// Finds the client and explains it. Among several contacts the one changed last is used, then
    /// the lowest id, so that the choice is always the same.
    pub(in crate::rules) fn find(
        what: &impl Written,
        facts: &'a Facts,
        draft: &mut Draft<'_>,
    ) -> Self {
        let contact = newest(&facts.contacts);
        let addresses = what.addresses();
        draft.explain(match contact {
            Some(contact) => Reason::AddressesKnown {
                addresses,
                contact: named(contact),
                among: facts.contacts.len(),
            },
            None => Reason::AddressesUnknown { addresses },
        });
        let settled = what.situation().ledger.first_time;
        let first_time = settled.unwrap_or_else(|| facts.first_time());
        if first_time != facts.first_time() {
            draft.explain(Reason::FirstTimeKept { first_time });
        }
        let makes_lead = matches!(what.method(!first_time), RequestMethod::LeadOrDeal { .. })
            && draft.offers(StepKind::CreateLead);
        Self {
            known: !first_time,
            contact,
            lead: newest(&facts.leads).filter(|_| makes_lead),
            facts,
            company: newest(&facts.companies),
            fields: facts.fields.as_deref(),
        }
    }
}

fn newest(cards: &[ContactFact]) -> Option<&ContactFact> {
    let mut cards: Vec<&ContactFact> = cards.iter().collect();
    cards.sort_by_key(|card| (Reverse(card.updated_at), card.id.as_str()));
    cards.first().copied()
}

/// Names a contact for an explanation.
pub(in crate::rules) fn named(card: &ContactFact) -> CardName {
    CardName {
        id: card.id.clone(),
        name: card.name.clone(),
    }
}
