//! What is made of chats (rows S0-12, S2-20 … S2-22, S2-24).
//!
//! ```text
//! admission   is it processed, and at this moment?   -> ignored, with the reason
//! client      who is it, new or known?               <- facts, ledger
//! entities    what does the method make?             -> contact, deal, unsorted
//! task        who has what to do about it?           -> task, lost-task
//! transcript  what was written?                      -> transcript#1 …, when it is over
//!
//! people      who answers for what it makes
//! texts       names and texts from templates
//! ```
//!
//! Records are made once in the life of a chat, at the moment that is set when it comes; the end
//! adds the transcript and the task of a lost one.

mod admission;
mod client;
mod entities;
mod people;
mod task;
mod texts;
mod transcript;

#[cfg(test)]
mod tests;

use crate::model::chat::Chat;
use crate::model::explanation::{Explanation, Reason};
use crate::model::facts::{Facts, FactsQuery};
use crate::model::plan::Plan;

use self::admission::ClientChat;
use self::client::Client;
use super::draft::Draft;
use super::situation::Situation;

/// Returns what the CRM has to be asked about a chat, or why the chat is ignored.
pub(super) fn triage(situation: &Situation<'_>, chat: &Chat) -> Result<FactsQuery, Explanation> {
    let chat = ClientChat::admit(situation, chat)?;
    Ok(FactsQuery {
        phones: chat.phone().cloned().into_iter().collect(),
        emails: chat.email().into_iter().collect(),
        // Methods do not look at the deals that there are.
        deals: false,
        made: Vec::new(),
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
    if let Some(reason) = chat.filter_seen() {
        draft.explain(reason);
    }
    let client = Client::find(&chat, facts, &mut draft);
    if chat.acted_before() {
        draft.explain(Reason::ChatActedBefore);
    } else if chat.moment_has_come() {
        entities::plan(&chat, &client, &mut draft);
        task::plan(&chat, &client, &mut draft);
    } else {
        draft.explain(Reason::NobodyTookChat);
    }
    if chat.is_at_end() {
        // The task first: a note that the CRM does not take must not keep it waiting.
        task::plan_lost(&chat, &client, &mut draft);
        transcript::plan(&chat, &client, &mut draft);
    }
    Ok(draft.finish(!client.known))
}

