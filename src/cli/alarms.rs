//! `trunkline alarms`.

use clap::Subcommand;
use serde_json::{Value, json};

use super::client::{Client, ClientError};
use super::output::Output;
use super::status::items;

/// What is wanted.
#[derive(Debug, Subcommand)]
pub(super) enum Alarms {
    /// Show what stands, since when, and who was told.
    List,
    /// Send a trial message over every channel of [alarms].
    Test,
}

pub(super) async fn run(
    client: &Client,
    wish: &Alarms,
    output: &mut Output,
) -> Result<(), ClientError> {
    match wish {
        Alarms::List => list(client, output).await,
        Alarms::Test => test(client, output).await,
    }
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or("-")
}

async fn list(client: &Client, output: &mut Output) -> Result<(), ClientError> {
    let found = client.get("/v1/alarms", &[]).await?;
    if output.json() {
        output.value(&found);
        return Ok(());
    }
    for one in items(&found, "items") {
        let alarm = one.get("alarm").unwrap_or(&Value::Null);
        let told = one.get("told").and_then(Value::as_object);
        let told: Vec<&str> = told
            .into_iter()
            .flatten()
            .map(|(by, _)| by.as_str())
            .collect();
        let told = match told.is_empty() {
            true => "nobody was told".to_owned(),
            false => format!("told by {}", told.join(", ")),
        };
        let gone = match one.get("gone_since").and_then(Value::as_str) {
            Some(gone) => format!(", not seen any more since {gone}"),
            None => String::new(),
        };
        output.line(&format!(
            "{} {}: {} (since {}{gone}; {told})",
            text(alarm, "word"),
            text(alarm, "what"),
            text(alarm, "text"),
            text(one, "since"),
        ));
    }
    if items(&found, "items").is_empty() {
        output.line("nothing stands");
    }
    let channels = items(&found, "channels");
    for channel in channels {
        let state = match channel.get("trouble").and_then(Value::as_str) {
            Some(why) => format!("does not take messages: {why}"),
            None => format!("last message: {}", text(channel, "last_sent_at")),
        };
        output.line(&format!("channel {}: {state}", text(channel, "channel")));
    }
    if channels.is_empty() {
        output.line("nobody is told: [alarms.email] and [alarms.webhook] are not set");
    }
    Ok(())
}

async fn test(client: &Client, output: &mut Output) -> Result<(), ClientError> {
    let found = client.post("/v1/alarms/test", &json!({})).await?;
    let channels = items(&found, "channels");
    let sent = |one: &Value| one.get("sent") == Some(&Value::Bool(true));
    let all = !channels.is_empty() && channels.iter().all(sent);
    if output.json() {
        output.value(&found);
    } else if channels.is_empty() {
        output.error("nobody is told: set [alarms.email] or [alarms.webhook] in trunkline.toml");
    }
    for channel in channels
        .iter()
        .filter(|_| !output.json())
        .collect::<Vec<_>>()
    {
        let name = text(channel, "channel");
        match sent(channel) {
            true => output.line(&format!("{name}: the trial message was taken")),
            false => output.error(&format!("{name}: {}", text(channel, "why_not"))),
        }
    }
    match all {
        true => Ok(()),
        false => Err(ClientError::Told),
    }
}
