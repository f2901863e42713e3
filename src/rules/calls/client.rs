//! Who the client of a call is to the CRM: new or known, and on which cards.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::model::explanation::{CardName, ChosenBy, Reason};
use crate::model::facts::{ContactFact, DealFact, Facts};
use crate::model::field::CrmField;
use crate::model::plan::{Card, Entity, Target};
use crate::model::timestamp::Timestamp;

use super::admission::ClientCall;
use crate::rules::draft::Draft;

/// The client, as the facts and the ledger have it.
pub(super) struct Client<'a> {
    /// A contact had the number when this was first decided.
    pub(super) known: bool,
    /// The contact that is used.
    pub(super) contact: Option<&'a ContactFact>,
    /// The company that is used where there is no contact. Its deals are not looked at: a
    /// company's number is shared, its open deal need not be this client's.
    pub(super) company: Option<&'a ContactFact>,
    /// The open lead that is used where there is neither.
    pub(super) lead: Option<&'a ContactFact>,
    /// The open lead of the number, whoever else has it.
    pub(super) open_lead: Option<&'a ContactFact>,
    /// The open deals of every contact with the number, each once, newest first.
    pub(super) open_deals: Vec<&'a DealFact>,
    /// The deal of those contacts that was closed last, and when.
    pub(super) closed_last: Option<(&'a DealFact, Timestamp)>,
    /// The CRM's additional fields that the settings name, where it lists them.
    pub(super) fields: Option<&'a [CrmField]>,
}

impl<'a> Client<'a> {
    /// Finds the client and explains it.
    pub(super) fn find(call: &ClientCall<'_>, facts: &'a Facts, draft: &mut Draft<'_>) -> Self {
        let contact = choose(&facts.contacts);
        let company = choose(&facts.companies);
        let phone = call.phone.clone();
        draft.explain(match (contact, company) {
            (Some(contact), _) => Reason::ClientKnown {
                phone,
                contact: named(contact),
            },
            (None, Some(company)) => Reason::ClientOnlyCompany {
                phone,
                company: named(company),
            },
            (None, None) => Reason::ClientUnknown { phone },
        });
        if let Some(contact) = contact
            && facts.contacts.len() > 1
        {
            let without = facts.contacts.iter().any(|other| !has_open_deal(other));
            draft.explain(Reason::ContactChosen {
                contact: named(contact),
                among: facts.contacts.len(),
                by: if has_open_deal(contact) && without {
                    ChosenBy::OpenDeal
                } else {
                    ChosenBy::LatestChange
                },
            });
        }
        let first_time = call
            .situation
            .ledger
            .verdict()
            .unwrap_or_else(|| facts.first_time());
        if first_time != facts.first_time() {
            draft.explain(Reason::FirstTimeKept { first_time });
        }
        Self {
            known: !first_time,
            contact,
            company,
            open_lead: choose(&facts.leads),
            lead: choose(&facts.leads).filter(|_| contact.is_none() && company.is_none()),
            open_deals: open_deals(&facts.contacts),
            closed_last: closed_last(&facts.contacts),
            fields: facts.fields.as_deref(),
        }
    }
}

/// Chooses the card that is used among several with the number: one with an open deal first, for
/// there somebody works with the client now; then the one changed last; then the lowest id, so
/// that the choice is always the same.
fn choose(cards: &[ContactFact]) -> Option<&ContactFact> {
    cards.iter().min_by_key(|card| {
        (
            !has_open_deal(card),
            Reverse(card.updated_at),
            card.id.as_str(),
        )
    })
}

fn has_open_deal(card: &ContactFact) -> bool {
    card.deals.iter().any(|deal| deal.open)
}

fn open_deals(contacts: &[ContactFact]) -> Vec<&DealFact> {
    // Two contacts may share one deal.
    let by_id: BTreeMap<&str, &DealFact> = contacts
        .iter()
        .flat_map(|contact| &contact.deals)
        .filter(|deal| deal.open)
        .map(|deal| (deal.id.as_str(), deal))
        .collect();
    let mut deals: Vec<&DealFact> = by_id.into_values().collect();
    deals.sort_by_key(|deal| Reverse(deal.created_at));
    deals
}

fn closed_last(contacts: &[ContactFact]) -> Option<(&DealFact, Timestamp)> {
    contacts
        .iter()
        .flat_map(|contact| &contact.deals)
        .filter(|deal| !deal.open)
        .filter_map(|deal| Some((deal, deal.closed_at?)))
        .max_by_key(|(deal, at)| (*at, deal.id.as_str()))
}

/// Names a contact or company for an explanation.
pub(super) fn named(card: &ContactFact) -> CardName {
    CardName {
        id: card.id.clone(),
        name: card.name.clone(),
    }
}

/// Points at a record that the CRM has.
pub(super) fn known(entity: Entity, id: &str) -> Target {
    Target::Known {
        card: Card {
            entity,
            id: id.to_owned(),
        },
    }
}
