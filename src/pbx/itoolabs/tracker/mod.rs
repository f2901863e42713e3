//! The calls of a VATS: pure. Told in any order, as often as anybody likes, of events, messages
//! after calls and rows of the history, it keeps one picture of each call and says which changed.
//!
//! ```text
//! event ----\                                        history of every part, or quiet and waited
//! message ---> facts of a part -> call -> picture --> reported at each change --> over, kept a while
//! row ------/        (by id, or by client, start, user)       \-- never ended: ended by the clock
//! ```
//!
//! A call is over when the history told of all its parts; without a history, a while after its
//! events came to their end; and at last when nothing was heard for longer than calls last. It is
//! kept on, so that a row of the history that comes later is seen to be the same call.

mod facts;
mod matching;
mod people;
mod picture;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub(super) use facts::Teller;
pub(super) use people::People;

use self::facts::TrackedCall;
use self::picture::Pen;
use super::wire::form::{Event, EventKind};
use super::wire::history::HistoryItem;
use crate::model::call::{Call, CallPhase, Direction};
use crate::model::communication::{Body, Snapshot};
use crate::model::ids::{CommunicationKey, Extension, SourceKey};
use crate::model::number_rules::NumberRules;
use crate::model::timestamp::Timestamp;

/// Calls that are followed at one time. Beyond, the one that was quiet longest is ended.
const OPEN_MAX: usize = 500;

/// Calls that are kept when they are over, and names of their parts.
const KEPT_MAX: usize = 1_000;

/// Orders that wait for their call.
const ORDERS_MAX: usize = 32;

/// How long an order waits for its call.
const ORDER_WITHIN: Duration = Duration::from_secs(120);

/// The revision of a call that only the history told of. Those of calls that were followed grow
/// from 1, and from [`TOLD`] on once the history told of them: what is known of both is more than
/// what is known of either.
const LISTED: u64 = 1_000_000;
const TOLD: u64 = 2_000_000;

/// What the tracker is set to.
#[derive(Debug, Clone)]
pub(super) struct TrackerSettings {
    pub(super) source: SourceKey,
    pub(super) numbers: NumberRules,
    /// How employees are called in the configuration.
    pub(super) named_by: NamedBy,
    /// How much of the history is read again: so long before the cursor nothing is forgotten.
    pub(super) overlap: Duration,
    /// How long a call waits for its history.
    pub(super) history_wait: Duration,
    /// After so long a silence a call that nobody answered is over.
    pub(super) ring_max: Duration,
    /// After so long a silence a call that somebody answered is over.
    pub(super) talk_max: Duration,
}

/// By what the configuration calls an employee.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum NamedBy {
    /// The login.
    #[default]
    Login,
    /// The extension.
    Extension,
}

/// An order that was taken and whose call has not been heard of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Order {
    pub(super) id: String,
    /// What the call will be called, where that was said.
    pub(super) callid: Option<String>,
    pub(super) user: String,
    /// The digits of the client's number.
    pub(super) digits: String,
    pub(super) at: Timestamp,
}

/// Everything that is known of calls; goes into the checkpoint as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Book {
    calls: BTreeMap<String, TrackedCall>,
    /// The call that an id belongs to which is not its own name.
    #[serde(default)]
    aliases: BTreeMap<String, String>,
    #[serde(default)]
    orders: Vec<Order>,
    #[serde(default)]
    pub(super) people: People,
}

/// The tracker at work on a book.
pub(super) struct Tracker<'a> {
    pub(super) book: &'a mut Book,
    pub(super) settings: &'a TrackerSettings,
    pub(super) snapshots: Vec<Snapshot>,
}

impl<'a> Tracker<'a> {
    /// Begins to work on a book.
    pub(super) fn new(book: &'a mut Book, settings: &'a TrackerSettings) -> Self {
        Self {
            book,
            settings,
            snapshots: Vec::new(),
        }
    }

