//! What an account is made of, as its CRM tells it: people, pipelines, fields.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::field::CrmField;
use crate::model::ids::CrmUserId;
use crate::model::timestamp::Timestamp;

/// What an account is made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountDescription {
    /// What the CRM calls the account.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its time zone (IANA), where the CRM says.
    pub time_zone: Option<String>,
    /// Its users.
    pub users: Vec<CrmUser>,
    /// Its pipelines.
    pub pipelines: Vec<Pipeline>,
    /// The pipelines of deals that come back, where those are others.
    #[serde(default)]
    pub deal_pipelines: Vec<Pipeline>,
    /// Its additional fields.
    pub fields: Vec<CrmField>,
    /// Its sorts of tasks, where the CRM has several.
    #[serde(default)]
    pub task_types: Vec<TaskType>,
    /// What does not work there, and why (no filter option, no admin rights, …).
    pub limits: Vec<String>,
}

/// An account as it was last read; kept, so that it can be shown while the CRM does not answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DescribedAccount {
    /// When it was read.
    pub as_of: Timestamp,
    /// What it is made of.
    pub account: AccountDescription,
}

/// A user of the CRM.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CrmUser {
    /// The CRM's id.
    pub id: CrmUserId,
    /// The name.
    pub name: String,
    /// The e-mail address.
    pub email: Option<String>,
    /// The telephone, as it was typed: a number or an extension.
    #[serde(default)]
    pub phone: Option<String>,
    /// The user may log in.
    pub active: bool,
}

/// A pipeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Pipeline {
    /// The CRM's id.
    pub id: String,
    /// The name.
    pub name: String,
    /// It is the account's main one.
    pub main: bool,
    /// It takes unsorted records.
    pub unsorted: bool,
    /// Its ordinary stages, in order.
    pub stages: Vec<Stage>,
}

/// A stage of a pipeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Stage {
    /// The CRM's id.
    pub id: String,
    /// The name.
    pub name: String,
}

/// A sort of task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TaskType {
    /// The CRM's id.
    pub id: String,
    /// The name.
    pub name: String,
}
