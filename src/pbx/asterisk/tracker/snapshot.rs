//! A call's state as the model's [`Call`], and when a new revision of it is worth telling.
//!
//! Calls among employees are told once, at their end: until then one may turn out to be a
//! consultation inside a client's call, or a pick-up, and would have been a second call.

use serde::{Deserialize, Serialize};

use super::book::{Book, is_own_form};
use super::call::{Call as Followed, Origin};
use super::channel::Part;
use crate::model::call::{Call, CallPhase, CallResult, Direction};
use crate::model::communication::{Body, Snapshot};
use crate::model::ids::{CommunicationKey, Extension, SOURCE_ITEM_BYTES_MAX};
use crate::model::phone::ClientNumber;
use crate::model::timestamp::Timestamp;

/// What was told last, without what grows by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Shown(Call);

impl Shown {
    fn of(call: &Call) -> Self {
        let mut call = call.clone();
        call.waiting_ms = 0;
        call.talking_ms = 0;
        for leg in &mut call.legs {
            leg.talked_from = None;
            leg.talked_until = None;
        }
        Self(call)
    }
}

impl Book {
    /// Returns new revisions of the calls that changed.
    pub(super) fn report(&mut self, at: Timestamp) -> Vec<Snapshot> {
        let mut told = std::mem::take(&mut self.farewells);
        for number in std::mem::take(&mut self.changed) {
            let Some(mut call) = self.calls.remove(&number) else {
                continue;
            };
            if self.worth_telling(&call) {
                let picture = self.picture(&call, false, at);
                told.extend(self.tell(&mut call, picture, at));
            }
            self.calls.insert(number, call);
        }
        told
    }

    /// Closes a call: its last revision, unless nobody need know of it.
    pub(super) fn close(&mut self, number: u64, at: Timestamp) -> Option<Snapshot> {
        let mut call = self.remove(number)?;
        call.settle_unbridged();
        let alone = call.legs.iter().filter(|leg| leg.counts()).count() < 2;
        let internal = self.direction(&call) == Direction::Internal;
        if internal && alone && call.shown.is_none() {
            // An employee who listened to the voicemail or dialled a feature code.
            return None;
        }
        let picture = self.picture(&call, true, at);
        self.tell(&mut call, picture, at)
    }

    /// The last word of a call that became part of another.
    pub(super) fn report_merged(&self, call: &mut Followed, at: Timestamp) -> Option<Snapshot> {
        let mut picture = self.picture(call, true, at);
        picture.direction = Direction::Internal;
        self.tell(call, picture, at)
    }

    /// Says whether an open call is told of already.
    fn worth_telling(&self, call: &Followed) -> bool {
        match self.direction(call) {
            Direction::Incoming => true,
            // A line that is about to be dialled has no number for a moment, and what the
            // employee dialled may have a prefix that the trunk does not get.
            Direction::Outgoing => {
                let number = self.client(call, Direction::Outgoing);
                let known = number.phone().is_some()
                    || (call.dial_string.is_some() && number != ClientNumber::Withheld);
                call.has_client() && (call.talk.first.is_some() || known)
            }
            Direction::Internal => false,
        }
    }

    fn tell(&self, call: &mut Followed, picture: Call, at: Timestamp) -> Option<Snapshot> {
        let shown = Shown::of(&picture);
        if call.shown.as_ref() == Some(&shown) {
            return None;
        }
        let item = item(&call.linkedid, call.started_at);
        let key = CommunicationKey::new(self.settings.source.clone(), &item).ok()?;
        // Taken from the time so that it also grows over a lost checkpoint.
        let by_time = u64::try_from(at.as_millis()).unwrap_or(0);
        call.revision = call.revision.saturating_add(1).max(by_time);
        call.shown = Some(shown);
        Some(Snapshot {
            key,
            revision: call.revision,
            body: Body::Call { call: picture },
        })
    }

    pub(super) fn direction(&self, call: &Followed) -> Direction {
        let to_outside = |text: &Option<String>| {
            let text = text.as_deref().unwrap_or_default();
            self.settings
                .numbers
                .outgoing_number(text)
                .phone()
                .is_some()
        };
        let line = call.channels.iter().any(|one| one.part == Part::Client);
        let others = call.legs.len() > 1;
        match call.origin {
            Origin::Client => Direction::Incoming,
            _ if line => Direction::Outgoing,
            // The trunk took nothing at all: only what was dialled tells.
            Origin::Employee if !others && to_outside(&call.dialled) => Direction::Outgoing,
            Origin::Pbx if to_outside(&call.originate_exten) => Direction::Outgoing,
            Origin::Pbx if !others && call.click_to_call.is_some() => Direction::Outgoing,
            Origin::Employee | Origin::Pbx => Direction::Internal,
        }
    }

