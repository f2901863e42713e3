//! What happened to one employee's phone in a call.

use serde::{Deserialize, Serialize};

use super::channel::DialResult;
use crate::model::call::CallLeg;
use crate::model::ids::Extension;
use crate::model::timestamp::Timestamp;

/// What the last ringing of a phone came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum LegOutcome {
    Busy,
    Declined,
    NoAnswer,
    Cancelled,
    Unavailable,
    Answered,
}

/// Refused by hand (`pbx/asterisk.md` §2: a decline is NOANSWER with this cause).
const CAUSE_REJECTED: u32 = 21;
const CAUSE_BUSY: u32 = 17;

impl LegOutcome {
    /// Joins what DialEnd said with the cause of the Hangup: neither alone tells.
    pub(super) fn of(dial: Option<DialResult>, cause: Option<u32>) -> Self {
        match (dial, cause) {
            (Some(DialResult::Answered), _) => LegOutcome::Answered,
            (Some(DialResult::Busy), _) | (_, Some(CAUSE_BUSY)) => LegOutcome::Busy,
            (_, Some(CAUSE_REJECTED)) => LegOutcome::Declined,
            (Some(DialResult::Cancelled), _) => LegOutcome::Cancelled,
            (Some(DialResult::Unavailable), _) => LegOutcome::Unavailable,
            (Some(DialResult::NoAnswer | DialResult::Other) | None, _) => LegOutcome::NoAnswer,
        }
    }
}

/// The phone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Leg {
    pub(super) extension: Extension,
    pub(super) rung_at: Timestamp,
    /// When it was last rung.
    pub(super) rung_last: Timestamp,
    /// It rang, spoke, or dialled itself.
    pub(super) reached: bool,
    /// What the last ringing came to; `None` while it rings.
    pub(super) outcome: Option<(LegOutcome, Timestamp)>,
    pub(super) talked_from: Option<Timestamp>,
    pub(super) talked_until: Option<Timestamp>,
}

impl Leg {
    pub(super) fn new(extension: Extension, at: Timestamp) -> Self {
        Self {
            extension,
            rung_at: at,
            rung_last: at,
            reached: false,
            outcome: None,
            talked_from: None,
            talked_until: None,
        }
    }

    /// Says whether the phone counts as rung: a device that could not be reached did not ring.
    pub(super) fn counts(&self) -> bool {
        self.reached
            || self.talked_from.is_some()
            || !matches!(self.outcome, Some((LegOutcome::Unavailable, _)))
    }

    /// Takes what another call knew of the same phone.
    pub(super) fn absorb(&mut self, other: &Leg) {
        self.rung_at = self.rung_at.min(other.rung_at);
        self.reached |= other.reached;
        if other.rung_last >= self.rung_last {
            self.rung_last = other.rung_last;
            self.outcome = other.outcome;
        }
    }

    pub(super) fn to_model(&self) -> CallLeg {
        CallLeg {
            extension: self.extension.clone(),
            rung_at: self.rung_at,
            talked_from: self.talked_from,
            talked_until: self.talked_until,
        }
    }
}
