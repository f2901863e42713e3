//! Texts of the program in both languages that people are shown.

use schemars::JsonSchema;
use serde::Serialize;

/// A text in the languages that people are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Words {
    /// In Russian.
    pub ru: &'static str,
    /// In English.
    pub en: &'static str,
}
