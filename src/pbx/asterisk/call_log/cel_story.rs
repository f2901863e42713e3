//! Tells the events of the log in the words of AMI, for the tracker. Pure.
//!
//! CEL knows no ringing and no DialBegin: a channel that is not the first of its Linkedid was
//! dialled, by the first one or by the Local half that was made last; how it ended is in the cause
//! of its hang-up. Nothing here is invented that the log does not say.

use std::collections::{BTreeMap, HashSet};

use super::cel_event::CelEvent;
use crate::pbx::asterisk::ami_message::Message;
use crate::pbx::asterisk::channels::{ChannelRules, Endpoint};
use crate::pbx::asterisk::tracker::Tracker;

/// Calls whose beginnings are remembered at once; more than a PBX of this size holds open.
const CALLS_MAX: usize = 4096;

/// Causes of a phone that could not be reached, so that it did not ring.
const CAUSES_UNREACHED: [u64; 6] = [3, 20, 27, 34, 38, 42];
const CAUSE_BUSY: u64 = 17;
const CAUSE_ANSWERED_ELSEWHERE: u64 = 26;

/// What of a call's beginning is needed later.
#[derive(Debug, Default)]
struct Beginning {
    /// The channel that dials: the first one, or the Local half made last.
    dialler: String,
    /// What it was told to dial.
    dialled: Option<String>,
    /// What is shown as its number.
    shown: Option<String>,
    queues: Vec<String>,
}

/// Reads events in the order of the log.
#[derive(Debug)]
pub(in crate::pbx::asterisk) struct CelStory {
    channels: ChannelRules,
    calls: BTreeMap<String, Beginning>,
    /// Channels that were answered.
    answered: HashSet<String>,
}

impl CelStory {
    /// Begins with a source's rules of which channel is what.
    pub(in crate::pbx::asterisk) fn new(channels: ChannelRules) -> Self {
        Self {
            channels,
            calls: BTreeMap::new(),
            answered: HashSet::new(),
        }
    }

    /// Tells one event. `tracker` is the one that is told: only it knows which channels are
    /// already known, by AMI or by earlier lines. A channel whose beginning is in neither is
    /// passed over: its call was over before, or AMI will tell of it.
    pub(in crate::pbx::asterisk) fn tell(
        &mut self,
        event: &CelEvent,
        tracker: &Tracker,
    ) -> Vec<Message> {
        if event.kind == "CHAN_START" {
            return self.start(event, tracker);
        }
        if event.kind == "LINKEDID_END" {
            self.calls.remove(&event.linkedid);
            return Vec::new();
        }
        if tracker.linkedid_of(&event.uniqueid).is_none() {
            return Vec::new();
        }
        match event.kind.as_str() {
            "ANSWER" => self.answer(event, tracker),
            "BRIDGE_ENTER" => self.bridge(event, "BridgeEnter"),
            "BRIDGE_EXIT" => self.bridge(event, "BridgeLeave"),
            "APP_START" => self.application(event),
            "APP_END" if is_queue(event) => vec![queue(event, "QueueCallerAbandon")],
            "HANGUP" => self.hang_up(event, tracker),
            "CHAN_END" => {
                self.answered.remove(&event.uniqueid);
                vec![block("Hangup", event)]
            }
            "ATTENDEDTRANSFER" => vec![attended(event, tracker)],
            "PICKUP" => pickup(event, tracker).into_iter().collect(),
            _ => Vec::new(),
        }
    }

    fn start(&mut self, event: &CelEvent, tracker: &Tracker) -> Vec<Message> {
        let root = event.uniqueid == event.linkedid;
        if !root && tracker.call_of(&event.linkedid).is_none() {
            return Vec::new();
        }
        let local = event.channel.starts_with("Local/");
        let called = match (root, local) {
            (_, true) => !event.channel.ends_with(";2"),
            (false, false) => true,
            // A phone that dials has a number to dial; one that the PBX calls has none.
            (true, false) => {
                let endpoint = self.channels.classify(&event.channel, Some(&event.context));
                let nothing_dialled = matches!(event.exten.as_str(), "" | "s");
                matches!(endpoint, Endpoint::Extension(_)) && nothing_dialled
            }
        };
        let first = block("Newchannel", event)
            .and("ChannelState", if called { "0" } else { "4" })
            .and("CallerIDNum", &event.caller)
            .and("CallerIDName", &event.caller_name)
            .and("Context", &event.context)
            .and("Exten", &event.exten);
        let mut told = vec![first];
        if called {
            told.push(self.dial_begin(event, tracker));
        } else if root || event.channel.ends_with(";2") {
            self.beginning(&event.linkedid)
                .dialler
                .clone_from(&event.uniqueid);
        }
        told
    }

