//! What is made of site requests.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::ids::CrmUserId;

use super::{AssignRule, DealPlaces, Method, TaskSettings, Template, WrittenTags};

/// What is made of site requests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RequestSettings {
    /// The toggle (S0-06): off = nothing is done about requests.
    #[serde(default = "super::on")]
    pub on: bool,
    /// Answers for what nobody else answers for (S0-16). A user of the CRM.
    #[schemars(with = "String")]
    pub default_responsible: CrmUserId,
    /// What a request makes of a client who is in no contact; without `repeat` of any client.
    pub method: Method,
    /// What a request makes of a client who is in a contact already.
    #[serde(default)]
    pub repeat: Option<Method>,
    /// Only requests of clients who are in no contact are processed (S0-10).
    #[serde(default)]
    pub first_time_only: bool,
    /// Where deals are made. Mandatory where a method makes deals, and only there (S0-20, S0-21).
    #[serde(default)]
    pub deals: Option<DealPlaces<RequestWhen>>,
    /// Who answers for new records, in order; the first rule that finds somebody wins (S0-16).
    #[serde(default)]
    pub responsible: Vec<AssignRule<RequestWhen>>,
    /// Tags of new records (S0-18, S0-19).
    #[serde(default)]
    pub tags: WrittenTags,
    /// The name of a new contact (S0-14); not of one in Unsorted (S0-15).
    #[serde(default)]
    pub contact_name: Option<Template>,
    /// The name of a new deal (S0-14); not of one in Unsorted (S0-15).
    #[serde(default)]
    pub deal_name: Option<Template>,
    /// A task for the responsible about every request that is processed (S0-11); absent = none.
    #[serde(default)]
    pub task: Option<TaskSettings>,
}

/// Conditions of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum RequestWhen {}
