//! Tasks that a call makes (S1-16).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Interval, Template};

/// One task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TaskSettings {
    /// The toggle.
    #[serde(default = "super::on")]
    pub on: bool,
    /// What is to be done; absent = the default text (V-09).
    #[serde(default)]
    pub text: Option<Template>,
    /// The type, by the CRM's id; absent = the CRM's "get in touch".
    #[serde(default)]
    #[schemars(extend("x-shape" = "task_type"))]
    pub task_type: Option<String>,
    /// When it is due.
    pub due: TaskDue,
    /// The working schedule that the time runs by, by its name in `schedules` (S0-24); absent = the
    /// integration's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-shape" = "schedule"))]
    pub schedule: Option<String>,
}

/// When a task is due, counted from the end of the call, or from the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum TaskDue {
    /// After so much time: day and night, or, with a schedule, so many working days and then so
    /// many working hours and minutes.
    After(Interval),
}
