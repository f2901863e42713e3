//! A call that goes on only when the test says so: no time runs against the daemon while it is
//! dead.

use trunkline::lab::ami::{AmiServer, Message, capture};

/// An incoming call that Anna (101) will answer.
pub(super) struct SlowCall<'a> {
    ami: &'a AmiServer,
    ringing: Vec<Message>,
    answered: Vec<Message>,
    over: Vec<Message>,
}

impl<'a> SlowCall<'a> {
    /// Prepares a call of this client at this Unix second.
    pub(super) fn of(ami: &'a AmiServer, client: &str, now_s: i64) -> Self {
        let capture = capture::named("inbound_answered").expect("it was recorded");
        let mut swaps: Vec<(&str, String)> = Vec::new();
        for (number, id) in capture.unique_ids.iter().enumerate() {
            swaps.push((id, format!("{now_s}.{number}")));
        }
        // Longest first: one id may begin another.
        swaps.sort_by_key(|(id, _)| std::cmp::Reverse(id.len()));
        swaps.push((capture.client.expect("it has one"), client.to_owned()));
        let swap = |text: &str| {
            let swapped = swaps.iter();
            swapped.fold(text.to_owned(), |text, (old, new)| text.replace(old, new))
        };
        let events = capture.events.iter().map(|(_, event)| event);
        let mut events: Vec<Message> = events
            // It speaks of the times of the recording.
            .filter(|event| !matches!(event.event_name(), "Cdr" | "CEL"))
            .map(|event| event.map_values(|_, value| swap(value)))
            .collect();
        let after = |events: &[Message], name: &str, nth: usize| {
            let named = |(_, event): &(usize, &Message)| event.event_name() == name;
            let found = events.iter().enumerate().filter(named).nth(nth);
            found.expect("it was recorded").0 + 1
        };
        let over = events.split_off(after(&events, "BridgeEnter", 1));
        let answered = events.split_off(after(&events, "DialBegin", 0));
        Self {
            ami,
            ringing: events,
            answered,
            over,
        }
    }

    /// The client calls; Anna's phone rings.
    pub(super) fn ring(&self) {
        self.emit(&self.ringing);
    }

    /// Anna answers.
    pub(super) fn answer(&self) {
        self.emit(&self.answered);
    }

    /// The client hangs up.
    pub(super) fn hang_up(&self) {
        self.emit(&self.over);
    }

    fn emit(&self, events: &[Message]) {
        events.iter().for_each(|event| self.ami.emit(event));
    }
}
