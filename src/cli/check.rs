//! `trunkline check-config --online`: the files are right by themselves; now the CRM is asked.

use std::path::Path;

use serde_json::{Value, json};

use crate::config;

use super::client::{Client, ClientError};
use super::output::Output;
use super::status::items;

/// Has the daemon hold every tenant's file against its CRM.
pub(super) async fn online(path: &Path, output: &mut Output) -> Result<(), ClientError> {
    let client = Client::from_config(path)?;
    let mut reports: Vec<Value> = Vec::new();
    for (file, text) in config::tenant_texts(path) {
        let body = json!({ "settings": { "name": file.to_string_lossy(), "text": text } });
        let found = client.post("/v1/check", &body).await?;
        reports.extend(items(&found, "integrations").iter().cloned());
    }
    let wrong = reports.iter().any(|one| !items(one, "mistakes").is_empty());
    if output.json() {
        output.value(&json!({ "ok": !wrong, "integrations": reports }));
    } else {
        for report in &reports {
            tell(report, output);
        }
    }
    match wrong {
        true => Err(ClientError::Told),
        false => Ok(()),
    }
}

fn tell(report: &Value, output: &mut Output) {
    let text = |value: &Value, name: &str| match value.get(name) {
        Some(Value::String(text)) => text.clone(),
        _ => String::new(),
    };
    let integration = text(report, "integration");
    let mistakes = items(report, "mistakes");
    for mistake in mistakes {
        output.error(&format!(
            "{integration}: settings.{}: {}",
            text(mistake, "path"),
            text(mistake, "message")
        ));
    }
    if report.get("checked") != Some(&Value::Bool(true)) {
        output.line(&format!(
            "{integration}: not checked: {}",
            text(report, "why_not")
        ));
        return;
    }
    if report.get("fresh") == Some(&Value::Bool(false)) {
        output.line(&format!(
            "{integration}: by what the CRM said at {}: {}",
            text(report, "as_of"),
            text(report, "why_not")
        ));
    }
    for list in items(report, "not_listed") {
        let list = list.as_str().unwrap_or_default();
        output.line(&format!(
            "{integration}: the CRM lists no {list}: not checked"
        ));
    }
    if mistakes.is_empty() {
        output.line(&format!(
            "{integration}: the CRM has everything that is named"
        ));
    }
}
