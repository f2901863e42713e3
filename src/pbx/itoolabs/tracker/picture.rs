//! From what was heard of a call to the picture that is reported. Pure, and the same whatever the
//! order was in which it was heard.

use std::time::Duration;

use super::super::wire::history::{Outcome, Way};
use super::facts::{Leg, Part, Record, TrackedCall};
use crate::model::call::{Call, CallLeg, CallPhase, CallResult, Direction, MissReason};
use crate::model::ids::Extension;
use crate::model::number_rules::NumberRules;
use crate::model::phone::ClientNumber;
use crate::model::timestamp::Timestamp;

/// What the picture is drawn with.
pub(super) struct Pen<'a> {
    pub(super) numbers: &'a NumberRules,
    /// What the configuration calls an employee whom the VATS calls by login.
    pub(super) name: &'a dyn Fn(&str) -> Extension,
}

/// One employee's talk.
struct Talk {
    user: Option<String>,
    from: Timestamp,
    until: Timestamp,
}

impl Pen<'_> {
    /// Draws a call; `None` while it is not known who called whom.
    pub(super) fn draw(&self, own: &str, call: &TrackedCall) -> Option<Call> {
        let way = match call.way(own) {
            Some(way) => way,
            None if call.ended => Way::In,
            None => return None,
        };
        let records: Vec<&Record> = sorted(call.parts.values().flat_map(|part| &part.records));
        let mut legs: Vec<(&Part, &Leg)> = call
            .parts
            .values()
            .flat_map(|part| part.legs.iter().map(move |leg| (part, leg)))
            .collect();
        legs.sort_by(|(_, one), (_, two)| (one.seen_at, &one.user).cmp(&(two.seen_at, &two.user)));
        let talks = talks(call);
        let answered = call.is_answered();
        let started_at = match records.first() {
            Some(first) => first.start,
            None => call.first_seen,
        };
        let ended_at = call.ended.then(|| ended_at(call, &records)).flatten();
        let ended_at = ended_at.map(|end| end.max(started_at));
        let answered_at = talks.iter().map(|talk| talk.from).min();
        let talking_ms = match call.ended {
            true => union(&talks),
            false => Duration::ZERO,
        };
        let waited_until = answered_at.or(ended_at).unwrap_or(started_at);
        let talkers = self.talkers(&talks);
        let last_talker = talks
            .iter()
            .filter_map(|talk| Some((talk.until, talk.user.as_deref()?)))
            .max_by_key(|(until, _)| *until)
            .map(|(_, user)| (self.name)(user));
        let direction = match way {
            Way::In => Direction::Incoming,
            Way::Out => Direction::Outgoing,
        };
        let first_user = legs.first().map(|(_, leg)| leg.user.as_str());
        let of_record = || records.iter().find_map(|record| record.user.as_deref());
        let dialled_by = first_user.or_else(of_record);
        Some(Call {
            direction,
            phase: match (call.ended, answered) {
                (true, _) => CallPhase::Ended,
                (false, true) => CallPhase::Answered,
                (false, false) => CallPhase::Ringing,
            },
            result: match (answered, call.ended) {
                (true, _) => CallResult::Answered,
                (false, false) => CallResult::Open,
                (false, true) => CallResult::Missed {
                    reason: reason(call, &records, way),
                },
            },
            client: self.client(own, call, way),
            client_name: None,
            our_number: our_number(own, call, way),
            caller_extension: (way == Way::Out)
                .then(|| dialled_by.map(|user| (self.name)(user)))
                .flatten(),
            started_at,
            answered_at,
            ended_at,
            waiting_ms: millis(waited_until.since(started_at)),
            talking_ms: millis(talking_ms),
            legs: self.legs(&legs, &talks, &records),
            talkers,
            last_talker,
            queues: distinct(call.parts.values().flat_map(|part| part.groups.iter())),
            recordings: distinct(records.iter().filter_map(|record| record.link.as_ref())),
            click_to_call: call.order.clone(),
            blind: call.blind.clone(),
            tags: Vec::new(),
            details: Default::default(),
        })
    }

    fn client(&self, own: &str, call: &TrackedCall, way: Way) -> ClientNumber {
        let of_own = call.parts.get(own).and_then(|part| part.phone.as_deref());
        let any = || call.parts.values().find_map(|part| part.phone.as_deref());
        let text = of_own.or_else(any).unwrap_or_default();
        match way {
            Way::In => self.numbers.incoming_number(text),
            Way::Out => self.numbers.outgoing_number(text),
        }
    }

    /// Returns who talked, in order of their first talk.
    fn talkers(&self, talks: &[Talk]) -> Vec<Extension> {
        let mut talkers: Vec<Extension> = Vec::new();
        for user in talks.iter().filter_map(|talk| talk.user.as_deref()) {
            let name = (self.name)(user);
            if !talkers.contains(&name) {
                talkers.push(name);
            }
        }
        talkers
    }

    fn legs(&self, heard: &[(&Part, &Leg)], talks: &[Talk], records: &[&Record]) -> Vec<CallLeg> {
        let of_events = heard
            .iter()
            .map(|(_, leg)| (leg.user.as_str(), leg.seen_at));
        let of_records = records
            .iter()
            .filter_map(|record| Some((record.user.as_deref()?, record.start)));
        let mut legs: Vec<CallLeg> = Vec::new();
        for (user, rung_at) in of_events.chain(of_records) {
            let extension = (self.name)(user);
            if legs.iter().any(|leg| leg.extension == extension) {
                continue;
            }
            let own = || {
                talks
                    .iter()
                    .filter(|talk| talk.user.as_deref() == Some(user))
            };
            legs.push(CallLeg {
                extension,
                rung_at,
                talked_from: own().map(|talk| talk.from).min(),
                talked_until: own().map(|talk| talk.until).max(),
            });
        }
        legs
    }
}

