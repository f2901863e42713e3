//! Why a decision came out as it did: data, worded in Russian or English when shown (`wording`).
//!
//! Every reason carries what it speaks about, so that it can be read long after settings and CRM
//! have changed. Rows of `docs/features.md` and paths of settings are named where one decided.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::call::{Direction, MissReason};
use super::communication::{Kind, Phase};
use super::field::FieldMiss;
use super::ids::{CrmUserId, EmployeeId, Extension};
use super::phone::Phone;
use super::plan::Entity;
use super::timestamp::Timestamp;

/// The reasons of a decision, in the order in which they were found.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Explanation(pub Vec<Reason>);

impl Explanation {
    /// Adds a reason at the end.
    pub fn push(&mut self, reason: Reason) {
        self.0.push(reason);
    }

    /// Returns the reasons in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Reason> {
        self.0.iter()
    }

    /// Returns the reasons as sentences, in order.
    pub fn sentences(&self, language: Language) -> impl Iterator<Item = String> {
        self.0.iter().map(move |reason| reason.text(language))
    }
}

impl From<Reason> for Explanation {
    fn from(reason: Reason) -> Self {
        Self(vec![reason])
    }
}

impl<'a> IntoIterator for &'a Explanation {
    type Item = &'a Reason;
    type IntoIter = std::slice::Iter<'a, Reason>;
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// A language that texts for people come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    /// Russian.
    #[default]
    Ru,
    /// English.
    En,
}

