//! Chats that ended without anybody of the company having written.

use crate::model::details;
use crate::model::explanation::Reason;
use crate::model::plan::{Effect, NewNote};

use super::admission::ClientChat;
use super::texts;
use crate::rules::draft::Draft;
use crate::rules::variables;
use crate::rules::written::client::Client;
use crate::rules::written::{place, task, texts as phrases};

/// The role of the task about a lost chat.
const LOST_TASK: &str = "lost-task";

/// The role of the note about it.
const LOST_NOTE: &str = "lost-note";

/// Plans the task of a lost chat.
pub(super) fn plan_task(chat: &ClientChat<'_>, client: &Client<'_>, draft: &mut Draft<'_>) {
    if !chat.chat.lost {
        return;
    }
    draft.explain(Reason::ChatLost);
    if let Some(settings) = chat.settings.lost_task.as_ref().filter(|task| task.on) {
        let (own, usual) = (settings.text.as_ref(), variables::CHAT_LOST_TASK);
        let text = phrases::task_text(chat, client, "lost_task.text", own, usual);
        let from = chat.chat.ended_at.unwrap_or(chat.chat.started_at);
        task::plan(LOST_TASK, chat, client, settings, text, from, draft);
    }
}

/// Plans the note about it, with the reason for its end.
pub(super) fn plan_note(chat: &ClientChat<'_>, client: &Client<'_>, draft: &mut Draft<'_>) {
    if !chat.chat.lost || !chat.settings.lost_note {
        return;
    }
    let Some((card, _)) = place::of_note(client, draft) else {
        return;
    };
    let reason = chat.chat.details.get(details::END_REASON);
    let note = NewNote {
        card,
        text: texts::lost(chat, reason.map(String::as_str)),
        at: chat.chat.ended_at.unwrap_or(chat.chat.started_at),
        messages: Vec::new(),
    };
    draft.wish(LOST_NOTE, Effect::AddNote(note));
}
