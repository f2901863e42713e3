//! The task that a call makes (S1-16): one for the employee who took it, or, where it was missed,
//! one for the responsible. Cases and tasks are independent: a task needs no new record.

use crate::model::explanation::{CallTask, Reason};
use crate::model::plan::{Effect, NewTask};
use crate::rules::draft::{Draft, Wish};
use crate::rules::schedule;

use super::admission::ClientCall;
use super::client::Client;
use super::{log, people, texts};

/// The role of the task.
const TASK: &str = "task";

/// Says whether the call can make a task.
pub(super) fn may_act(call: &ClientCall<'_>) -> bool {
    call.task().is_some_and(|task| task.on) && !call.is_filtered()
}

/// Plans the task. A filtered number makes none, as it makes nothing else (S1-18).
pub(super) fn plan(call: &ClientCall<'_>, client: &Client<'_>, draft: &mut Draft<'_>) {
    let Some(settings) = call.task() else { return };
    if call.is_filtered() {
        return;
    }
    let (side, task) = (call.side, sort(call));
    if !settings.on {
        return draft.explain(Reason::TaskOff { side, task });
    }
    draft.explain(Reason::TaskActs { side, task });
    let place = log::card_of_call(client, draft);
    let (user, whose) = match task {
        CallTask::Taken => people::taker(call, client, place.as_ref()),
        CallTask::Missed => people::task_owner(call, client, place.as_ref()),
    };
    let key = match task {
        CallTask::Taken => "task",
        CallTask::Missed => "missed_task",
    };
    let text = texts::task_text(settings.text.as_ref(), key, call, client);
    let over = call.call.ended_at.unwrap_or(call.call.started_at);
    let due = schedule::due(call.situation, settings, over);
    let wish = draft.wish(
        TASK,
        Effect::CreateTask(NewTask {
            card: place.map(|place| place.target),
            responsible: Some(user),
            text: text.text,
            task_type: settings.task_type.clone(),
            // What comes late, after an outage, is due at once rather than long ago.
            due: due.max(call.situation.now),
        }),
    );
    if wish == Wish::Planned {
        for reason in whose.into_iter().chain(text.instead) {
            draft.explain(reason);
        }
    }
}

fn sort(call: &ClientCall<'_>) -> CallTask {
    if call.call.is_answered() {
        CallTask::Taken
    } else {
        CallTask::Missed
    }
}
