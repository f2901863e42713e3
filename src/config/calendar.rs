//! Lays the calendar files of working schedules (iCalendar, RFC 5545) over the schedules that name
//! them: an event of whole days makes holidays, one with times a closure. What is read becomes part
//! of the settings, so that a decision can be made again when the file is another one.
//!
//! Nothing here depends on the time of day: one file always gives the same settings.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use calcard::common::PartialDateTime;
use calcard::common::timezone::Tz;
use calcard::datecalc::rrule::RRule;
use calcard::icalendar::dates::{CalendarErrorType, TimeOrDelta};
use calcard::icalendar::timezone::TzResolver;
use calcard::icalendar::{
    ICalendar, ICalendarComponent, ICalendarComponentType, ICalendarEntry, ICalendarProperty,
    ICalendarStatus, ICalendarValue,
};
use calcard::{Entry, Parser};
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

use crate::model::work_schedule::Closure;
use crate::rules::settings::{IntegrationSettings, Schedule};

use super::key_path::KeyPath;
use super::mistake::Findings;

/// Longest calendar file, in bytes: the holidays of a century take a tenth of it.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// Most days and closures of one calendar. What repeats every week until the last year gives four
/// thousand; every day for years is not a calendar of exceptions.
const OCCURRENCES_MAX: usize = 10_000;

/// The years that events are taken from. What repeats for ever ends with the last: the same for
/// every box and day.
const YEARS: std::ops::RangeInclusive<i16> = 2020..=2100;

/// Characters of a text of the file that a mistake repeats.
const SHOWN_CHARS_MAX: usize = 64;

/// Lays the calendars over the schedules; `settings` is where they stand in the file.
pub(super) fn apply(
    findings: &mut Findings<'_>,
    settings: &KeyPath,
    read: &mut IntegrationSettings,
    zone: &TimeZone,
) {
    for (position, schedule) in read.schedules.iter_mut().enumerate() {
        let Some(file) = &schedule.calendar else {
            continue;
        };
        let path = settings.key("schedules").index(position).key("calendar");
        let own = schedule.time_zone.as_deref();
        let own = own.and_then(|zone| TimeZone::get(zone).ok());
        let days = load(&findings.folder().join(file), own.as_ref().unwrap_or(zone));
        if let Some(days) = findings.take(&path, days) {
            days.add_to(schedule);
        }
    }
}

/// What a calendar says.
#[derive(Debug, Default, PartialEq, Eq)]
struct Days {
    holidays: BTreeSet<Date>,
    closed: BTreeSet<Closure>,
}

impl Days {
    fn add_to(self, schedule: &mut Schedule) {
        let new = self.holidays.into_iter();
        let new: Vec<Date> = new.filter(|day| !schedule.holidays.contains(day)).collect();
        schedule.holidays.extend(new);
        let new = self.closed.into_iter();
        let new: Vec<Closure> = new.filter(|time| !schedule.closed.contains(time)).collect();
        schedule.closed.extend(new);
    }

    fn len(&self) -> usize {
        self.holidays.len() + self.closed.len()
    }
}

fn load(file: &Path, zone: &TimeZone) -> Result<Days, String> {
    let in_file = |message: String| format!("{}: {message}", file.display());
    let mut bytes = Vec::new();
    File::open(file)
        .and_then(|file| file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes))
        .map_err(|error| format!("cannot read {}: {error}", file.display()))?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(in_file(format!("is longer than {FILE_BYTES_MAX} bytes")));
    }
    let text =
        String::from_utf8(bytes).map_err(|_| in_file("is not a text in UTF-8".to_owned()))?;
    read(&text, zone).map_err(in_file)
}

/// Reads a calendar. Times are turned to the clocks of `zone`; those that name no zone are by them.
fn read(text: &str, zone: &TimeZone) -> Result<Days, String> {
    let mut calendar = parse(text)?;
    let resolver = calendar.build_owned_tz_resolver();
    let mut wanted = BTreeSet::new();
    for (position, component) in calendar.components.iter_mut().enumerate() {
        if component.component_type == ICalendarComponentType::VEvent {
            check(component, &resolver)
                .map_err(|wrong| format!("the event {} {wrong}", title(component)))?;
            if !is_cancelled(component) {
                wanted.insert(position);
            }
        }
    }
    let expanded = calendar.expand_dates(Tz::Floating, OCCURRENCES_MAX + 1);
    let component = |id: u32| {
        let position = usize::try_from(id).ok()?;
        let component = calendar.components.get(position)?;
        wanted.contains(&position).then_some(component)
    };
    if let Some((event, error)) = expanded
        .errors
        .iter()
        .find_map(|error| Some((component(error.comp_id)?, &error.error)))
    {
        let wrong = match error {
            CalendarErrorType::RRule(_) => "has an RRULE that cannot be",
            _ => "has dates that cannot be read",
        };
        return Err(format!("the event {} {wrong}", title(event)));
    }
    if expanded.events.len() > OCCURRENCES_MAX {
        return Err(too_many());
    }
    let mut days = Days::default();
    for event in &expanded.events {
        let Some(component) = component(event.comp_id) else {
            continue;
        };
        let start = Moment::of(event.start.timestamp(), event.start.timezone());
        let end = match &event.end {
            TimeOrDelta::Time(end) => Moment::of(end.timestamp(), end.timezone()),
            TimeOrDelta::Delta(length) => start.later(length.num_seconds()),
        };
        let times = start.shown(zone).zip(end.shown(zone));
        let (from, to) = times.ok_or_else(|| {
            format!(
                "the event {} lies outside of the calendar",
                title(component)
            )
        })?;
        if has_time(component) {
            take_closure(&mut days, from, to, lasts(component));
        } else {
            take_days(&mut days, from.date(), to.date())?;
        }
        if days.len() > OCCURRENCES_MAX {
            return Err(too_many());
        }
    }
    Ok(days)
}

