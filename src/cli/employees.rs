//! `trunkline employees …`.

use clap::Subcommand;
use serde_json::{Value, json};

use crate::model::ids::IntegrationKey;

use super::client::{Client, ClientError};
use super::output::Output;
use super::status::items;

#[derive(Debug, Subcommand)]
pub(super) enum Employees {
    /// Show which users of the CRM are employees, and when they were read.
    Show {
        /// The integration: tenant/integration.
        integration: String,
    },
    /// Read the users of the CRM now. Must be done once when an integration is set up.
    Sync {
        /// The integration: tenant/integration.
        integration: String,
    },
}

pub(super) async fn run(
    client: &Client,
    employees: Employees,
    output: &mut Output,
) -> Result<(), ClientError> {
    match employees {
        Employees::Show { integration } => show(client, &place(&integration)?, output).await,
        Employees::Sync { integration } => sync(client, &place(&integration)?, output).await,
    }
}

fn place(integration: &str) -> Result<String, ClientError> {
    let key: IntegrationKey = integration
        .parse()
        .map_err(|error| ClientError::Wrong(format!("{integration}: {error}")))?;
    let (tenant, integration) = (key.tenant, key.integration);
    Ok(format!(
        "/v1/tenants/{tenant}/integrations/{integration}/employees"
    ))
}

async fn show(client: &Client, place: &str, output: &mut Output) -> Result<(), ClientError> {
    let found = client.get(place, &[]).await?;
    if output.json() {
        output.value(&found);
        return Ok(());
    }
    let text = |of: &Value, key: &str| of.get(key).and_then(Value::as_str).map(str::to_owned);
    let empty = Value::Null;
    let state = found.get("state").unwrap_or(&empty);
    let read_at = text(state, "read_at").unwrap_or_else(|| "never".to_owned());
    let how = match state.get("manner").and_then(Value::as_str) {
        Some("nightly_new") => "new ones are added every night",
        Some("daily") => "all are read once a day",
        _ => "new ones come when you sync",
    };
    output.line(&format!("read: {read_at}; {how}"));
    for key in ["remark", "trouble"] {
        if let Some(words) = text(state, key) {
            output.line(&words);
        }
    }
    for one in items(&found, "employees") {
        let of = |key: &str| text(one, key).unwrap_or_else(|| "-".to_owned());
        let in_file = match one.get("in_file") {
            Some(Value::Bool(true)) => " (in the file)",
            _ => "",
        };
        let left = match one.get("active") {
            Some(Value::Bool(false)) => "  may not log in: away",
            _ => "",
        };
        output.line(&format!(
            "user {}  {}  {}  is {}{in_file}{left}",
            of("user"),
            of("name"),
            of("extension"),
            of("employee"),
        ));
    }
    Ok(())
}

async fn sync(client: &Client, place: &str, output: &mut Output) -> Result<(), ClientError> {
    let done = client.post(&format!("{place}/sync"), &json!({})).await?;
    if output.json() {
        output.value(&done);
        return Ok(());
    }
    let count = |key: &str| items(done.get("report").unwrap_or(&Value::Null), key).len();
    if done.get("report").is_some_and(|report| !report.is_null()) {
        output.line(&format!(
            "{} added, {} changed, {} removed",
            count("added"),
            count("changed"),
            count("removed"),
        ));
    }
    if let Some(why) = done.get("not_in_force").and_then(Value::as_str) {
        output.line(why);
    }
    Ok(())
}