    fn beginning(&mut self, linkedid: &str) -> &mut Beginning {
        if self.calls.len() >= CALLS_MAX && !self.calls.contains_key(linkedid) {
            // The smallest id is the oldest.
            self.calls.pop_first();
        }
        self.calls.entry(linkedid.to_owned()).or_default()
    }

    fn dial_begin(&self, event: &CelEvent, tracker: &Tracker) -> Message {
        let beginning = self.calls.get(&event.linkedid);
        let mut told = dest("DialBegin", event);
        let dialler = beginning.map(|one| one.dialler.as_str());
        // A half of a call that AMI saw begin is dialled by its first channel.
        let dialler = dialler
            .filter(|id| !id.is_empty())
            .unwrap_or(&event.linkedid);
        if let (Some(linkedid), true) = (tracker.linkedid_of(dialler), dialler != event.uniqueid) {
            told = told.and("Uniqueid", dialler).and("Linkedid", linkedid);
            if let Some(shown) = beginning.and_then(|one| one.shown.as_deref()) {
                told = told.and("CallerIDNum", shown);
            }
        }
        let string = beginning.and_then(|one| one.dialled.as_deref());
        if let Some(string) = string.and_then(|all| dial_string(all, &event.channel)) {
            told = told.and("DialString", string);
        }
        told
    }

    fn answer(&mut self, event: &CelEvent, tracker: &Tracker) -> Vec<Message> {
        self.answered.insert(event.uniqueid.clone());
        let mut told = Vec::new();
        if is_dialled(event) {
            let known = self.calls.get(&event.linkedid);
            if known.is_none_or(|one| one.dialled.is_none()) && event.uniqueid != event.linkedid {
                // The log has no APP_START: a line that answers shows the number that was dialled.
                let again = self.dial_begin(event, tracker);
                told.push(again.and("DialString", &event.caller));
            }
            told.push(dest("DialEnd", event).and("DialStatus", "ANSWER"));
        }
        told.push(block("Newstate", event).and("ChannelState", "6"));
        told
    }

    fn bridge(&mut self, event: &CelEvent, name: &str) -> Vec<Message> {
        let Some(bridge) = event.extra_text("bridge_id") else {
            return Vec::new();
        };
        let technology = event.extra_text("bridge_technology").unwrap_or_default();
        let told = block(name, event)
            .and("BridgeUniqueid", bridge)
            .and("BridgeTechnology", technology);
        let mut all = self.application(event);
        all.push(told);
        all
    }

    /// Takes note of what a channel is told to do; a queue is told at its first appearance.
    fn application(&mut self, event: &CelEvent) -> Vec<Message> {
        let dials = event.app.eq_ignore_ascii_case("Dial");
        if !dials && !is_queue(event) {
            return Vec::new();
        }
        let beginning = self.beginning(&event.linkedid);
        if dials {
            beginning.dialled = Some(event.app_data.clone());
            beginning.shown = Some(event.caller.clone()).filter(|text| !text.is_empty());
            if event.kind == "APP_START" {
                beginning.dialler.clone_from(&event.uniqueid);
            }
            return Vec::new();
        }
        let name = queue_name(event).to_owned();
        if event.kind == "APP_START" || !beginning.queues.contains(&name) {
            if !beginning.queues.contains(&name) && beginning.queues.len() < 32 {
                beginning.queues.push(name);
            }
            return vec![queue(event, "QueueCallerJoin")];
        }
        Vec::new()
    }

