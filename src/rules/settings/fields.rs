//! Additional fields that calls fill.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Template;

/// One field of one sort of card. What a person typed is not overwritten but where
/// `update_always` says so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FieldRule {
    /// The sort of card.
    pub card: FieldCard,
    /// The field, by the CRM's id. It must take text.
    pub field: String,
    /// What is written; nothing where nothing is left of it.
    pub value: Template,
    /// Off: filled when the card is made. On: written at every call, over what is there.
    #[serde(default)]
    pub update_always: bool,
}

/// A sort of card that has additional fields.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum FieldCard {
    /// The contact that the call makes, else the client's.
    Contact,
    /// The deal that the call makes, else the client's only open one.
    Deal,
}

/// Whose telephony the CRM works with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Telephony {
    /// This one: cases, tasks and the log as set.
    #[default]
    Ours,
    /// Another one, which makes records and logs calls: only additional fields of cards that exist
    /// are filled (V-03).
    Another,
}
