//! Bridges: who stands in which.

use super::super::book::Book;
use crate::model::timestamp::Timestamp;
use crate::pbx::asterisk::ami_message::Message;

/// A bridge of this technology joins nobody: parking lots and waiting rooms, where strangers
/// listen to music side by side.
pub(in super::super) const HOLDING: &str = "holding_bridge";

pub(super) fn enter(book: &mut Book, message: &Message, at: Timestamp) {
    let (Some(id), Some(bridge)) = (message.value("Uniqueid"), message.value("BridgeUniqueid"))
    else {
        return;
    };
    if message.value("BridgeTechnology") == Some(HOLDING) {
        return book.stand_alone(id, at);
    }
    if let Some(swapped) = message.value("SwapUniqueid").filter(|other| *other != id) {
        // It leaves with a BridgeLeave of its own, before or after this.
        if let Some(old) = book
            .channel_mut(swapped)
            .filter(|one| one.bridge.as_deref() == Some(bridge))
        {
            old.bridge = None;
            book.leave_bridge(swapped, Some(bridge));
        }
    }
    book.enter_bridge(id, bridge, at);
}

pub(super) fn leave(book: &mut Book, message: &Message, at: Timestamp) {
    let (Some(id), Some(bridge)) = (message.value("Uniqueid"), message.value("BridgeUniqueid"))
    else {
        return;
    };
    book.take_out(id, bridge, at);
}

pub(super) fn destroy(book: &mut Book, message: &Message, at: Timestamp) {
    let Some(bridge) = message.value("BridgeUniqueid") else {
        return;
    };
    let members = book.bridges.get(bridge).cloned().unwrap_or_default();
    for id in members {
        book.take_out(&id, bridge, at);
    }
    book.bridges.remove(bridge);
}

impl Book {
    /// Puts a living channel into a bridge. Channels of two calls that meet there are one
    /// conversation: Asterisk gives them one Linkedid at this moment and tells of it only later.
    pub(in super::super) fn enter_bridge(&mut self, id: &str, bridge: &str, at: Timestamp) {
        let mut touched = self.joined(id);
        let Some(channel) = self.channel_mut(id).filter(|one| one.alive()) else {
            return;
        };
        if channel.bridge.as_deref() == Some(bridge) {
            return;
        }
        let old = channel.bridge.replace(bridge.to_owned());
        self.leave_bridge(id, old.as_deref());
        let members = self.bridges.entry(bridge.to_owned()).or_default();
        members.insert(id.to_owned());
        let others: Vec<String> = members.iter().filter(|one| *one != id).cloned().collect();
        self.decide_line(id, None, at);
        if let Some(call) = self.call_mut(id) {
            call.bridged = true;
        }
        for other in others {
            if let (Some(one), Some(two)) = (self.call_of(id), self.call_of(&other)) {
                self.unite(one, two, at);
            }
        }
        touched.extend(self.joined(id));
        self.settle_talk(&touched, at);
    }

    /// Takes a channel out of whatever bridge it stands in.
    fn stand_alone(&mut self, id: &str, at: Timestamp) {
        let bridge = self.channel(id).and_then(|one| one.bridge.clone());
        if let Some(bridge) = bridge {
            self.take_out(id, &bridge, at);
        }
    }

    /// Takes a channel out of a bridge, if it stands in that one.
    pub(in super::super) fn take_out(&mut self, id: &str, bridge: &str, at: Timestamp) {
        let touched = self.joined(id);
        let Some(channel) = self
            .channel_mut(id)
            .filter(|one| one.bridge.as_deref() == Some(bridge))
        else {
            return;
        };
        channel.bridge = None;
        self.dirty = true;
        self.leave_bridge(id, Some(bridge));
        self.settle_talk(&touched, at);
    }

    /// Takes an id off the list of a bridge's members.
    pub(in super::super) fn leave_bridge(&mut self, id: &str, bridge: Option<&str>) {
        let Some(bridge) = bridge else {
            return;
        };
        if let Some(members) = self.bridges.get_mut(bridge) {
            members.remove(id);
            if members.is_empty() {
                self.bridges.remove(bridge);
            }
        }
    }
}
