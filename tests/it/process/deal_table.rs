//! The table of deals as the real program gives it, to be held against what a CRM holds.

use std::collections::BTreeMap;

use serde_json::Value;

use super::daemon::{Daemon, list};
use super::home::{ADMIN_TOKEN, Home};
use super::wait::{until, when};

/// The deals of the integration of the tests.
pub(super) const DEALS: &str = "/v1/tenants/acme/integrations/sales/deals";

/// Everything that the table and the CRM have to agree about: name, state, pipeline, stage, sum,
/// responsible, number.
pub(super) type Row = (String, String, String, String, String, String, String);

/// The table, or what it should be.
pub(super) type Table = BTreeMap<String, Row>;

/// Reads an export.
pub(super) async fn export(home: &Home, daemon: &Daemon, query: &str) -> String {
    let url = format!("http://{}{DEALS}/export?{query}", home.admin());
    let asked = daemon.http.get(url).bearer_auth(ADMIN_TOKEN);
    let answer = asked.send().await.expect("an answer");
    assert_eq!(answer.status(), 200);
    answer.text().await.expect("all of it")
}

/// What the table holds.
pub(super) async fn table(home: &Home, daemon: &Daemon) -> Table {
    let lines = export(home, daemon, "format=ndjson").await;
    let read = |line: &str| {
        let found: Value = serde_json::from_str(line).expect("one object a line");
        let text = |pointer: &str| {
            let text = found["deal"].pointer(pointer).and_then(Value::as_str);
            text.unwrap_or_default().to_owned()
        };
        let row = (
            text("/name"),
            text("/state"),
            text("/pipeline/id"),
            text("/stage/name"),
            text("/sum"),
            text("/responsible/id"),
            text("/client/phones/0"),
        );
        (text("/id"), row)
    };
    lines.lines().map(read).collect()
}

/// Waits until the table is what the CRM holds.
pub(super) async fn equal(home: &Home, daemon: &Daemon, truth: impl Fn() -> Table) {
    until("the table is what the CRM holds", async || {
        let (table, truth) = (table(home, daemon).await, truth());
        let odd = truth.iter().find(|(id, row)| table.get(*id) != Some(row));
        let odd = odd.map(|(id, row)| (id, row, table.get(id)));
        let more = table.keys().find(|id| !truth.contains_key(*id));
        when(
            table == truth,
            format!("{} of {}; {odd:?}; {more:?}", table.len(), truth.len()),
        )
    })
    .await;
}

/// Returns the stages that a deal went through.
pub(super) async fn stages(daemon: &Daemon, id: &str) -> Vec<String> {
    let found = daemon.get(&format!("{DEALS}/by-id/{id}")).await;
    let moves = list(&found, "moves").iter();
    let stage = |one: &Value| one["to"]["stage"].as_str().map(str::to_owned);
    moves.map(|one| stage(one).expect("a stage")).collect()
}

/// Returns how the deals are getting on.
pub(super) async fn place(daemon: &Daemon) -> Value {
    let found = daemon.get("/v1/deals").await;
    list(&found, "items")
        .first()
        .cloned()
        .expect("one integration")
}

/// Waits until the CRM was read to the end.
pub(super) async fn read_once(daemon: &Daemon) {
    until("the CRM was read", async || {
        let place = place(daemon).await;
        when(place["complete"] == true, place)
    })
    .await;
}

/// Has what changed read as a person does, and waits until it is.
pub(super) async fn repair(home: &Home, daemon: &Daemon) {
    let before = place(daemon).await["as_of"].clone();
    let asked = home.run(&["deals", "sync", "acme/sales"]).await;
    assert_eq!(asked.status, Some(0), "{asked:?}");
    until("what changed was read", async || {
        let place = place(daemon).await;
        when(place["as_of"] != before && place["complete"] == true, place)
    })
    .await;
}

/// Does the same, and waits until it is made sure that every deal is still there.
pub(super) async fn repair_and_check(home: &Home, daemon: &Daemon) {
    // The check that follows the first reading is not the one that is waited for.
    until("what is kept was checked", async || {
        let place = place(daemon).await;
        when(place["checked"].is_string(), place)
    })
    .await;
    let before = place(daemon).await["checked"].clone();
    repair(home, daemon).await;
    until("what is kept was checked again", async || {
        let place = place(daemon).await;
        when(place["checked"] != before, place)
    })
    .await;
}
