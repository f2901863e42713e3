//! What was written, as notes on the card when the chat is over (S0-12): as many as it takes.

use crate::model::chat::{Author, Message};
use crate::model::explanation::Reason;
use crate::model::plan::{Effect, Entity, NewNote, Target};

use super::admission::ClientChat;
use super::client::Client;
use super::entities::{CONTACT, DEAL, UNSORTED, known_contact};
use super::texts;
use crate::rules::draft::{Draft, Wish, made};
use crate::rules::names;
use crate::rules::settings::RequestMethod;
use crate::rules::template::one_line;

/// The longest note: several pages.
const NOTE_CHARS_MAX: usize = 10_000;

/// The longest message that is kept whole: it must fit a note with its line's beginning.
const MESSAGE_CHARS_MAX: usize = 8_000;

/// The longest name of an author.
const AUTHOR_CHARS_MAX: usize = 100;

/// The most notes of one chat.
const NOTES_MAX: usize = 20;

/// Plans the notes. By hand nothing is written anywhere (S0-07).
pub(super) fn plan(chat: &ClientChat<'_>, client: &Client<'_>, draft: &mut Draft<'_>) {
    if matches!(chat.method(client.known), RequestMethod::ByHand {}) {
        return;
    }
    let Some((card, sort)) = place(client, draft) else {
        return;
    };
    for (number, text) in pages(chat).into_iter().enumerate() {
        let note = NewNote {
            card: card.clone(),
            text,
            at: chat.chat.started_at,
        };
        let role = format!("transcript#{}", number + 1);
        if draft.wish(&role, Effect::AddNote(note)) == Wish::Planned {
            draft.explain(Reason::ContentNoted { card: sort });
        }
    }
}

/// Chooses the card. A form in Unsorted holds a few words only: the deal inside takes the whole.
fn place(client: &Client<'_>, draft: &Draft<'_>) -> Option<(Target, Entity)> {
    let makers = [
        (DEAL, Entity::Deal),
        (UNSORTED, Entity::Deal),
        (CONTACT, Entity::Contact),
    ];
    if let Some((role, entity)) = makers.into_iter().find(|(role, _)| draft.gives(role)) {
        return Some((made(role, entity), entity));
    }
    let contact = client.contact?;
    Some((known_contact(&contact.id), Entity::Contact))
}

/// Writes the notes' texts: a heading, then a line for each message.
fn pages(chat: &ClientChat<'_>) -> Vec<String> {
    let mut pages = Vec::new();
    let mut page = texts::heading(chat);
    let mut chars = page.chars().count();
    for message in &chat.chat.messages {
        let line = line(chat, message);
        let length = line.chars().count() + 1;
        if chars + length > NOTE_CHARS_MAX {
            if pages.len() + 1 == NOTES_MAX {
                page.push_str("\n…");
                break;
            }
            pages.push(std::mem::take(&mut page));
            chars = 0;
        }
        if !page.is_empty() {
            page.push('\n');
        }
        page.push_str(&line);
        chars += length;
    }
    pages.push(page);
    pages
}

fn line(chat: &ClientChat<'_>, message: &Message) -> String {
    let (_, time) = names::moment(message.at, chat.situation.time_zone);
    let author = match &message.author {
        // In a group each message says whose it is: number or nick.
        Author::Client { name } => name
            .clone()
            .filter(|name| !name.trim().is_empty())
            .or_else(|| chat.chat.name.clone().filter(|_| chat.chat.group.is_none()))
            .unwrap_or_else(|| "Клиент".to_owned()),
        Author::Employee { login } => {
            let situation = chat.situation;
            let source = &situation.snapshot.key.source.source;
            let employee = situation.employees.by_extension(source, login);
            employee.map_or_else(|| login.0.clone(), |employee| employee.name.clone())
        }
        Author::System => "Система".to_owned(),
    };
    let author = one_line(&author, AUTHOR_CHARS_MAX);
    format!("{time} {author}: {}", one_line(&message.text, MESSAGE_CHARS_MAX))
}
