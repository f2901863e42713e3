//! What can be wrong with working schedules, and with what refers to them.

use std::collections::BTreeSet;

use jiff::tz::TimeZone;

use crate::model::mistake::Mistake;
use crate::rules::settings::{IntegrationSettings, Schedule, TaskSettings};

/// The most schedules, and the most days that one names.
const SCHEDULES_MAX: usize = 50;
const DAYS_MAX: usize = 1000;

/// Names every mistake.
pub(super) fn check(settings: &IntegrationSettings, found: &mut Vec<Mistake>) {
    let schedules = &settings.schedules;
    if schedules.len() > SCHEDULES_MAX {
        let message = format!("{} are too many: at most {SCHEDULES_MAX}", schedules.len());
        found.push(Mistake::at("schedules", message));
    }
    let mut names = BTreeSet::new();
    for (position, schedule) in schedules.iter().enumerate() {
        let path = format!("schedules.{position}");
        if schedule.name.trim().is_empty() {
            found.push(Mistake::at(&format!("{path}.name"), "name the schedule"));
        } else if !names.insert(schedule.name.as_str()) {
            let message = format!("another schedule is named {:?} already", schedule.name);
            found.push(Mistake::at(&format!("{path}.name"), message));
        }
        check_schedule(&path, schedule, found);
    }
    let own = settings.schedule.iter();
    let own = own.map(|name| ("schedule".to_owned(), name));
    let of_tasks = tasks(settings).into_iter().filter_map(|(path, task)| {
        let name = task.schedule.as_ref()?;
        Some((format!("{path}.schedule"), name))
    });
    for (path, name) in own.chain(of_tasks) {
        if !names.contains(name.as_str()) {
            let known: Vec<&str> = names.iter().copied().collect();
            let message = format!("there is no schedule {name:?}: [{}]", known.join(", "));
            found.push(Mistake::at(&path, message));
        }
    }
}

fn check_schedule(path: &str, schedule: &Schedule, found: &mut Vec<Mistake>) {
    if schedule.hours.0.iter().all(|span| span.days.is_empty()) {
        let message = "nobody would ever work: name days and hours";
        found.push(Mistake::at(&format!("{path}.hours"), message));
    }
    let lists = [
        ("holidays", schedule.holidays.len()),
        ("special_days", schedule.special_days.len()),
        ("closed", schedule.closed.len()),
    ];
    for (key, days) in lists {
        if days > DAYS_MAX {
            let message = format!("{days} days are too many: at most {DAYS_MAX}");
            found.push(Mistake::at(&format!("{path}.{key}"), message));
        }
    }
    for (position, closure) in schedule.closed.iter().enumerate() {
        if closure.to <= closure.from {
            let message = "must be after its beginning";
            found.push(Mistake::at(
                &format!("{path}.closed.{position}.to"),
                message,
            ));
        }
    }
    if let Some(zone) = &schedule.time_zone
        && TimeZone::get(zone).is_err()
    {
        let message = format!("{zone:?} is no time zone: write it like \"Europe/Moscow\"");
        found.push(Mistake::at(&format!("{path}.time_zone"), message));
    }
}

/// Returns every task of the settings, with its path.
fn tasks(settings: &IntegrationSettings) -> Vec<(String, &TaskSettings)> {
    let mut tasks = Vec::new();
    if let Some(calls) = &settings.calls {
        for (side, direction) in [("incoming", &calls.incoming), ("outgoing", &calls.outgoing)] {
            for (key, task) in [
                ("task", &direction.task),
                ("missed_task", &direction.missed_task),
            ] {
                tasks.extend(
                    task.iter()
                        .map(|task| (format!("calls.{side}.{key}"), task)),
                );
            }
        }
    }
    let requests = settings.requests.iter();
    let task = requests.filter_map(|requests| requests.task.as_ref());
    tasks.extend(task.map(|task| ("requests.task".to_owned(), task)));
    tasks
}
