//! What the settings of chats and of requests have in common: methods, where deals go, who answers
//! for new records, tags.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::ids::{CrmUserId, EmployeeId};

/// What a chat or a request makes (S0-07 … S0-09).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Method {
    /// None of contact, deal and unsorted record: people do it (S0-07).
    ByHand {},
    /// A record in Unsorted, always; takes no stage (S0-08).
    Unsorted {
        /// Pipeline, by the CRM's id.
        pipeline: String,
    },
    /// A contact, where the client is in none (S0-09).
    Contact {
        /// A deal, too, every time.
        #[serde(default)]
        deal: bool,
    },
    /// A deal every time, and a contact where the client is in none (S0-09).
    ContactAndDeal {},
}

impl Method {
    /// Says whether deals come of it outside of Unsorted.
    pub fn makes_deals(&self) -> bool {
        match self {
            Method::ContactAndDeal {} => true,
            Method::Contact { deal } => *deal,
            Method::ByHand {} | Method::Unsorted { .. } => false,
        }
    }
}

/// Where the deals are made: the first rule that holds, else the default (S0-21, S0-22).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DealPlaces<When> {
    /// The default pipeline, by the CRM's id.
    pub pipeline: String,
    /// The default stage of that pipeline, by the CRM's id.
    pub stage: String,
    /// Rules, in order.
    #[serde(default = "Vec::<DealRule<When>>::new")]
    pub rules: Vec<DealRule<When>>,
}

/// A rule of pipelines (S0-22). Its conditions include and exclude as V-12 says: what does not pass
/// goes on to the next rule, and to the default in the end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DealRule<When> {
    /// Its name, as explanations show it.
    pub name: String,
    /// The toggle.
    #[serde(default = "super::on")]
    pub on: bool,
    /// When it holds; absent = always.
    #[serde(default = "Option::<When>::default")]
    pub when: Option<When>,
    /// Pipeline, by the CRM's id.
    pub pipeline: String,
    /// Stage of that pipeline, by the CRM's id.
    pub stage: String,
}

/// A rule of responsibles (S0-16). One whose conditions hold and that finds nobody (the employee
/// has no user in this CRM) lets the next one try; the explanation says so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AssignRule<When> {
    /// Its name, as explanations show it.
    pub name: String,
    /// The toggle.
    #[serde(default = "super::on")]
    pub on: bool,
    /// When it holds; absent = always.
    #[serde(default = "Option::<When>::default")]
    pub when: Option<When>,
    /// Whom it names.
    pub assign: AssignTo,
}

/// Whom a rule of responsibles names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum AssignTo {
    /// A user of the CRM.
    User {
        /// By the CRM's id.
        #[schemars(with = "String")]
        user: CrmUserId,
    },
    /// An employee.
    Employee {
        /// By our own name.
        #[schemars(with = "String")]
        employee: EmployeeId,
    },
    /// The employee who took the chat (V-05). Nobody where nobody did, and for requests.
    Taker {},
    /// Who answers for the contact that the client has already.
    ContactOwner {},
}

/// Which tags the contacts and deals have that are made, those in Unsorted included.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WrittenTags {
    /// The toggle: off = no tags, and the lists mean nothing (S0-18).
    #[serde(default = "super::on")]
    pub on: bool,
    /// Tags that say what the communication says of itself (S0-19). One that it says nothing of is
    /// left out.
    #[serde(default)]
    pub choose: Vec<ChosenTag>,
    /// Tags of one's own, always these (V-11).
    #[serde(default)]
    pub list: Vec<String>,
}

impl Default for WrittenTags {
    fn default() -> Self {
        Self {
            on: true,
            choose: Vec::new(),
            list: Vec::new(),
        }
    }
}

/// A tag of the fixed list (S0-19).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum ChosenTag {
    /// What it is: `Заявка`, `Чат`.
    Kind,
    /// The source's name, as cards show it.
    Source,
    /// The client's number.
    Phone,
    /// The client's e-mail address.
    Email,
    /// The site.
    Site,
    /// The form of a request.
    Form,
    /// Where a chat takes place.
    Channel,
}

impl ChosenTag {
    /// Returns the variable of templates that it shows.
    pub(in crate::rules) fn variable(self) -> &'static str {
        match self {
            ChosenTag::Kind => "event",
            ChosenTag::Source => "source_name",
            ChosenTag::Phone => "client_phone",
            ChosenTag::Email => "client_email",
            ChosenTag::Site => "site",
            ChosenTag::Form => "form",
            ChosenTag::Channel => "channel",
        }
    }
}
