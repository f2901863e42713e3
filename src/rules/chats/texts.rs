//! Names and texts of what a chat makes (S2-20, V-09).

use crate::model::chat::Author;
use crate::model::details;
use crate::model::explanation::Reason;
use crate::model::phone::Phone;
use crate::rules::names;
use crate::rules::settings::Template;
use crate::rules::template::{Value, Values, one_line};
use crate::rules::variables;

use super::admission::ClientChat;
use super::client::Client;
use super::people;

/// The longest name of a card. No limit is documented by the CRMs; this passes everywhere.
const NAME_CHARS_MAX: usize = 255;

/// The longest text of a task, and the most of a visitor's first words.
const TASK_CHARS_MAX: usize = 1000;

/// What stands for a client who left nothing.
const NOBODY: &str = "Без контактов";

/// A name or text, and why it is not the template's, where it is not.
pub(super) struct Written {
    pub(super) text: String,
    pub(super) instead: Option<Reason>,
}

/// Returns the name of a new contact. A group has its own name and nothing else (V-05).
pub(super) fn contact_name(chat: &ClientChat<'_>, client: &Client<'_>) -> Written {
    let text = Text {
        own: chat.settings.contact_name.as_ref(),
        path: "chats.contact_name",
        usual: variables::CHAT_CONTACT_NAME,
        chars_max: NAME_CHARS_MAX,
    };
    text.write(chat, Some(client))
}

/// Returns the name of a new deal.
pub(super) fn deal_name(chat: &ClientChat<'_>, client: &Client<'_>) -> Written {
    let text = Text {
        own: chat.settings.deal_name.as_ref(),
        path: "chats.deal_name",
        usual: variables::CHAT_DEAL_NAME,
        chars_max: NAME_CHARS_MAX,
    };
    text.write(chat, Some(client))
}

/// Returns the name of a deal where no template applies (S0-15).
pub(super) fn usual_deal_name(chat: &ClientChat<'_>) -> String {
    let text = Text {
        own: None,
        path: "",
        usual: variables::CHAT_DEAL_NAME,
        chars_max: NAME_CHARS_MAX,
    };
    text.write(chat, None).text
}

/// Returns the text of the task.
pub(super) fn task_text(
    chat: &ClientChat<'_>,
    client: &Client<'_>,
    own: Option<&Template>,
) -> Written {
    let text = Text {
        own,
        path: "chats.task.text",
        usual: variables::CHAT_TASK,
        chars_max: TASK_CHARS_MAX,
    };
    text.write(chat, Some(client))
}

/// Returns the text of the task about a lost chat.
pub(super) fn lost_task_text(
    chat: &ClientChat<'_>,
    client: &Client<'_>,
    own: Option<&Template>,
) -> Written {
    let text = Text {
        own,
        path: "chats.lost_task.text",
        usual: variables::CHAT_LOST_TASK,
        chars_max: TASK_CHARS_MAX,
    };
    text.write(chat, Some(client))
}

/// What a text is made from.
struct Text<'a> {
    own: Option<&'a Template>,
    path: &'static str,
    usual: &'static str,
    chars_max: usize,
}

impl Text<'_> {
    /// Fills the administrator's template in, else the usual one.
    fn write(&self, chat: &ClientChat<'_>, client: Option<&Client<'_>>) -> Written {
        let values = values(chat, client);
        let mut instead = None;
        if let Some(template) = self.own {
            match template.text(&values, self.chars_max) {
                Ok(text) => return Written { text, instead },
                Err(why) => {
                    let path = self.path.to_owned();
                    instead = Some(Reason::TemplateFailed { path, why });
                }
            }
        }
        let usual = Template(self.usual.to_owned()).text(&values, self.chars_max);
        // A test runs the usual ones on every sample; what is left if that is not enough is still a
        // name.
        Written {
            text: usual.unwrap_or_else(|_| client_label(chat)),
            instead,
        }
    }
}

/// Names the client: a group by its name, else by name, else number, else e-mail address.
pub(super) fn client_label(chat: &ClientChat<'_>) -> String {
    let name = chat.chat.group.as_deref().or(chat.chat.name.as_deref());
    let name = name.map(|name| one_line(name, NAME_CHARS_MAX));
    name.filter(|name| !name.is_empty())
        .or_else(|| chat.phone().map(Phone::to_string))
        .or_else(|| chat.email())
        .unwrap_or_else(|| NOBODY.to_owned())
}

/// Names what came, as a record in Unsorted shows it.
pub(super) fn form_name(chat: &ClientChat<'_>) -> String {
    format!("Чат: {}", one_line(&chat.chat.channel, NAME_CHARS_MAX))
}

/// Returns the page on which the chat began.
pub(super) fn page<'a>(chat: &ClientChat<'a>) -> Option<&'a str> {
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

/// Returns the values of the variables of chats.
fn values(chat: &ClientChat<'_>, client: Option<&Client<'_>>) -> Values {
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
            "employee_name" => text(people::taker(chat).ok().map(|one| one.name.as_str())),
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
