//! Makes one call of its own out of a recorded one: own numbers, ids, names, times.
//!
//! Pure: the ids come from [`Counters`], the time is an argument. Substitution is by value and not
//! by header, because an outgoing call carries its client in Exten, DialString, CallerIDNum and
//! ConnectedLineNum by turns.

use std::collections::BTreeMap;
use std::time::Duration;

use super::capture::{self, Capture};
use super::message::Message;
use super::time_line::TimeLine;
use super::words::replace;

/// A call to be played.
#[derive(Debug, Clone)]
pub struct ScriptedCall {
    /// The recording's name, such as `inbound_answered`.
    pub capture: String,
    /// The client's number, in the form that the trunk gives or the employee dials. Empty: as
    /// recorded.
    pub client: String,
    /// The company's number. Empty: as recorded.
    pub did: String,
    /// The extensions that take the places of the recorded ones (`101`, `102`).
    pub agents: BTreeMap<String, String>,
    /// How long from now the call begins.
    pub start_in: Duration,
    /// How many times faster than recorded; below one is slower.
    pub speed: f64,
}

impl ScriptedCall {
    /// A call as recorded, now, at its own pace.
    pub fn of(capture: &str) -> Self {
        Self {
            capture: capture.to_owned(),
            client: String::new(),
            did: String::new(),
            agents: BTreeMap::new(),
            start_in: Duration::ZERO,
            speed: 1.0,
        }
    }

    /// Sets the client's number.
    #[must_use]
    pub fn client(mut self, number: &str) -> Self {
        number.clone_into(&mut self.client);
        self
    }

    /// Sets the company's number.
    #[must_use]
    pub fn did(mut self, number: &str) -> Self {
        number.clone_into(&mut self.did);
        self
    }

    /// Puts an extension in the place of a recorded one.
    #[must_use]
    pub fn agent(mut self, recorded: &str, extension: &str) -> Self {
        self.agents
            .insert(recorded.to_owned(), extension.to_owned());
        self
    }

    /// Begins later.
    #[must_use]
    pub fn start_in(mut self, delay: Duration) -> Self {
        self.start_in = delay;
        self
    }

    /// Plays faster (above one) or slower (below one).
    #[must_use]
    pub fn speed(mut self, speed: f64) -> Self {
        self.speed = speed;
        self
    }
}

/// What a click-to-call request asks to find again in the events.
#[derive(Debug, Clone, Default)]
pub(super) struct Requested {
    /// `ChannelId`, which becomes Uniqueid and Linkedid (`pbx/asterisk.md` §3).
    pub(super) channel_id: Option<String>,
    /// `ActionID`, which the OriginateResponse repeats.
    pub(super) action_id: Option<String>,
    /// `Variable` headers, `NAME=value`.
    pub(super) variables: Vec<String>,
}

/// Numbers that no two calls of a server share.
#[derive(Debug, Default)]
pub(super) struct Counters {
    unique_id: u64,
    channel: u32,
    bridge: u64,
    request: u64,
}

impl Counters {
    fn next_unique_id(&mut self, second: i64) -> String {
        let id = format!("{second}.{}", self.unique_id);
        self.unique_id += 1;
        id
    }

    fn next_channel_suffix(&mut self) -> String {
        self.channel = self.channel.wrapping_add(1);
        format!("{:08x}", self.channel)
    }

    fn next_bridge(&mut self) -> String {
        self.bridge += 1;
        // Spread over the whole width, so that ids look as different as real ones; an odd factor
        // keeps different counts different.
        let spread =
            u128::from(self.bridge).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
        uuid::Uuid::from_u128(spread).to_string()
    }

    fn next_request(&mut self) -> String {
        self.request += 1;
        format!("originate-{}", self.request)
    }
}

/// A call made ready to be played.
#[derive(Debug)]
pub(super) struct Script {
    /// What lived before the first event, where the recording began in mid-call.
    pub(super) living: Vec<Message>,
    /// Events with their delay from the start.
    pub(super) events: Vec<(Duration, Message)>,
    /// The Uniqueids of the call's channels.
    pub(super) unique_ids: Vec<String>,
}

