//! Tells the records of calls that are over in the words of AMI, for the tracker. Pure.
//!
//! None of a call's records is "the" call (`pbx/asterisk.md` §2): each is one leg, in whole
//! seconds. Records belong together by Linkedid where the file has it; otherwise by the names of
//! their channels, Local halves by their stem. A call of which a channel lives is left to AMI.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use super::cdr_record::{CdrRecord, Disposition};
use super::cel_story::dial_string;
use super::moments::moment_of_uniqueid;
use crate::model::timestamp::Timestamp;
use crate::pbx::asterisk::ami_message::Message;
use crate::pbx::asterisk::channels::{ChannelRules, Endpoint};
use crate::pbx::asterisk::tracker::{LiveState, Tracker};

/// Records that share a channel's name overlap in time up to their whole seconds: after a restart
/// of the PBX names come again.
const SLACK: Duration = Duration::from_secs(2);

/// Returns what happened, in order of time.
pub(in crate::pbx::asterisk) fn cdr_messages(
    records: &[CdrRecord],
    channels: &ChannelRules,
    tracker: &Tracker,
    live: &LiveState,
) -> Vec<(Timestamp, Message)> {
    let mut told = Vec::new();
    for group in groups(records) {
        if !lives(&group, live) {
            told.extend(tell(&group, channels, tracker));
        }
    }
    // Stable: what happened in one second keeps the order of its call.
    told.sort_by_key(|(at, _)| *at);
    told
}

/// Says whether a call that the tracker knows by this id has a record.
pub(super) fn is_told_by(call: &str, records: &[CdrRecord], tracker: &Tracker) -> bool {
    let same = |id: &str| id == call || tracker.call_of(id) == Some(call);
    records
        .iter()
        .any(|one| same(&one.uniqueid) || one.linkedid.as_deref().is_some_and(same))
}

/// Puts the records of one call together, each call's in order.
fn groups(records: &[CdrRecord]) -> Vec<Vec<&CdrRecord>> {
    let mut owner: Vec<usize> = (0..records.len()).collect();
    let mut last: BTreeMap<String, usize> = BTreeMap::new();
    let mut order: Vec<usize> = (0..records.len()).collect();
    order.sort_by_key(|at| records.get(*at).map(|one| one.start));
    for at in order {
        let Some(record) = records.get(at) else {
            continue;
        };
        let names = [&record.channel, &record.dest_channel];
        let names = names.into_iter().filter(|name| !name.is_empty());
        let ids = [&record.uniqueid, record.call_id()].map(str::to_owned);
        let keys = names.map(|name| format!("/{}", stem(name))).chain(ids);
        for key in keys {
            let by_name = key.starts_with('/');
            if let Some(other) = last.insert(key, at) {
                let near = records
                    .get(other)
                    .is_some_and(|one| record.start <= one.end.plus(SLACK));
                if near || !by_name {
                    unite(&mut owner, other, at);
                }
            }
        }
    }
    let mut groups: BTreeMap<usize, Vec<&CdrRecord>> = BTreeMap::new();
    for (at, record) in records.iter().enumerate() {
        groups.entry(root(&owner, at)).or_default().push(record);
    }
    let mut groups: Vec<Vec<&CdrRecord>> = groups.into_values().collect();
    for group in &mut groups {
        group.sort_by_key(|one| (one.start, one.end));
    }
    groups
}

fn root(owner: &[usize], mut at: usize) -> usize {
    while let Some(next) = owner.get(at).copied().filter(|next| *next != at) {
        at = next;
    }
    at
}

fn unite(owner: &mut [usize], one: usize, two: usize) {
    let (one, two) = (root(owner, one), root(owner, two));
    if let Some(slot) = owner.get_mut(one.max(two)) {
        *slot = one.min(two);
    }
}

/// Returns the endpoint's name of a channel.
fn extension_of(channel: &str) -> Option<&str> {
    let (_, rest) = channel.split_once('/')?;
    rest.rsplit_once('-').map(|(name, _)| name)
}

/// Both halves of a Local pair have one stem.
fn stem(channel: &str) -> &str {
    match channel.rsplit_once(';') {
        Some((stem, "1" | "2")) if channel.starts_with("Local/") => stem,
        _ => channel,
    }
}

fn lives(group: &[&CdrRecord], live: &LiveState) -> bool {
    live.channels.iter().any(|channel| {
        group.iter().any(|record| {
            record.channel == channel.channel
                || record.dest_channel == channel.channel
                || [&channel.uniqueid, &channel.linkedid]
                    .iter()
                    .any(|id| record.uniqueid == **id || record.call_id() == id.as_str())
        })
    })
}

