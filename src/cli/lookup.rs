//! `trunkline lookup`.

use clap::Args;
use serde_json::Value;

use super::Lang;
use super::client::{Client, ClientError};
use super::output::Output;
use super::status::items;
use crate::model::ids::{SourceId, TenantId};

/// Whom a caller would reach.
#[derive(Debug, Args)]
pub(super) struct Lookup {
    /// The tenant.
    tenant: String,
    /// The source that asks.
    source: String,
    /// The caller's number, in any form; "" for a withheld one.
    phone: String,
    /// The company's number that was dialled.
    #[arg(long)]
    did: Option<String>,
    /// The employee whom an earlier answer named did not answer.
    #[arg(long)]
    redirect_failed: bool,
    /// Say how the answer was found.
    #[arg(long)]
    explain: bool,
    /// The language of the explanation.
    #[arg(long, value_enum)]
    lang: Option<Lang>,
}

pub(super) async fn show(
    client: &Client,
    wish: Lookup,
    output: &mut Output,
) -> Result<(), ClientError> {
    let wrong = |error: crate::model::ids::BadId| ClientError::Wrong(error.to_string());
    let tenant: TenantId = wish.tenant.parse().map_err(wrong)?;
    let source: SourceId = wish.source.parse().map_err(wrong)?;
    let mut query = vec![
        ("phone", wish.phone),
        ("redirect_failed", wish.redirect_failed.to_string()),
    ];
    query.extend(wish.did.map(|did| ("did", did)));
    query.extend(wish.lang.map(|lang| {
        let word = match lang {
            Lang::Ru => "ru",
            Lang::En => "en",
        };
        ("lang", word.to_owned())
    }));
    let path = format!("/v1/tenants/{tenant}/sources/{source}/lookup");
    let mut found = client.get(&path, &query).await?;
    if output.json() {
        if let (false, Some(answer)) = (wish.explain, found.as_object_mut()) {
            answer.remove("explanation");
        }
        output.value(&found);
        return Ok(());
    }
    tell(&found, wish.explain, output);
    Ok(())
}

fn tell(found: &Value, explain: bool, output: &mut Output) {
    let text = |pointer: &str| match found.pointer(pointer) {
        Some(Value::String(text)) => Some(text.clone()),
        Some(Value::Null) | None => None,
        Some(other) => Some(other.to_string()),
    };
    let or_none = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    output.line(&format!(
        "extension {}, route {} ({})",
        or_none(text("/extension")),
        or_none(text("/route")),
        or_none(text("/explanation/text"))
    ));
    if let Some(name) = text("/client/name") {
        output.line(&format!(
            "client {name}, {} {}",
            or_none(text("/client/id")),
            text("/client/url").unwrap_or_default()
        ));
        let age = text("/age_s").map(|age| format!(", at the most {age} s old"));
        output.line(&format!(
            "known to {} by {}{}",
            or_none(text("/integration")),
            or_none(text("/knowledge")),
            age.unwrap_or_default()
        ));
    }
    if let Some(name) = text("/manager/name") {
        output.line(&format!(
            "manager {name} ({}), extension {}",
            or_none(text("/manager/employee")),
            or_none(text("/manager/extension"))
        ));
    }
    if !explain {
        return;
    }
    let reasons = found.get("explanation").unwrap_or(&Value::Null);
    for reason in items(reasons, "reasons") {
        let row = reason.get("row").and_then(Value::as_str).unwrap_or("");
        let words = reason.get("text").and_then(Value::as_str).unwrap_or("-");
        output.line(&format!("  {row:6} {words}"));
    }
}
