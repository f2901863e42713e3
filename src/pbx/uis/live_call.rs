//! A call as notifications tell of it. Pure.
//!
//! What is known is merged so that neither order nor repetition matters: the earliest beginning, the
//! latest end, the union of what happened, and of two words for one thing the later. Any order of a
//! call's notifications leads to the same picture.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::notification::{CallWords, Event, Notification, Way};
use super::{finish_reason, number};
use crate::model::call::{Call, CallLeg, CallPhase, CallResult, Direction};
use crate::model::ids::Extension;
use crate::model::number_rules::NumberRules;
use crate::model::timestamp::Timestamp;

/// What is known of a call.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct LiveCall {
    /// The earliest time that a notification told.
    first_at: Option<Timestamp>,
    /// The latest.
    last_at: Option<Timestamp>,
    began_at: Option<Timestamp>,
    way: Option<Way>,
    seen_incoming: bool,
    seen_outgoing: bool,
    internal: bool,
    /// Words of which the later counts.
    words: BTreeMap<String, Word>,
    legs: BTreeMap<String, Leg>,
    talk_from: Option<Timestamp>,
    talk_until: Option<Timestamp>,
    ended_at: Option<Timestamp>,
    talk_s: Option<u64>,
    wait_s: Option<u64>,
    links: BTreeMap<String, Timestamp>,
    tags: Option<(Timestamp, Vec<String>)>,
    /// Why it was closed without having been told to be over.
    given_up: Option<String>,
}

/// A word, and when it was told. Of two, the greater counts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Word {
    at: Timestamp,
    text: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Leg {
    rung_at: Option<Timestamp>,
    talked_from: Option<Timestamp>,
    talked_until: Option<Timestamp>,
    /// The call's end named this employee.
    named_at_end: bool,
}

fn earlier<T: Ord>(known: &mut Option<T>, told: Option<T>) {
    if let Some(told) = told
        && known.as_ref().is_none_or(|known| told < *known)
    {
        *known = Some(told);
    }
}

fn later<T: Ord>(known: &mut Option<T>, told: Option<T>) {
    if told > *known {
        *known = told;
    }
}

impl LiveCall {
    /// Adds what a notification tells.
    pub(super) fn add(&mut self, told: &Notification) {
        let (at, said) = (told.at, &told.call);
        earlier(&mut self.first_at, Some(at));
        later(&mut self.last_at, Some(at));
        earlier(&mut self.began_at, said.started_at);
        later(&mut self.way, said.way);
        self.internal |= said.internal;
        self.add_words(at, said);
        later(&mut self.talk_s, said.talk_s);
        later(&mut self.wait_s, said.wait_s);
        if let Some(link) = &said.link {
            let first = self.links.entry(link.clone()).or_insert(at);
            *first = (*first).min(at);
        }
        if !said.tags.is_empty() {
            later(&mut self.tags, Some((at, said.tags.clone())));
        }
        let leg = said.employee.as_ref();
        let leg = leg.map(|id| self.legs.entry(id.clone()).or_default());
        match told.event {
            Event::CallIncoming => self.seen_incoming = true,
            Event::CallOutgoing => {
                self.seen_outgoing = true;
                leg.into_iter()
                    .for_each(|leg| earlier(&mut leg.rung_at, Some(at)));
            }
            Event::CallRinging => {
                leg.into_iter()
                    .for_each(|leg| earlier(&mut leg.rung_at, Some(at)));
            }
            Event::TalkStarted => {
                leg.into_iter()
                    .for_each(|leg| earlier(&mut leg.talked_from, Some(at)));
                earlier(&mut self.talk_from, Some(at));
            }
            Event::TalkFinished => {
                leg.into_iter()
                    .for_each(|leg| later(&mut leg.talked_until, Some(at)));
                later(&mut self.talk_until, Some(at));
            }
            Event::CallFinished | Event::CallLost => {
                leg.into_iter().for_each(|leg| leg.named_at_end = true);
                earlier(&mut self.ended_at, Some(at));
                self.seen_incoming |= told.event == Event::CallLost;
                for id in &said.employees {
                    self.legs.entry(id.clone()).or_default();
                }
            }
            // Who is named with a recording or a mark is told by the talk too.
            Event::CallRecorded | Event::TagSet | Event::Chat | Event::OfflineMessage => {}
        }
    }

