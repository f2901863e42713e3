//! Tells when an event happened. Pure.
//!
//! An event carries the PBX's time only where `timestampevents = yes` (MikoPBX sets it,
//! `pbx/asterisk.md` §6). The PBX's clock may differ from ours, and everything else here runs by
//! ours. So its stamps are used for what they are good at: how much later than the fastest event
//! of this session an event reached us. That takes the jitter of network and queues out.

use crate::model::timestamp::Timestamp;

use super::ami_message::Message;

/// An event that came so much later than the fastest one did not wait on the way: the PBX's clock
/// was set. Networks and `writetimeout` do not hold events for so long.
const DELAY_MS_MAX: i64 = 60_000;

/// The clock of one session.
#[derive(Debug, Default)]
pub(super) struct EventClock {
    /// The smallest difference seen between arrival by our clock and the PBX's stamp.
    smallest_lag_ms: Option<i64>,
    /// The latest time told: time does not run backwards for the tracker.
    latest: Timestamp,
}

impl EventClock {
    /// Returns when the event happened, by our clock.
    pub(super) fn time_of(&mut self, message: &Message, arrived: Timestamp) -> Timestamp {
        let stamp = message.get("Timestamp").and_then(seconds).or_else(|| {
            message
                .get("EventTV")
                .and_then(|text| Timestamp::parse(text).ok())
        });
        let delay_ms = stamp.map_or(0, |stamp| {
            let lag = arrived.as_millis().saturating_sub(stamp.as_millis());
            let smallest = self.smallest_lag_ms.map_or(lag, |known| known.min(lag));
            let delay = lag.saturating_sub(smallest);
            let set = delay > DELAY_MS_MAX;
            self.smallest_lag_ms = Some(if set { lag } else { smallest });
            if set { 0 } else { delay }
        });
        let happened = Timestamp::from_millis(arrived.as_millis().saturating_sub(delay_ms));
        self.latest = self.latest.max(happened);
        self.latest
    }
}

/// Reads `epoch.micros`.
fn seconds(text: &str) -> Option<Timestamp> {
    let (whole, fraction) = text.trim().split_once('.').unwrap_or((text.trim(), "0"));
    let whole: i64 = whole.parse().ok()?;
    let digits = fraction
        .bytes()
        .take(3)
        .map(|b| b.is_ascii_digit().then(|| i64::from(b - b'0')));
    let mut ms = 0_i64;
    for (place, digit) in [100, 10, 1].into_iter().zip(digits) {
        ms += place * digit?;
    }
    Some(Timestamp::from_millis(
        whole.checked_mul(1000)?.checked_add(ms)?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(stamp: &str) -> Message {
        Message::from_pairs([("Event", "Newchannel"), ("Timestamp", stamp)])
    }

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millis(1_795_210_000_000 + ms)
    }

    #[test]
    fn an_event_that_was_held_up_gets_the_time_at_which_it_happened() {
        let mut clock = EventClock::default();
        assert_eq!(clock.time_of(&event("1795210000.000000"), at(5)), at(5));
        // Three seconds in a full socket.
        assert_eq!(
            clock.time_of(&event("1795210001.500000"), at(4_505)),
            at(1_505)
        );
        assert_eq!(
            clock.time_of(&event("1795210004.510"), at(4_515)),
            at(4_515)
        );
    }

    #[test]
    fn a_pbx_whose_clock_is_wrong_does_not_move_our_times() {
        let mut clock = EventClock::default();
        assert_eq!(clock.time_of(&event("1000000000.0"), at(0)), at(0));
        assert_eq!(clock.time_of(&event("1000000001.0"), at(1_000)), at(1_000));
        // Set forward and back while we listen.
        assert_eq!(clock.time_of(&event("1795219999.0"), at(2_000)), at(2_000));
        assert_eq!(clock.time_of(&event("1000000003.0"), at(3_000)), at(3_000));
    }

    #[test]
    fn without_a_readable_stamp_the_arrival_counts() {
        let mut clock = EventClock::default();
        for text in [
            "",
            ".",
            "1.x",
            "abc",
            "99999999999999999999",
            "-1",
            "9223372036854775807.999",
        ] {
            let mut fresh = EventClock::default();
            assert_eq!(fresh.time_of(&event(text), at(7)), at(7), "{text}");
        }
        let plain = Message::from_pairs([("Event", "Hangup")]);
        assert_eq!(clock.time_of(&plain, at(9)), at(9));
        let with_zone = Message::from_pairs([
            ("Event", "SuccessfulAuth"),
            ("EventTV", "2026-11-20T21:35:38.909+0000"),
        ]);
        assert_eq!(clock.time_of(&with_zone, at(10)), at(10));
    }

    #[test]
    fn time_does_not_run_backwards() {
        let mut clock = EventClock::default();
        assert_eq!(clock.time_of(&event("1795210000.0"), at(0)), at(0));
        assert_eq!(
            clock.time_of(&event("1795210010.0"), at(10_000)),
            at(10_000)
        );
        assert_eq!(
            clock.time_of(&event("1795210005.0"), at(10_001)),
            at(10_000)
        );
    }
}
