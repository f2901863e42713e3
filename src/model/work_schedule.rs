//! Working time with holidays: what moment lies so much work after another. Pure.
//!
//! Hours are those of the clocks on the wall: a day on which the clocks are changed is as much
//! longer or shorter as its span is.

use std::time::Duration;

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::timestamp::Timestamp;
use super::work_hours::{DayTime, WorkHours, WorkSpan};

/// How far work is looked for: further than any interval that settings take, at an ordinary week.
const DAYS_MAX: u32 = 366 * 50;

/// A schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkSchedule<'a> {
    /// The ordinary week.
    pub hours: &'a WorkHours,
    /// Days on which no work begins.
    pub holidays: &'a [Date],
    /// Times without work inside of the ordinary week.
    pub closed: &'a [Closure],
    /// Days with hours of their own, whatever week, holidays and closures say.
    pub special: Vec<Special>,
}

/// A time without work, by the clocks on the wall.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct Closure {
    /// When it begins, as `2026-12-31T16:00:00`.
    #[schemars(with = "String", extend("x-shape" = "date_time"))]
    pub from: DateTime,
    /// When it is over.
    #[schemars(with = "String", extend("x-shape" = "date_time"))]
    pub to: DateTime,
}

impl Closure {
    /// Returns what it leaves of a span: nothing, one piece or two.
    fn cut(self, (from, to): (DateTime, DateTime)) -> impl Iterator<Item = (DateTime, DateTime)> {
        let before = (from, to.min(self.from));
        let after = (from.max(self.to), to);
        [before, after].into_iter().filter(|(from, to)| from < to)
    }
}

/// A day with hours of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Special {
    /// The day.
    pub date: Date,
    /// When work begins.
    pub from: DayTime,
    /// When it is over; not after the beginning = past midnight.
    pub to: DayTime,
}

/// How long to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Wait {
    /// So many working days first: the same time of day on a later day of work.
    pub days: u32,
    /// Then so many minutes of work.
    pub minutes: u64,
}

impl WorkSchedule<'_> {
    /// Returns the moment at which the wait is over: always one of work, or the very end of a span.
    /// `None` where that much work is not in sight.
    pub fn after(&self, from: Timestamp, wait: Wait, zone: &TimeZone) -> Option<Timestamp> {
        let from = jiff::Timestamp::from_millisecond(from.as_millis()).ok()?;
        let local = zone.to_datetime(from);
        let (start, first) = match wait.days {
            0 => (from, local.date()),
            days => {
                let date = self.later(local.date(), days)?;
                let same_time = DateTime::from_parts(date, local.time());
                (absolute(same_time, zone)?, date)
            }
        };
        let due = self.work(start, first, Duration::from_secs(wait.minutes * 60), zone)?;
        Some(Timestamp::from_millis(due.as_millisecond()))
    }

    /// Returns the so-many-th day of work after a day.
    fn later(&self, date: Date, days: u32) -> Option<Date> {
        let (mut date, mut left) = (date, days);
        for _ in 0..DAYS_MAX {
            date = date.tomorrow().ok()?;
            if !self.spans(date).is_empty() {
                left -= 1;
                if left == 0 {
                    return Some(date);
                }
            }
        }
        None
    }

    /// Returns the moment by which so much work was done since `start`, which lies on `date`.
    fn work(
        &self,
        start: jiff::Timestamp,
        date: Date,
        amount: Duration,
        zone: &TimeZone,
    ) -> Option<jiff::Timestamp> {
        let (mut cursor, mut left) = (start, amount);
        // A span of the evening before may still go on.
        let mut date = date.yesterday().ok()?;
        for _ in 0..DAYS_MAX {
            for (begin, end) in self.spans(date) {
                let begin = absolute(begin, zone)?.max(cursor);
                let end = absolute(end, zone)?;
                let Ok(length) = Duration::try_from(end.duration_since(begin)) else {
                    continue;
                };
                if length.is_zero() {
                    continue;
                }
                if left <= length {
                    return begin.checked_add(left).ok();
                }
                left -= length;
                cursor = end;
            }
            date = date.tomorrow().ok()?;
        }
        None
    }

    /// Returns the spans of work that begin on a day, in order.
    fn spans(&self, date: Date) -> Vec<(DateTime, DateTime)> {
        let mut special = self
            .special
            .iter()
            .filter(|day| day.date == date)
            .peekable();
        let mut spans: Vec<(DateTime, DateTime)> = if special.peek().is_some() {
            let hours = special.map(|day| (day.from, day.to));
            hours.filter_map(|hours| span(date, hours)).collect()
        } else if self.holidays.contains(&date) {
            Vec::new()
        } else {
            let week = self.hours.0.iter().filter(|span| span.begins_on(date));
            let hours = week.map(|WorkSpan { from, to, .. }| (*from, *to));
            let spans = hours.filter_map(|hours| span(date, hours)).collect();
            self.closed.iter().fold(spans, |spans: Vec<_>, closure| {
                spans
                    .into_iter()
                    .flat_map(|span| closure.cut(span))
                    .collect()
            })
        };
        spans.sort_unstable();
        spans
    }
}

