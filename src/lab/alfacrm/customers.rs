//! Customers: lists, making, changing (crm/alfacrm.md §2).

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::api::{Listed, not_found};
use super::exchange::{Incoming, Reply};
use super::loose::{digits, last_ten, masked, number, numbers, text, texts};
use super::options::PhoneMatch;
use super::records::Customer;
use super::world::World;

/// What is wrong with a record, by field.
type Errors = BTreeMap<String, Vec<String>>;

impl World {
    pub(super) fn list_customers(
        &mut self,
        branch: u64,
        incoming: &Incoming,
        body: &Map<String, Value>,
    ) -> Reply {
        if !body.contains_key("is_study") {
            self.odd("customers without is_study");
        }
        let chosen = self
            .customers
            .values()
            .filter(|one| self.is_chosen(one, branch, body));
        let listed = chosen.map(|one| Listed {
            id: one.id,
            changed_at: one.updated_at,
            record: self.customer_record(one),
        });
        let listed = listed.collect();
        self.paged(listed, incoming, body)
    }

    /// Filters are ANDed; unknown ones are ignored (§2).
    fn is_chosen(&self, one: &Customer, branch: u64, body: &Map<String, Value>) -> bool {
        let wanted = |key: &str| number(body.get(key));
        let ids = numbers(body.get("id"));
        let studies = match wanted("is_study").unwrap_or(2) {
            0 => !one.is_study,
            1 => one.is_study,
            _ => true,
        };
        let kept = match wanted("removed").unwrap_or(0) {
            0 => !one.is_archived,
            2 => one.is_archived,
            _ => true,
        };
        let phone = text(body.get("phone")).filter(|phone| !phone.is_empty());
        let email = text(body.get("email")).filter(|_| self.switches.email_filter);
        let is = |key: &str, value: u64| wanted(key).is_none_or(|wanted| wanted == value);
        let contains = |key: &str, whole: &str| {
            let part = text(body.get(key));
            part.is_none_or(|part| whole.to_lowercase().contains(&part.to_lowercase()))
        };
        studies
            && kept
            && (ids.is_empty() || ids.contains(&one.id))
            && (!self.switches.of_branch_only || one.branches.contains(&branch))
            && phone.is_none_or(|phone| self.has_phone(one, &phone))
            && email.is_none_or(|email| {
                one.emails
                    .iter()
                    .any(|own| own.eq_ignore_ascii_case(&email))
            })
            && is("lead_status_id", one.status)
            && is("lead_source_id", one.source)
            && is("assigned_id", one.assigned)
            && contains("name", &one.name)
            && contains("note", &one.note)
            && self.is_within(body, "created_at", one.created_at)
            && self.is_within(body, "updated_at", one.updated_at)
    }

    fn has_phone(&self, one: &Customer, wanted: &str) -> bool {
        let whole = |text: &str| {
            let digits = digits(text);
            match digits.len() {
                11 if digits.starts_with(['7', '8']) => last_ten(&digits),
                _ => digits,
            }
        };
        one.phones
            .iter()
            .any(|own| match self.switches.phone_match {
                PhoneMatch::Digits => digits(own).contains(&digits(wanted)),
                PhoneMatch::Whole => whole(own) == whole(wanted),
                PhoneMatch::AsStored => own == wanted,
            })
    }

    /// Filters of days hold from the beginning of the first to the end of the last.
    pub(super) fn is_within(&self, body: &Map<String, Value>, key: &str, at: i64) -> bool {
        let day = |end: &str| self.day(&text(body.get(&format!("{key}_{end}")))?);
        let after = day("from").is_none_or(|from| at >= from);
        after && day("to").is_none_or(|to| at < to + 86_400)
    }

    pub(super) fn create_customer(&mut self, branch: u64, body: &Map<String, Value>) -> Reply {
        if !body.contains_key("is_study") {
            self.odd("a customer without is_study");
        }
        let now = self.now.seconds();
        let mut customer = Customer {
            branches: vec![branch],
            created_at: now,
            updated_at: now,
            ..Customer::default()
        };
        let mut errors = self.write(&mut customer, body);
        if customer.name.trim().is_empty() {
            let text = "Необходимо заполнить «ФИО».";
            errors
                .entry("name".to_owned())
                .or_default()
                .push(text.to_owned());
        }
        if !(1..=2).contains(&customer.legal_type) {
            let text = "Необходимо заполнить «Тип».";
            errors
                .entry("legal_type".to_owned())
                .or_default()
                .push(text.to_owned());
        }
        if !errors.is_empty() {
            return Reply::invalid(&errors);
        }
        let id = self.add(customer);
        match self.customers.get(&id).map(|one| self.customer_record(one)) {
            Some(record) => self.stored(record),
            None => not_found(),
        }
    }

    /// Puts a customer into the account.
    pub(super) fn add(&mut self, mut customer: Customer) -> u64 {
        let id = self.new_id();
        customer.id = id;
        self.customer_happened("create", 1, &Customer::default(), &customer);
        self.customers.insert(id, customer);
        id
    }

