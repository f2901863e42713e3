//! From a call as written to a call: which fields contradict each other, and what follows from
//! what was left out. Pure.

use super::wire::{
    CallItem, CallPhaseWord, DirectionWord, LegItem, ReasonWord, ResultWord, Seconds,
};
use crate::model::call::{Call, CallLeg, CallPhase, CallResult, Direction, MissReason};
use crate::model::ids::Extension;
use crate::model::mistake::Mistake;
use crate::model::number_rules::NumberRules;
use crate::model::timestamp::Timestamp;

/// Whole seconds are rounded by the sender, each on its own: waiting and talking may together
/// pass the length of the call by this much.
const ROUNDING_MS: u64 = 2_000;

/// Turns a call as written into a call, or names every contradiction in it.
pub(super) fn call(item: CallItem, numbers: &NumberRules) -> Result<Call, Vec<Mistake>> {
    let mut wrong = Vec::new();
    let direction = match item.direction {
        DirectionWord::Incoming => Direction::Incoming,
        DirectionWord::Outgoing => Direction::Outgoing,
        DirectionWord::Internal => Direction::Internal,
    };
    let phase = match item.phase {
        CallPhaseWord::Ringing => CallPhase::Ringing,
        CallPhaseWord::Answered => CallPhase::Answered,
        CallPhaseWord::Ended => CallPhase::Ended,
        CallPhaseWord::RecordingReady => CallPhase::RecordingReady,
    };
    check_times(&item, phase, &mut wrong);
    if phase == CallPhase::RecordingReady && item.recordings.is_empty() {
        wrong.push(Mistake::at(
            "recordings",
            "is missing in the phase recording_ready",
        ));
    }
    if direction == Direction::Incoming && item.caller.is_some() {
        wrong.push(Mistake::at(
            "caller",
            "stands only in outgoing and internal calls",
        ));
    }
    if direction != Direction::Incoming && item.client.is_none() {
        wrong.push(Mistake::at(
            "client",
            "is missing: the number that was called",
        ));
    }
    let talkers = talkers(&item, &mut wrong);
    let talked = item.answered_at.is_some()
        || !talkers.is_empty()
        || item.talking_s.is_some_and(|given| given.ms > 0);
    let result = result(&item, phase, direction, talked, &mut wrong);
    let answered_at = answered_at(&item, result, &mut wrong);
    // Durations are judged only by times that are right, else one slip shows as three.
    let (waiting_ms, talking_ms) = match wrong.is_empty() {
        true => durations(&item, answered_at, &mut wrong),
        false => (0, 0),
    };
    if !wrong.is_empty() {
        return Err(wrong);
    }

    let client = item.client.as_deref().unwrap_or_default();
    Ok(Call {
        direction,
        phase,
        result,
        client: match direction {
            Direction::Incoming => numbers.incoming_number(client),
            Direction::Outgoing | Direction::Internal => numbers.outgoing_number(client),
        },
        legs: legs(&item, &talkers, answered_at),
        last_talker: item
            .last_talker
            .map(Extension)
            .or_else(|| talkers.last().cloned()),
        talkers,
        client_name: item.client_name,
        our_number: item.our_number,
        caller_extension: item.caller.map(Extension),
        started_at: item.started_at,
        answered_at,
        ended_at: item.ended_at,
        waiting_ms,
        talking_ms,
        queues: item.queues,
        recordings: item.recordings,
        click_to_call: item.click_to_call,
        blind: None,
        tags: Vec::new(),
        details: Default::default(),
    })
}

/// Checks the order of the times and that they suit the phase.
fn check_times(item: &CallItem, phase: CallPhase, wrong: &mut Vec<Mistake>) {
    let started = item.started_at;
    match (phase >= CallPhase::Ended, item.ended_at) {
        (true, None) => wrong.push(Mistake::at("ended_at", "is missing: the call is over")),
        (false, Some(_)) => {
            wrong.push(Mistake::at(
                "ended_at",
                "stands only in a call that is over",
            ));
        }
        (true, Some(_)) | (false, None) => {}
    }
    let end = item.ended_at;
    not_before("ended_at", end, started, "started_at", wrong);
    not_before(
        "answered_at",
        item.answered_at,
        started,
        "started_at",
        wrong,
    );
    not_after("answered_at", item.answered_at, end, "ended_at", wrong);
    for (position, leg) in item.rung.iter().enumerate() {
        let path = |key: &str| format!("rung.{position}.{key}");
        not_before(&path("rung_at"), leg.rung_at, started, "started_at", wrong);
        not_after(&path("rung_at"), leg.rung_at, end, "ended_at", wrong);
        let from_floor = leg.rung_at.unwrap_or(started);
        not_before(
            &path("talked_from"),
            leg.talked_from,
            from_floor,
            "the first ring",
            wrong,
        );
        not_after(
            &path("talked_from"),
            leg.talked_from,
            end,
            "ended_at",
            wrong,
        );
        match leg.talked_from {
            Some(from) => {
                not_before(
                    &path("talked_until"),
                    leg.talked_until,
                    from,
                    "talked_from",
                    wrong,
                );
            }
            None if leg.talked_until.is_some() => {
                let message = "is missing: talked_until is given";
                wrong.push(Mistake::at(&path("talked_from"), message));
            }
            None => {}
        }
        not_after(
            &path("talked_until"),
            leg.talked_until,
            end,
            "ended_at",
            wrong,
        );
        let earlier = item.rung.iter().take(position);
        if earlier
            .map(|leg| &leg.extension)
            .any(|e| *e == leg.extension)
        {
            let message = "stands twice: give one entry an extension";
            wrong.push(Mistake::at(&path("extension"), message));
        }
    }
}