    /// Takes an event.
    pub(super) fn event(&mut self, event: &Event, now: Timestamp) {
        let people = &mut self.book.people;
        people.learn(
            event.user.as_deref(),
            event.ext.as_deref(),
            event.telnum.as_deref(),
        );
        let known = self.book.owner(&event.callid);
        let owner = known.unwrap_or_else(|| event.callid.clone());
        let call = self.book.begin(&owner, now);
        call.heard(now);
        if let Some(part) = call.part(&event.callid) {
            part.hear(event, now);
        }
        if let (EventKind::Transferred, Some(second)) = (event.kind, &event.second_callid) {
            self.unite(&owner, second, now);
        }
        self.book.find_order(&owner, now);
        self.report(&owner, 1);
        self.make_room();
    }

    /// Takes a finished call.
    pub(super) fn finished(&mut self, item: &HistoryItem, by: Teller, now: Timestamp) {
        let mut item = item.clone();
        if item.user.is_none() {
            item.user = item.account.as_deref().and_then(|account| {
                let (login, _, _) = self.book.people.find(account)?;
                Some(login.to_owned())
            });
        }
        let item = &item;
        let people = &mut self.book.people;
        people.learn(
            item.user.as_deref(),
            item.ext.as_deref(),
            item.telnum.as_deref(),
        );
        let known = self.book.owner(&item.id);
        let found = known.or_else(|| {
            let same = self.book.same_call(item, by, self.settings)?;
            self.book.aliases.insert(item.id.clone(), same.0.clone());
            Some(same.0)
        });
        let owner = found.unwrap_or_else(|| item.id.clone());
        let part_id = self.book.part_of(&owner, item, by);
        let call = self.book.begin(&owner, now);
        call.heard(now);
        if let Some(part) = call.part(&part_id) {
            part.record(item, by);
        }
        if call.is_told() {
            call.ended = true;
            call.blind = None;
        }
        let followed = call.parts.values().any(|part| !part.legs.is_empty());
        let recorded = u64::from(item.link.is_some());
        let least = match (call.ended, followed, by) {
            (false, _, _) => 1,
            (true, true, _) | (true, false, Teller::Message) => TOLD,
            (true, false, Teller::List) => LISTED + recorded,
        };
        self.book.find_order(&owner, now);
        self.report(&owner, least);
        self.make_room();
    }

    /// Says whether a finished call is one that is followed or kept.
    pub(super) fn knows(&self, item: &HistoryItem, by: Teller) -> bool {
        let known = self.book.owner(&item.id).is_some();
        known || self.book.same_call(item, by, self.settings).is_some()
    }

    /// Notes an order whose call will come.
    pub(super) fn ordered(&mut self, order: Order, now: Timestamp) {
        let mut order = order;
        if let Some((login, _, _)) = self.book.people.find(&order.user) {
            order.user = login.to_owned();
        }
        self.book
            .orders
            .retain(|known| now.since(known.at) < ORDER_WITHIN);
        if self.book.orders.len() >= ORDERS_MAX {
            self.book.orders.remove(0);
        }
        self.book.orders.push(order);
        // Its first event may have come before the answer to the order.
        let calls = self.book.calls.iter();
        let recent = calls.filter(|(_, call)| now.since(call.first_seen) < ORDER_WITHIN);
        let recent: Vec<String> = recent.map(|(id, _)| id.clone()).collect();
        for id in recent {
            self.book.find_order(&id, now);
            self.report(&id, 1);
        }
    }

    /// Ends what is over by the clock, and forgets what is over for long. `keep_from` is the time
    /// from which on the history will be read again.
    pub(super) fn tick(&mut self, now: Timestamp, keep_from: Timestamp) {
        let due: Vec<String> = self
            .book
            .calls
            .iter()
            .filter(|(_, call)| self.settings.due(call).is_some_and(|due| due <= now))
            .map(|(id, _)| id.clone())
            .collect();
        for id in due {
            self.end(&id);
        }
        self.book.forget(now, keep_from);
    }

    /// Ends a call with what is known of it.
    fn end(&mut self, id: &str) {
        let Some(call) = self.book.calls.get_mut(id) else {
            return;
        };
        if !call.is_quiet() {
            call.blind = Some("its end was not told: it was ended by the clock".to_owned());
        }
        call.ended = true;
        self.report(id, 1);
    }

