//! `trunkline account …`.

use clap::Subcommand;
use serde_json::{Value, json};

use super::authorisation;
use super::client::{Client, ClientError};
use super::file_edit;
use super::installations;
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
    /// Compare the employees with the users of an account: who has no pair, and who it may be.
    Mapping {
        /// The account: tenant/account.
        account: String,
    },
    /// Let an account in: shows the CRM's page to open, where it can send people back to us, and
    /// takes an authorization code from standard input (an argument would stand in the list of
    /// processes).
    Authorise {
        /// The account: tenant/account.
        account: String,
    },
    /// Change the title or the address of an account in its tenant's file; a change after which the
    /// configuration would be wrong is not made.
    Edit(file_edit::AccountWish),
    /// Take an account out of its tenant's file; one that an integration works in stays.
    Remove(file_edit::AccountRemoval),
    /// List the portals that ask to be let in because somebody installed an application there.
    Installations,
    /// Let an account in by what such a portal brought.
    Accept {
        /// The installation's number, as the list and the portal's page show it.
        installation: String,
        /// The account: tenant/account.
        account: String,
    },
    /// Forget what such a portal brought.
    Refuse {
        /// The installation's number.
        installation: String,
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
        Account::Mapping { account } => mapping(client, &account, output).await,
        Account::Authorise { account } => authorisation::run(client, &account, output).await,
        // They need no daemon, and were carried out before one was asked.
        Account::Edit(_) | Account::Remove(_) => Ok(()),
        Account::Installations => installations::list(client, output).await,
        Account::Accept {
            installation,
            account,
        } => installations::accept(client, &installation, &account, output).await,
        Account::Refuse { installation } => {
            installations::refuse(client, &installation, output).await
        }
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

async fn mapping(client: &Client, account: &str, output: &mut Output) -> Result<(), ClientError> {
    let Some((tenant, name)) = account.split_once('/') else {
        return Err(ClientError::Wrong(format!(
            "{account}: write tenant/account"
        )));
    };
    let path = format!("/v1/tenants/{tenant}/accounts/{name}/mapping");
    let found = client.get(&path, &[]).await?;
    if output.json() {
        output.value(&found);
        return Ok(());
    }
    if found.get("users_listed") == Some(&Value::Bool(false)) {
        for limit in items(&found, "limits") {
            output.line(limit.as_str().unwrap_or_default());
        }
    }
    let mapping = found.get("mapping").cloned().unwrap_or_default();
    let text = |one: &Value, key: &str| match one.pointer(key) {
        Some(Value::String(text)) => text.clone(),
        _ => "-".to_owned(),
    };
    for one in items(&mapping, "pairs") {
        let left = match one.get("active") {
            Some(Value::Bool(false)) => "  may not log in: gets nothing assigned",
            _ => "",
        };
        output.line(&format!(
            "{}  {}  = user {}  {}{left}",
            text(one, "/employee"),
            text(one, "/name"),
            text(one, "/user"),
            text(one, "/user_name"),
        ));
    }
    for one in items(&mapping, "gone") {
        output.line(&format!(
            "{}  {}  = user {}, whom the CRM does not list",
            text(one, "/employee"),
            text(one, "/name"),
            text(one, "/user"),
        ));
    }
    for one in items(&mapping, "employees_alone") {
        let maybe = match one.get("suggestion") {
            Some(Value::Object(_)) => format!(
                "; perhaps user {}  {} ({})",
                text(one, "/suggestion/user"),
                text(one, "/suggestion/user_name"),
                text(one, "/suggestion/by"),
            ),
            _ => String::new(),
        };
        output.line(&format!(
            "{}  {}  has no user{maybe}",
            text(one, "/employee"),
            text(one, "/name"),
        ));
    }
    for one in items(&mapping, "users_alone") {
        output.line(&format!(
            "user {}  {}  is no employee",
            text(one, "/user"),
            text(one, "/name"),
        ));
    }
    Ok(())
}
