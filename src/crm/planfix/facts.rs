//! What Planfix knows about a client (`crm/planfix.md` §3, §9). A stranger costs no request of the
//! day's quota: telephony, which has none, is asked first.

use serde_json::{Value, json};

use super::PlanfixAdapter;
use super::client::Unanswered;
use super::refusal::NO_CONTACT;
use super::setup::Setup;
use super::wire::{CONTACT_FIELDS, Record, TASK_FIELDS, rows};
use crate::crm::Class;
use crate::crm::account::classify::Purpose;
use crate::model::facts::{ContactFact, DealFact, Facts, FactsOrigin, FactsQuery};
use crate::model::phone::Phone;
use crate::model::timestamp::Timestamp;

/// Contacts of one client whose tasks are read, a request each.
const WITH_TASKS_MAX: usize = 3;

impl PlanfixAdapter {
    /// Reads everything that was asked for; `as_of` is when it began.
    pub(super) async fn read_facts(
        &self,
        wanted: &FactsQuery,
        class: Class,
        as_of: Timestamp,
    ) -> Result<Facts, Unanswered> {
        let mut facts = Facts {
            as_of,
            origin: FactsOrigin::Crm,
            contacts: Vec::new(),
            companies: Vec::new(),
            leads: Vec::new(),
            closed_leads: Vec::new(),
            fields: None,
        };
        for id in &wanted.made {
            if let Some(row) = self.contact_row(id, class).await? {
                facts.contacts.extend(self.contact_fact(Record(&row)));
            }
        }
        let mut phones = Vec::new();
        for phone in &wanted.phones {
            // In doubt the search tells.
            if !matches!(self.caller(phone, class).await, Ok(None)) {
                phones.push(phone);
            }
        }
        for companies in [false, true] {
            if companies && !facts.contacts.is_empty() {
                break;
            }
            let mut found = Vec::new();
            for phone in &phones {
                found.extend(self.by_phone(phone, companies, class).await?);
            }
            for email in &wanted.emails {
                let filter = json!([{ "type": 4026, "operator": "equal", "value": email }]);
                let rows = self.contacts(filter, companies, class).await?;
                found.extend(
                    rows.into_iter()
                        .filter(|row| Record(row).emails().contains(email)),
                );
            }
            let place = match companies {
                true => &mut facts.companies,
                false => &mut facts.contacts,
            };
            for fact in found
                .iter()
                .filter_map(|row| self.contact_fact(Record(row)))
            {
                if !place.iter().any(|known| known.id == fact.id) {
                    place.push(fact);
                }
            }
            place.sort_by_key(|fact| std::cmp::Reverse(fact.updated_at));
        }
        if wanted.deals {
            let setup = self.setup.ready(&self.client, class).await?;
            for contact in facts.contacts.iter_mut().take(WITH_TASKS_MAX) {
                contact.deals = self.deals_of(&contact.id, &setup, class).await?;
            }
        }
        Ok(facts)
    }

    /// Asks telephony who calls: the short number of the responsible of a known client, if there
    /// is one; `None` = a stranger.
    pub(super) async fn caller(
        &self,
        phone: &Phone,
        class: Class,
    ) -> Result<Option<Option<String>>, Unanswered> {
        let command = [("cmd", "contact"), ("phone", phone.digits())];
        let answer = self.client.call(&command, Purpose::Read, class).await?;
        let answer = Record(&answer);
        let responsible = answer.text("responsible");
        let known = answer.text("contact_name").is_some() || responsible.is_some();
        Ok(known.then_some(responsible))
    }

    /// Finds who has a number: every hit is verified, for the filter only looks for a piece of
    /// text. A number that was typed with signs is found by its end in the usual form.
    pub(super) async fn by_phone(
        &self,
        phone: &Phone,
        companies: bool,
        class: Class,
    ) -> Result<Vec<Value>, Unanswered> {
        let ten = phone.last_ten();
        let end = ten.get(ten.len().saturating_sub(7)..).unwrap_or(ten);
        let typed = match (end.get(..3), end.get(3..5), end.get(5..7)) {
            (Some(a), Some(b), Some(c)) => Some(format!("{a}-{b}-{c}")),
            _ => None,
        };
        for piece in [Some(ten.to_owned()), typed].into_iter().flatten() {
            let filter = json!([{ "type": 4003, "operator": "equal", "value": piece }]);
            let mut found = self.contacts(filter, companies, class).await?;
            found.retain(|row| Record(row).phones().contains(phone));
            if !found.is_empty() {
                return Ok(found);
            }
        }
        Ok(Vec::new())
    }

