//! The parameters of chats (V-07).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::chat::{Author, Chat};
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
    /// What the visitor wrote: a message contains one of the values.
    Text,
    /// The page from which the visitor came to the site: it contains one of the values.
    Referrer,
    /// What the visitor had searched for: it contains one of the values.
    SearchQuery,
    /// The visitor's name, or the group's.
    Name,
    /// The visitor's city.
    City,
    /// Whether the visitor left a number or an e-mail address: `left` or `none`.
    Contacts,
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
            ChatParameter::Text => "text",
            ChatParameter::Referrer => details::REFERRER,
            ChatParameter::SearchQuery => details::SEARCH_QUERY,
            ChatParameter::Name => "name",
            ChatParameter::City => details::CITY,
            ChatParameter::Contacts => "contacts",
            ChatParameter::UtmSource => "utm_source",
            ChatParameter::UtmMedium => "utm_medium",
            ChatParameter::UtmCampaign => "utm_campaign",
            ChatParameter::UtmContent => "utm_content",
            ChatParameter::UtmTerm => "utm_term",
        }
    }

    fn comparison(self) -> Comparison {
        match self {
            ChatParameter::Employee | ChatParameter::Contacts => Comparison::Exact,
            ChatParameter::Page
            | ChatParameter::Text
            | ChatParameter::Referrer
            | ChatParameter::SearchQuery => Comparison::Part,
            ChatParameter::Channel
            | ChatParameter::Site
            | ChatParameter::Campaign
            | ChatParameter::FirstCampaign
            | ChatParameter::Source
            | ChatParameter::Group
            | ChatParameter::Tag
            | ChatParameter::Name
            | ChatParameter::City
            | ChatParameter::UtmSource
            | ChatParameter::UtmMedium
            | ChatParameter::UtmCampaign
            | ChatParameter::UtmContent
            | ChatParameter::UtmTerm => Comparison::Name,
        }
    }

    fn known_values(self) -> Option<[&'static str; 2]> {
        (self == ChatParameter::Contacts).then_some(["left", "none"])
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
    /// The visitor left a number or an e-mail address.
    pub(in crate::rules) has_contacts: bool,
}

impl ChatFacets<'_> {
    /// Returns what the visitor wrote.
    fn words(&self) -> Vec<&str> {
        let messages = self.chat.messages.iter();
        messages
            .filter(|message| matches!(message.author, Author::Client { .. }))
            .map(|message| message.text.as_str())
            .collect()
    }
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
            ChatParameter::Employee if !chat.is_taken() => Told::Undecided,
            ChatParameter::Employee => Told::One(self.employee),
            ChatParameter::Tag => Told::Many(&chat.tags),
            ChatParameter::Text => Told::These(self.words()),
            ChatParameter::Name => Told::One(chat.group.as_deref().or(chat.name.as_deref())),
            ChatParameter::Contacts if self.has_contacts => Told::One(Some("left")),
            ChatParameter::Contacts => Told::One(Some("none")),
            ChatParameter::Referrer
            | ChatParameter::SearchQuery
            | ChatParameter::City
            | ChatParameter::UtmSource
            | ChatParameter::UtmMedium
            | ChatParameter::UtmCampaign
            | ChatParameter::UtmContent
            | ChatParameter::UtmTerm => Told::One(detail(parameter.word())),
        }
    }
}
