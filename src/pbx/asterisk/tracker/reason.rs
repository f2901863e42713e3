//! Why nobody talked (`pbx/asterisk.md` §2: neither causes nor DialEnd alone tell).

use super::call::{Call, Origin};
use super::channel::{Channel, DialResult, Part};
use super::leg::{Leg, LegOutcome};
use crate::model::call::{CallResult, Direction, MissReason};
use crate::model::timestamp::Timestamp;

/// A DialEnd that is followed by no bridge counts as an answer from this length on.
const UNBRIDGED_TALK_MIN_MS: u128 = 1000;

impl Call {
    /// Says what an unanswered call came to.
    pub(super) fn unanswered(&self, direction: Direction) -> CallResult {
        let line = self.channels.iter().any(|one| one.part == Part::Client);
        let reason = match direction {
            Direction::Incoming => self.missed_incoming(),
            Direction::Internal => self.missed_by_legs(|_| true),
            Direction::Outgoing if line => self.outside_result.unwrap_or(MissReason::NoAnswer),
            Direction::Outgoing => {
                if self.origin == Origin::Pbx && !self.employee_answered() {
                    return CallResult::EmployeeNotReached {
                        reason: self.employee_refusal(),
                    };
                }
                MissReason::Failed
            }
        };
        CallResult::Missed { reason }
    }

    fn employee_answered(&self) -> bool {
        let answered = |leg: &Leg| matches!(leg.outcome, Some((LegOutcome::Answered, _)));
        let up = |one: &Channel| one.up && one.extension().is_some();
        self.legs.iter().any(answered) || self.channels.iter().any(up)
    }

    fn employee_refusal(&self) -> MissReason {
        match self.missed_by_legs(|_| true) {
            MissReason::Busy => MissReason::Busy,
            _ => MissReason::NoAnswer,
        }
    }

    fn missed_incoming(&self) -> MissReason {
        if let Some(left) = self.queue_left {
            let later = |leg: &Leg| leg.rung_last >= left;
            if !self.legs.iter().any(later) {
                return MissReason::AbandonedInQueue;
            }
            if self.gave_up {
                return MissReason::CallerGaveUp;
            }
            return self.missed_by_legs(later);
        }
        if self.gave_up {
            return MissReason::CallerGaveUp;
        }
        self.missed_by_legs(|_| true)
    }

    fn missed_by_legs(&self, which: impl Fn(&Leg) -> bool) -> MissReason {
        let outcomes: Vec<LegOutcome> = self
            .legs
            .iter()
            .filter(|leg| leg.counts() && which(leg))
            .filter(|leg| self.caller_extension.as_ref() != Some(&leg.extension))
            .map(|leg| leg.outcome.map_or(LegOutcome::NoAnswer, |(one, _)| one))
            .collect();
        let all = |wanted: &[LegOutcome]| outcomes.iter().all(|one| wanted.contains(one));
        if outcomes.is_empty() {
            MissReason::NobodyRung
        } else if all(&[LegOutcome::Busy]) {
            MissReason::Busy
        } else if all(&[LegOutcome::Declined, LegOutcome::Busy]) {
            MissReason::Declined
        } else {
            MissReason::NoAnswer
        }
    }

    /// Reads what an outside leg of an outgoing call came to.
    pub(super) fn note_outside(&mut self, uniqueid: &str) {
        let Some(line) = self
            .channel(uniqueid)
            .filter(|one| one.part == Part::Client)
        else {
            return;
        };
        self.outside_result = outside_reason(line).or(self.outside_result);
    }

    /// Where no bridge was seen at all, an answered dial that lasted is a talk.
    pub(super) fn settle_unbridged(&mut self) {
        if self.bridged || self.talk.first.is_some() || !self.has_client() {
            return;
        }
        let Some(ended_at) = self.ended_at else {
            return;
        };
        let answered = |one: &Channel| match one.dial {
            Some((DialResult::Answered, at)) => Some((at, one.ended.unwrap_or(ended_at))),
            _ => None,
        };
        let talk: Option<(Timestamp, Timestamp)> = self
            .channels
            .iter()
            .filter(|one| match self.origin {
                Origin::Client => matches!(one.part, Part::Employee { .. }),
                Origin::Employee | Origin::Pbx => one.part == Part::Client,
            })
            .find_map(answered);
        let Some((from, until)) = talk else {
            return;
        };
        // Where the end was not seen the bridge may have been missed as well.
        let seen_whole = self.blind.is_none();
        if seen_whole && until.since(from).as_millis() < UNBRIDGED_TALK_MIN_MS {
            return;
        }
        let who = match self.origin {
            Origin::Employee | Origin::Pbx => self.caller_extension.clone(),
            Origin::Client => self
                .legs
                .iter()
                .find(|leg| matches!(leg.outcome, Some((LegOutcome::Answered, _))))
                .map(|leg| leg.extension.clone()),
        };
        let who: Vec<_> = who.into_iter().collect();
        self.set_talk(&who, true, from);
        self.set_talk(&[], false, until);
    }
}

/// Q.850 causes by which a network refuses a number rather than the person behind it.
const CAUSES_REFUSED: [u32; 14] = [1, 2, 3, 20, 22, 27, 28, 34, 38, 41, 42, 47, 50, 58];

fn outside_reason(line: &Channel) -> Option<MissReason> {
    let dial = line.dial.map(|(result, _)| result);
    let refused = line
        .cause
        .is_some_and(|cause| CAUSES_REFUSED.contains(&cause));
    match (dial, line.cause) {
        (None, None) => None,
        (Some(DialResult::Busy), _) | (_, Some(17)) => Some(MissReason::Busy),
        (Some(DialResult::Unavailable), _) => Some(MissReason::Failed),
        (Some(DialResult::Cancelled), _) => Some(MissReason::NoAnswer),
        // 603 of a person follows ringing, 403 of a trunk does not.
        (_, Some(21)) if line.ringing => Some(MissReason::Declined),
        (_, Some(21)) => Some(MissReason::Failed),
        _ if refused => Some(MissReason::Failed),
        _ => Some(MissReason::NoAnswer),
    }
}
