//! "Who should this caller reach?": the question of a phone system while a phone rings, and its
//! answer.

use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ids::{EmployeeId, Extension, IntegrationId, SourceKey};
use super::phone::Phone;

/// A question. Every text in it was said by a caller or a phone system, and is hostile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// Which source asks.
    pub source: SourceKey,
    /// The caller's number as the source writes it; empty or a word where it is withheld.
    pub caller: String,
    /// The company's number that was dialled, as the source writes it.
    pub did: Option<String>,
    /// Within what time the answer must be there; `None` = the source's own deadline.
    pub within: Option<Duration>,
}

/// By what way an answer was found, in the order in which they are tried.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Route {
    /// The inbound scenario of the dialled number names an employee (S1-25).
    DidEmployee,
    /// The dialled number belongs to one employee (S1-25).
    DidOwner,
    /// The responsible of the client's card (S1-23).
    PersonalManager,
    /// Somebody stands in for the responsible.
    StandIn,
    /// The default destination.
    Default,
    /// Nobody: the phone system goes on as if we were not there.
    None,
}

/// Where an answer's picture of the client comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Knowledge {
    /// The directory in memory.
    Directory,
    /// The CRM was asked while the phone rang.
    Live,
    /// No client was looked for, or none is known.
    None,
}

/// The client, as an answer shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AnswerClient {
    /// The CRM's id of the card.
    pub id: String,
    /// The card's name.
    pub name: String,
    /// A link to the card; `None` where the CRM has none.
    pub url: Option<String>,
}

/// The employee who answers for the client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AnswerManager {
    /// Our id of the person.
    pub employee: EmployeeId,
    /// The person's name.
    pub name: String,
    /// The person's extension on the asking source; `None` where the person has none there.
    pub extension: Option<Extension>,
}

/// Who the caller should reach.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Answer {
    /// The caller's number in E.164; `None` where it is withheld or no number.
    pub phone: Option<Phone>,
    /// Who calls, where known.
    pub client: Option<AnswerClient>,
    /// Who answers for the client, where known.
    pub manager: Option<Arc<AnswerManager>>,
    /// Where the call should go; `None` = where the phone system sends it by itself.
    pub extension: Option<Extension>,
    /// By what way that was found.
    pub route: Route,
    /// The integration that knew the client.
    pub integration: Option<IntegrationId>,
    /// Where the picture of the client comes from.
    pub knowledge: Knowledge,
    /// How old that picture may be, in seconds; `None` where there is none.
    pub age_s: Option<u64>,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotAnswered {
    /// No such tenant or source.
    #[error("no source {0} is configured")]
    UnknownSource(SourceKey),
    /// The asking address is not in the source's `allow`.
    #[error("{address} may not ask for source {source_key}: add it to the source's `allow`")]
    NotAllowed {
        /// The source.
        source_key: SourceKey,
        /// Who asked.
        address: std::net::IpAddr,
    },
}