/// In which order things of one second happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    First,
    Began,
    Dialled,
    DialEnded,
    Joined,
    Parted,
    Gone,
}

/// One call's records being told.
struct Telling<'a> {
    channels: &'a ChannelRules,
    tracker: &'a Tracker,
    linkedid: String,
    /// Uniqueids by channel name.
    ids: BTreeMap<&'a str, String>,
    begun: HashSet<&'a str>,
    told: Vec<(Timestamp, Stage, Message)>,
}

fn tell(
    group: &[&CdrRecord],
    channels: &ChannelRules,
    tracker: &Tracker,
) -> Vec<(Timestamp, Message)> {
    let known = group.iter().find_map(|one| {
        let ids = [one.uniqueid.as_str(), one.call_id()];
        ids.into_iter().find_map(|id| tracker.linkedid_of(id))
    });
    let Some(first) = first_of(group) else {
        return Vec::new();
    };
    let linkedid = known.unwrap_or(first.call_id()).to_owned();
    let mut telling = Telling {
        channels,
        tracker,
        ids: BTreeMap::new(),
        begun: HashSet::new(),
        told: Vec::new(),
        linkedid,
    };
    for record in group {
        telling.ids.insert(&record.channel, record.uniqueid.clone());
    }
    for (number, record) in group.iter().enumerate() {
        telling.leg(number, record, group);
    }
    telling.ends(group);
    telling.told.sort_by_key(|(at, stage, _)| (*at, *stage));
    let told = telling.told.into_iter();
    told.map(|(at, _, message)| (at, message)).collect()
}

/// Returns the record that the call began with: the one of the first channel, which is no Local
/// half, and which nobody dialled.
fn first_of<'a>(group: &[&'a CdrRecord]) -> Option<&'a CdrRecord> {
    let dialled = |one: &CdrRecord| {
        one.app.starts_with("AppDial") || group.iter().any(|two| two.dest_channel == one.channel)
    };
    let rank = |one: &&CdrRecord| {
        let root = one.linkedid.is_none() || one.linkedid.as_deref() == Some(&one.uniqueid);
        let local = one.channel.starts_with("Local/");
        // Of two that begin in one second the channel with the smaller number was there first.
        (!root, local, dialled(one), one.start, age(&one.uniqueid))
    };
    group.iter().copied().min_by_key(rank)
}

/// Returns the epoch and the counter of a Uniqueid in Asterisk's own form.
fn age(uniqueid: &str) -> Option<(u64, u64)> {
    let tail = uniqueid.rsplit('-').next().unwrap_or(uniqueid);
    let (epoch, counter) = tail.split_once('.')?;
    Some((epoch.parse().ok()?, counter.parse().ok()?))
}