    /// Makes the call with this id a part of another: it was handed on.
    fn unite(&mut self, stays: &str, second: &str, now: Timestamp) {
        let goes = self.book.owner(second);
        match goes {
            Some(goes) if goes == stays => {}
            // Both were reported to their ends as two calls: that cannot be undone.
            Some(goes) if self.is_over(&goes) && self.is_over(stays) => {}
            Some(goes) => self.absorb(stays, &goes, now),
            None => {}
        }
        if self.book.owner(second).is_none() {
            self.book
                .aliases
                .insert(second.to_owned(), stays.to_owned());
        }
    }

    fn is_over(&self, id: &str) -> bool {
        self.book.calls.get(id).is_some_and(|call| call.ended)
    }

    fn absorb(&mut self, stays: &str, goes: &str, now: Timestamp) {
        let Some(gone) = self.book.calls.remove(goes) else {
            return;
        };
        // What was reported under its own key ends there, as a talk among employees.
        if gone.shown.is_some()
            && let Some(mut picture) = self.draw(goes, &gone)
        {
            picture.direction = Direction::Internal;
            picture.phase = CallPhase::Ended;
            picture.ended_at = Some(now.max(picture.started_at));
            picture.recordings.clear();
            self.push(goes, gone.revision.saturating_add(1), picture);
        }
        for owner in self.book.aliases.values_mut() {
            if owner == goes {
                stays.clone_into(owner);
            }
        }
        self.book.aliases.insert(goes.to_owned(), stays.to_owned());
        if let Some(call) = self.book.calls.get_mut(stays) {
            call.absorb(gone);
        }
    }

    /// Reports a call if its picture changed, at a revision that is not below `least`.
    fn report(&mut self, id: &str, least: u64) {
        let Some(call) = self.book.calls.get(id) else {
            return;
        };
        if self.book.waits_for_its_first(id, call, self.settings) {
            return;
        }
        let Some(picture) = self.draw(id, call) else {
            return;
        };
        let digest = digest(&picture);
        if call.shown == Some(digest) {
            return;
        }
        let revision = call.revision.saturating_add(1).max(least);
        if let Some(call) = self.book.calls.get_mut(id) {
            call.shown = Some(digest);
            call.revision = revision;
        }
        self.push(id, revision, picture);
    }

    fn draw(&self, id: &str, call: &TrackedCall) -> Option<Call> {
        let named_by = self.settings.named_by;
        let name = |user: &str| self.book.people.name(user, named_by);
        let pen = Pen {
            numbers: &self.settings.numbers,
            name: &name as &dyn Fn(&str) -> Extension,
        };
        pen.draw(id, call)
    }

    fn push(&mut self, id: &str, revision: u64, call: Call) {
        // Ids were read to be clean words of bounded length.
        let Ok(key) = CommunicationKey::new(self.settings.source.clone(), id) else {
            return;
        };
        self.snapshots.retain(|one| one.key != key);
        self.snapshots.push(Snapshot {
            key,
            revision,
            body: Body::Call { call },
        });
    }

    fn make_room(&mut self) {
        loop {
            let open = self.book.calls.iter().filter(|(_, call)| !call.ended);
            if open.clone().count() <= OPEN_MAX {
                break;
            }
            let quietest = open.min_by_key(|(_, call)| call.last_heard);
            let Some(id) = quietest.map(|(id, _)| id.clone()) else {
                break;
            };
            self.end(&id);
        }
        self.book.keep_bounds();
    }
}

impl TrackerSettings {
    /// Returns when a call is over by the clock; `None` for one that is over.
    fn due(&self, call: &TrackedCall) -> Option<Timestamp> {
        if call.ended {
            return None;
        }
        let after = match (call.is_quiet(), call.is_answered()) {
            (true, _) => self.history_wait,
            (false, true) => self.talk_max,
            (false, false) => self.ring_max,
        };
        Some(call.last_heard.plus(after))
    }
}

impl Book {
    /// Returns the name of the call that an id belongs to.
    fn owner(&self, id: &str) -> Option<String> {
        if self.calls.contains_key(id) {
            return Some(id.to_owned());
        }
        let owner = self.aliases.get(id)?;
        self.calls.contains_key(owner).then(|| owner.clone())
    }

