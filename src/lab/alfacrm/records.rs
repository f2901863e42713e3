//! The records of a simulated account.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

/// A customer: lead and client in one (crm/alfacrm.md §2).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Customer {
    /// The id.
    pub id: u64,
    /// The name.
    pub name: String,
    /// 1 a person, 2 an organisation.
    pub legal_type: u64,
    /// Who pays.
    pub legal_name: String,
    /// A client, no lead any more.
    pub is_study: bool,
    /// In the archive.
    pub is_archived: bool,
    /// As stored.
    pub phones: Vec<String>,
    /// E-mail addresses.
    pub emails: Vec<String>,
    /// Its branches.
    pub branches: Vec<u64>,
    /// Its stage; 0 = none.
    pub status: u64,
    /// Its source; 0 = none.
    pub source: u64,
    /// Who answers for it; 0 = nobody.
    pub assigned: u64,
    /// Why the lead was rejected; 0 = it was not.
    pub reject: u64,
    /// Its teachers.
    pub teachers: Vec<u64>,
    /// The note.
    pub note: String,
    /// The date of birth.
    pub dob: String,
    /// Additional fields, by their code without prefix.
    pub custom: BTreeMap<String, String>,
    /// Unix seconds.
    pub created_at: i64,
    /// Unix seconds.
    pub updated_at: i64,
}

/// A comment (§4).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Comment {
    /// The id.
    pub id: u64,
    /// The branch.
    pub branch: u64,
    /// The customer.
    pub customer: u64,
    /// The author; 0 = nobody.
    pub user: u64,
    /// The text.
    pub text: String,
    /// Unix seconds.
    pub added: i64,
}

/// A task (§4).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Task {
    /// The id.
    pub id: u64,
    /// The title.
    pub title: String,
    /// The text.
    pub text: String,
    /// The customers.
    pub customers: Vec<u64>,
    /// Whose it is.
    pub assigned: Vec<u64>,
    /// The branches.
    pub branches: Vec<u64>,
    /// The day, as it was written.
    pub due_date: String,
    /// Unix seconds.
    pub created_at: i64,
}

/// A line of the log (§6).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LogLine {
    /// The id.
    pub id: u64,
    /// `Customer`, `Pay`, `Task`, `Communication`.
    pub entity: &'static str,
    /// Which.
    pub entity_id: u64,
    /// 1 add, 2 update, 3 delete.
    pub event: u64,
    /// Unix seconds.
    pub at: i64,
    /// What stood there before, of what was changed.
    pub fields_old: Value,
    /// What stands there now.
    pub fields_new: Value,
}
