//! Everything that an account holds.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::hooks::HookQueue;
use super::limits::Limits;
use super::options::{FieldOptions, PlanfixOptions, UserOptions};
use super::switches::Switches;

/// The state of an account.
#[derive(Debug)]
pub(super) struct World {
    pub(super) options: PlanfixOptions,
    pub(super) switches: Switches,
    pub(super) limits: Limits,
    pub(super) contacts: Vec<Contact>,
    pub(super) tasks: Vec<Task>,
    pub(super) comments: Vec<Comment>,
    pub(super) calls: Vec<CallTag>,
    /// The events of each call.
    pub(super) live: BTreeMap<String, LiveCall>,
    pub(super) hooks: HookQueue,
    pub(super) oddities: BTreeMap<String, u64>,
    pub(super) ignored_events: u64,
    pub(super) events: u64,
    next_id: u64,
    pub(super) now_ms: i64,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Contact {
    pub(super) id: u64,
    pub(super) is_company: bool,
    pub(super) name: String,
    pub(super) lastname: String,
    pub(super) phones: Vec<String>,
    pub(super) email: Option<String>,
    pub(super) supervisors: Vec<u64>,
    pub(super) template: Option<u64>,
    pub(super) custom: BTreeMap<u64, Value>,
    pub(super) created_at: i64,
    pub(super) changed_at: i64,
    pub(super) is_deleted: bool,
    /// In lists from then on.
    pub(super) listed_from_ms: i64,
    /// Made by Planfix from a call.
    pub(super) by_planfix: bool,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Task {
    pub(super) id: u64,
    pub(super) name: String,
    pub(super) description: String,
    pub(super) template: Option<u64>,
    pub(super) status: u64,
    pub(super) counterparty: Option<u64>,
    pub(super) parent: Option<u64>,
    pub(super) assignees: Vec<u64>,
    pub(super) due: Option<String>,
    pub(super) custom: BTreeMap<u64, Value>,
    pub(super) created_at: i64,
    pub(super) changed_at: i64,
    pub(super) is_deleted: bool,
    pub(super) listed_from_ms: i64,
}

#[derive(Debug, Clone)]
pub(super) struct Comment {
    pub(super) id: u64,
    pub(super) of_task: bool,
    pub(super) on: u64,
    pub(super) text: String,
    pub(super) at: i64,
}

/// A data tag of a call.
#[derive(Debug, Clone)]
pub(super) struct CallTag {
    pub(super) id: u64,
    pub(super) callid: String,
    pub(super) phone: String,
    pub(super) outgoing: bool,
    pub(super) ext: Option<String>,
    pub(super) status: String,
    pub(super) duration: u64,
    pub(super) recorded: bool,
    pub(super) link: Option<String>,
    pub(super) data: BTreeMap<String, String>,
    pub(super) at: i64,
}

/// A call as its events tell it.
#[derive(Debug, Clone, Default)]
pub(super) struct LiveCall {
    /// Whose telephones rang, in order.
    pub(super) rung: Vec<String>,
    pub(super) begun: bool,
    pub(super) ended: bool,
    /// Each final COMPLETED: employee and status.
    pub(super) completed: Vec<(Option<String>, String)>,
}

impl World {
    pub(super) fn new(options: &PlanfixOptions, now_ms: i64) -> Self {
        Self {
            switches: options.switches.clone(),
            limits: Limits::new(options.per_second, options.per_day),
            options: options.clone(),
            contacts: Vec::new(),
            tasks: Vec::new(),
            comments: Vec::new(),
            calls: Vec::new(),
            live: BTreeMap::new(),
            hooks: HookQueue::default(),
            oddities: BTreeMap::new(),
            ignored_events: 0,
            events: 0,
            next_id: 4_000,
            now_ms,
        }
    }

    pub(super) fn id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    pub(super) fn now(&self) -> i64 {
        self.now_ms.div_euclid(1_000)
    }

    pub(super) fn odd(&mut self, what: impl Into<String>) {
        *self.oddities.entry(what.into()).or_default() += 1;
    }

    pub(super) fn user(&self, id: u64) -> Option<&UserOptions> {
        self.options.users.iter().find(|user| user.id == id)
    }

    pub(super) fn user_of(&self, short_number: &str) -> Option<&UserOptions> {
        let mut users = self.options.users.iter();
        users.find(|user| user.short_number.as_deref() == Some(short_number))
    }

    pub(super) fn field(&self, id: u64, of_tasks: bool) -> Option<&FieldOptions> {
        let mut fields = self.options.fields.iter();
        fields.find(|field| field.id == id && field.of_tasks == of_tasks)
    }

    /// Says whether a template keeps a field: others swallow it.
    pub(super) fn keeps(&self, id: u64, of_tasks: bool, template: Option<u64>) -> bool {
        self.field(id, of_tasks).is_some_and(|field| {
            let attached = field.attached_to.is_empty()
                || template.is_some_and(|template| field.attached_to.contains(&template));
            attached && !field.is_loose
        })
    }

    /// Returns the contact with a number, compared by digits.
    pub(super) fn contact_of(&self, phone: &str) -> Option<&Contact> {
        let wanted = last_ten(phone);
        let mut contacts = self.contacts.iter().filter(|one| !one.is_deleted);
        contacts.find(|one| one.phones.iter().any(|phone| last_ten(phone) == wanted))
    }

    /// Projects a value to the fields that were asked for; `always` stands whatever was asked.
    pub(super) fn project(all: &Value, fields: &str, custom: Vec<Value>) -> Value {
        let mut shown = json!({ "id": all["id"] });
        for name in fields
            .split(',')
            .map(str::trim)
            .filter(|name| !name.is_empty())
        {
            if name.bytes().all(|b| b.is_ascii_digit()) {
                continue;
            }
            if let Some(value) = all.get(name) {
                shown[name] = value.clone();
            }
        }
        let asked: Vec<Value> = custom
            .into_iter()
            .filter(|one| {
                let id = one["field"]["id"].to_string();
                fields.split(',').any(|name| name.trim() == id)
            })
            .collect();
        if !asked.is_empty() {
            shown["customFieldData"] = json!(asked);
        }
        shown
    }

    /// Writes additional fields as they are shown.
    pub(super) fn custom_shown(&self, custom: &BTreeMap<u64, Value>, of_tasks: bool) -> Vec<Value> {
        let shown = |(id, value): (&u64, &Value)| {
            let field = self.field(*id, of_tasks);
            json!({
                "field": { "id": id, "name": field.map(|f| &f.name), "type": field.map(|f| f.kind) },
                "value": value,
                "stringValue": value.as_str().map_or_else(|| value.to_string(), str::to_owned),
            })
        };
        custom.iter().map(shown).collect()
    }
}

/// Returns the last ten digits.
pub(super) fn last_ten(number: &str) -> String {
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    let start = digits.len().saturating_sub(10);
    digits.get(start..).unwrap_or("").to_owned()
}

/// Reads an id, whatever its prefix and type.
pub(super) fn id_of(value: &Value) -> Option<u64> {
    match value {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => {
            let digits = text.rsplit_once(':').map_or(text.as_str(), |(_, id)| id);
            digits.parse().ok()
        }
        Value::Object(map) => id_of(map.get("id")?),
        Value::Null | Value::Bool(_) | Value::Array(_) => None,
    }
}
