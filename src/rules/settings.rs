//! What an administrator chose for an integration: the one Rust form of the rows of
//! `docs/features.md`. Stored once per revision; replayed by the revision's number.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::ids::CrmUserId;
use crate::model::phone::Phone;

pub use super::popup::{PopupSettings, ShowTo};

/// The settings of one integration, by kind of communication. A kind that is absent is decided
/// as "nothing configured".
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IntegrationSettings {
    /// Calls.
    #[serde(default)]
    pub calls: Option<CallSettings>,
    /// What to do about a step of which it cannot be known whether it arrived.
    #[serde(default)]
    pub when_undecidable: WhenUndecidable,
    /// The card of a caller is shown while the telephone rings (S2-39).
    #[serde(default)]
    pub popup: Option<PopupSettings>,
}

/// What an integration rather has where a CRM gives no way to find out whether a request that was
/// not answered had its effect. Adapters declare for which steps that can happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WhenUndecidable {
    /// Send again: the effect may be there twice.
    #[default]
    RatherTwice,
    /// Give up: the effect may not be there; a dead letter says so.
    RatherNever,
}

/// What is made of calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CallSettings {
    /// Answers for what nobody else answers for (S1-17). A user of the CRM.
    #[schemars(with = "String")]
    pub default_responsible: CrmUserId,
    /// Numbers of partners and own lines: their calls make nothing at all (S1-28).
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub partner_numbers: Vec<Phone>,
    /// Where the call history is written (S1-26).
    #[serde(default)]
    pub call_history: CallHistory,
    /// Calls from clients.
    #[serde(default)]
    pub incoming: DirectionSettings,
    /// Calls to clients (S1-19).
    #[serde(default)]
    pub outgoing: DirectionSettings,
}

/// Where an entry of the call history is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CallHistory {
    /// On the client's only open deal, else on the contact, else on the company.
    #[default]
    Card,
    /// On the card that the CRM itself finds by the number.
    CrmChooses,
}

/// What is made of calls in one direction.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DirectionSettings {
    /// Client numbers whose calls make no entities; they are still logged on a card that exists
    /// (S1-18, S1-20).
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub filtered_numbers: Vec<Phone>,
    /// Case A: answered, the client is in no contact (S1-07).
    #[serde(default)]
    pub answered_unknown: Option<UnknownCase>,
    /// Case B: missed, the client is in no contact (S1-08).
    #[serde(default)]
    pub missed_unknown: Option<UnknownCase>,
    /// Case C: answered, the client is known (S1-09).
    #[serde(default)]
    pub answered_known: Option<KnownCase>,
    /// Case D: missed, the client is known (S1-10).
    #[serde(default)]
    pub missed_known: Option<KnownCase>,
}

fn on() -> bool {
    true
}

/// A case of unknown clients: a toggle and an action, so that switching it off forgets nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UnknownCase {
    /// The toggle.
    #[serde(default = "on")]
    pub on: bool,
    /// What is made.
    pub action: UnknownAction,
}

/// A case of known clients.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KnownCase {
    /// The toggle.
    #[serde(default = "on")]
    pub on: bool,
    /// What is made.
    pub action: KnownAction,
}

/// What is made for a client who is in no contact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum UnknownAction {
    /// A contact and a deal (S1-11).
    ContactAndDeal {
        /// Pipeline, by the CRM's id.
        pipeline: String,
        /// Stage, by the CRM's id.
        stage: String,
    },
    /// A record in Unsorted, always; takes no stage (S1-12).
    Unsorted {
        /// Pipeline, by the CRM's id.
        pipeline: String,
    },
    /// A contact only (S1-13). Braces, because serde lets a bare variant take any further key.
    Contact {},
}

/// What is made for a client who is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum KnownAction {
    /// The contact is used; a deal is made when the client has no open one (S1-15).
    ContactAndDeal {
        /// Pipeline, by the CRM's id.
        pipeline: String,
        /// Stage, by the CRM's id.
        stage: String,
    },
    /// A deal at every call, when it has ended (S1-14).
    DealAlways {
        /// Pipeline, by the CRM's id.
        pipeline: String,
        /// Stage, by the CRM's id.
        stage: String,
    },
    /// A record in Unsorted, always; takes no stage (S1-12).
    Unsorted {
        /// Pipeline, by the CRM's id.
        pipeline: String,
    },
}
