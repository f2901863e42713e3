//! What amoCRM knows about a client: contacts by number or address, with deals; where there are
//! none, companies.
//!
//! `query` is a fuzzy search over all fields (`crm/amocrm.md` §8), so every hit is verified here:
//! one of its own numbers must be the one asked for. And it is a search for a piece of the stored
//! text, so a number stored as people write it (`8 (916) 123-45-67`) does not answer to its ten
//! digits; therefore up to four forms are tried, one after another, until one hits.

use std::collections::BTreeMap;

use tracing::warn;

use super::client::{Client, ReadError, query};
use super::setup::Setup;
use super::stored_phone::stored_phone;
use super::wire::answers::CardRecord;
use crate::crm::Class;
use crate::model::facts::{ContactFact, DealFact, Facts, FactsOrigin, FactsQuery};
use crate::model::ids::CrmUserId;
use crate::model::phone::{Phone, Region};
use crate::model::timestamp::Timestamp;

/// Most pages of one search. A piece of a number hits a handful; thousands of hits mean that the
/// search is not what it was, and reading on would only burn the budget.
const PAGES_MAX: u32 = 10;

/// Most deals that are read of one client, newest first: without the filter option each costs a
/// request, and fifty take eight seconds of the account's budget.
const DEALS_MAX: usize = 50;

/// The stages that are the same in every pipeline: won and lost (§7).
const CLOSED_STAGES: [i64; 2] = [142, 143];

/// How to search.
pub(super) struct Search<'a> {
    pub(super) client: &'a Client,
    pub(super) setup: &'a Setup,
    pub(super) written_forms: bool,
    pub(super) class: Class,
}

/// An address of a client.
enum Sought<'a> {
    Phone(&'a Phone),
    Email(&'a str),
}

impl Search<'_> {
    /// Reads everything that was asked for.
    pub(super) async fn facts(
        &self,
        wanted: &FactsQuery,
        as_of: Timestamp,
    ) -> Result<Facts, ReadError> {
        let contacts = self.cards("contacts", wanted).await?;
        // A company counts only where no contact has the number; looked for in vain it would cost
        // every call of a known client as many requests as that of a stranger.
        let companies = if contacts.is_empty() {
            self.cards("companies", wanted).await?
        } else {
            Vec::new()
        };
        let mut deals = BTreeMap::new();
        if wanted.deals {
            let mut ids: Vec<i64> = contacts
                .iter()
                .chain(&companies)
                .flat_map(|card| &card.embedded.leads)
                .map(|lead| lead.id)
                .collect();
            // Ids grow with time.
            ids.sort_unstable_by(|a, b| b.cmp(a));
            ids.dedup();
            if ids.len() > DEALS_MAX {
                warn!(
                    deals = ids.len(),
                    read = DEALS_MAX,
                    "client has more deals than are read"
                );
            }
            ids.truncate(DEALS_MAX);
            deals = self.deals(&ids).await?;
        }
        Ok(Facts {
            origin: FactsOrigin::Crm,
            as_of,
            contacts: facts_of(&contacts, &deals),
            companies: facts_of(&companies, &deals),
            leads: Vec::new(),
            closed_leads: Vec::new(),
            fields: None,
        })
    }

    /// Returns the verified, undeleted cards of an entity, most recently updated first.
    pub(super) async fn cards(
        &self,
        entity: &str,
        wanted: &FactsQuery,
    ) -> Result<Vec<CardRecord>, ReadError> {
        let phones = wanted.phones.iter().map(Sought::Phone);
        let emails = wanted.emails.iter().map(|email| Sought::Email(email));
        let mut found = BTreeMap::new();
        for sought in phones.chain(emails) {
            for form in self.forms(&sought) {
                let hits = self.hits(entity, &form).await?;
                let verified: Vec<CardRecord> = hits
                    .into_iter()
                    .filter(|card| !card.is_deleted && self.has(card, &sought))
                    .collect();
                let enough = !verified.is_empty();
                found.extend(verified.into_iter().map(|card| (card.id, card)));
                if enough {
                    break;
                }
            }
        }
        if entity == "contacts" {
            for id in wanted.made.iter().filter_map(|id| id.parse::<i64>().ok()) {
                if found.contains_key(&id) {
                    continue;
                }
                let path = format!("/api/v4/contacts/{id}");
                let pairs = query(&[("with", "leads")]);
                let card: Option<CardRecord> = self.client.record(&path, pairs, self.class).await?;
                // A person may have deleted it, or given the number to another card.
                let still = |card: &CardRecord| {
                    let phones = wanted.phones.iter().map(Sought::Phone);
                    let emails = wanted.emails.iter().map(|email| Sought::Email(email));
                    !card.is_deleted && phones.chain(emails).any(|sought| self.has(card, &sought))
                };
                found.extend(card.filter(still).map(|card| (card.id, card)));
            }
        }
        let mut cards: Vec<CardRecord> = found.into_values().collect();
        cards.sort_by_key(|card| std::cmp::Reverse((card.updated_at, card.id)));
        Ok(cards)
    }

    /// Returns the texts under which an address may be stored.
    fn forms(&self, sought: &Sought<'_>) -> Vec<String> {
        let phone = match sought {
            Sought::Email(email) => return vec![(*email).to_owned()],
            Sought::Phone(phone) => phone,
        };
        let mut forms = vec![phone.last_ten().to_owned()];
        if self.written_forms && phone.last_ten().len() == 10 {
            // Digits only, so every boundary is one.
            let (_, local) = phone.last_ten().split_at(3);
            let (exchange, rest) = local.split_at(3);
            let (first, second) = rest.split_at(2);
            // Only the code set apart: `+7 916 1234567`, `8(916)1234567`.
            forms.push(local.to_owned());
            forms.push(format!("{exchange}-{first}-{second}"));
            forms.push(format!("{exchange} {first} {second}"));
        }
        forms
    }

    async fn hits(&self, entity: &str, form: &str) -> Result<Vec<CardRecord>, ReadError> {
        let path = format!("/api/v4/{entity}");
        let mut all = Vec::new();
        for number in 1..=PAGES_MAX {
            let number = number.to_string();
            let pairs = query(&[
                ("query", form),
                ("with", "leads"),
                ("limit", "250"),
                ("page", &number),
            ]);
            let page = self.client.page(&path, entity, pairs, self.class).await?;
            let done = page.items.is_empty() || !page.more;
            all.extend(page.items);
            if done {
                return Ok(all);
            }
        }
        warn!(
            entity,
            hits = all.len(),
            "a search has more hits than are read"
        );
        Ok(all)
    }

    fn has(&self, card: &CardRecord, sought: &Sought<'_>) -> bool {
        match sought {
            Sought::Phone(phone) => has_phone(card, phone, self.setup.region),
            Sought::Email(email) => has_email(card, email),
        }
    }

    async fn deals(&self, ids: &[i64]) -> Result<BTreeMap<i64, DealFact>, ReadError> {
        let mut deals = BTreeMap::new();
        let mut take = |lead: CardRecord| {
            if ids.contains(&lead.id) && !lead.is_deleted {
                deals.insert(lead.id, deal_fact(&lead, &self.setup.unsorted_stages));
            }
        };
        let mut unread = ids.to_vec();
        if self.setup.api_filter && ids.len() > 1 {
            let mut pairs = query(&[("limit", "250")]);
            pairs.extend(
                ids.iter()
                    .map(|id| ("filter[id][]".to_owned(), id.to_string())),
            );
            let page = self
                .client
                .page("/api/v4/leads", "leads", pairs, self.class)
                .await?;
            let page_items: Vec<CardRecord> = page.items;
            unread.retain(|id| page_items.iter().all(|lead| lead.id != *id));
            page_items.into_iter().for_each(&mut take);
        }
        // Also what a filter did not bring: where the option has lapsed it is ignored in silence.
        for id in unread {
            let path = format!("/api/v4/leads/{id}");
            if let Some(lead) = self.client.record(&path, Vec::new(), self.class).await? {
                take(lead);
            }
        }
        Ok(deals)
    }
}

