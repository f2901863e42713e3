//! `trunkline sync`.

use clap::Args;
use serde_json::{Value, json};

use super::client::{Client, ClientError};
use super::output::Output;
use super::status::items;

#[derive(Debug, Args)]
pub(super) struct Sync {
    /// Only this portal, as the list names it (crm:host).
    portal: Option<String>,
    /// Read everything anew, not only what changed.
    #[arg(long)]
    everything: bool,
    /// Only show how far the directories are.
    #[arg(long, conflicts_with = "everything")]
    show: bool,
}

pub(super) async fn run(
    client: &Client,
    sync: Sync,
    output: &mut Output,
) -> Result<(), ClientError> {
    if !sync.show {
        let body = match &sync.portal {
            Some(portal) => json!({ "portal": portal, "everything": sync.everything }),
            None => json!({ "everything": sync.everything }),
        };
        let asked = client.post("/v1/directories/sync", &body).await?;
        if output.json() {
            output.value(&asked);
            return Ok(());
        }
        for portal in items(&asked, "asked") {
            output.line(&format!("{}: will be read", portal.as_str().unwrap_or("-")));
        }
        return Ok(());
    }
    let found = client.get("/v1/directories", &[]).await?;
    if output.json() {
        output.value(&found);
        return Ok(());
    }
    for directory in items(&found, "items") {
        let text = |name: &str| directory.get(name).and_then(Value::as_str);
        let number = |name: &str| directory.get(name).and_then(Value::as_u64).unwrap_or(0);
        if sync
            .portal
            .as_deref()
            .is_some_and(|p| text("portal") != Some(p))
        {
            continue;
        }
        let complete = directory.get("complete").and_then(Value::as_bool) == Some(true);
        let how = match (complete, number("age_s")) {
            (true, age) => format!("complete, {age} s old"),
            (false, _) => "not read to its end yet".to_owned(),
        };
        output.line(&format!(
            "{}: {how}; {} cards, {} deals",
            text("portal").unwrap_or("-"),
            number("cards"),
            number("deals"),
        ));
        if let Some(reading) = directory
            .get("reading")
            .filter(|reading| !reading.is_null())
        {
            let records = reading.get("records").and_then(Value::as_u64).unwrap_or(0);
            output.line(&format!(
                "  everything is being read: {records} records so far"
            ));
        }
        if let Some(trouble) = text("trouble") {
            let at = text("trouble_at").unwrap_or("-");
            output.line(&format!("  last trouble, {at}: {trouble}"));
        }
    }
    Ok(())
}
