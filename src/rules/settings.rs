//! What an administrator chose for an integration: the one Rust form of the rows of
//! `docs/features.md`. Stored once per revision; replayed by the revision's number.

mod chats;
mod choices;
mod fields;
mod interval;
mod notices;
mod requests;
mod responsible;
mod schedules;
mod tags;
mod tasks;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::click_to_call::ClickToCallSettings;
use crate::model::deal_settings::DealSettings;
use crate::model::employee_sync::EmployeeSyncSettings;
use crate::model::ids::CrmUserId;
use crate::model::personal_manager::PersonalManagerSettings;
use crate::model::phone::Phone;

pub use self::chats::{
    ChatMoment, ChatSettings, InClosedChat, Transcript, TranscriptCard, TranscriptPlace,
};
pub(in crate::rules) use self::choices::Choices;
pub use self::fields::{FieldCard, FieldRule, Telephony};
pub use self::interval::Interval;
pub use self::notices::NoticeSettings;
pub use self::requests::{
    DealPlace, PipelineRule, RequestMethod, RequestParameter, RequestSettings,
};
pub use self::responsible::{Assign, ResponsibleRule};
pub use self::schedules::{Schedule, SpecialDay};
pub use self::tags::TagSettings;
pub use self::tasks::{TaskDue, TaskSettings};
pub use super::filters::{CallParameter, ChatParameter, Comparison, Filter, Parameter};
pub use super::popup::{PopupSettings, ShowTo};
pub use super::template::Template;

/// The settings of one integration, by kind of communication. A kind that is absent is decided
/// as "nothing configured".
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IntegrationSettings {
    /// Calls.
    #[serde(default)]
    pub calls: Option<CallSettings>,
    /// Site requests (S0-06).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests: Option<RequestSettings>,
    /// Chats (S0-12).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chats: Option<ChatSettings>,
    /// Working schedules, by which tasks are due (S0-23).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub schedules: Vec<Schedule>,
    /// The company's working schedule, by its name in `schedules`: tasks that name none are due by
    /// it (S0-23); absent = day and night.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-shape" = "schedule"))]
    pub schedule: Option<String>,
    /// Redirection of calls to the client's responsible (S1-23).
    #[serde(default)]
    pub personal_manager: Option<PersonalManagerSettings>,
    /// What to do about a step of which it cannot be known whether it arrived.
    #[serde(default)]
    pub when_undecidable: WhenUndecidable,
    /// The card of a caller is shown while the telephone rings (S2-39).
    #[serde(default)]
    pub popup: Option<PopupSettings>,
    /// The deals of the CRM are received (V-13).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deals: Option<DealSettings>,
    /// Who is told of new records past the CRM, where it cannot tell its users by itself (S3-17).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notices: Option<NoticeSettings>,
    /// Calls by a click in the CRM (S2-40).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub click_to_call: Option<ClickToCallSettings>,
    /// The users of the CRM are employees (S2-04). Left out: all of them, once they were synced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub employees: Option<EmployeeSyncSettings>,
}

impl IntegrationSettings {
    /// Returns every rule of additional fields, with its path.
    pub fn field_rules(&self) -> impl Iterator<Item = (String, &FieldRule)> {
        let calls = self.calls.iter().map(|calls| ("calls", &calls.fields));
        let requests = self.requests.iter();
        let requests = requests.map(|requests| ("requests", &requests.fields));
        let chats = self.chats.iter().map(|chats| ("chats", &chats.fields));
        calls
            .chain(requests)
            .chain(chats)
            .flat_map(|(kind, fields)| {
                let at = move |position| format!("{kind}.fields.{position}");
                let rules = fields.iter().enumerate();
                rules.map(move |(position, rule)| (at(position), rule))
            })
    }
}

/// What an integration rather has where a CRM gives no way to find out whether a request that was
/// not answered had its effect. Adapters declare for which steps that can happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WhenUndecidable {
    /// Send again: the effect may be there twice.
    #[default]
    RatherTwice,
    /// Give up: the effect may not be there; a dead letter says so.
    RatherNever,
}

