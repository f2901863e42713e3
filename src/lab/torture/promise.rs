//! The promises that a sabotaged daemon breaks, one at a time, and the count in which each shows.

use clap::ValueEnum;
use serde_json::Value;

/// A promise to be broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum BrokenPromise {
    /// What may have been done is done again without a look.
    NoLookAfterAmbiguous,
    /// A post is answered before it is on disk.
    AcknowledgeBeforeCommit,
    /// The works of one client are done side by side.
    LaneIgnored,
    /// One request a second more than permitted.
    LimiterPlusOne,
    /// A refresh token is sent again.
    SpentTokenReused,
    /// An entry carries the time of its delivery.
    CallTimeNow,
}

impl BrokenPromise {
    /// Returns the word that the sabotaged daemon knows it by.
    pub fn word(self) -> String {
        let value = self.to_possible_value();
        value.map_or_else(String::new, |value| value.get_name().to_owned())
    }

    /// Returns the counts of the last line of which one must not be zero.
    pub(super) fn counters(self) -> &'static [&'static str] {
        match self {
            BrokenPromise::NoLookAfterAmbiguous => &["duplicated"],
            BrokenPromise::AcknowledgeBeforeCommit => &["lost"],
            BrokenPromise::LaneIgnored => &["duplicated", "out_of_order"],
            BrokenPromise::LimiterPlusOne => &["rate_violations"],
            BrokenPromise::SpentTokenReused => &["spent_tokens_reused"],
            // The call's own entry is missing, and there is one that nothing called for.
            BrokenPromise::CallTimeNow => &["lost"],
        }
    }

    /// Says whether the torture noticed.
    pub(super) fn is_caught(self, last_line: &Value) -> bool {
        let turned = |counter: &&str| last_line[*counter].as_u64().unwrap_or(0) > 0;
        self.counters().iter().any(turned)
    }
}
