//! What a portal holds.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;

/// Kinds of cards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A lead.
    Lead,
    /// A deal.
    Deal,
    /// A contact.
    Contact,
    /// A company.
    Company,
}

impl Kind {
    /// Every kind.
    pub(super) const ALL: [Kind; 4] = [Kind::Lead, Kind::Deal, Kind::Contact, Kind::Company];

    /// Returns `entityTypeId` (crm/bitrix24.md §6).
    pub(super) fn type_id(self) -> u64 {
        match self {
            Kind::Lead => 1,
            Kind::Deal => 2,
            Kind::Contact => 3,
            Kind::Company => 4,
        }
    }

    pub(super) fn from_type_id(id: u64) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.type_id() == id)
    }

    /// Returns the name in upper case.
    pub(super) fn upper(self) -> &'static str {
        match self {
            Kind::Lead => "LEAD",
            Kind::Deal => "DEAL",
            Kind::Contact => "CONTACT",
            Kind::Company => "COMPANY",
        }
    }

    /// Returns the name in lower case, as in methods.
    pub(super) fn lower(self) -> &'static str {
        match self {
            Kind::Lead => "lead",
            Kind::Deal => "deal",
            Kind::Contact => "contact",
            Kind::Company => "company",
        }
    }

    pub(super) fn from_name(name: &str) -> Option<Self> {
        let mut kinds = Self::ALL.into_iter();
        kinds.find(|kind| kind.upper().eq_ignore_ascii_case(name))
    }

    /// Returns the short code of `UF_CRM_TASK`.
    pub(super) fn short(self) -> &'static str {
        match self {
            Kind::Lead => "L",
            Kind::Deal => "D",
            Kind::Contact => "C",
            Kind::Company => "CO",
        }
    }
}

/// A card: its fields under their classic names, absent ones left out.
#[derive(Debug, Clone)]
pub(super) struct Card {
    pub(super) kind: Kind,
    pub(super) id: u64,
    pub(super) fields: BTreeMap<String, Value>,
    /// Phones, e-mails and the like, by type.
    pub(super) multi: BTreeMap<String, Vec<MultiValue>>,
    /// Contacts of a lead or deal; the first is the main one.
    pub(super) contacts: Vec<u64>,
}

impl Card {
    pub(super) fn text(&self, name: &str) -> &str {
        self.fields.get(name).and_then(Value::as_str).unwrap_or("")
    }

    pub(super) fn number(&self, name: &str) -> u64 {
        let value = self.fields.get(name).and_then(Value::as_u64);
        value.unwrap_or(0)
    }

    pub(super) fn seconds(&self, name: &str) -> i64 {
        let value = self.fields.get(name).and_then(Value::as_i64);
        value.unwrap_or(0)
    }

    pub(super) fn set(&mut self, name: &str, value: impl Into<Value>) {
        self.fields.insert(name.to_owned(), value.into());
    }

    pub(super) fn phones(&self) -> impl Iterator<Item = &str> {
        let values = self.multi.get("PHONE").into_iter().flatten();
        values.map(|value| value.value.as_str())
    }

    /// Returns the name that people see.
    pub(super) fn title(&self) -> String {
        match self.kind {
            Kind::Contact => {
                let name = format!("{} {}", self.text("NAME"), self.text("LAST_NAME"));
                name.trim().to_owned()
            }
            Kind::Lead | Kind::Deal | Kind::Company => self.text("TITLE").to_owned(),
        }
    }
}

/// One phone, e-mail or the like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct MultiValue {
    pub(super) id: u64,
    pub(super) value: String,
    pub(super) value_type: String,
}

/// A row of `crm.status.list`.
#[derive(Debug, Clone)]
pub(super) struct Status {
    pub(super) id: u64,
    pub(super) entity_id: String,
    pub(super) status_id: String,
    pub(super) name: String,
    pub(super) sort: u64,
    pub(super) semantics: Option<char>,
    pub(super) category_id: Option<u64>,
}

/// A user field.
#[derive(Debug, Clone)]
pub(super) struct UserField {
    pub(super) id: u64,
    pub(super) kind: Kind,
    pub(super) name: String,
    pub(super) label: String,
    pub(super) user_type: String,
    pub(super) is_multiple: bool,
    pub(super) is_mandatory: bool,
    pub(super) choices: Vec<(u64, String)>,
}

/// An activity.
#[derive(Debug, Clone)]
pub(super) struct Activity {
    pub(super) id: u64,
    pub(super) owner: (u64, u64),
    /// Type and id of every card it stands on; the owner is one of them.
    pub(super) bindings: Vec<(u64, u64)>,
    pub(super) type_id: u64,
    pub(super) provider_id: String,
    pub(super) provider_type_id: String,
    pub(super) subject: String,
    pub(super) description: String,
    pub(super) description_type: u64,
    pub(super) direction: u64,
    pub(super) priority: u64,
    pub(super) responsible_id: u64,
    pub(super) author_id: u64,
    pub(super) is_completed: bool,
    pub(super) created_at: i64,
    pub(super) updated_at: i64,
    pub(super) start_at: i64,
    pub(super) end_at: i64,
    pub(super) deadline: Option<i64>,
    pub(super) originator_id: String,
    pub(super) origin_id: String,
    pub(super) communications: Vec<Value>,
    pub(super) files: Vec<u64>,
    /// The application that made a configurable one.
    pub(super) client_id: Option<String>,
    pub(super) layout: Value,
}

