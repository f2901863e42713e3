//! Channel variables that no event of the recommended user carries: asked with Getvar, and told
//! to the tracker as the VarSet that a user with the class dialplan would have seen
//! (`pbx/asterisk.md` §2 "Recordings", §5).

use std::collections::HashMap;

use super::ami_codec::Action;
use super::ami_message::Message;
use super::tracker::LiveChannel;

/// FreePBX and MikoPBX keep the number that was called here.
pub(super) const DID: &str = "FROM_DID";
/// FreePBX keeps the name of the call's recording here, until the channel is gone.
pub(super) const RECORDING: &str = "CDR(recordingfile)";

/// The application that records keeps the whole path of its file here; told by an event only to a
/// user with the class dialplan.
const RECORDED_FILE: &str = "MIXMONITOR_FILENAME";

/// Questions that may be open at once. Each is answered within milliseconds; past it the PBX has
/// stopped answering and further ones would only pile up.
const OPEN_MAX: usize = 500;

/// A channel that a question is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    channel: String,
    uniqueid: String,
    linkedid: String,
}

impl Place {
    /// The place of a living channel.
    pub(super) fn of_channel(live: &LiveChannel) -> Self {
        Self {
            channel: live.channel.clone(),
            uniqueid: live.uniqueid.clone(),
            linkedid: live.linkedid.clone(),
        }
    }

    /// The place of an event's own channel.
    fn of_event(event: &Message) -> Option<Self> {
        Some(Self {
            channel: event.value("Channel")?.to_owned(),
            uniqueid: event.value("Uniqueid")?.to_owned(),
            linkedid: event.value("Linkedid")?.to_owned(),
        })
    }

    /// The question for a variable.
    pub(super) fn question(&self, variable: &str) -> Action {
        Action::new("Getvar")
            .with("Channel", self.channel.as_str())
            .with("Variable", variable)
    }

    /// The answer as an event; `None` when the variable is not set.
    pub(super) fn event(&self, variable: &str, answer: &Message) -> Option<Message> {
        let value = answer.value("Value")?;
        Some(Message::from_pairs([
            ("Event", "VarSet"),
            ("Channel", self.channel.as_str()),
            ("Uniqueid", self.uniqueid.as_str()),
            ("Linkedid", self.linkedid.as_str()),
            ("Variable", variable),
            ("Value", value),
        ]))
    }
}

/// Asks for the recordings of calls while they go on.
#[derive(Debug, Default)]
pub(super) struct RecordingQuestions {
    open: HashMap<String, (Place, &'static str)>,
    denied: bool,
}

impl RecordingQuestions {
    /// Says which variables of which channel an event makes worth asking for: a recording began, or
    /// the call's first channel (which has the name on FreePBX) is put through. The dialplan sets
    /// that name shortly before or after either.
    pub(super) fn occasion(&self, event: &Message) -> Option<(Place, &'static [&'static str])> {
        if self.denied || self.open.len() >= OPEN_MAX {
            return None;
        }
        let place = Place::of_event(event)?;
        match event.event()? {
            "MixMonitorStart" => Some((place, &[RECORDED_FILE, RECORDING])),
            "BridgeEnter" if place.uniqueid == place.linkedid => Some((place, &[RECORDING])),
            _ => None,
        }
    }

    /// Remembers a question that was sent under this id.
    pub(super) fn asked(&mut self, action_id: String, place: Place, variable: &'static str) {
        self.open.insert(action_id, (place, variable));
    }

    /// Takes an answer; returns it as an event when it says something new.
    pub(super) fn answered(&mut self, response: &Message) -> Option<Message> {
        let (place, variable) = self.open.remove(response.action_id()?)?;
        let refused = response.get("Message");
        self.denied |= refused.is_some_and(|why| why.eq_ignore_ascii_case("Permission denied"));
        place.event(variable, response)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(name: &str, uniqueid: &str) -> Message {
        Message::from_pairs([
            ("Event", name),
            ("Channel", "PJSIP/trunk-00000001"),
            ("Uniqueid", uniqueid),
            ("Linkedid", "1.0"),
        ])
    }

    #[test]
    fn a_recording_is_asked_for_when_it_begins_and_when_the_first_channel_is_put_through() {
        let questions = RecordingQuestions::default();
        for (name, uniqueid, expected) in [
            ("MixMonitorStart", "1.0", true),
            ("MixMonitorStart", "1.1", true),
            ("BridgeEnter", "1.0", true),
            ("BridgeEnter", "1.1", false),
            ("Newchannel", "1.0", false),
        ] {
            let occasion = questions.occasion(&event(name, uniqueid));
            assert_eq!(occasion.is_some(), expected, "{name} {uniqueid}");
        }
    }

    #[test]
    fn an_answer_becomes_an_event_once_and_a_refusal_ends_the_asking() {
        let mut questions = RecordingQuestions::default();
        let (place, variables) = questions
            .occasion(&event("BridgeEnter", "1.0"))
            .expect("asks");
        assert_eq!(variables, [RECORDING]);
        questions.asked("a-1".to_owned(), place.clone(), RECORDING);
        let answer = Message::from_pairs([
            ("Response", "Success"),
            ("ActionID", "a-1"),
            ("Value", "in-1-2.wav"),
        ]);
        let told = questions.answered(&answer).expect("tells");
        assert_eq!(told.get("Variable"), Some(RECORDING));
        assert_eq!(told.get("Value"), Some("in-1-2.wav"));
        assert_eq!(questions.answered(&answer), None);

        questions.asked("a-2".to_owned(), place, RECORDED_FILE);
        let refusal = Message::from_pairs([
            ("Response", "Error"),
            ("ActionID", "a-2"),
            ("Message", "Permission denied"),
        ]);
        assert_eq!(questions.answered(&refusal), None);
        assert_eq!(questions.occasion(&event("BridgeEnter", "1.0")), None);
    }
}
