//! Waiting for a condition.

use std::time::Duration;

use tokio::time::{self, Instant};

/// Everything awaited here comes within a second or two, but on a machine that is busy with a
/// build.
const DEADLINE: Duration = Duration::from_secs(60);

/// What waits for the word of a CRM that may take a minute over a request.
const LATE_DEADLINE: Duration = Duration::from_secs(180);

/// Pause between two looks.
const PAUSE: Duration = Duration::from_millis(20);

/// Looks until there is something, and returns it; fails after a minute with what was seen last.
pub(super) async fn until<T>(what: &str, look: impl AsyncFnMut() -> Result<T, String>) -> T {
    until_within(what, DEADLINE, look).await
}

/// The same, for what may take minutes.
pub(super) async fn until_late<T>(what: &str, look: impl AsyncFnMut() -> Result<T, String>) -> T {
    until_within(what, LATE_DEADLINE, look).await
}

async fn until_within<T>(
    what: &str,
    within: Duration,
    mut look: impl AsyncFnMut() -> Result<T, String>,
) -> T {
    let deadline = Instant::now() + within;
    loop {
        let seen = match look().await {
            Ok(found) => return found,
            Err(seen) => seen,
        };
        assert!(
            Instant::now() < deadline,
            "not within {within:?}: {what}; seen last: {seen}"
        );
        time::sleep(PAUSE).await;
    }
}

/// `Ok` when the condition holds, else what was seen.
pub(super) fn when(holds: bool, seen: impl std::fmt::Display) -> Result<(), String> {
    if holds { Ok(()) } else { Err(seen.to_string()) }
}
