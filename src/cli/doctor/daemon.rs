//! What the running daemon knows: whether it is there, its alarms, and what its accounts cannot do.

use std::path::Path;

use serde_json::Value;

use super::super::client::{Client, ClientError};
use super::super::status::items;
use super::{Check, Verdict};

/// A daemon that answered, and what it said.
pub(super) struct Answers {
    client: Client,
    status: Value,
}

/// Asks the daemon how it is.
pub(super) async fn answers(path: &Path) -> Result<Answers, ClientError> {
    let client = Client::from_config(path)?;
    let status = client.get("/v1/status", &[]).await?;
    Ok(Answers { client, status })
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

pub(super) async fn checks(answers: Result<Answers, ClientError>) -> Vec<Check> {
    let Answers { client, status } = match answers {
        Ok(answers) => answers,
        Err(error) => {
            let cure = "systemctl start trunkline; journalctl -u trunkline -n 50 says why it ended. \
                        Is this user in the group trunkline?";
            return vec![Check::fail("daemon", error.to_string(), cure)];
        }
    };
    let since = text(&status, "started_at");
    let mut found = vec![match status.get("ready") == Some(&Value::Bool(true)) {
        true => Check::ok("daemon", format!("running since {since}")),
        false => Check::warn(
            "daemon",
            "it is starting",
            "wait a minute and run doctor again",
        ),
    }];
    for alarm in items(&status, "alarms") {
        let (word, what) = (text(alarm, "word"), text(alarm, "what"));
        let check = Check::fail(alarm_id(word), text(alarm, "text"), cure(word));
        found.push(check.of(what));
    }
    found.extend(employees(&status));
    found.extend(accounts(&client).await);
    found.extend(told(&client).await);
    found.extend(deals(&client).await);
    found
}

/// Says whether CRMs tell of their deals (S2-38).
async fn deals(client: &Client) -> Vec<Check> {
    let listed = client.get("/v1/deals", &[]).await.unwrap_or_default();
    let on = |one: &&Value| one.get("on") == Some(&Value::Bool(true));
    let check = |one: &Value| {
        let webhooks = one.get("webhooks").unwrap_or(&Value::Null);
        let check = match (text(webhooks, "advice"), text(one, "trouble")) {
            ("", "") => Check::ok("deals", "they are received"),
            ("", trouble) => {
                let cure = "it is tried again; trunkline deals show says how far it came";
                Check::warn("deals", trouble, cure)
            }
            (advice, _) => {
                let cure = "docs/deals.md says what has to be set up in the CRM";
                Check::warn("deals", advice, cure)
            }
        };
        check.of(text(one, "integration"))
    };
    items(&listed, "items")
        .iter()
        .filter(on)
        .map(check)
        .collect()
}

/// Every alarm is a check of its own.
fn alarm_id(word: &str) -> &'static str {
    match word {
        "credential" => "alarm.credential",
        "degraded" => "alarm.degraded",
        "held" => "alarm.held",
        "blocked" => "alarm.blocked",
        "unpaid" => "alarm.unpaid",
        "crm_down" => "alarm.crm_down",
        "settings" => "alarm.settings",
        "dead_letters" => "alarm.dead_letters",
        "unreadable_rows" => "alarm.unreadable_rows",
        "silent" => "alarm.silent",
        "disk" => "alarm.disk",
        "certificate" => "alarm.certificate",
        "alarm_channel" => "alarm.alarm_channel",
        _ => "alarm",
    }
}

fn cure(word: &str) -> &'static str {
    crate::alarms::cure(word, crate::model::explanation::Language::En)
}

/// Whether the employees of each integration were ever read from its CRM.
fn employees(status: &Value) -> Vec<Check> {
    let mut found = Vec::new();
    for integration in items(status, "integrations") {
        let Some(state) = integration
            .get("employees")
            .filter(|state| !state.is_null())
        else {
            continue;
        };
        let check = match (text(state, "remark"), text(state, "trouble")) {
            ("", "") => Check::ok("employees", format!("read at {}", text(state, "read_at"))),
            ("", trouble) => Check::warn(
                "employees",
                trouble,
                "the CRM did not list its users: trunkline account list shows how it is let in",
            ),
            (remark, _) => {
                Check::warn("employees", remark, "docs/employees.md says what it is for")
            }
        };
        found.push(check.of(text(integration, "key")));
    }
    found
}

/// What an account lacks: tariff options, rights.
async fn accounts(client: &Client) -> Vec<Check> {
    let mut found = Vec::new();
    let listed = client.get("/v1/accounts", &[]).await.unwrap_or_default();
    for account in items(&listed, "items") {
        let what = format!("{}/{}", text(account, "tenant"), text(account, "account"));
        let (tenant, name) = (text(account, "tenant"), text(account, "account"));
        let path = format!("/v1/tenants/{tenant}/accounts/{name}/lists");
        found.push(match client.get(&path, &[]).await {
            Ok(lists) => {
                let limits: Vec<&str> =
                    items(&lists, "limits").iter().filter_map(Value::as_str).collect();
                match (limits.is_empty(), lists.get("fresh") == Some(&Value::Bool(true))) {
                    (true, true) => Check::ok("crm.account", text(&lists, "name")),
                    (true, false) => Check::fail(
                        "crm.account",
                        text(&lists, "why_not"),
                        "trunkline account list shows how it is let in",
                    ),
                    (false, _) => Check::warn(
                        "crm.tariff",
                        limits.join("; "),
                        "change the tariff, or grant the right in the CRM; docs name what works \
                         without it",
                    ),
                }
            }
            Err(error) => Check::fail(
                "crm.account",
                error.to_string(),
                "trunkline account list shows how it is let in; trunkline account authorise lets it in \
                 again",
            ),
        }
        .of(what));
    }
    found
}

/// Says whether anybody learns of alarms.
async fn told(client: &Client) -> Option<Check> {
    let listed = client.get("/v1/alarms", &[]).await.ok()?;
    let channels = items(&listed, "channels");
    if channels.is_empty() {
        let check = Check::new("alarms", Verdict::Warn, "nobody is told of alarms");
        return Some(check.cure("set [alarms.email] or [alarms.webhook] (docs/alarms.md)"));
    }
    let names: Vec<&str> = channels.iter().map(|one| text(one, "channel")).collect();
    Some(Check::ok("alarms", format!("told by {}", names.join(", "))))
}
