//! `trunkline doctor`: what is wrong with the set-up, and what to do about it.
//!
//! Every check has a stable id. It looks from here at files, ports, clock and the services outside, and
//! asks the daemon what it knows, where one runs. It changes nothing.

mod daemon;
mod local;
mod outside;

use std::path::Path;

use serde::Serialize;
use serde_json::json;

use crate::config;

use super::client::ClientError;
use super::credentials::Surroundings;
use super::output::Output;

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Verdict {
    /// All is well.
    Ok,
    /// It could not be looked at.
    Skipped,
    /// It works, and should be looked at.
    Warn,
    /// It does not work.
    Fail,
}

/// One check.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Check {
    /// Which: stable.
    id: &'static str,
    /// What it is about, where there are several of it.
    #[serde(skip_serializing_if = "String::is_empty")]
    what: String,
    /// How it came out.
    verdict: Verdict,
    /// What was found.
    found: String,
    /// What to do.
    #[serde(skip_serializing_if = "String::is_empty")]
    cure: String,
}

impl Check {
    fn new(id: &'static str, verdict: Verdict, found: impl Into<String>) -> Self {
        Self {
            id,
            what: String::new(),
            verdict,
            found: found.into(),
            cure: String::new(),
        }
    }

    fn ok(id: &'static str, found: impl Into<String>) -> Self {
        Self::new(id, Verdict::Ok, found)
    }

    fn fail(id: &'static str, found: impl Into<String>, cure: impl Into<String>) -> Self {
        Self::new(id, Verdict::Fail, found).cure(cure)
    }

    fn warn(id: &'static str, found: impl Into<String>, cure: impl Into<String>) -> Self {
        Self::new(id, Verdict::Warn, found).cure(cure)
    }

    fn cure(mut self, cure: impl Into<String>) -> Self {
        self.cure = cure.into();
        self
    }

    fn of(mut self, what: impl Into<String>) -> Self {
        self.what = what.into();
        self
    }
}

/// Looks at everything and tells.
pub(super) async fn run(path: &Path, output: &mut Output) -> Result<(), ClientError> {
    let checks = checks(path).await;
    let count = |wanted: Verdict| checks.iter().filter(|one| one.verdict == wanted).count();
    let (failed, warned) = (count(Verdict::Fail), count(Verdict::Warn));
    if output.json() {
        output.value(&json!({
            "ok": failed == 0, "failed": failed, "warned": warned, "checks": checks,
        }));
    } else {
        checks.iter().for_each(|check| output.line(&words(check)));
        output.line(&format!(
            "{failed} failed, {warned} to be looked at, of {}",
            checks.len()
        ));
    }
    match failed {
        0 => Ok(()),
        _ => Err(ClientError::Told),
    }
}

async fn checks(path: &Path) -> Vec<Check> {
    let mut found = Vec::new();
    let surroundings = Surroundings::find();
    let configuration = match config::load(path, &surroundings.environment) {
        Ok(configuration) => configuration,
        Err(mistakes) => {
            let cure =
                "trunkline check-config shows them again; correct them and run doctor once more";
            found.extend(
                mistakes
                    .iter()
                    .map(|mistake| Check::fail("config", mistake.to_string(), cure)),
            );
            return found;
        }
    };
    let tenants = configuration.tenants.len();
    found.push(Check::ok(
        "config",
        format!("no mistakes; {tenants} tenant(s)"),
    ));
    let answers = daemon::answers(path).await;
    found.extend(local::checks(&configuration, answers.is_ok()));
    found.extend(outside::checks(&configuration).await);
    found.extend(daemon::checks(answers).await);
    found
}

/// Returns the report as text.
pub(super) async fn report(path: &Path) -> String {
    let checks = checks(path).await;
    checks
        .iter()
        .map(|check| format!("{}\n", words(check)))
        .collect()
}

fn words(check: &Check) -> String {
    let verdict = match check.verdict {
        Verdict::Ok => "ok     ",
        Verdict::Skipped => "skipped",
        Verdict::Warn => "LOOK   ",
        Verdict::Fail => "WRONG  ",
    };
    let what = match check.what.is_empty() {
        true => String::new(),
        false => format!(" {}", check.what),
    };
    let line = format!("{verdict} {}{what}: {}", check.id, check.found);
    match check.cure.is_empty() {
        true => line,
        false => format!("{line}\n        -> {}", check.cure),
    }
}
