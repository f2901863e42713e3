//! The task that a chat or a request makes (S0-11), whatever its method.

use crate::model::explanation::Reason;
use crate::model::plan::{Effect, NewTask};
use crate::model::written_reason::WrittenReason;
use crate::rules::draft::{Draft, Wish};
use crate::rules::settings::TaskDue;

use super::client::Client;
use super::{TASK, Written, explain, people, place, texts};

/// Plans the task.
pub(super) fn plan(written: &Written<'_>, client: &Client<'_>, draft: &mut Draft<'_>) {
    let Some(settings) = written.options.task else {
        return;
    };
    let kind = written.kind;
    if !settings.on {
        return explain(draft, WrittenReason::TaskOff { kind });
    }
    explain(draft, WrittenReason::TaskActs { kind });
    let place = place::card(client, draft);
    let (user, whose) = people::task_owner(written, client, place.as_ref());
    let text = texts::task_text(settings.text.as_ref(), written, client);
    let due = match settings.due {
        TaskDue::After(interval) => written.at.plus(interval.duration()),
    };
    let wish = draft.wish(
        TASK,
        Effect::CreateTask(NewTask {
            card: place.map(|place| place.target),
            responsible: Some(user),
            text: text.text,
            task_type: settings.task_type.clone(),
            // What comes late, after an outage, is due at once rather than long ago.
            due: due.max(written.situation.now),
        }),
    );
    if wish == Wish::Planned {
        let reasons: Vec<Reason> = whose.into_iter().chain(text.instead).collect();
        for reason in reasons {
            draft.explain(reason);
        }
    }
}