/// What is made of calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CallSettings {
    /// The switch of calls (S2-08).
    #[serde(default = "on")]
    pub on: bool,
    /// Answers for what nobody else answers for (S1-17). A user of the CRM.
    #[schemars(with = "String", extend("x-shape" = "user"))]
    pub default_responsible: CrmUserId,
    /// Numbers of partners and own lines: their calls make nothing at all (S1-28).
    #[serde(default)]
    #[schemars(with = "Vec<String>", extend("x-shape" = "lines"))]
    pub partner_numbers: Vec<Phone>,
    /// Whose telephony the CRM works with; with another one only fields are filled (V-03).
    #[serde(default)]
    pub telephony: Telephony,
    /// Whose an answered call is where several employees talked in it (V-03): the task, the rules
    /// of responsibles and the log of an incoming call go by it.
    #[serde(default)]
    pub talker: Talker,
    /// Who answers for new records, in order; the first rule that finds somebody wins (S1-17).
    #[serde(default)]
    pub responsible: Vec<ResponsibleRule>,
    /// Tags of new records (S1-21).
    #[serde(default)]
    pub tags: TagSettings,
    /// Additional fields of contacts and deals.
    #[serde(default)]
    pub fields: Vec<FieldRule>,
    /// Where the call history is written (S1-26).
    #[serde(default)]
    pub call_history: CallHistory,
    /// Calls from clients.
    #[serde(default)]
    pub incoming: DirectionSettings,
    /// Calls to clients (S1-19).
    #[serde(default)]
    pub outgoing: DirectionSettings,
    /// Who answers for a new record is told of it (S3-17): by the CRM where it takes notices, else as
    /// `notices` says.
    #[serde(default)]
    pub notify: bool,
}

impl CallSettings {
    /// Returns settings that make nothing but the call history.
    pub fn new(default_responsible: CrmUserId) -> Self {
        Self {
            on: true,
            default_responsible,
            partner_numbers: Vec::new(),
            telephony: Telephony::default(),
            fields: Vec::new(),
            talker: Talker::default(),
            responsible: Vec::new(),
            tags: TagSettings::default(),
            call_history: CallHistory::default(),
            incoming: DirectionSettings::default(),
            outgoing: DirectionSettings::default(),
            notify: false,
        }
    }
}

/// Which of the employees who talked in a call it belongs to. Differs where a call was transferred.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Talker {
    /// Who talked first.
    First,
    /// Who talked last.
    #[default]
    Last,
}

/// Where an entry of the call history is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CallHistory {
    /// On the client's only open deal, else on the contact, else on the company.
    #[default]
    Card,
    /// On the card that the CRM itself finds by the number.
    CrmChooses,
}

/// What is made of calls in one direction.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DirectionSettings {
    /// Client numbers whose calls make no entities; they are still logged on a card that exists
    /// (S1-18, S1-20).
    #[serde(default)]
    #[schemars(with = "Vec<String>", extend("x-shape" = "lines"))]
    pub filtered_numbers: Vec<Phone>,
    /// Which calls make entities and tasks (S2-23); the others are still logged on a card that
    /// exists. Absent or without conditions = all (S2-26).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<Filter>,
    /// What becomes of calls that numbers or filter keep from making anything: they are logged, with
    /// their recording, or left out altogether (V-14).
    #[serde(default, skip_serializing_if = "FilteredCalls::is_usual")]
    pub filtered: FilteredCalls,
    /// Case A: answered, the client is in no contact (S1-07).
    #[serde(default)]
    pub answered_unknown: Option<UnknownCase>,
    /// Case B: missed, the client is in no contact (S1-08).
    #[serde(default)]
    pub missed_unknown: Option<UnknownCase>,
    /// Case C: answered, the client is known (S1-09).
    #[serde(default)]
    pub answered_known: Option<KnownCase>,
    /// Case D: missed, the client is known (S1-10).
    #[serde(default)]
    pub missed_known: Option<KnownCase>,
    /// The name of a new contact (V-09); not of one in Unsorted (S0-15).
    #[serde(default)]
    pub contact_name: Option<Template>,
    /// The name of a new deal (V-09); not of one in Unsorted (S0-15).
    #[serde(default)]
    pub deal_name: Option<Template>,
    /// The name of the deal of a missed call, where that differs (S2-27).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missed_deal_name: Option<Template>,
    /// A task for the employee who took the call (S1-16).
    #[serde(default)]
    pub task: Option<TaskSettings>,
    /// A task for the responsible about a missed call (S1-16).
    #[serde(default)]
    pub missed_task: Option<TaskSettings>,
}

/// What becomes of calls that are filtered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FilteredCalls {
    /// They stand in the call history, with their recording.
    #[default]
    Logged,
    /// They do not, unless their card was shown while they rang: then the entry stands already.
    LeftOut,
}

impl FilteredCalls {
    fn is_usual(&self) -> bool {
        *self == FilteredCalls::default()
    }
}

