//! `trunkline account …`.

use clap::Subcommand;
use serde_json::{Value, json};

use super::authorisation;
use super::client::{Client, ClientError};
use super::output::Output;
use super::status::items;

#[derive(Debug, Subcommand)]
pub(super) enum Account {
    /// List CRM accounts, and what a person must do about their credentials.
    List,
    /// Let requests go again to an account that its CRM had blocked, once the vendor has lifted
    /// the block.
    Resume {
        /// The account, as the alarm names it (crm:portal).
        portal: String,
    },
    /// Let an account in: shows the CRM's page to open, where it can send people back to us, and
    /// takes an authorization code from standard input (an argument would stand in the list of
    /// processes).
    Authorise {
        /// The account: tenant/account.
        account: String,
    },
    /// Forget what an account was let in with; also one that is configured no more.
    Forget {
        /// The account: tenant/account.
        account: String,
    },
}

pub(super) async fn run(
    client: &Client,
    account: Account,
    output: &mut Output,
) -> Result<(), ClientError> {
    match account {
        Account::List => list(client, output).await,
        Account::Resume { portal } => resume(client, &portal, output).await,
        Account::Authorise { account } => authorisation::run(client, &account, output).await,
        Account::Forget { account } => authorisation::forget(client, &account, output).await,
    }
}

async fn list(client: &Client, output: &mut Output) -> Result<(), ClientError> {
    let found = client.get("/v1/accounts", &[]).await?;
    if output.json() {
        output.value(&found);
        return Ok(());
    }
    for account in items(&found, "items") {
        let text = |name: &str| account.get(name).and_then(Value::as_str);
        output.line(&format!(
            "{}/{}  {}  {}  {}{}",
            text("tenant").unwrap_or("-"),
            text("account").unwrap_or("-"),
            text("title").unwrap_or("-"),
            text("address").unwrap_or("-"),
            text("alarm").unwrap_or("in order"),
            authorisation::until(account),
        ));
    }
    Ok(())
}

async fn resume(client: &Client, portal: &str, output: &mut Output) -> Result<(), ClientError> {
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
