//! `trunkline account …`.

use clap::Subcommand;
use serde_json::{Value, json};

use super::client::{Client, ClientError};
use super::output::Output;

#[derive(Debug, Subcommand)]
pub(super) enum Account {
    /// Let requests go again to an account that its CRM had blocked, once the vendor has lifted
    /// the block.
    Resume {
        /// The account, as the alarm names it (crm:portal).
        portal: String,
    },
}

pub(super) async fn run(
    client: &Client,
    account: Account,
    output: &mut Output,
) -> Result<(), ClientError> {
    let Account::Resume { portal } = account;
    let body = json!({ "portal": portal });
    let answer = client.post("/v1/accounts/resume", &body).await?;
    if output.json() {
        output.value(&answer);
    } else if answer.get("resumed") == Some(&Value::Bool(true)) {
        output.line(&format!("{portal} is resumed"));
    } else {
        output.line(&format!("{portal} was not blocked"));
    }
    Ok(())
}
