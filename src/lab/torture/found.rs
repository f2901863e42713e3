//! What a simulated CRM holds, as the verdict looks at it, whichever CRM it is.

use std::collections::BTreeSet;

use crate::lab::{alfacrm, amocrm, bitrix24, planfix};

/// What `call_status` says when a talk took place (`crm/amocrm.md` §11).
pub(super) const TALK_TOOK_PLACE: i64 = 4;

/// What is there.
#[derive(Debug, Clone, Default)]
pub(super) struct Found {
    pub(super) calls: Vec<FoundCall>,
    pub(super) contacts: Vec<FoundContact>,
    /// Deals that count.
    pub(super) deals: Vec<FoundDeal>,
    /// Last ten digits of the client of each record that waits, or waited, to be sorted.
    pub(super) unsorted: Vec<String>,
    /// Clients of calls that were begun in the call history and never ended, the same.
    pub(super) unfinished: Vec<String>,
    /// Clients of calls that stand on cards more than once, the same, as often as is too many.
    pub(super) twice_on_cards: Vec<String>,
}

/// An entry of the call history.
#[derive(Debug, Clone)]
pub(super) struct FoundCall {
    /// Grows in the order in which the entries were made.
    pub(super) id: u64,
    /// Last ten digits.
    pub(super) phone: String,
    pub(super) outgoing: bool,
    /// Unix seconds.
    pub(super) at: i64,
    /// Seconds.
    pub(super) duration: i64,
    pub(super) answered: bool,
    /// The user that it names; nothing where it names none, or something that is no user.
    pub(super) user: Option<u64>,
    /// False when its card is gone.
    pub(super) is_shown: bool,
}

/// A contact.
#[derive(Debug, Clone)]
pub(super) struct FoundContact {
    /// As stored.
    pub(super) phones: Vec<String>,
    /// False while it waits inside of a record that nobody has accepted.
    pub(super) is_card: bool,
}

/// A deal.
#[derive(Debug, Clone)]
pub(super) struct FoundDeal {
    pub(super) id: u64,
    /// Last ten digits of its contacts.
    pub(super) phones: BTreeSet<String>,
    /// No contact has it.
    pub(super) is_adrift: bool,
}

impl Found {
    /// Returns how many contacts hold a number.
    pub(super) fn contacts_of(&self, phone: &str) -> usize {
        let cards = self.contacts.iter().filter(|contact| contact.is_card);
        let holds = |contact: &&FoundContact| contact.phones.iter().any(|p| last_ten(p) == phone);
        cards.filter(holds).count()
    }

    /// Returns how many deals have a contact with a number.
    pub(super) fn deals_of(&self, phone: &str) -> usize {
        let deals = self.deals.iter().filter(|deal| deal.phones.contains(phone));
        let ids: BTreeSet<u64> = deals.map(|deal| deal.id).collect();
        ids.len()
    }

    /// Returns how many records of a number there are to be sorted.
    pub(super) fn unsorted_of(&self, phone: &str) -> usize {
        self.unsorted.iter().filter(|own| *own == phone).count()
    }
}

impl From<&amocrm::Oracle> for Found {
    fn from(oracle: &amocrm::Oracle) -> Self {
        let contacts = || {
            oracle
                .contacts
                .iter()
                .filter(|contact| !contact.in_unsorted)
        };
        let deals = oracle.leads.iter().map(|lead| {
            let own = contacts().filter(|contact| lead.contacts.contains(&contact.id));
            let own = own.filter(|_| !lead.in_unsorted);
            FoundDeal {
                id: lead.id,
                phones: own.flat_map(|c| &c.phones).map(|p| last_ten(p)).collect(),
                is_adrift: lead.contacts.is_empty(),
            }
        });
        Self {
            calls: oracle.calls.iter().map(amo_call).collect(),
            contacts: oracle.contacts.iter().map(amo_contact).collect(),
            deals: deals.collect(),
            unsorted: oracle.unsorted.iter().map(|r| r.phone.clone()).collect(),
            unfinished: Vec::new(),
            twice_on_cards: Vec::new(),
        }
    }
}

fn amo_contact(contact: &amocrm::CardView) -> FoundContact {
    FoundContact {
        phones: contact.phones.clone(),
        is_card: !contact.in_unsorted,
    }
}

fn amo_call(call: &amocrm::CallView) -> FoundCall {
    FoundCall {
        id: call.id,
        phone: call.phone.clone(),
        outgoing: call.direction == "outbound",
        at: call.at,
        duration: call.duration,
        answered: match call.status {
            Some(status) => status == TALK_TOOK_PLACE,
            // The call event of an unsorted record has no status, only a length.
            None => call.duration > 0,
        },
        user: call
            .call_responsible
            .as_deref()
            .and_then(|user| user.parse().ok()),
        is_shown: call.is_shown,
    }
}

