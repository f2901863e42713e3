//! What was written, and what templates of chats may say (S2-20, V-09).

use crate::model::chat::{Author, Chat, Message};
use crate::model::details;
use crate::model::explanation::TemplateMiss;
use crate::model::facts::Facts;
use crate::model::phone::Phone;
use crate::model::plan::UnsortedForm;
use crate::rules::draft::Draft;
use crate::rules::names;
use crate::rules::settings::Template;
use crate::rules::situation::Situation;
use crate::rules::template::{Value, Values, one_line};
use crate::rules::variables;
use crate::rules::written::Written;
use crate::rules::written::client::Client;
use crate::rules::written::entities::UNSORTED;
use crate::rules::written::texts::{NAME_CHARS_MAX, TASK_CHARS_MAX, client_label};

use super::admission::ClientChat;

/// Returns the form that a chat takes in Unsorted.
pub(super) fn form(chat: &ClientChat<'_>, text: Option<String>) -> UnsortedForm {
    UnsortedForm::Form {
        name: form_name(chat),
        text,
        page: page(chat).map(str::to_owned),
    }
}

/// Joins what was written on one line.
pub(super) fn joined(words: &[&Message]) -> Option<String> {
    let texts: Vec<&str> = words.iter().map(|message| message.text.as_str()).collect();
    let text = one_line(&texts.join(" "), TASK_CHARS_MAX);
    (!text.is_empty()).then_some(text)
}

/// Begins a later part of the transcript.
pub(super) fn part(chat: &ClientChat<'_>, number: usize) -> String {
    format!("{}, часть {number}", form_name(chat))
}

/// Writes the note about a lost chat.
pub(super) fn lost(chat: &ClientChat<'_>, reason: Option<&str>) -> String {
    let at = chat.chat.ended_at.unwrap_or(chat.chat.started_at);
    let (date, time) = names::moment(at, chat.situation.time_zone);
    let mut text = format!("Чат пропущен, {date} {time}: никто не ответил");
    let reason = one_line(reason.unwrap_or_default(), NAME_CHARS_MAX);
    if !reason.is_empty() {
        text.push_str(&format!("\nПричина: {reason}"));
    }
    text
}

/// Names the role of a record that there may be several of; the first has no number.
pub(super) fn numbered(role: &str, number: usize) -> String {
    match number {
        0 | 1 => role.to_owned(),
        number => format!("{role}#{number}"),
    }
}

/// Returns the highest number among the steps of a role that earlier decisions planned.
pub(super) fn highest(role: &str, draft: &Draft<'_>) -> usize {
    let steps = draft.standing_steps();
    let numbers = steps.filter_map(|step| match step.role.0.split_once('#') {
        Some((name, number)) if name == role => number.parse().ok(),
        None if step.role.0 == role => Some(1),
        _ => None,
    });
    numbers.max().unwrap_or(0)
}

/// Returns how many unsorted records earlier decisions planned.
pub(super) fn unsorted_made(draft: &Draft<'_>) -> usize {
    highest(UNSORTED, draft)
}

/// Names what came, as a record in Unsorted shows it.
fn form_name(chat: &ClientChat<'_>) -> String {
    format!("Чат: {}", one_line(&chat.chat.channel, NAME_CHARS_MAX))
}

/// Returns the page on which the chat began.
fn page<'a>(chat: &ClientChat<'a>) -> Option<&'a str> {
    chat.chat.details.get(details::PAGE).map(String::as_str)
}

/// Returns what the visitor wrote first, on one line.
pub(super) fn first_words(chat: &ClientChat<'_>) -> Option<String> {
    let mut messages = chat.chat.messages.iter();
    let first = messages.find(|message| matches!(message.author, Author::Client { .. }))?;
    let text = one_line(&first.text, TASK_CHARS_MAX);
    (!text.is_empty()).then_some(text)
}

/// Writes the beginning of the transcript: what is known of the chat, a line each.
pub(super) fn heading(chat: &ClientChat<'_>) -> String {
    let what = chat.chat;
    let (date, time) = names::moment(what.started_at, chat.situation.time_zone);
    let phone = chat.phone().map(Phone::to_string);
    let email = chat.email();
    let lines = [
        ("Группа", what.group.as_deref()),
        ("Имя", what.name.as_deref().filter(|_| what.group.is_none())),
        ("Телефон", phone.as_deref()),
        ("Почта", email.as_deref()),
        ("Сайт", what.site.as_deref()),
        ("Страница", page(chat)),
    ];
    let mut text = format!("{}, {date} {time}", form_name(chat));
    for (label, value) in lines {
        let value = one_line(value.unwrap_or_default(), NAME_CHARS_MAX);
        if !value.is_empty() {
            text.push_str(&format!("\n{label}: {value}"));
        }
    }
    text
}

/// Returns what a template gives for a chat as the CRM's facts have its client, whatever is made of
/// such chats; `None` = nothing is set for chats.
pub(in crate::rules) fn preview(
    template: &Template,
    chars_max: usize,
    situation: &Situation<'_>,
    chat: &Chat,
    facts: &Facts,
) -> Option<Result<String, TemplateMiss>> {
    let settings = situation.settings.chats.as_ref()?;
    let chat = ClientChat {
        situation,
        chat,
        settings,
    };
    let client = Client::find(&chat, facts, &mut Draft::new(situation));
    Some(template.text(&values(&chat, Some(&client)), chars_max))
}

/// Returns the values of the variables of chats.
pub(super) fn values(chat: &ClientChat<'_>, client: Option<&Client<'_>>) -> Values {
    let what = chat.chat;
    let text = |text: Option<&str>| Value::Text(text.unwrap_or_default().to_owned());
    let detail = |name: &str| what.details.get(name).map(String::as_str);
    let (date, time) = names::moment(what.started_at, chat.situation.time_zone);
    let contact = client.and_then(|client| client.contact);
    let values = variables::OF_CHATS.iter().map(|variable| {
        let value = match variable.name {
            "client" => Value::Text(client_label(chat)),
            "client_name" => text(what.name.as_deref().filter(|_| what.group.is_none())),
            "client_phone" => Value::Text(chat.phone().map(Phone::to_string).unwrap_or_default()),
            "client_email" => Value::Text(chat.email().unwrap_or_default()),
            "contact_name" => text(contact.map(|contact| contact.name.as_str())),
            "group_name" => text(what.group.as_deref()),
            "source_name" => text(Some(chat.situation.source_name)),
            "known" => Value::Flag(client.is_some_and(|client| client.known)),
            "channel" => text(Some(&what.channel)),
            "site" => text(what.site.as_deref().or(detail(details::SITE))),
            "page" => text(page(chat)),
            "text" => Value::Text(first_words(chat).unwrap_or_default()),
            "employee_name" => text(chat.taker().ok().map(|one| one.name.as_str())),
            "campaign" => text(detail(details::CAMPAIGN)),
            "source" => text(detail(details::SOURCE)),
            "date" => Value::Text(date.clone()),
            "time" => Value::Text(time.clone()),
            // The test beside the table finds a name that is missing here.
            _ => Value::Text(String::new()),
        };
        (variable.name, value)
    });
    values.collect()
}
