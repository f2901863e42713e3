//! `trunkline status`.

use serde_json::Value;

use super::client::{Client, ClientError};
use super::output::Output;

pub(super) async fn show(client: &Client, output: &mut Output) -> Result<(), ClientError> {
    let status = client.get("/v1/status", &[]).await?;
    if output.json() {
        output.value(&status);
        return Ok(());
    }
    let text = |value: &Value, name: &str| -> String {
        match value.get(name) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Null) | None => "-".to_owned(),
            Some(other) => other.to_string(),
        }
    };
    let ready = if status.get("ready") == Some(&Value::Bool(true)) {
        "ready"
    } else {
        "starting"
    };
    output.line(&format!(
        "trunkline {}, {ready}, since {}",
        text(&status, "version"),
        text(&status, "started_at")
    ));
    let empty = Value::Null;
    let store = status.get("store").unwrap_or(&empty);
    output.line(&format!(
        "store: {} communication(s), {} open work(s), {} dead letter(s), {} bytes",
        text(store, "communications"),
        text(store, "open_works"),
        text(store, "dead_letters"),
        text(store, "file_bytes")
    ));
    let left = store.get("left_works").and_then(Value::as_u64);
    if let Some(left) = left.filter(|left| *left > 0) {
        output.line(&format!(
            "{left} work(s) of integrations that are not configured any more: they go on if these return"
        ));
    }
    for source in items(&status, "sources") {
        let state = source.get("state").unwrap_or(&empty);
        let health = if state.is_null() {
            "posted to".to_owned()
        } else {
            text(state, "health")
        };
        output.line(&format!(
            "source {} ({}): {health}{}",
            text(source, "key"),
            text(source, "kind"),
            trouble(state)
        ));
    }
    for integration in items(&status, "integrations") {
        let state = integration.get("state").unwrap_or(&empty);
        output.line(&format!(
            "integration {} -> {}: {}, {}, {} open, {} not decided yet{}{}{}",
            text(integration, "key"),
            text(integration, "portal"),
            text(integration, "activity"),
            text(state, "health"),
            text(integration, "open_works"),
            text(integration, "not_decided_yet"),
            match integration.get("waiting_for").and_then(Value::as_str) {
                Some(why) => format!(" ({why})"),
                None => String::new(),
            },
            match integration.get("decide_again").and_then(Value::as_str) {
                Some(command) => format!(
                    "; {} dead letter(s), after a change of settings: {command}",
                    text(integration, "dead_letters")
                ),
                None => String::new(),
            },
            trouble(state)
        ));
    }
    for integration in items(&status, "integrations") {
        let remark = integration.pointer("/employees/remark");
        if let Some(remark) = remark.and_then(Value::as_str) {
            output.line(&format!(
                "integration {}: {remark}",
                text(integration, "key")
            ));
        }
    }
    for quota in items(&status, "day_quotas") {
        let left = match quota.get("left").and_then(Value::as_u64) {
            Some(left) => format!("{left} left as of {}", text(quota, "as_of")),
            None => "how many are left is not known yet".to_owned(),
        };
        output.line(&format!(
            "{} requests a day to {}: {left}",
            text(quota, "a_day"),
            text(quota, "portal"),
        ));
    }
    for knowledge in items(&status, "knowledge") {
        let state = match knowledge.get("age_s").and_then(Value::as_u64) {
            Some(age_s) => format!("whole, at the most {age_s} s old"),
            None if knowledge.get("kept") == Some(&Value::Bool(true)) => {
                "not read through yet".to_owned()
            }
            None => "no directory is kept".to_owned(),
        };
        output.line(&format!(
            "clients of {} for questions: {state}",
            text(knowledge, "portal")
        ));
    }
    let recordings = status.get("recordings").unwrap_or(&empty);
    let counted = |name: &str| recordings.get(name).and_then(Value::as_u64).unwrap_or(0);
    if ["sought", "ready", "not_told", "missing"]
        .iter()
        .any(|name| counted(name) > 0)
    {
        output.line(&format!(
            "recordings: {} looked for, {} ready, {} ready without an address to give, {} given \
             up{}",
            counted("sought"),
            counted("ready"),
            counted("not_told"),
            counted("missing"),
            trouble(recordings.get("state").unwrap_or(&empty))
        ));
    }
    for alarm in items(&status, "alarms") {
        output.line(&format!(
            "ALARM {} {}: {}",
            text(alarm, "word"),
            text(alarm, "what"),
            text(alarm, "text")
        ));
    }
    for off in items(&status, "off") {
        output.line(&format!("off: {}: {}", text(off, "what"), text(off, "why")));
    }
    Ok(())
}

pub(super) fn items<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value
        .get(name)
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default()
}

fn trouble(state: &Value) -> String {
    let restarts = state.get("restarts").and_then(Value::as_u64).unwrap_or(0);
    match (restarts, state.get("last_error").and_then(Value::as_str)) {
        (0, None) => String::new(),
        (0, Some(error)) => format!("; last trouble: {error}"),
        (restarts, error) => {
            format!(
                "; restarted {restarts} time(s), last trouble: {}",
                error.unwrap_or("-")
            )
        }
    }
}
