//! The open calls and the indexes into them: which call an id belongs to, which channels share a
//! bridge, which channel has a name. Channels enter here.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};

use serde::{Deserialize, Serialize};

use super::call::{Added, Call, Origin};
use super::channel::{Block, Channel, Part, Side};
use super::settings::{CLOSED_IDS_MAX, CLOSED_KEPT, CLOSED_KEPT_MAX, TrackerSettings};
use crate::model::communication::Snapshot;
use crate::model::timestamp::Timestamp;

/// The open calls.
#[derive(Debug)]
pub(super) struct Book {
    pub(super) settings: TrackerSettings,
    pub(super) calls: BTreeMap<u64, Call>,
    pub(super) next_number: u64,
    /// Uniqueids and Linkedids, each with the number of its call.
    pub(super) index: HashMap<String, u64>,
    /// Names of living channels, each with its Uniqueid.
    pub(super) names: HashMap<String, String>,
    /// Bridges, each with the Uniqueids in it.
    pub(super) bridges: HashMap<String, BTreeSet<String>>,
    closed: VecDeque<Closed>,
    closed_set: HashSet<String>,
    /// Calls to be looked at for a new revision.
    pub(super) changed: BTreeSet<u64>,
    /// Last words of calls that became part of another, or were given up.
    pub(super) farewells: Vec<Snapshot>,
    pub(super) dirty: bool,
    /// When the link was lost, until the calls are reconciled.
    pub(super) lost_at: Option<Timestamp>,
    /// What is told now comes from the log, not from a living PBX.
    pub(super) replaying: bool,
}

/// An id of a call that is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Closed {
    id: String,
    at: Timestamp,
}

impl Book {
    pub(super) fn new(settings: TrackerSettings) -> Self {
        Self {
            settings,
            calls: BTreeMap::new(),
            next_number: 0,
            index: HashMap::new(),
            names: HashMap::new(),
            bridges: HashMap::new(),
            closed: VecDeque::new(),
            closed_set: HashSet::new(),
            changed: BTreeSet::new(),
            farewells: Vec::new(),
            dirty: false,
            lost_at: None,
            replaying: false,
        }
    }

    pub(super) fn call_of(&self, id: &str) -> Option<u64> {
        self.index.get(id).copied()
    }

    pub(super) fn channel(&self, uniqueid: &str) -> Option<&Channel> {
        let number = self.call_of(uniqueid)?;
        self.calls.get(&number)?.channel(uniqueid)
    }

    pub(super) fn channel_mut(&mut self, uniqueid: &str) -> Option<&mut Channel> {
        let number = self.call_of(uniqueid)?;
        self.calls.get_mut(&number)?.channel_mut(uniqueid)
    }

    /// Returns the call of a channel for changing, and marks it for a look and a checkpoint.
    pub(super) fn call_mut(&mut self, id: &str) -> Option<&mut Call> {
        let number = self.call_of(id)?;
        self.changed.insert(number);
        self.dirty = true;
        self.calls.get_mut(&number)
    }

    /// Takes note of a channel that an event describes: follows a changed Linkedid, and opens a
    /// channel or a call where `opens` permits. Says whether the channel is known afterwards.
    pub(super) fn touch(&mut self, block: &Block, opens: Opens, at: Timestamp) -> bool {
        if self.channel(&block.uniqueid).is_some() {
            self.retouch(block, at);
            return true;
        }
        let over = self.is_closed(&block.uniqueid)
            || (self.call_of(&block.linkedid).is_none() && self.is_closed(&block.linkedid));
        if opens == Opens::Nothing || over {
            return false;
        }
        let side = match opens {
            Opens::Called => Side::Called,
            Opens::Nothing | Opens::First | Opens::Later => block.side(),
        };
        self.open(block, side, opens == Opens::First, at)
    }

    fn retouch(&mut self, block: &Block, at: Timestamp) {
        let lost = self.lost_at.is_some() && !self.replaying;
        let Some(number) = self.call_of(&block.uniqueid) else {
            return;
        };
        let Some(call) = self.calls.get_mut(&number) else {
            return;
        };
        call.last_seen = call.last_seen.max(at);
        let Some(channel) = call.channel_mut(&block.uniqueid) else {
            return;
        };
        channel.seen_after_loss |= lost;
        if channel.linkedid != block.linkedid {
            channel.linkedid.clone_from(&block.linkedid);
            self.dirty = true;
            self.unite_ids(&block.uniqueid, &block.linkedid, at);
        }
    }

