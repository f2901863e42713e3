//! A channel's states and its end.

use std::time::Duration;

use super::super::book::{Book, is_own_form};
use super::super::call::{Call, Origin};
use super::super::channel::{Part, Side};
use super::super::leg::LegOutcome;
use super::super::settings::kept;
use crate::model::timestamp::Timestamp;
use crate::pbx::asterisk::ami_message::Message;

/// DialEnd of the phones may overtake the HangupRequest of the client that caused it.
const OVERTAKING_MAX: Duration = Duration::from_millis(500);

pub(super) fn state(book: &mut Book, message: &Message, at: Timestamp) {
    let Some(id) = message.value("Uniqueid") else {
        return;
    };
    match message.value("ChannelState") {
        Some("4") => book.calls_by_itself(id, message.value("Exten"), at),
        Some("5") => book.ringing(id, at),
        Some("6") => {
            if let Some(channel) = book.channel_mut(id).filter(|one| one.alive() && !one.up) {
                channel.up = true;
                book.dirty = true;
            }
        }
        _ => {}
    }
}

pub(super) fn hangup(book: &mut Book, message: &Message, at: Timestamp) {
    if let Some(id) = message.value("Uniqueid") {
        let cause = message.value("Cause").and_then(|cause| cause.parse().ok());
        book.end_channel(id, cause, at);
    }
}

/// A HangupRequest on the client's channel says that the client hung up.
pub(super) fn hangup_request(book: &mut Book, message: &Message, at: Timestamp) {
    let Some(id) = message.value("Uniqueid") else {
        return;
    };
    let client = book
        .channel(id)
        .is_some_and(|one| one.part == Part::Client && one.alive());
    if !client {
        return;
    }
    if let Some(call) = book.call_mut(id)
        && call.origin == Origin::Client
        && call.talk.first.is_none()
    {
        call.gave_up |= call.awaits_answer(at);
    }
}

pub(super) fn rename(book: &mut Book, message: &Message) {
    let (Some(id), Some(name)) = (message.value("Uniqueid"), message.value("Newname")) else {
        return;
    };
    let name = kept(name);
    let Some(channel) = book.channel_mut(id).filter(|one| one.alive()) else {
        return;
    };
    let old = std::mem::replace(&mut channel.name, name.clone());
    if book.names.get(&old).is_some_and(|owner| owner == id) {
        book.names.remove(&old);
    }
    book.names.insert(name, id.to_owned());
    book.dirty = true;
}

impl Call {
    /// Says whether somebody is being rung, or nobody was yet.
    fn awaits_answer(&self, at: Timestamp) -> bool {
        let rung = || self.legs.iter().filter(|leg| leg.counts());
        let waiting = |outcome| match outcome {
            None => true,
            Some((LegOutcome::Cancelled, when)) => at.since(when) <= OVERTAKING_MAX,
            Some(_) => false,
        };
        rung().next().is_none() || rung().any(|leg| waiting(leg.outcome))
    }
}

impl Book {
    /// Takes note that a called phone rings.
    pub(in super::super) fn ringing(&mut self, id: &str, at: Timestamp) {
        let Some(channel) = self.channel_mut(id).filter(|one| one.alive()) else {
            return;
        };
        if channel.ringing {
            return;
        }
        channel.ringing = true;
        let (called, extension) = (channel.side == Side::Called, channel.extension().cloned());
        if let (Some(call), Some(extension), true) = (self.call_mut(id), extension, called)
            && let Some(leg) = call.leg(&extension, at)
        {
            leg.reached = true;
        }
    }

    /// Takes note that a first channel that seemed about to be called is the one that calls: some
    /// drivers open it before they know.
    pub(super) fn calls_by_itself(&mut self, id: &str, exten: Option<&str>, at: Timestamp) {
        let Some(number) = self.call_of(id) else {
            return;
        };
        let Some(call) = self
            .calls
            .get_mut(&number)
            .filter(|call| call.origin == Origin::Pbx)
        else {
            return;
        };
        let Some(root) = call.channels.first_mut().filter(|one| {
            one.uniqueid == id
                && one.side == Side::Called
                && !one.dialled
                && !one.is_joint()
                && is_own_form(id)
        }) else {
            return;
        };
        root.side = Side::Calling;
        let extension = root.extension().cloned();
        (call.client_raw, call.client_name) = (root.caller.clone(), root.caller_name.clone());
        call.origin = match extension {
            Some(_) => Origin::Employee,
            None => Origin::Client,
        };
        call.dialled = exten.map(kept).or(call.dialled.take());
        if let Some(extension) = extension {
            if let Some(leg) = call.leg(&extension, at) {
                leg.reached = true;
            }
            call.caller_extension = Some(extension);
        }
        self.decide_line(id, None, at);
        self.changed.insert(number);
        self.dirty = true;
    }

    /// Ends a channel, once: what it came to, its place in a bridge, the end of its call.
    pub(in super::super) fn end_channel(&mut self, id: &str, cause: Option<u32>, at: Timestamp) {
        let before = self.joined(id);
        let Some(call) = self.call_mut(id) else {
            return;
        };
        let Some(channel) = call.channel_mut(id).filter(|one| one.alive()) else {
            return;
        };
        channel.ended = Some(at);
        channel.cause = cause;
        let (name, bridge) = (channel.name.clone(), channel.bridge.take());
        let unanswered = channel.side == Side::Called && !channel.up;
        let rung = channel.dialled || channel.ringing;
        let (dial, extension) = (channel.dial, channel.extension().cloned());
        if let (Some(extension), true) = (extension, unanswered && rung)
            && let Some(leg) = call.leg(&extension, at)
        {
            let when = leg.outcome.map_or(at, |(_, when)| when);
            leg.outcome = Some((LegOutcome::of(dial.map(|(one, _)| one), cause), when));
        }
        call.note_outside(id);
        call.last_seen = call.last_seen.max(at);
        if call.had_ends() && !call.any_end_alive() {
            call.ended_at.get_or_insert(at);
        } else if !call.any_alive() {
            call.ended_at = Some(at);
        }
        if self.names.get(&name).is_some_and(|owner| owner == id) {
            self.names.remove(&name);
        }
        self.leave_bridge(id, bridge.as_deref());
        self.settle_talk(&before, at);
    }
}
