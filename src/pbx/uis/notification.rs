//! What the platform posts when something happens: read from the administrator's template, flat or
//! nested, as JSON, as a form or from the query (`pbx/uis.md` §1). Pure.

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::local_time;
use super::row::Row;
use crate::model::timestamp::Timestamp;

/// How deep a template may nest: stock templates have one level.
const DEPTH_MAX: usize = 6;

/// Fields that are looked at: a template has some thirty.
const FIELDS_MAX: usize = 300;

/// What happened. The word of each is our own literal in the template: what the platform calls its
/// events is not documented.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Event {
    /// A client calls one of the company's numbers.
    CallIncoming,
    /// A phone rings.
    CallRinging,
    /// An employee calls a client.
    CallOutgoing,
    /// An employee and the client begin to talk.
    TalkStarted,
    /// They stop talking.
    TalkFinished,
    /// The call is over.
    CallFinished,
    /// The call is over, and nobody talked.
    CallLost,
    /// The recording can be fetched.
    CallRecorded,
    /// A mark was set.
    TagSet,
    /// Something happened in a chat.
    Chat,
    /// A form was filled in.
    OfflineMessage,
}

impl Event {
    /// Every event.
    pub(super) const ALL: [Event; 11] = [
        Event::CallIncoming,
        Event::CallRinging,
        Event::CallOutgoing,
        Event::TalkStarted,
        Event::TalkFinished,
        Event::CallFinished,
        Event::CallLost,
        Event::CallRecorded,
        Event::TagSet,
        Event::Chat,
        Event::OfflineMessage,
    ];

    /// Returns our word for it, as it stands in the template.
    pub(super) fn word(self) -> &'static str {
        match self {
            Event::CallIncoming => "call_incoming",
            Event::CallRinging => "call_ringing",
            Event::CallOutgoing => "call_outgoing",
            Event::TalkStarted => "talk_started",
            Event::TalkFinished => "talk_finished",
            Event::CallFinished => "call_finished",
            Event::CallLost => "call_lost",
            Event::CallRecorded => "call_recorded",
            Event::TagSet => "tag_set",
            Event::Chat => "chat",
            Event::OfflineMessage => "offline_message",
        }
    }

    /// Returns what the platform's pages call it, in Russian and in English (`pbx/uis.md` §1.1).
    pub(super) fn titles(self) -> [&'static str; 2] {
        match self {
            Event::CallIncoming => [
                "Входящий звонок на виртуальный номер",
                "Inbound call on a virtual phone number",
            ],
            Event::CallRinging => ["Ожидание ответа", "Waiting for the answer"],
            Event::CallOutgoing => ["Исходящий звонок", "Outbound call"],
            Event::TalkStarted => ["Начало разговора", "Talk started"],
            Event::TalkFinished => ["Окончание разговора", "Talk finished"],
            Event::CallFinished => ["Завершение звонка", "Call finished"],
            Event::CallLost => ["Потерянный звонок", "Lost call"],
            Event::CallRecorded => ["Записанный разговор", "Call recording completed"],
            Event::TagSet => ["Проставление тега", "Tag set"],
            Event::Chat => ["Чат", "Chat"],
            Event::OfflineMessage => ["Офлайн-заявка", "Offline message"],
        }
    }

    /// Reads our word; else the title that the platform gives its notification unless somebody
    /// changed it, for templates that are not ours.
    fn read(row: Row<'_>) -> Option<Self> {
        if let Some(word) = row.line("event") {
            let word = word.to_ascii_lowercase();
            let known = Event::ALL.into_iter().find(|event| event.word() == word);
            let is_chat = word.starts_with("chat_").then_some(Event::Chat);
            return known.or(is_chat);
        }
        let name = row.line("notification_name")?.to_lowercase();
        let called = |event: &Event| event.titles().iter().any(|t| t.to_lowercase() == name);
        Event::ALL.into_iter().find(called)
    }

    /// Says whether it is about a call.
    pub(super) fn is_call(self) -> bool {
        !matches!(self, Event::Chat | Event::OfflineMessage)
    }
}

