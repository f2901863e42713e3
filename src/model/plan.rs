//! What is to be done in a CRM for one phase of a communication: data, not code, so that it
//! survives a restart half way.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::call::Direction;
use super::explanation::Explanation;
use super::field::FieldValue;
use super::ids::{CommunicationKey, CrmUserId, Extension, IntegrationKey};
use super::phone::Phone;
use super::timestamp::Timestamp;

/// What a step is for, within one integration and communication: `contact`, `deal`, `unsorted`,
/// `call-record`, `task`, `transcript#3`.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct Role(pub String);

impl Role {
    /// Names a role.
    pub fn new(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Names one intended effect for good: a second step with the same key is refused by the store.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct StepKey {
    /// The integration.
    pub integration: IntegrationKey,
    /// The communication.
    pub communication: CommunicationKey,
    /// What the step is for.
    pub role: Role,
}

impl StepKey {
    /// Returns a short text that stands for this key in the CRM (the marker field, `source_uid`):
    /// `TL-` and 26 characters of hexadecimal, the same for ever, different for every key.
    pub fn marker(&self) -> String {
        use sha2::{Digest, Sha256};
        let digest = Sha256::digest(self.to_string().as_bytes());
        let hex: String = digest
            .iter()
            .take(13)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        format!("TL-{hex}")
    }
}

impl fmt::Display for StepKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {}#{}",
            self.integration, self.communication, self.role
        )
    }
}

/// A sort of record in a CRM.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Entity {
    /// A person.
    Contact,
    /// An organisation.
    Company,
    /// A deal (amoCRM calls it lead).
    Deal,
    /// An unqualified lead, where the CRM has them beside deals (Bitrix24).
    Lead,
    /// A record of amoCRM's "Unsorted".
    Unsorted,
    /// A task.
    Task,
    /// An entry of the call history.
    CallRecord,
    /// A note or comment.
    Note,
    /// The additional fields of a card.
    Fields,
    /// A word to a user of the CRM.
    Notice,
}

impl fmt::Display for Entity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Entity::Contact => "contact",
            Entity::Company => "company",
            Entity::Deal => "deal",
            Entity::Lead => "lead",
            Entity::Unsorted => "unsorted",
            Entity::Task => "task",
            Entity::CallRecord => "call record",
            Entity::Note => "note",
            Entity::Fields => "additional fields",
            Entity::Notice => "notice",
        })
    }
}

/// One record of a CRM.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub struct Card {
    /// Its sort.
    pub entity: Entity,
    /// The CRM's id.
    pub id: String,
}

/// The record that a step acts on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Target {
    /// It exists already.
    Known {
        /// The record.
        card: Card,
    },
    /// An earlier step of the same ledger makes it.
    Made {
        /// The earlier step.
        by: Role,
        /// Which of the records that it makes.
        entity: Entity,
    },
}

/// A contact to be made.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct NewContact {
    /// Its name.
    pub name: String,
    /// Its numbers.
    pub phones: Vec<Phone>,
    /// Its e-mail addresses.
    pub emails: Vec<String>,
    /// Who answers for it.
    pub responsible: Option<CrmUserId>,
    /// Tags.
    pub tags: Vec<String>,
    /// Additional fields, made with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldFill>,
    /// The template that it is made from, by the CRM's id, where the CRM has such.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
}

/// A deal to be made.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct NewDeal {
    /// Its name.
    pub name: String,
    /// Pipeline, by the CRM's id.
    pub pipeline: String,
    /// Stage of the pipeline, by the CRM's id.
    pub stage: String,
    /// The contact that it belongs to.
    pub contact: Option<Target>,
    /// Who answers for it.
    pub responsible: Option<CrmUserId>,
    /// Tags.
    pub tags: Vec<String>,
    /// Additional fields, made with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldFill>,
}

/// An unqualified lead to be made.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct NewLead {
    /// Its name.
    pub name: String,
    /// The client's name.
    pub client: String,
    /// The client's numbers.
    pub phones: Vec<Phone>,
    /// The client's e-mail addresses.
    pub emails: Vec<String>,
    /// The contact that it is a further lead of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<Target>,
    /// Its stage, by the CRM's id; `None` = the first one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<String>,
    /// Who answers for it.
    pub responsible: Option<CrmUserId>,
    /// Tags.
    pub tags: Vec<String>,
    /// Additional fields, made with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldFill>,
}