/// Writes the script of one call. `start_s` is the wall time of its first event.
pub(super) fn write(
    capture: &Capture,
    call: &ScriptedCall,
    requested: &Requested,
    counters: &mut Counters,
    start_s: i64,
) -> Script {
    let times = TimeLine {
        recorded_s: capture.epoch_s,
        start_s,
        speed: call.speed,
    };
    let (swaps, unique_ids) = swaps(capture, call, requested, counters, &times);
    let translate = |message: &Message| {
        message.map_values(|name, value| translate(name, value, message, &swaps, &times))
    };
    let first_ms = capture.events.first().map_or(0, |(ms, _)| *ms);
    let mut events = Vec::with_capacity(capture.events.len());
    for (ms, message) in &capture.events {
        let offset = times.scale(Duration::from_millis(ms.saturating_sub(first_ms)));
        match message.get("Variable") {
            // Variables that the recorded request had set give way to those of this one.
            Some("__CRM_REQ2") => {}
            Some("CRM_REQ") => {
                for variable in &requested.variables {
                    events.push((offset, set_variable(&translate(message), variable)));
                }
            }
            _ => events.push((offset, translate(message))),
        }
    }
    Script {
        living: capture.living.iter().map(translate).collect(),
        events,
        unique_ids,
    }
}

fn set_variable(message: &Message, variable: &str) -> Message {
    let (variable_name, variable_value) = variable.split_once('=').unwrap_or((variable, ""));
    message.map_values(|name, value| match name {
        "Variable" => variable_name.to_owned(),
        "Value" => variable_value.to_owned(),
        _ => value.to_owned(),
    })
}

/// Every text that stands for this call in the recording, with what stands for it now; longest
/// first, so that `1795210154.10` is not taken for `1795210154.1`.
fn swaps(
    capture: &Capture,
    call: &ScriptedCall,
    requested: &Requested,
    counters: &mut Counters,
    times: &TimeLine,
) -> (Vec<(String, String)>, Vec<String>) {
    let mut swaps = Vec::new();
    let mut unique_ids = Vec::new();
    for id in &capture.unique_ids {
        let own = match (capture::epoch_of_unique_id(id), &requested.channel_id) {
            // The recorded request chose this id itself: `c2c-own-1`.
            (None, Some(chosen)) => chosen.clone(),
            (None, None) => counters.next_unique_id(times.start_s),
            (Some(second), _) => counters.next_unique_id(times.second(second)),
        };
        swaps.push((id.clone(), own.clone()));
        unique_ids.push(own);
    }
    for channel in &capture.channels {
        // Only the suffix is the channel's own; the name before it is translated as an extension.
        let Some((device, suffix)) = channel.rsplit_once('-') else {
            continue;
        };
        let technology_end = device.find('/').map_or(0, |slash| slash + 1);
        let (technology, peer) = device.split_at(technology_end);
        let peer = replace(peer, &agent_swaps(call));
        let own = format!("{technology}{peer}-{}", counters.next_channel_suffix());
        debug_assert_eq!(suffix.len(), 8);
        swaps.push((channel.clone(), own));
    }
    for bridge in &capture.bridges {
        swaps.push((bridge.clone(), counters.next_bridge()));
    }
    if let Some(recorded) = &capture.action_id {
        let own = requested
            .action_id
            .clone()
            .unwrap_or_else(|| counters.next_request());
        swaps.push((recorded.clone(), own));
    }
    for (recorded, own) in [
        (capture.client, &call.client),
        (capture.our_number, &call.did),
    ] {
        if let Some(recorded) = recorded
            && !own.is_empty()
        {
            swaps.push((recorded.to_owned(), own.clone()));
        }
    }
    swaps.extend(agent_swaps(call));
    swaps.extend(times.file_name_swaps(capture));
    swaps.sort_by_key(|(recorded, _)| std::cmp::Reverse(recorded.len()));
    (swaps, unique_ids)
}

fn agent_swaps(call: &ScriptedCall) -> Vec<(String, String)> {
    call.agents
        .iter()
        .map(|(recorded, own)| (recorded.clone(), own.clone()))
        .collect()
}

