//! The recorded calls of a real Asterisk, embedded, with what has to be replaced when one is
//! played again: ids, channel names, bridges, numbers, times.
//!
//! `tests/data/asterisk/README.md` says what happened in each. Scenarios of FastAGI and the
//! transcripts of whole sessions are not calls and not here.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::message::Message;

/// A recorded call, parsed.
#[derive(Debug)]
pub struct Capture {
    /// The file's name without its ending.
    pub name: &'static str,
    /// Events with their milliseconds from the start of the scenario.
    pub events: Vec<(u64, Message)>,
    /// Channels and bridges that lived before the first event, as the lists of
    /// `attach_mid_call` show them.
    pub living: Vec<Message>,
    /// The earliest time that the events speak of, in Unix seconds.
    pub epoch_s: i64,
    /// The company's number in the call, where it has one.
    pub our_number: Option<&'static str>,
    /// The client's number in the call, where it has one.
    pub client: Option<&'static str>,
    /// Every Uniqueid, in order of appearance.
    pub unique_ids: Vec<String>,
    /// Every channel name, without `;1` and `;2`.
    pub channels: Vec<String>,
    /// Every bridge.
    pub bridges: Vec<String>,
    /// The ActionID of the recorded click-to-call.
    pub action_id: Option<String>,
}

/// The numbers that stand for the client in the recordings.
const CLIENTS: [&str; 2] = ["79161234567", "79167654321"];
/// The company's numbers in the recordings.
const OUR_NUMBERS: [&str; 6] = [
    "74950000001",
    "74950000002",
    "74950000003",
    "74950000004",
    "74950000006",
    "74950000033",
];
/// The time zone of the recorded server was UTC.
const ZONE: TimeZone = TimeZone::UTC;

struct Source {
    name: &'static str,
    text: &'static str,
    times: &'static str,
}

macro_rules! recorded {
    ($($name:literal)* ; without_times: $($bare:literal)*) => {
        &[
            $(Source {
                name: $name,
                text: include_str!(concat!("../../../tests/data/asterisk/", $name, ".txt")),
                times: include_str!(concat!("../../../tests/data/asterisk/", $name, ".times")),
            },)*
            $(Source {
                name: $bare,
                text: include_str!(concat!("../../../tests/data/asterisk/", $bare, ".txt")),
                times: "",
            },)*
        ]
    };
}

static SOURCES: &[Source] = recorded! {
    "ast16_blind_transfer" "ast16_inbound_answered" "ast16_queue_local_members_answered"
    "attended_transfer" "attended_transfer_feature" "blind_transfer" "hold_unhold"
    "inbound_answered" "inbound_busy" "inbound_caller_hangup" "inbound_declined"
    "inbound_forwarded_302" "inbound_ivr_answered_then_missed" "inbound_missed"
    "inbound_unregistered" "internal_call" "originate_agent_busy" "originate_agent_noanswer"
    "originate_click_to_call" "outbound_answered" "outbound_busy" "outbound_noanswer"
    "parallel_ring" "parallel_ring_missed" "pickup" "queue_abandon" "queue_answered"
    "queue_local_members_answered" "recording";
    without_times: "attach_mid_call" "lean_user_inbound_answered" "shutdown_mid_call"
};

static CAPTURES: LazyLock<Vec<Capture>> =
    LazyLock::new(|| SOURCES.iter().map(Capture::read).collect());

/// Returns every recorded call.
pub fn all() -> &'static [Capture] {
    &CAPTURES
}

/// Returns the recorded call of this name.
pub fn named(name: &str) -> Option<&'static Capture> {
    CAPTURES.iter().find(|capture| capture.name == name)
}

impl Capture {
    fn read(source: &Source) -> Self {
        let messages: Vec<Message> = source
            .text
            .split("\r\n\r\n")
            .filter(|text| !text.trim().is_empty())
            .map(Message::parse)
            .collect();
        let times: Vec<u64> = source
            .times
            .lines()
            .filter_map(|line| line.split_whitespace().next()?.parse().ok())
            .collect();
        let times = if times.is_empty() {
            paced(&messages)
        } else {
            times
        };
        let living = messages
            .iter()
            .filter(|m| matches!(m.event_name(), "CoreShowChannel" | "BridgeListItem"))
            .cloned()
            .collect();
        let events: Vec<(u64, Message)> = times
            .into_iter()
            .zip(messages)
            .filter(|(_, message)| is_of_the_call(message))
            .collect();
        let mut capture = Self {
            name: source.name,
            events,
            living,
            epoch_s: i64::MAX,
            our_number: OUR_NUMBERS.into_iter().find(|n| source.text.contains(n)),
            client: CLIENTS.into_iter().find(|n| source.text.contains(n)),
            unique_ids: Vec::new(),
            channels: Vec::new(),
            bridges: Vec::new(),
            action_id: None,
        };
        capture.survey();
        capture
    }

