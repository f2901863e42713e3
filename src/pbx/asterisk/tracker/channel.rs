//! One channel of a call: what it is the end of, and what has happened to it.

use serde::{Deserialize, Serialize};

use super::settings::kept;
use crate::model::ids::Extension;
use crate::model::timestamp::Timestamp;
use crate::pbx::asterisk::ami_message::Message;
use crate::pbx::asterisk::channels::{ChannelRules, Endpoint};

/// A channel's part in the conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum Part {
    /// An employee's phone.
    Employee { extension: Extension },
    /// The client.
    Client,
    /// An outside line that answers for the company: a phone that forwards its calls to a mobile.
    StandIn { extension: Option<Extension> },
    /// Another outside party: the target of a transfer to the outside.
    Outside,
    /// A line to the outside of which nothing is known yet.
    Line,
    /// A Local half or a pseudo channel: only joins others.
    Joint,
}

/// Which side began the channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Side {
    /// It called the PBX.
    Calling,
    /// The PBX calls it.
    Called,
}

/// How the dialling of a channel ended. The first word wins: queues say it twice
/// (`pbx/asterisk.md` §2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum DialResult {
    Answered,
    Busy,
    Cancelled,
    NoAnswer,
    Unavailable,
    Other,
}

impl DialResult {
    pub(super) fn read(status: &str) -> Self {
        match status.to_ascii_uppercase().as_str() {
            "ANSWER" => DialResult::Answered,
            "BUSY" => DialResult::Busy,
            "CANCEL" => DialResult::Cancelled,
            "NOANSWER" => DialResult::NoAnswer,
            "CHANUNAVAIL" | "CONGESTION" => DialResult::Unavailable,
            _ => DialResult::Other,
        }
    }
}

/// The channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Channel {
    pub(super) uniqueid: String,
    pub(super) linkedid: String,
    pub(super) name: String,
    pub(super) part: Part,
    pub(super) side: Side,
    /// When it was first seen, or when it began as far as a list told.
    pub(super) since: Timestamp,
    /// Caller id and extension at first sight: later ones are rewritten by the dialplan.
    pub(super) caller: Option<String>,
    pub(super) caller_name: Option<String>,
    pub(super) exten: Option<String>,
    pub(super) ringing: bool,
    pub(super) up: bool,
    pub(super) dialled: bool,
    pub(super) dial: Option<(DialResult, Timestamp)>,
    pub(super) bridge: Option<String>,
    pub(super) ended: Option<Timestamp>,
    pub(super) cause: Option<u32>,
    /// Seen in an event since the link was lost, so alive whatever a list says.
    #[serde(default)]
    pub(super) seen_after_loss: bool,
}

impl Channel {
    pub(super) fn alive(&self) -> bool {
        self.ended.is_none()
    }

    pub(super) fn is_joint(&self) -> bool {
        self.part == Part::Joint
    }

    pub(super) fn extension(&self) -> Option<&Extension> {
        match &self.part {
            Part::Employee { extension } => Some(extension),
            Part::StandIn { extension } => extension.as_ref(),
            Part::Client | Part::Outside | Part::Line | Part::Joint => None,
        }
    }
}

/// The block of headers that describes one channel in an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Block {
    pub(super) uniqueid: String,
    pub(super) linkedid: String,
    pub(super) name: String,
    pub(super) state: Option<u8>,
    pub(super) caller: Option<String>,
    pub(super) caller_name: Option<String>,
    pub(super) context: Option<String>,
    pub(super) exten: Option<String>,
}

impl Block {
    /// Reads the block whose headers begin with `prefix`; `None` when there is no such channel.
    pub(super) fn read(message: &Message, prefix: &str) -> Option<Self> {
        let text = |name: &str| {
            let value = message.value(&format!("{prefix}{name}"))?;
            Some(kept(value)).filter(|value| !value.is_empty())
        };
        let uniqueid = text("Uniqueid")?;
        Some(Self {
            linkedid: text("Linkedid").unwrap_or_else(|| uniqueid.clone()),
            name: text("Channel").unwrap_or_default(),
            state: text("ChannelState").and_then(|state| state.parse().ok()),
            caller: text("CallerIDNum"),
            caller_name: text("CallerIDName"),
            context: text("Context"),
            exten: text("Exten"),
            uniqueid,
        })
    }

    /// Says which side began the channel, by its state at first sight: 0 is one that the PBX is
    /// about to call, 5 one that it rings (`pbx/asterisk.md` §2).
    pub(super) fn side(&self) -> Side {
        match self.state {
            Some(0 | 5) => Side::Called,
            _ => Side::Calling,
        }
    }

    /// Makes the channel at its first sight.
    pub(super) fn channel(&self, rules: &ChannelRules, side: Side, at: Timestamp) -> Channel {
        // An AMI redirect swaps a channel through one of this name; it is nobody's end.
        let part = if self.name.starts_with("AsyncGoto/") {
            Part::Joint
        } else {
            match rules.classify(&self.name, self.context.as_deref()) {
                Endpoint::Extension(extension) => Part::Employee { extension },
                Endpoint::Trunk(_) => Part::Line,
                Endpoint::Local | Endpoint::Other => Part::Joint,
            }
        };
        Channel {
            uniqueid: self.uniqueid.clone(),
            linkedid: self.linkedid.clone(),
            name: self.name.clone(),
            part,
            side,
            since: at,
            caller: self.caller.clone(),
            caller_name: self.caller_name.clone(),
            exten: self.exten.clone(),
            ringing: self.state == Some(5),
            up: self.state == Some(6),
            dialled: false,
            dial: None,
            bridge: None,
            ended: None,
            cause: None,
            seen_after_loss: false,
        }
    }
}

/// Returns the name of the other half of a Local pair: `Local/…;1` and `Local/…;2`.
pub(super) fn other_half(name: &str) -> Option<String> {
    if !name.starts_with("Local/") {
        return None;
    }
    let (stem, half) = name.rsplit_once(';')?;
    match half {
        "1" => Some(format!("{stem};2")),
        "2" => Some(format!("{stem};1")),
        _ => None,
    }
}
