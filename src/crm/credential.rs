//! What administrators are told about how an account lets us in, and what they type to let us in.

use schemars::JsonSchema;
use serde::Serialize;

use crate::model::timestamp::Timestamp;
use crate::model::words::Words;

/// How an account is let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CredentialWay {
    /// By a token that somebody made for us, good until it ends.
    Token,
    /// By a pair of tokens that replaces itself as long as it is used.
    Oauth,
}

/// How an account is let in, and until when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CredentialState {
    /// How.
    pub way: CredentialWay,
    /// When it ends if nothing is done and nothing used: the token itself, or the pair's right to
    /// replace itself. `None` = nothing is stored, or it does not say.
    pub ends_at: Option<Timestamp>,
    /// The host at which the portal answers now, where it was renamed since it was configured.
    pub renamed_to: Option<String>,
}

/// What a person types to add an account of a CRM (S0-02, S1-01, S2-01, S4-02), besides a title. A
/// page is made of it, so that no page knows any CRM.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
pub struct CredentialForm {
    /// What people call the CRM.
    pub title: &'static str,
    /// What the address is; it is the setting `url`.
    pub address: Words,
    /// An address as an example.
    pub example: &'static str,
    /// The ways of being let in, the one that is best for most first.
    pub ways: &'static [EntryWay],
}

/// A way of being let in.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
pub struct EntryWay {
    /// Its name, unique in the form.
    pub name: &'static str,
    /// What people call it.
    pub title: Words,
    /// Where in the CRM all of this is found.
    pub hint: Words,
    /// Once the account is saved a person permits it on a page of the CRM, or pastes a code from there.
    pub consent: bool,
    /// What is typed.
    pub fields: &'static [EntryField],
}

/// Something that is typed.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
pub struct EntryField {
    /// The key in the account's `settings`, or the name of the secret.
    pub key: &'static str,
    /// What it is.
    pub kind: EntryKind,
    /// The way does not work without.
    pub required: bool,
    /// What people call it.
    pub title: Words,
    /// What it is, and where it is found.
    pub hint: Words,
}

/// What is typed into a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EntryKind {
    /// A line.
    Text,
    /// A whole number.
    Whole,
    /// A secret: typed once and never shown.
    Secret,
    /// The address at which the CRM sends people back to us; ours where the outside reaches us.
    Callback,
}