/// Which way a call goes, as the platform says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Way {
    /// To the company.
    In,
    /// To the client.
    Out,
}

impl Way {
    /// Reads `in` or `out`.
    pub(super) fn read(word: &str) -> Option<Self> {
        match word.to_ascii_lowercase().as_str() {
            "in" => Some(Way::In),
            "out" => Some(Way::Out),
            _ => None,
        }
    }
}

/// One notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Notification {
    /// What happened.
    pub(super) event: Event,
    /// When, as the platform says it; else when it came.
    pub(super) at: Timestamp,
    /// The call, chat or request.
    pub(super) id: String,
    /// What it says of a call.
    pub(super) call: CallWords,
    /// What it says of a request.
    pub(super) request: RequestWords,
}

/// What a notification says of a call. Everything may be missing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct CallWords {
    pub(super) way: Option<Way>,
    pub(super) internal: bool,
    pub(super) client: Option<String>,
    pub(super) client_name: Option<String>,
    pub(super) our_number: Option<String>,
    pub(super) employee: Option<String>,
    pub(super) employee_name: Option<String>,
    pub(super) employees: Vec<String>,
    pub(super) order: Option<String>,
    pub(super) started_at: Option<Timestamp>,
    pub(super) talk_s: Option<u64>,
    pub(super) wait_s: Option<u64>,
    pub(super) total_s: Option<u64>,
    pub(super) link: Option<String>,
    pub(super) tags: Vec<String>,
    /// Further words by name, for filters and templates.
    pub(super) details: Vec<(&'static str, String)>,
}

/// What a notification says of a request: used where the full object cannot be read
/// (`pbx/uis.md` §1.3).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct RequestWords {
    pub(super) name: Option<String>,
    pub(super) phone: Option<String>,
    pub(super) email: Option<String>,
    pub(super) text: Option<String>,
    pub(super) site: Option<String>,
    pub(super) page: Option<String>,
    pub(super) form: Option<String>,
}

/// Why a notification cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum BadNotification {
    /// It is neither JSON nor a form.
    #[error("it is no JSON: is a variable of the template in quotes, or misspelt?")]
    NotJson,
    /// It does not say what happened.
    #[error("it names no event of ours: paste the templates that `trunkline pbx templates` prints")]
    NoEvent,
    /// It does not say what it is about.
    #[error(
        "it names no call, chat or request: the template needs call_session_id or communication_id"
    )]
    NoId,
}

/// Reads what came: the query and the body together.
pub(super) fn fields(query: &str, body: &[u8]) -> Result<Map<String, Value>, BadNotification> {
    let mut found = Map::new();
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let begins = body.iter().find(|byte| !byte.is_ascii_whitespace());
    match begins {
        None => {}
        Some(b'{') => {
            let value: Value =
                serde_json::from_slice(body).map_err(|_| BadNotification::NotJson)?;
            flatten(&value, 0, &mut found);
        }
        Some(b'[' | b'"') => return Err(BadNotification::NotJson),
        Some(_) => add_pairs(body, &mut found),
    }
    add_pairs(query.as_bytes(), &mut found);
    Ok(found)
}

/// Gathers what stands at any depth; the outermost of a name wins.
fn flatten(value: &Value, depth: usize, found: &mut Map<String, Value>) {
    let Value::Object(object) = value else { return };
    let (inner, plain): (Vec<_>, Vec<_>) = object.iter().partition(|(_, v)| v.is_object());
    for (key, value) in plain {
        if found.len() < FIELDS_MAX && found.get(key).is_none_or(Value::is_null) {
            found.insert(key.clone(), value.clone());
        }
    }
    if depth < DEPTH_MAX {
        for (_, value) in inner {
            flatten(value, depth + 1, found);
        }
    }
}

