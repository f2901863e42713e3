//! The wall clock of the lab. The lab shares no code with the daemon, so it has its own.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Returns the time since 1970-01-01 UTC.
#[expect(
    clippy::disallowed_methods,
    reason = "a simulator stands for machines outside, whose clocks the daemon's tests do not drive"
)]
pub(crate) fn now() -> Duration {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
}
