//! The parameters of chats (V-07).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::chat::Chat;
use crate::model::details;

use super::{Comparison, Facets, Parameter, Told};

/// What a condition looks at in a chat. What the chat does not tell has none of the values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChatParameter {
    /// Where it takes place: `site`, `telegram`, `whatsapp`, …
    Channel,
    /// The site.
    Site,
    /// The page on which the chat began: it contains one of the values.
    Page,
    /// The advertising campaign.
    Campaign,
    /// The campaign of the visitor's first visit.
    FirstCampaign,
    /// Where the visitor came from, as the source sorts it.
    Source,
    /// The department that the visitor chose.
    Group,
    /// The employee who took it, by our own name. Decided by somebody's taking it: a chat that
    /// nobody took matches neither "include" nor "exclude" (V-08).
    Employee,
    /// A mark that the employee set.
    Tag,
}

impl Parameter for ChatParameter {
    fn word(self) -> &'static str {
        match self {
            ChatParameter::Channel => "channel",
            ChatParameter::Site => "site",
            ChatParameter::Page => "page",
            ChatParameter::Campaign => "campaign",
            ChatParameter::FirstCampaign => "first_campaign",
            ChatParameter::Source => "source",
            ChatParameter::Group => "group",
            ChatParameter::Employee => "employee",
            ChatParameter::Tag => "tag",
        }
    }

    fn comparison(self) -> Comparison {
        match self {
            ChatParameter::Employee => Comparison::Exact,
            ChatParameter::Page => Comparison::Part,
            ChatParameter::Channel
            | ChatParameter::Site
            | ChatParameter::Campaign
            | ChatParameter::FirstCampaign
            | ChatParameter::Source
            | ChatParameter::Group
            | ChatParameter::Tag => Comparison::Name,
        }
    }

    fn is_employee(self) -> bool {
        self == ChatParameter::Employee
    }
}

/// What a chat has of each parameter.
#[derive(Debug, Clone)]
pub(in crate::rules) struct ChatFacets<'a> {
    pub(in crate::rules) chat: &'a Chat,
    /// Who took it, by our own name.
    pub(in crate::rules) employee: Option<&'a str>,
}

impl Facets<ChatParameter> for ChatFacets<'_> {
    fn told(&self, parameter: ChatParameter) -> Told<'_> {
        let chat = self.chat;
        let detail = |name: &str| chat.details.get(name).map(String::as_str);
        match parameter {
            ChatParameter::Channel => Told::One(Some(&chat.channel)),
            ChatParameter::Site => Told::One(chat.site.as_deref().or(detail(details::SITE))),
            ChatParameter::Page => Told::One(detail(details::PAGE).or(chat.site.as_deref())),
            ChatParameter::Campaign => Told::One(detail(details::CAMPAIGN)),
            ChatParameter::FirstCampaign => Told::One(detail(details::FIRST_CAMPAIGN)),
            ChatParameter::Source => Told::One(detail(details::SOURCE)),
            ChatParameter::Group => Told::One(detail(details::GROUP)),
            ChatParameter::Employee if chat.employee.is_none() => Told::Undecided,
            ChatParameter::Employee => Told::One(self.employee),
            ChatParameter::Tag => Told::Many(&chat.tags),
        }
    }
}
