//! At which phases something is decided.

use crate::model::communication::{Kind, Phase};
use crate::model::explanation::Side;

use super::settings::{
    CallSettings, ChatMoment, DirectionSettings, IntegrationSettings, KnownCase, Moment, Telephony,
    Transcript, UnknownCase,
};

/// Returns the phases of a kind at which something can be wanted, so that no work is made that
/// could only be ignored. Calls and chats are decided when they have ended (S1-14), calls at their
/// answer as well where a case says so (S1-27).
pub fn wanted_phases(kind: Kind, settings: &IntegrationSettings) -> Vec<Phase> {
    match kind {
        Kind::Call if settings.calls.as_ref().is_some_and(some_at_answer) => {
            vec![Phase::Answered, Phase::Ended]
        }
        Kind::Call => vec![Phase::Ended],
        Kind::Chat => of_chats(settings),
        Kind::Request => vec![Phase::Received],
    }
}

/// A chat's records are made at the moment that is set, the task of a lost one at its end (S2-21).
/// What was written is put on the card with every message or at the end, and later where something
/// is written after it.
fn of_chats(settings: &IntegrationSettings) -> Vec<Phase> {
    let Some(chats) = &settings.chats else {
        return vec![Phase::Ended];
    };
    let words = match chats.transcript {
        Transcript::Live => Phase::Message,
        Transcript::End => Phase::Continued,
    };
    let mut phases = vec![of_moment(chats.at), words, Phase::Ended];
    if chats.at == ChatMoment::End {
        phases.remove(0);
    }
    phases
}

/// Returns the phase at which records of a chat are made (S2-21).
pub(super) fn of_moment(moment: ChatMoment) -> Phase {
    match moment {
        ChatMoment::Start => Phase::Started,
        ChatMoment::Accepted => Phase::Accepted,
        ChatMoment::Tagged => Phase::Tagged,
        ChatMoment::End => Phase::Ended,
    }
}

fn some_at_answer(calls: &CallSettings) -> bool {
    at_answer(calls, Side::Incoming) || at_answer(calls, Side::Outgoing)
}

/// Says whether something is made at the answer of calls in this direction.
pub(super) fn at_answer(calls: &CallSettings, side: Side) -> bool {
    let direction = match side {
        Side::Incoming => &calls.incoming,
        Side::Outgoing => &calls.outgoing,
    };
    calls.telephony == Telephony::Ours && has_case_at_answer(direction)
}

fn has_case_at_answer(direction: &DirectionSettings) -> bool {
    let unknown = |case: &UnknownCase| case.on && case.at == Moment::Answer;
    let known = |case: &KnownCase| case.on && case.at == Moment::Answer;
    direction.answered_unknown.as_ref().is_some_and(unknown)
        || direction.answered_known.as_ref().is_some_and(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s1_27_the_answer_is_a_phase_only_where_a_case_wants_it() {
        let settings = |at: &str, on: bool| -> IntegrationSettings {
            let text = format!(
                "[calls]\ndefault_responsible = \"501\"\n[calls.outgoing]\nanswered_known = {{ on \
                 = {on}, at = \"{at}\", action = {{ kind = \"contact_and_deal\", pipeline = \"31\", \
                 stage = \"7\" }} }}"
            );
            toml::from_str(&text).expect("settings")
        };
        let wanted = |at, on| wanted_phases(Kind::Call, &settings(at, on));
        assert_eq!(wanted("answer", true), [Phase::Answered, Phase::Ended]);
        assert_eq!(wanted("answer", false), [Phase::Ended]);
        assert_eq!(wanted("end", true), [Phase::Ended]);
        let none = IntegrationSettings::default();
        assert_eq!(wanted_phases(Kind::Call, &none), [Phase::Ended]);
        assert_eq!(wanted_phases(Kind::Request, &none), [Phase::Received]);
    }

    #[test]
    fn s2_21_chats_are_decided_at_their_moment_at_their_end_and_where_something_is_written() {
        let wanted = |at: &str, transcript: &str| {
            let text = format!(
                "[chats]\ndefault_responsible = \"501\"\nmethod = {{ kind = \"by_hand\" }}\nat = \
                 \"{at}\"\ntranscript = \"{transcript}\""
            );
            wanted_phases(Kind::Chat, &toml::from_str(&text).expect("settings"))
        };
        let (live, end) = (
            [Phase::Message, Phase::Ended],
            [Phase::Continued, Phase::Ended],
        );
        assert_eq!(wanted("end", "end"), end);
        for (at, moment) in [
            ("start", Phase::Started),
            ("accepted", Phase::Accepted),
            ("tagged", Phase::Tagged),
        ] {
            let with = |rest: [Phase; 2]| [&[moment][..], &rest].concat();
            assert_eq!(wanted(at, "live"), with(live));
            assert_eq!(wanted(at, "end"), with(end));
        }
        let none = IntegrationSettings::default();
        assert_eq!(wanted_phases(Kind::Chat, &none), [Phase::Ended]);
    }
}
