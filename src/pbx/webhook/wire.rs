//! The JSON shape of the generic webhook. The descriptions here are the published schema's
//! (`docs/webhook.schema.json`): they speak to people who write connectors.

use schemars::{JsonSchema, SchemaGenerator, generate::SchemaSettings, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::ITEMS_MAX;
use crate::model::timestamp::Timestamp;

/// The largest whole number that every JSON library passes on unchanged (2^53 - 1).
pub(super) const REVISION_MAX: u64 = 9_007_199_254_740_991;
/// A week: no conversation lasts longer, and a number in milliseconds by mistake is noticed.
pub(super) const SECONDS_MAX: u32 = 604_800;
/// Phones rung for one call, and people who talked: a ring group of a large company.
pub(super) const LEGS_MAX: usize = 200;
/// Queues that a call went through, recordings of it, tags of a chat.
pub(super) const FEW_MAX: usize = 50;
/// Messages of one chat.
pub(super) const MESSAGES_MAX: usize = 2_000;
/// Further fields of a form.
pub(super) const FIELDS_MAX: usize = 100;

/// One communication as it stands now: always the full picture, never only what changed.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum Item {
    /// A telephone call.
    Call(CallItem),
    /// A chat of a site, messenger or social network.
    Chat(ChatItem),
    /// A form that a client sent from a site.
    Request(RequestItem),
}

/// A telephone call.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CallItem {
    /// Your stable name of this call, 1 to 200 bytes. The same call always has the same key.
    pub(super) key: String,
    /// A number that grows with every picture of this call, such as a counter or the time of the
    /// change in milliseconds. A picture with a lower or equal revision changes nothing.
    #[schemars(range(max = REVISION_MAX))]
    pub(super) revision: u64,
    /// Who called whom.
    pub(super) direction: DirectionWord,
    /// How far the call has got.
    pub(super) phase: CallPhaseWord,
    /// The outside party's number in any usual form. Leave it out when an incoming caller hides
    /// it. For an internal call: the extension that was called.
    pub(super) client: Option<String>,
    /// The outside party's name, when the phone system shows one.
    pub(super) client_name: Option<String>,
    /// Your own number: the one that was called, or the one shown to the client.
    pub(super) our_number: Option<String>,
    /// The extension that placed an outgoing or internal call.
    pub(super) caller: Option<String>,
    /// When the call began.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub(super) started_at: Timestamp,
    /// When an employee and the client began to talk. May be left out when `talked_from`,
    /// `waiting_s`, or `talking_s` of a call that is over, say it.
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub(super) answered_at: Option<Timestamp>,
    /// When the call was over; needed with the phases `ended` and `recording_ready` only.
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub(super) ended_at: Option<Timestamp>,
    /// Seconds from the start until somebody talked, or until the end. Worked out when left out.
    #[schemars(range(max = SECONDS_MAX))]
    pub(super) waiting_s: Option<Seconds>,
    /// Seconds of talk. Worked out when left out.
    #[schemars(range(max = SECONDS_MAX))]
    pub(super) talking_s: Option<Seconds>,
    /// What the call came to. Worked out when left out: `answered` when somebody talked, else
    /// `missed`.
    pub(super) result: Option<ResultWord>,
    /// Why nobody talked; `no_answer` when left out.
    pub(super) reason: Option<ReasonWord>,
    /// Employees' phones that rang, in order.
    #[serde(default)]
    #[schemars(length(max = LEGS_MAX))]
    pub(super) rung: Vec<LegItem>,
    /// Extensions of those who talked, in order. Worked out from `rung` when left out.
    #[serde(default)]
    #[schemars(length(max = LEGS_MAX))]
    pub(super) talkers: Vec<String>,
    /// Who talked last, when it is not the last of `talkers`.
    pub(super) last_talker: Option<String>,
    /// Queues that the call went through, in order.
    #[serde(default)]
    #[schemars(length(max = FEW_MAX))]
    pub(super) queues: Vec<String>,
    /// Recordings: addresses or file names.
    #[serde(default)]
    #[schemars(length(max = FEW_MAX))]
    pub(super) recordings: Vec<String>,
    /// The name of the click-to-call order that began it, when there was one.
    pub(super) click_to_call: Option<String>,
}

/// One employee's phone in a call.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LegItem {
    /// The extension.
    pub(super) extension: String,
    /// When it first rang; the start of the call when left out.
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub(super) rung_at: Option<Timestamp>,
    /// When the employee began to talk with the client.
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub(super) talked_from: Option<Timestamp>,
    /// When the employee stopped talking with the client.
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub(super) talked_until: Option<Timestamp>,
}

