//! Additional fields that communications fill.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Template;
use crate::model::plan::Entity;

/// One field of one sort of card. What a person typed is not overwritten but where
/// `update_always` says so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FieldRule {
    /// The sort of card.
    pub card: FieldCard,
    /// The field, by the CRM's id, its code or its name.
    #[schemars(extend("x-shape" = "field"))]
    pub field: String,
    /// What is written; nothing where nothing is left of it.
    pub value: Template,
    /// Off: filled when the card is made. On: written at every communication, over what is there.
    #[serde(default)]
    pub update_always: bool,
}

/// A sort of card that has additional fields.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum FieldCard {
    /// The contact that is made, else the client's.
    Contact,
    /// The deal that is made, else the client's only open one.
    Deal,
    /// The client's company, where the client is in no contact.
    Company,
    /// The lead that is made, else the client's open one, where the client is in neither contact nor
    /// company and the CRM has leads beside deals.
    Lead,
}

impl FieldCard {
    /// All of them, in the order in which they are filled.
    pub const ALL: [FieldCard; 4] = [
        FieldCard::Contact,
        FieldCard::Company,
        FieldCard::Lead,
        FieldCard::Deal,
    ];

    /// Returns what the plan calls it.
    pub fn entity(self) -> Entity {
        match self {
            FieldCard::Contact => Entity::Contact,
            FieldCard::Deal => Entity::Deal,
            FieldCard::Company => Entity::Company,
            FieldCard::Lead => Entity::Lead,
        }
    }

    /// Returns the role of the step that makes one; companies are not made.
    pub(in crate::rules) fn maker(self) -> Option<&'static str> {
        match self {
            FieldCard::Contact => Some("contact"),
            FieldCard::Deal => Some("deal"),
            FieldCard::Lead => Some("lead"),
            FieldCard::Company => None,
        }
    }

    /// Returns the role of the step that fills one that exists.
    pub(in crate::rules) fn role(self) -> &'static str {
        match self {
            FieldCard::Contact => "contact-fields",
            FieldCard::Deal => "deal-fields",
            FieldCard::Company => "company-fields",
            FieldCard::Lead => "lead-fields",
        }
    }
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
