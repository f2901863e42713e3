//! `trunkline explain`.

use serde_json::Value;

use crate::model::explanation::Language;

use super::client::{Client, ClientError, segments};
use super::output::Output;
use super::status::items;

pub(super) async fn show(
    client: &Client,
    key: &str,
    language: Option<Language>,
    again: bool,
    output: &mut Output,
) -> Result<(), ClientError> {
    let mut query: Vec<(&str, String)> = language
        .map(|language| match language {
            Language::Ru => ("lang", "ru".to_owned()),
            Language::En => ("lang", "en".to_owned()),
        })
        .into_iter()
        .collect();
    if again {
        query.push(("again", "true".to_owned()));
    }
    let story = client
        .get(&format!("/v1/communications/{}", segments(key)), &query)
        .await?;
    if output.json() {
        output.value(&story);
        return Ok(());
    }
    let text = |value: &Value, name: &str| -> String {
        match value.get(name) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Null) | None => "-".to_owned(),
            Some(other) => other.to_string(),
        }
    };
    output.line(&format!(
        "{} {}: {}, {}",
        text(&story, "kind"),
        text(&story, "key"),
        text(&story, "summary"),
        text(&story, "outcome")
    ));
    output.line(&format!(
        "client {}, began {}",
        text(&story, "client"),
        text(&story, "started_at")
    ));
    if let Some(why) = story.get("not_taken").and_then(Value::as_str) {
        output.line(&format!("not taken: {why}"));
    }
    for work in items(&story, "works") {
        let state = work.get("state").unwrap_or(&Value::Null);
        if text(state, "state") == "undecided" {
            output.line(&format!(
                "integration {}: not decided yet: {}",
                text(work, "integration"),
                state
                    .get("why")
                    .and_then(Value::as_str)
                    .unwrap_or("it waits for its turn")
            ));
        }
    }
    for integration in items(&story, "integrations") {
        output.line(&format!(
            "integration {}:",
            text(integration, "integration")
        ));
        for decision in items(integration, "decisions") {
            output.line(&format!(
                "  decided at {} by settings revision {}:",
                text(decision, "at"),
                text(decision, "settings_revision")
            ));
            if let Some(facts) = decision.get("facts").filter(|facts| !facts.is_null()) {
                let origin = match text(facts, "origin").as_str() {
                    "directory" => "the directory",
                    _ => "the CRM",
                };
                let at = text(facts, "as_of");
                output.line(&format!("    known from {origin} as of {at}"));
            }
            for reason in items(decision, "explanation") {
                output.line(&format!("    {}", reason.as_str().unwrap_or("-")));
            }
            if let Some(again) = decision.get("again") {
                tell_again(again, output);
            }
        }
        let passing = items(integration, "passing").iter();
        for shown in passing.chain(items(integration, "notices")) {
            let why = match shown.get("why").and_then(Value::as_str) {
                Some(why) => format!(" ({why})"),
                None => String::new(),
            };
            output.line(&format!(
                "  {}: {} at {}{why}",
                text(shown, "role"),
                text(shown, "state"),
                text(shown, "at")
            ));
            for reason in items(shown, "explanation") {
                output.line(&format!("    {}", reason.as_str().unwrap_or("-")));
            }
        }
        for step in items(integration, "steps") {
            output.line(&format!(
                "  step {}: {}",
                text(step, "role"),
                step_state(step)
            ));
        }
    }
    if let Some(recording) = story.get("recording").filter(|one| !one.is_null()) {
        output.line(&format!("recording: {}", recording_state(recording)));
    }
    for note in items(&story, "notes") {
        output.line(&format!("  {} {}", text(note, "at"), text(note, "text")));
    }
    Ok(())
}

/// Says what a decision comes to now.
fn tell_again(again: &Value, output: &mut Output) {
    match again.get("same").and_then(Value::as_bool) {
        Some(true) => output.line("    made again: the same"),
        Some(false) => {
            output.line("    made again, this version decides differently:");
            for name in ["differences", "explanation"] {
                for text in items(again, name) {
                    output.line(&format!("      {}", text.as_str().unwrap_or("-")));
                }
            }
        }
        None => {
            let why = again.get("why_not").and_then(Value::as_str);
            let why = why.unwrap_or("the daemon does not say why");
            output.line(&format!("    cannot be made again: {why}"));
        }
    }
}

fn recording_state(recording: &Value) -> String {
    let part = |name: &str| recording.get(name).and_then(Value::as_str);
    match part("state") {
        Some("sought") => match part("why") {
            Some(why) => format!("looked for: {why}"),
            None => "looked for".to_owned(),
        },
        Some("ready") => "can be played".to_owned(),
        Some("missing") => part("reason").unwrap_or("given up").to_owned(),
        Some("forgotten") => "no longer kept".to_owned(),
        other => other.unwrap_or("-").to_owned(),
    }
}

pub(super) fn step_state(step: &Value) -> String {
    let null = Value::Null;
    let state = step.get("state").unwrap_or(&null);
    let text = |name: &str| state.get(name).and_then(Value::as_str).unwrap_or("-");
    match text("state") {
        "done" => {
            let cards = state
                .get("result")
                .map(|result| items(result, "cards"))
                .unwrap_or_default()
                .iter()
                .map(|card| {
                    let part = |name: &str| card.get(name).and_then(Value::as_str).unwrap_or("-");
                    format!("{} {}", part("entity"), part("id"))
                })
                .collect::<Vec<_>>()
                .join(", ");
            let note = state
                .get("result")
                .and_then(|result| result.get("note"))
                .and_then(Value::as_str)
                .map(|note| format!(" ({note})"))
                .unwrap_or_default();
            format!("done: {cards}{note}")
        }
        "waiting" => format!("waits until {}: {}", text("until"), text("why")),
        "dead" => format!("dead letter: {}", text("reason")),
        "dropped" => format!("dropped: {}", text("reason")),
        other => other.to_owned(),
    }
}
