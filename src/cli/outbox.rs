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
    Dead {
        /// Only this integration's (tenant/integration).
        #[arg(long)]
        integration: Option<String>,
        /// Only those whose reason holds these words.
        #[arg(long)]
        reason: Option<String>,
    },
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
    /// All dead letters whose reason holds these words; with --all-of, only of that integration.
    #[arg(long, conflicts_with_all = ["integration", "communication", "role"])]
    reason: Option<String>,
    /// The integration of one dead letter.
    #[arg(long, requires = "communication", required_unless_present_any = ["all_of", "reason"])]
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
        Outbox::Dead {
            integration,
            reason,
        } => {
            let integration = integration.map(|key| ("integration", key)).into_iter();
            let reason = reason.map(|words| ("reason", words));
            let query: Vec<(&str, String)> = integration.chain(reason).collect();
            let found = client.get("/v1/dead-letters", &query).await?;
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
            let more = found.get("more") == Some(&Value::Bool(true));
            output.line(&format!(
                "{} dead letter(s){}",
                items(&found, "items").len(),
                if more { " and more" } else { "" }
            ));
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
    let mut body = wanted(which)?;
    let mut done = 0;
    let mut refused: Vec<Value> = Vec::new();
    loop {
        let answer = client
            .post(&format!("/v1/dead-letters/{wish}"), &body)
            .await?;
        let now = answer.get("done").and_then(Value::as_u64).unwrap_or(0);
        done += now;
        for one in items(&answer, "refused") {
            // What is refused stays dead and comes again.
            if !refused.contains(one) {
                refused.push(one.clone());
            }
        }
        if now == 0 || answer.get("more") != Some(&Value::Bool(true)) {
            break;
        }
        if let (Some(body), Some(as_of)) = (body.as_object_mut(), answer.get("as_of")) {
            body.insert("as_of".to_owned(), as_of.clone());
        }
    }
    if output.json() {
        output.value(&json!({ "done": done, "refused": refused }));
    } else {
        output.line(&format!("{done} dead letter(s) changed"));
        for refused in &refused {
            let text = |name: &str| refused.get(name).and_then(Value::as_str).unwrap_or("-");
            output.error(&format!(
                "{} {}: {}",
                text("communication"),
                text("role"),
                text("why")
            ));
        }
    }
    if refused.is_empty() {
        Ok(())
    } else {
        Err(ClientError::Refused("some were not changed".to_owned()))
    }
}

fn wanted(which: Which) -> Result<Value, ClientError> {
    let wrong = |error: &dyn std::fmt::Display| ClientError::Wrong(error.to_string());
    if which.all_of.is_some() || which.reason.is_some() {
        let all_of = which.all_of.map(|key| key.parse::<IntegrationKey>());
        let all_of = all_of.transpose().map_err(|error| wrong(&error))?;
        return Ok(json!({ "all_of": all_of, "reason": which.reason }));
    }
    let (Some(integration), Some(communication), Some(role)) =
        (which.integration, which.communication, which.role)
    else {
        return Err(ClientError::Wrong(
            "name --all-of or --reason, or --integration, --communication and --role".to_owned(),
        ));
    };
    let integration: IntegrationKey = integration.parse().map_err(|error| wrong(&error))?;
    let communication: CommunicationKey = communication.parse().map_err(|error| wrong(&error))?;
    Ok(json!({ "items": [
        { "integration": integration, "communication": communication, "role": role }
    ] }))
}
