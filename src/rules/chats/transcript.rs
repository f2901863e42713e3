//! What was written, as notes on the card (S0-12): whole when the chat is over, or part by part while
//! it goes on. Each note names the messages that it holds, so that each is written once.

use std::collections::BTreeSet;

use crate::model::chat::{Author, Message};
use crate::model::explanation::Reason;
use crate::model::plan::{Effect, NewNote};
use crate::model::timestamp::Timestamp;

use super::admission::ClientChat;
use super::{cards, texts};
use crate::rules::draft::{Draft, Wish};
use crate::rules::names;
use crate::rules::template::one_line;
use crate::rules::written::client::Client;
use crate::rules::written::texts::NOTE_CHARS_MAX;

/// The longest message that is kept whole: it must fit a note with its line's beginning.
const MESSAGE_CHARS_MAX: usize = 8_000;

/// The longest name of an author.
const AUTHOR_CHARS_MAX: usize = 100;

/// The most notes that one decision makes.
const NOTES_MAX: usize = 20;

/// The most notes of one chat that are made while it goes on: the rest waits for its end.
const LIVE_NOTES_MAX: usize = 60;

/// The role of the notes, with their number.
const TRANSCRIPT: &str = "transcript";

/// Messages, in order.
pub(super) type Words<'c> = Vec<&'c Message>;

/// Plans what is not on the card yet, and at least a note that there was a chat.
pub(super) fn plan_whole(chat: &ClientChat<'_>, client: &Client<'_>, draft: &mut Draft<'_>) {
    let words = unwritten(chat, draft);
    if words.is_empty() && texts::highest(TRANSCRIPT, draft) > 0 {
        return draft.explain(Reason::ChatNothingNew);
    }
    wish(chat, client, &words, draft);
}

/// Plans what is not on the card yet.
pub(super) fn plan_new(chat: &ClientChat<'_>, client: &Client<'_>, draft: &mut Draft<'_>) {
    let words = unwritten(chat, draft);
    if words.is_empty() {
        return draft.explain(Reason::ChatNothingNew);
    }
    let is_live = chat.closed_at().is_none();
    if is_live && texts::highest(TRANSCRIPT, draft) >= LIVE_NOTES_MAX {
        return draft.explain(Reason::ChatWordsWait);
    }
    wish(chat, client, &words, draft);
}

/// Returns the messages that no note holds, in order.
pub(super) fn unwritten<'c>(chat: &ClientChat<'c>, draft: &Draft<'_>) -> Words<'c> {
    let written: BTreeSet<&str> = draft
        .standing_steps()
        .filter_map(|step| match &step.effect {
            Effect::AddNote(note) => Some(&note.messages),
            _ => None,
        })
        .flatten()
        .map(String::as_str)
        .collect();
    let messages = chat.chat.messages.iter();
    messages
        .filter(|message| !written.contains(message.id.as_str()))
        .collect()
}

fn wish(chat: &ClientChat<'_>, client: &Client<'_>, words: &[&Message], draft: &mut Draft<'_>) {
    let places = cards::of_transcript(chat, client, draft);
    if places.is_empty() {
        return;
    }
    let first = texts::highest(TRANSCRIPT, draft) + 1;
    for (number, page) in (first..).zip(pages(chat, words, first)) {
        for (place, (card, sort)) in places.iter().enumerate() {
            let note = NewNote {
                card: card.clone(),
                text: page.text.clone(),
                at: page.at,
                messages: page.messages.clone(),
            };
            // The first card's notes count the parts; the others' go with them.
            let role = match place {
                0 => format!("{TRANSCRIPT}#{number}"),
                other => format!("{TRANSCRIPT}-{}#{number}", other + 1),
            };
            if draft.wish(&role, Effect::AddNote(note)) == Wish::Planned {
                draft.explain(Reason::ContentNoted { card: *sort });
            }
        }
    }
}

/// One note.
struct Page {
    text: String,
    at: Timestamp,
    messages: Vec<String>,
}

/// Writes the notes' texts: a heading, then a line for each message. Every note has its number in
/// it, so that no two of a chat are the same.
fn pages(chat: &ClientChat<'_>, words: &[&Message], first: usize) -> Vec<Page> {
    let begin = |number: usize| Page {
        text: match number {
            1 => texts::heading(chat),
            number => texts::part(chat, number),
        },
        at: chat.chat.started_at,
        messages: Vec::new(),
    };
    let mut pages = Vec::new();
    let mut page = begin(first);
    let mut chars = page.text.chars().count();
    let mut is_full = false;
    for message in words {
        let line = line(chat, message);
        let length = line.chars().count() + 1;
        if chars + length > NOTE_CHARS_MAX && !is_full {
            if pages.len() + 1 == NOTES_MAX {
                page.text.push_str("\n…");
                is_full = true;
            } else {
                let next = begin(first + pages.len() + 1);
                pages.push(std::mem::replace(&mut page, next));
                chars = page.text.chars().count();
            }
        }
        page.messages.push(message.id.clone());
        page.at = page.at.max(message.at);
        if !is_full {
            page.text.push('\n');
            page.text.push_str(&line);
            chars += length;
        }
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
    let text = one_line(&message.text, MESSAGE_CHARS_MAX);
    format!("{time} {author}: {text}")
}
