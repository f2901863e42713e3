//! When somebody works: spans of an ordinary week, in the local time of the tenant.

use std::fmt;
use std::str::FromStr;

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::timestamp::Timestamp;

/// A day of the week.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Day {
    /// Monday.
    Mon,
    /// Tuesday.
    Tue,
    /// Wednesday.
    Wed,
    /// Thursday.
    Thu,
    /// Friday.
    Fri,
    /// Saturday.
    Sat,
    /// Sunday.
    Sun,
}

impl Day {
    /// Returns the day's number, Monday being 0.
    fn number(self) -> u16 {
        match self {
            Day::Mon => 0,
            Day::Tue => 1,
            Day::Wed => 2,
            Day::Thu => 3,
            Day::Fri => 4,
            Day::Sat => 5,
            Day::Sun => 6,
        }
    }
}

/// A time of day in minutes, from `00:00` to `24:00`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DayTime(u16);

/// A text that is no time of day.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a time of day: write it like \"09:00\", at the latest \"24:00\"")]
pub struct BadDayTime {
    /// The beginning of the refused text.
    pub text: String,
}

impl FromStr for DayTime {
    type Err = BadDayTime;
    fn from_str(text: &str) -> Result<Self, BadDayTime> {
        let bad = || BadDayTime {
            text: text.chars().take(16).collect(),
        };
        let (hours, minutes) = text.split_once(':').ok_or_else(bad)?;
        let two = |part: &str| -> Option<u16> {
            let plain = part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
            plain.then(|| part.parse().ok()).flatten()
        };
        let (hours, minutes) = two(hours).zip(two(minutes)).ok_or_else(bad)?;
        let whole = hours * 60 + minutes;
        if minutes > 59 || whole > MINUTES_A_DAY {
            return Err(bad());
        }
        Ok(Self(whole))
    }
}

impl TryFrom<String> for DayTime {
    type Error = BadDayTime;
    fn try_from(text: String) -> Result<Self, BadDayTime> {
        text.parse()
    }
}

impl From<DayTime> for String {
    fn from(time: DayTime) -> String {
        time.to_string()
    }
}

impl fmt::Display for DayTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

const MINUTES_A_DAY: u16 = 24 * 60;
const MINUTES_A_WEEK: u16 = 7 * MINUTES_A_DAY;

/// A span of work on some days. One whose end is not after its beginning goes on past midnight.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WorkSpan {
    /// The days on which it begins.
    pub days: Vec<Day>,
    /// When it begins.
    #[schemars(with = "String", extend("x-shape" = "time"))]
    pub from: DayTime,
    /// When it is over.
    #[schemars(with = "String", extend("x-shape" = "time"))]
    pub to: DayTime,
}

/// The hours of an ordinary week. Without any span nobody ever works.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct WorkHours(pub Vec<WorkSpan>);

impl WorkHours {
    /// Says whether it is a time of work, by the clocks of the zone.
    pub fn covers(&self, at: Timestamp, zone: &TimeZone) -> bool {
        let Ok(at) = jiff::Timestamp::from_millisecond(at.as_millis()) else {
            return false;
        };
        let local = zone.to_datetime(at);
        let day = u16::from(local.weekday().to_monday_zero_offset().unsigned_abs());
        let hour = u16::from(local.hour().unsigned_abs());
        let minute = u16::from(local.minute().unsigned_abs());
        let now = day * MINUTES_A_DAY + hour * 60 + minute;
        self.0.iter().any(|span| span.covers(now))
    }
}

impl DayTime {
    /// Returns it in minutes since midnight.
    pub fn minutes(self) -> u16 {
        self.0
    }

    /// Returns the moment of a day, by the clocks of the day; `24:00` is the next day's beginning.
    /// `None` past the end of the calendar.
    pub(super) fn on(self, date: Date) -> Option<DateTime> {
        if self.0 == MINUTES_A_DAY {
            return Some(date.tomorrow().ok()?.at(0, 0, 0, 0));
        }
        let (hour, minute) = (i8::try_from(self.0 / 60), i8::try_from(self.0 % 60));
        Some(date.at(hour.ok()?, minute.ok()?, 0, 0))
    }
}

impl WorkSpan {
    /// Says whether it begins on a day of this name.
    pub(super) fn begins_on(&self, date: Date) -> bool {
        let number = date.weekday().to_monday_zero_offset();
        let mut days = self.days.iter();
        days.any(|day| i8::try_from(day.number()) == Ok(number))
    }

    /// Says whether a minute of the week lies in it.
    fn covers(&self, now: u16) -> bool {
        let length = if self.to > self.from {
            self.to.0 - self.from.0
        } else {
            MINUTES_A_DAY - self.from.0 + self.to.0
        };
        self.days.iter().any(|day| {
            let start = day.number() * MINUTES_A_DAY + self.from.0;
            (now + MINUTES_A_WEEK - start) % MINUTES_A_WEEK < length
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hours(text: &str) -> WorkHours {
        serde_json::from_str(text).expect("hours")
    }

    #[track_caller]
    fn check(hours: &WorkHours, at: &str, works: bool) {
        let zone = TimeZone::get("Europe/Moscow").expect("a zone");
        let at = Timestamp::parse(at).expect("a time");
        assert_eq!(hours.covers(at, &zone), works, "{at}");
    }

    #[test]
    fn work_begins_and_ends_by_the_tenants_clock() {
        let hours = hours(
            r#"[{"days":["mon","tue","wed","thu","fri"],"from":"09:00","to":"18:00"},
                {"days":["sat"],"from":"10:00","to":"24:00"}]"#,
        );
        // Friday, the 20th of November 2026.
        check(&hours, "2026-11-20T08:59:59+03:00", false);
        check(&hours, "2026-11-20T09:00:00+03:00", true);
        check(&hours, "2026-11-20T17:59:59+03:00", true);
        check(&hours, "2026-11-20T18:00:00+03:00", false);
        check(&hours, "2026-11-21T23:59:00+03:00", true);
        check(&hours, "2026-11-22T00:00:00+03:00", false);
    }

    #[test]
    fn a_night_shift_goes_on_past_midnight_and_past_the_week() {
        let hours = hours(r#"[{"days":["sun"],"from":"22:00","to":"06:00"}]"#);
        check(&hours, "2026-11-22T21:59:00+03:00", false);
        check(&hours, "2026-11-22T22:00:00+03:00", true);
        check(&hours, "2026-11-23T05:59:00+03:00", true);
        check(&hours, "2026-11-23T06:00:00+03:00", false);
        check(&hours, "2026-11-22T05:00:00+03:00", false);
    }

    #[test]
    fn a_time_of_day_has_two_digits_each_and_ends_at_24() {
        for text in [
            "9:00", "24:01", "12:60", "noon", "", "0900", "-1:00", "+9:00",
        ] {
            assert!(text.parse::<DayTime>().is_err(), "{text}");
        }
        for text in ["00:00", "09:05", "24:00"] {
            assert_eq!(text.parse::<DayTime>().expect(text).to_string(), text);
        }
    }
}