/// Returns who talked when, in order. Of a part that the history tells, the history is believed;
/// how long the talk was, where it does not tell ringing and talk apart, the events say.
fn talks(call: &TrackedCall) -> Vec<Talk> {
    let mut talks: Vec<Talk> = Vec::new();
    for part in call.parts.values() {
        let talked = part
            .records
            .iter()
            .filter(|record| record.outcome == Outcome::Talked);
        for record in talked.clone() {
            let leg = leg_of(part, record);
            let user = record.user.clone().or_else(|| Some(leg?.user.clone()));
            let until = record.end();
            let whole = Duration::from_secs(record.duration_s);
            let spoken = match (record.wait_s, leg.and_then(heard_talk)) {
                (None, Some(heard)) => heard.min(whole),
                (None, None) | (Some(_), _) => whole,
            };
            talks.push(Talk {
                user,
                from: until.minus(spoken),
                until,
            });
        }
        let of_part = talks.len().saturating_sub(talked.clone().count());
        let told = talks.get(of_part..).unwrap_or_default();
        let told_from = told.iter().map(|talk| talk.from).min();
        // Somebody who talked and whom the records do not name, such as who handed the call on.
        let named = |user: &str| {
            let mut records = talked.clone();
            records.any(|record| match &record.user {
                Some(known) => known == user,
                None => leg_of(part, record).is_some_and(|leg| leg.user == user),
            })
        };
        for leg in part.legs.iter().filter(|leg| !named(&leg.user)) {
            let Some(from) = leg.accepted_at else {
                continue;
            };
            let until = leg.completed_at.unwrap_or(call.last_heard).max(from);
            // Times of events are of our clock: beside those of the history, only how long they
            // are apart is taken.
            let (from, until) = match part.records.iter().map(|record| record.start).min() {
                Some(start) => {
                    let until = told_from.unwrap_or(start);
                    let spoken = heard_talk(leg).unwrap_or_default();
                    (until.minus(spoken).max(start), until)
                }
                None => (from, until),
            };
            talks.push(Talk {
                user: Some(leg.user.clone()),
                from,
                until,
            });
        }
    }
    talks.sort_by(|one, two| {
        (one.from, one.until, &one.user).cmp(&(two.from, two.until, &two.user))
    });
    talks
}

/// Returns the phone that a record tells of: its user's, else the only one that was answered.
fn leg_of<'p>(part: &'p Part, record: &Record) -> Option<&'p Leg> {
    match &record.user {
        Some(user) => part.legs.iter().find(|leg| leg.user == *user),
        None => {
            let mut answered = part.legs.iter().filter(|leg| leg.accepted_at.is_some());
            let first = answered.next();
            first.filter(|_| answered.next().is_none())
        }
    }
}

/// Returns how long a talk was by its events; `None` where they came in no sound order.
fn heard_talk(leg: &Leg) -> Option<Duration> {
    let (from, until) = (leg.accepted_at?, leg.completed_at?);
    (until > from).then(|| until.since(from))
}

fn ended_at(call: &TrackedCall, records: &[&Record]) -> Option<Timestamp> {
    let told = records.iter().map(|record| record.end()).max();
    if call.is_told() {
        return told;
    }
    let heard = call.parts.values().flat_map(|part| &part.legs);
    let heard = heard.filter_map(|leg| leg.completed_at).max();
    heard.max(told).or(Some(call.last_heard))
}

/// Returns for how long at least one of the talks went on.
fn union(talks: &[Talk]) -> Duration {
    let mut total = Duration::ZERO;
    let mut covered: Option<Timestamp> = None;
    for talk in talks {
        let from = covered.map_or(talk.from, |covered| talk.from.max(covered));
        total = total.saturating_add(talk.until.since(from));
        covered = Some(covered.map_or(talk.until, |covered| covered.max(talk.until)));
    }
    total
}

fn reason(call: &TrackedCall, records: &[&Record], way: Way) -> MissReason {
    let told = records
        .iter()
        .rev()
        .find_map(|record| match record.outcome {
            Outcome::Missed(reason) => Some(reason),
            Outcome::Talked => None,
        });
    let mut legs = call.parts.values().flat_map(|part| &part.legs);
    let nobody_rung = legs.clone().next().is_none();
    match told {
        // The history's word for every missed call; who rung nobody's phone, nobody answered.
        Some(MissReason::NoAnswer) if nobody_rung && way == Way::In => MissReason::NobodyRung,
        Some(reason) => reason,
        None if legs.any(|leg| leg.cancelled) => MissReason::CallerGaveUp,
        None => MissReason::NoAnswer,
    }
}

/// Returns the company's number: the one called, or the one shown to the client.
fn our_number(own: &str, call: &TrackedCall, way: Way) -> Option<String> {
    let first = call.parts.get(own).into_iter();
    let parts: Vec<&Part> = first.chain(call.parts.values()).collect();
    let diversion = || parts.iter().find_map(|part| part.diversion.clone());
    let telnum = || parts.iter().find_map(|part| part.telnum.clone());
    match way {
        Way::In => diversion(),
        Way::Out => telnum().or_else(diversion),
    }
}

fn sorted<'r>(records: impl Iterator<Item = &'r Record>) -> Vec<&'r Record> {
    let mut records: Vec<&Record> = records.collect();
    records.sort_by(|one, two| {
        (one.start, one.end(), &one.user, &one.link).cmp(&(
            two.start,
            two.end(),
            &two.user,
            &two.link,
        ))
    });
    records
}

fn distinct<'t>(texts: impl Iterator<Item = &'t String>) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    for text in texts {
        if !kept.contains(text) {
            kept.push(text.clone());
        }
    }
    kept
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
