//! What is written into a closed chat (V-05): a new unsorted record each time where the chat made
//! one, else a note on its card.

use crate::model::chat::Author;
use crate::model::explanation::{Reason, TransferAction};

use super::admission::ClientChat;
use super::texts;
use super::transcript::{self, Words};
use crate::rules::draft::{Draft, Wish};
use crate::rules::settings::InClosedChat;
use crate::rules::written::client::Client;
use crate::rules::written::entities;

/// Plans what comes of the new messages.
pub(super) fn plan(
    chat: &ClientChat<'_>,
    client: &Client<'_>,
    acts: Option<&TransferAction>,
    draft: &mut Draft<'_>,
) {
    let new = transcript::unwritten(chat, draft);
    let closed_at = chat.closed_at();
    // What was written before the end and became known after it is no message in a closed chat.
    let by_client: Words<'_> = new
        .iter()
        .copied()
        .filter(|message| matches!(message.author, Author::Client { .. }))
        .filter(|message| closed_at.is_some_and(|end| message.at > end))
        .collect();
    if !by_client.is_empty() && !chat.goes_on() {
        let pipeline = match acts {
            Some(TransferAction::Unsorted { pipeline }) => Some(pipeline),
            _ => None,
        };
        let wanted = chat.settings.in_closed_chat == InClosedChat::UnsortedAgain;
        let again = match pipeline.filter(|_| wanted) {
            Some(pipeline) => unsorted_again(chat, pipeline, &by_client, draft),
            None => false,
        };
        draft.explain(Reason::MessageInClosedChat { again });
    }
    transcript::plan_new(chat, client, draft);
}

fn unsorted_again(
    chat: &ClientChat<'_>,
    pipeline: &str,
    words: &[&crate::model::chat::Message],
    draft: &mut Draft<'_>,
) -> bool {
    let role = texts::numbered(entities::UNSORTED, texts::unsorted_made(draft) + 1);
    let form = texts::form(chat, texts::joined(words));
    let at = words
        .first()
        .map_or(chat.chat.started_at, |message| message.at);
    let wish = entities::unsorted(&role, chat, pipeline, form, at, draft);
    wish == Wish::Planned
}