/// One reason of a decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum Reason {
    // Whether anything is decided at all.
    /// The integration is switched off (S1-04).
    IntegrationOff,
    /// The integration only watches: the plan is kept, nothing is sent.
    IntegrationObserves,
    /// The integration's settings say nothing about this kind of communication.
    NothingConfigured {
        /// The kind.
        kind: Kind,
    },
    /// Nothing is decided at this phase of a call (S1-14).
    PhaseNotDecided {
        /// The phase.
        phase: Phase,
    },
    /// The CRM takes nothing at this phase.
    PhaseNotOffered {
        /// The kind.
        kind: Kind,
        /// The phase.
        phase: Phase,
    },
    /// What the call makes was decided at its answer (S1-27): the end adds tasks and the log.
    DecidedAtAnswer,
    /// The case makes its records when the call has ended, not at the answer (S1-27).
    CaseAtEnd {
        /// In which direction.
        side: Side,
        /// The case.
        case: CallCase,
    },
    /// The call was among employees (S1-28).
    InternalCall,
    /// The outside number is an employee's own phone (S1-28).
    EmployeePhone {
        /// The number.
        phone: Phone,
        /// The employee's name.
        employee: String,
    },
    /// The number stands in the list of partners (S1-28).
    PartnerNumber {
        /// The number.
        phone: Phone,
    },
    /// The client's number was hidden.
    NumberWithheld,
    /// The client's number is short or otherwise no public number.
    NumberUnreadable {
        /// What the source reported.
        text: String,
    },
    /// A click-to-call whose employee did not pick up: no client was called.
    EmployeeNotReached {
        /// What the employee's phone said.
        miss: MissReason,
    },

    // What is known.
    /// A part of the call was not seen.
    SeenPartly {
        /// Which, as the source's listener put it.
        what: String,
    },
    /// The source did not say how the call ended: it counts as missed.
    EndUnseen,
    /// No card of the CRM has the number.
    ClientUnknown {
        /// The number.
        phone: Phone,
    },
    /// A contact has the number.
    ClientKnown {
        /// The number.
        phone: Phone,
        /// The contact.
        contact: CardName,
    },
    /// A company has the number, and no contact: first-time by definition.
    ClientOnlyCompany {
        /// The number.
        phone: Phone,
        /// The company.
        company: CardName,
    },
    /// Several contacts have the number.
    ContactChosen {
        /// The one that is used.
        contact: CardName,
        /// How many there are.
        among: usize,
        /// What it was chosen by.
        by: ChosenBy,
    },
    /// First-time or repeat was settled by an earlier decision about this communication, and the
    /// CRM says otherwise by now.
    FirstTimeKept {
        /// What was settled.
        first_time: bool,
    },
    /// This phase was decided before; only what was not done is planned anew.
    DecidedAgain,

    // What is made.
    /// The number is filtered: no entity is made (S1-18, S1-20).
    NumberFiltered {
        /// Whose list.
        side: Side,
        /// The number.
        phone: Phone,
    },
    /// The case is not configured: no entity is made.
    CaseAbsent {
        /// In which direction.
        side: Side,
        /// The case.
        case: CallCase,
    },
    /// The case is switched off: no entity is made.
    CaseOff {
        /// In which direction.
        side: Side,
        /// The case.
        case: CallCase,
    },
    /// The case is on and says what is made.
    CaseActs {
        /// In which direction.
        side: Side,
        /// The case.
        case: CallCase,
        /// What is made.
        action: CallAction,
    },
    /// A contact that the CRM has already is used, none is made.
    ContactUsed {
        /// The contact.
        contact: CardName,
    },
    /// The client was known, but the contact is gone from the CRM: it is made anew.
    ContactGone,
    /// The CRM makes the contact by itself from the call: it is waited for (S2-12).
    ContactAwaited,
    /// No deal is made: the client has an open one (S1-15).
    OpenDeal {
        /// The CRM's id of the newest open deal.
        deal: String,
        /// How many are open.
        open: usize,
    },
    /// A deal is made: the client has no open one (S1-15).
    NoOpenDeal,
    /// No deal is made yet: the client's last one was closed a short while ago (S1-15, V-03).
    DealTooSoon {
        /// The CRM's id of the deal that was closed last.
        deal: String,
        /// When it was closed.
        closed_at: Timestamp,
        /// From when a new one may be made.
        until: Timestamp,
    },
    /// New records have these tags (S1-21).
    Tagged {
        /// The tags.
        tags: Vec<String>,
    },
    /// A template gave no text, and the default name was taken (V-09).
    TemplateFailed {
        /// The template's path in the settings.
        path: String,
        /// Why.
        why: TemplateMiss,
    },
    /// Another telephony makes records and logs calls: only fields are filled (V-03).
    OtherTelephony,
    /// Additional fields of a card are filled.
    FieldsFilled {
        /// The sort of the card.
        card: Entity,
        /// The fields, by the CRM's ids.
        fields: Vec<String>,
    },
    /// An additional field is left out, the others are filled (V-10).
    FieldLeftOut {
        /// Where it stands in the settings.
        path: String,
        /// The sort of the card.
        card: Entity,
        /// The field, as the settings name it.
        field: String,
        /// Why.
        why: FieldMiss,
    },
    /// The client has no card whose fields could be filled, or several open deals.
    NoCardForFields {
        /// The sort of the card.
        card: Entity,
    },
    /// A task is made (S1-16).
    TaskActs {
        /// In which direction.
        side: Side,
        /// Which of the two.
        task: CallTask,
    },
    /// The task is switched off.
    TaskOff {
        /// In which direction.
        side: Side,
        /// Which of the two.
        task: CallTask,
    },
    /// A step of an earlier decision stands: no second one is planned.
    StepStands {
        /// What it makes.
        entity: Entity,
    },
    /// A step of an earlier phase failed or was dropped: it is planned anew only when a person
    /// wants it decided again.
    StepGivenUp {
        /// What it was to make.
        entity: Entity,
    },
    /// An earlier decision made a record of another sort for this communication.
    MadeAlready {
        /// What was made.
        made: Entity,
        /// What is not made therefore.
        instead_of: Entity,
    },
    /// The CRM's adapter does not offer it.
    NotOffered {
        /// What cannot be made.
        entity: Entity,
    },

    /// The call does not pass the filter: no entity is made (S2-23).
    CallFiltered {
        /// Whose filter.
        side: Side,
    },

    // Site requests and chats.
    /// This kind of communication is switched off (S0-06).
    KindOff {
        /// The kind.
        kind: Kind,
    },
    /// A filter, or the condition of a rule, was asked: what each of its conditions said.
    ConditionsSeen {
        /// Where it stands in the settings.
        path: String,
        /// The whole holds.
        holds: bool,
        /// The conditions, in order.
        conditions: Vec<ConditionSeen>,
    },
    /// It does not pass the filter: nothing is made (S0-13).
    FilteredOut {
        /// The kind.
        kind: Kind,
    },
    /// No contact of the CRM has any of these addresses.
    AddressesUnknown {
        /// The addresses; none where the client left none.
        addresses: Vec<String>,
    },
    /// A contact has one of the addresses.
    AddressesKnown {
        /// The addresses.
        addresses: Vec<String>,
        /// The contact.
        contact: CardName,
        /// How many contacts have one of them.
        among: usize,
    },
    /// Only the first time is processed, and this is a repeat (S0-10).
    RepeatLeft {
        /// The kind.
        kind: Kind,
    },
    /// The chat's visitor left no contact data, and such chats are not taken (S2-22).
    ChatWithoutContacts,
    /// The settings have the records of chats made at another moment (S2-21).
    ChatAtOtherMoment {
        /// The moment that is decided now.
        phase: Phase,
    },
    /// Records are made when somebody takes a chat, and nobody took this one (S2-21).
    NobodyTookChat,
    /// An earlier moment of this chat made its records.
    ChatActedBefore,
    /// The records of chats are made when one is marked, and this one is not (S2-21).
    ChatNotTagged,
    /// What was written waits for the moment at which the chat's records are made.
    ChatWordsWait,
    /// Nothing was written that is not on the card already.
    ChatNothingNew,
    /// The chat ended without anybody of the company having written.
    ChatLost,
    /// By then the chat was over: what is written later is a new message in a closed chat (V-05).
    ChatOver {
        /// The end.
        at: Timestamp,
    },
    /// The chat goes on after its end.
    ChatGoesOn,
    /// The client wrote into the closed chat (V-05).
    MessageInClosedChat {
        /// It makes a new unsorted record; else it is noted on the card.
        again: bool,
    },
    /// The client's contact is handed over (V-05: update of the responsible on repeats).
    HandedOver {
        /// The contact.
        contact: CardName,
        /// To whom.
        user: UserName,
    },
    /// By what method the communication is brought into the CRM (S0-07 … S0-09).
    MethodActs {
        /// The kind.
        kind: Kind,
        /// Whether it is the client's first time.
        first_time: bool,
        /// The method.
        method: TransferAction,
    },
    /// The deal goes where a rule of pipelines says (S0-22).
    PipelineByRule {
        /// Its name.
        rule: String,
        /// The pipeline.
        pipeline: String,
        /// The stage.
        stage: String,
    },
    /// What the client wrote is put on the card.
    ContentNoted {
        /// The sort of the card.
        card: Entity,
    },
    /// Who answers for a new record is told of it (S3-17).
    ResponsibleTold {
        /// Who.
        user: UserName,
        /// The sort of the record.
        card: Entity,
    },
    /// The case itself says who answers for what it makes (S2-09, S2-18).
    AssignedTo {
        /// Where that stands in the settings.
        path: String,
        /// Who.
        user: UserName,
    },
    /// A new record is told of past the CRM, once it is made (S3-17).
    ToldOutside {
        /// The sort of the record.
        card: Entity,
    },
    /// A task is made (S0-11).
    TextTaskActs {
        /// The kind.
        kind: Kind,
        /// Whose it is.
        user: UserName,
        /// It is of who answers for this sort of card; `None` = as for a new record.
        owner_of: Option<Entity>,
    },
    /// The default responsible of this kind answers for new records.
    DefaultAnswers {
        /// The kind.
        kind: Kind,
        /// Who.
        user: UserName,
    },
    /// A rule of responsibles of this kind names who answers for new records (S0-16).
    RuleAnswers {
        /// The kind.
        kind: Kind,
        /// Its name.
        rule: String,
        /// Who.
        user: UserName,
    },

    // Whose it is.
    /// The default responsible answers for new records (S1-17).
    ResponsibleDefault {
        /// Who.
        user: UserName,
    },
    /// The contact's responsible answers for the new deal as well.
    ResponsibleOfContact {
        /// Who.
        user: UserName,
        /// The contact.
        contact: CardName,
    },

    /// A rule of responsibles names who answers for new records.
    ResponsibleByRule {
        /// Its name.
        rule: String,
        /// Who.
        user: UserName,
    },
    /// A rule of responsibles holds for the call and names nobody: the next one tries.
    RulePassed {
        /// Its name.
        rule: String,
        /// Why it names nobody.
        why: RulePass,
    },
    /// The task goes to the employee who took the call (S1-16).
    TaskOfTalker {
        /// Who.
        user: UserName,
    },
    /// The task cannot go to the employee who took the call, and goes to the responsible.
    TalkerPassed {
        /// Why.
        why: RulePass,
    },
    /// No lead is made: the client has an open one.
    OpenLead {
        /// The lead.
        lead: CardName,
    },
    /// The task goes to who answers for the card that it hangs on.
    TaskOfCardOwner {
        /// Who.
        user: UserName,
        /// The sort of the card.
        entity: Entity,
    },

    /// Nobody talked, and the call history wants a user: who answers for the client (V-04).
    LogOfOwner {
        /// Who.
        user: UserName,
        /// The sort of the card that says so.
        entity: Entity,
    },

    // Where the call is logged (S1-26).
    /// On the client's only open deal.
    LoggedOnDeal {
        /// The CRM's id.
        deal: String,
    },
    /// On the contact.
    LoggedOnContact {
        /// The contact.
        contact: CardName,
        /// How many open deals the client has: none or several, else the deal would be taken.
        open: usize,
    },
    /// On the company.
    LoggedOnCompany {
        /// The company.
        company: CardName,
    },
    /// On the client's open lead: the number is in no contact and no company.
    LoggedOnLead {
        /// The lead.
        lead: CardName,
    },
    /// On a record that is made for this call.
    LoggedOnMade {
        /// Which.
        entity: Entity,
    },
    /// On the card that the CRM finds by the number.
    LoggedByCrm,
    /// In the unsorted record itself (S1-12).
    LoggedInUnsorted,
    /// The call is filtered, and filtered calls are left out of the call history (V-14).
    FilteredNotLogged {
        /// The direction.
        side: Side,
    },
    /// Nowhere: the client is not in the CRM and nothing is made. A normal end.
    NothingToLogOn,

    // The recording of a call that was decided before.
    /// Its address is put to the entry of the call history.
    RecordingLinked,
    /// The recording is ready, and the CRM is handed the file itself.
    RecordingHandedOver,
    /// The entry, or the unsorted record, had its address from the beginning.
    RecordingThere,
    /// There is no entry of the call that its address could be put to.
    RecordingWithoutEntry,

    // Which employee the log names.
    /// Nobody of the tenant has this extension.
    ExtensionUnknown {
        /// The extension.
        extension: Extension,
    },
    /// The employee has no user in this CRM (S1-06).
    EmployeeUnmapped {
        /// The employee's name.
        employee: String,
        /// The extension.
        extension: Extension,
    },
    /// It cannot be said whose call it was, such as a missed one that rang at several employees:
    /// the log names nobody.
    NobodyNamed {
        /// How many employees' phones were in the call.
        phones: usize,
    },
}

