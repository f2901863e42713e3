//! `trunkline forget`.

use clap::Args;
use serde_json::{Value, json};

use super::client::{Client, ClientError};
use super::output::Output;
use super::status::items;

#[derive(Debug, Args)]
pub(super) struct Forget {
    /// The client's number, in any form.
    phone: String,
}

pub(super) async fn run(
    client: &Client,
    wish: Forget,
    output: &mut Output,
) -> Result<(), ClientError> {
    let body = json!({ "phone": wish.phone });
    let report = client.post("/v1/forget", &body).await?;
    if output.json() {
        output.value(&report);
        return Ok(());
    }
    let number = |name: &str| report.get(name).and_then(Value::as_u64).unwrap_or(0);
    output.line(&format!(
        "forgotten: {} communication(s), {} remark(s), {} recording(s) of ours",
        number("communications"),
        number("remarks"),
        number("recordings"),
    ));
    if number("quarantined") > 0 {
        output.line(&format!(
            "forgotten: {} row(s) in quarantine",
            number("quarantined")
        ));
    }
    for kept in items(&report, "kept") {
        let why = match text(kept, "why") {
            "waits" => "its work waits for a CRM: let it go or drop it, then forget again",
            _ => "it is not over: forget again when it is",
        };
        output.line(&format!("kept: {}: {why}", text(kept, "communication")));
    }
    for left in items(&report, "left") {
        output.line(&match text(left, "where") {
            "crm" => {
                let card = left.get("card");
                let part = |name: &str| card.map_or("-", |card| text(card, name));
                format!(
                    "left: {} {} in {}: delete it there, our copy follows",
                    part("entity"),
                    part("id"),
                    text(left, "portal"),
                )
            }
            "source" => format!(
                "left: what {} itself remembers of the last days; it goes with its time",
                text(left, "source"),
            ),
            "phone_system" => format!(
                "left: what the phone system or platform behind {} keeps of its own (history, recordings, \
                 phone book): delete it there",
                text(left, "source"),
            ),
            _ => format!("left: a recording cannot be removed: {}", text(left, "why")),
        });
    }
    if report.get("more") == Some(&Value::Bool(true)) {
        output.line("there are more: forget again");
    }
    Ok(())
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or("-")
}
