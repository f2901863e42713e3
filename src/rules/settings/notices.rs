//! Who is told of new records where the CRM tells nobody by itself (S3-17).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Who is told of a new record where the CRM cannot tell its users by itself. What is told of is
/// switched on by `notify` of calls, requests and chats.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NoticeSettings {
    /// Who answers for the record, by e-mail: to the employee's address, else to the one that the CRM
    /// has of its user.
    #[serde(default = "super::on")]
    pub to_responsible: bool,
    /// Further addresses, which are told of every record.
    #[serde(default)]
    #[schemars(extend("x-shape" = "lines"))]
    pub to: Vec<String>,
    /// A place of `[notices.webhooks]` in `trunkline.toml`, by its name: every record is posted there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook: Option<String>,
    /// Minutes after which the news is none any more: what was not taken by then is not sent.
    #[serde(default = "an_hour")]
    #[schemars(range(min = 1, max = 1440))]
    pub useful_minutes: u32,
}

fn an_hour() -> u32 {
    60
}

impl NoticeSettings {
    /// Says whether anybody is told by e-mail.
    pub fn has_email(&self) -> bool {
        self.to_responsible || !self.to.is_empty()
    }
}
