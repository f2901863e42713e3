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
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Call: somebody is rung.
    Ringing,
    /// Call: an employee and the client talk.
    Answered,
    /// Chat: the visitor wrote.
    Started,
    /// Chat: an employee took it.
    Accepted,
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
            Phase::Ended => "ended",
            Phase::RecordingReady => "recording_ready",
            Phase::Received => "received",
        })
    }
}

/// What was said in the snapshot, by kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The communication's stable key.
    pub key: CommunicationKey,
    /// Grows with every change that the source reports.
    pub revision: u64,
    /// The picture.
    pub body: Body,
}

/// By what a client can be recognised, and so what lane the work of a communication stands in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
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
    /// for the answer of a call that nobody answered.
    pub fn has_reached(&self, phase: Phase) -> bool {
        let unanswered = matches!(self, Body::Call { call } if !call.is_answered());
        phase <= self.phase() && !(unanswered && phase == Phase::Answered)
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
                let visitor = Address::Visitor(format!("{}:{}", chat.channel, chat.visitor));
                std::iter::once(visitor)
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
