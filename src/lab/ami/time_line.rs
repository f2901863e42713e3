//! Moves the times of a recorded call to now, and stretches them with the speed.

use std::time::Duration;

use jiff::tz::TimeZone;

use super::capture::{self, Capture};

/// Where the recorded times lie now.
pub(super) struct TimeLine {
    /// The earliest recorded second.
    pub(super) recorded_s: i64,
    /// The second that stands for it now.
    pub(super) start_s: i64,
    /// How many times faster the call is played.
    pub(super) speed: f64,
}

impl TimeLine {
    pub(super) fn scale(&self, recorded: Duration) -> Duration {
        Duration::try_from_secs_f64(recorded.as_secs_f64() / self.speed).unwrap_or(recorded)
    }

    pub(super) fn second(&self, recorded: i64) -> i64 {
        let since = (recorded - self.recorded_s) as f64 / self.speed;
        self.start_s.saturating_add(since as i64)
    }

    pub(super) fn amount(&self, recorded: u32) -> u64 {
        (f64::from(recorded) / self.speed).round() as u64
    }

    pub(super) fn wall_time(&self, name: &str, value: &str) -> String {
        let Some(recorded) = capture::second_of(name, value) else {
            return value.to_owned();
        };
        let Ok(now) = jiff::Timestamp::from_second(self.second(recorded)) else {
            return value.to_owned();
        };
        let format = match name {
            "EventTV" | "SessionTV" => "%Y-%m-%dT%H:%M:%S.000+0000",
            _ => "%Y-%m-%d %H:%M:%S",
        };
        now.to_zoned(TimeZone::UTC).strftime(format).to_string()
    }

    /// The dates inside the name of a recording's file.
    pub(super) fn file_name_swaps(&self, capture: &Capture) -> Vec<(String, String)> {
        let Some(first) = capture
            .unique_ids
            .iter()
            .find_map(|id| capture::epoch_of_unique_id(id))
        else {
            return Vec::new();
        };
        ["%Y%m%d-%H%M%S", "%Y/%m/%d"]
            .iter()
            .filter_map(|format| {
                let text = |second| {
                    let at = jiff::Timestamp::from_second(second).ok()?;
                    Some(at.to_zoned(TimeZone::UTC).strftime(format).to_string())
                };
                Some((text(first)?, text(self.second(first))?))
            })
            .collect()
    }
}
