//! Tags of new records.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which tags the contacts and deals have that are made, those in Unsorted included.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TagSettings {
    /// The switch of tagging: off, the rest is kept and puts no tags (S0-18).
    #[serde(default = "super::on")]
    pub on: bool,
    /// The client's number, in E.164 (S1-21).
    #[serde(default)]
    pub number: bool,
    /// The source's name, as cards show it.
    #[serde(default)]
    pub source: bool,
    /// Always these (S0-19).
    #[serde(default)]
    #[schemars(extend("x-shape" = "lines"))]
    pub list: Vec<String>,
}

impl Default for TagSettings {
    fn default() -> Self {
        Self {
            on: true,
            number: false,
            source: false,
            list: Vec::new(),
        }
    }
}