fn translate(
    name: &str,
    value: &str,
    message: &Message,
    swaps: &[(String, String)],
    times: &TimeLine,
) -> String {
    match name {
        // Figures about sound have digits that look like extensions.
        "Value"
            if message
                .get("Variable")
                .is_some_and(|v| v.starts_with("RTPAUDIO")) =>
        {
            value.to_owned()
        }
        "StartTime" | "AnswerTime" | "EndTime" | "EventTime" | "EventTV" | "SessionTV" => {
            times.wall_time(name, value)
        }
        "LoginTime" | "LastCall" => match value.parse::<i64>() {
            Ok(second) if second > 0 => times.second(second).to_string(),
            _ => value.to_owned(),
        },
        // RingTime is in seconds or in milliseconds (`pbx/asterisk.md` §2): scaled either way.
        "Duration" | "BillableSeconds" | "HoldTime" | "TalkTime" | "RingTime" => {
            match value.parse::<u32>() {
                Ok(amount) => times.amount(amount).to_string(),
                Err(_) => value.to_owned(),
            }
        }
        _ => replace(value, swaps),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn scripted(call: &ScriptedCall, counters: &mut Counters) -> Script {
        let capture = capture::named(&call.capture).unwrap();
        write(
            capture,
            call,
            &Requested::default(),
            counters,
            1_800_000_000,
        )
    }

    fn text(script: &Script) -> String {
        script
            .events
            .iter()
            .map(|(_, m)| String::from_utf8(m.encode().to_vec()).unwrap())
            .collect()
    }

    #[test]
    fn nothing_of_the_recorded_call_is_left() {
        for capture in capture::all() {
            let call = ScriptedCall::of(capture.name)
                .client("79035550101")
                .did("78120000077")
                .agent("101", "3301")
                .agent("102", "3302");
            let text = text(&scripted(
                &call,
                &mut Counters {
                    channel: 0x4000,
                    ..Counters::default()
                },
            ));
            let old = capture
                .unique_ids
                .iter()
                .chain(&capture.channels)
                .chain(&capture.bridges);
            for old in old {
                // An id ends where a word ends: `1795210154.1` is also the beginning of others.
                let left = text.match_indices(old.as_str()).any(|(at, _)| {
                    !text[at + old.len()..].starts_with(|c: char| c.is_alphanumeric())
                });
                assert!(!left, "{}: {old} is left", capture.name);
            }
            for number in [
                "79161234567",
                "79167654321",
                "7495000000",
                "PJSIP/101",
                "PJSIP/102",
            ] {
                assert!(!text.contains(number), "{}: {number} is left", capture.name);
            }
            assert!(
                !text.contains("2026-11-20"),
                "{}: a recorded date is left",
                capture.name
            );
        }
    }

    #[test]
    fn hundred_calls_of_each_recording_share_no_id() {
        let mut counters = Counters::default();
        let mut seen = BTreeSet::new();
        for capture in capture::all() {
            for _ in 0..100 {
                let script = scripted(&ScriptedCall::of(capture.name), &mut counters);
                for id in &script.unique_ids {
                    assert!(seen.insert(id.clone()), "{id} twice");
                }
                let own: BTreeSet<&str> = script
                    .events
                    .iter()
                    .filter_map(|(_, m)| m.get("Uniqueid"))
                    .filter(|id| *id != "<unknown>")
                    .collect();
                let known: BTreeSet<&str> = script.unique_ids.iter().map(String::as_str).collect();
                assert!(own.is_subset(&known), "{}: {own:?}", capture.name);
            }
        }
    }

    #[test]
    fn an_outgoing_call_carries_its_client_wherever_the_recorded_one_stood() {
        let call = ScriptedCall::of("outbound_answered")
            .client("989161112233")
            .agent("101", "205");
        let text = text(&scripted(&call, &mut Counters::default()));
        assert!(text.contains("Exten: 989161112233\r\n"));
        assert!(text.contains("DialString: 989161112233@trunk\r\n"));
        assert!(text.contains("ConnectedLineNum: 989161112233\r\n"));
        assert!(text.contains("Channel: PJSIP/205-"));
        assert!(text.contains("CallerIDNum: 205\r\n"));
    }

    #[test]
    fn times_move_and_stretch_with_the_speed() {
        let capture = capture::named("inbound_answered").unwrap();
        let slow = scripted(
            &ScriptedCall::of(capture.name).speed(0.5),
            &mut Counters::default(),
        );
        let recorded_ms = capture.events.last().unwrap().0 - capture.events.first().unwrap().0;
        assert_eq!(
            slow.events.last().unwrap().0,
            Duration::from_millis(recorded_ms * 2)
        );
        let cdr = slow
            .events
            .iter()
            .map(|(_, m)| m)
            .find(|m| m.event_name() == "Cdr")
            .unwrap();
        assert_eq!(cdr.get("StartTime"), Some("2027-01-15 08:00:00"));
        assert_eq!(cdr.get("EndTime"), Some("2027-01-15 08:00:06"));
        assert_eq!(cdr.get("BillableSeconds"), Some("4"));
    }

    #[test]
    fn a_recording_is_named_after_its_own_call() {
        let script = scripted(&ScriptedCall::of("recording"), &mut Counters::default());
        let named = script.unique_ids.first().unwrap();
        let text = text(&script);
        let file = format!("external-74950000004-79161234567-20270115-080000-{named}.wav");
        assert!(
            text.contains(&format!("RecordingFile: {file}\r\n")),
            "{file}"
        );
        assert!(text.contains(&format!("/2027/01/15/{file}\r\n")), "{file}");
    }
}
