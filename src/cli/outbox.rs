//! `trunkline outbox …`.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::model::ids::{CommunicationKey, IntegrationKey};

use super::client::{Client, ClientError};
use super::explain::step_state;
use super::output::Output;
use super::status::items;

#[derive(Debug, Subcommand)]
pub(super) enum Outbox {
    /// List work that is not over.
    List {
        /// Only this integration's (tenant/integration).
        #[arg(long)]
        integration: Option<String>,
    },
    /// List dead letters.
    Dead,
    /// Try dead letters again as they are.
    Retry(Which),
    /// Decide the undone steps of dead letters anew under present settings.
    DecideAgain(Which),
    /// Give dead letters up.
    Drop(Which),
}

/// Which dead letters.
#[derive(Debug, Args)]
pub(super) struct Which {
    /// All dead letters of this integration (tenant/integration).
    #[arg(long, conflicts_with_all = ["integration", "communication", "role"])]
    all_of: Option<String>,
    /// The integration of one dead letter.
    #[arg(long, requires = "communication", required_unless_present = "all_of")]
    integration: Option<String>,
    /// Its communication.
    #[arg(long, requires = "role")]
    communication: Option<String>,
    /// Its role, such as contact.
    #[arg(long)]
    role: Option<String>,
}

pub(super) async fn run(
    client: &Client,
    outbox: Outbox,
    output: &mut Output,
) -> Result<(), ClientError> {
    match outbox {
        Outbox::List { integration } => {
            let query: Vec<(&str, String)> = integration
                .map(|key| ("integration", key))
                .into_iter()
                .collect();
            let found = client.get("/v1/outbox", &query).await?;
            if output.json() {
                output.value(&found);
                return Ok(());
            }
            for row in items(&found, "items") {
                list_row(row, output);
            }
            let total = found.get("total").and_then(Value::as_u64).unwrap_or(0);
            output.line(&format!("{total} open work(s)"));
            Ok(())
        }
        Outbox::Dead => {
            let found = client.get("/v1/dead-letters", &[]).await?;
            if output.json() {
                output.value(&found);
                return Ok(());
            }
            for letter in items(&found, "items") {
                let text = |name: &str| letter.get(name).and_then(Value::as_str).unwrap_or("-");
                output.line(&format!(
                    "{}  {} {} {}: {}",
                    text("at"),
                    text("integration"),
                    text("communication"),
                    text("role"),
                    text("reason")
                ));
            }
            output.line(&format!("{} dead letter(s)", items(&found, "items").len()));
            Ok(())
        }
        Outbox::Retry(which) => change(client, "retry", which, output).await,
        Outbox::DecideAgain(which) => change(client, "decide-again", which, output).await,
        Outbox::Drop(which) => change(client, "drop", which, output).await,
    }
}

fn list_row(row: &Value, output: &mut Output) {
    let text = |name: &str| row.get(name).and_then(Value::as_str).unwrap_or("-");
    let state = row.get("state").unwrap_or(&Value::Null);
    let why = state.get("why").and_then(Value::as_str);
    let word = state.get("state").and_then(Value::as_str).unwrap_or("-");
    output.line(&format!(
        "{}  {} {} {}: {word}{}",
        text("accepted_at"),
        text("integration"),
        text("communication"),
        text("phase"),
        why.map(|why| format!(" ({why})")).unwrap_or_default()
    ));
    for step in items(row, "steps") {
        let role = step.get("role").and_then(Value::as_str).unwrap_or("-");
        output.line(&format!("    {role}: {}", step_state(step)));
    }
}

async fn change(
    client: &Client,
    wish: &str,
    which: Which,
    output: &mut Output,
) -> Result<(), ClientError> {
    let body = wanted(which)?;
    let answer = client
        .post(&format!("/v1/dead-letters/{wish}"), &body)
        .await?;
    if output.json() {
        output.value(&answer);
    } else {
        let done = answer.get("done").and_then(Value::as_u64).unwrap_or(0);
        output.line(&format!("{done} dead letter(s) changed"));
        if answer.get("more") == Some(&Value::Bool(true)) {
            output.line("there are more: run it again");
        }
        for refused in items(&answer, "refused") {
            let text = |name: &str| refused.get(name).and_then(Value::as_str).unwrap_or("-");
            output.error(&format!(
                "{} {}: {}",
                text("communication"),
                text("role"),
                text("why")
            ));
        }
    }
    if items(&answer, "refused").is_empty() {
        Ok(())
    } else {
        Err(ClientError::Refused("some were not changed".to_owned()))
    }
}

fn wanted(which: Which) -> Result<Value, ClientError> {
    let wrong = |error: &dyn std::fmt::Display| ClientError::Wrong(error.to_string());
    if let Some(all_of) = which.all_of {
        let all_of: IntegrationKey = all_of.parse().map_err(|error| wrong(&error))?;
        return Ok(json!({ "all_of": all_of }));
    }
    let (Some(integration), Some(communication), Some(role)) =
        (which.integration, which.communication, which.role)
    else {
        return Err(ClientError::Wrong(
            "name --all-of, or --integration, --communication and --role".to_owned(),
        ));
    };
    let integration: IntegrationKey = integration.parse().map_err(|error| wrong(&error))?;
    let communication: CommunicationKey = communication.parse().map_err(|error| wrong(&error))?;
    Ok(json!({ "items": [
        { "integration": integration, "communication": communication, "role": role }
    ] }))
}
