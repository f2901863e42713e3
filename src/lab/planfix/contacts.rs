//! Contacts (`crm/planfix.md` §3).

use serde_json::{Map, Value, json};

use super::exchange::{Answer, Refused, refuse};
use super::rest::{filters, page, text};
use super::world::{Contact, World, id_of};
use super::{filters as passing, times};

const KNOWN: [&str; 11] = [
    "template",
    "templateId",
    "name",
    "midname",
    "lastname",
    "email",
    "phones",
    "description",
    "supervisors",
    "customFieldData",
    "isCompany",
];

impl World {
    pub(super) fn contact_list(&mut self, body: &Map<String, Value>) -> Answer {
        let (fields, filters) = (text(body, "fields"), filters(body)?);
        let companies = body.get("isCompany") == Some(&json!(true));
        let mut found = Vec::new();
        for one in &self.contacts {
            let sort = one.is_company == companies
                || (!companies && !self.switches.persons_without_companies);
            let listed = one.listed_from_ms <= self.now_ms;
            if sort && listed && passing::contact(one, &filters, &self.switches)? {
                found.push(self.contact_shown(one, &fields));
            }
        }
        Ok(json!({ "contacts": page(found, body)? }))
    }

    pub(super) fn contact_get(&mut self, id: &str, fields: &str) -> Answer {
        let one = self.contact(id)?;
        Ok(json!({ "contact": self.contact_shown(one, fields) }))
    }

    pub(super) fn contact_create(&mut self, body: &Map<String, Value>) -> Answer {
        self.note_unknown(body, &KNOWN);
        let template = body
            .get("template")
            .or_else(|| body.get("templateId"))
            .and_then(id_of);
        let now = self.now();
        let mut contact = Contact {
            is_company: body.get("isCompany") == Some(&json!(true)),
            template,
            created_at: now,
            changed_at: now,
            listed_from_ms: self.now_ms + self.switches.list_lag_ms,
            ..Contact::default()
        };
        self.take_contact(body, &mut contact)?;
        if contact.name.is_empty() {
            return Err(refuse(2006, "name is empty"));
        }
        contact.id = self.id();
        let id = contact.id;
        self.contacts.push(contact);
        Ok(json!({ "id": id }))
    }

    pub(super) fn contact_update(&mut self, id: &str, body: &Map<String, Value>) -> Answer {
        self.note_unknown(body, &KNOWN);
        let mut contact = self.contact(id)?.clone();
        self.take_contact(body, &mut contact)?;
        contact.changed_at = self.now();
        if let Some(place) = self.contacts.iter_mut().find(|one| one.id == contact.id) {
            *place = contact;
        }
        Ok(json!({ "updated": true }))
    }

    fn take_contact(
        &mut self,
        body: &Map<String, Value>,
        contact: &mut Contact,
    ) -> Result<(), Refused> {
        if body.contains_key("name") {
            contact.name = text(body, "name").trim().to_owned();
        }
        if body.contains_key("lastname") {
            contact.lastname = text(body, "lastname");
        }
        if let Some(email) = body.get("email") {
            let email = email.as_str().unwrap_or_default();
            if !email.contains('@') || email.contains(' ') {
                return Err(refuse(2004, "bad e-mail"));
            }
            contact.email = Some(email.to_owned());
        }
        if let Some(phones) = body.get("phones") {
            let phones = phones.as_array().ok_or_else(|| refuse(41, "phones"))?;
            let number = |phone: &Value| {
                let number = phone.get("number")?.as_str()?;
                matches!(phone.get("type").and_then(Value::as_u64), Some(1..=4))
                    .then(|| number.to_owned())
            };
            let numbers: Option<Vec<String>> = phones.iter().map(number).collect();
            contact.phones = numbers.ok_or_else(|| refuse(41, "phones"))?;
        }
        if let Some(people) = self.people(body.get("supervisors"))? {
            contact.supervisors = people;
        }
        let template = contact.template;
        self.take_custom(body, false, template, &mut contact.custom)
    }

    pub(super) fn contact(&self, id: &str) -> Result<&Contact, Refused> {
        let id = id_of(&json!(id));
        let found = self.contacts.iter().find(|one| Some(one.id) == id);
        found.ok_or_else(|| refuse(2000, "no such contact"))
    }

    fn contact_shown(&self, one: &Contact, fields: &str) -> Value {
        let phones: Vec<Value> = one
            .phones
            .iter()
            .map(|number| json!({ "number": number, "maskedNumber": number, "type": 1 }))
            .collect();
        let users: Vec<Value> = one
            .supervisors
            .iter()
            .map(
                |id| json!({ "id": format!("user:{id}"), "name": self.user(*id).map(|u| &u.name) }),
            )
            .collect();
        let all = json!({
            "id": one.id, "name": one.name, "midname": "", "lastname": one.lastname,
            "isCompany": one.is_company, "isDeleted": one.is_deleted, "phones": phones,
            "email": one.email, "additionalEmailAddresses": [],
            "supervisors": { "users": users, "groups": [] },
            "template": one.template.map(|id| json!({ "id": id })),
            "createdDate": times::point(one.created_at),
            "dateOfLastUpdate": times::point(one.changed_at),
        });
        World::project(&all, fields, self.custom_shown(&one.custom, false))
    }
}
