//! What is made of chats (S0-12, S2-20 … S2-22, S2-24).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::ids::CrmUserId;

use super::{
    Assign, ChatParameter, Choices, FieldRule, Filter, PipelineRule, RequestMethod,
    ResponsibleRule, TagSettings, TaskSettings, Template,
};

/// What is made of chats.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChatSettings {
    /// The switch of chats.
    #[serde(default = "super::on")]
    pub on: bool,
    /// Answers for what nobody else answers for. A user of the CRM.
    #[schemars(with = "String", extend("x-shape" = "user"))]
    pub default_responsible: CrmUserId,
    /// How chats of new clients are brought into the CRM (S2-20), those of known ones as well
    /// where `repeat_method` is absent.
    pub method: RequestMethod,
    /// How chats of known clients are (S2-20).
    #[serde(default)]
    pub repeat_method: Option<RequestMethod>,
    /// Who answers for what new clients make (S2-18, S2-20), before any rule; absent, or where it finds
    /// nobody, the rules of responsibles say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assign_to: Option<Assign>,
    /// The same of known clients.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeat_assign_to: Option<Assign>,
    /// Chats of known clients are left alone altogether (S0-10).
    #[serde(default)]
    pub first_time_only: bool,
    /// The contact of a known client is handed over to whom the rules name (V-05).
    #[serde(default)]
    pub update_responsible: bool,
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
    /// Where deals go, in order; the first rule that holds wins, else the method's own place
    /// (S0-22). For the method "contact and deal" only (S0-20).
    #[serde(default)]
    pub pipelines: Vec<PipelineRule<ChatParameter>>,
    /// Who answers for new records, in order; the first rule that finds somebody wins.
    #[serde(default)]
    pub responsible: Vec<ResponsibleRule<ChatParameter>>,
    /// Tags of new records.
    #[serde(default)]
    pub tags: TagSettings,
    /// The name of a new contact (S2-20); not of one in Unsorted (S0-15).
    #[serde(default)]
    pub contact_name: Option<Template>,
    /// The template that the CRM makes a new contact from, by its id (S2-19); for CRMs that have such.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact_template: Option<String>,
    /// The name of a new deal; not of one in Unsorted (S0-15).
    #[serde(default)]
    pub deal_name: Option<Template>,
    /// Additional fields of contacts and deals (S0-17).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldRule>,
    /// A task at every chat; absent = none.
    #[serde(default)]
    pub task: Option<TaskSettings>,
    /// A task about a chat that ended without anybody of the company having written; absent =
    /// none.
    #[serde(default)]
    pub lost_task: Option<TaskSettings>,
    /// A note about such a chat, with the reason for its end.
    #[serde(default)]
    pub lost_note: bool,
    /// When what was written is put on the card.
    #[serde(default)]
    pub transcript: Transcript,
    /// On which cards of the client, where the chat makes no lead and no deal (V-06).
    #[serde(default)]
    pub transcript_to: TranscriptPlace,
    /// What a message in a closed chat makes (V-05).
    #[serde(default)]
    pub in_closed_chat: InClosedChat,
    /// Who answers for a new record is told of it (S3-17, V-16): by the CRM where it takes notices,
    /// else as `notices` says.
    #[serde(default)]
    pub notify: bool,
}

impl ChatSettings {
    /// Returns what chats have in common with requests.
    pub(in crate::rules) fn choices(&self) -> Choices<'_, ChatParameter> {
        Choices {
            default_responsible: &self.default_responsible,
            method: &self.method,
            repeat_method: self.repeat_method.as_ref(),
            assign_to: self.assign_to.as_ref(),
            repeat_assign_to: self.repeat_assign_to.as_ref(),
            first_time_only: self.first_time_only,
            filter: self.filter.as_ref(),
            pipelines: &self.pipelines,
            responsible: &self.responsible,
            tags: &self.tags,
            contact_name: self.contact_name.as_ref(),
            contact_template: self.contact_template.as_deref(),
            deal_name: self.deal_name.as_ref(),
            fields: &self.fields,
            tasks: vec![
                ("task", self.task.as_ref()),
                ("lost_task", self.lost_task.as_ref()),
            ],
        }
    }
}

/// When the records of a chat are made (S2-21).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChatMoment {
    /// When the visitor first wrote.
    Start,
    /// When an employee took it and something was written; a chat that nobody took makes nothing but
    /// the task and the note of a lost one.
    Accepted,
    /// When it got a mark. Which marks count is the filter's affair.
    Tagged,
    /// When it is over.
    #[default]
    End,
}

/// When what was written in a chat is put on the card.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Transcript {
    /// When it is over, in as few notes as it takes.
    #[default]
    End,
    /// While it goes on, each part as a note of its own.
    Live,
}

/// On which cards what was written is put (V-06).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TranscriptPlace {
    /// Which card of the client, where the chat makes no lead and no deal.
    #[serde(default)]
    pub prefer: TranscriptCard,
    /// Where none is open, the one that was closed last.
    #[serde(default)]
    pub closed: bool,
    /// On the contact or company as well.
    #[serde(default)]
    pub copy_to_client: bool,
}

/// A card of a client on which what was written is put: of each sort the freshest one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TranscriptCard {
    /// The contact.
    #[default]
    Client,
    /// An open lead, else an open deal, else the contact.
    Lead,
    /// An open deal, else an open lead, else the contact.
    Deal,
    /// An open lead and an open deal, else the contact.
    Both,
}

/// What a message in a closed chat makes (V-05).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum InClosedChat {
    /// A new unsorted record where the chat made one, else a note on the card.
    #[default]
    UnsortedAgain,
    /// A note on the card.
    Note,
}
