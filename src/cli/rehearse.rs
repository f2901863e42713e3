//! `trunkline rehearse`.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Map, Value, json};

use super::Lang;
use super::client::{Client, ClientError};
use super::output::Output;
use super::status::items;

/// What is to be rehearsed.
#[derive(Debug, Args)]
pub(super) struct Rehearse {
    /// A tenant's file that is not in force; without it, the settings in force are compared with
    /// what was decided then.
    #[arg(long)]
    settings: Option<PathBuf>,
    /// Only this integration: tenant/integration.
    #[arg(long)]
    integration: Option<String>,
    /// Only what began at or after this time (2026-11-20T09:00:00+03:00).
    #[arg(long)]
    since: Option<String>,
    /// At most so many communications of each integration, the newest; from 1 to 1000.
    #[arg(long, default_value_t = 200)]
    last: usize,
    /// Tell those that come to the same as well.
    #[arg(long)]
    all: bool,
    /// The language of reasons.
    #[arg(long, value_enum)]
    lang: Option<Lang>,
}

pub(super) async fn show(
    client: &Client,
    wish: Rehearse,
    output: &mut Output,
) -> Result<(), ClientError> {
    let mut body = json!({ "last": wish.last, "all": wish.all });
    if let Some(body) = body.as_object_mut() {
        put(body, "integration", wish.integration);
        put(body, "since", wish.since);
        put(body, "lang", wish.lang.map(|lang| lang.word().to_owned()));
        if let Some(path) = &wish.settings {
            let failed = |error| ClientError::Wrong(format!("{}: {error}", path.display()));
            let text = std::fs::read_to_string(path).map_err(failed)?;
            let name = path.to_string_lossy();
            body.insert("settings".to_owned(), json!({ "name": name, "text": text }));
        }
    }
    let found = client.post("/v1/rehearsal", &body).await?;
    if output.json() {
        output.value(&found);
        return Ok(());
    }
    let then = match found.get("compared_with").and_then(Value::as_str) {
        Some("settings_in_force") => "by the settings in force",
        _ => "as decided then",
    };
    for report in items(&found, "integrations") {
        integration(report, then, output);
    }
    output.line("nothing was sent, nothing was changed");
    Ok(())
}

fn put(body: &mut Map<String, Value>, name: &str, value: Option<String>) {
    body.extend(value.map(|value| (name.to_owned(), Value::String(value))));
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or("-")
}

fn integration(report: &Value, then: &str, output: &mut Output) {
    let count = |name: &str| {
        let counts = report.get("counts").and_then(|counts| counts.get(name));
        counts.and_then(Value::as_u64).unwrap_or_default()
    };
    output.line(&format!("integration {}:", text(report, "integration")));
    for item in items(report, "communications") {
        communication(item, then, output);
    }
    output.line(&format!(
        "  {} communication(s): {} the same, {} with other steps, {} with other reasons only, {} \
         not rehearsed",
        count("communications"),
        count("same"),
        count("other_steps"),
        count("other_reasons"),
        count("not_rehearsed"),
    ));
    for why in items(report, "not_rehearsed") {
        let number = why.get("communications").and_then(Value::as_u64);
        output.line(&format!(
            "    not rehearsed, {}: {}",
            number.unwrap_or_default(),
            text(why, "text")
        ));
    }
    output.line(&format!("  made {then}: {}", made(report, "made_before")));
    output.line(&format!("  made now: {}", made(report, "made_after")));
    if report.get("more") == Some(&Value::Bool(true)) {
        output.line(&format!(
            "  older than {} was not looked at: see --last and --since",
            text(report, "oldest")
        ));
    }
}

/// Counts of steps by kind.
fn made(report: &Value, name: &str) -> String {
    let counts = report.get(name).and_then(Value::as_object);
    let counts: Vec<String> = counts
        .into_iter()
        .flatten()
        .map(|(kind, count)| format!("{kind} {count}"))
        .collect();
    if counts.is_empty() {
        return "nothing".to_owned();
    }
    counts.join(", ")
}

fn communication(item: &Value, then: &str, output: &mut Output) {
    let difference = match text(item, "difference") {
        "same" => "the same",
        "reasons" => "the same steps for other reasons",
        "steps" => "other steps",
        _ => "not rehearsed",
    };
    output.line(&format!(
        "  {} {}, client {}, {}: {difference}",
        text(item, "kind"),
        text(item, "key"),
        text(item, "client"),
        text(item, "summary"),
    ));
    if let Some(why) = item.get("not_rehearsed").and_then(Value::as_str) {
        output.line(&format!("    {why}"));
    }
    let taken =
        |side: &str| item.get(side).and_then(|made| made.get("taken")) != Some(&false.into());
    for (side, words) in [("before", then), ("after", "now")] {
        if !taken(side) {
            output.line(&format!("    {words}: the integration does not take it"));
        }
    }
    for step in items(item, "steps") {
        output.line(&format!("    step {}", text(step, "role")));
        for (side, words) in [("before", then), ("after", "now")] {
            let made = step.get(side).and_then(Value::as_str);
            output.line(&format!("      {words}: {}", made.unwrap_or("not made")));
        }
    }
    for (name, words) in [("reasons_gone", "no longer"), ("reasons_new", "now")] {
        for reason in items(item, name) {
            output.line(&format!("    {words}: {}", reason.as_str().unwrap_or("-")));
        }
    }
    for assumed in item
        .get("after")
        .map(|made| items(made, "assumed"))
        .unwrap_or_default()
    {
        output.line(&format!("    assumed: {}", assumed.as_str().unwrap_or("-")));
    }
}
