//! `trunkline call`.

use clap::Args;
use serde_json::{Value, json};

use crate::model::ids::SourceKey;

use super::client::{Client, ClientError};
use super::output::Output;

/// Who is to be connected with whom.
#[derive(Debug, Args)]
pub(super) struct Call {
    /// The source that places the call: tenant/source.
    source: String,
    /// The employee, by the id of the configuration.
    employee: String,
    /// The client's number, in any form.
    phone: String,
}

pub(super) async fn place(
    client: &Client,
    wish: Call,
    output: &mut Output,
) -> Result<(), ClientError> {
    let source: SourceKey = wish
        .source
        .parse()
        .map_err(|error| ClientError::Wrong(format!("{}: {error}", wish.source)))?;
    let path = format!(
        "/v1/tenants/{}/sources/{}/calls",
        source.tenant, source.source
    );
    let body = json!({ "employee": wish.employee, "phone": wish.phone });
    let placed = client.post(&path, &body).await?;
    if output.json() {
        output.value(&placed);
        return Ok(());
    }
    let text = |name: &str| placed.get(name).and_then(Value::as_str);
    output.line(&format!(
        "{}'s phone rings; then {} is dialled",
        wish.employee,
        text("phone").unwrap_or("the client")
    ));
    if let Some(key) = text("communication") {
        output.line(&format!("what becomes of it: trunkline explain {key}"));
    }
    Ok(())
}