impl Found {
    /// Looks at a portal that broke off so many batches in the middle: each may have left one call
    /// registered that nobody could know again. That is no second call, and is counted apart
    /// (docs/torture.md).
    pub(super) fn of_portal(oracle: &bitrix24::Oracle, broken_off: usize) -> Self {
        let deals = oracle.deals.iter().map(|deal| {
            let contacts = oracle.contacts.iter();
            let own = contacts.filter(|contact| deal.contacts.contains(&contact.id));
            FoundDeal {
                id: deal.id,
                phones: own.flat_map(|c| &c.phones).map(|p| last_ten(p)).collect(),
                is_adrift: deal.contacts.is_empty() && deal.company == 0,
            }
        });
        let leads = oracle.leads.iter();
        let phones = leads.flat_map(|lead| lead.phones.first());
        let standings = oracle.standings();
        let standing =
            |call: &bitrix24::CallView| standings.get(call.call_id.as_str()).copied().unwrap_or(0);
        let calls = || oracle.calls.iter();
        let twice = calls().flat_map(|call| {
            let surplus = standing(call).saturating_sub(1);
            std::iter::repeat_n(call.phone.clone(), surplus)
        });
        Self {
            calls: calls()
                .map(|call| portal_call(call, standing(call) > 0))
                .collect(),
            contacts: oracle.contacts.iter().map(portal_contact).collect(),
            deals: deals.collect(),
            unsorted: phones.map(|phone| last_ten(phone)).collect(),
            unfinished: unfinished(oracle, broken_off),
            twice_on_cards: twice.collect(),
        }
    }
}

fn unfinished(oracle: &bitrix24::Oracle, broken_off: usize) -> Vec<String> {
    let left = oracle.left_behind().take(broken_off);
    let left: BTreeSet<&str> = left.map(|call| call.call_id.as_str()).collect();
    let live = oracle.live_calls.iter();
    live.filter(|call| !left.contains(call.call_id.as_str()))
        .map(|call| call.phone.clone())
        .collect()
}

fn portal_contact(contact: &bitrix24::CardView) -> FoundContact {
    FoundContact {
        phones: contact.phones.clone(),
        is_card: true,
    }
}

/// A stranger's call whose card was shown while it rang stands on no card by the portal's own doing,
/// and on one by an activity of the daemon's.
fn portal_call(call: &bitrix24::CallView, is_shown: bool) -> FoundCall {
    FoundCall {
        id: call.id,
        phone: call.phone.clone(),
        outgoing: call.direction == "outbound",
        at: call.at,
        duration: call.duration,
        answered: call.duration > 0,
        user: Some(call.user),
        is_shown,
    }
}

impl From<&alfacrm::Oracle> for Found {
    fn from(oracle: &alfacrm::Oracle) -> Self {
        let contacts = oracle.customers.iter().map(|customer| FoundContact {
            // As stored, they have the page's mask.
            phones: customer
                .phones
                .iter()
                .map(|phone| last_ten(phone))
                .collect(),
            is_card: true,
        });
        // A card is lead and client in one.
        let leads = oracle.customers.iter().map(|customer| FoundDeal {
            id: customer.id,
            phones: customer
                .phones
                .iter()
                .map(|phone| last_ten(phone))
                .collect(),
            is_adrift: false,
        });
        let calls = oracle.calls.iter().map(|call| FoundCall {
            id: call.id,
            phone: call.phone.clone(),
            outgoing: call.outgoing,
            at: call.at,
            duration: call.duration,
            answered: call.answered,
            user: Some(call.user),
            is_shown: call.is_shown,
        });
        Self {
            calls: calls.collect(),
            contacts: contacts.collect(),
            deals: leads.collect(),
            unsorted: Vec::new(),
            unfinished: Vec::new(),
            twice_on_cards: Vec::new(),
        }
    }
}

impl From<&planfix::Oracle> for Found {
    fn from(oracle: &planfix::Oracle) -> Self {
        let deals = oracle.tasks.iter().filter(|task| task.template.is_some());
        let deals = deals.map(|task| {
            let contacts = oracle.contacts.iter();
            let own = contacts.filter(|contact| task.counterparty == Some(contact.id));
            FoundDeal {
                id: task.id,
                phones: own.flat_map(|c| &c.phones).map(|p| last_ten(p)).collect(),
                is_adrift: task.counterparty.is_none(),
            }
        });
        let contacts = oracle.contacts.iter().map(|contact| FoundContact {
            phones: contact.phones.clone(),
            is_card: true,
        });
        // Whether a call's last event arrived cannot be known, so that it may stand twice: those
        // are counted apart (docs/torture.md).
        let calls = oracle.calls_once().into_iter().map(|call| FoundCall {
            id: call.id,
            phone: call.phone.clone(),
            outgoing: call.outgoing,
            at: call.at,
            duration: i64::try_from(call.duration).unwrap_or(i64::MAX),
            answered: call.status == "Success",
            user: call.user,
            is_shown: true,
        });
        Self {
            calls: calls.collect(),
            contacts: contacts.collect(),
            deals: deals.collect(),
            unsorted: Vec::new(),
            unfinished: oracle.unfinished.clone(),
            twice_on_cards: Vec::new(),
        }
    }
}

fn last_ten(number: &str) -> String {
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    let start = digits.len().saturating_sub(10);
    digits.get(start..).unwrap_or("").to_owned()
}
