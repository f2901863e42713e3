//! A chat with a visitor of a site, a messenger or a social network.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ids::Extension;
use super::phone::Phone;
use super::timestamp::Timestamp;

/// How far a chat has got.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum ChatPhase {
    /// The visitor wrote.
    Started,
    /// An employee took it.
    Accepted,
    /// It is over.
    Ended,
}

/// Who wrote a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[schemars(rename = "ChatAuthor")]
pub enum Author {
    /// The client.
    Client {
        /// Name or nick, where the chat has several clients.
        #[serde(default)]
        name: Option<String>,
    },
    /// An employee.
    Employee {
        /// Login or extension at the source.
        login: Extension,
    },
    /// The platform itself.
    System,
}

/// One message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ChatMessage")]
pub struct Message {
    /// The source's own name of the message.
    pub id: String,
    /// When it was written.
    pub at: Timestamp,
    /// Who wrote it.
    pub author: Author,
    /// What it says.
    pub text: String,
}

/// A chat. Always a full picture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Chat {
    /// How far it has got.
    pub phase: ChatPhase,
    /// Where it takes place: `site`, `telegram`, `whatsapp`, …
    pub channel: String,
    /// The source's name of the visitor.
    pub visitor: String,
    /// The visitor's name, where known.
    #[serde(default)]
    pub name: Option<String>,
    /// The visitor's number, where left.
    #[serde(default)]
    pub phone: Option<Phone>,
    /// The visitor's e-mail address, where left.
    #[serde(default)]
    pub email: Option<String>,
    /// Site or page, where known.
    #[serde(default)]
    pub site: Option<String>,
    /// Who took it.
    #[serde(default)]
    pub employee: Option<Extension>,
    /// Marks that the employee set.
    #[serde(default)]
    pub tags: Vec<String>,
    /// When the visitor first wrote.
    pub started_at: Timestamp,
    /// When it ended.
    #[serde(default)]
    pub ended_at: Option<Timestamp>,
    /// What was written, in order.
    #[serde(default)]
    pub messages: Vec<Message>,
    /// It ended without anybody of the company having written.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub lost: bool,
    /// What the group is called, where several clients write.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// What else the source knows of it, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub details: BTreeMap<String, String>,
}

impl Chat {
    /// Says whether an employee took it. One who was only offered a lost chat did not.
    pub fn is_taken(&self) -> bool {
        self.employee.is_some() && !self.lost
    }

    /// Says whether client or employee wrote something.
    pub fn has_words(&self) -> bool {
        let mut messages = self.messages.iter();
        messages.any(|message| message.author != Author::System)
    }

    /// Says whether it is over, by this picture: one that was over may go on.
    pub fn is_over(&self) -> bool {
        self.phase == ChatPhase::Ended
    }
}
