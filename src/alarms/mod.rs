//! Alarms reach a person: what stands is remembered on disk, told by e-mail and over a webhook,
//! repeated while it stands, and taken back when it is over.
//!
//! ```text
//! what stands now -> Book (pure: what is due, for whom) -> words -> e-mail, webhook -> Book, on disk
//! ```
//!
//! What a channel was told is written down after it took the message: one that fails is told later,
//! and a crash between the two tells once more.

pub mod book;
pub mod certificate;
mod email;
pub mod notice;
pub mod settings;
mod signs;
mod teller;
mod webhook;
mod words;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::signs::Signs;
pub use self::teller::{ChannelState, Teller};
pub use self::webhook::check_body;
pub use self::words::cure;

/// One alarm. Ends by itself when its cause ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Alarm {
    /// A stable word.
    pub word: String,
    /// What it concerns.
    pub what: String,
    /// In words.
    pub text: String,
}

impl Alarm {
    /// Makes one.
    pub fn new(word: &str, what: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            word: word.to_owned(),
            what: what.into(),
            text: text.into(),
        }
    }

    /// Says whether both are about the same, whatever their words.
    pub fn is(&self, other: &Self) -> bool {
        self.word == other.word && self.what == other.what
    }
}

/// A way to a person.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// By e-mail.
    Email,
    /// Over HTTP.
    Webhook,
}

impl Channel {
    /// Every way.
    pub const ALL: [Channel; 2] = [Channel::Email, Channel::Webhook];

    /// Returns its word.
    pub fn word(self) -> &'static str {
        match self {
            Channel::Email => "email",
            Channel::Webhook => "webhook",
        }
    }
}
