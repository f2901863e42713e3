//! What is made of chats (rows S0-12, S2-20 … S2-22, S2-24, V-05).
//!
//! ```text
//! admission   is it processed, and at this moment?   -> ignored, with the reason
//! lost        nobody answered                        -> lost-task, lost-note
//! closed      somebody wrote into a closed chat      -> unsorted#2 …
//! transcript  what was written?                      -> transcript#1 …
//! cards       on which cards is it put?
//! owner       is the client handed over?             -> owner
//!
//! texts       what templates may say, and what was written
//! ```
//!
//! What is made of it besides, and for whom, is [`written`](super::written). Records are made once
//! in the life of a chat, at the moment that is set when it comes; what comes later only adds.

mod admission;
mod cards;
mod closed;
mod lost;
mod owner;
mod texts;
mod transcript;

#[cfg(test)]
mod tests;

pub(super) use self::texts::preview;

use crate::model::chat::Chat;
use crate::model::communication::Phase;
use crate::model::explanation::{Explanation, Reason, TransferAction};
use crate::model::facts::{Facts, FactsQuery};
use crate::model::plan::Plan;

use self::admission::{ClientChat, Earlier};
use super::draft::Draft;
use super::settings::{RequestMethod, TranscriptCard};
use super::situation::Situation;
use super::written::client::Client;
use super::written::{Written, entities, fields, notice, task, texts as phrases};

/// The role of the task.
const TASK: &str = "task";

/// Returns what the CRM has to be asked about a chat, or why the chat is ignored.
pub(super) fn triage(situation: &Situation<'_>, chat: &Chat) -> Result<FactsQuery, Explanation> {
    let chat = ClientChat::admit(situation, chat)?;
    Ok(FactsQuery {
        phones: chat.phone().cloned().into_iter().collect(),
        emails: chat.email().into_iter().collect(),
        // Methods do not look at the deals that there are; what was written may be put on one.
        deals: chat.settings.transcript_to.prefer != TranscriptCard::Client,
        made: Vec::new(),
        made_leads: Vec::new(),
    })
}

/// Plans a chat, or says why it is ignored.
pub(super) fn plan(
    situation: &Situation<'_>,
    chat: &Chat,
    facts: &Facts,
) -> Result<Plan, Explanation> {
    let chat = ClientChat::admit(situation, chat)?;
    let mut draft = Draft::new(situation);
    let earlier = chat.earlier();
    if let Some(reason) = chat.filter_seen().filter(|_| earlier == Earlier::Nothing) {
        draft.explain(reason);
    }
    let client = Client::find(&chat, facts, &mut draft);
    let left = match earlier {
        Earlier::Left => true,
        Earlier::Nothing => client.known && chat.settings.first_time_only,
        Earlier::Acted(_) => false,
    };
    if left {
        let kind = ClientChat::KIND;
        draft.explain(Reason::RepeatLeft { kind });
        return Ok(draft.finish(!client.known));
    }
    let acts = match (earlier, chat.moment()) {
        (Earlier::Acted(method), _) => {
            draft.explain(Reason::ChatActedBefore);
            Some(method.clone())
        }
        (_, Ok(())) => {
            make_records(&chat, &client, &mut draft);
            Some(entities::action(chat.method(client.known), &draft))
        }
        (_, Err(why)) => {
            draft.explain(why);
            None
        }
    };
    if chat.is_at_end() {
        // Before the notes: one that the CRM does not take must not keep the task waiting.
        lost::plan_task(&chat, &client, &mut draft);
    }
    // By hand nothing is written anywhere (S0-07).
    let by_hand = match &acts {
        Some(method) => *method == TransferAction::ByHand,
        None => matches!(chat.method(client.known), RequestMethod::ByHand {}),
    };
    if !by_hand {
        write(&chat, &client, acts.as_ref(), &mut draft);
    }
    note_end(&chat, &mut draft);
    Ok(draft.finish(!client.known))
}

fn make_records(chat: &ClientChat<'_>, client: &Client<'_>, draft: &mut Draft<'_>) {
    entities::plan(chat, client, draft);
    owner::plan(chat, client, draft);
    if let Some(settings) = chat.settings.task.as_ref().filter(|task| task.on) {
        let own = settings.text.as_ref();
        let text = phrases::task_text(chat, client, "task.text", own, ClientChat::USUAL.task);
        let ended = chat.chat.ended_at.filter(|_| chat.is_at_end());
        let from = ended.unwrap_or(chat.chat.started_at);
        task::plan(TASK, chat, client, settings, text, from, draft);
    }
    if chat.settings.notify {
        notice::plan(chat.situation, ClientChat::KIND, draft);
    }
    // Last: a field that the CRM does not take must not keep the task waiting.
    fields::plan(chat, client, draft);
}

/// Plans the notes.
fn write(
    chat: &ClientChat<'_>,
    client: &Client<'_>,
    acts: Option<&TransferAction>,
    draft: &mut Draft<'_>,
) {
    match chat.situation.phase {
        Phase::Ended => {
            lost::plan_note(chat, client, draft);
            transcript::plan_whole(chat, client, draft);
        }
        Phase::Message | Phase::Continued if chat.closed_at().is_some() => {
            closed::plan(chat, client, acts, draft);
        }
        // Live: on the records, once there are any.
        Phase::Message if acts.is_some() => transcript::plan_new(chat, client, draft),
        _ => {}
    }
}

/// Notes whether the chat is over, for what may be written into it later.
fn note_end(chat: &ClientChat<'_>, draft: &mut Draft<'_>) {
    let is_later = chat.closed_at().is_some();
    if chat.is_at_end() || (is_later && chat.chat.is_over()) {
        let newest = chat.chat.messages.iter().map(|message| message.at).max();
        let at = chat.chat.ended_at.max(newest);
        let at = at.unwrap_or(chat.chat.started_at);
        draft.explain(Reason::ChatOver { at });
    } else if is_later {
        draft.explain(Reason::ChatGoesOn);
    }
}
