//! What one run makes otherwise than another.

use serde::Serialize;

use crate::model::explanation::Reason;
use crate::model::plan::{Effect, Role};

use super::Made;

/// How far two runs over one communication differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Not at all.
    Same,
    /// The same is made, for other reasons.
    Reasons,
    /// Something else is made.
    Steps,
}

/// One step that is otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StepDifference {
    /// What the step is for.
    pub role: Role,
    /// What it did; `None` = it was not made.
    pub before: Option<Effect>,
    /// What it does now; `None` = it is not made any more.
    pub after: Option<Effect>,
}

/// What differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// How far.
    pub verdict: Verdict,
    /// Steps that are otherwise, in the order of the first run, then of the second.
    pub steps: Vec<StepDifference>,
    /// Reasons that hold no longer.
    pub reasons_gone: Vec<Reason>,
    /// Reasons that are new.
    pub reasons_new: Vec<Reason>,
}

/// Compares two runs.
pub fn compare(before: &Made, after: &Made) -> Difference {
    let effect = |made: &Made, role: &Role| {
        let mut steps = made.steps.iter();
        let step = steps.find(|step| step.role == *role);
        step.map(|step| step.effect.clone())
    };
    let roles = before.steps.iter().map(|step| &step.role);
    let added = after.steps.iter().map(|step| &step.role);
    let added = added.filter(|role| before.steps.iter().all(|step| step.role != **role));
    let steps: Vec<StepDifference> = roles
        .chain(added)
        .map(|role| StepDifference {
            role: role.clone(),
            before: effect(before, role),
            after: effect(after, role),
        })
        .filter(|step| step.before != step.after)
        .collect();
    let beyond = |one: &Made, other: &Made| -> Vec<Reason> {
        let reasons = one.explanation.iter();
        reasons
            .filter(|reason| !other.explanation.0.contains(reason))
            .cloned()
            .collect()
    };
    let (reasons_gone, reasons_new) = (beyond(before, after), beyond(after, before));
    let verdict = if !steps.is_empty() {
        Verdict::Steps
    } else if before.taken != after.taken || !reasons_gone.is_empty() || !reasons_new.is_empty() {
        Verdict::Reasons
    } else {
        Verdict::Same
    };
    Difference {
        verdict,
        steps,
        reasons_gone,
        reasons_new,
    }
}