    pub(super) fn update_customer(
        &mut self,
        branch: u64,
        incoming: &Incoming,
        body: &Map<String, Value>,
    ) -> Result<Reply, Reply> {
        let id = incoming.number("id").ok_or_else(not_found)?;
        let known = self.customers.get(&id);
        let seen =
            known.filter(|one| !self.switches.of_branch_only || one.branches.contains(&branch));
        let before = seen.cloned().ok_or_else(not_found)?;
        let mut changed = before.clone();
        let errors = self.write(&mut changed, body);
        if !errors.is_empty() {
            return Ok(Reply::invalid(&errors));
        }
        changed.updated_at = self.now.seconds();
        let record = self.customer_record(&changed);
        self.replace(&before, changed);
        Ok(self.stored(record))
    }

    /// Replaces a customer by what became of it.
    pub(super) fn replace(&mut self, before: &Customer, after: Customer) {
        self.customer_happened("update", 2, before, &after);
        self.customers.insert(after.id, after);
    }

    /// Writes what is sent; an array replaces the whole array (§2). Unknown keys are ignored.
    fn write(&self, customer: &mut Customer, body: &Map<String, Value>) -> Errors {
        let mut errors = Errors::new();
        let mut wrong = |key: &str, text: &str| {
            errors
                .entry(key.to_owned())
                .or_default()
                .push(text.to_owned());
        };
        let known = |list: &[(u64, String)], id: u64| list.iter().any(|(known, _)| *known == id);
        for (key, value) in body {
            let id = || number(Some(value)).unwrap_or_default();
            let words = || text(Some(value)).unwrap_or_default();
            match key.as_str() {
                "name" => {
                    customer.name = words();
                    let length = customer.name.chars().count();
                    if self.switches.name_max.is_some_and(|max| length > max) {
                        wrong(key, "Значение «ФИО» должно содержать максимум 50 символов.");
                    }
                }
                "legal_type" => customer.legal_type = id(),
                "legal_name" => customer.legal_name = words(),
                "is_study" => customer.is_study = id() == 1,
                "phone" => {
                    let given = texts(Some(value));
                    if given.iter().any(|phone| digits(phone).len() < 5) {
                        wrong(key, "Значение «Телефон» неверно.");
                    }
                    customer.phones = given.iter().map(|phone| self.stored_phone(phone)).collect();
                }
                "email" => {
                    customer.emails = texts(Some(value));
                    if customer.emails.iter().any(|email| !is_email(email)) {
                        wrong(
                            key,
                            "Значение «E-mail» не является правильным email адресом.",
                        );
                    }
                }
                "branch_ids" => {
                    customer.branches = numbers(Some(value));
                    let none = customer.branches.is_empty();
                    let strange = |id: &u64| !known(&self.options.branches, *id);
                    if none || customer.branches.iter().any(strange) {
                        wrong(key, "Значение «Филиалы» неверно.");
                    }
                }
                "lead_status_id" => {
                    customer.status = id();
                    if customer.status > 0 && !known(&self.options.statuses, customer.status) {
                        wrong(key, "Значение «Этап воронки» неверно.");
                    }
                }
                "lead_source_id" => {
                    customer.source = id();
                    if customer.source > 0 && !known(&self.options.sources, customer.source) {
                        wrong(key, "Значение «Источник» неверно.");
                    }
                }
                "assigned_id" => {
                    customer.assigned = id();
                    if customer.assigned > 0 && self.is_strange(customer.assigned) {
                        wrong(key, "Значение «Ответственный» неверно.");
                    }
                }
                "note" => customer.note = words(),
                "dob" => customer.dob = words(),
                other => {
                    let code = other.strip_prefix("custom_");
                    let code = code.filter(|code| {
                        self.options.custom_fields.iter().any(|known| known == code)
                    });
                    if let Some(code) = code {
                        customer.custom.insert(code.to_owned(), words());
                    }
                }
            }
        }
        errors
    }

    /// Says whether a user is refused.
    pub(super) fn is_strange(&self, user: u64) -> bool {
        let known = self.options.users.iter().any(|known| known.id == user);
        self.switches.users_checked && !known
    }

    pub(super) fn stored_phone(&self, phone: &str) -> String {
        match self.switches.masked_phones {
            true => masked(phone),
            false => phone.to_owned(),
        }
    }

    pub(super) fn customer_record(&self, one: &Customer) -> Value {
        let id_or_null = |id: u64| if id == 0 { Value::Null } else { json!(id) };
        let mut record = json!({
            "id": one.id, "name": one.name, "legal_type": one.legal_type,
            "legal_name": one.legal_name, "is_study": u8::from(one.is_study),
            "phone": one.phones, "email": one.emails, "web": [], "addr": [],
            "branch_ids": one.branches, "teacher_ids": one.teachers, "lead_status_id": id_or_null(one.status),
            "lead_source_id": id_or_null(one.source), "lead_reject_id": id_or_null(one.reject),
            "customer_reject_id": null, "study_status_id": u8::from(one.is_study),
            "assigned_id": id_or_null(one.assigned), "employee_id": null, "company_id": null,
            "dob": one.dob, "note": one.note, "balance": "0.00", "paid_lesson_count": "0",
            "created_at": self.written(one.created_at), "updated_at": self.written(one.updated_at),
        });
        for code in &self.options.custom_fields {
            record[format!("custom_{code}")] = json!(one.custom.get(code));
        }
        record
    }
}

fn is_email(text: &str) -> bool {
    let parts = text.split_once('@');
    parts.is_some_and(|(who, host)| !who.is_empty() && host.contains('.'))
}
