//! What an administrator says about the copy: the table `astdb_mirror` of a source's settings.

use std::time::Duration;

use crate::pbx::object_reader::Reader;

/// Rows of the database that a PBX can be expected to read through in a few dozen milliseconds.
const CLIENTS: u64 = 100_000;
const CLIENTS_MAX: u64 = 1_000_000;

/// Over a long weekend; and a month.
const TRUSTED_HOURS: u64 = 96;
const TRUSTED_HOURS_MAX: u64 = 720;

/// The end is put off every hour.
const TRUSTED_HOURS_MIN: u64 = 2;

/// A copy of the answers in the PBX's own database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::pbx::asterisk) struct MirrorSettings {
    /// Clients in it at the most.
    pub(in crate::pbx::asterisk) clients_max: usize,
    /// How long the dialplan may use it after we were last in step with it.
    pub(in crate::pbx::asterisk) trusted: Duration,
}

/// Reads the table; notes every mistake.
pub(in crate::pbx::asterisk) fn read(mut r: Reader<'_>) -> Option<MirrorSettings> {
    let clients_max = r.whole("clients_max", CLIENTS_MAX);
    if clients_max == Some(0) {
        r.wrong("clients_max", "must be at least 1");
    }
    let hours = r.whole("trusted_hours", TRUSTED_HOURS_MAX);
    if hours.is_some_and(|hours| hours < TRUSTED_HOURS_MIN) {
        r.wrong(
            "trusted_hours",
            format!("must be at least {TRUSTED_HOURS_MIN}"),
        );
    }
    r.finish();
    let hours = hours.unwrap_or(TRUSTED_HOURS);
    Some(MirrorSettings {
        clients_max: usize::try_from(clients_max.unwrap_or(CLIENTS)).ok()?,
        trusted: Duration::from_secs(hours.saturating_mul(3600)),
    })
}