/// A chat.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ChatItem {
    /// Your stable name of this chat, 1 to 200 bytes.
    pub(super) key: String,
    /// A number that grows with every picture of this chat. A picture with a lower or equal
    /// revision changes nothing.
    #[schemars(range(max = REVISION_MAX))]
    pub(super) revision: u64,
    /// How far the chat has got.
    pub(super) phase: ChatPhaseWord,
    /// Where it takes place: `site`, `telegram`, `whatsapp`, …
    pub(super) channel: String,
    /// The channel's stable name of the visitor.
    pub(super) visitor: String,
    /// The visitor's name.
    pub(super) name: Option<String>,
    /// The visitor's number, when one was left. A text that is no public number is left out.
    pub(super) phone: Option<String>,
    /// The visitor's e-mail address, when one was left. A text that is none is left out.
    pub(super) email: Option<String>,
    /// The site or page.
    pub(super) site: Option<String>,
    /// Extension or login of the employee who took it; needed with the phase `accepted`.
    pub(super) employee: Option<String>,
    /// Tags that the employee set.
    #[serde(default)]
    #[schemars(length(max = FEW_MAX))]
    pub(super) tags: Vec<String>,
    /// When the visitor first wrote.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub(super) started_at: Timestamp,
    /// When it ended; needed with the phase `ended` only.
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub(super) ended_at: Option<Timestamp>,
    /// It ended without anybody of the company having written. Only with the phase `ended`.
    pub(super) lost: Option<bool>,
    /// What the group is called, where several clients write: the chat is then nobody's in
    /// particular, and no number or address is kept of it.
    pub(super) group: Option<String>,
    /// Everything that was written so far, in order.
    #[serde(default)]
    #[schemars(length(max = MESSAGES_MAX))]
    pub(super) messages: Vec<MessageItem>,
}

/// One message of a chat.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct MessageItem {
    /// Your stable name of the message, unique in the chat.
    pub(super) id: String,
    /// When it was written.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub(super) at: Timestamp,
    /// Who wrote it.
    pub(super) from: AuthorWord,
    /// The client's name, in a chat with several clients.
    pub(super) name: Option<String>,
    /// Extension or login of the employee who wrote it; needed with `from` = `employee`.
    pub(super) employee: Option<String>,
    /// What it says.
    pub(super) text: String,
}

/// A form that a client sent.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RequestItem {
    /// Your stable name of this request, 1 to 200 bytes.
    pub(super) key: String,
    /// A number that grows with every picture of this request; 1 if there is only one.
    #[schemars(range(max = REVISION_MAX))]
    pub(super) revision: u64,
    /// When it was sent.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub(super) at: Timestamp,
    /// The client's name.
    pub(super) name: Option<String>,
    /// The client's number in any usual form. A text that is no public number is kept among
    /// `fields` as `phone`.
    pub(super) phone: Option<String>,
    /// The client's e-mail address. A text that is none is kept among `fields` as `email`.
    pub(super) email: Option<String>,
    /// What the client wrote.
    pub(super) text: Option<String>,
    /// The form's name or number.
    pub(super) form: Option<String>,
    /// The site.
    pub(super) site: Option<String>,
    /// The page's address.
    pub(super) page: Option<String>,
    /// Other fields of the form, by name; all values are texts.
    #[schemars(with = "std::collections::BTreeMap<String, String>")]
    #[serde(default, serialize_with = "as_object")]
    pub(super) fields: Vec<(String, String)>,
}

/// Seconds, held as whole milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seconds {
    pub(super) ms: u64,
}

/// Who called whom.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum DirectionWord {
    /// A client called you.
    #[default]
    Incoming,
    /// An employee called a client.
    Outgoing,
    /// Employees among themselves.
    Internal,
}

/// How far a call has got.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum CallPhaseWord {
    /// Somebody is being rung, or waits.
    #[default]
    Ringing,
    /// They talk, or have talked and the call goes on.
    Answered,
    /// It is over.
    Ended,
    /// It is over and its recording can be fetched.
    RecordingReady,
}

/// What a call came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum ResultWord {
    /// An employee and the client talked. A greeting, a menu, music or voicemail is no talk.
    Answered,
    /// It is over and nobody talked.
    Missed,
    /// Click-to-call only: the employee did not pick up, so the client was never called.
    EmployeeNotReached,
}

/// Why nobody talked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum ReasonWord {
    /// It rang until the time was over.
    NoAnswer,
    /// Everybody who was rung was busy; outgoing: the client was busy.
    Busy,
    /// The call was refused by hand.
    Declined,
    /// The caller hung up first.
    CallerGaveUp,
    /// The caller left a queue, or the queue's time ran out.
    AbandonedInQueue,
    /// Nobody could be rung.
    NobodyRung,
    /// The network refused the number.
    Failed,
}

/// How far a chat has got.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum ChatPhaseWord {
    /// The visitor wrote.
    #[default]
    Started,
    /// An employee took it.
    Accepted,
    /// It is over.
    Ended,
}

/// Who wrote a message.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum AuthorWord {
    /// The client.
    #[default]
    Client,
    /// An employee.
    Employee,
    /// The platform itself.
    System,
}

/// Returns the JSON Schema of a body: one item, or an array of them.
pub fn schema() -> Value {
    let mut generator = SchemaGenerator::new(SchemaSettings::draft2020_12());
    let item = generator.subschema_for::<Item>();
    let mut schema = json_schema!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Trunkline generic webhook",
        "description": "Body of POST /v1/events/{tenant}/{source}/{secret}: one communication, \
            or an array of them that is taken whole or not at all.",
        "anyOf": [item, { "type": "array", "maxItems": ITEMS_MAX, "items": item }],
    });
    schema.insert("$defs".to_owned(), generator.take_definitions(true).into());
    schema.to_value()
}

impl Serialize for Seconds {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.ms as f64 / 1000.0)
    }
}

impl JsonSchema for Seconds {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Seconds".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> schemars::Schema {
        json_schema!({ "type": "number", "minimum": 0, "maximum": SECONDS_MAX })
    }
}

fn as_object<S: serde::Serializer>(
    fields: &[(String, String)],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(fields.iter().map(|(name, text)| (name, text)))
}
