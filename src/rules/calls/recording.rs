//! What is done when the recording of a call can be played: its address, or the file itself, is put
//! to the entry that the call has in the call history. Needs nothing from the CRM: the ledger knows the entry.

use crate::model::communication::Phase;
use crate::model::explanation::Reason;
use crate::model::ledger::{LedgerStep, StepState};
use crate::model::plan::{
    Effect, Entity, NewUnsorted, Plan, RecordingLink, Role, Target, UnsortedForm,
};
use crate::model::recording::RecordingAddress;

use super::entities::UNSORTED;
use super::log::CALL_RECORD;
use crate::rules::draft::{Draft, Wish};
use crate::rules::names;
use crate::rules::situation::Situation;

/// The role of the step.
const RECORDING: &str = "recording";

/// Plans what a recording that is ready brings; `None` at any other moment.
pub(in crate::rules) fn plan(situation: &Situation<'_>) -> Option<Plan> {
    let recording = situation.recording.filter(|recording| recording.ready)?;
    if situation.phase != Phase::RecordingReady {
        return None;
    }
    let mut draft = Draft::new(situation);
    match link(situation, recording) {
        Err(reason) => draft.explain(reason),
        Ok(link) => {
            let reason = match link.upload {
                true => Reason::RecordingHandedOver,
                false => Reason::RecordingLinked,
            };
            if draft.wish(RECORDING, Effect::LinkRecording(link)) == Wish::Planned {
                draft.explain(reason);
            }
        }
    }
    Some(Plan {
        // Whether the client was new was settled when the call was decided.
        first_time: situation.ledger.first_time,
        ..draft.finish(false)
    })
}

fn link(situation: &Situation<'_>, recording: &RecordingAddress) -> Result<RecordingLink, Reason> {
    let by = Role::new(CALL_RECORD);
    let Some(step) = situation.ledger.step(&by) else {
        let unsorted = situation.ledger.step(&Role::new(UNSORTED));
        return Err(match unsorted.is_some_and(bears_a_link) {
            true => Reason::RecordingThere,
            false => Reason::RecordingWithoutEntry,
        });
    };
    let (Effect::RecordCall(record), StepState::Done { result, .. }) = (&step.effect, &step.state)
    else {
        return Err(Reason::RecordingWithoutEntry);
    };
    if !recording.upload && record.link.as_ref() == Some(&recording.link) {
        return Err(Reason::RecordingThere);
    }
    let entry = result.card(Entity::CallRecord);
    let entry = entry.ok_or(Reason::RecordingWithoutEntry)?;
    let on = result
        .cards
        .iter()
        .find(|card| card.entity != Entity::CallRecord);
    Ok(RecordingLink {
        entry: Target::Known {
            card: entry.clone(),
        },
        on: on.cloned(),
        by,
        record: record.clone(),
        link: recording.link.clone(),
        text: match recording.upload {
            true => String::new(),
            false => names::recording(&recording.link),
        },
        upload: recording.upload,
    })
}

fn bears_a_link(step: &LedgerStep) -> bool {
    let Effect::CreateUnsorted(NewUnsorted {
        form: UnsortedForm::IncomingCall { link, .. },
        ..
    }) = &step.effect
    else {
        return false;
    };
    link.is_some()
}
