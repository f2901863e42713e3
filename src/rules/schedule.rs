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
    let own = schedule.time_zone.as_deref();
    let own = own.and_then(|zone| TimeZone::get(zone).ok());
    let zone = own.as_ref().unwrap_or(situation.time_zone);
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
    let wait = Wait {
        days: interval.days,
        minutes: u64::from(interval.hours) * 60 + u64::from(interval.minutes),
    };
    hours.after(from, wait, zone).unwrap_or(plain)
}

fn named<'a>(settings: &'a IntegrationSettings, task: &TaskSettings) -> Option<&'a Schedule> {
    let name = task.schedule.as_ref().or(settings.schedule.as_ref())?;
    let mut schedules = settings.schedules.iter();
    schedules.find(|schedule| schedule.name == *name)
}
