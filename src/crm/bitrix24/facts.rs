//! What a portal knows about a client (`crm/bitrix24.md` §5): who has the number or address, by
//! `findbycomm`, and then their cards and deals. Two requests for a known client, one for a
//! stranger, both shared with whoever asks at the same time.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::client::Client;
use super::command::Command;
use super::pool::Unanswered;
use super::wire::{Record, list};
use crate::crm::Class;
use crate::crm::account::classify::Purpose;
use crate::model::facts::{ContactFact, DealFact, Facts, FactsOrigin, FactsQuery};
use crate::model::phone::{Phone, Region};
use crate::model::timestamp::Timestamp;

/// From so many hits of one sort on, the other sorts may be missing in the answer (§5).
const CROWDED: usize = 20;

/// The parts of an answer about a client.
const CONTACTS: &str = "contacts";
const COMPANIES: &str = "companies";
const LEADS: &str = "leads";
const CONTACT_DEALS: &str = "deals of contacts";
const COMPANY_DEALS: &str = "deals of companies";

/// What is read of clients.
pub(super) const CARD_FIELDS: [&str; 10] = [
    "ID",
    "TITLE",
    "NAME",
    "SECOND_NAME",
    "LAST_NAME",
    "ASSIGNED_BY_ID",
    "DATE_CREATE",
    "DATE_MODIFY",
    "PHONE",
    "EMAIL",
];

/// What is read of deals.
pub(super) const DEAL_FIELDS: [&str; 11] = [
    "ID",
    "CATEGORY_ID",
    "STAGE_ID",
    "STAGE_SEMANTIC_ID",
    "CLOSED",
    "CLOSEDATE",
    "ASSIGNED_BY_ID",
    "CONTACT_ID",
    "COMPANY_ID",
    "DATE_CREATE",
    "DATE_MODIFY",
];

/// How to search.
pub(super) struct Search<'a> {
    pub(super) client: &'a Client,
    pub(super) region: Region,
    /// The portal works with leads.
    pub(super) leads: bool,
    pub(super) class: Class,
}

/// Ids by sort.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Hits {
    pub(super) contacts: BTreeSet<i64>,
    pub(super) companies: BTreeSet<i64>,
    pub(super) leads: BTreeSet<i64>,
    crowded: bool,
}

