//! How what lives is shown: the items of CoreShowChannels, Status, BridgeList and BridgeInfo, and
//! the values of Getvar.

use tokio::time::Instant;

use super::living::{Bridge, Channel, Living};
use super::message::Message;

impl Living {
    /// Items of CoreShowChannels.
    pub(super) fn core_show_channels(&self, now: Instant) -> Vec<Message> {
        let item = |channel: &Channel| {
            let seconds = now.saturating_duration_since(channel.since).as_secs();
            block(Message::event("CoreShowChannel"), channel)
                .with("Application", &channel.application)
                .with("ApplicationData", &channel.application_data)
                .with("Duration", clock_of_seconds(seconds))
                .with("BridgeId", &channel.bridge)
        };
        self.channels.iter().map(item).collect()
    }

    /// Items of Status, all channels or the named one.
    pub(super) fn status(&self, only: Option<&str>, now: Instant) -> Vec<Message> {
        let item = |channel: &Channel| {
            let technology = channel.name.split('/').next().unwrap_or("");
            block(Message::event("Status").with("Privilege", "Call"), channel)
                .with("Type", technology)
                .with("DNID", &channel.dialed)
                .with("EffectiveConnectedLineNum", &channel.connected_number)
                .with("EffectiveConnectedLineName", &channel.connected_name)
                .with("TimeToHangup", "0")
                .with("BridgeID", &channel.bridge)
                .with("Application", &channel.application)
                .with("Data", &channel.application_data)
                .with("Nativeformats", "(ulaw)")
                .with("Readformat", "ulaw")
                .with("Readtrans", "")
                .with("Writeformat", "ulaw")
                .with("Writetrans", "")
                .with("Callgroup", "0")
                .with("Pickupgroup", "0")
                .with(
                    "Seconds",
                    now.saturating_duration_since(channel.since)
                        .as_secs()
                        .to_string(),
                )
        };
        self.channels
            .iter()
            .filter(|channel| only.is_none_or(|name| channel.name == name))
            .map(item)
            .collect()
    }

    /// Items of BridgeList.
    pub(super) fn bridge_list(&self) -> Vec<Message> {
        self.bridges
            .iter()
            .map(|(id, bridge)| bridge_block(Message::event("BridgeListItem"), id, bridge))
            .collect()
    }

    /// Items of BridgeInfo and the headers of its end; `None` for a bridge that is not there.
    pub(super) fn bridge_info(&self, id: &str) -> Option<(Vec<Message>, Message)> {
        let bridge = self.bridges.get(id)?;
        let items = bridge
            .channels
            .iter()
            .filter_map(|member| self.find(member))
            .map(|channel| block(Message::event("BridgeInfoChannel"), channel))
            .collect();
        Some((items, bridge_block(Message::default(), id, bridge)))
    }

    /// Reads a channel's variable or one of the functions that a client asks for.
    pub(super) fn variable(&self, channel: &str, name: &str) -> Option<String> {
        let channel = self.find(channel)?;
        let set = |name: &str| channel.variables.get(name).cloned();
        Some(match name {
            "CHANNEL(linkedid)" => channel.linked_id.clone(),
            "CALLERID(num)" => channel.caller_number.clone(),
            "FROM_DID" => set(name).unwrap_or_else(|| channel.dialed.clone()),
            _ => set(name).unwrap_or_default(),
        })
    }
}

fn block(message: Message, channel: &Channel) -> Message {
    message
        .with("Channel", &channel.name)
        .with("ChannelState", &channel.state)
        .with("ChannelStateDesc", &channel.state_text)
        .with("CallerIDNum", &channel.caller_number)
        .with("CallerIDName", &channel.caller_name)
        .with("ConnectedLineNum", &channel.connected_number)
        .with("ConnectedLineName", &channel.connected_name)
        .with("Language", &channel.language)
        .with("AccountCode", &channel.account)
        .with("Context", &channel.context)
        .with("Exten", &channel.extension)
        .with("Priority", &channel.priority)
        .with("Uniqueid", &channel.unique_id)
        .with("Linkedid", &channel.linked_id)
}

fn bridge_block(message: Message, id: &str, bridge: &Bridge) -> Message {
    message
        .with("BridgeUniqueid", id)
        .with("BridgeType", &bridge.kind)
        .with("BridgeTechnology", &bridge.technology)
        .with("BridgeCreator", &bridge.creator)
        .with("BridgeName", &bridge.name)
        .with("BridgeNumChannels", bridge.channels.len().to_string())
        .with("BridgeVideoSourceMode", &bridge.video)
}

fn clock_of_seconds(seconds: u64) -> String {
    format!(
        "{:02}:{:02}:{:02}",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    )
}
