//! Promises that a special build can be told to break, one at a time, so that the torture can
//! prove that it would notice (`docs/torture.md`).
//!
//! Only the feature `sabotage` has this; in every other build [`broken`] is a constant `false`
//! and the compiler takes the hooks out.

/// A promise of the delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Promise {
    /// After an unclear answer, or a restart amid a request, the CRM is looked at first.
    LookAfterAmbiguous,
    /// A source is answered only after the commit.
    AcknowledgeAfterCommit,
    /// One client's works are done one after the other.
    Lanes,
    /// The account's budget is not exceeded, not by one request a second.
    Limiter,
    /// A refresh token that was sent is never sent again.
    SpentToken,
    /// An entry carries the call's own time.
    CallTime,
}

/// Says whether this process was told to break a promise.
#[cfg(not(feature = "sabotage"))]
pub const fn broken(_: Promise) -> bool {
    false
}

/// What `--version` says.
#[cfg(not(feature = "sabotage"))]
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Returns what the log must say at every start, if anything.
#[cfg(not(feature = "sabotage"))]
pub const fn warning() -> Option<String> {
    None
}

#[cfg(feature = "sabotage")]
pub use on::{VERSION, broken, named, warning};

#[cfg(feature = "sabotage")]
mod on {
    use std::sync::OnceLock;

    use super::Promise;

    /// The environment variable that names the promise to be broken.
    const VARIABLE: &str = "TRUNKLINE_SABOTAGE";

    /// What `--version` says.
    pub const VERSION: &str = concat!(
        env!("CARGO_PKG_VERSION"),
        " SABOTAGE BUILD, loses and repeats work on purpose"
    );

    /// Every promise with its word.
    const WORDS: [(&str, Promise); 6] = [
        ("no_look_after_ambiguous", Promise::LookAfterAmbiguous),
        ("acknowledge_before_commit", Promise::AcknowledgeAfterCommit),
        ("lane_ignored", Promise::Lanes),
        ("limiter_plus_one", Promise::Limiter),
        ("spent_token_reused", Promise::SpentToken),
        ("call_time_now", Promise::CallTime),
    ];

    /// Returns the promise that the environment names, with its word.
    ///
    /// # Errors
    /// A word that names none: a sabotage that does nothing would prove nothing.
    pub fn named() -> Result<Option<(&'static str, Promise)>, String> {
        let Ok(word) = std::env::var(VARIABLE) else {
            return Ok(None);
        };
        let found = WORDS.into_iter().find(|(known, _)| *known == word);
        let words: Vec<&str> = WORDS.iter().map(|(word, _)| *word).collect();
        found
            .map(Some)
            .ok_or_else(|| format!("{VARIABLE}={word}: use one of {}", words.join(", ")))
    }

    /// Returns what the log must say at every start.
    pub fn warning() -> Option<String> {
        let does = match named() {
            Ok(Some((word, _))) => format!("breaks the promise {word} on purpose"),
            Ok(None) => format!("breaks promises on purpose where {VARIABLE} names one"),
            Err(why) => why,
        };
        Some(format!(
            "THIS IS A SABOTAGE BUILD: it {does}. Never let it near a company's CRM"
        ))
    }

    /// Says whether this process was told to break a promise.
    pub fn broken(promise: Promise) -> bool {
        static TOLD: OnceLock<Option<Promise>> = OnceLock::new();
        let told = TOLD.get_or_init(|| named().ok().flatten().map(|(_, promise)| promise));
        *told == Some(promise)
    }
}