    fn client(&self, call: &Followed, direction: Direction) -> ClientNumber {
        let numbers = &self.settings.numbers;
        match direction {
            Direction::Incoming => {
                numbers.incoming_number(call.client_raw.as_deref().unwrap_or_default())
            }
            Direction::Outgoing => {
                let dialled = call
                    .dialled
                    .as_deref()
                    .filter(|_| call.origin == Origin::Employee);
                let string = call.dial_string.as_deref().map(number_of_dial_string);
                let all = [call.originate_exten.as_deref(), dialled, string];
                let read = |text: &&str| numbers.outgoing_number(text);
                let texts = || all.iter().flatten().filter(|text| is_number(text));
                texts()
                    .map(read)
                    .find(|number| number.phone().is_some())
                    .or_else(|| texts().next_back().map(read))
                    .unwrap_or(ClientNumber::Withheld)
            }
            Direction::Internal => match call.dialled.clone() {
                Some(text) => ClientNumber::Other { text },
                None => ClientNumber::Withheld,
            },
        }
    }

    fn picture(&self, call: &Followed, over: bool, at: Timestamp) -> Call {
        let direction = self.direction(call);
        let ended_at = over.then(|| call.ended_at.unwrap_or(at));
        let until = ended_at.unwrap_or(at);
        let talk = &call.talk;
        let waiting = talk.first.unwrap_or(until).since(call.started_at);
        let (phase, result) = match (over, talk.first) {
            (true, Some(_)) => (CallPhase::Ended, CallResult::Answered),
            (true, None) => (CallPhase::Ended, call.unanswered(direction)),
            (false, Some(_)) => (CallPhase::Answered, CallResult::Answered),
            (false, None) => (CallPhase::Ringing, CallResult::Open),
        };
        Call {
            direction,
            phase,
            result,
            client: self.client(call, direction),
            client_name: call.client_name.clone(),
            our_number: our_number(call, direction),
            caller_extension: match direction {
                Direction::Incoming => None,
                Direction::Outgoing | Direction::Internal => caller(call),
            },
            started_at: call.started_at,
            answered_at: talk.first,
            ended_at,
            waiting_ms: u64::try_from(waiting.as_millis()).unwrap_or(u64::MAX),
            talking_ms: talk.total_ms(until),
            legs: call
                .legs
                .iter()
                .filter(|leg| leg.counts())
                .map(|leg| leg.to_model())
                .collect(),
            talkers: talk.talkers.clone(),
            last_talker: talk.last.clone(),
            queues: call.queues.clone(),
            recordings: call.recordings.clone(),
            click_to_call: call.click_to_call.clone(),
            blind: call.blind.clone(),
            tags: Vec::new(),
            details: Default::default(),
        }
    }
}

fn caller(call: &Followed) -> Option<Extension> {
    let first = || call.legs.first().map(|leg| leg.extension.clone());
    call.caller_extension.clone().or_else(first)
}

fn our_number(call: &Followed, direction: Direction) -> Option<String> {
    let own = call.caller_extension.as_ref().map(|one| one.0.as_str());
    let (first, variable, cdr) = match direction {
        Direction::Incoming => (&call.dialled, &call.did_variable, &call.did_cdr),
        Direction::Outgoing => (&call.shown_number, &call.did_cdr, &None),
        Direction::Internal => return None,
    };
    [first, variable, cdr]
        .into_iter()
        .flatten()
        .find(|text| is_number(text) && Some(text.as_str()) != own)
        .cloned()
}

/// Says whether a text is a number rather than a step of the dialplan such as `s` or `start`.
fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('+').unwrap_or(text);
    digits.len() > 1 && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// Takes the number out of what was dialled on a trunk: `number@trunk`, `trunk/number`,
/// `trunk/sip:number@host`.
fn number_of_dial_string(text: &str) -> &str {
    let last = text.rsplit('/').next().unwrap_or(text);
    let last = last.strip_prefix("sip:").unwrap_or(last);
    last.split(['@', ':', '^', ';']).next().unwrap_or(last)
}

/// Names the communication: a Linkedid of our own choice may come again on another day.
fn item(linkedid: &str, started_at: Timestamp) -> String {
    // Room for the date; Asterisk permits 149 bytes (`pbx/asterisk.md` §3).
    let mut name = String::new();
    for c in linkedid.chars() {
        if name.len() + c.len_utf8() > SOURCE_ITEM_BYTES_MAX - 16 {
            break;
        }
        name.push(c);
    }
    if is_own_form(&name) {
        return name;
    }
    let moment = started_at.to_string();
    let day = moment.split('T').next().unwrap_or(&moment);
    format!("{name}@{day}")
}