/// Returns the span that begins on a day; one whose end is not after its beginning goes on past
/// midnight.
fn span(date: Date, (from, to): (DayTime, DayTime)) -> Option<(DateTime, DateTime)> {
    let end = match to > from {
        true => date,
        false => date.tomorrow().ok()?,
    };
    Some((from.on(date)?, to.on(end)?))
}

/// Returns the moment that the clocks show; in the hour that is skipped the one after it, in the
/// hour that comes twice the first.
fn absolute(local: DateTime, zone: &TimeZone) -> Option<jiff::Timestamp> {
    zone.to_ambiguous_timestamp(local).compatible().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const WEEK: &str = r#"[
        {"days":["mon","tue","wed","thu","fri"],"from":"09:00","to":"13:00"},
        {"days":["mon","tue","wed","thu","fri"],"from":"14:00","to":"18:00"}]"#;

    fn closure(from: &str, to: &str) -> Closure {
        let [from, to] = [from, to].map(|text| text.parse().expect("a time"));
        Closure { from, to }
    }

    fn due(hours: &str, zone: &str, from: &str, days: u32, minutes: u64) -> String {
        let hours: WorkHours = serde_json::from_str(hours).expect("hours");
        let schedule = WorkSchedule {
            hours: &hours,
            holidays: &["2026-12-31".parse().expect("a date")],
            closed: &[
                closure("2026-12-29T16:00", "2026-12-29T17:00"),
                closure("2027-01-11T12:00", "2027-01-13T15:30"),
            ],
            special: vec![Special {
                date: "2026-12-19".parse().expect("a date"),
                from: "10:00".parse().expect("a time"),
                to: "12:00".parse().expect("a time"),
            }],
        };
        let zone = TimeZone::get(zone).expect("a zone");
        let from = Timestamp::parse(from).expect("a time");
        let due = schedule.after(from, Wait { days, minutes }, &zone);
        let due = jiff::Timestamp::from_millisecond(due.expect("work").as_millis());
        zone.to_datetime(due.expect("a time")).to_string()
    }

    #[test]
    fn s0_24_hours_of_work_run_by_the_schedule() {
        for (from, days, minutes, wanted) in [
            ("2026-11-20T10:00:00+03:00", 0, 60, "2026-11-20T11:00:00"),
            // Over the break.
            ("2026-11-20T12:30:00+03:00", 0, 60, "2026-11-20T14:30:00"),
            // Four working hours across a weekend.
            ("2026-11-20T16:00:00+03:00", 0, 240, "2026-11-23T11:00:00"),
            // At night and on Sunday the time begins to run in the morning.
            ("2026-11-22T03:00:00+03:00", 0, 30, "2026-11-23T09:30:00"),
            // The very end of a span.
            ("2026-11-20T17:00:00+03:00", 0, 60, "2026-11-20T18:00:00"),
            // Over the holiday.
            ("2026-12-30T17:00:00+03:00", 0, 120, "2027-01-01T10:00:00"),
            // A working Saturday.
            ("2026-12-18T17:30:00+03:00", 0, 60, "2026-12-19T10:30:00"),
            // Days of work: the same time on a later one.
            ("2026-11-20T16:00:00+03:00", 1, 0, "2026-11-23T16:00:00"),
            ("2026-11-20T16:00:00+03:00", 1, 180, "2026-11-24T10:00:00"),
            ("2026-12-30T20:00:00+03:00", 1, 0, "2027-01-04T09:00:00"),
            // Round an hour that is closed, and into it.
            ("2026-12-29T15:30:00+03:00", 0, 60, "2026-12-29T17:30:00"),
            ("2026-12-29T16:20:00+03:00", 0, 10, "2026-12-29T17:10:00"),
            // Closed from noon of Monday to the afternoon of Wednesday.
            ("2027-01-11T11:00:00+03:00", 0, 120, "2027-01-13T16:30:00"),
            // Tuesday is no day of work then; on Wednesday the morning is over.
            ("2027-01-11T10:00:00+03:00", 1, 0, "2027-01-13T15:30:00"),
        ] {
            assert_eq!(
                due(WEEK, "Europe/Moscow", from, days, minutes),
                wanted,
                "{from} {days} d {minutes} min"
            );
        }
    }

    #[test]
    fn s0_24_a_change_of_the_clocks_makes_a_span_longer_or_shorter() {
        let night = r#"[{"days":["sat","sun"],"from":"00:00","to":"24:00"}]"#;
        // 02:00 becomes 03:00 on the 28th of March 2027, and 03:00 becomes 02:00 on the 25th of
        // October 2026.
        let spring = due(night, "Europe/Berlin", "2027-03-28T01:30:00+01:00", 0, 60);
        assert_eq!(spring, "2027-03-28T03:30:00");
        let autumn = due(night, "Europe/Berlin", "2026-10-25T01:30:00+02:00", 0, 120);
        assert_eq!(autumn, "2026-10-25T02:30:00");
    }

    #[test]
    fn s0_24_hours_of_work_are_those_of_the_clocks_on_days_when_they_are_changed() {
        let night =
            r#"[{"days":["mon","tue","wed","thu","fri","sat","sun"],"from":"00:00","to":"06:00"}]"#;
        let day =
            r#"[{"days":["mon","tue","wed","thu","fri","sat","sun"],"from":"09:00","to":"18:00"}]"#;
        let moment =
            r#"[{"days":["mon","tue","wed","thu","fri","sat","sun"],"from":"02:30","to":"04:00"}]"#;
        for (hours, zone, from, days, minutes, wanted) in [
            // Berlin's night of five hours, and the one of seven: 240 minutes from midnight.
            (
                night,
                "Europe/Berlin",
                "2027-03-28T00:00:00+01:00",
                0,
                240,
                "2027-03-28T05:00:00",
            ),
            (
                night,
                "Europe/Berlin",
                "2026-10-25T00:00:00+02:00",
                0,
                240,
                "2026-10-25T03:00:00",
            ),
            // Six hours do not fit into the short night, and do not fill the long one.
            (
                night,
                "Europe/Berlin",
                "2027-03-28T00:00:00+01:00",
                0,
                360,
                "2027-03-29T01:00:00",
            ),
            (
                night,
                "Europe/Berlin",
                "2026-10-25T00:00:00+02:00",
                0,
                360,
                "2026-10-25T05:00:00",
            ),
            // Days of which the hours of work hold no change: 09:00 stays 09:00.
            (
                day,
                "Europe/Berlin",
                "2027-03-27T17:00:00+01:00",
                0,
                120,
                "2027-03-28T10:00:00",
            ),
            (
                day,
                "Europe/Berlin",
                "2026-10-24T12:00:00+02:00",
                1,
                0,
                "2026-10-25T12:00:00",
            ),
            // New York changes on other days than Berlin; Moscow does not.
            (
                night,
                "America/New_York",
                "2026-11-01T00:00:00-04:00",
                0,
                240,
                "2026-11-01T03:00:00",
            ),
            (
                night,
                "Europe/Moscow",
                "2026-10-25T00:00:00+03:00",
                0,
                240,
                "2026-10-25T04:00:00",
            ),
            // Work that should begin at 02:30 in the hour that is skipped begins after it.
            (
                moment,
                "Europe/Berlin",
                "2027-03-28T01:00:00+01:00",
                0,
                15,
                "2027-03-28T03:45:00",
            ),
            // A working day later is at the same time, also where that time is skipped.
            (
                night,
                "Europe/Berlin",
                "2027-03-27T02:30:00+01:00",
                1,
                0,
                "2027-03-28T03:30:00",
            ),
            // Half an hour of change, on Lord Howe.
            (
                night,
                "Australia/Lord_Howe",
                "2026-10-04T00:00:00+10:30",
                0,
                240,
                "2026-10-04T04:30:00",
            ),
        ] {
            assert_eq!(
                due(hours, zone, from, days, minutes),
                wanted,
                "{zone} {from} {minutes}"
            );
        }
    }

    #[test]
    fn s0_24_a_night_shift_goes_on_past_midnight() {
        let night = r#"[{"days":["fri"],"from":"22:00","to":"06:00"}]"#;
        let due = due(night, "Europe/Moscow", "2026-11-21T01:00:00+03:00", 0, 360);
        assert_eq!(due, "2026-11-27T23:00:00");
    }

    #[test]
    fn where_nobody_ever_works_nothing_is_due() {
        let schedule = WorkSchedule {
            hours: &WorkHours::default(),
            holidays: &[],
            closed: &[],
            special: Vec::new(),
        };
        let wait = Wait {
            days: 1,
            minutes: 0,
        };
        assert_eq!(
            schedule.after(Timestamp::from_secs(0), wait, &TimeZone::UTC),
            None
        );
    }

    proptest! {
        #[test]
        fn s0_24_what_is_due_lies_in_work_and_later_for_more(
            from in 1_700_000_000_i64..1_900_000_000, minutes in 1_u64..5_000, more in 1_u64..500,
        ) {
            let hours: WorkHours = serde_json::from_str(WEEK).expect("hours");
            let schedule = WorkSchedule { hours: &hours, holidays: &[], closed: &[], special: Vec::new() };
            let zone = TimeZone::get("Europe/Moscow").expect("a zone");
            let from = Timestamp::from_secs(from);
            let due = |minutes| schedule.after(from, Wait { days: 0, minutes }, &zone).expect("work");
            prop_assert!(due(minutes) > from);
            prop_assert!(due(minutes + more) > due(minutes));
            // The last minute of work before it.
            let last = Timestamp::from_millis(due(minutes).as_millis() - 1);
            prop_assert!(hours.covers(last, &zone));
        }
    }
}