/// Says whether one of a card's numbers is the one asked for. A stored text that holds none counts
/// by its last ten digits.
pub(super) fn has_phone(card: &CardRecord, phone: &Phone, region: Region) -> bool {
    card.texts_by_code("PHONE")
        .any(|text| match stored_phone(text, region) {
            Some(stored) => stored == *phone,
            None => {
                let digits: String = text.chars().filter(char::is_ascii_digit).collect();
                let wanted = phone.last_ten();
                wanted.len() == 10 && digits.ends_with(wanted)
            }
        })
}

/// Says whether one of a card's addresses is the one asked for.
pub(super) fn has_email(card: &CardRecord, email: &str) -> bool {
    card.texts_by_code("EMAIL")
        .any(|text| text.trim().to_lowercase() == email.to_lowercase())
}

fn facts_of(cards: &[CardRecord], deals: &BTreeMap<i64, DealFact>) -> Vec<ContactFact> {
    cards
        .iter()
        .map(|card| {
            let mut own: Vec<DealFact> = card
                .embedded
                .leads
                .iter()
                .filter_map(|lead| deals.get(&lead.id).cloned())
                .collect();
            own.sort_by_key(|deal| std::cmp::Reverse(deal.created_at));
            ContactFact {
                id: card.id.to_string(),
                name: card.name.clone().unwrap_or_default(),
                responsible: user(card.responsible_user_id),
                created_at: Timestamp::from_secs(card.created_at),
                updated_at: Timestamp::from_secs(card.updated_at),
                deals: own,
            }
        })
        .collect()
}

/// Returns what a lead says as a deal.
pub(super) fn deal_fact(lead: &CardRecord, unsorted_stages: &[i64]) -> DealFact {
    let closed_at = lead.closed_at.filter(|at| *at > 0);
    DealFact {
        id: lead.id.to_string(),
        pipeline: lead.pipeline_id.to_string(),
        stage: lead.status_id.to_string(),
        responsible: user(lead.responsible_user_id),
        open: closed_at.is_none()
            && !CLOSED_STAGES.contains(&lead.status_id)
            && !unsorted_stages.contains(&lead.status_id),
        created_at: Timestamp::from_secs(lead.created_at),
        closed_at: closed_at.map(Timestamp::from_secs),
    }
}

/// User 0 is the CRM's own robot: nobody answers for the card.
pub(super) fn user(id: Option<i64>) -> Option<CrmUserId> {
    id.filter(|id| *id != 0).map(|id| CrmUserId(id.to_string()))
}
