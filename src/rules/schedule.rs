//! When tasks are due (S0-23, S0-24).

use jiff::tz::TimeZone;

use super::settings::{IntegrationSettings, Schedule, TaskDue, TaskSettings};
use super::situation::Situation;
use crate::model::timestamp::Timestamp;
use crate::model::work_schedule::{Special, Wait, WorkSchedule};

/// Returns when a task is due, counted from a moment. Where the schedule that it names is not there
/// (settings without mistakes always have it) or never works again, time runs day and night.
pub(super) fn due(situation: &Situation<'_>, task: &TaskSettings, from: Timestamp) -> Timestamp {
    let TaskDue::After(interval) = task.due;
    let plain = from.plus(interval.duration());
    let Some(schedule) = named(situation.settings, task) else {
        return plain;
    };
    let wait = Wait {
        days: interval.days,
        minutes: u64::from(interval.hours) * 60 + u64::from(interval.minutes),
    };
    after(schedule, situation.time_zone, from, wait).unwrap_or(plain)
}

/// Returns when so many hours of work by a schedule went by since a moment; `None` where it never
/// works that long again. The zone is that of the company.
pub fn work_after(
    schedule: &Schedule,
    zone: &TimeZone,
    from: Timestamp,
    hours: u32,
) -> Option<Timestamp> {
    let wait = Wait {
        days: 0,
        minutes: u64::from(hours) * 60,
    };
    after(schedule, zone, from, wait)
}

fn after(schedule: &Schedule, zone: &TimeZone, from: Timestamp, wait: Wait) -> Option<Timestamp> {
    let own = schedule.time_zone.as_deref();
    let own = own.and_then(|zone| TimeZone::get(zone).ok());
    let special = schedule.special_days.iter().map(|day| Special {
        date: day.date,
        from: day.from,
        to: day.to,
    });
    let hours = WorkSchedule {
        hours: &schedule.hours,
        holidays: &schedule.holidays,
        closed: &schedule.closed,
        special: special.collect(),
    };
    hours.after(from, wait, own.as_ref().unwrap_or(zone))
}

fn named<'a>(settings: &'a IntegrationSettings, task: &TaskSettings) -> Option<&'a Schedule> {
    let name = task.schedule.as_ref().or(settings.schedule.as_ref())?;
    let mut schedules = settings.schedules.iter();
    schedules.find(|schedule| schedule.name == *name)
}