    /// Opens a channel, and its call where there is none. `whole` says that its very beginning
    /// is seen.
    pub(super) fn open(&mut self, block: &Block, side: Side, whole: bool, at: Timestamp) -> bool {
        let mut channel = block.channel(&self.settings.channels, side, at);
        channel.seen_after_loss = self.lost_at.is_some() && !self.replaying;
        self.dirty = true;
        let known = self
            .call_of(&block.linkedid)
            .or_else(|| self.call_of(&block.uniqueid));
        let first = known.is_none();
        let number = match known {
            Some(number) => number,
            None => self.open_call(&channel, block, whole, at),
        };
        let Some(call) = self.calls.get_mut(&number) else {
            return false;
        };
        call.last_seen = call.last_seen.max(at);
        let late_root = !first && call.linkedid == block.uniqueid && !call.has_client();
        if late_root && call.origin == Origin::Pbx {
            // Another thread told of a later channel first.
            call.begin_with(&channel);
        }
        let (id, name, alive_name) = (
            block.uniqueid.clone(),
            channel.name.clone(),
            channel.part.clone(),
        );
        match call.add_channel(channel) {
            Added::InPlaceOf(forgotten) => {
                self.index.remove(&forgotten);
            }
            Added::Taken => {}
            Added::Refused => return false,
        }
        if let (Part::Employee { extension }, Side::Calling) = (alive_name, side)
            && let Some(leg) = call.leg(&extension, at)
        {
            leg.reached |= first;
        }
        self.index.insert(id.clone(), number);
        self.names.insert(name, id.clone());
        self.changed.insert(number);
        if side == Side::Calling {
            self.decide_line(&id, None, at);
        }
        true
    }

    fn open_call(&mut self, channel: &Channel, block: &Block, whole: bool, at: Timestamp) -> u64 {
        self.make_room(at);
        let mut call = Call::new(&block.linkedid, at);
        call.begin_with(channel);
        if block.uniqueid == block.linkedid && !is_own_form(&block.uniqueid) {
            call.click_to_call = Some(block.uniqueid.clone());
        }
        if !whole || block.uniqueid != block.linkedid {
            call.add_blind("the call was running already when it was first seen");
        }
        self.next_number = self.next_number.saturating_add(1);
        let number = self.next_number;
        self.calls.insert(number, call);
        self.index.insert(block.linkedid.clone(), number);
        number
    }

    /// Keeps the ids of a closed call, so that late events do not open it again.
    pub(super) fn remember_closed(&mut self, id: String, at: Timestamp) {
        if self.closed_set.insert(id.clone()) {
            self.closed.push_back(Closed { id, at });
        }
        if self.closed.len() > CLOSED_IDS_MAX
            && let Some(old) = self.closed.pop_front()
        {
            self.closed_set.remove(&old.id);
        }
    }

    /// Returns the ids closed in the last moments, for the checkpoint: the log is read from a
    /// little before the last session's end.
    pub(super) fn just_closed(&self) -> Vec<Closed> {
        let recent = || self.closed.iter().rev().take(CLOSED_KEPT_MAX);
        let Some(latest) = recent().map(|one| one.at).max() else {
            return Vec::new();
        };
        let kept = |one: &&Closed| latest.since(one.at) <= CLOSED_KEPT;
        let mut kept: Vec<Closed> = recent().filter(kept).cloned().collect();
        kept.reverse();
        kept
    }

    /// Takes up what [`just_closed`](Self::just_closed) returned.
    pub(super) fn take_up_closed(&mut self, closed: Vec<Closed>) {
        for one in closed {
            self.remember_closed(one.id, one.at);
        }
    }

    /// Forgets closed ids: after a restart of the PBX they may come again.
    pub(super) fn forget_closed(&mut self) {
        self.closed.clear();
        self.closed_set.clear();
    }

    pub(super) fn is_closed(&self, id: &str) -> bool {
        self.closed_set.contains(id)
    }
}

/// What an event may open when it names an unknown channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Opens {
    /// Nothing: it may come after the channel's end.
    Nothing,
    /// The channel, at its very beginning.
    First,
    /// The channel, in mid-life.
    Later,
    /// The channel, as one that is called.
    Called,
}

/// Says whether a Uniqueid is Asterisk's own: `[systemname-]epoch.counter` (`pbx/asterisk.md` §2).
pub(super) fn is_own_form(id: &str) -> bool {
    let tail = id.rsplit('-').next().unwrap_or(id);
    let Some((epoch, counter)) = tail.split_once('.') else {
        return false;
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits(epoch) && digits(counter) && (9..=11).contains(&epoch.len())
}
