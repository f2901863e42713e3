//! Named working schedules (S0-23).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::work_hours::{DayTime, WorkHours};
use crate::model::work_schedule::Closure;

/// When a company, or a part of it, works.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    /// Its name, by which tasks choose it.
    pub name: String,
    /// The hours of an ordinary week.
    pub hours: WorkHours,
    /// Days without work, as `2026-12-31`.
    #[serde(default)]
    #[schemars(with = "Vec<String>", extend("x-shape" = "lines"))]
    pub holidays: Vec<jiff::civil::Date>,
    /// Days with hours of their own, whatever week, holidays, closures and calendar say.
    #[serde(default)]
    pub special_days: Vec<SpecialDay>,
    /// Times without work, by the schedule's clocks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub closed: Vec<Closure>,
    /// A calendar file (iCalendar) on this box whose events are further holidays, where they last
    /// whole days, and further times without work, where they do not. A relative path starts from
    /// the folder of the file that names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calendar: Option<String>,
    /// By whose clocks (IANA); absent = the company's.
    #[serde(default)]
    pub time_zone: Option<String>,
}

/// A day with hours of its own, such as a working Saturday or a short day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SpecialDay {
    /// The day.
    #[schemars(with = "String", extend("x-shape" = "date"))]
    pub date: jiff::civil::Date,
    /// When work begins.
    #[schemars(with = "String", extend("x-shape" = "time"))]
    pub from: DayTime,
    /// When it is over; not after the beginning = past midnight.
    #[schemars(with = "String", extend("x-shape" = "time"))]
    pub to: DayTime,
}
