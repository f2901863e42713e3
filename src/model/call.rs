//! A telephone call as the company lived it: one conversation, however many channels it took.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ids::Extension;
use super::phone::ClientNumber;
use super::timestamp::Timestamp;

/// Who called whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// A client called the company.
    Incoming,
    /// An employee called a client.
    Outgoing,
    /// Employees among themselves (S1-28).
    Internal,
}

/// How far a call has got. Ordered.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum CallPhase {
    /// Somebody is being rung, or waits.
    Ringing,
    /// An employee and the client talk, or have talked and the call goes on.
    Answered,
    /// It is over.
    Ended,
    /// It is over and its recording can be fetched.
    RecordingReady,
}

/// Why nobody talked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MissReason {
    /// It rang until the time was over.
    NoAnswer,
    /// Everybody who was rung was busy; outgoing: the client was busy.
    Busy,
    /// The phone was refused by hand.
    Declined,
    /// The caller hung up first.
    CallerGaveUp,
    /// The caller left a queue, or the queue's time ran out.
    AbandonedInQueue,
    /// Nobody could be rung: no phone was registered, or nobody was to be rung.
    NobodyRung,
    /// The trunk or the network refused the number.
    Failed,
}

/// What a call came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum CallResult {
    /// Not over, and nobody has talked yet.
    Open,
    /// An employee talked with the client. A greeting, a menu, music or voicemail is no talk.
    Answered,
    /// Over, and nobody talked.
    Missed {
        /// Why.
        reason: MissReason,
    },
    /// A click-to-call whose employee did not pick up: the client was never called.
    EmployeeNotReached {
        /// `Busy` or `NoAnswer`, as the employee's phone said.
        reason: MissReason,
    },
}

/// What happened to one employee's phone during a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CallLeg {
    /// Whose phone.
    pub extension: Extension,
    /// When it first was rung, or when the employee dialled.
    pub rung_at: Timestamp,
    /// When the employee first talked with the client in this call.
    pub talked_from: Option<Timestamp>,
    /// When the employee last stopped talking with the client.
    pub talked_until: Option<Timestamp>,
}

/// A call. Always a full picture, never a difference from an earlier one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Call {
    /// Who called whom.
    pub direction: Direction,
    /// How far it has got.
    pub phase: CallPhase,
    /// What it came to so far.
    pub result: CallResult,
    /// The outside party.
    pub client: ClientNumber,
    /// The outside party's name as the PBX showed it, when it did.
    #[serde(default)]
    pub client_name: Option<String>,
    /// The company's number: the one called (DID), or the one shown to the client.
    #[serde(default)]
    pub our_number: Option<String>,
    /// The extension that placed an outgoing or internal call.
    #[serde(default)]
    pub caller_extension: Option<Extension>,
    /// When the first channel of the call appeared.
    pub started_at: Timestamp,
    /// When an employee first talked with the client.
    #[serde(default)]
    pub answered_at: Option<Timestamp>,
    /// When the last channel was gone.
    #[serde(default)]
    pub ended_at: Option<Timestamp>,
    /// Milliseconds from the start until the first talk, or until the end when nobody talked.
    pub waiting_ms: u64,
    /// Milliseconds during which at least one employee talked with the client.
    pub talking_ms: u64,
    /// Employees' phones that were rung, dialled from or picked up with, in order of appearance;
    /// one entry an extension.
    #[serde(default)]
    pub legs: Vec<CallLeg>,
    /// Who talked, in order; an employee who talked twice stands once, at the first talk.
    #[serde(default)]
    pub talkers: Vec<Extension>,
    /// Who talked last: differs from the last of `talkers` when a call came back to somebody.
    #[serde(default)]
    pub last_talker: Option<Extension>,
    /// The queues that the call went through, in order.
    #[serde(default)]
    pub queues: Vec<String>,
    /// Recordings that the PBX named, in order: file names or paths as the PBX wrote them.
    #[serde(default)]
    pub recordings: Vec<String>,
    /// Our own name of the click-to-call request that began it.
    #[serde(default)]
    pub click_to_call: Option<String>,
    /// What we did not see of it, in plain words: the link was down, or it was running already
    /// when we came. Empty for a call that was seen whole.
    #[serde(default)]
    pub blind: Option<String>,
    /// Marks that an employee or the source set.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// What else the source knows of it, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub details: BTreeMap<String, String>,
}

impl Call {
    /// Returns who talked first.
    pub fn first_talker(&self) -> Option<&Extension> {
        self.talkers.first()
    }

    /// Says whether an employee talked with the client.
    pub fn is_answered(&self) -> bool {
        matches!(self.result, CallResult::Answered)
    }

    /// Says whether the call is over.
    pub fn is_over(&self) -> bool {
        self.phase >= CallPhase::Ended
    }

    /// Returns the extensions that were rung or dialled from, in order of appearance.
    pub fn rung(&self) -> impl Iterator<Item = &Extension> {
        self.legs.iter().map(|leg| &leg.extension)
    }
}
