//! Calls that are asked for in the CRM.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::ids::{EmployeeId, SourceId};
use crate::model::phone::Phone;

/// Clicks on numbers in the CRM are calls: the telephone of who clicked rings first, then the client
/// is called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClickSettings {
    /// The source that places the calls: one that can, by its settings.
    #[schemars(with = "String")]
    pub source: SourceId,
    /// The company's number that clients see, instead of the source's own (V-14).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub caller_id: Option<Phone>,
    /// Who is connected with those that leave their number in the CRM's callback form (V-14); absent =
    /// nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub callback: Option<EmployeeId>,
}
