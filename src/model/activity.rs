//! Whether an integration works (S1-04).

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What an integration does with what it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Activity {
    /// Nothing.
    #[default]
    Off,
    /// Decides and explains live traffic, sends nothing.
    Observe,
    /// Decides and carries out.
    On,
}

impl fmt::Display for Activity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Activity::Off => "off",
            Activity::Observe => "observe",
            Activity::On => "on",
        })
    }
}