/// The kind of an unsorted record (`crm/amocrm.md` §10).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum UnsortedForm {
    /// An incoming call, with the call's event on the card.
    IncomingCall {
        /// Seconds of talk.
        talk_s: u64,
        /// Who was called, where known.
        callee: Option<CrmUserId>,
        /// The recording's public address.
        link: Option<String>,
    },
    /// Everything else.
    Form {
        /// The form's name as the card shows it.
        name: String,
        /// What the client wrote, or what happened, as a note's text.
        text: Option<String>,
        /// The page, where there is one.
        page: Option<String>,
    },
}

/// An unsorted record to be made, with the contact and deal that it holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NewUnsorted {
    /// Pipeline, by the CRM's id.
    pub pipeline: String,
    /// Where it came from, as the card shows it.
    pub source_name: String,
    /// Which form it takes.
    pub form: UnsortedForm,
    /// When the communication took place.
    pub at: Timestamp,
    /// The name of the deal inside.
    pub deal_name: String,
    /// The name of the contact inside.
    pub contact_name: String,
    /// The client's number.
    pub phone: Option<Phone>,
    /// The client's e-mail address.
    pub email: Option<String>,
    /// Tags of both.
    pub tags: Vec<String>,
}

/// What the call history says a call came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CallStatus {
    /// They talked.
    Talked,
    /// Nobody answered.
    NoAnswer,
    /// The called party was busy.
    Busy,
    /// The number could not be called.
    WrongNumber,
}

/// An entry of the call history to be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CallRecord {
    /// The card that it is written on. `None` = the CRM finds the card by the number; where it
    /// finds none, there is nothing to log on and that is a normal end (S1-26).
    pub card: Option<Target>,
    /// Incoming or outgoing.
    pub direction: Direction,
    /// The client's number.
    pub phone: Phone,
    /// What it came to.
    pub status: CallStatus,
    /// Seconds of talk.
    pub talk_s: u64,
    /// When the call began.
    pub at: Timestamp,
    /// Who talked, or was called, or called.
    pub employee: Option<CrmUserId>,
    /// The recording's public address.
    pub link: Option<String>,
    /// The source's name of the call, as the CRM shows it.
    pub source_name: String,
    /// To whom the call's card was shown first, where one was: where the CRM opens the entry with
    /// the card, it stands under this user already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shown_to: Option<CrmUserId>,
    /// Which telephones took part, where the CRM wants to know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<CallLine>,
}

/// The telephones of a call, for a CRM whose call history is told by them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct CallLine {
    /// Those that were rung or dialled from, in order.
    pub rung: Vec<Extension>,
    /// Whose call it is: who talked, else who was rung last or called.
    pub of: Option<Extension>,
    /// The company's number, as the source writes it.
    pub our_number: Option<String>,
    /// It has a recording, which may be told later.
    pub recorded: bool,
    /// The name of the click in the CRM that the call came of, where the CRM opened its entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub click: Option<String>,
    /// The CRM's own name of the entry that it opened with the call's card, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opened: Option<String>,
    /// At which telephones the CRM has shown the caller's card already.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shown: Vec<Extension>,
}

/// A contact that the CRM makes by itself, to be found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AwaitContact {
    /// Its number.
    pub phone: Phone,
}

/// The recording of a call, to be put to the entry of the call history that stands already.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RecordingLink {
    /// The entry.
    pub entry: Target,
    /// The card that the entry stands on, where the CRM said which.
    pub on: Option<Card>,
    /// The step that made the entry: its marker stands there.
    pub by: Role,
    /// The entry as it was written.
    pub record: CallRecord,
    /// The recording's public address; empty where we have none.
    pub link: String,
    /// What is said about it where it can only stand beside the entry.
    pub text: String,
    /// The CRM is handed the file itself, not the address.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub upload: bool,
}

/// A task to be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NewTask {
    /// The record that it hangs on.
    pub card: Option<Target>,
    /// Whose task it is.
    pub responsible: Option<CrmUserId>,
    /// What is to be done.
    pub text: String,
    /// Its type, by the CRM's id; `None` = the CRM's "get in touch".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task_type: Option<String>,
    /// When it is due.
    pub due: Timestamp,
}

/// One additional field to be filled.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct FieldFill {
    /// The field, by the CRM's id; by its code where the CRM does not list its fields.
    pub field: String,
    /// The text.
    pub value: String,
    /// As what it is, where the field takes no text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub typed: Option<FieldValue>,
    /// Over what is there; else only where the field is empty.
    pub overwrite: bool,
}

