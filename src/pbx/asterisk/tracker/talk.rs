//! Who talks with whom: the interval bookkeeping of one call, and the walk through bridges and
//! Local pairs that finds who is joined.

use std::collections::{BTreeSet, HashSet};

use serde::{Deserialize, Serialize};

use super::book::Book;
use super::call::Call;
use super::channel::{Part, other_half};
use crate::model::ids::Extension;
use crate::model::timestamp::Timestamp;

/// The talk of one call so far. Time is the union of the intervals in which somebody of the
/// company is joined with the client, so a moment's gap at a swap costs only that moment.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Talk {
    pub(super) first: Option<Timestamp>,
    pub(super) since: Option<Timestamp>,
    pub(super) total_ms: u64,
    /// Until when talk was counted: what the log tells a second time counts once.
    #[serde(default)]
    pub(super) counted_until: Option<Timestamp>,
    /// Who is joined now, in order of joining.
    pub(super) now: Vec<Extension>,
    /// Who talked, in order of the first time.
    pub(super) talkers: Vec<Extension>,
    pub(super) last: Option<Extension>,
}

impl Talk {
    /// Returns the talk time up to a moment.
    pub(super) fn total_ms(&self, at: Timestamp) -> u64 {
        let open = self.since.map_or(0, |since| millis(at, self.from(since)));
        self.total_ms.saturating_add(open)
    }

    fn from(&self, since: Timestamp) -> Timestamp {
        self.counted_until.map_or(since, |until| since.max(until))
    }
}

fn millis(later: Timestamp, earlier: Timestamp) -> u64 {
    u64::try_from(later.since(earlier).as_millis()).unwrap_or(u64::MAX)
}

impl Call {
    /// Sets who is joined with the client from now on. `anybody` is also true for a stand-in
    /// whose extension is not known.
    pub(super) fn set_talk(&mut self, joined: &[Extension], anybody: bool, at: Timestamp) -> bool {
        let talk = &mut self.talk;
        let same = talk.since.is_some() == anybody
            && talk.now.len() == joined.len()
            && joined.iter().all(|one| talk.now.contains(one));
        if same {
            return false;
        }
        let left: Vec<Extension> = talk
            .now
            .iter()
            .filter(|one| !joined.contains(one))
            .cloned()
            .collect();
        talk.now.retain(|one| joined.contains(one));
        let came: Vec<Extension> = joined
            .iter()
            .filter(|one| !talk.now.contains(one))
            .cloned()
            .collect();
        talk.now.extend(came.iter().cloned());
        if let Some(last) = talk.now.last() {
            talk.last = Some(last.clone());
        }
        if anybody {
            talk.first.get_or_insert(at);
            talk.since.get_or_insert(at);
        } else if let Some(since) = talk.since.take() {
            let from = talk.from(since);
            talk.total_ms = talk.total_ms.saturating_add(millis(at, from));
            talk.counted_until = talk.counted_until.max(Some(at));
        }
        for extension in &came {
            if !talk.talkers.contains(extension) {
                talk.talkers.push(extension.clone());
            }
        }
        for extension in left {
            if let Some(leg) = self.leg(&extension, at) {
                leg.talked_until = Some(at);
            }
        }
        for extension in came {
            if let Some(leg) = self.leg(&extension, at) {
                leg.reached = true;
                leg.talked_from.get_or_insert(at);
                leg.talked_until = None;
            }
        }
        true
    }
}

impl Book {
    /// Returns the living channels joined with one, itself included: through bridges, and from
    /// one half of a Local pair to the other.
    pub(super) fn joined(&self, uniqueid: &str) -> BTreeSet<String> {
        let mut seen = BTreeSet::new();
        let mut open = vec![uniqueid.to_owned()];
        while let Some(id) = open.pop() {
            let Some(channel) = self.channel(&id).filter(|one| one.alive()) else {
                continue;
            };
            if !seen.insert(id) {
                continue;
            }
            if let Some(members) = channel.bridge.as_ref().and_then(|id| self.bridges.get(id)) {
                open.extend(members.iter().cloned());
            }
            if let Some(half) = other_half(&channel.name).and_then(|name| self.names.get(&name)) {
                open.push(half.clone());
            }
        }
        seen
    }

    /// Finds anew who talks in the calls of some channels.
    pub(super) fn settle_talk(&mut self, channels: &BTreeSet<String>, at: Timestamp) {
        let calls: HashSet<u64> = channels.iter().filter_map(|id| self.call_of(id)).collect();
        for number in calls {
            self.settle_call(number, at);
        }
    }

    /// Finds anew who talks in one call.
    pub(super) fn settle_call(&mut self, number: u64, at: Timestamp) {
        let Some(call) = self.calls.get(&number) else {
            return;
        };
        let (joined, anybody) = if call.has_client() {
            self.joined_with_client(call)
        } else {
            self.joined_inside(call)
        };
        if let Some(call) = self.calls.get_mut(&number)
            && call.set_talk(&joined, anybody, at)
        {
            self.changed.insert(number);
        }
    }

    fn joined_with_client(&self, call: &Call) -> (Vec<Extension>, bool) {
        let mut extensions = Vec::new();
        let mut anybody = false;
        let clients = call
            .channels
            .iter()
            .filter(|one| one.part == Part::Client && one.alive());
        for client in clients {
            for id in self.joined(&client.uniqueid) {
                let Some(channel) = self.channel(&id) else {
                    continue;
                };
                let company = match &channel.part {
                    Part::Employee { .. } => true,
                    // A stand-in answers for the company only in the call that it was made for.
                    Part::StandIn { .. } => call.channel(&id).is_some(),
                    Part::Client | Part::Outside | Part::Line | Part::Joint => false,
                };
                anybody |= company;
                if company {
                    add(&mut extensions, channel.extension());
                }
            }
        }
        (extensions, anybody)
    }

    /// Among employees, two of them make a talk.
    fn joined_inside(&self, call: &Call) -> (Vec<Extension>, bool) {
        for channel in call.channels.iter().filter(|one| one.alive()) {
            let mut extensions = Vec::new();
            for id in self.joined(&channel.uniqueid) {
                let other = self.channel(&id);
                add(&mut extensions, other.and_then(|one| one.extension()));
            }
            if extensions.len() > 1 {
                return (extensions, true);
            }
        }
        (Vec::new(), false)
    }
}

fn add(extensions: &mut Vec<Extension>, one: Option<&Extension>) {
    if let Some(extension) = one
        && !extensions.contains(extension)
    {
        extensions.push(extension.clone());
    }
}
