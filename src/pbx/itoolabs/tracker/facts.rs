//! What was heard of a call, as facts that only add up: in whatever order and however often they
//! come, the same are known in the end. Times of events are when they came, for events carry none.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::super::wire::form::{Event, EventKind};
use super::super::wire::history::{HistoryItem, Outcome, Way};
use crate::model::timestamp::Timestamp;

/// Phones of one part that are remembered: the largest groups have a few dozen members.
const LEGS_MAX: usize = 100;

/// Groups, and records of the history, of one part that are remembered.
const LIST_MAX: usize = 16;

/// Parts that one call may have: transfers of transfers.
const PARTS_MAX: usize = 16;

/// How near two starts are that the same clock wrote of the same call (`pbx/megafon.md` A3).
pub(super) const SAME_START_S: u64 = 2;

/// What happened to one employee's phone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Leg {
    /// Login, or extension where no login was told.
    pub(super) user: String,
    pub(super) seen_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) accepted_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) completed_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) cancelled: bool,
}

/// Who told of a finished call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::pbx::itoolabs) enum Teller {
    /// The message after the call.
    Message,
    /// The history that we asked for.
    List,
}

/// A record of the history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    pub(super) by: Teller,
    pub(super) outcome: Outcome,
    pub(super) user: Option<String>,
    pub(super) start: Timestamp,
    pub(super) wait_s: Option<u64>,
    pub(super) duration_s: u64,
    pub(super) link: Option<String>,
}

/// What one id was called, and by which way.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Part {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) way: Option<Way>,
    /// The way was told, not concluded.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) way_told: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) phone: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) diversion: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) telnum: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) groups: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) legs: Vec<Leg>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) records: Vec<Record>,
}

impl Part {
    /// Adds what an event says.
    pub(super) fn hear(&mut self, event: &Event, at: Timestamp) {
        let concluded = match event.kind {
            EventKind::Incoming => Some(Way::In),
            EventKind::Outgoing => Some(Way::Out),
            EventKind::Accepted
            | EventKind::Completed
            | EventKind::Cancelled
            | EventKind::Transferred => None,
        };
        self.set_way(event.way, concluded);
        fill(&mut self.phone, &event.phone);
        fill(&mut self.diversion, &event.diversion);
        fill(&mut self.telnum, &event.telnum);
        self.add_group(event.group.as_deref());
        let user = event.user.as_ref().or(event.ext.as_ref());
        let Some(leg) = user.and_then(|user| self.leg(user, at)) else {
            return;
        };
        // The first of several is the one that happened: the others are repeats.
        match event.kind {
            EventKind::Incoming | EventKind::Outgoing | EventKind::Transferred => {}
            EventKind::Accepted => leg.accepted_at = Some(leg.accepted_at.unwrap_or(at)),
            EventKind::Completed => leg.completed_at = Some(leg.completed_at.unwrap_or(at)),
            EventKind::Cancelled => leg.cancelled = true,
        }
    }

    /// Adds a record of the history. What the message and the list both tell stands once: the list
    /// is the more exact, for it tells ringing and talk apart.
    pub(super) fn record(&mut self, item: &HistoryItem, by: Teller) {
        self.set_way(item.way, None);
        fill(&mut self.phone, &item.phone);
        fill(&mut self.diversion, &item.diversion);
        fill(&mut self.telnum, &item.telnum);
        self.add_group(item.group.as_deref());
        let mut record = Record {
            by,
            outcome: item.outcome,
            user: item.user.clone().or_else(|| item.ext.clone()),
            start: item.start,
            wait_s: item.wait_s,
            duration_s: item.duration_s,
            link: item.link.clone(),
        };
        let place = self.place_of(&record);
        let Some(known) = place.and_then(|place| self.records.get_mut(place)) else {
            if self.records.len() < LIST_MAX {
                self.records.push(record);
            }
            return;
        };
        fill(&mut record.link, &known.link);
        fill(&mut record.user, &known.user);
        match (known.by, by) {
            (Teller::List, Teller::Message) => {
                fill(&mut known.link, &record.link);
                fill(&mut known.user, &record.user);
            }
            (Teller::Message, _) | (Teller::List, Teller::List) => *known = record,
        }
    }

    /// Returns where the record stands that tells the same. What the message and the list tell of
    /// one id once each is the same too, wherever they count its start from.
    fn place_of(&self, record: &Record) -> Option<usize> {
        let near = self.records.iter().position(|known| known.is_same(record));
        near.or_else(|| match &self.records[..] {
            [only] if only.by != record.by && only.is_of_user_of(record) => Some(0),
            _ => None,
        })
    }

    /// Says whether the history told of it, so that nothing more is to be waited for: a missed call
    /// of one phone is none of the others that still ring.
    pub(super) fn is_told(&self) -> bool {
        let talked = self
            .records
            .iter()
            .any(|record| record.outcome == Outcome::Talked);
        talked || (!self.records.is_empty() && (self.legs.is_empty() || self.is_quiet()))
    }

    fn set_way(&mut self, told: Option<Way>, concluded: Option<Way>) {
        match told {
            Some(_) if !self.way_told => {
                self.way = told;
                self.way_told = true;
            }
            Some(_) => {}
            None if self.way.is_none() => self.way = concluded,
            None => {}
        }
    }

    fn add_group(&mut self, group: Option<&str>) {
        if let Some(group) = group
            && self.groups.len() < LIST_MAX
            && !self.groups.iter().any(|known| known == group)
        {
            self.groups.push(group.to_owned());
        }
    }