impl DirectionSettings {
    /// Returns whom the cases name of their own, with the key of each case.
    pub(in crate::rules) fn assigned(&self) -> Vec<(&'static str, &Assign)> {
        let unknown = [
            ("answered_unknown", &self.answered_unknown),
            ("missed_unknown", &self.missed_unknown),
        ];
        let known = [
            ("answered_known", &self.answered_known),
            ("missed_known", &self.missed_known),
        ];
        let unknown = unknown.into_iter();
        let unknown =
            unknown.filter_map(|(key, case)| Some((key, case.as_ref()?.assign_to.as_ref()?)));
        let known = known.into_iter();
        let known = known.filter_map(|(key, case)| Some((key, case.as_ref()?.assign_to.as_ref()?)));
        unknown.chain(known).collect()
    }
}

fn on() -> bool {
    true
}

/// When the records of a case are made (S1-27).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Moment {
    /// When the call has ended.
    #[default]
    End,
    /// When an employee and the client begin to talk. Cases A and C only; not for Unsorted and not
    /// for a deal at every call.
    Answer,
}

/// A case of unknown clients: a toggle and an action, so that switching it off forgets nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UnknownCase {
    /// The toggle.
    #[serde(default = "on")]
    pub on: bool,
    /// What is made.
    pub action: UnknownAction,
    /// When.
    #[serde(default)]
    pub at: Moment,
    /// Who answers for it (S2-09, S2-10), before any rule; absent, or where it finds nobody, the rules
    /// of responsibles say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assign_to: Option<Assign>,
}

/// A case of known clients.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KnownCase {
    /// The toggle.
    #[serde(default = "on")]
    pub on: bool,
    /// What is made.
    pub action: KnownAction,
    /// When.
    #[serde(default)]
    pub at: Moment,
    /// Who answers for it (S2-09, S2-10), before any rule; absent, or where it finds nobody, the rules
    /// of responsibles say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assign_to: Option<Assign>,
}

/// What is made for a client who is in no contact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum UnknownAction {
    /// A contact and a deal (S1-11).
    ContactAndDeal {
        /// Pipeline, by the CRM's id.
        #[schemars(extend("x-shape" = "pipeline"))]
        pipeline: String,
        /// Stage, by the CRM's id.
        #[schemars(extend("x-shape" = "stage"))]
        stage: String,
    },
    /// A record in Unsorted, always; takes no stage (S1-12).
    Unsorted {
        /// Pipeline, by the CRM's id.
        #[schemars(extend("x-shape" = "pipeline"))]
        pipeline: String,
    },
    /// A contact only (S1-13).
    // Braces, because serde lets a bare variant take any further key.
    Contact {},
    /// A lead where the CRM works with leads beside deals, else a contact and a deal (S3-05).
    LeadOrDeal {
        /// Pipeline of the deal, by the CRM's id.
        #[schemars(extend("x-shape" = "pipeline"))]
        pipeline: String,
        /// Stage of the deal, by the CRM's id.
        #[schemars(extend("x-shape" = "stage"))]
        stage: String,
        /// Stage of the lead, by the CRM's id; left out = the first one.
        #[serde(default)]
        lead_stage: Option<String>,
    },
}

/// What is made for a client who is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum KnownAction {
    /// The contact is used; a deal is made when the client has no open one (S1-15).
    ContactAndDeal {
        /// Pipeline, by the CRM's id.
        #[schemars(extend("x-shape" = "pipeline"))]
        pipeline: String,
        /// Stage, by the CRM's id.
        #[schemars(extend("x-shape" = "stage"))]
        stage: String,
        /// No deal is made before so much time has gone by since the client's last deal was
        /// closed (S1-15, V-03).
        #[serde(default)]
        wait: Option<Interval>,
    },
    /// A lead on the client's contact where the CRM works with leads beside deals, unless one is open;
    /// elsewhere as `contact_and_deal` (S3-05).
    LeadOrDeal {
        /// Pipeline of the deal, by the CRM's id.
        pipeline: String,
        /// Stage of the deal, by the CRM's id.
        stage: String,
        /// Stage of the lead, by the CRM's id; left out = the first one.
        #[serde(default)]
        lead_stage: Option<String>,
        /// No deal is made before so much time has gone by since the client's last deal was closed.
        #[serde(default)]
        wait: Option<Interval>,
    },
    /// A deal at every call, when it has ended (S1-14).
    DealAlways {
        /// Pipeline, by the CRM's id.
        #[schemars(extend("x-shape" = "pipeline"))]
        pipeline: String,
        /// Stage, by the CRM's id.
        #[schemars(extend("x-shape" = "stage"))]
        stage: String,
    },
    /// A record in Unsorted, always; takes no stage (S1-12).
    Unsorted {
        /// Pipeline, by the CRM's id.
        #[schemars(extend("x-shape" = "pipeline"))]
        pipeline: String,
    },
}
