//! `trunkline integration …`.

use clap::Subcommand;
use serde_json::{Value, json};

use crate::model::ids::IntegrationKey;

use super::client::{Client, ClientError};
use super::file_edit::IntegrationWish;
use super::output::Output;

#[derive(Debug, Subcommand)]
pub(super) enum Integration {
    /// Switch an integration, or let it work in another account, in its tenant's file; a change
    /// after which the configuration would be wrong is not made.
    Edit(IntegrationWish),
    /// Print the address at which the CRM reaches this box, with its secret, to be copied into the
    /// CRM. The journal takes note of it.
    Webhook {
        /// The integration: tenant/integration.
        integration: String,
    },
}

pub(super) async fn run(
    client: &Client,
    integration: Integration,
    output: &mut Output,
) -> Result<(), ClientError> {
    match integration {
        // It needs no daemon, and was carried out before one was asked.
        Integration::Edit(_) => Ok(()),
        Integration::Webhook { integration } => webhook(client, &integration, output).await,
    }
}

async fn webhook(
    client: &Client,
    integration: &str,
    output: &mut Output,
) -> Result<(), ClientError> {
    let key: IntegrationKey = integration
        .parse()
        .map_err(|error| ClientError::Wrong(format!("{integration}: {error}")))?;
    let path = format!(
        "/v1/tenants/{}/integrations/{}/webhook",
        key.tenant, key.integration
    );
    let answer = client.post(&path, &json!({})).await?;
    if output.json() {
        output.value(&answer);
    } else {
        output.line(answer.get("address").and_then(Value::as_str).unwrap_or("-"));
    }
    Ok(())
}