/// Notes a mistake where a time lies before another.
pub(super) fn not_before(
    path: &str,
    time: Option<Timestamp>,
    floor: Timestamp,
    floor_name: &str,
    wrong: &mut Vec<Mistake>,
) {
    if time.is_some_and(|time| time < floor) {
        wrong.push(Mistake::at(
            path,
            format!("must not be before {floor_name}"),
        ));
    }
}

fn not_after(
    path: &str,
    time: Option<Timestamp>,
    ceiling: Option<Timestamp>,
    ceiling_name: &str,
    wrong: &mut Vec<Mistake>,
) {
    if time
        .zip(ceiling)
        .is_some_and(|(time, ceiling)| time > ceiling)
    {
        wrong.push(Mistake::at(
            path,
            format!("must not be after {ceiling_name}"),
        ));
    }
}

/// Returns who talked, in order: as given, or those of `rung` who talked, by time.
fn talkers(item: &CallItem, wrong: &mut Vec<Mistake>) -> Vec<Extension> {
    let mut spoke: Vec<&LegItem> = item
        .rung
        .iter()
        .filter(|leg| leg.talked_from.is_some())
        .collect();
    spoke.sort_by_key(|leg| leg.talked_from);
    let mut talkers: Vec<Extension> = Vec::new();
    for (position, name) in item.talkers.iter().enumerate() {
        if talkers.iter().any(|known| known.0 == *name) {
            let message = "stands twice: name each once, at the first talk";
            wrong.push(Mistake::at(&format!("talkers.{position}"), message));
        } else {
            talkers.push(Extension(name.clone()));
        }
    }
    if item.talkers.is_empty() {
        talkers = spoke
            .iter()
            .map(|leg| Extension(leg.extension.clone()))
            .collect();
    } else if let Some(leg) = spoke
        .iter()
        .find(|leg| !item.talkers.contains(&leg.extension))
    {
        let shown: String = leg.extension.chars().take(64).collect();
        wrong.push(Mistake::at(
            "talkers",
            format!("lacks {shown}, who talked as rung says"),
        ));
    }
    if let Some(last) = &item.last_talker
        && !talkers.iter().any(|talker| talker.0 == *last)
    {
        wrong.push(Mistake::at("last_talker", "is not among those who talked"));
    }
    talkers
}

fn result(
    item: &CallItem,
    phase: CallPhase,
    direction: Direction,
    talked: bool,
    wrong: &mut Vec<Mistake>,
) -> CallResult {
    let over = phase >= CallPhase::Ended;
    let word = item.result.or(match (phase, talked) {
        (CallPhase::Ringing, _) => None,
        (CallPhase::Answered, _) | (CallPhase::Ended | CallPhase::RecordingReady, true) => {
            Some(ResultWord::Answered)
        }
        (CallPhase::Ended | CallPhase::RecordingReady, false) => Some(ResultWord::Missed),
    });
    let reason = item.reason.map_or(MissReason::NoAnswer, |word| match word {
        ReasonWord::NoAnswer => MissReason::NoAnswer,
        ReasonWord::Busy => MissReason::Busy,
        ReasonWord::Declined => MissReason::Declined,
        ReasonWord::CallerGaveUp => MissReason::CallerGaveUp,
        ReasonWord::AbandonedInQueue => MissReason::AbandonedInQueue,
        ReasonWord::NobodyRung => MissReason::NobodyRung,
        ReasonWord::Failed => MissReason::Failed,
    });
    let mut say = |path: &str, message: &str| wrong.push(Mistake::at(path, message));
    if item.reason.is_some() && matches!(word, None | Some(ResultWord::Answered)) {
        say("reason", "stands only in a call in which nobody talked");
    }
    match word {
        None => {
            if talked {
                say(
                    "phase",
                    "is ringing although somebody talked: send answered or ended",
                );
            }
            CallResult::Open
        }
        Some(ResultWord::Answered) => {
            if phase == CallPhase::Ringing {
                say("result", "is answered although the phase is ringing");
            }
            CallResult::Answered
        }
        Some(ResultWord::Missed) => {
            if !over {
                say("result", "is missed although the call is not over");
            }
            if talked {
                say("result", "is missed although somebody talked");
            }
            CallResult::Missed { reason }
        }
        Some(ResultWord::EmployeeNotReached) => {
            if !over || talked || direction != Direction::Outgoing {
                say(
                    "result",
                    "employee_not_reached fits only an outgoing call that is over and in which nobody talked",
                );
            }
            if !matches!(reason, MissReason::NoAnswer | MissReason::Busy) {
                say(
                    "reason",
                    "must be no_answer or busy with employee_not_reached",
                );
            }
            CallResult::EmployeeNotReached { reason }
        }
    }
}

