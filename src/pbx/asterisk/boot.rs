//! Recognises a restart of the PBX between two sessions: all its calls are gone then, and its
//! identifiers may come again (`pbx/asterisk.md` §1, §2). Pure.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::timestamp::Timestamp;

/// What was seen of the PBX's start. Which parts are there depends on the AMI user's rights.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Boot {
    /// When this was seen.
    pub(super) at: Timestamp,
    /// Seconds since the start, from FullyBooted (read class system).
    pub(super) uptime_s: Option<u64>,
    /// Date and time of the start in the PBX's own zone, from CoreStatus.
    pub(super) started: Option<String>,
}

/// Clocks of two machines drift and step; uptime is in whole seconds. A PBX that was restarted
/// so shortly after its last start is still caught by its start time or by its channels.
const TOLERANCE: Duration = Duration::from_secs(30);

impl Boot {
    /// Says whether the AMI user's rights let anything through.
    pub(super) fn tells_anything(&self) -> bool {
        self.uptime_s.is_some() || self.started.is_some()
    }

    /// Returns a moment shortly before the start, by the uptime, which is in whole seconds.
    pub(super) fn began_after(&self) -> Option<Timestamp> {
        let uptime = Duration::from_secs(self.uptime_s?.saturating_add(1));
        Some(self.at.minus(uptime))
    }

    /// Says whether the PBX was restarted between two sightings; `None` = cannot be known.
    pub(super) fn restarted_since(&self, before: &Boot) -> Option<bool> {
        let by_uptime = self.uptime_s.zip(before.uptime_s).map(|(now, then)| {
            let passed = self.at.since(before.at);
            let expected = Duration::from_secs(then).saturating_add(passed);
            let shown = Duration::from_secs(now);
            now < then || shown.saturating_add(TOLERANCE) < expected
        });
        let by_start = self
            .started
            .as_ref()
            .zip(before.started.as_ref())
            .map(|(now, then)| now != then);
        match (by_uptime, by_start) {
            // The same start in words is proof, whatever our clock did meanwhile.
            (_, Some(false)) => Some(false),
            // Other words may come from a changed time zone; the uptime decides.
            (Some(by_uptime), Some(true)) => Some(by_uptime),
            (None, Some(true)) => Some(true),
            (by_uptime, None) => by_uptime,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn boot(at_s: i64, uptime_s: Option<u64>, started: Option<&str>) -> Boot {
        Boot {
            at: Timestamp::from_secs(1_795_210_000 + at_s),
            uptime_s,
            started: started.map(str::to_owned),
        }
    }

    #[test]
    fn a_restart_shows_in_uptime_or_in_the_start_time() {
        let same = Some("2026-11-20 21:35:17");
        let other = Some("2026-11-20 22:00:00");
        let rows = [
            (
                boot(0, Some(100), None),
                boot(60, Some(160), None),
                Some(false),
            ),
            (
                boot(0, Some(100), None),
                boot(60, Some(5), None),
                Some(true),
            ),
            // Up for longer than before, yet not as long as it should be.
            (
                boot(0, Some(100), None),
                boot(3600, Some(900), None),
                Some(true),
            ),
            (boot(0, None, same), boot(60, None, same), Some(false)),
            (boot(0, None, same), boot(60, None, other), Some(true)),
            // Our clock stepped by an hour; the PBX says that it is the same run.
            (
                boot(0, Some(100), same),
                boot(3660, Some(160), same),
                Some(false),
            ),
            // The PBX's zone was changed.
            (
                boot(0, Some(100), same),
                boot(60, Some(160), other),
                Some(false),
            ),
            (
                boot(0, Some(100), same),
                boot(60, Some(2), other),
                Some(true),
            ),
            (boot(0, Some(100), None), boot(60, None, other), None),
            (boot(0, None, None), boot(60, None, None), None),
        ];
        for (before, now, expected) in rows {
            assert_eq!(now.restarted_since(&before), expected, "{before:?} {now:?}");
        }
    }
}