/// A comment or a log line of a timeline.
#[derive(Debug, Clone)]
pub(super) struct Comment {
    pub(super) id: u64,
    pub(super) entity: (u64, u64),
    pub(super) author_id: u64,
    pub(super) created_at: i64,
    /// Title of a log line; empty for a comment.
    pub(super) title: String,
    pub(super) text: String,
    pub(super) files: Vec<u64>,
    pub(super) is_log_line: bool,
}

/// A task.
#[derive(Debug, Clone)]
pub(super) struct Task {
    pub(super) id: u64,
    pub(super) title: String,
    pub(super) description: String,
    pub(super) responsible_id: u64,
    pub(super) created_by: u64,
    pub(super) created_at: i64,
    pub(super) deadline: Option<i64>,
    pub(super) crm: Vec<String>,
    pub(super) xml_id: String,
    pub(super) is_completed: bool,
}

/// A notice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Notice {
    /// Its id.
    pub id: u64,
    /// Who reads it.
    pub user_id: u64,
    /// Its text.
    pub message: String,
    /// Its tag; empty for none.
    pub tag: String,
    /// Unix seconds.
    pub created_at: i64,
    /// How often it took the place of one with the same tag.
    pub replaced: u64,
}

/// A call that is registered and not finished.
#[derive(Debug, Clone)]
pub(super) struct LiveCall {
    pub(super) call_id: String,
    pub(super) client_id: String,
    pub(super) user_id: u64,
    pub(super) phone: String,
    pub(super) call_type: u64,
    /// When the portal heard of it.
    pub(super) registered_at: i64,
    /// What the request named, or the time of the request.
    pub(super) started_at: i64,
    pub(super) line: String,
    pub(super) external_id: Option<String>,
    /// The card that was given or found, and what else the number belongs to.
    pub(super) primary: Option<(Kind, u64)>,
    pub(super) others: Vec<(Kind, u64)>,
    pub(super) created: Vec<(Kind, u64)>,
    pub(super) creation_error: Option<String>,
    /// Users at whose screen the card stands.
    pub(super) shown_to: BTreeSet<u64>,
}

/// A finished call.
#[derive(Debug, Clone)]
pub(super) struct FinishedCall {
    pub(super) id: u64,
    pub(super) call: LiveCall,
    pub(super) user_id: u64,
    pub(super) duration: i64,
    pub(super) code: String,
    pub(super) reason: String,
    pub(super) vote: i64,
    /// Whoever had the call was told of it in the chat.
    pub(super) in_chat: bool,
    pub(super) cost: f64,
    pub(super) cost_currency: String,
    pub(super) finished_at: i64,
    pub(super) activity_id: Option<u64>,
    pub(super) record: Option<Record>,
    pub(super) transcript: Vec<Value>,
    pub(super) transcript_id: Option<u64>,
}

/// A recording that was attached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Record {
    /// The file.
    pub file_id: u64,
    /// Its name.
    pub name: String,
    /// Its size in bytes; 0 for one by address.
    pub bytes: usize,
    /// Digest of its content (SHA-256, hexadecimal); empty for one by address.
    pub sha256: String,
    /// Its address, where one was given.
    pub url: String,
    /// How often it was attached.
    pub times: u64,
}

/// A card that was put on a screen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Shown {
    /// The call.
    pub call_id: String,
    /// Whose screen.
    pub user_id: u64,
    /// Unix milliseconds.
    pub shown_ms: i64,
    /// Unix milliseconds; none while it stands there.
    pub hidden_ms: Option<i64>,
}

/// An external line.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub(super) id: u64,
    pub(super) number: String,
    pub(super) name: String,
    pub(super) auto_create: bool,
    pub(super) client_id: String,
}

/// A handler of an event.
#[derive(Debug, Clone)]
pub(super) struct Bind {
    pub(super) id: u64,
    pub(super) client_id: String,
    pub(super) event: String,
    /// Empty for an offline one.
    pub(super) handler: String,
    pub(super) is_offline: bool,
    pub(super) auth_connector: String,
    pub(super) auth_type: u64,
}

/// A row of the offline queue.
#[derive(Debug, Clone)]
pub(super) struct OfflineEvent {
    pub(super) id: u64,
    pub(super) client_id: String,
    pub(super) auth_connector: String,
    pub(super) event: String,
    /// What collapses: one row per object.
    pub(super) object: String,
    pub(super) data: Value,
    pub(super) at: i64,
    pub(super) message_id: String,
    pub(super) process_id: Option<String>,
    pub(super) is_error: bool,
}