/// Additional fields of one card to be filled. Making it twice comes to the same as once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FillFields {
    /// The card.
    pub card: Target,
    /// The fields, each once.
    pub fields: Vec<FieldFill>,
}

/// A note to be put on a card: what a client wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NewNote {
    /// The card.
    pub card: Target,
    /// The text, of one or several lines.
    pub text: String,
    /// When it was said: with the card and the text it tells one note from another.
    pub at: Timestamp,
    /// The messages of a chat that it holds, by the source's names of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub messages: Vec<String>,
}

/// A card to be handed over to somebody. Making it twice comes to the same as once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HandOver {
    /// The card.
    pub card: Target,
    /// Who is to answer for it.
    pub responsible: CrmUserId,
}

/// A word to a user of the CRM about a card. Said twice it comes to the same as once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Notice {
    /// To whom.
    pub user: CrmUserId,
    /// What is said, on one line; the way to the card is added.
    pub text: String,
    /// The card.
    pub card: Target,
}

/// One intended effect, in no CRM's terms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "effect", rename_all = "snake_case")]
pub enum Effect {
    /// Make a contact.
    CreateContact(NewContact),
    /// Make a deal.
    CreateDeal(NewDeal),
    /// Make an unsorted record.
    CreateUnsorted(NewUnsorted),
    /// Write an entry of the call history.
    RecordCall(CallRecord),
    /// Make a task.
    CreateTask(NewTask),
    /// Fill additional fields of a card.
    FillFields(FillFields),
    /// Put the recording's address to an entry of the call history.
    LinkRecording(RecordingLink),
    /// Put a note on a card.
    AddNote(NewNote),
    /// Make an unqualified lead.
    CreateLead(NewLead),
    /// Have somebody else answer for a card.
    HandOver(HandOver),
    /// Find the contact that the CRM makes by itself. Where it comes too late, what would have
    /// hung on it does without.
    AwaitContact(AwaitContact),
    /// Tell a user of a card.
    Notify(Notice),
}

/// An [`Effect`]'s sort, by which adapters declare what they can do.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum StepKind {
    /// [`Effect::CreateContact`].
    CreateContact,
    /// [`Effect::CreateDeal`].
    CreateDeal,
    /// [`Effect::CreateUnsorted`].
    CreateUnsorted,
    /// [`Effect::RecordCall`].
    RecordCall,
    /// [`Effect::CreateTask`].
    CreateTask,
    /// [`Effect::FillFields`].
    FillFields,
    /// [`Effect::LinkRecording`].
    LinkRecording,
    /// [`Effect::AddNote`].
    AddNote,
    /// [`Effect::CreateLead`].
    CreateLead,
    /// [`Effect::HandOver`].
    HandOver,
    /// [`Effect::AwaitContact`].
    AwaitContact,
    /// [`Effect::Notify`].
    Notify,
}

impl StepKind {
    /// Every kind, for tests and tables.
    pub const ALL: [StepKind; 12] = [
        StepKind::CreateContact,
        StepKind::CreateDeal,
        StepKind::CreateUnsorted,
        StepKind::RecordCall,
        StepKind::CreateTask,
        StepKind::FillFields,
        StepKind::LinkRecording,
        StepKind::AddNote,
        StepKind::CreateLead,
        StepKind::HandOver,
        StepKind::AwaitContact,
        StepKind::Notify,
    ];
}

impl Effect {
    /// Returns the sort.
    pub fn kind(&self) -> StepKind {
        match self {
            Effect::CreateContact(_) => StepKind::CreateContact,
            Effect::CreateDeal(_) => StepKind::CreateDeal,
            Effect::CreateUnsorted(_) => StepKind::CreateUnsorted,
            Effect::RecordCall(_) => StepKind::RecordCall,
            Effect::CreateTask(_) => StepKind::CreateTask,
            Effect::FillFields(_) => StepKind::FillFields,
            Effect::LinkRecording(_) => StepKind::LinkRecording,
            Effect::AddNote(_) => StepKind::AddNote,
            Effect::CreateLead(_) => StepKind::CreateLead,
            Effect::HandOver(_) => StepKind::HandOver,
            Effect::AwaitContact(_) => StepKind::AwaitContact,
            Effect::Notify(_) => StepKind::Notify,
        }
    }

