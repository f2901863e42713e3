//! A length of time as people write it.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The longest interval: ten years.
const DAYS_MAX: u64 = 3650;

const MINUTE_S: u64 = 60;
const HOUR_S: u64 = 60 * MINUTE_S;
const DAY_S: u64 = 24 * HOUR_S;

/// Days, hours and minutes; what is not named counts as none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Interval {
    /// Days of 24 hours.
    #[serde(default)]
    pub days: u32,
    /// Hours.
    #[serde(default)]
    pub hours: u32,
    /// Minutes.
    #[serde(default)]
    pub minutes: u32,
}

impl Interval {
    /// Returns the whole length.
    pub fn duration(self) -> Duration {
        Duration::from_secs(
            u64::from(self.days) * DAY_S
                + u64::from(self.hours) * HOUR_S
                + u64::from(self.minutes) * MINUTE_S,
        )
    }

    /// Says what is wrong with it, if anything.
    pub(in crate::rules) fn mistake(self) -> Option<&'static str> {
        let seconds = self.duration().as_secs();
        if seconds == 0 {
            Some("name at least a minute: days, hours or minutes")
        } else if seconds > DAYS_MAX * DAY_S {
            Some("this is more than ten years: at most 3650 days")
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_is_the_sum_of_its_parts() {
        let interval: Interval = toml::from_str("days = 1\nhours = 2\nminutes = 3").expect("one");
        assert_eq!(interval.duration().as_secs(), 93_780);
        assert_eq!(interval.mistake(), None);
        assert!(Interval::default().mistake().is_some());
        let long = Interval {
            days: u32::MAX,
            hours: u32::MAX,
            minutes: u32::MAX,
        };
        assert!(long.mistake().is_some());
    }
}
