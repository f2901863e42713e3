//! Writes event streams by hand, in the order and with the fields that an Asterisk gives them.

use super::*;

/// A stream in the making. Channels are named by their Uniqueid.
#[derive(Default)]
pub(super) struct Script {
    pub(super) messages: Vec<Timed>,
    channels: BTreeMap<String, Side>,
    ms: i64,
}

/// What the script knows of a channel.
#[derive(Clone, Default)]
struct Side {
    name: String,
    linkedid: String,
    state: &'static str,
    caller: String,
    exten: String,
    context: String,
}

impl Script {
    /// Lets time pass.
    pub(super) fn wait(&mut self, ms: i64) -> &mut Self {
        self.ms += ms;
        self
    }

    /// Sends an event with channel blocks and further headers.
    pub(super) fn event(
        &mut self,
        name: &str,
        blocks: &[(&str, &str)],
        further: &[(&str, &str)],
    ) -> &mut Self {
        let mut headers = vec![("Event".to_owned(), name.to_owned())];
        let mut push = |name: String, value: &str| headers.push((name, value.to_owned()));
        for (prefix, id) in blocks {
            let side = self.channels.get(*id).cloned().unwrap_or_default();
            push(format!("{prefix}Channel"), &side.name);
            push(format!("{prefix}ChannelState"), side.state);
            push(format!("{prefix}CallerIDNum"), &side.caller);
            push(format!("{prefix}Context"), &side.context);
            push(format!("{prefix}Exten"), &side.exten);
            push(format!("{prefix}Uniqueid"), id);
            push(format!("{prefix}Linkedid"), &side.linkedid);
        }
        for (name, value) in further {
            push((*name).to_owned(), value);
        }
        self.messages.push((at(self.ms), Message::new(headers)));
        self
    }

    /// Opens a channel: `state` 4 calls the PBX, 0 is about to be called.
    pub(super) fn open(
        &mut self,
        id: &str,
        name: &str,
        linkedid: &str,
        state: &'static str,
    ) -> &mut Self {
        let own = |text: &str| text.to_owned();
        let trunk = name.contains("trunk");
        let digits = name.split(['/', '-', '@']).nth(1).unwrap_or_default();
        let side = Side {
            name: own(name),
            linkedid: own(linkedid),
            state,
            caller: if trunk { String::new() } else { own(digits) },
            exten: own("s"),
            context: own(if trunk { "from-trunk" } else { "from-internal" }),
        };
        self.channels.insert(own(id), side);
        self.event("Newchannel", &[("", id)], &[])
    }

    /// A trunk rings in.
    pub(super) fn rings_in(&mut self, id: &str, caller: &str, did: &str) -> &mut Self {
        self.calls_in(id, "PJSIP/trunk-0000000a", caller, did, "from-trunk")
    }

    /// A channel calls the PBX.
    pub(super) fn calls_in(
        &mut self,
        id: &str,
        name: &str,
        caller: &str,
        exten: &str,
        context: &str,
    ) -> &mut Self {
        let own = |text: &str| text.to_owned();
        let side = Side {
            name: own(name),
            linkedid: own(id),
            state: "4",
            caller: own(caller),
            exten: own(exten),
            context: own(context),
        };
        self.channels.insert(own(id), side);
        self.event("Newchannel", &[("", id)], &[])
    }

    /// A channel gets another state.
    pub(super) fn state(&mut self, id: &str, state: &'static str) -> &mut Self {
        if let Some(side) = self.channels.get_mut(id) {
            side.state = state;
        }
        self.event("Newstate", &[("", id)], &[])
    }

    /// Changes the caller id of a channel, as the dialplan does.
    pub(super) fn caller(&mut self, id: &str, caller: &str) -> &mut Self {
        if let Some(side) = self.channels.get_mut(id) {
            side.caller = caller.to_owned();
        }
        self.event("NewCallerid", &[("", id)], &[])
    }

    /// Changes the Linkedid of a channel in silence.
    pub(super) fn relink(&mut self, id: &str, linkedid: &str) -> &mut Self {
        if let Some(side) = self.channels.get_mut(id) {
            side.linkedid = linkedid.to_owned();
        }
        self
    }

    /// One channel dials another, which rings.
    pub(super) fn dial(&mut self, from: &str, to: &str, string: &str) -> &mut Self {
        let blocks = [("", from), ("Dest", to)];
        let blocks = if from.is_empty() {
            &blocks[1..]
        } else {
            &blocks[..]
        };
        self.event("DialBegin", blocks, &[("DialString", string)]);
        self.state(to, "5")
    }

    pub(super) fn dial_end(&mut self, from: &str, to: &str, status: &str) -> &mut Self {
        let blocks = [("", from), ("Dest", to)];
        let blocks = if from.is_empty() {
            &blocks[1..]
        } else {
            &blocks[..]
        };
        if status == "ANSWER" {
            self.state(to, "6");
        }
        self.event("DialEnd", blocks, &[("DialStatus", status)])
    }

    pub(super) fn enter(&mut self, id: &str, bridge: &str) -> &mut Self {
        self.event("BridgeEnter", &[("", id)], &[("BridgeUniqueid", bridge)])
    }

    pub(super) fn leave(&mut self, id: &str, bridge: &str) -> &mut Self {
        self.event("BridgeLeave", &[("", id)], &[("BridgeUniqueid", bridge)])
    }

    pub(super) fn hangup(&mut self, id: &str, cause: &str) -> &mut Self {
        self.event("Hangup", &[("", id)], &[("Cause", cause)])
    }

    /// Opens a phone, rings it and has it answer into a bridge with the one who dialled.
    pub(super) fn answered_by(
        &mut self,
        from: &str,
        id: &str,
        name: &str,
        linkedid: &str,
        bridge: &str,
    ) -> &mut Self {
        self.open(id, name, linkedid, "0");
        self.dial(from, id, name).wait(1000);
        self.dial_end(from, id, "ANSWER");
        self.state(from, "6");
        self.enter(id, bridge).enter(from, bridge)
    }

    /// Opens a Local pair whose first half is dialled by `from`.
    pub(super) fn local(
        &mut self,
        from: &str,
        one: &str,
        two: &str,
        name: &str,
        linkedid: &str,
    ) -> &mut Self {
        self.open(one, &format!("{name};1"), linkedid, "0");
        self.open(two, &format!("{name};2"), linkedid, "4");
        self.event("LocalBridge", &[("LocalOne", one), ("LocalTwo", two)], &[]);
        let blocks = [("", from), ("Dest", one)];
        let blocks = if from.is_empty() {
            &blocks[1..]
        } else {
            &blocks[..]
        };
        self.event("DialBegin", blocks, &[("DialString", name)])
    }

    /// Replays it, whole and from a checkpoint after each message, and returns its calls.
    pub(super) fn told(&self) -> Told {
        let whole = replay(&mut Tracker::new(settings()), &self.messages);
        let mut tracker = Tracker::new(settings());
        let mut told = Told::default();
        for one in &self.messages {
            feed(&mut tracker, std::slice::from_ref(one), &mut told);
            tracker = Tracker::restore(settings(), &tracker.checkpoint()).expect("its own");
        }
        finish(&mut tracker, &self.messages, &mut told);
        assert_eq!(told.lines(), whole.lines(), "a checkpoint changes nothing");
        whole
    }
}

/// Uniqueids as an Asterisk gives them.
pub(super) fn id(counter: u32) -> String {
    format!("1795210154.{counter}")
}