/// What one condition said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConditionSeen {
    /// Where it stands in its filter; empty where it is the whole of it.
    pub path: String,
    /// The parameter.
    pub parameter: String,
    /// It includes; else it excludes.
    pub include: bool,
    /// It holds.
    pub holds: bool,
    /// What the communication had of it, cut where it is long; none where it had nothing or the
    /// source does not tell.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub found: Vec<String>,
    /// Only an answer could have told (V-08).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub undecided: bool,
}

/// How a request or a chat is brought into the CRM.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum TransferAction {
    /// Nothing is made (S0-07).
    ByHand,
    /// A record in Unsorted, always (S0-08).
    Unsorted {
        /// Its pipeline.
        pipeline: String,
    },
    /// A contact at the first time (S0-09).
    Contact,
    /// A deal always, a contact at the first time (S0-09).
    ContactAndDeal {
        /// Pipeline of the deal.
        pipeline: String,
        /// Stage of the deal.
        stage: String,
    },
    /// A lead, unless the client has an open one (S3-05, S3-09).
    Lead {
        /// Its stage; `None` = the first one.
        stage: Option<String>,
    },
}

/// A record as people know it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardName {
    /// The CRM's id.
    pub id: String,
    /// Its name in the CRM.
    pub name: String,
}

