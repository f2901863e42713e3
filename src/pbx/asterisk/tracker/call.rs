//! One conversation as far as it is known: its channels and what they told.
//!
//! What a channel told is kept here, not in the channel: a queue that rings for an hour makes
//! thousands of channels, and those that are over are forgotten.

use serde::{Deserialize, Serialize};

use super::book::is_own_form;
use super::channel::{Channel, Part, Side};
use super::leg::Leg;
use super::settings::{ALIASES_MAX, CHANNELS_MAX, LEGS_MAX, QUEUES_MAX, RECORDINGS_MAX, kept};
use super::snapshot::Shown;
use super::talk::Talk;
use crate::model::call::MissReason;
use crate::model::ids::Extension;
use crate::model::timestamp::Timestamp;

/// Who began the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Origin {
    /// A trunk rang in.
    Client,
    /// An employee dialled.
    Employee,
    /// The PBX dialled by itself: click-to-call, call file.
    Pbx,
}

/// What became of a channel that was to be added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Added {
    /// There was room.
    Taken,
    /// There is room since this one, which was over, is forgotten.
    InPlaceOf(String),
    /// There is none: all of them live.
    Refused,
}

/// The conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Call {
    /// The first Linkedid: what the communication is named by, whatever it is merged with later.
    pub(super) linkedid: String,
    /// Every other Linkedid that the call is known by.
    pub(super) aliases: Vec<String>,
    pub(super) origin: Origin,
    pub(super) started_at: Timestamp,
    pub(super) last_seen: Timestamp,
    /// When the last channel that is no Local half was gone.
    pub(super) ended_at: Option<Timestamp>,
    pub(super) channels: Vec<Channel>,
    pub(super) legs: Vec<Leg>,
    pub(super) talk: Talk,
    /// The client's number as the trunk showed it (incoming), before anything was rewritten.
    pub(super) client_raw: Option<String>,
    pub(super) client_name: Option<String>,
    /// What the first channel dialled: DID of an incoming, client's number of an outgoing call.
    pub(super) dialled: Option<String>,
    /// What was dialled on the trunk.
    pub(super) dial_string: Option<String>,
    /// What a click-to-call was asked to dial.
    pub(super) originate_exten: Option<String>,
    pub(super) click_to_call: Option<String>,
    /// The number shown to the client.
    pub(super) shown_number: Option<String>,
    /// DID by channel variable, and by Cdr.
    pub(super) did_variable: Option<String>,
    pub(super) did_cdr: Option<String>,
    pub(super) caller_extension: Option<Extension>,
    /// Whose phone sent the call elsewhere before anybody talked.
    pub(super) forwarded_by: Option<Extension>,
    /// The client hung up while somebody was being rung, or before anybody was.
    pub(super) gave_up: bool,
    /// Whether any channel of it was ever seen in a bridge.
    pub(super) bridged: bool,
    /// When the client left a queue unserved.
    pub(super) queue_left: Option<Timestamp>,
    /// What the last outside leg of an outgoing call came to.
    pub(super) outside_result: Option<MissReason>,
    pub(super) queues: Vec<String>,
    pub(super) recordings: Vec<String>,
    pub(super) blind: Option<String>,
    pub(super) revision: u64,
    pub(super) shown: Option<Shown>,
}

impl Call {
    pub(super) fn new(linkedid: &str, at: Timestamp) -> Self {
        Self {
            linkedid: linkedid.to_owned(),
            aliases: Vec::new(),
            origin: Origin::Pbx,
            started_at: at,
            last_seen: at,
            ended_at: None,
            channels: Vec::new(),
            legs: Vec::new(),
            talk: Talk::default(),
            client_raw: None,
            client_name: None,
            dialled: None,
            dial_string: None,
            originate_exten: None,
            click_to_call: None,
            shown_number: None,
            did_variable: None,
            did_cdr: None,
            caller_extension: None,
            forwarded_by: None,
            gave_up: false,
            bridged: false,
            queue_left: None,
            outside_result: None,
            queues: Vec::new(),
            recordings: Vec::new(),
            blind: None,
            revision: 0,
            shown: None,
        }
    }

