//! Someone to be measured beside, if it can be had.

/// A peer that runs, or why it does not.
pub(crate) enum Peer<T> {
    Here(T),
    Skipped(String),
}

impl<T> Peer<T> {
    /// Takes a failure to start as the reason to go on without it.
    pub(crate) fn from_start(name: &str, started: anyhow::Result<T>) -> Self {
        match started {
            Ok(peer) => Self::Here(peer),
            Err(error) => {
                let why = format!("{name} skipped: {error:#}");
                super::say(&why);
                Self::Skipped(why)
            }
        }
    }
}
