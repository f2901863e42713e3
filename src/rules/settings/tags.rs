//! Tags of new records.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which tags the contacts and deals have that are made, those in Unsorted included.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TagSettings {
    /// The client's number, in E.164 (S1-21).
    #[serde(default)]
    pub number: bool,
    /// The source's name, as cards show it.
    #[serde(default)]
    pub source: bool,
    /// Always these.
    #[serde(default)]
    pub list: Vec<String>,
}
