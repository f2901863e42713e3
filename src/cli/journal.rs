//! `trunkline journal`.

use clap::Args;
use serde_json::Value;

use super::client::{Client, ClientError};
use super::output::Output;
use super::status::items;

/// What to look for.
#[derive(Debug, Args)]
pub(super) struct Search {
    /// Only this client's number, in any form.
    #[arg(long)]
    phone: Option<String>,
    /// Only this tenant.
    #[arg(long)]
    tenant: Option<String>,
    /// Only what began at or after this time (2026-11-20T09:00:00+03:00).
    #[arg(long)]
    from: Option<String>,
    /// Only what began before this time.
    #[arg(long)]
    until: Option<String>,
    /// Only what came to this: open, not_taken, ignored, observed, done, waiting, dead.
    #[arg(long)]
    outcome: Option<String>,
    /// Only this kind: call, chat, request.
    #[arg(long)]
    kind: Option<String>,
    /// At most so many lines, from 1 to 500.
    #[arg(long, default_value_t = 50)]
    limit: usize,
}

pub(super) async fn show(
    client: &Client,
    search: Search,
    output: &mut Output,
) -> Result<(), ClientError> {
    let mut query = vec![("limit", search.limit.to_string())];
    let given = [
        ("phone", search.phone),
        ("tenant", search.tenant),
        ("from", search.from),
        ("until", search.until),
        ("outcome", search.outcome),
        ("kind", search.kind),
    ];
    query.extend(
        given
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?))),
    );
    let found = client.get("/v1/journal", &query).await?;
    if output.json() {
        output.value(&found);
        return Ok(());
    }
    let lines = items(&found, "items");
    for line in lines {
        let text = |name: &str| line.get(name).and_then(Value::as_str).unwrap_or("-");
        output.line(&format!(
            "{}  {:<9} {:<7} {:<16} {}  {}",
            text("started_at"),
            text("outcome"),
            text("kind"),
            text("client"),
            text("key"),
            text("summary")
        ));
    }
    if lines.is_empty() {
        output.line("nothing found");
    }
    Ok(())
}
