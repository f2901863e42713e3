//! What administrators are told about how an account lets us in.

use serde::Serialize;

use crate::model::timestamp::Timestamp;

/// How an account is let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CredentialWay {
    /// By a token that somebody made for us, good until it ends.
    Token,
    /// By a pair of tokens that replaces itself as long as it is used.
    Oauth,
}

/// How an account is let in, and until when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CredentialState {
    /// How.
    pub way: CredentialWay,
    /// When it ends if nothing is done and nothing used: the token itself, or the pair's right to
    /// replace itself. `None` = nothing is stored, or it does not say.
    pub ends_at: Option<Timestamp>,
    /// The host at which the portal answers now, where it was renamed since it was configured.
    pub renamed_to: Option<String>,
}