impl Search<'_> {
    /// Reads everything that was asked for.
    pub(super) async fn facts(
        &self,
        wanted: &FactsQuery,
        as_of: Timestamp,
    ) -> Result<Facts, Unanswered> {
        let mut hits = self.hits(&wanted.phones, &wanted.emails).await?;
        let numbers =
            |ids: &[String]| -> Vec<i64> { ids.iter().filter_map(|id| id.parse().ok()).collect() };
        hits.contacts.extend(numbers(&wanted.made));
        hits.leads.extend(numbers(&wanted.made_leads));
        let mut facts = Facts {
            as_of,
            origin: FactsOrigin::Crm,
            contacts: Vec::new(),
            companies: Vec::new(),
            leads: Vec::new(),
            closed_leads: Vec::new(),
            fields: None,
        };
        if !self.leads {
            hits.leads.clear();
        }
        if hits.is_empty() {
            return Ok(facts);
        }
        let mut asked = vec![
            (
                CONTACTS,
                cards("crm.contact.list", &hits.contacts),
                &hits.contacts,
            ),
            (
                COMPANIES,
                cards("crm.company.list", &hits.companies),
                &hits.companies,
            ),
            (LEADS, leads(&hits.leads, wanted.deals), &hits.leads),
        ];
        if wanted.deals {
            asked.push((
                CONTACT_DEALS,
                deals("CONTACT_ID", &hits.contacts),
                &hits.contacts,
            ));
            asked.push((
                COMPANY_DEALS,
                deals("COMPANY_ID", &hits.companies),
                &hits.companies,
            ));
        }
        asked.retain(|(.., ids)| !ids.is_empty());
        let commands = asked
            .iter()
            .map(|(_, command, _)| command.clone())
            .collect();
        let replies = self
            .client
            .read_all(&name(wanted), commands, self.class)
            .await?;
        let mut answers: BTreeMap<&str, Value> = BTreeMap::new();
        for ((part, ..), reply) in asked.into_iter().zip(replies) {
            let answered = reply.map_err(|refusal| refusal.unanswered(Purpose::Read))?;
            answers.insert(part, answered.value);
        }
        let records = |part: &str| match answers.get(part) {
            Some(value) => list(value, "items").ok_or_else(|| Unanswered::unreadable("a list")),
            None => Ok(Vec::new()),
        };
        facts.contacts = self.verified(
            records(CONTACTS)?,
            &records(CONTACT_DEALS)?,
            "CONTACT_ID",
            wanted,
            &wanted.made,
        );
        // A company counts only where no contact has the address: its number is shared.
        if facts.contacts.is_empty() {
            facts.companies = self.verified(
                records(COMPANIES)?,
                &records(COMPANY_DEALS)?,
                "COMPANY_ID",
                wanted,
                &[],
            );
        }
        let (closed, open) = records(LEADS)?
            .into_iter()
            .partition(|lead| lead.text("STATUS_SEMANTIC_ID").is_some_and(|s| s != "P"));
        facts.leads = self.verified(open, &[], "", wanted, &wanted.made_leads);
        facts.closed_leads = self.verified(closed, &[], "", wanted, &wanted.made_leads);
        Ok(facts)
    }

    /// Finds who has one of the addresses. Asked for all sorts at once; apart where one sort is so
    /// full that the others may be missing.
    pub(super) async fn hits(
        &self,
        phones: &[Phone],
        emails: &[String],
    ) -> Result<Hits, Unanswered> {
        let phones: Vec<String> = phones.iter().flat_map(spellings).collect();
        let mut asked = Vec::new();
        if !phones.is_empty() {
            asked.push(("PHONE", phones));
        }
        if !emails.is_empty() {
            asked.push(("EMAIL", emails.to_vec()));
        }
        if asked.is_empty() {
            return Ok(Hits::default());
        }
        let whole = asked.iter().map(|(kind, values)| find(kind, values, None));
        let mut hits = self.find(whole.collect()).await?;
        if hits.crowded {
            let sorts = ["CONTACT", "COMPANY", "LEAD"];
            let apart = asked
                .iter()
                .flat_map(|(kind, values)| sorts.iter().map(|sort| find(kind, values, Some(sort))));
            hits = self.find(apart.collect()).await?;
        }
        Ok(hits)
    }

    async fn find(&self, commands: Vec<Command>) -> Result<Hits, Unanswered> {
        let mut hits = Hits::default();
        let name = commands
            .iter()
            .map(|c| c.params.to_string())
            .collect::<String>();
        for reply in self.client.read_all(&name, commands, self.class).await? {
            let answered = reply.map_err(|refusal| refusal.unanswered(Purpose::Read))?;
            hits.add(&answered.value)
                .ok_or_else(|| Unanswered::unreadable("who has the number"))?;
        }
        Ok(hits)
    }

    /// Keeps what surely has an address that was asked for, or was made by us lately.
    fn verified(
        &self,
        records: Vec<Record<'_>>,
        deals: &[Record<'_>],
        by: &str,
        wanted: &FactsQuery,
        made: &[String],
    ) -> Vec<ContactFact> {
        let mut found: Vec<ContactFact> = records
            .into_iter()
            .filter_map(|record| {
                let id = record.id()?;
                let phones = record.phones(self.region);
                let emails = record.emails();
                let has = phones.iter().any(|phone| wanted.phones.contains(phone))
                    || emails.iter().any(|email| wanted.emails.contains(email))
                    || made.contains(&id.to_string());
                has.then(|| ContactFact {
                    id: id.to_string(),
                    name: record.name(),
                    responsible: record.responsible(),
                    created_at: record.time("DATE_CREATE").unwrap_or_default(),
                    updated_at: record.time("DATE_MODIFY").unwrap_or_default(),
                    deals: deals_of(deals, by, id),
                })
            })
            .collect();
        found.sort_by_key(|fact| std::cmp::Reverse(fact.updated_at));
        found
    }
}

impl Hits {
    fn is_empty(&self) -> bool {
        self.contacts.is_empty() && self.companies.is_empty() && self.leads.is_empty()
    }