    fn add_words(&mut self, at: Timestamp, said: &CallWords) {
        let own = [
            (CLIENT, &said.client),
            (CLIENT_NAME, &said.client_name),
            (OUR_NUMBER, &said.our_number),
            (ORDER, &said.order),
        ];
        let own = own
            .into_iter()
            .filter_map(|(key, word)| Some((key, word.as_ref()?)));
        let details = said.details.iter().map(|(key, word)| (*key, word));
        for (key, text) in own.chain(details) {
            let told = Word {
                at,
                text: text.clone(),
            };
            let known = self
                .words
                .entry(key.to_owned())
                .or_insert_with(|| told.clone());
            if told > *known {
                *known = told;
            }
        }
    }

    /// Says whether it is over.
    pub(super) fn is_over(&self) -> bool {
        self.ended_at.is_some()
    }

    /// Returns when it was last heard of.
    pub(super) fn last_at(&self) -> Timestamp {
        self.last_at.unwrap_or_default()
    }

    /// Returns when it began, as far as known.
    pub(super) fn started_at(&self) -> Timestamp {
        self.began_at.or(self.first_at).unwrap_or_default()
    }

    /// Closes a call of whose end nobody told.
    pub(super) fn give_up(&mut self, why: &str) {
        self.ended_at = self.ended_at.or(self.last_at);
        self.given_up = Some(why.to_owned());
    }

    fn word(&self, key: &str) -> Option<String> {
        self.words.get(key).map(|word| word.text.clone())
    }

    /// Returns the picture.
    pub(super) fn picture(&self, numbers: &NumberRules) -> Call {
        let started_at = self.started_at();
        let way = self
            .way
            .unwrap_or(match self.seen_outgoing && !self.seen_incoming {
                true => Way::Out,
                false => Way::In,
            });
        let direction = match (self.internal, way) {
            (true, _) => Direction::Internal,
            (false, Way::In) => Direction::Incoming,
            (false, Way::Out) => Direction::Outgoing,
        };
        let ended_at = self.ended_at.map(|at| at.max(started_at));
        let legs = self.legs(started_at, ended_at);
        let talks = legs.iter().filter_map(|leg| leg.talked_from);
        let talked = self.talk_from.is_some()
            || self.talk_until.is_some()
            || self.talk_s.is_some_and(|s| s > 0)
            || legs.iter().any(|leg| leg.talked_from.is_some());
        let seconds = |s: u64| std::time::Duration::from_secs(s);
        let from_span = || Some(started_at.plus(seconds(self.wait_s?)));
        let answered_at = talked.then(|| {
            let told = self.talk_from.into_iter().chain(talks).min();
            let first = told.or_else(from_span).or_else(|| {
                let talk = seconds(self.talk_s.unwrap_or_default());
                Some(self.talk_until.or(ended_at)?.minus(talk))
            });
            let first = first.unwrap_or(started_at).max(started_at);
            ended_at.map_or(first, |end| first.min(end))
        });
        let until = answered_at.or(ended_at).unwrap_or(started_at);
        let order = self.word(ORDER);
        let (phase, result) = match (ended_at, talked) {
            (Some(_), true) => (CallPhase::Ended, CallResult::Answered),
            (Some(_), false) => {
                let result = finish_reason::result(None, way, order.is_some());
                (CallPhase::Ended, result)
            }
            (None, true) => (CallPhase::Answered, CallResult::Answered),
            (None, false) => (CallPhase::Ringing, CallResult::Open),
        };
        let talk_end = self.talk_until.or(ended_at);
        let measured = answered_at.zip(talk_end).map(|(from, to)| to.since(from));
        let talking = self.talk_s.map(seconds).or(measured).unwrap_or_default();
        let waiting = match self.wait_s {
            Some(told) => seconds(told),
            None => until.since(started_at),
        };
        let mut links: Vec<(&Timestamp, &String)> =
            self.links.iter().map(|(link, at)| (at, link)).collect();
        links.sort();
        Call {
            direction,
            phase,
            result,
            client: number::client(numbers, way, self.word(CLIENT).as_deref()),
            client_name: self.word(CLIENT_NAME),
            our_number: self.word(OUR_NUMBER),
            caller_extension: match direction {
                Direction::Incoming => None,
                Direction::Outgoing | Direction::Internal => {
                    legs.first().map(|leg| leg.extension.clone())
                }
            },
            started_at,
            answered_at,
            ended_at,
            waiting_ms: number::millis(waiting),
            talking_ms: number::millis(talking),
            talkers: talkers(&legs),
            last_talker: last_talker(&legs),
            legs,
            queues: Vec::new(),
            recordings: links.into_iter().map(|(_, link)| link.clone()).collect(),
            click_to_call: order,
            blind: self.given_up.clone(),
            tags: self.tags.clone().map(|(_, tags)| tags).unwrap_or_default(),
            details: self
                .words
                .iter()
                .filter(|(key, _)| !OWN.contains(&key.as_str()))
                .map(|(key, word)| (key.clone(), word.text.clone()))
                .collect(),
        }
    }