    /// Returns the additional fields that the effect writes.
    pub fn fields(&self) -> &[FieldFill] {
        match self {
            Effect::FillFields(fill) => &fill.fields,
            other => other.new_fields().unwrap_or_default(),
        }
    }

    /// Returns the additional fields of a record that the effect makes, where such a record has
    /// them.
    pub fn new_fields(&self) -> Option<&[FieldFill]> {
        match self {
            Effect::CreateContact(contact) => Some(&contact.fields),
            Effect::CreateDeal(deal) => Some(&deal.fields),
            Effect::CreateLead(lead) => Some(&lead.fields),
            Effect::CreateUnsorted(_)
            | Effect::RecordCall(_)
            | Effect::CreateTask(_)
            | Effect::FillFields(_)
            | Effect::LinkRecording(_)
            | Effect::AddNote(_)
            | Effect::HandOver(_)
            | Effect::AwaitContact(_)
            | Effect::Notify(_) => None,
        }
    }

    /// Returns the place of the additional fields of a record that the effect makes, where such a
    /// record has them.
    pub fn new_fields_mut(&mut self) -> Option<&mut Vec<FieldFill>> {
        match self {
            Effect::CreateContact(contact) => Some(&mut contact.fields),
            Effect::CreateDeal(deal) => Some(&mut deal.fields),
            Effect::CreateLead(lead) => Some(&mut lead.fields),
            Effect::CreateUnsorted(_)
            | Effect::RecordCall(_)
            | Effect::CreateTask(_)
            | Effect::FillFields(_)
            | Effect::LinkRecording(_)
            | Effect::AddNote(_)
            | Effect::HandOver(_)
            | Effect::AwaitContact(_)
            | Effect::Notify(_) => None,
        }
    }

    /// Returns the place of the record that the effect acts on, where it has one.
    pub fn target_mut(&mut self) -> Option<&mut Target> {
        match self {
            Effect::CreateContact(_) | Effect::CreateUnsorted(_) | Effect::AwaitContact(_) => None,
            Effect::CreateLead(lead) => lead.contact.as_mut(),
            Effect::CreateDeal(deal) => deal.contact.as_mut(),
            Effect::RecordCall(record) => record.card.as_mut(),
            Effect::CreateTask(task) => task.card.as_mut(),
            Effect::FillFields(fill) => Some(&mut fill.card),
            Effect::LinkRecording(link) => Some(&mut link.entry),
            Effect::AddNote(note) => Some(&mut note.card),
            Effect::HandOver(over) => Some(&mut over.card),
            Effect::Notify(notice) => Some(&mut notice.card),
        }
    }

    /// Has the effect do without the record that it acts on; false where it cannot.
    pub fn do_without_target(&mut self) -> bool {
        match self {
            Effect::CreateDeal(deal) => deal.contact = None,
            Effect::CreateTask(task) => task.card = None,
            Effect::CreateLead(lead) => lead.contact = None,
            Effect::CreateContact(_)
            | Effect::CreateUnsorted(_)
            | Effect::RecordCall(_)
            | Effect::FillFields(_)
            | Effect::LinkRecording(_)
            | Effect::AddNote(_)
            | Effect::HandOver(_)
            | Effect::AwaitContact(_)
            | Effect::Notify(_) => return false,
        }
        true
    }

    /// Returns the record that the effect acts on, where it has one.
    pub fn target(&self) -> Option<&Target> {
        match self {
            Effect::CreateContact(_) | Effect::CreateUnsorted(_) | Effect::AwaitContact(_) => None,
            Effect::CreateLead(lead) => lead.contact.as_ref(),
            Effect::CreateDeal(deal) => deal.contact.as_ref(),
            Effect::RecordCall(record) => record.card.as_ref(),
            Effect::CreateTask(task) => task.card.as_ref(),
            Effect::FillFields(fill) => Some(&fill.card),
            Effect::LinkRecording(link) => Some(&link.entry),
            Effect::AddNote(note) => Some(&note.card),
            Effect::HandOver(over) => Some(&over.card),
            Effect::Notify(notice) => Some(&notice.card),
        }
    }
}

/// A step of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedStep {
    /// What it is for.
    pub role: Role,
    /// What it does.
    pub effect: Effect,
}

/// Ordered steps, and why these.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The steps, in order. Empty = nothing is to be done.
    pub steps: Vec<PlannedStep>,
    /// Whether the client is new to the CRM; decided once per communication and integration.
    pub first_time: Option<bool>,
    /// Why.
    pub explanation: Explanation,
}
