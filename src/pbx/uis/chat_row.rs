//! A chat as `get.chats_report` and `get.chat_messages_report` tell it (`pbx/uis.md` §4.3). Pure.

use std::time::Duration;

use jiff::tz::TimeZone;

use super::notification::is_id;
use super::row::Row;
use super::{local_time, number, visit};
use crate::model::chat::{Author, Chat, ChatPhase, Message};
use crate::model::details;
use crate::model::ids::Extension;
use crate::model::number_rules::NumberRules;
use crate::model::timestamp::Timestamp;

/// What is asked for besides the visit.
const FIELDS: [&str; 19] = [
    "id",
    "communication_id",
    "date_time",
    "duration",
    "status",
    "release_cause",
    "initiator",
    "chat_channel_id",
    "chat_channel_type",
    "chat_channel_name",
    "chat_user_id",
    "chat_username",
    "is_group_chat",
    "employee_id",
    "employee_full_name",
    "visitor_id",
    "visitor_phone_number",
    "visitor_custom_properties",
    "messages_count",
];

/// What is asked for of a message.
pub(super) const MESSAGE_FIELDS: [&str; 10] = [
    "id",
    "chat_id",
    "date_time",
    "source",
    "text",
    "employee_id",
    "employee_full_name",
    "visitor_id",
    "is_group_chat",
    "resource",
];

/// Messages of a chat that are kept: the newest, as one picture holds all of them.
pub(super) const MESSAGES_MAX: usize = 2_000;

/// Returns the fields to be asked for.
pub(super) fn fields() -> Vec<&'static str> {
    FIELDS.into_iter().chain(visit::fields()).collect()
}

/// A chat without its messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ChatRow {
    /// The chat.
    pub(super) id: String,
    /// By what notifications name it.
    pub(super) communication: Option<String>,
    /// Its picture, without messages.
    pub(super) chat: Chat,
}

/// A message, and whose chat it stands in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct MessageRow {
    pub(super) chat: String,
    pub(super) message: Message,
}

/// Reads a chat; `None` where it has no id or no beginning.
pub(super) fn read(row: Row<'_>, numbers: &NumberRules, zone: &TimeZone) -> Option<ChatRow> {
    let id = row.line("id").filter(|id| is_id(id))?;
    let started_at = local_time::read(&row.line("date_time")?, zone)?;
    let status = row.line("status").unwrap_or_default();
    let released = row.line("release_cause").is_some();
    let employee = row
        .line("employee_id")
        .filter(|id| is_id(id))
        .map(Extension);
    let over = released || matches!(status.as_str(), "lost" | "succeed" | "refused");
    let phase = match (over, &employee) {
        (true, _) => ChatPhase::Ended,
        (false, Some(_)) if status != "new" => ChatPhase::Accepted,
        (false, _) => ChatPhase::Started,
    };
    let duration = Duration::from_secs(row.whole("duration").unwrap_or_default());
    let group = row.flag("is_group_chat").unwrap_or(false);
    let name = row.line("chat_username");
    let property = |wanted: &[&str]| property(row, wanted);
    let visitor = ["chat_user_id", "visitor_id"];
    let visitor = visitor.iter().find_map(|key| row.line(key));
    let phone = row
        .line("visitor_phone_number")
        .or_else(|| property(&PHONE));
    let mut details = visit::details(row);
    let channel_name = row.line("chat_channel_name");
    let told = [
        ("chat_channel", channel_name.clone()),
        ("employee_name", row.line("employee_full_name")),
        ("chat_initiator", row.line("initiator")),
        ("release_cause", row.line("release_cause")),
        (details::END_REASON, row.line("release_cause").map(ended_by)),
    ];
    details.extend(
        told.into_iter()
            .filter_map(|(key, text)| Some((key.to_owned(), text?))),
    );
    let chat = Chat {
        phase,
        channel: channel(row),
        visitor: visitor.unwrap_or_else(|| format!("chat-{id}")),
        // Of a group nobody is the client.
        name: name.clone().or_else(|| property(&NAME)).filter(|_| !group),
        phone: phone
            .filter(|_| !group)
            .and_then(|text| number::visitor(numbers, &text)),
        email: property(&EMAIL).filter(|text| !group && number::is_email(text)),
        site: row.line("site_domain_name"),
        employee,
        tags: visit::tags(row),
        started_at,
        ended_at: over.then(|| started_at.plus(duration)),
        messages: Vec::new(),
        lost: status == "lost",
        group: group.then(|| {
            name.or(channel_name)
                .unwrap_or_else(|| format!("chat {id}"))
        }),
        details,
    };
    Some(ChatRow {
        id,
        communication: row.line("communication_id"),
        chat,
    })
}

