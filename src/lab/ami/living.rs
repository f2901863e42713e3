//! What lives in the switch now, learnt from the events that are played: channels, bridges and
//! channel variables, so that a client that attaches in mid-call learns the truth.
//!
//! Knows nothing of sessions and rights.

use std::collections::BTreeMap;

use tokio::time::Instant;

use super::message::Message;

/// A channel between its Newchannel and its Hangup.
#[derive(Debug, Clone)]
pub(super) struct Channel {
    pub(super) name: String,
    pub(super) unique_id: String,
    pub(super) linked_id: String,
    pub(super) state: String,
    pub(super) state_text: String,
    pub(super) caller_number: String,
    pub(super) caller_name: String,
    pub(super) connected_number: String,
    pub(super) connected_name: String,
    pub(super) language: String,
    pub(super) account: String,
    pub(super) context: String,
    pub(super) extension: String,
    pub(super) priority: String,
    pub(super) application: String,
    pub(super) application_data: String,
    pub(super) dialed: String,
    pub(super) bridge: String,
    pub(super) variables: BTreeMap<String, String>,
    pub(super) since: Instant,
}

#[derive(Debug, Clone)]
pub(super) struct Bridge {
    pub(super) kind: String,
    pub(super) technology: String,
    pub(super) creator: String,
    pub(super) name: String,
    pub(super) video: String,
    pub(super) channels: Vec<String>,
}

/// The living channels and bridges, in order of their birth.
#[derive(Debug, Default)]
pub(super) struct Living {
    pub(super) channels: Vec<Channel>,
    pub(super) bridges: BTreeMap<String, Bridge>,
    processed: u64,
}

impl Living {
    /// Learns from one event.
    pub(super) fn observe(&mut self, event: &Message, now: Instant) {
        if event.event_name() == "Newchannel" {
            self.born(event, now);
        }
        for (name, value) in event.fields() {
            if let Some(prefix) = name.strip_suffix("Uniqueid") {
                self.learn(event, prefix, value);
            }
        }
        let id = event.get("Uniqueid").unwrap_or("");
        let bridge = event.get("BridgeUniqueid").unwrap_or("");
        match event.event_name() {
            "BridgeCreate" => self.create_bridge(event, bridge),
            "BridgeDestroy" => {
                self.bridges.remove(bridge);
            }
            "BridgeEnter" => {
                self.create_bridge(event, bridge);
                if let Some(swapped) = event.get("SwapUniqueid") {
                    self.leave(swapped, bridge);
                }
                self.enter(id, bridge);
            }
            "BridgeLeave" => self.leave(id, bridge),
            "BridgeMerge" => self.merge(event),
            "Newexten" => {
                if let Some(channel) = self.channel_mut(id) {
                    channel.application = text(event, "Application");
                    channel.application_data = text(event, "AppData");
                }
            }
            "VarSet" => self.set_variable(event, id),
            "Hangup" => self.hang_up(id),
            _ => {}
        }
    }

    /// Puts in what a list of `attach_mid_call` shows.
    pub(super) fn place(&mut self, item: &Message, now: Instant) {
        let bridge = item
            .get("BridgeUniqueid")
            .or_else(|| item.get("BridgeId"))
            .unwrap_or("");
        match item.event_name() {
            "CoreShowChannel" => {
                let seconds = item.get("Duration").map_or(0, seconds_of_clock);
                let since = std::time::Duration::from_secs(seconds);
                self.born(item, now.checked_sub(since).unwrap_or(now));
                let id = text(item, "Uniqueid");
                self.learn(item, "", &id);
                if let Some(channel) = self.channel_mut(&id) {
                    channel.application = text(item, "Application");
                    channel.application_data = text(item, "ApplicationData");
                }
                if !bridge.is_empty() {
                    self.create_bridge(item, bridge);
                    self.enter(&id, bridge);
                }
            }
            "BridgeListItem" => self.create_bridge(item, bridge),
            _ => {}
        }
    }