fn too_many() -> String {
    format!(
        "gives more than {OCCURRENCES_MAX} days and times: end what repeats with UNTIL or COUNT"
    )
}

fn parse(text: &str) -> Result<ICalendar, String> {
    check_ends(text)?;
    let mut parser = Parser::new(text);
    let Entry::ICalendar(calendar) = parser.entry() else {
        return Err(NO_CALENDAR.to_owned());
    };
    let root = calendar.components.first();
    if root.is_none_or(|root| root.component_type != ICalendarComponentType::VCalendar) {
        return Err(NO_CALENDAR.to_owned());
    }
    match parser.entry() {
        Entry::Eof => Ok(calendar),
        _ => Err("goes on after END:VCALENDAR: one file has one calendar".to_owned()),
    }
}

const NO_CALENDAR: &str = "is no calendar: it must begin with BEGIN:VCALENDAR";

/// Refuses a file that is cut off: what follows the missing end would be read as a part of what
/// goes before it.
fn check_ends(text: &str) -> Result<(), String> {
    let mut open: Vec<String> = Vec::new();
    for line in text.lines() {
        let Some((name, value)) = line.trim_end().split_once(':') else {
            continue;
        };
        let value = value.trim().to_ascii_uppercase();
        if name.eq_ignore_ascii_case("BEGIN") {
            open.push(value);
        } else if name.eq_ignore_ascii_case("END") && open.pop().as_ref() != Some(&value) {
            return Err(format!("END:{} ends nothing that is open", cut(&value)));
        }
    }
    match open.pop() {
        Some(name) => Err(format!("{} has no END: the file is cut off", cut(&name))),
        None => Ok(()),
    }
}

/// A whole day lasts until the next; an event that ends where it begins has one day.
fn take_days(days: &mut Days, from: Date, to: Date) -> Result<(), String> {
    let mut date = from;
    loop {
        if YEARS.contains(&date.year()) {
            days.holidays.insert(date);
        }
        date = date.tomorrow().map_err(|error| error.to_string())?;
        if date >= to {
            return Ok(());
        }
        if days.len() > OCCURRENCES_MAX {
            return Err(too_many());
        }
    }
}

/// An event without an end takes no time (RFC 5545, 3.6.1), so it closes nothing.
fn take_closure(days: &mut Days, from: DateTime, to: DateTime, lasts: bool) {
    if lasts && from < to && YEARS.contains(&from.year()) {
        days.closed.insert(Closure { from, to });
    }
}

/// A moment of the file: absolute, or by the clocks of whoever reads it.
#[derive(Clone, Copy)]
struct Moment {
    seconds: i64,
    floating: bool,
}

impl Moment {
    fn of(seconds: i64, zone: Tz) -> Self {
        let floating = zone.is_floating();
        Self { seconds, floating }
    }

    fn later(self, seconds: i64) -> Self {
        let seconds = self.seconds.saturating_add(seconds);
        Self { seconds, ..self }
    }

    /// Returns what the clocks of the zone show.
    fn shown(self, zone: &TimeZone) -> Option<DateTime> {
        let moment = jiff::Timestamp::from_second(self.seconds).ok()?;
        let by = if self.floating { &TimeZone::UTC } else { zone };
        Some(by.to_datetime(moment))
    }
}