/// Says in words why a chat ended (`pbx/uis.md` §4.3); a cause that is not known there as it is.
fn ended_by(cause: String) -> String {
    let words = match cause.as_str() {
        "closed_by_timeout" => "закрыт по времени",
        "invite_rejected" => "приглашение отклонено",
        "closed_by_operator" => "закрыт сотрудником",
        "closed_by_visitor" => "закрыт посетителем",
        "visitor_banned" => "посетитель заблокирован",
        "external_window_closed" => "окно чата закрыто",
        "visitor_disconnected" => "посетитель отключился",
        "visitor_session_expired" => "посетитель ушёл с сайта",
        "closed_by_scenario" => "закрыт сценарием",
        "room_removed" | "channel_removed" => "канал удалён",
        _ => return cause,
    };
    words.to_owned()
}

/// The chat of the site is called after the product there.
fn channel(row: Row<'_>) -> String {
    match row.line("chat_channel_type") {
        Some(word) if word != "comagic" => word,
        Some(_) | None => "site".to_owned(),
    }
}

/// How administrators call what a visitor left of themselves (the report has no columns for it).
const NAME: [&str; 4] = ["name", "имя", "фио", "visitor_name"];
const EMAIL: [&str; 4] = ["email", "e-mail", "почта", "visitor_email"];
const PHONE: [&str; 3] = ["phone", "телефон", "visitor_phone"];

fn property(row: Row<'_>, wanted: &[&str]) -> Option<String> {
    row.rows("visitor_custom_properties")
        .iter()
        .find_map(|one| {
            let name = one.line("property_name")?.to_lowercase();
            let value = one.line("property_value")?;
            wanted.contains(&name.as_str()).then_some(value)
        })
}

/// Reads a message; `None` where it has no id, no chat or no time.
pub(super) fn read_message(row: Row<'_>, zone: &TimeZone) -> Option<MessageRow> {
    let chat = row.line("chat_id").filter(|id| is_id(id))?;
    let id = row.line("id").filter(|id| is_id(id))?;
    let at = local_time::read(&row.line("date_time")?, zone)?;
    let author = match row.line("source").as_deref() {
        Some("visitor") => {
            let group = row.flag("is_group_chat").unwrap_or(false);
            let visitor = row.line("visitor_name").or_else(|| row.line("visitor_id"));
            Author::Client {
                name: visitor.filter(|_| group),
            }
        }
        Some("operator") => match row.line("employee_id").filter(|id| is_id(id)) {
            Some(login) => Author::Employee {
                login: Extension(login),
            },
            None => Author::System,
        },
        _ => Author::System,
    };
    Some(MessageRow {
        chat,
        message: Message {
            id,
            at,
            author,
            text: text(row),
        },
    })
}

/// Joins what was written with the address of what was sent along.
fn text(row: Row<'_>) -> String {
    let written = row.text("text");
    let file = row.row("resource").and_then(|file| {
        let url = file.line("file_url")?;
        Some(match file.line("file_name") {
            Some(name) => format!("{name}: {url}"),
            None => url,
        })
    });
    let parts: Vec<String> = written.into_iter().chain(file).collect();
    parts.join("\n")
}

/// Returns the messages of a chat in order, each once; the newest where there are too many.
pub(super) fn in_order(messages: Vec<Message>) -> Vec<Message> {
    let mut seen = std::collections::BTreeSet::new();
    let mut found: Vec<Message> = messages;
    found.retain(|message| seen.insert(message.id.clone()));
    found.sort_by_key(place);
    let surplus = found.len().saturating_sub(MESSAGES_MAX);
    found.drain(..surplus);
    found
}

/// Where a message stands among those of its chat. Times have whole seconds; ids are numbers that
/// grow, so that of two messages of one second the smaller came first.
pub(super) type Place = (Timestamp, usize, String);

/// Returns the place of a message.
pub(super) fn place(message: &Message) -> Place {
    (message.at, message.id.len(), message.id.clone())
}

/// Returns the place of the last message.
pub(super) fn latest(messages: &[Message]) -> Option<Place> {
    messages.iter().map(place).max()
}
