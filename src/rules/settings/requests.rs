//! What is made of site requests (S0-06 … S0-22).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::ids::CrmUserId;

use super::{
    Assign, Choices, FieldRule, Filter, ResponsibleRule, TagSettings, TaskSettings, Template,
};

/// What is made of site requests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RequestSettings {
    /// The switch of "offline requests" (S0-06).
    #[serde(default = "super::on")]
    pub on: bool,
    /// Answers for what nobody else answers for. A user of the CRM.
    #[schemars(with = "String", extend("x-shape" = "user"))]
    pub default_responsible: CrmUserId,
    /// How requests are brought into the CRM (S0-07 … S0-09).
    pub method: RequestMethod,
    /// How those of known clients are, where that differs (S2-18).
    #[serde(default)]
    pub repeat_method: Option<RequestMethod>,
    /// Who answers for what new clients make (S2-18, S2-20), before any rule; absent, or where it finds
    /// nobody, the rules of responsibles say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assign_to: Option<Assign>,
    /// The same of known clients.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeat_assign_to: Option<Assign>,
    /// Requests of known clients are left alone altogether (S0-10).
    #[serde(default)]
    pub first_time_only: bool,
    /// Which requests are processed (S0-13); absent or without conditions = all (S2-26).
    #[serde(default)]
    pub filter: Option<Filter<RequestParameter>>,
    /// Where deals go, in order; the first rule that holds wins, else the method's own place
    /// (S0-22). For the method "contact and deal" only (S0-20).
    #[serde(default)]
    pub pipelines: Vec<PipelineRule>,
    /// Who answers for new records, in order; the first rule that finds somebody wins (S0-16).
    #[serde(default)]
    pub responsible: Vec<ResponsibleRule<RequestParameter>>,
    /// Tags of new records (S0-18).
    #[serde(default)]
    pub tags: TagSettings,
    /// The name of a new contact (S0-14); not of one in Unsorted (S0-15).
    #[serde(default)]
    pub contact_name: Option<Template>,
    /// The template that the CRM makes a new contact from, by its id (S2-19); for CRMs that have such.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact_template: Option<String>,
    /// The name of a new deal (S0-14); not of one in Unsorted (S0-15).
    #[serde(default)]
    pub deal_name: Option<Template>,
    /// Additional fields of contacts and deals (S0-17).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldRule>,
    /// A task at every request (S0-11); absent = none.
    #[serde(default)]
    pub task: Option<TaskSettings>,
    /// Who answers for a new record is told of it (S3-17, V-16): by the CRM where it takes notices,
    /// else as `notices` says.
    #[serde(default)]
    pub notify: bool,
}

impl RequestSettings {
    /// Returns what requests have in common with chats.
    pub(in crate::rules) fn choices(&self) -> Choices<'_, RequestParameter> {
        Choices {
            default_responsible: &self.default_responsible,
            method: &self.method,
            repeat_method: self.repeat_method.as_ref(),
            assign_to: self.assign_to.as_ref(),
            repeat_assign_to: self.repeat_assign_to.as_ref(),
            first_time_only: self.first_time_only,
            filter: self.filter.as_ref(),
            pipelines: &self.pipelines,
            responsible: &self.responsible,
            tags: &self.tags,
            contact_name: self.contact_name.as_ref(),
            contact_template: self.contact_template.as_deref(),
            deal_name: self.deal_name.as_ref(),
            fields: &self.fields,
            tasks: vec![("task", self.task.as_ref())],
        }
    }
}

/// How a request or chat is brought into the CRM.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum RequestMethod {
    /// People look after it: no contact, deal or unsorted record (S0-07).
    ByHand {},
    /// A record in Unsorted, always; takes no stage (S0-08).
    Unsorted {
        /// Pipeline, by the CRM's id.
        #[schemars(extend("x-shape" = "pipeline"))]
        pipeline: String,
    },
    /// A contact, at the first time only (S0-09).
    Contact {
        /// The other reading of S0-09: a deal is made always, here. Absent = no deal.
        #[serde(default)]
        deal: Option<DealPlace>,
    },
    /// A deal always, a contact at the first time only (S0-09).
    ContactAndDeal {
        /// Pipeline, by the CRM's id.
        #[schemars(extend("x-shape" = "pipeline"))]
        pipeline: String,
        /// Stage, by the CRM's id.
        #[schemars(extend("x-shape" = "stage"))]
        stage: String,
    },
    /// Where the CRM works with leads beside deals, a lead, unless the client has an open one; else
    /// a deal always and a contact at the first time (S3-05, S3-09). Who left neither number nor
    /// address gets no contact (V-06).
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

/// Where a deal is made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DealPlace {
    /// Pipeline, by the CRM's id.
    #[schemars(extend("x-shape" = "pipeline"))]
    pub pipeline: String,
    /// Stage, by the CRM's id.
    #[schemars(extend("x-shape" = "stage"))]
    pub stage: String,
}

/// A rule of pipelines (S0-22, V-12).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PipelineRule<P = RequestParameter> {
    /// Its name, as explanations show it.
    pub name: String,
    /// The toggle.
    #[serde(default = "super::on")]
    pub on: bool,
    /// When it holds.
    pub when: Filter<P>,
    /// Pipeline, by the CRM's id.
    #[schemars(extend("x-shape" = "pipeline"))]
    pub pipeline: String,
    /// Stage of that pipeline, by the CRM's id.
    #[schemars(extend("x-shape" = "stage"))]
    pub stage: String,
}

/// What a condition looks at in a site request (V-07). Letters count the same in either case; what
/// the request does not tell has none of the values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RequestParameter {
    /// The site.
    Site,
    /// The page with the form: it contains one of the values.
    Page,
    /// The form's name or number.
    Form,
    /// The sort of form, as the source names it.
    FormType,
    /// What the client wrote: it contains one of the values.
    Text,
    /// The page from which the client came to the site: it contains one of the values.
    Referrer,
    /// The advertising campaign.
    Campaign,
    /// The campaign of the client's first visit.
    FirstCampaign,
    /// Where the client came from, as the source sorts it.
    Source,
    /// The department that the client chose.
    Group,
    /// A mark that an employee or the source set.
    Tag,
    /// What the client had searched for: it contains one of the values.
    SearchQuery,
    /// The client's city.
    City,
    /// The mark `utm_source` of the advertisement's address.
    UtmSource,
    /// The mark `utm_medium`.
    UtmMedium,
    /// The mark `utm_campaign`.
    UtmCampaign,
    /// The mark `utm_content`.
    UtmContent,
    /// The mark `utm_term`.
    UtmTerm,
}
