//! What an administrator says about the copy: the table `astdb_mirror` of a source's settings.

use std::time::Duration;

use crate::model::object_reader::Reader;

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
    let clients_max = r.whole_in("clients_max", 1..=CLIENTS_MAX, CLIENTS);
    let hours = TRUSTED_HOURS_MIN..=TRUSTED_HOURS_MAX;
    let hours = r.whole_in("trusted_hours", hours, TRUSTED_HOURS);
    r.finish();
    Some(MirrorSettings {
        clients_max: usize::try_from(clients_max).ok()?,
        trusted: Duration::from_secs(hours.saturating_mul(3600)),
    })
}
