//! `trunkline store quarantine …`.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::client::{Client, ClientError};
use super::output::Output;
use super::status::items;

#[derive(Debug, Subcommand)]
pub(super) enum Store {
    /// Rows that this version could not read, and that the daemon goes on without.
    #[command(subcommand)]
    Quarantine(Quarantine),
}

#[derive(Debug, Subcommand)]
pub(super) enum Quarantine {
    /// List them: what each was, when and why it was put aside, and whether it can be put back.
    List,
    /// Write them with their content into a file, one JSON document a line. It holds clients' data.
    Export {
        /// The file to write. Must not exist yet.
        file: PathBuf,
        /// Only these.
        ids: Vec<u64>,
    },
    /// Put rows back that this version reads, and let what waits for them go on.
    PutBack(Which),
    /// Give rows up for good, with the open work that cannot go on without them.
    Drop(Which),
}

/// Which rows.
#[derive(Debug, Args)]
pub(super) struct Which {
    /// The rows' numbers, as the list shows them.
    #[arg(required_unless_present = "all")]
    ids: Vec<u64>,
    /// All of them; of those to be put back, all that can be.
    #[arg(long, conflicts_with = "ids")]
    all: bool,
}

const PATH: &str = "/v1/store/quarantine";

pub(super) async fn run(
    client: &Client,
    Store::Quarantine(wish): Store,
    output: &mut Output,
) -> Result<(), ClientError> {
    match wish {
        Quarantine::List => list(client, output).await,
        Quarantine::Export { file, ids } => export(client, &file, ids, output).await,
        Quarantine::PutBack(which) => {
            let ids = wanted(client, which, |row| is(row, "readable")).await?;
            change(client, Change::PutBack, &ids, output).await
        }
        Quarantine::Drop(which) => {
            let ids = wanted(client, which, |_| true).await?;
            change(client, Change::Drop, &ids, output).await
        }
    }
}

async fn list(client: &Client, output: &mut Output) -> Result<(), ClientError> {
    let rows = rows(client).await?;
    if output.json() {
        output.value(&json!({ "items": rows }));
        return Ok(());
    }
    for row in &rows {
        let about = ["communication", "integration"].map(|name| text(row, name));
        let about: Vec<&str> = about.into_iter().filter(|name| *name != "-").collect();
        output.line(&format!(
            "{}  {}  {} {}{}: {}",
            number(row),
            text(row, "at"),
            text(row, "table"),
            text(row, "key"),
            match about.is_empty() {
                true => String::new(),
                false => format!(" ({})", about.join(", ")),
            },
            text(row, "why"),
        ));
        output.line(match (is(row, "readable"), is(row, "kept_in_place")) {
            (true, _) => "    this version reads it: put-back",
            (false, true) => {
                "    it stays in its place, since what was sent to the CRM stands in it; its work is set aside"
            }
            (false, false) => "    put aside; the daemon goes on without it",
        });
    }
    output.line(&format!("{} row(s) in quarantine", rows.len()));
    Ok(())
}

async fn export(
    client: &Client,
    path: &Path,
    ids: Vec<u64>,
    output: &mut Output,
) -> Result<(), ClientError> {
    let ids = match ids.is_empty() {
        true => rows(client).await?.iter().map(number).collect(),
        false => ids,
    };
    let local = |error: std::io::Error| ClientError::Local(format!("{}: {error}", path.display()));
    let mut options = OpenOptions::new();
    // Clients' data: for nobody else on this machine.
    let options = options.write(true).create_new(true).mode(0o600);
    let mut file = options.open(path).map_err(local)?;
    for id in &ids {
        let row = client.get(&format!("{PATH}/{id}"), &[]).await?;
        writeln!(file, "{row}").map_err(local)?;
    }
    file.sync_all().map_err(local)?;
    if output.json() {
        output.value(&json!({ "file": path, "rows": ids.len() }));
    } else {
        output.line(&format!(
            "{}: {} row(s); it holds clients' data",
            path.display(),
            ids.len()
        ));
    }
    Ok(())
}

#[derive(Debug, Clone, Copy)]
enum Change {
    PutBack,
    Drop,
}

async fn change(
    client: &Client,
    wish: Change,
    ids: &[u64],
    output: &mut Output,
) -> Result<(), ClientError> {
    let (mut done, mut refused) = (Vec::new(), Vec::new());
    for id in ids {
        let answer = match wish {
            Change::PutBack => {
                client
                    .post(&format!("{PATH}/{id}/put-back"), &json!({}))
                    .await
            }
            Change::Drop => client.delete(&format!("{PATH}/{id}")).await,
        };
        match answer {
            Ok(_) => done.push(*id),
            Err(ClientError::Refused(why) | ClientError::Wrong(why)) => refused.push((*id, why)),
            Err(other) => return Err(other),
        }
    }
    if output.json() {
        let refused = refused
            .iter()
            .map(|(id, why)| json!({ "id": id, "why": why }));
        let refused: Vec<Value> = refused.collect();
        output.value(&json!({ "done": done, "refused": refused }));
    } else {
        let said = match wish {
            Change::PutBack => "put back",
            Change::Drop => "given up",
        };
        output.line(&format!("{} row(s) {said}", done.len()));
        for (id, why) in &refused {
            output.error(&format!("{id}: {why}"));
        }
    }
    if refused.is_empty() {
        Ok(())
    } else {
        Err(ClientError::Refused("some were not changed".to_owned()))
    }
}

/// Returns the numbers of the wanted rows.
async fn wanted(
    client: &Client,
    which: Which,
    can_be: impl Fn(&Value) -> bool,
) -> Result<Vec<u64>, ClientError> {
    if !which.all {
        return Ok(which.ids);
    }
    let rows = rows(client).await?;
    Ok(rows.iter().filter(|row| can_be(row)).map(number).collect())
}

/// Returns everything that is in quarantine.
async fn rows(client: &Client) -> Result<Vec<Value>, ClientError> {
    let mut rows = Vec::new();
    let mut query = Vec::new();
    loop {
        let page = client.get(PATH, &query).await?;
        rows.extend(items(&page, "items").iter().cloned());
        match page.get("next").and_then(Value::as_u64) {
            Some(next) => query = vec![("after", next.to_string())],
            None => return Ok(rows),
        }
    }
}

fn number(row: &Value) -> u64 {
    row.get("id").and_then(Value::as_u64).unwrap_or(0)
}

fn is(row: &Value, name: &str) -> bool {
    row.get(name) == Some(&Value::Bool(true))
}

fn text<'a>(row: &'a Value, name: &str) -> &'a str {
    row.get(name).and_then(Value::as_str).unwrap_or("-")
}