/// Adds what stands in a query or form; the platform writes values there as JSON too.
fn add_pairs(text: &[u8], found: &mut Map<String, Value>) {
    for (key, value) in url::form_urlencoded::parse(text) {
        if found.len() >= FIELDS_MAX || found.get(&*key).is_some_and(|known| !known.is_null()) {
            continue;
        }
        let literal = serde_json::from_str(&value).ok();
        // A number as it is dialled may begin with zeros that a JSON number has not.
        let value = literal.unwrap_or_else(|| Value::String(value.into_owned()));
        found.insert(key.into_owned(), value);
    }
}

impl Notification {
    /// Reads one. `now` stands where it does not say when.
    pub(super) fn read(
        fields: &Map<String, Value>,
        zone: &TimeZone,
        now: Timestamp,
    ) -> Result<Self, BadNotification> {
        let row = Row::new(fields);
        let event = Event::read(row).ok_or(BadNotification::NoEvent)?;
        let (first, second) = match event.is_call() {
            true => ("call_session_id", "communication_id"),
            false => ("communication_id", "id"),
        };
        let id = row.line(first).or_else(|| row.line(second));
        let id = id.filter(|id| is_id(id)).ok_or(BadNotification::NoId)?;
        let time = |key: &str| {
            let read = local_time::read(&row.line(key)?, zone)?;
            // A clock that is ahead must not make a call that never ends in the future.
            Some(read.min(now))
        };
        let at = time("notification_time").or_else(|| time("time"));
        Ok(Self {
            event,
            at: at.unwrap_or(now),
            id,
            call: CallWords::read(row, time("start_time")),
            request: RequestWords::read(row),
        })
    }
}

/// Says whether a text can be an id of the platform: a number, or a short word.
pub(super) fn is_id(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    text.len() <= 64 && text.chars().all(plain)
}

impl CallWords {
    fn read(row: Row<'_>, started_at: Option<Timestamp>) -> Self {
        let either = |a: &str, b: &str| row.whole(a).or_else(|| row.whole(b));
        Self {
            way: row.line("direction").and_then(|word| Way::read(&word)),
            internal: row.flag("is_internal").unwrap_or(false),
            client: row.line("contact_phone_number"),
            client_name: row.line("contact_full_name"),
            our_number: row.line("virtual_phone_number"),
            employee: row.line("employee_id").filter(|id| is_id(id)),
            employee_name: row.line("employee_full_name"),
            employees: row
                .lines("employee_ids")
                .into_iter()
                .filter(|id| is_id(id))
                .collect(),
            order: row.line("external_id"),
            started_at,
            talk_s: either("talk_time_duration", "talk"),
            wait_s: either("wait_time_duration", "wait"),
            total_s: either("total_time_duration", "total"),
            link: row
                .line("file_link")
                .filter(|link| link.starts_with("http")),
            tags: row.lines("tag_names"),
            details: DETAILS
                .iter()
                .filter_map(|(key, name)| Some((*name, row.line(key)?)))
                .collect(),
        }
    }
}

/// Words that are passed on as they are: their name there, and with us.
const DETAILS: [(&str, &str); 4] = [
    ("scenario_name", "scenario"),
    ("call_source", "call_source"),
    ("communication_number", "communication_number"),
    ("employee_full_name", "employee_name"),
];

impl RequestWords {
    fn read(row: Row<'_>) -> Self {
        Self {
            name: row
                .line("visitor_name")
                .or_else(|| row.line("contact_full_name")),
            phone: row
                .line("visitor_phone_number")
                .or_else(|| row.line("contact_phone_number")),
            email: row.line("visitor_email"),
            text: row.text("text"),
            site: row.line("site_domain_name"),
            page: row.line("communication_page_url"),
            form: row.line("form_name"),
        }
    }

    /// Says whether there is anything in it by which a request can be worked on.
    pub(super) fn says_something(&self) -> bool {
        self.name.is_some() || self.phone.is_some() || self.email.is_some() || self.text.is_some()
    }
}