/// A user of the CRM as people know them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserName {
    /// The CRM's id.
    pub id: CrmUserId,
    /// The employee's name, where the user belongs to one.
    pub name: Option<String>,
}

impl fmt::Display for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "{name} ({})", self.id),
            None => write!(f, "{}", self.id),
        }
    }
}

/// What one of several contacts was chosen by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChosenBy {
    /// It has an open deal; among several with one, the latest change.
    OpenDeal,
    /// None or all have an open deal: it was changed last.
    LatestChange,
}

/// Why a rule of responsibles, or a task, names nobody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum RulePass {
    /// Nobody talked with the client.
    NobodyTalked,
    /// Nobody placed the call: it came in, or the source does not say who did.
    NobodyCalled,
    /// The client has no contact, or nobody answers for it.
    NoOwner,
    /// Nobody of the tenant has this extension.
    ExtensionUnknown {
        /// The extension.
        extension: Extension,
    },
    /// The employee has no user in this CRM (S1-06).
    EmployeeUnmapped {
        /// The employee's name.
        employee: String,
    },
    /// The tenant has no such employee any more.
    EmployeeUnknown {
        /// The employee's id.
        employee: EmployeeId,
    },
}

/// Why a template gave no text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum TemplateMiss {
    /// Nothing is left of the text: every variable in it is empty.
    Empty,
    /// The template cannot be carried out.
    Broken {
        /// The engine's words, English.
        words: String,
    },
}

