//! Who dials whom, and how it ends. A DialEnd may come twice, or without a DialBegin (pick-up).

use super::super::book::Book;
use super::super::call::Origin;
use super::super::channel::{DialResult, Part, Side};
use super::super::leg::LegOutcome;
use super::super::settings::kept;
use crate::model::timestamp::Timestamp;
use crate::pbx::asterisk::ami_message::Message;

pub(super) fn begin(book: &mut Book, message: &Message, at: Timestamp) {
    let Some(called) = message.value("DestUniqueid") else {
        return;
    };
    // Absent when the PBX dials by itself.
    let dialler = message.value("Uniqueid");
    if let Some(dialler) = dialler {
        book.unite_ids(dialler, called, at);
        book.calls_by_itself(dialler, message.value("Exten"), at);
    }
    let Some(channel) = book.channel_mut(called).filter(|one| one.alive()) else {
        return;
    };
    let again = channel.dialled;
    channel.dialled = true;
    channel.side = Side::Called;
    let rings = channel.ringing;
    let employee = match &channel.part {
        Part::Employee { extension } => Some(extension.clone()),
        _ => None,
    };
    book.decide_line(called, dialler, at);
    let Some(call) = book.call_mut(called) else {
        return;
    };
    let line = call.channel(called).map(|one| one.part.clone());
    if let (Some(extension), false) = (employee, again)
        && let Some(leg) = call.leg(&extension, at)
    {
        leg.reached |= rings;
        leg.rung_last = at;
        // A device that a queue tries in vain again and again is not rung each time.
        if leg.counts() {
            leg.outcome = None;
        }
    }
    if line == Some(Part::Client) && call.origin != Origin::Client {
        if let Some(string) = message.value("DialString") {
            call.dial_string = Some(kept(string));
        }
        let number = match dialler {
            Some(_) => message.value("CallerIDNum"),
            None => message.value("DestConnectedLineNum"),
        };
        if let Some(number) = number {
            call.shown_number = Some(kept(number));
        }
    }
}

pub(super) fn state(book: &mut Book, message: &Message, at: Timestamp) {
    let ringing = message
        .value("DialStatus")
        .is_some_and(|status| status.eq_ignore_ascii_case("RINGING"));
    if let (Some(called), true) = (message.value("DestUniqueid"), ringing) {
        book.ringing(called, at);
    }
}

pub(super) fn end(book: &mut Book, message: &Message, at: Timestamp) {
    let (Some(called), Some(status)) = (message.value("DestUniqueid"), message.value("DialStatus"))
    else {
        return;
    };
    if let Some(dialler) = message.value("Uniqueid") {
        book.unite_ids(dialler, called, at);
    }
    let forwarded = message.value("Forward").is_some();
    let by_local = message
        .value("DestChannel")
        .and_then(|name| book.settings.channels.extension_of_local(name));
    let result = DialResult::read(status);
    let Some(call) = book.call_mut(called) else {
        return;
    };
    let Some(channel) = call.channel_mut(called) else {
        return;
    };
    if channel.dial.is_some() {
        return;
    }
    channel.dial = Some((result, at));
    let extension = channel.extension().cloned();
    let outcome = LegOutcome::of(Some(result), channel.cause);
    if forwarded && call.talk.first.is_none() {
        call.forwarded_by = extension.clone().or(by_local).or(call.forwarded_by.take());
    }
    if let Some(extension) = extension
        && let Some(leg) = call.leg(&extension, at)
    {
        leg.outcome = Some((outcome, at));
    }
    call.note_outside(called);
}
