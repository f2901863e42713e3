//! Reads clients (`crm/alfacrm.md` §2). A card is lead and client in one; every hit is verified on
//! our side, because how the CRM compares numbers nobody says (§13).

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::AlfaAdapter;
use super::client::{List, Unanswered, senseless};
use super::wire::Row;
use crate::crm::Class;
use crate::model::facts::{ContactFact, Facts, FactsOrigin, FactsQuery};
use crate::model::phone::Phone;
use crate::model::plan::{Card, Entity};
use crate::model::timestamp::Timestamp;

/// Most pages of cards with one number: siblings share a parent's (§2), more is a mistake.
const HIT_PAGES_MAX: u64 = 20;

/// Leads and clients, on any page.
const BOTH: u8 = 2;
/// Cards that are worked with.
const ACTIVE: u8 = 0;
/// Those of the archive besides.
const ALL: u8 = 1;

impl AlfaAdapter {
    pub(super) async fn search(
        &self,
        query: &FactsQuery,
        as_of: Timestamp,
        class: Class,
    ) -> Result<Facts, Unanswered> {
        let archived = self.settings.archived;
        let mut hits: BTreeMap<u64, Value> = BTreeMap::new();
        let mut note = |found: Vec<Value>| {
            for card in found {
                if let Some(id) = Row(&card).id() {
                    hits.insert(id, card);
                }
            }
        };
        for phone in &query.phones {
            note(self.with_phone(phone, archived, class).await?);
        }
        for email in &query.emails {
            note(self.with_email(email, archived, class).await?);
        }
        // A search may be behind; what we made is read directly.
        let made: Vec<u64> = query.made.iter().filter_map(|id| id.parse().ok()).collect();
        if !made.is_empty() {
            let cards = self.by_ids(&made, ALL, class).await?;
            let is_wanted = |card: &Value| {
                let row = Row(card);
                let (phones, emails) = (row.phones(), row.emails());
                query.phones.iter().any(|phone| phones.contains(phone))
                    || query.emails.iter().any(|email| emails.contains(email))
            };
            note(cards.into_iter().filter(is_wanted).collect());
        }
        let contacts = self.best(hits, class).await?;
        Ok(Facts {
            as_of,
            origin: FactsOrigin::Crm,
            contacts,
            companies: Vec::new(),
            leads: Vec::new(),
            closed_leads: Vec::new(),
            fields: None,
        })
    }

    /// Returns the cards of the best sort that there is: those of our branch, else those of others,
    /// else those of the archive (§2).
    async fn best(
        &self,
        hits: BTreeMap<u64, Value>,
        class: Class,
    ) -> Result<Vec<ContactFact>, Unanswered> {
        let mut active: Vec<u64> = hits.keys().copied().collect();
        if self.settings.archived && !active.is_empty() {
            // Nothing on a card says that it is in the archive.
            let cards = self.by_ids(&active, ACTIVE, class).await?;
            active = cards.iter().filter_map(|card| Row(card).id()).collect();
        }
        let rank = |id: u64, card: &Value| {
            let own = Row(card)
                .numbers("branch_ids")
                .contains(&self.settings.branch);
            match (active.contains(&id), own) {
                (true, true) => 0,
                (true, false) => 1,
                (false, _) => 2,
            }
        };
        let ranked: Vec<(u8, &Value)> = hits
            .iter()
            .map(|(id, card)| (rank(*id, card), card))
            .collect();
        let best = ranked.iter().map(|(rank, _)| *rank).min();
        let of_best = ranked.iter().filter(|(rank, _)| Some(*rank) == best);
        let facts = of_best.filter_map(|(_, card)| Row(card).fact(&self.settings.zone));
        let mut facts: Vec<ContactFact> = facts.collect();
        facts.sort_by_key(|fact| Reverse(fact.updated_at));
        Ok(facts)
    }

