//! Who the client is to the CRM: new or known, and on which cards.

use crate::model::explanation::{ChosenBy, Reason};
use crate::model::facts::{ContactFact, DealFact, Facts};
use crate::model::written_reason::WrittenReason;

use super::{Written, explain};
use crate::rules::calls::client::{choose, has_open_deal, named, open_deals};
use crate::rules::draft::Draft;

/// The client, as the facts and the ledger have it.
pub(in crate::rules) struct Client<'a> {
    /// A contact had one of the addresses when this was first decided.
    pub(in crate::rules) known: bool,
    /// The contact that is used.
    pub(in crate::rules) contact: Option<&'a ContactFact>,
    /// The company that is used where there is no contact.
    pub(in crate::rules) company: Option<&'a ContactFact>,
    /// The open deals of every contact, each once, newest first.
    pub(in crate::rules) open_deals: Vec<&'a DealFact>,
}

impl<'a> Client<'a> {
    /// Finds the client and explains it.
    pub(in crate::rules) fn find(
        written: &Written<'_>,
        facts: &'a Facts,
        draft: &mut Draft<'_>,
    ) -> Self {
        let contact = choose(&facts.contacts);
        let company = choose(&facts.companies);
        let addresses = written.addresses();
        let who = match (contact, company) {
            _ if addresses.is_empty() => WrittenReason::NoAddress,
            (Some(contact), _) => WrittenReason::ClientKnown {
                addresses,
                contact: named(contact),
            },
            (None, Some(company)) => WrittenReason::ClientOnlyCompany {
                addresses,
                company: named(company),
            },
            (None, None) => WrittenReason::ClientUnknown { addresses },
        };
        explain(draft, who);
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
        let now = facts.first_time();
        let first_time = written.situation.ledger.first_time.unwrap_or(now);
        if first_time != now {
            draft.explain(Reason::FirstTimeKept { first_time });
        }
        Self {
            known: !first_time,
            contact,
            company,
            open_deals: open_deals(&facts.contacts),
        }
    }
}
