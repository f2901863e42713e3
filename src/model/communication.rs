//! A call, a chat or a site request, as a source reported it.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::call::{Call, CallPhase};
use super::chat::{Chat, ChatPhase};
use super::ids::CommunicationKey;
use super::phone::Phone;
use super::request::SiteRequest;
use super::timestamp::Timestamp;

/// What sort of communication it is.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A telephone call.
    Call,
    /// A chat.
    Chat,
    /// A site request.
    Request,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Call => "call",
            Kind::Chat => "chat",
            Kind::Request => "request",
        })
    }
}

/// A moment in a communication's life at which something may have to be done. Ordered within
/// one kind.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Call: somebody is rung.
    Ringing,
    /// Call: an employee and the client talk.
    Answered,
    /// Chat: the visitor wrote.
    Started,
    /// Chat: an employee took it, and something was written.
    Accepted,
    /// Chat: it was marked. Comes again with every change of the marks.
    Tagged,
    /// Chat: something was written. Comes again with every message.
    Message,
    /// Chat: something was written after its end had been reported. Comes again with every message.
    Continued,
    /// Call or chat: it is over.
    Ended,
    /// Call: its recording can be fetched.
    RecordingReady,
    /// Request: it came.
    Received,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Phase::Ringing => "ringing",
            Phase::Answered => "answered",
            Phase::Started => "started",
            Phase::Accepted => "accepted",
            Phase::Tagged => "tagged",
            Phase::Message => "message",
            Phase::Continued => "continued",
            Phase::Ended => "ended",
            Phase::RecordingReady => "recording_ready",
            Phase::Received => "received",
        })
    }
}

impl Phase {
    /// Says whether a communication comes through the phase more than once.
    pub fn recurs(self) -> bool {
        matches!(self, Phase::Tagged | Phase::Message | Phase::Continued)
    }

    /// Returns the phase that must have been reported before this one can come.
    pub fn only_after(self) -> Option<Phase> {
        (self == Phase::Continued).then_some(Phase::Ended)
    }
}

/// What was said in the snapshot, by kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[schemars(rename = "SnapshotBody")]
pub enum Body {
    /// A call.
    Call {
        /// The call.
        call: Call,
    },
    /// A chat.
    Chat {
        /// The chat.
        chat: Chat,
    },
    /// A site request.
    Request {
        /// The request.
        request: SiteRequest,
    },
}

/// A full picture of one communication at one revision. A revision not above the stored one
/// changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Snapshot {
    /// The communication's stable key.
    pub key: CommunicationKey,
    /// Grows with every change that the source reports.
    pub revision: u64,
    /// The picture.
    pub body: Body,
}

/// By what a client can be recognised, and so what lane the work of a communication stands in.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(tag = "kind", content = "value", rename_all = "snake_case")]
pub enum Address {
    /// A telephone number.
    Phone(Phone),
    /// An e-mail address, lower case.
    Email(String),
    /// A visitor or messenger id, as `channel:id`.
    Visitor(String),
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Phone(phone) => phone.fmt(f),
            Address::Email(text) | Address::Visitor(text) => f.write_str(text),
        }
    }
}

impl Body {
    /// Returns the kind.
    pub fn kind(&self) -> Kind {
        match self {
            Body::Call { .. } => Kind::Call,
            Body::Chat { .. } => Kind::Chat,
            Body::Request { .. } => Kind::Request,
        }
    }

    /// Says whether the communication has come through a phase: one that is skipped counts, but
    /// for the answer of a call that nobody answered, and what a chat shows by itself.
    pub fn has_reached(&self, phase: Phase) -> bool {
        match (self, phase) {
            (Body::Call { call }, Phase::Answered) if !call.is_answered() => false,
            (Body::Chat { chat }, Phase::Accepted) => chat.is_taken() && chat.has_words(),
            (Body::Chat { chat }, Phase::Tagged) => !chat.tags.is_empty(),
            (Body::Chat { chat }, Phase::Message | Phase::Continued) => chat.has_words(),
            _ => phase <= self.phase(),
        }
    }

    /// Tells one coming of a phase that recurs from another: the same for the same marks, or the
    /// same messages in a chat that is as open.
    pub fn turn(&self, phase: Phase) -> Option<String> {
        let Body::Chat { chat } = self else {
            return None;
        };
        let text = match phase {
            Phase::Tagged => {
                let mut tags = chat.tags.clone();
                tags.sort_unstable();
                tags.join("\n")
            }
            Phase::Message | Phase::Continued => {
                let last = chat.messages.last().map(|message| message.id.as_str());
                let (count, over) = (chat.messages.len(), chat.is_over());
                format!("{count} {over} {}", last.unwrap_or_default())
            }
            _ => return None,
        };
        use sha2::{Digest, Sha256};
        let digest = Sha256::digest(text.as_bytes());
        Some(digest.iter().take(8).map(|b| format!("{b:02x}")).collect())
    }

    /// Returns the phase that the communication is in.
    pub fn phase(&self) -> Phase {
        match self {
            Body::Call { call } => match call.phase {
                CallPhase::Ringing => Phase::Ringing,
                CallPhase::Answered => Phase::Answered,
                CallPhase::Ended => Phase::Ended,
                CallPhase::RecordingReady => Phase::RecordingReady,
            },
            Body::Chat { chat } => match chat.phase {
                ChatPhase::Started => Phase::Started,
                ChatPhase::Accepted => Phase::Accepted,
                ChatPhase::Ended => Phase::Ended,
            },
            Body::Request { .. } => Phase::Received,
        }
    }

    /// Returns every address by which the client can be recognised.
    pub fn addresses(&self) -> Vec<Address> {
        match self {
            Body::Call { call } => call
                .client
                .phone()
                .cloned()
                .map(Address::Phone)
                .into_iter()
                .collect(),
            Body::Chat { chat } => {
                let visitor = format!("{}:{}", chat.channel, chat.visitor);
                // A visitor without a name is nobody in particular.
                let visitor = (!chat.visitor.trim().is_empty()).then_some(visitor);
                let visitor = visitor.map(Address::Visitor);
                visitor
                    .into_iter()
                    .chain(chat.phone.clone().map(Address::Phone))
                    .chain(chat.email.as_deref().map(email_address))
                    .collect()
            }
            Body::Request { request } => request
                .phone
                .clone()
                .map(Address::Phone)
                .into_iter()
                .chain(request.email.as_deref().map(email_address))
                .collect(),
        }
    }

    /// Returns when the communication began.
    pub fn started_at(&self) -> Timestamp {
        match self {
            Body::Call { call } => call.started_at,
            Body::Chat { chat } => chat.started_at,
            Body::Request { request } => request.at,
        }
    }
}

fn email_address(text: &str) -> Address {
    Address::Email(text.trim().to_lowercase())
}
