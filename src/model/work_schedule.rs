//! Working time with holidays: what moment lies so much work after another. Pure.
//!
//! Hours are those of the clocks on the wall: a day on which the clocks are changed is as much
//! longer or shorter as its span is.

use std::time::Duration;

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

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
    /// Days with hours of their own, whatever week and holidays say.
    pub special: Vec<Special>,
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
        let hours = if special.peek().is_some() {
            special.map(|day| (day.from, day.to)).collect()
        } else if self.holidays.contains(&date) {
            Vec::new()
        } else {
            let spans = self.hours.0.iter().filter(|span| span.begins_on(date));
            spans
                .map(|WorkSpan { from, to, .. }| (*from, *to))
                .collect()
        };
        let mut spans: Vec<(DateTime, DateTime)> = hours
            .into_iter()
            .filter_map(|(from, to): (DayTime, DayTime)| {
                let end = if to > from {
                    date
                } else {
                    date.tomorrow().ok()?
                };
                Some((from.on(date)?, to.on(end)?))
            })
            .collect();
        spans.sort_unstable();
        spans
    }
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

    fn due(hours: &str, zone: &str, from: &str, days: u32, minutes: u64) -> String {
        let hours: WorkHours = serde_json::from_str(hours).expect("hours");
        let schedule = WorkSchedule {
            hours: &hours,
            holidays: &["2026-12-31".parse().expect("a date")],
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
            let schedule = WorkSchedule { hours: &hours, holidays: &[], special: Vec::new() };
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