    fn leg(&mut self, user: &str, at: Timestamp) -> Option<&mut Leg> {
        let found = self.legs.iter().position(|leg| leg.user == user);
        let place = match found {
            Some(place) => place,
            None if self.legs.len() >= LEGS_MAX => return None,
            None => {
                self.legs.push(Leg {
                    user: user.to_owned(),
                    seen_at: at,
                    accepted_at: None,
                    completed_at: None,
                    cancelled: false,
                });
                self.legs.len() - 1
            }
        };
        self.legs.get_mut(place)
    }

    /// Says whether somebody talked, as far as events tell.
    pub(super) fn is_answered(&self) -> bool {
        self.legs.iter().any(|leg| leg.accepted_at.is_some())
    }

    /// Says whether nothing goes on any more, as far as events tell.
    pub(super) fn is_quiet(&self) -> bool {
        let over = |leg: &Leg| match leg.accepted_at {
            Some(_) => leg.completed_at.is_some(),
            None => leg.cancelled || leg.completed_at.is_some(),
        };
        let talk_over = self
            .legs
            .iter()
            .any(|leg| leg.accepted_at.is_some() && leg.completed_at.is_some());
        let ringing_only = |leg: &Leg| leg.accepted_at.is_none();
        // A phone whose end was not told rings no more once the talk is over.
        let rest = self.legs.iter().filter(|leg| !over(leg));
        let mut rest = rest.filter(|leg| !(talk_over && ringing_only(leg)));
        !self.legs.is_empty() && rest.next().is_none()
    }
}

impl Record {
    /// Says whether two records tell of the same part of a call.
    fn is_same(&self, other: &Record) -> bool {
        let near = self.start.since(other.start).as_secs() <= SAME_START_S
            && other.start.since(self.start).as_secs() <= SAME_START_S;
        near && self.is_of_user_of(other)
    }

    fn is_of_user_of(&self, other: &Record) -> bool {
        match (&self.user, &other.user) {
            (Some(one), Some(two)) => one == two,
            (None, _) | (_, None) => true,
        }
    }

    /// Returns when it was over.
    pub(super) fn end(&self) -> Timestamp {
        let seconds = self.duration_s.saturating_add(self.wait_s.unwrap_or(0));
        self.start.plus(std::time::Duration::from_secs(seconds))
    }
}

/// A call and everything that was heard of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct TrackedCall {
    /// Its parts by their ids; the one of the call's own name among them, once it was heard of.
    pub(super) parts: BTreeMap<String, Part>,
    pub(super) first_seen: Timestamp,
    pub(super) last_heard: Timestamp,
    /// The revision that was reported last; 0 = none was.
    #[serde(default)]
    pub(super) revision: u64,
    /// A digest of the picture that was reported last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) shown: Option<u64>,
    /// It was reported as over.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) ended: bool,
    /// What was not seen of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) blind: Option<String>,
    /// The order that began it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) order: Option<String>,
}

impl TrackedCall {
    /// Begins a call.
    pub(super) fn new(at: Timestamp) -> Self {
        Self {
            parts: BTreeMap::new(),
            first_seen: at,
            last_heard: at,
            revision: 0,
            shown: None,
            ended: false,
            blind: None,
            order: None,
        }
    }

    /// Takes note that something was heard of it: while it goes on, its clock begins anew.
    pub(super) fn heard(&mut self, at: Timestamp) {
        if !self.ended {
            self.last_heard = self.last_heard.max(at);
        }
    }

    /// Returns the part of this id, which begins now if it is new; `None` beyond the bound.
    pub(super) fn part(&mut self, id: &str) -> Option<&mut Part> {
        if !self.parts.contains_key(id) && self.parts.len() >= PARTS_MAX {
            return None;
        }
        Some(self.parts.entry(id.to_owned()).or_default())
    }

    /// Returns the way, where it is known.
    pub(super) fn way(&self, own: &str) -> Option<Way> {
        let of_own = self.parts.get(own).and_then(|part| part.way);
        of_own.or_else(|| self.parts.values().find_map(|part| part.way))
    }

    /// Says whether somebody talked.
    pub(super) fn is_answered(&self) -> bool {
        let recorded = |part: &Part| {
            let mut records = part.records.iter();
            records.any(|record| record.outcome == Outcome::Talked)
        };
        self.parts
            .values()
            .any(|part| part.is_answered() || recorded(part))
    }

    /// Says whether the history has told of every part.
    pub(super) fn is_told(&self) -> bool {
        !self.parts.is_empty() && self.parts.values().all(Part::is_told)
    }

    /// Says whether nothing goes on any more.
    pub(super) fn is_quiet(&self) -> bool {
        let missed = |part: &Part| !part.records.is_empty() && !part.is_answered();
        let quiet = |part: &Part| part.is_told() || part.is_quiet() || missed(part);
        !self.parts.is_empty() && self.parts.values().all(quiet)
    }

    /// Takes over everything that another call knew.
    pub(super) fn absorb(&mut self, gone: TrackedCall) {
        for (id, part) in gone.parts {
            if self.parts.len() < PARTS_MAX {
                self.parts.entry(id).or_insert(part);
            }
        }
        self.first_seen = self.first_seen.min(gone.first_seen);
        self.last_heard = self.last_heard.max(gone.last_heard);
        if self.order.is_none() {
            self.order = gone.order;
        }
    }
}

fn fill(own: &mut Option<String>, other: &Option<String>) {
    if own.is_none() {
        own.clone_from(other);
    }
}
