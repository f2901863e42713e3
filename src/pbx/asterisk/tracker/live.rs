//! The channels that live now, as the lists of an Asterisk tell.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use super::channel::{Block, Side};
use super::events::bridge::HOLDING;
use super::settings::kept;
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
        let holding: HashSet<&str> = messages
            .iter()
            .filter(|one| one.value("BridgeTechnology") == Some(HOLDING))
            .filter_map(|one| one.value("BridgeUniqueid"))
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
            channel.bridge = channel.bridge.filter(|id| !holding.contains(id.as_str()));
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

    pub(super) fn block(&self) -> Block {
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
    pub(super) fn side(&self) -> Side {
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