/// Checks what the reader of the file would pass over in silence, and ends what repeats for ever.
fn check(event: &mut ICalendarComponent, zones: &TzResolver<String>) -> Result<(), String> {
    let mut begins = false;
    let zone = zone_of(event, zones);
    for entry in &mut event.entries {
        match entry.name {
            ICalendarProperty::Dtstart
            | ICalendarProperty::Dtend
            | ICalendarProperty::Exdate
            | ICalendarProperty::Rdate
            | ICalendarProperty::RecurrenceId => {
                check_times(entry, zones)?;
                begins |= entry.name == ICalendarProperty::Dtstart;
            }
            ICalendarProperty::Duration
                if !is(entry, |v| matches!(v, ICalendarValue::Duration(_))) =>
            {
                return Err("has a DURATION that is none".to_owned());
            }
            ICalendarProperty::Rrule => check_rule(entry, zone)?,
            _ => {}
        }
    }
    match begins {
        true => Ok(()),
        false => Err("has no DTSTART".to_owned()),
    }
}

fn is(entry: &ICalendarEntry, fits: fn(&ICalendarValue) -> bool) -> bool {
    !entry.values.is_empty() && entry.values.iter().all(fits)
}

fn check_times(entry: &ICalendarEntry, zones: &TzResolver<String>) -> Result<(), String> {
    let name = entry.name.as_str();
    let fits = is(entry, |value| match value {
        ICalendarValue::PartialDateTime(time) => time.to_date_time().is_some(),
        ICalendarValue::Period(_) => true,
        _ => false,
    });
    if !fits {
        return Err(format!("has a {name} that is no date or time"));
    }
    match entry.tz_id() {
        Some(zone) if zones.resolve(zone).is_none() => Err(format!(
            "has a {name} in a time zone that is not known: {:?}",
            cut(zone)
        )),
        _ => Ok(()),
    }
}

/// Returns the zone that the event's beginning names.
fn zone_of(event: &ICalendarComponent, zones: &TzResolver<String>) -> Option<Tz> {
    let mut entries = event.entries.iter();
    let start = entries.find(|entry| entry.name == ICalendarProperty::Dtstart)?;
    zones.resolve(start.tz_id()?)
}

fn check_rule(entry: &mut ICalendarEntry, zone: Option<Tz>) -> Result<(), String> {
    let bad = || "has an RRULE that cannot be read".to_owned();
    let [ICalendarValue::RecurrenceRule(rule)] = entry.values.as_mut_slice() else {
        return Err(bad());
    };
    if rule.rscale.is_some() {
        return Err("repeats by another calendar (RSCALE), which is not known".to_owned());
    }
    // Occurrences are counted by the clocks of the event, and the end of a series of a zone stands
    // there in UTC (RFC 5545, 3.3.10).
    if let (Some(until), Some(zone)) = (&rule.until, zone)
        && until.tz_hour.is_some()
    {
        let until = until.to_date_time_with_tz(Tz::UTC).ok_or_else(bad)?;
        let shown = until.with_timezone(&zone).naive_local();
        rule.until = Some(PartialDateTime::from_naive_timestamp(
            shown.and_utc().timestamp(),
        ));
    }
    if rule.until.is_none() && rule.count.is_none() {
        rule.until = Some(PartialDateTime {
            year: u16::try_from(*YEARS.end()).ok(),
            month: Some(12),
            day: Some(31),
            hour: Some(23),
            minute: Some(59),
            second: Some(59),
            ..PartialDateTime::default()
        });
    }
    RRule::from_floating_ical(rule).map(drop).ok_or_else(bad)
}

fn is_cancelled(event: &ICalendarComponent) -> bool {
    let cancelled = |value: &ICalendarValue| {
        matches!(value, ICalendarValue::Status(ICalendarStatus::Cancelled))
    };
    let mut entries = event.entries.iter();
    entries
        .any(|entry| entry.name == ICalendarProperty::Status && entry.values.iter().any(cancelled))
}

/// Says whether the event begins at a time of day.
fn has_time(event: &ICalendarComponent) -> bool {
    let timed = |value: &ICalendarValue| matches!(value, ICalendarValue::PartialDateTime(time) if time.has_time());
    let mut entries = event.entries.iter();
    entries.any(|entry| entry.name == ICalendarProperty::Dtstart && entry.values.iter().any(timed))
}

/// Says whether the event has an end.
fn lasts(event: &ICalendarComponent) -> bool {
    let mut entries = event.entries.iter();
    entries.any(|entry| {
        matches!(
            entry.name,
            ICalendarProperty::Dtend | ICalendarProperty::Duration
        )
    })
}

/// Returns how the file calls the event.
fn title(event: &ICalendarComponent) -> String {
    let text = |name: &ICalendarProperty| {
        let entry = event.entries.iter().find(|entry| entry.name == *name)?;
        match entry.values.first()? {
            ICalendarValue::Text(text) => Some(cut(text)),
            _ => None,
        }
    };
    let found = text(&ICalendarProperty::Summary).or_else(|| text(&ICalendarProperty::Uid));
    found.map_or_else(|| "without a name".to_owned(), |name| format!("{name:?}"))
}

fn cut(text: &str) -> String {
    text.chars().take(SHOWN_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests;