impl<'a> Telling<'a> {
    fn leg(&mut self, number: usize, record: &'a CdrRecord, group: &[&'a CdrRecord]) {
        let id = self.id(&record.channel);
        if self.begun.insert(&record.channel) {
            let local = record.channel.starts_with("Local/");
            let trunk = matches!(
                self.channels
                    .classify(&record.channel, Some(&record.context)),
                Endpoint::Trunk(_)
            );
            let number = record.destination.as_str();
            let dialled = trunk || !matches!(number, "" | "s");
            // A chosen id belongs to a phone that the PBX calls for somebody.
            let own_form = moment_of_uniqueid(&id).is_some();
            let calls = match local {
                true => record.channel.ends_with(";2"),
                false => dialled && (own_form || trunk),
            };
            // After a transfer an incoming call's record has the target's number for the DID.
            let target = |one: &&CdrRecord| {
                extension_of(&one.dest_channel) == Some(number) || one.app_data.contains(number)
            };
            let shown = match &record.did {
                Some(did) if trunk => did.as_str(),
                _ if trunk && group.iter().any(target) => "",
                _ => number,
            };
            let began = self
                .block("Newchannel", &record.channel, &id)
                .and("ChannelState", if calls { "4" } else { "0" })
                .and("CallerIDNum", &record.source)
                .and("CallerIDName", &record.caller_name)
                .and("Context", &record.context)
                .and("Exten", shown);
            let stage = match id == self.linkedid {
                true => Stage::First,
                false => Stage::Began,
            };
            let earliest = group.iter().map(|one| one.start).min();
            let at = earliest
                .filter(|_| stage == Stage::First)
                .unwrap_or(record.start);
            self.told.push((at, stage, began));
        }
        let queue = record.app.eq_ignore_ascii_case("Queue");
        if queue {
            let name = record.app_data.split(',').next().unwrap_or_default();
            let joined = self.block("QueueCallerJoin", &record.channel, &id);
            let joined = joined.and("Queue", name);
            self.told.push((record.start, Stage::Dialled, joined));
            if record.disposition != Disposition::Answered {
                let left = self.block("QueueCallerAbandon", &record.channel, &id);
                let left = left.and("Queue", name);
                self.told.push((record.end, Stage::DialEnded, left));
            }
        }
        if !record.dest_channel.is_empty() {
            self.dialled(number, record, &id, group);
        }
    }

    fn dialled(&mut self, number: usize, record: &'a CdrRecord, id: &str, group: &[&'a CdrRecord]) {
        let other = record.dest_channel.as_str();
        let other_id = self.id(other);
        if self.begun.insert(other) {
            let began = self
                .block("Newchannel", other, &other_id)
                .and("ChannelState", "0");
            self.told.push((record.start, Stage::Began, began));
        }
        let dest = |name: &str, linkedid: &str| {
            Message::from_pairs([
                ("Event", name),
                ("DestChannel", other),
                ("DestUniqueid", &other_id),
                ("DestLinkedid", linkedid),
                ("Uniqueid", id),
                ("Linkedid", linkedid),
            ])
        };
        let mut begin = dest("DialBegin", &self.linkedid).and("CallerIDNum", &record.source);
        if let Some(string) = dial_string(&record.app_data, other) {
            begin = begin.and("DialString", string);
        }
        self.told.push((record.start, Stage::Dialled, begin));
        let end = dest("DialEnd", &self.linkedid);
        let answered = record
            .answer
            .filter(|_| record.disposition == Disposition::Answered);
        let Some(answered) = answered.filter(|_| !is_picked_up(record, group)) else {
            let status = match record.disposition {
                Disposition::Busy => "BUSY",
                Disposition::Failed => "CHANUNAVAIL",
                Disposition::NoAnswer | Disposition::Answered => "NOANSWER",
            };
            let ended = end.and("DialStatus", status);
            return self.told.push((record.end, Stage::DialEnded, ended));
        };
        // A queue or a menu answers the client before anybody is rung.
        let from = answered.max(record.start);
        let bridge = format!("log/{}/{number}", self.linkedid);
        self.told
            .push((from, Stage::DialEnded, end.and("DialStatus", "ANSWER")));
        for (name, one) in [(record.channel.as_str(), id), (other, other_id.as_str())] {
            let enter = self
                .block("BridgeEnter", name, one)
                .and("BridgeUniqueid", &bridge);
            let leave = self
                .block("BridgeLeave", name, one)
                .and("BridgeUniqueid", &bridge);
            self.told.push((from, Stage::Joined, enter));
            self.told.push((record.end, Stage::Parted, leave));
        }
    }

    /// A channel is gone at the end of the last record that names it.
    fn ends(&mut self, group: &[&'a CdrRecord]) {
        let mut ends: BTreeMap<&str, (Timestamp, Disposition)> = BTreeMap::new();
        for record in group {
            for name in [record.channel.as_str(), record.dest_channel.as_str()] {
                let end = ends.entry(name).or_insert((record.end, record.disposition));
                *end = (end.0.max(record.end), record.disposition);
            }
        }
        ends.remove("");
        for (name, (end, disposition)) in ends {
            let cause = match disposition {
                Disposition::Busy => "17",
                Disposition::Answered | Disposition::Failed | Disposition::NoAnswer => "16",
            };
            let gone = self
                .block("Hangup", name, &self.id(name))
                .and("Cause", cause);
            self.told.push((end, Stage::Gone, gone));
        }
    }

    /// Returns a channel's Uniqueid; of one that no record has, the tracker's, or one that stands
    /// for it.
    fn id(&self, channel: &str) -> String {
        match (self.ids.get(channel), self.tracker.uniqueid_of(channel)) {
            (Some(id), _) => id.clone(),
            (None, Some(id)) => id.to_owned(),
            (None, None) => format!("{}/{channel}", self.linkedid),
        }
    }

    fn block(&self, name: &str, channel: &str, id: &str) -> Message {
        Message::from_pairs([
            ("Event", name),
            ("Channel", channel),
            ("Uniqueid", id),
            ("Linkedid", &self.linkedid),
        ])
    }
}

/// Says whether a leg that seems answered was picked up by another phone: it lasted no second, and
/// the same channel talks on with somebody else from then on.
fn is_picked_up(record: &CdrRecord, group: &[&CdrRecord]) -> bool {
    record.billed_s == 0
        && group.iter().any(|other| {
            other.channel == record.channel
                && other.dest_channel != record.dest_channel
                && other.disposition == Disposition::Answered
                && other.start.since(record.end) <= SLACK
                && other.start >= record.end
                && other.end > record.end
        })
}