    fn legs(&self, started_at: Timestamp, ended_at: Option<Timestamp>) -> Vec<CallLeg> {
        let nobody_told = self.legs.values().all(|leg| !leg.has_talked());
        let talked_s = self.talk_s.filter(|s| *s > 0);
        let mut legs: Vec<CallLeg> = Vec::new();
        for (id, leg) in &self.legs {
            let mut until = leg.talked_until;
            let mut from = leg.talked_from;
            // The end alone told of the talk, and names one who was in it.
            if nobody_told && leg.named_at_end && talked_s.is_some() {
                until = ended_at;
            }
            if let (None, Some(end)) = (from, until) {
                let talk = std::time::Duration::from_secs(talked_s.unwrap_or_default());
                from = Some(end.minus(talk).max(started_at));
            }
            if from.is_some() && until.is_none() {
                until = ended_at;
            }
            let told = [leg.rung_at, from, until].into_iter().flatten().min();
            legs.push(CallLeg {
                extension: Extension(id.clone()),
                rung_at: told.unwrap_or(started_at).max(started_at),
                talked_from: from,
                talked_until: until.map(|until| from.map_or(until, |from| until.max(from))),
            });
        }
        legs.sort_by_key(|leg| leg.rung_at);
        legs
    }
}

impl Leg {
    fn has_talked(&self) -> bool {
        self.talked_from.is_some() || self.talked_until.is_some()
    }
}

/// Returns who talked, in order of the first talk.
pub(super) fn talkers(legs: &[CallLeg]) -> Vec<Extension> {
    let mut talked: Vec<&CallLeg> = legs
        .iter()
        .filter(|leg| leg.talked_from.is_some())
        .collect();
    talked.sort_by_key(|leg| leg.talked_from);
    talked
        .into_iter()
        .map(|leg| leg.extension.clone())
        .collect()
}

fn last_talker(legs: &[CallLeg]) -> Option<Extension> {
    let talked = legs.iter().filter(|leg| leg.talked_from.is_some());
    let last = talked.max_by_key(|leg| {
        (
            leg.talked_until.is_none(),
            leg.talked_until,
            leg.talked_from,
        )
    });
    last.map(|leg| leg.extension.clone())
}

const CLIENT: &str = "_client";
const CLIENT_NAME: &str = "_client_name";
const OUR_NUMBER: &str = "_our_number";
const ORDER: &str = "_order";
/// The words that have a place of their own in a picture.
const OWN: [&str; 4] = [CLIENT, CLIENT_NAME, OUR_NUMBER, ORDER];
