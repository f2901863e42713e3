//! What is made of chats (S0-12, S2-20 … S2-22, S2-24).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::ids::CrmUserId;

use super::{
    ChatParameter, Filter, RequestMethod, ResponsibleRule, TagSettings, TaskSettings, Template,
};

/// What is made of chats.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChatSettings {
    /// The switch of chats.
    #[serde(default = "super::on")]
    pub on: bool,
    /// Answers for what nobody else answers for. A user of the CRM.
    #[schemars(with = "String")]
    pub default_responsible: CrmUserId,
    /// How chats of new clients are brought into the CRM (S2-20), those of known ones as well
    /// where `repeat_method` is absent.
    pub method: RequestMethod,
    /// How chats of known clients are (S2-20).
    #[serde(default)]
    pub repeat_method: Option<RequestMethod>,
    /// The moment at which records and the task are made (S2-21).
    #[serde(default)]
    pub at: ChatMoment,
    /// Chats of visitors who left neither a number nor an e-mail address are taken as well, each
    /// as of a new client (S2-22).
    #[serde(default)]
    pub without_contacts: bool,
    /// Which chats are processed (S2-24); absent or without conditions = all (S2-26).
    #[serde(default)]
    pub filter: Option<Filter<ChatParameter>>,
    /// Who answers for new records, in order; the first rule that finds somebody wins.
    #[serde(default)]
    pub responsible: Vec<ResponsibleRule<ChatParameter>>,
    /// Tags of new records.
    #[serde(default)]
    pub tags: TagSettings,
    /// The name of a new contact (S2-20); not of one in Unsorted (S0-15).
    #[serde(default)]
    pub contact_name: Option<Template>,
    /// The name of a new deal; not of one in Unsorted (S0-15).
    #[serde(default)]
    pub deal_name: Option<Template>,
    /// A task at every chat; absent = none.
    #[serde(default)]
    pub task: Option<TaskSettings>,
    /// A task about a chat that ended without anybody of the company having written; absent =
    /// none.
    #[serde(default)]
    pub lost_task: Option<TaskSettings>,
}

/// When the records of a chat are made (S2-21).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChatMoment {
    /// When the visitor first wrote.
    Start,
    /// When an employee took it; a chat that nobody took makes nothing but the task of a lost one.
    Accepted,
    /// When it is over.
    #[default]
    End,
}
