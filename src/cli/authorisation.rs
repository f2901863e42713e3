//! `trunkline account authorise` and `trunkline account forget`.

use std::io::{IsTerminal as _, Read as _};

use serde_json::{Value, json};

use super::client::{Client, ClientError};
use super::output::Output;

/// Shows the page to open, and takes a code where one is given: on a terminal after the page was
/// shown, else from the input. An empty one is none.
pub(super) async fn run(
    client: &Client,
    account: &str,
    output: &mut Output,
) -> Result<(), ClientError> {
    let path = path_of(account)?;
    let asks = std::io::stdin().is_terminal() && !output.json();
    let mut shown = None;
    if asks {
        shown = Some(link(client, &path).await);
        match shown.as_ref() {
            Some(Ok(link)) => tell(link, output),
            Some(Err(no)) => output.line(&no.to_string()),
            None => {}
        }
        output.line("or paste the authorization code here (Enter alone ends):");
    }
    let code = read_code(asks)?;
    if !code.is_empty() {
        let done = client.post(&path, &json!({ "code": code })).await?;
        match output.json() {
            true => output.value(&done),
            false => output.line(&format!("{account} is authorised")),
        }
        return Ok(());
    }
    if let Some(shown) = shown {
        return shown.map(drop);
    }
    let link = link(client, &path).await?;
    match output.json() {
        true => output.value(&link),
        false => tell(&link, output),
    }
    Ok(())
}

/// Forgets what an account was let in with.
pub(super) async fn forget(
    client: &Client,
    account: &str,
    output: &mut Output,
) -> Result<(), ClientError> {
    let done = client.delete(&path_of(account)?).await?;
    if output.json() {
        output.value(&done);
    } else if done.get("forgotten") == Some(&Value::Bool(true)) {
        output.line(&format!("what {account} was let in with is forgotten"));
    } else {
        output.line(&format!("nothing is stored of {account}"));
    }
    Ok(())
}

/// Says until when the credential of a listed account is good.
pub(super) fn until(account: &Value) -> String {
    let credential = account.get("credential").unwrap_or(&Value::Null);
    let text = |name: &str| credential.get(name).and_then(Value::as_str);
    let mut said = String::new();
    if let Some(ends_at) = text("ends_at") {
        said.push_str(&match text("way") {
            Some("oauth") => format!("  (used or lost by {ends_at})"),
            Some(_) | None => format!("  (until {ends_at})"),
        });
    }
    if let Some(host) = text("renamed_to") {
        said.push_str(&format!("  (renamed to {host})"));
    }
    said
}

fn path_of(account: &str) -> Result<String, ClientError> {
    let Some((tenant, name)) = account.split_once('/') else {
        return Err(ClientError::Wrong(format!(
            "{account}: write tenant/account"
        )));
    };
    Ok(format!(
        "/v1/tenants/{tenant}/accounts/{name}/authorisation"
    ))
}

async fn link(client: &Client, path: &str) -> Result<Value, ClientError> {
    client.post(&format!("{path}/link"), &json!({})).await
}

fn tell(link: &Value, output: &mut Output) {
    let text = |name: &str| link.get(name).and_then(Value::as_str).unwrap_or("-");
    output.line(&format!(
        "open this page in a browser, as an administrator of the CRM, until {}:",
        text("until")
    ));
    output.line(text("link"));
}

fn read_code(one_line: bool) -> Result<String, ClientError> {
    let mut code = String::new();
    let read = match one_line {
        true => std::io::stdin().read_line(&mut code),
        false => std::io::stdin().lock().read_to_string(&mut code),
    };
    read.map_err(|error| ClientError::Local(format!("read the code: {error}")))?;
    Ok(code.trim().to_owned())
}
