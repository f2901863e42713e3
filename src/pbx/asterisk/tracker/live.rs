//! The channels that live now, as lists tell, and what they say about the calls known so far.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use super::book::{Book, Opens};
use super::channel::{Block, Side};
use super::settings::kept;
use crate::model::communication::Snapshot;
use crate::model::timestamp::Timestamp;
use crate::pbx::asterisk::ami_message::Message;

/// One living channel.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LiveChannel {
    /// Its name.
    pub channel: String,
    /// Its Uniqueid.
    pub uniqueid: String,
    /// Its Linkedid.
    pub linkedid: String,
    /// The number shown as its caller's.
    pub caller_id_num: Option<String>,
    /// The number that it is connected with.
    pub connected_line_num: Option<String>,
    /// Where in the dialplan it is.
    pub context: Option<String>,
    /// Which extension it runs.
    pub exten: Option<String>,
    /// Its state: 4 Ring, 5 Ringing, 6 Up.
    pub state: u8,
    /// The application that it runs; `AppDial` for one that was dialled.
    pub application: Option<String>,
    /// How long it lives.
    pub duration: Option<Duration>,
    /// The bridge that it stands in.
    pub bridge: Option<String>,
    /// The DID that a variable names.
    pub did: Option<String>,
}

/// All living channels.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LiveState {
    /// The channels.
    pub channels: Vec<LiveChannel>,
}

impl LiveState {
    /// Reads the items of CoreShowChannels, Status and BridgeInfo; other messages are passed
    /// over. A channel that several lists name stands once.
    pub fn from_messages(messages: &[Message]) -> Self {
        let mut state = Self::default();
        // Items of BridgeInfo do not name the bridge; the end of the list does.
        let bridges: HashMap<&str, &str> = messages
            .iter()
            .filter(|one| one.event() == Some("BridgeInfoComplete"))
            .filter_map(|one| Some((one.action_id()?, one.value("BridgeUniqueid")?)))
            .collect();
        for message in messages {
            let listed = ["CoreShowChannel", "Status", "BridgeInfoChannel"];
            if !message.event().is_some_and(|name| listed.contains(&name)) {
                continue;
            }
            let Some(mut channel) = LiveChannel::read(message) else {
                continue;
            };
            if message.event() == Some("BridgeInfoChannel") {
                let bridge = message.action_id().and_then(|id| bridges.get(id));
                channel.bridge = bridge.map(|id| kept(id));
            }
            state.add(channel);
        }
        state
    }

    fn add(&mut self, channel: LiveChannel) {
        let known = self
            .channels
            .iter_mut()
            .find(|one| one.uniqueid == channel.uniqueid);
        let Some(known) = known else {
            self.channels.push(channel);
            return;
        };
        let fill = |own: &mut Option<String>, other: Option<String>| {
            if own.is_none() {
                *own = other;
            }
        };
        fill(&mut known.caller_id_num, channel.caller_id_num);
        fill(&mut known.connected_line_num, channel.connected_line_num);
        fill(&mut known.context, channel.context);
        fill(&mut known.exten, channel.exten);
        fill(&mut known.application, channel.application);
        fill(&mut known.bridge, channel.bridge);
        fill(&mut known.did, channel.did);
        known.duration = known.duration.or(channel.duration);
    }
}

impl LiveChannel {
    fn read(message: &Message) -> Option<Self> {
        let text = |name: &str| message.value(name).map(kept);
        let uniqueid = text("Uniqueid")?;
        let seconds = text("Seconds").and_then(|text| text.parse().ok());
        let duration = text("Duration").and_then(|text| clock_seconds(&text));
        Some(Self {
            channel: text("Channel")?,
            linkedid: text("Linkedid").unwrap_or_else(|| uniqueid.clone()),
            uniqueid,
            caller_id_num: text("CallerIDNum"),
            connected_line_num: text("ConnectedLineNum"),
            context: text("Context"),
            exten: text("Exten"),
            state: text("ChannelState")
                .and_then(|text| text.parse().ok())
                .unwrap_or_default(),
            application: text("Application"),
            duration: seconds.or(duration).map(Duration::from_secs),
            bridge: text("BridgeId"),
            did: text("DNID").filter(|text| text != "s"),
        })
    }

    fn block(&self) -> Block {
        Block {
            uniqueid: self.uniqueid.clone(),
            linkedid: self.linkedid.clone(),
            name: self.channel.clone(),
            state: Some(self.state),
            caller: self.caller_id_num.clone(),
            caller_name: None,
            context: self.context.clone(),
            exten: self.exten.clone(),
        }
    }

    /// Says which side began it. A dialled channel runs `AppDial`, one of the PBX `AppDial2`.
    fn side(&self) -> Side {
        let dialled = self
            .application
            .as_deref()
            .is_some_and(|name| name.starts_with("AppDial") || name.starts_with("AppQueue"));
        match (dialled, self.state) {
            (true, _) | (_, 0 | 5) => Side::Called,
            _ => Side::Calling,
        }
    }
}

/// Reads `hh:mm:ss`.
fn clock_seconds(text: &str) -> Option<u64> {
    text.split(':').try_fold(0_u64, |sum, part| {
        sum.checked_mul(60)?.checked_add(part.trim().parse().ok()?)
    })
}

const LOST: &str = "the link to the PBX was down during the call";
const CAME_LATE: &str = "the call was running already when it was first seen";
const RESTARTED: &str = "the PBX was restarted during the call";

