//! Recognises a call that has another id in the history than in the events: whether `callid` and
//! `uid` are the same is not known (`pbx/megafon.md` A3), so that client, start and user count too.

use std::time::Duration;

use super::super::wire::history::{HistoryItem, Way};
use super::facts::{Part, SAME_START_S, Teller, TrackedCall};
use super::{Book, TrackerSettings};
use crate::model::phone::Phone;
use crate::model::timestamp::Timestamp;

/// How far the phone system's clock may be from ours, and how late an event may come.
const CLOCK_SLACK: Duration = Duration::from_secs(30);

/// The name of a call that is the same.
pub(super) struct Same(pub(super) String);

impl Book {
    /// Finds the call that a record of an unknown id tells of.
    pub(super) fn same_call(
        &self,
        item: &HistoryItem,
        by: Teller,
        settings: &TrackerSettings,
    ) -> Option<Same> {
        let phone = phone_of(item.phone.as_deref()?, item.way, settings)?;
        let candidates = self.calls.iter().filter(|(_, call)| {
            call.client_phone(settings).as_ref() == Some(&phone)
                && call.part_matching(item, by).is_some()
        });
        let distance = |call: &TrackedCall| {
            let began = call.first_time();
            began.since(item.start).max(item.start.since(began))
        };
        let nearest = candidates.min_by_key(|(_, call)| distance(call));
        nearest.map(|(id, _)| Same(id.clone()))
    }
}

impl TrackedCall {
    /// Returns the part that a record under another id tells of.
    pub(super) fn part_matching(&self, item: &HistoryItem, by: Teller) -> Option<String> {
        let mut parts = self.parts.iter();
        parts
            .find(|(_, part)| part.is_told_by(item, by))
            .map(|(id, _)| id.clone())
    }

    /// Returns the client's public number.
    pub(super) fn client_phone(&self, settings: &TrackerSettings) -> Option<Phone> {
        let mut parts = self.parts.values();
        parts.find_map(|part| phone_of(part.phone.as_deref()?, part.way, settings))
    }

    /// Returns when it began, as far as that is known.
    fn first_time(&self) -> Timestamp {
        let records = self.parts.values().flat_map(|part| &part.records);
        let told = records.map(|record| record.start).min();
        told.unwrap_or(self.first_seen)
    }

    /// Returns the last time that is known of it.
    pub(super) fn last_time(&self) -> Timestamp {
        let records = self.parts.values().flat_map(|part| &part.records);
        let told = records.map(|record| record.end()).max();
        told.unwrap_or(self.last_heard)
    }

    /// Says whether an employee dialled this number in it.
    pub(super) fn was_dialled(&self, user: &str, digits: &str) -> bool {
        let last_ten = |text: &str| {
            let digits: String = text.chars().filter(char::is_ascii_digit).collect();
            let from = digits.len().saturating_sub(10);
            digits.get(from..).unwrap_or_default().to_owned()
        };
        self.parts.values().any(|part| {
            let phone = part.phone.as_deref().map(last_ten);
            part.way == Some(Way::Out)
                && phone.as_deref() == Some(&last_ten(digits))
                && part.legs.iter().any(|leg| leg.user == user)
        })
    }
}

impl Part {
    /// Says whether a record under another id tells of this part: nobody of the record's sort told
    /// of it under its own, and user and time are the same.
    fn is_told_by(&self, item: &HistoryItem, by: Teller) -> bool {
        let user = item.user.as_ref().or(item.ext.as_ref());
        let of_user = |known: &str| user.is_none_or(|user| user == known);
        if self.records.iter().any(|record| record.by == by) {
            return false;
        }
        if !self.records.is_empty() {
            return self.records.iter().any(|record| {
                let apart = record
                    .start
                    .since(item.start)
                    .max(item.start.since(record.start));
                apart.as_secs() <= SAME_START_S && record.user.as_deref().is_none_or(of_user)
            });
        }
        // A message after a call bears the name of its events: without them it is another call's.
        if by == Teller::Message {
            return false;
        }
        let whole = Duration::from_secs(item.duration_s.saturating_add(item.wait_s.unwrap_or(0)));
        let span = item.start.minus(CLOCK_SLACK)..item.start.plus(whole).plus(CLOCK_SLACK);
        let mut legs = self.legs.iter();
        legs.any(|leg| span.contains(&leg.seen_at) && of_user(&leg.user))
    }
}

fn phone_of(text: &str, way: Option<Way>, settings: &TrackerSettings) -> Option<Phone> {
    let number = match way {
        Some(Way::Out) => settings.numbers.outgoing_number(text),
        Some(Way::In) | None => settings.numbers.incoming_number(text),
    };
    number.phone().cloned()
}