    /// Adds an answer; `None` where it is none. No match is an empty list.
    fn add(&mut self, value: &Value) -> Option<()> {
        let map = match value {
            Value::Array(items) if items.is_empty() => return Some(()),
            Value::Object(map) => map,
            _ => return None,
        };
        for (sort, ids) in map {
            let ids: BTreeSet<i64> = match ids {
                Value::Array(ids) => ids
                    .iter()
                    .filter_map(|id| super::wire::made_id(id, &[]))
                    .collect(),
                Value::Object(ids) => ids
                    .values()
                    .filter_map(|id| super::wire::made_id(id, &[]))
                    .collect(),
                _ => return None,
            };
            self.crowded |= ids.len() >= CROWDED;
            match sort.as_str() {
                "CONTACT" => self.contacts.extend(ids),
                "COMPANY" => self.companies.extend(ids),
                "LEAD" => self.leads.extend(ids),
                _ => {}
            }
        }
        Some(())
    }
}

/// Returns the forms in which a number may stand in the portal's index: whole, and for a Russian
/// one as its ten digits, as people type it (§5).
fn spellings(phone: &Phone) -> Vec<String> {
    let digits = phone.digits();
    let mut forms = vec![digits.to_owned()];
    if digits.len() == 11 && digits.starts_with('7') {
        forms.push(phone.last_ten().to_owned());
    }
    forms
}

fn find(kind: &str, values: &[String], sort: Option<&str>) -> Command {
    Command::new(
        "crm.duplicate.findbycomm",
        json!({ "type": kind, "values": values, "entity_type": sort }),
    )
}

fn cards(method: &'static str, ids: &BTreeSet<i64>) -> Command {
    Command::new(
        method,
        json!({ "filter": { "ID": ids }, "select": CARD_FIELDS, "order": { "ID": "DESC" } }),
    )
}

/// Leads: those that are still worked on, or all.
fn leads(ids: &BTreeSet<i64>, closed: bool) -> Command {
    let mut filter = json!({ "ID": ids });
    if let Some(filter) = filter.as_object_mut().filter(|_| !closed) {
        filter.insert("STATUS_SEMANTIC_ID".to_owned(), json!("P"));
    }
    let select: Vec<&str> = CARD_FIELDS
        .into_iter()
        .chain(["STATUS_SEMANTIC_ID"])
        .collect();
    Command::new(
        "crm.lead.list",
        json!({ "filter": filter, "select": select, "order": { "ID": "DESC" } }),
    )
}

fn deals(by: &str, ids: &BTreeSet<i64>) -> Command {
    Command::new(
        "crm.deal.list",
        json!({ "filter": { by: ids }, "select": DEAL_FIELDS, "order": { "ID": "DESC" } }),
    )
}

fn name(wanted: &FactsQuery) -> String {
    let phones = wanted.phones.iter().map(Phone::as_str);
    let emails = wanted.emails.iter().map(String::as_str);
    phones.chain(emails).collect::<Vec<_>>().join(",")
}

fn deals_of(deals: &[Record<'_>], by: &str, id: i64) -> Vec<DealFact> {
    let own = deals.iter().filter(|deal| deal.number(by) == Some(id));
    let mut facts: Vec<DealFact> = own.filter_map(|deal| deal_fact(*deal)).collect();
    facts.sort_by_key(|fact| std::cmp::Reverse(fact.created_at));
    facts
}

/// Reads a deal.
pub(super) fn deal_fact(deal: Record<'_>) -> Option<DealFact> {
    let ended = matches!(deal.text("STAGE_SEMANTIC_ID").as_deref(), Some("S" | "F"));
    let open = !deal.flag("CLOSED") && !ended;
    let closed_at = deal.time("CLOSEDATE").or_else(|| deal.time("DATE_MODIFY"));
    Some(DealFact {
        id: deal.id()?.to_string(),
        pipeline: deal.text("CATEGORY_ID").unwrap_or_else(|| "0".to_owned()),
        stage: deal.text("STAGE_ID").unwrap_or_default(),
        responsible: deal.responsible(),
        open,
        created_at: deal.time("DATE_CREATE").unwrap_or_default(),
        closed_at: closed_at.filter(|_| !open),
    })
}