    /// Collects the ids, names and times that a replay replaces.
    fn survey(&mut self) {
        let mut seen = BTreeSet::new();
        let messages = self.living.iter().chain(self.events.iter().map(|(_, m)| m));
        for (name, value) in messages.flat_map(Message::fields) {
            if let Some(second) = second_of(name, value) {
                self.epoch_s = self.epoch_s.min(second);
            }
            if value.is_empty() || value == "<unknown>" || !seen.insert((name, value)) {
                continue;
            }
            // The lists have one too, which belongs to whoever asked.
            if name == "ActionID" && self.living.is_empty() {
                self.action_id = Some(value.clone());
            }
            if is_unique_id(name) && !self.unique_ids.contains(value) {
                if let Some(second) = epoch_of_unique_id(value) {
                    self.epoch_s = self.epoch_s.min(second);
                }
                self.unique_ids.push(value.clone());
            }
            let channel = value.split(';').next().unwrap_or(value);
            if is_channel_name(name, channel) && !self.channels.iter().any(|c| c == channel) {
                self.channels.push(channel.to_owned());
            }
            if name.ends_with("BridgeUniqueid") && !self.bridges.contains(value) {
                self.bridges.push(value.clone());
            }
        }
    }
}

/// Reads a header that holds a wall time; returns Unix seconds.
pub(super) fn second_of(name: &str, value: &str) -> Option<i64> {
    match name {
        "StartTime" | "AnswerTime" | "EndTime" | "EventTime" => {
            let civil: DateTime = value.parse().ok()?;
            Some(civil.to_zoned(ZONE).ok()?.timestamp().as_second())
        }
        "EventTV" | "SessionTV" => {
            let instant: jiff::Timestamp = value.replace("+0000", "Z").parse().ok()?;
            Some(instant.as_second())
        }
        _ => None,
    }
}

/// Returns the second in an id such as `1795210154.0`; an id of our own choice has none.
pub(super) fn epoch_of_unique_id(id: &str) -> Option<i64> {
    let (second, counter) = id.split_once('.')?;
    counter.parse::<u64>().ok()?;
    second.parse().ok()
}

fn is_unique_id(name: &str) -> bool {
    let named_so = name.ends_with("Uniqueid") && !name.ends_with("BridgeUniqueid");
    named_so || name.ends_with("Linkedid") || matches!(name, "UniqueID" | "LinkedID")
}

fn is_channel_name(name: &str, value: &str) -> bool {
    let suffix = value.rsplit_once('-').map(|(_, suffix)| suffix);
    name.ends_with("Channel")
        && suffix.is_some_and(|s| s.len() == 8 && s.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// Answers to actions and what belongs to one session only are not part of the call.
fn is_of_the_call(message: &Message) -> bool {
    match message.event_name() {
        "" | "FullyBooted" | "CoreShowChannel" | "Status" | "BridgeListItem"
        | "BridgeInfoChannel" => false,
        "SuccessfulAuth" => message.get("Service") != Some("AMI"),
        name => !name.ends_with("Complete") || message.get("EventList").is_none(),
    }
}

/// Gives times to a recording that has none: events a few milliseconds apart, a second of ringing
/// before the answer and a second and a half of talk before the end, as in the timed ones.
fn paced(messages: &[Message]) -> Vec<u64> {
    let mut now = 0;
    let mut answered = false;
    let mut ending = false;
    let mut times = Vec::with_capacity(messages.len());
    for message in messages {
        let ends = matches!(
            message.event_name(),
            "HangupRequest" | "SoftHangupRequest" | "BridgeLeave"
        );
        let answers =
            message.event_name() == "Newstate" && message.get("ChannelStateDesc") == Some("Up");
        now += if answers && !answered {
            answered = true;
            1000
        } else if ends && !ending {
            ending = true;
            1500
        } else {
            3
        };
        times.push(now);
    }
    times
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_recording_is_read_with_one_time_for_each_message() {
        for source in SOURCES {
            let messages = source
                .text
                .split("\r\n\r\n")
                .filter(|text| !text.trim().is_empty())
                .count();
            if !source.times.is_empty() {
                assert_eq!(source.times.lines().count(), messages, "{}", source.name);
            }
        }
        for capture in all() {
            assert!(capture.events.len() > 10, "{}", capture.name);
            assert!(!capture.unique_ids.is_empty(), "{}", capture.name);
            assert!(!capture.channels.is_empty(), "{}", capture.name);
            assert!(
                (1_795_000_000..1_796_000_000).contains(&capture.epoch_s),
                "{}",
                capture.name
            );
            assert!(
                capture.events.is_sorted_by_key(|(ms, _)| *ms),
                "{}",
                capture.name
            );
        }
    }

    #[test]
    fn the_lists_of_the_attached_session_are_what_lived_before() {
        let attach = named("attach_mid_call").unwrap();
        assert_eq!(attach.living.len(), 3);
        assert!(
            attach
                .events
                .iter()
                .all(|(_, m)| m.get("ActionID").is_none())
        );
        assert!(
            attach
                .events
                .iter()
                .any(|(_, m)| m.event_name() == "Hangup")
        );
    }
}
