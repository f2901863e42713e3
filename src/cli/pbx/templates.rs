//! `trunkline pbx templates`: what is to be pasted into the pages of a source. Needs no daemon.

use std::path::Path;

use serde_json::json;

use crate::config::{self, ConfigMistake, Environment};
use crate::model::ids::SourceKey;

use super::super::client::ClientError;
use super::super::output::Output;

/// Stands in the address where the secret belongs, which is not shown.
const SECRET: &str = "SECRET";

/// Reads the configuration and prints.
pub(super) fn show(path: &Path, source: &str, output: &mut Output) -> Result<(), ClientError> {
    let key: SourceKey = source
        .parse()
        .map_err(|error| ClientError::Wrong(format!("{source}: {error}")))?;
    let configuration = config::load(path, &Environment::of_process()).map_err(|mistakes| {
        let lines: Vec<String> = mistakes.iter().map(ConfigMistake::to_string).collect();
        ClientError::Wrong(lines.join("\n"))
    })?;
    let tenant = configuration.tenant(&key.tenant);
    let found = tenant.and_then(|tenant| tenant.source(&key.source));
    let found = found.ok_or_else(|| ClientError::Wrong(format!("there is no source {key}")))?;
    let texts = found.source.to_paste();
    if texts.is_empty() {
        let message = format!("nothing is pasted into the pages of a source such as {key}");
        return Err(ClientError::Wrong(message));
    }
    let public_url = configuration.daemon.public_url.as_ref();
    let base = public_url.map_or("https://YOUR-ADDRESS", |url| url.as_str());
    let address = format!(
        "{}/hooks/{}/{}/{}/{SECRET}",
        base.trim_end_matches('/'),
        found.kind,
        key.tenant,
        key.source,
    );
    if output.json() {
        let texts: Vec<_> = texts
            .iter()
            .map(|text| json!({ "title": text.titles[0], "title_en": text.titles[1], "text": text.text }))
            .collect();
        output.value(&json!({ "address": address, "method": "POST", "texts": texts }));
        return Ok(());
    }
    output.line(&format!(
        "Address of every notification, by POST ({SECRET} is what the secret `hook` of {key} holds):\n\n  \
         {address}"
    ));
    for text in &texts {
        let [title, english] = text.titles;
        output.line(&format!("\n# {title} ({english})\n\n{}", text.text));
    }
    Ok(())
}
