//! The promises that a sabotaged daemon breaks, one at a time.

use clap::ValueEnum;

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
}
