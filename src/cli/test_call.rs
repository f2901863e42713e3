//! `trunkline test-call`.

use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::Lang;
use super::client::{Client, ClientError};
use super::output::Output;
use super::status::items;
use crate::model::ids::SourceKey;

/// Pause between two looks.
const PAUSE: Duration = Duration::from_millis(500);

/// Which call is followed.
#[derive(Debug, Args)]
pub(super) struct TestCall {
    /// The source that the call comes through: tenant/source.
    source: String,
    /// The number that will call, or is to be called, in any form.
    phone: String,
    /// Have this employee connected with the number, instead of waiting for its call: the
    /// employee's phone rings first.
    #[arg(long)]
    employee: Option<String>,
    /// Give up after so many seconds.
    #[arg(long, default_value_t = 120)]
    wait: u64,
    /// The language of what is told.
    #[arg(long, value_enum)]
    lang: Option<Lang>,
}

pub(super) async fn follow(
    client: &Client,
    wish: TestCall,
    output: &mut Output,
) -> Result<(), ClientError> {
    let source: SourceKey = wish
        .source
        .parse()
        .map_err(|error| ClientError::Wrong(format!("{}: {error}", wish.source)))?;
    let path = format!("/v1/tenants/{}/sources/{}", source.tenant, source.source);
    let mut query = vec![("phone", wish.phone.clone())];
    query.extend(wish.lang.map(|lang| ("lang", lang.word().to_owned())));
    let test_call = format!("{path}/test-call");
    // The daemon's clock says from when on a call counts.
    let begun = client.get(&test_call, &query).await?;
    let since = begun.get("since").and_then(Value::as_str);
    query.push(("since", since.unwrap_or_default().to_owned()));
    if let Some(employee) = &wish.employee {
        let order = json!({ "employee": employee, "phone": wish.phone });
        let placed = client.post(&format!("{path}/calls"), &order).await?;
        if let Some(key) = placed.get("communication").and_then(Value::as_str) {
            query.push(("communication", key.to_owned()));
        }
        if !output.json() {
            output.line(&format!("{employee}'s phone rings; pick it up"));
        }
    } else if !output.json() {
        output.line(&format!("call now from {}", wish.phone));
    }
    let deadline = Instant::now() + Duration::from_secs(wish.wait);
    let mut told: Vec<String> = Vec::new();
    loop {
        let mut way = client.get(&test_call, &query).await?;
        let is = |name: &str| way.get(name) == Some(&Value::Bool(true));
        let (over, in_crm) = (is("over"), is("in_crm"));
        let timed_out = !over && Instant::now() >= deadline;
        if !output.json() {
            tell(&way, &mut told, output);
        }
        if over || timed_out {
            let ends_well = in_crm || (over && !has(&way, "fails"));
            if output.json() {
                if let Some(way) = way.as_object_mut() {
                    way.insert("timed_out".to_owned(), Value::Bool(timed_out));
                }
                output.value(&way);
            } else {
                conclude(&way, timed_out.then_some(wish.wait), output);
            }
            return if ends_well {
                Ok(())
            } else {
                Err(ClientError::Told)
            };
        }
        sleep(PAUSE).await;
    }
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or("-")
}

fn has(way: &Value, state: &str) -> bool {
    let mut stations = items(way, "stations").iter();
    stations.any(|one| text(one, "state") == state)
}

/// Tells what is new.
fn tell(way: &Value, told: &mut Vec<String>, output: &mut Output) {
    for one in items(way, "stations") {
        let line = line(one);
        if told.contains(&line) {
            continue;
        }
        output.line(&line);
        told.push(line);
        for reason in items(one, "reasons") {
            let reason = format!("    {}", reason.as_str().unwrap_or("-"));
            if !told.contains(&reason) {
                output.line(&reason);
                told.push(reason);
            }
        }
    }
}

fn line(station: &Value) -> String {
    let mark = match text(station, "state") {
        "passed" => "+",
        "waits" => "…",
        "ends" => "=",
        _ => "!",
    };
    let integration = match station.get("integration").and_then(Value::as_str) {
        Some(integration) => format!(" {integration}"),
        None => String::new(),
    };
    let name = text(station, "station");
    format!("{mark} {name}{integration}: {}", text(station, "text"))
}

/// Says how it ended.
fn conclude(way: &Value, waited: Option<u64>, output: &mut Output) {
    let key = way.get("communication").and_then(Value::as_str);
    let stopped = way.get("stopped").and_then(Value::as_str);
    match (waited, stopped) {
        (None, None) => output.line("the call is in the CRM"),
        (None, Some(station)) => output.line(&format!("the call went as far as: {station}")),
        (Some(seconds), station) => output.line(&format!(
            "given up after {seconds} s; the call stands at: {}",
            station.unwrap_or("-")
        )),
    }
    if let Some(key) = key {
        output.line(&format!("more about it: trunkline explain {key}"));
    }
}