/// One of the two tasks that a call may make (S1-16).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallTask {
    /// For the employee who took the call.
    Taken,
    /// For the responsible, about a missed call.
    Missed,
}

impl CallTask {
    /// Returns the path of its setting.
    pub fn path(self, side: Side) -> String {
        let key = match self {
            CallTask::Taken => "task",
            CallTask::Missed => "missed_task",
        };
        format!("{}.{key}", side.path())
    }
}

/// One of the two blocks of call settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Calls from clients.
    Incoming,
    /// Calls to clients (S1-19).
    Outgoing,
}

impl Side {
    /// Returns the block that decides calls of this direction; internal calls have none.
    pub fn of(direction: Direction) -> Option<Side> {
        match direction {
            Direction::Incoming => Some(Side::Incoming),
            Direction::Outgoing => Some(Side::Outgoing),
            Direction::Internal => None,
        }
    }

    /// Returns the path of the block in the settings.
    pub fn path(self) -> &'static str {
        match self {
            Side::Incoming => "calls.incoming",
            Side::Outgoing => "calls.outgoing",
        }
    }
}

/// One of the four cases of calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallCase {
    /// Case A (S1-07).
    AnsweredUnknown,
    /// Case B (S1-08).
    MissedUnknown,
    /// Case C (S1-09).
    AnsweredKnown,
    /// Case D (S1-10).
    MissedKnown,
}

impl CallCase {
    /// Returns the path of the case's setting.
    pub fn path(self, side: Side) -> String {
        let key = match self {
            CallCase::AnsweredUnknown => "answered_unknown",
            CallCase::MissedUnknown => "missed_unknown",
            CallCase::AnsweredKnown => "answered_known",
            CallCase::MissedKnown => "missed_known",
        };
        format!("{}.{key}", side.path())
    }

    /// Returns the row of `docs/features.md`; outgoing calls share it by S1-19.
    pub fn row(self) -> &'static str {
        match self {
            CallCase::AnsweredUnknown => "S1-07",
            CallCase::MissedUnknown => "S1-08",
            CallCase::AnsweredKnown => "S1-09",
            CallCase::MissedKnown => "S1-10",
        }
    }
}

/// What a case makes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum CallAction {
    /// A contact and a deal.
    ContactAndDeal {
        /// Pipeline of the deal.
        pipeline: String,
        /// Stage of the deal.
        stage: String,
    },
    /// A deal when the client has no open one.
    DealUnlessOpen {
        /// Pipeline of the deal.
        pipeline: String,
        /// Stage of the deal.
        stage: String,
        /// Seconds that must have gone by since the last deal was closed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        wait_s: Option<u64>,
    },
    /// A deal at every call.
    DealAlways {
        /// Pipeline of the deal.
        pipeline: String,
        /// Stage of the deal.
        stage: String,
    },
    /// A record in Unsorted.
    Unsorted {
        /// Its pipeline.
        pipeline: String,
    },
    /// A contact only.
    Contact,
    /// A lead.
    Lead {
        /// Its stage; `None` = the first one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        stage: Option<String>,
    },
}