/// Returns when talk began: as given, or as the earliest leg, the waiting time, or the talking
/// time of a call that is over tell, in this order.
fn answered_at(item: &CallItem, result: CallResult, wrong: &mut Vec<Mistake>) -> Option<Timestamp> {
    if result != CallResult::Answered {
        return None;
    }
    let ms = |seconds: Seconds| std::time::Duration::from_millis(seconds.ms);
    let told = item
        .answered_at
        .or_else(|| item.rung.iter().filter_map(|leg| leg.talked_from).min())
        .or_else(|| {
            item.waiting_s
                .map(|waited| item.started_at.plus(ms(waited)))
        })
        .or_else(|| {
            let (end, talked) = item.ended_at.zip(item.talking_s)?;
            Some(end.minus(ms(talked)).max(item.started_at))
        });
    if told.is_none() {
        let message = "is missing: say when they began to talk";
        wrong.push(Mistake::at("answered_at", message));
    }
    told
}

/// Returns milliseconds of waiting and of talk: as given, or from the times.
fn durations(
    item: &CallItem,
    answered_at: Option<Timestamp>,
    wrong: &mut Vec<Mistake>,
) -> (u64, u64) {
    let between = |from: Timestamp, until: Timestamp| {
        u64::try_from(until.since(from).as_millis()).unwrap_or(u64::MAX)
    };
    let waiting = match (item.waiting_s, answered_at.or(item.ended_at)) {
        (Some(given), _) => given.ms,
        (None, Some(until)) => between(item.started_at, until),
        (None, None) => 0,
    };
    let talking = match (item.talking_s, answered_at.zip(item.ended_at)) {
        (Some(given), _) => given.ms,
        (None, Some((from, until))) => between(from, until),
        (None, None) => 0,
    };
    if let Some(end) = item.ended_at {
        let room = between(item.started_at, end).saturating_add(ROUNDING_MS);
        if waiting > room {
            wrong.push(Mistake::at("waiting_s", "is longer than the call"));
        } else if talking > room {
            wrong.push(Mistake::at("talking_s", "is longer than the call"));
        } else if waiting.saturating_add(talking) > room {
            let message = "is, with waiting_s, longer than the call";
            wrong.push(Mistake::at("talking_s", message));
        }
    }
    (waiting, talking)
}

/// Returns the employees' phones: those of `rung`, then the caller's and talkers' that are not
/// among them. Where one alone talked and no times were given, the call's own are theirs.
fn legs(item: &CallItem, talkers: &[Extension], answered_at: Option<Timestamp>) -> Vec<CallLeg> {
    let mut legs: Vec<CallLeg> = item
        .rung
        .iter()
        .map(|leg| CallLeg {
            extension: Extension(leg.extension.clone()),
            rung_at: leg.rung_at.unwrap_or(item.started_at),
            talked_from: leg.talked_from,
            talked_until: leg.talked_until,
        })
        .collect();
    let caller = item.caller.clone().map(Extension);
    for extension in caller.iter().chain(talkers) {
        if !legs.iter().any(|leg| leg.extension == *extension) {
            legs.push(CallLeg {
                extension: extension.clone(),
                rung_at: item.started_at,
                talked_from: None,
                talked_until: None,
            });
        }
    }
    if let [only] = talkers
        && let Some(leg) = legs.iter_mut().find(|leg| leg.extension == *only)
    {
        leg.talked_from = leg.talked_from.or(answered_at);
        leg.talked_until = leg.talked_until.or(item.ended_at);
    }
    legs
}