    /// Returns the cards that hold a number, those of the archive among them if wanted.
    pub(super) async fn with_phone(
        &self,
        phone: &Phone,
        archived: bool,
        class: Class,
    ) -> Result<Vec<Value>, Unanswered> {
        let forms = spellings(phone);
        let forms = match self.settings.written_forms {
            true => forms.as_slice(),
            false => forms.get(..1).unwrap_or_default(),
        };
        for form in forms {
            let filters = json!({ "is_study": BOTH, "removed": removed(archived), "phone": form });
            let mut found = self.cards(filters, class).await?;
            found.retain(|card| Row(card).phones().contains(phone));
            if !found.is_empty() {
                return Ok(found);
            }
        }
        Ok(Vec::new())
    }

    async fn with_email(
        &self,
        email: &str,
        archived: bool,
        class: Class,
    ) -> Result<Vec<Value>, Unanswered> {
        let filters = json!({ "is_study": BOTH, "removed": removed(archived), "email": email });
        // Where the CRM does not know this filter it tells everybody: one page is enough to see.
        let list = List::new("customer/index", filters);
        let page = self.client.page(&list, 0, class).await?;
        let mut found = page.items;
        found.retain(|card| Row(card).emails().iter().any(|own| own == email));
        Ok(found)
    }

    /// Returns the cards of these ids that are there.
    pub(super) async fn by_ids(
        &self,
        ids: &[u64],
        removed: u8,
        class: Class,
    ) -> Result<Vec<Value>, Unanswered> {
        let filters = json!({ "is_study": BOTH, "removed": removed, "id": ids });
        let mut found = self.cards(filters, class).await?;
        found.retain(|card| Row(card).id().is_some_and(|id| ids.contains(&id)));
        Ok(found)
    }

    /// Returns a customer as they are now.
    pub(super) async fn customer(
        &self,
        id: u64,
        class: Class,
    ) -> Result<Option<Value>, Unanswered> {
        Ok(self.by_ids(&[id], ALL, class).await?.into_iter().next())
    }

    /// Finds the card on which a call with this number is logged.
    pub(super) async fn card_of(&self, phone: &Phone) -> Result<Option<Card>, Unanswered> {
        let hits = self
            .with_phone(phone, self.settings.archived, Class::Work)
            .await?;
        let hits = hits
            .into_iter()
            .filter_map(|card| Some((Row(&card).id()?, card)));
        let best = self.best(hits.collect(), Class::Work).await?;
        Ok(best.into_iter().next().map(|fact| Card {
            entity: Entity::Contact,
            id: fact.id,
        }))
    }

    async fn cards(&self, filters: Value, class: Class) -> Result<Vec<Value>, Unanswered> {
        let list = List::new("customer/index", filters);
        let read = self.client.all(&list, HIT_PAGES_MAX, class).await?;
        read.ok_or_else(|| senseless("the CRM found too many customers to be read".to_owned()))
    }
}

fn removed(archived: bool) -> u8 {
    match archived {
        true => ALL,
        false => ACTIVE,
    }
}

/// Returns the forms in which a number may be found: by its last ten digits, which stand in every
/// way of writing it; whole; and as the CRM writes it (§2).
fn spellings(phone: &Phone) -> Vec<String> {
    let mut forms = vec![phone.last_ten().to_owned(), phone.as_str().to_owned()];
    if let Some(mask) = masked(phone) {
        forms.push(mask);
    }
    forms
}

fn masked(phone: &Phone) -> Option<String> {
    let ten = phone.last_ten();
    let digits = phone.digits();
    if digits.len() != 11 || !digits.starts_with('7') {
        return None;
    }
    let part = |from, to| ten.get(from..to);
    Some(format!(
        "+7({}){}-{}-{}",
        part(0, 3)?,
        part(3, 6)?,
        part(6, 8)?,
        part(8, 10)?
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::phone::Region;

    #[test]
    fn a_number_is_looked_for_as_digits_whole_and_as_the_crm_writes_it() {
        let phone = Phone::parse("+79161234567", Region::RU).unwrap();
        assert_eq!(
            spellings(&phone),
            ["9161234567", "+79161234567", "+7(916)123-45-67"]
        );
        let abroad = Phone::parse("+4930123456", Region::RU).unwrap();
        assert_eq!(spellings(&abroad).len(), 2);
    }
}