    /// Reads a page of contacts that pass a filter and are not deleted.
    pub(super) async fn contacts(
        &self,
        filters: Value,
        companies: bool,
        class: Class,
    ) -> Result<Vec<Value>, Unanswered> {
        let body = json!({
            "offset": 0, "pageSize": 100, "isCompany": companies,
            "filters": filters, "fields": CONTACT_FIELDS,
        });
        let answer = self.client.list("/contact/list", body, class).await?;
        let list = rows(&answer, "contacts").ok_or_else(|| Unanswered::unreadable("contacts"))?;
        // Whether the flag of the request keeps companies out, nobody says for sure (§13).
        let kept = list
            .into_iter()
            .filter(|row| !row.flag("isDeleted") && row.flag("isCompany") == companies);
        Ok(kept.map(|row| row.0.clone()).collect())
    }

    /// Reads one contact; `None` = it is not there any more.
    pub(super) async fn contact_row(
        &self,
        id: &str,
        class: Class,
    ) -> Result<Option<Value>, Unanswered> {
        // What is no number was never an id of this CRM.
        if id.parse::<u64>().is_err() {
            return Ok(None);
        }
        let path = format!("/contact/{id}");
        match self.client.get(path, CONTACT_FIELDS, class).await {
            Ok(answer) => {
                let row = answer.get("contact").cloned();
                let row = row.ok_or_else(|| Unanswered::unreadable("a contact"))?;
                Ok((!Record(&row).flag("isDeleted")).then_some(row))
            }
            Err(refused) if refused.is_code(&[NO_CONTACT]) => Ok(None),
            Err(other) => Err(other),
        }
    }

    fn contact_fact(&self, row: Record<'_>) -> Option<ContactFact> {
        Some(ContactFact {
            id: row.id()?.to_string(),
            name: row.name(),
            responsible: row.first_user("supervisors"),
            created_at: row.time("createdDate", &self.zone).unwrap_or_default(),
            updated_at: row.time("dateOfLastUpdate", &self.zone).unwrap_or_default(),
            deals: Vec::new(),
        })
    }

    async fn deals_of(
        &self,
        contact: &str,
        setup: &Setup,
        class: Class,
    ) -> Result<Vec<DealFact>, Unanswered> {
        let value = format!("contact:{contact}");
        let filter = json!([{ "type": 7, "operator": "equal", "value": value }]);
        let tasks = self.tasks(filter, TASK_FIELDS, class).await?;
        let fact = |row: &Value| {
            let row = Record(row);
            let object = row.inside("template").and_then(Record::id)?;
            let status = row
                .inside("status")
                .and_then(|status| status.number("id"))?;
            let open = setup.is_open(object, status)?;
            let changed = row.time("dateOfLastUpdate", &self.zone);
            Some(DealFact {
                id: row.id()?.to_string(),
                pipeline: object.to_string(),
                stage: status.to_string(),
                responsible: row.first_user("assignees"),
                open,
                created_at: row.time("dateTime", &self.zone).unwrap_or_default(),
                closed_at: changed.filter(|_| !open),
            })
        };
        let mut deals: Vec<DealFact> = tasks.iter().filter_map(fact).collect();
        deals.sort_by_key(|deal| std::cmp::Reverse(deal.created_at));
        Ok(deals)
    }

    /// Reads a page of tasks that pass a filter and are not deleted.
    pub(super) async fn tasks(
        &self,
        filters: Value,
        fields: &str,
        class: Class,
    ) -> Result<Vec<Value>, Unanswered> {
        let body = json!({ "offset": 0, "pageSize": 100, "filters": filters, "fields": fields });
        let answer = self.client.list("/task/list", body, class).await?;
        let list = rows(&answer, "tasks").ok_or_else(|| Unanswered::unreadable("tasks"))?;
        let kept = list.into_iter().filter(|row| !row.flag("isDeleted"));
        Ok(kept.map(|row| row.0.clone()).collect())
    }
}
