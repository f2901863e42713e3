//! `trunkline account installations`, `accept` and `refuse`.

use serde_json::{Value, json};

use super::client::{Client, ClientError};
use super::output::Output;
use super::status::items;

/// Lists the portals that wait.
pub(super) async fn list(client: &Client, output: &mut Output) -> Result<(), ClientError> {
    let found = client.get("/v1/installations", &[]).await?;
    if output.json() {
        output.value(&found);
        return Ok(());
    }
    for one in items(&found, "items") {
        let text = |name: &str| one.get(name).and_then(Value::as_str).unwrap_or("-");
        let accounts = items(one, "accounts");
        let accounts: Vec<&str> = accounts.iter().filter_map(Value::as_str).collect();
        let accounts = match accounts.as_slice() {
            [] => "no account fits yet".to_owned(),
            some => format!("for {}", some.join(", ")),
        };
        output.line(&format!(
            "{}  {}  {}  {}  by {}  {accounts}  (until {})",
            text("id"),
            text("crm"),
            text("portal"),
            text("application"),
            text("installed_by"),
            text("until"),
        ));
    }
    Ok(())
}

/// Makes an account's credential of one.
pub(super) async fn accept(
    client: &Client,
    id: &str,
    account: &str,
    output: &mut Output,
) -> Result<(), ClientError> {
    let Some((tenant, name)) = account.split_once('/') else {
        return Err(ClientError::Wrong(format!(
            "{account}: write tenant/account"
        )));
    };
    let path = path_of(id, "/accept")?;
    let body = json!({ "tenant": tenant, "account": name });
    let done = client.post(&path, &body).await?;
    match output.json() {
        true => output.value(&done),
        false => output.line(&format!("{account} is let in by installation {id}")),
    }
    Ok(())
}

/// Forgets one.
pub(super) async fn refuse(
    client: &Client,
    id: &str,
    output: &mut Output,
) -> Result<(), ClientError> {
    let done = client.delete(&path_of(id, "")?).await?;
    match output.json() {
        true => output.value(&done),
        false => output.line(&format!("installation {id} is refused and forgotten")),
    }
    Ok(())
}

fn path_of(id: &str, rest: &str) -> Result<String, ClientError> {
    let plain = !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric());
    match plain {
        true => Ok(format!("/v1/installations/{id}{rest}")),
        false => Err(ClientError::Wrong(format!(
            "{id}: write the number that trunkline account installations shows"
        ))),
    }
}