    fn begin(&mut self, id: &str, now: Timestamp) -> &mut TrackedCall {
        let call = self.calls.entry(id.to_owned());
        call.or_insert_with(|| TrackedCall::new(now))
    }

    /// Returns the part that a record belongs to: its own, or the one that it tells of under
    /// another id.
    fn part_of(&self, owner: &str, item: &HistoryItem, by: Teller) -> String {
        let Some(call) = self.calls.get(owner) else {
            return item.id.clone();
        };
        if call.parts.contains_key(&item.id) || item.id == owner {
            return item.id.clone();
        }
        call.part_matching(item, by)
            .unwrap_or_else(|| item.id.clone())
    }

    /// Says whether a call shall not be reported yet: it may be the second leg of another one that
    /// goes on, which is handed to somebody, and the word for that is still to come.
    fn waits_for_its_first(
        &self,
        id: &str,
        call: &TrackedCall,
        settings: &TrackerSettings,
    ) -> bool {
        if call.ended || call.shown.is_some() {
            return false;
        }
        let Some(phone) = call.client_phone(settings) else {
            return false;
        };
        self.calls.iter().any(|(other_id, other)| {
            other_id != id
                && !other.ended
                && other.shown.is_some()
                && other.is_answered()
                && other.client_phone(settings).as_ref() == Some(&phone)
        })
    }

    /// Joins a call with the order that began it.
    fn find_order(&mut self, id: &str, now: Timestamp) {
        self.orders
            .retain(|order| now.since(order.at) < ORDER_WITHIN);
        let Some(call) = self.calls.get_mut(id).filter(|call| call.order.is_none()) else {
            return;
        };
        let found = self.orders.iter().position(|order| match &order.callid {
            Some(callid) => callid == id || call.parts.contains_key(callid),
            None => call.first_seen >= order.at && call.was_dialled(&order.user, &order.digits),
        });
        if let Some(found) = found {
            call.order = Some(self.orders.remove(found).id);
        }
    }

    /// Forgets calls that are over and that the history will not be asked for again.
    fn forget(&mut self, now: Timestamp, keep_from: Timestamp) {
        const AT_LEAST: Duration = Duration::from_secs(1800);
        let recent = now.minus(AT_LEAST);
        self.calls.retain(|_, call| {
            let last = call.last_time();
            !call.ended || call.last_heard >= recent || last >= keep_from
        });
        self.drop_aliases();
    }

    fn keep_bounds(&mut self) {
        while self.calls.len() > KEPT_MAX {
            let over = self.calls.iter().filter(|(_, call)| call.ended);
            let oldest = over.min_by_key(|(_, call)| call.last_time());
            let Some(id) = oldest.map(|(id, _)| id.clone()) else {
                break;
            };
            self.calls.remove(&id);
        }
        if self.aliases.len() > KEPT_MAX {
            self.drop_aliases();
        }
    }

    fn drop_aliases(&mut self) {
        let calls = &self.calls;
        self.aliases.retain(|_, owner| calls.contains_key(owner));
    }

    /// Returns since when the oldest call is open.
    pub(super) fn oldest_open(&self) -> Option<Timestamp> {
        let open = self.calls.values().filter(|call| !call.ended);
        open.map(|call| call.first_seen).min()
    }

    /// Returns how many calls are open.
    pub(super) fn open(&self) -> usize {
        self.calls.values().filter(|call| !call.ended).count()
    }

    /// Says whether the clock has something to do.
    pub(super) fn has_due(&self, settings: &TrackerSettings, now: Timestamp) -> bool {
        let mut open = self.calls.values();
        open.any(|call| settings.due(call).is_some_and(|due| due <= now))
    }
}

fn digest(call: &Call) -> u64 {
    // A picture of our own always has a JSON form.
    let text = serde_json::to_vec(call).unwrap_or_default();
    let digest = Sha256::digest(&text);
    let first: [u8; 8] = std::array::from_fn(|at| digest.get(at).copied().unwrap_or_default());
    u64::from_le_bytes(first)
}

#[cfg(test)]
mod tests;