    fn hang_up(&mut self, event: &CelEvent, tracker: &Tracker) -> Vec<Message> {
        let cause = event
            .extra
            .get("hangupcause")
            .and_then(serde_json::Value::as_u64);
        let by = event
            .extra_text("hangupsource")
            .and_then(|name| tracker.uniqueid_of(name));
        let mut told = Vec::new();
        if let Some(by) = by {
            // Whose end it was that hung up; of the dialled channels the first line says it.
            let linkedid = tracker.linkedid_of(by).unwrap_or(by);
            let request = Message::from_pairs([("Event", "HangupRequest")]);
            told.push(request.and("Uniqueid", by).and("Linkedid", linkedid));
        }
        if is_dialled(event) && !self.answered.remove(&event.uniqueid) {
            // Its time was over, or somebody else ended it: neither is told apart here, and both
            // are a phone that rang in vain. What refuses by itself names itself.
            let elsewhere = by.is_none_or(|by| by != event.uniqueid);
            let status = match cause {
                Some(CAUSE_BUSY) => "BUSY",
                Some(CAUSE_ANSWERED_ELSEWHERE) => "CANCEL",
                Some(cause) if CAUSES_UNREACHED.contains(&cause) => "CHANUNAVAIL",
                _ if elsewhere => "CANCEL",
                _ => "NOANSWER",
            };
            told.push(dest("DialEnd", event).and("DialStatus", status));
        }
        let cause = cause.map(|cause| cause.to_string()).unwrap_or_default();
        told.push(block("Hangup", event).and("Cause", &cause));
        told
    }
}

/// Says whether the channel was dialled; then it runs `AppDial`, one of an originate `AppDial2`,
/// one of a queue `AppQueue`.
fn is_dialled(event: &CelEvent) -> bool {
    event.app.starts_with("AppDial") || event.app.starts_with("AppQueue")
}

fn is_queue(event: &CelEvent) -> bool {
    event.app.eq_ignore_ascii_case("Queue")
}

fn queue_name(event: &CelEvent) -> &str {
    event.app_data.split(',').next().unwrap_or_default()
}

fn queue(event: &CelEvent, name: &str) -> Message {
    block(name, event).and("Queue", queue_name(event))
}

/// Takes out of `PJSIP/101&PJSIP/79161234567@trunk,30,tT` what was dialled on a channel: the part
/// of its technology that names its endpoint.
pub(super) fn dial_string<'a>(app_data: &'a str, channel: &str) -> Option<&'a str> {
    let all = app_data.split(',').next().unwrap_or_default();
    let (technology, rest) = channel.split_once('/')?;
    let endpoint = rest.rsplit_once('-').map_or(rest, |(name, _)| name);
    let fits = |part: &&str| {
        let own = part
            .split_once('/')
            .filter(|(tech, _)| tech.eq_ignore_ascii_case(technology));
        own.is_some_and(|(_, rest)| rest.split(['@', '/', ':']).any(|word| word == endpoint))
    };
    let part = all.split('&').find(fits)?;
    part.split_once('/').map(|(_, rest)| rest)
}

fn attended(event: &CelEvent, tracker: &Tracker) -> Message {
    let mut told = Message::from_pairs([("Event", "AttendedTransfer"), ("Result", "Success")])
        .and("OrigTransfererUniqueid", &event.uniqueid)
        .and("OrigTransfererLinkedid", &event.linkedid);
    for (prefix, name) in [
        ("SecondTransferer", "channel2_uniqueid"),
        ("Transferee", "transferee_channel_uniqueid"),
        ("TransferTarget", "transfer_target_channel_uniqueid"),
    ] {
        let id = event.extra_text(name);
        if let Some((id, linkedid)) = id.and_then(|id| Some((id, tracker.linkedid_of(id)?))) {
            told = told
                .and(&format!("{prefix}Uniqueid"), id)
                .and(&format!("{prefix}Linkedid"), linkedid);
        }
    }
    told
}

fn pickup(event: &CelEvent, tracker: &Tracker) -> Option<Message> {
    let by_name = || tracker.uniqueid_of(event.extra_text("pickup_channel")?);
    let picker = event
        .extra_text("pickup_channel_uniqueid")
        .or_else(by_name)?;
    let told = Message::from_pairs([("Event", "Pickup"), ("Uniqueid", picker)])
        .and("Linkedid", tracker.linkedid_of(picker)?)
        .and("TargetUniqueid", &event.uniqueid)
        .and("TargetLinkedid", &event.linkedid);
    Some(told)
}

/// Begins a message about the event's channel.
fn block(name: &str, event: &CelEvent) -> Message {
    Message::from_pairs([
        ("Event", name),
        ("Channel", &event.channel),
        ("Uniqueid", &event.uniqueid),
        ("Linkedid", &event.linkedid),
    ])
}

/// Begins a message in which the event's channel is the one that is dialled.
fn dest(name: &str, event: &CelEvent) -> Message {
    Message::from_pairs([
        ("Event", name),
        ("DestChannel", &event.channel),
        ("DestUniqueid", &event.uniqueid),
        ("DestLinkedid", &event.linkedid),
    ])
}