    /// Forgets everything: the switch went down.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Returns how many channels live, and how many calls began since the switch came up.
    pub(super) fn counts(&self) -> (usize, u64) {
        (self.channels.len(), self.processed)
    }

    /// Tells whether a channel of this name or Uniqueid lives.
    pub(super) fn lives(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    fn born(&mut self, event: &Message, since: Instant) {
        let unique_id = text(event, "Uniqueid");
        if unique_id.is_empty() || self.find(&unique_id).is_some() {
            return;
        }
        if event.get("Uniqueid") == event.get("Linkedid") {
            self.processed += 1;
        }
        let extension = text(event, "Exten");
        self.channels.push(Channel {
            name: text(event, "Channel"),
            linked_id: text(event, "Linkedid"),
            state: String::new(),
            state_text: String::new(),
            caller_number: String::new(),
            caller_name: String::new(),
            connected_number: String::new(),
            connected_name: String::new(),
            language: String::new(),
            account: String::new(),
            context: String::new(),
            // `s` stands for "no number was dialled".
            dialed: if extension == "s" {
                String::new()
            } else {
                extension
            },
            extension: String::new(),
            priority: String::new(),
            application: String::new(),
            application_data: String::new(),
            bridge: String::new(),
            variables: BTreeMap::new(),
            unique_id,
            since,
        });
    }

    /// Takes over the channel block that stands in the event under this prefix.
    fn learn(&mut self, event: &Message, prefix: &str, id: &str) {
        let header = |name: &str| event.get(&format!("{prefix}{name}")).map(str::to_owned);
        let Some(channel) = self.channel_mut(id) else {
            return;
        };
        let mut take = |name: &str, place: fn(&mut Channel) -> &mut String| {
            if let Some(value) = header(name) {
                *place(channel) = value;
            }
        };
        take("Channel", |c| &mut c.name);
        take("ChannelState", |c| &mut c.state);
        take("ChannelStateDesc", |c| &mut c.state_text);
        take("CallerIDNum", |c| &mut c.caller_number);
        take("CallerIDName", |c| &mut c.caller_name);
        take("ConnectedLineNum", |c| &mut c.connected_number);
        take("ConnectedLineName", |c| &mut c.connected_name);
        take("Language", |c| &mut c.language);
        take("AccountCode", |c| &mut c.account);
        take("Context", |c| &mut c.context);
        take("Exten", |c| &mut c.extension);
        take("Priority", |c| &mut c.priority);
        // The Linkedid of a living channel may change with no event of its own.
        take("Linkedid", |c| &mut c.linked_id);
    }

    fn set_variable(&mut self, event: &Message, id: &str) {
        let (Some(name), Some(value)) = (event.get("Variable"), event.get("Value")) else {
            return;
        };
        // A leading underscore only says that the variable is inherited.
        let name = name.trim_start_matches('_').to_owned();
        if let Some(channel) = self.channel_mut(id) {
            channel.variables.insert(name, value.to_owned());
        }
    }

    fn hang_up(&mut self, id: &str) {
        self.channels.retain(|channel| channel.unique_id != id);
        for bridge in self.bridges.values_mut() {
            bridge.channels.retain(|member| member != id);
        }
    }

    fn create_bridge(&mut self, event: &Message, id: &str) {
        if id.is_empty() {
            return;
        }
        let bridge = self.bridges.entry(id.to_owned()).or_insert_with(|| Bridge {
            kind: "basic".to_owned(),
            technology: "simple_bridge".to_owned(),
            creator: "<unknown>".to_owned(),
            name: "<unknown>".to_owned(),
            video: "none".to_owned(),
            channels: Vec::new(),
        });
        let mut take = |name: &str, place: fn(&mut Bridge) -> &mut String| {
            if let Some(value) = event.get(name) {
                value.clone_into(place(bridge));
            }
        };
        take("BridgeType", |b| &mut b.kind);
        take("BridgeTechnology", |b| &mut b.technology);
        take("BridgeCreator", |b| &mut b.creator);
        take("BridgeName", |b| &mut b.name);
        take("BridgeVideoSourceMode", |b| &mut b.video);
    }

    fn enter(&mut self, id: &str, bridge: &str) {
        if let Some(channel) = self.channel_mut(id) {
            bridge.clone_into(&mut channel.bridge);
        } else {
            return;
        }
        if let Some(bridge) = self.bridges.get_mut(bridge)
            && !bridge.channels.iter().any(|member| member == id)
        {
            bridge.channels.push(id.to_owned());
        }
    }

    fn leave(&mut self, id: &str, bridge: &str) {
        if let Some(channel) = self.channel_mut(id)
            && channel.bridge == bridge
        {
            channel.bridge.clear();
        }
        if let Some(bridge) = self.bridges.get_mut(bridge) {
            bridge.channels.retain(|member| member != id);
        }
    }

    fn merge(&mut self, event: &Message) {
        let (Some(to), Some(from)) = (
            event.get("ToBridgeUniqueid"),
            event.get("FromBridgeUniqueid"),
        ) else {
            return;
        };
        let moved = self
            .bridges
            .get_mut(from)
            .map(|b| std::mem::take(&mut b.channels));
        for id in moved.unwrap_or_default() {
            self.enter(&id, to);
        }
    }

    pub(super) fn find(&self, name: &str) -> Option<&Channel> {
        self.channels
            .iter()
            .find(|channel| channel.name == name || channel.unique_id == name)
    }

    fn channel_mut(&mut self, id: &str) -> Option<&mut Channel> {
        self.channels
            .iter_mut()
            .find(|channel| channel.unique_id == id)
    }
}

fn text(message: &Message, name: &str) -> String {
    message.get(name).unwrap_or("").to_owned()
}

fn seconds_of_clock(clock: &str) -> u64 {
    clock.split(':').fold(0_u64, |sum, part| {
        sum.saturating_mul(60)
            .saturating_add(part.parse().unwrap_or(0))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::ami::capture;

    #[tokio::test]
    async fn every_recorded_call_leaves_nothing_behind() {
        for capture in capture::all() {
            let mut living = Living::default();
            for item in &capture.living {
                living.place(item, Instant::now());
            }
            let mut most = living.channels.len();
            for (_, event) in &capture.events {
                living.observe(event, Instant::now());
                most = most.max(living.channels.len());
            }
            assert!(most > 0, "{}", capture.name);
            assert_eq!(living.channels.len(), 0, "{}", capture.name);
            assert_eq!(living.bridges.len(), 0, "{}", capture.name);
        }
    }

    #[tokio::test]
    async fn the_lists_in_mid_call_are_those_that_the_real_server_gave() {
        let attach = capture::named("attach_mid_call").unwrap();
        let mut living = Living::default();
        for item in &attach.living {
            living.place(item, Instant::now());
        }
        let without_action = |m: &Message| {
            let kept = m.fields().iter().filter(|(name, _)| name != "ActionID");
            kept.fold(Message::default(), |m, (name, value)| m.with(name, value))
        };
        let channels: Vec<_> = attach
            .living
            .iter()
            .filter(|m| m.event_name() == "CoreShowChannel")
            .collect();
        let listed = living.core_show_channels(Instant::now());
        assert_eq!(listed.len(), channels.len());
        for (listed, recorded) in listed.iter().zip(channels) {
            assert_eq!(*listed, without_action(recorded));
        }
        let bridges = living.bridge_list();
        assert_eq!(bridges.len(), 1);
        let recorded = attach
            .living
            .iter()
            .find(|m| m.event_name() == "BridgeListItem")
            .unwrap();
        assert_eq!(bridges[0], without_action(recorded));
        let (members, _) = living
            .bridge_info(bridges[0].get("BridgeUniqueid").unwrap())
            .unwrap();
        assert_eq!(members.len(), 2);
        assert_eq!(
            living
                .variable("PJSIP/trunk-00000000", "FROM_DID")
                .as_deref(),
            Some("74950000002")
        );
    }
}