    /// Reads from the first channel who began the call.
    pub(super) fn begin_with(&mut self, channel: &Channel) {
        // An id that Asterisk would not choose was given by who had the PBX dial.
        let chosen = channel.uniqueid == channel.linkedid && !is_own_form(&channel.uniqueid);
        self.origin = match (&channel.part, channel.side) {
            (Part::Line, Side::Calling) if !chosen => Origin::Client,
            (Part::Employee { .. }, Side::Calling) => Origin::Employee,
            _ => Origin::Pbx,
        };
        self.dialled.clone_from(&channel.exten);
        match self.origin {
            Origin::Client => {
                self.client_raw.clone_from(&channel.caller);
                self.client_name.clone_from(&channel.caller_name);
            }
            Origin::Employee => self.caller_extension = channel.extension().cloned(),
            Origin::Pbx => {}
        }
    }

    pub(super) fn channel(&self, uniqueid: &str) -> Option<&Channel> {
        self.channels.iter().find(|one| one.uniqueid == uniqueid)
    }

    pub(super) fn channel_mut(&mut self, uniqueid: &str) -> Option<&mut Channel> {
        self.channels
            .iter_mut()
            .find(|one| one.uniqueid == uniqueid)
    }

    /// Says whether an outside party is the client of this call.
    pub(super) fn has_client(&self) -> bool {
        self.origin == Origin::Client || self.channels.iter().any(|one| one.part == Part::Client)
    }

    /// Says whether the client's own channel lives, or none is known to have been there.
    pub(super) fn any_alive(&self) -> bool {
        self.channels.iter().any(Channel::alive)
    }

    /// Says whether a channel that is an end of the conversation lives.
    pub(super) fn any_end_alive(&self) -> bool {
        self.channels
            .iter()
            .any(|one| one.alive() && !one.is_joint())
    }

    /// Says whether the call ever had an end, not only joints.
    pub(super) fn had_ends(&self) -> bool {
        self.channels.iter().any(|one| !one.is_joint())
    }

    /// Adds a channel; forgets the oldest that is over when there are too many.
    pub(super) fn add_channel(&mut self, channel: Channel) -> Added {
        let mut added = Added::Taken;
        if self.channels.len() >= CHANNELS_MAX {
            let over = self
                .channels
                .iter()
                .position(|one| !one.alive() && one.part != Part::Client);
            match over {
                Some(position) => added = Added::InPlaceOf(self.channels.remove(position).uniqueid),
                None => return Added::Refused,
            }
        }
        if !channel.is_joint() {
            self.ended_at = None;
        }
        self.channels.push(channel);
        added
    }

    /// Remembers another Linkedid; says whether there was room.
    pub(super) fn add_alias(&mut self, linkedid: &str) -> bool {
        let room = self.aliases.len() < ALIASES_MAX;
        if room {
            self.aliases.push(linkedid.to_owned());
        }
        room
    }

    /// Returns the leg of an extension, made at its first appearance; `None` beyond the bound.
    pub(super) fn leg(&mut self, extension: &Extension, at: Timestamp) -> Option<&mut Leg> {
        let found = self.legs.iter().position(|leg| leg.extension == *extension);
        match found {
            Some(position) => self.legs.get_mut(position),
            None if self.legs.len() < LEGS_MAX => {
                self.legs.push(Leg::new(extension.clone(), at));
                self.legs.last_mut()
            }
            None => None,
        }
    }

    /// Adds a queue at its first appearance.
    pub(super) fn add_queue(&mut self, name: &str) {
        let name = kept(name);
        if self.queues.len() < QUEUES_MAX && !self.queues.contains(&name) {
            self.queues.push(name);
        }
    }

    /// Adds a recording unless it is known under its path or its bare name; a path is worth more.
    pub(super) fn add_recording(&mut self, name: &str) {
        let name = kept(name.trim());
        if name.is_empty() {
            return;
        }
        let room = self.recordings.len() < RECORDINGS_MAX;
        let known = self
            .recordings
            .iter_mut()
            .find(|one| base_name(one) == base_name(&name));
        match known {
            Some(one) if !one.contains('/') => *one = name,
            Some(_) => {}
            None if room => self.recordings.push(name),
            None => {}
        }
    }

    /// Adds what was not seen, once.
    pub(super) fn add_blind(&mut self, what: &str) {
        match &mut self.blind {
            Some(text) if text.contains(what) => {}
            // A handful of connections may break during one call; more say nothing new.
            Some(text) if text.len() < 400 => {
                text.push_str("; ");
                text.push_str(what);
            }
            Some(_) => {}
            None => self.blind = Some(what.to_owned()),
        }
    }
}

/// Returns the file name of a path.
fn base_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}