impl Book {
    pub(super) fn lose_sight(&mut self, at: Timestamp) {
        self.lost_at.get_or_insert(at);
        self.dirty = true;
        for call in self.calls.values_mut() {
            for channel in &mut call.channels {
                channel.seen_after_loss = false;
            }
        }
    }

    /// Compares what is known with what lives.
    pub(super) fn reconcile(&mut self, live: &LiveState, now: Timestamp) -> Vec<Snapshot> {
        let lost_at = self.lost_at;
        let mut channels: Vec<&LiveChannel> = live
            .channels
            .iter()
            .filter(|one| !self.is_closed(&one.uniqueid))
            .collect();
        // The first channel of a call tells its direction, then the longest-lived.
        channels.sort_by_key(|one| {
            let longest = std::cmp::Reverse(one.duration.unwrap_or_default());
            (one.uniqueid != one.linkedid, longest)
        });
        let alive: HashSet<&str> = channels.iter().map(|one| one.uniqueid.as_str()).collect();
        let open: Vec<u64> = self.calls.keys().copied().collect();
        self.end_missing(&alive, lost_at, now);
        for channel in &channels {
            self.meet(channel, lost_at.is_some(), now);
        }
        for channel in &channels {
            self.place(channel, now);
        }
        let mut told = Vec::new();
        for number in open {
            told.extend(self.end_if_gone(number, lost_at, now));
        }
        self.lost_at = None;
        self.dirty = true;
        told.splice(0..0, self.report(now));
        told
    }

    /// Ends the channels that live no more: at the last moment at which they could be seen.
    fn end_missing(&mut self, alive: &HashSet<&str>, lost_at: Option<Timestamp>, now: Timestamp) {
        let missing: Vec<(String, Timestamp)> = self
            .calls
            .values()
            .flat_map(|call| call.channels.iter().map(move |one| (call, one)))
            .filter(|(_, one)| one.alive() && !one.seen_after_loss)
            .filter(|(_, one)| !alive.contains(one.uniqueid.as_str()))
            .map(|(call, one)| {
                let gone_at = lost_at
                    .unwrap_or(call.last_seen)
                    .max(call.last_seen)
                    .min(now);
                (one.uniqueid.clone(), gone_at)
            })
            .collect();
        for (id, gone_at) in missing {
            self.end_channel(&id, None, gone_at);
            if let Some(call) = self.call_mut(&id) {
                call.add_blind(LOST);
            }
        }
    }

    fn meet(&mut self, live: &LiveChannel, was_lost: bool, now: Timestamp) {
        let block = live.block();
        if self.channel(&live.uniqueid).is_some() {
            self.touch(&block, Opens::Nothing, now);
            let up = live.state == 6;
            if let Some(channel) = self.channel_mut(&live.uniqueid) {
                channel.up |= up;
            }
            if live.state == 5 {
                self.ringing(&live.uniqueid, now);
            }
            return;
        }
        let since = now.minus(live.duration.unwrap_or_default());
        let side = live.side();
        if !self.open(&block, side, true, since) {
            return;
        }
        if side == Side::Called {
            self.decide_line(&live.uniqueid, None, now);
        }
        let extension = self
            .channel(&live.uniqueid)
            .and_then(|one| one.extension().cloned());
        let Some(call) = self.call_mut(&live.uniqueid) else {
            return;
        };
        call.add_blind(if was_lost { LOST } else { CAME_LATE });
        call.last_seen = now;
        if call.did_variable.is_none() {
            call.did_variable.clone_from(&live.did);
        }
        if let (Some(extension), Side::Called) = (extension, side) {
            if let Some(leg) = call.leg(&extension, since) {
                leg.reached = true;
                leg.rung_last = since;
                leg.outcome = None;
            }
        }
        if call.has_client() && call.dial_string.is_none() && side == Side::Called {
            call.dial_string.clone_from(&live.caller_id_num);
            call.shown_number.clone_from(&live.connected_line_num);
        }
    }

    fn place(&mut self, live: &LiveChannel, now: Timestamp) {
        match &live.bridge {
            Some(bridge) => self.enter_bridge(&live.uniqueid, bridge, now),
            None => {
                let old = self
                    .channel(&live.uniqueid)
                    .filter(|one| !one.seen_after_loss)
                    .and_then(|one| one.bridge.clone());
                if let Some(bridge) = old {
                    self.take_out(&live.uniqueid, &bridge, now);
                }
            }
        }
    }

    /// Ends a call that was open and of which nothing lives. One that was over before the link
    /// was lost was seen whole.
    fn end_if_gone(
        &mut self,
        number: u64,
        lost_at: Option<Timestamp>,
        now: Timestamp,
    ) -> Option<Snapshot> {
        let call = self.calls.get(&number)?;
        if call.any_alive() {
            return None;
        }
        let gone_at = lost_at.unwrap_or(call.last_seen).min(now);
        self.end_blind(number, gone_at, LOST, now)
    }

    pub(super) fn end_all(&mut self, at: Timestamp) -> Vec<Snapshot> {
        let open: Vec<(u64, Timestamp)> = self
            .calls
            .iter()
            .map(|(number, call)| (*number, call.last_seen.min(at)))
            .collect();
        let mut told = self.report(at);
        for (number, last_seen) in open {
            told.extend(self.end_blind(number, last_seen, RESTARTED, at));
        }
        self.names.clear();
        self.bridges.clear();
        self.forget_closed();
        self.lost_at = None;
        self.dirty = true;
        told
    }
}
