//! wrk, the generator of HTTP load: the same for every server, from a core of its own.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, bail};

use super::agi_load::{self, CLIENTS};
use super::server::{find_program, output_of};

/// Asks about client after client, jumping through the whole book.
pub(crate) struct Wrk {
    program: PathBuf,
    script: PathBuf,
}

/// What a turn came to.
#[derive(Debug, PartialEq)]
pub(crate) struct Turn {
    /// Requests answered each second.
    pub(crate) per_second: f64,
    /// At the 99th percentile, in microseconds.
    pub(crate) p99_us: f64,
}

impl Wrk {
    /// Writes its script into a folder. A path is asked with each client's number behind it.
    pub(crate) fn new(folder: &Path, path: &str) -> anyhow::Result<Self> {
        let program = find_program("wrk", &["/usr/bin".into()])?;
        let first = agi_load::phone(0);
        let script = folder.join("ask.lua");
        let text = format!(
            "local client = 1\n\
             request = function()\n\
             \x20 client = (client + 61803) % {CLIENTS}\n\
             \x20 return wrk.format(\"GET\", string.format(\"{path}%.0f\", {first} + client))\n\
             end\n"
        );
        std::fs::write(&script, text)?;
        Ok(Self { program, script })
    }

    /// Drives a server for a time.
    pub(crate) async fn drive(
        &self,
        port: u16,
        connections: usize,
        time: Duration,
    ) -> anyhow::Result<Turn> {
        let mut command = Command::new(&self.program);
        command
            .args(["-t", "1", "-c", &connections.to_string()])
            .args(["-d", &format!("{}s", time.as_secs()), "--latency"])
            .arg("-s")
            .arg(&self.script)
            .arg(format!("http://127.0.0.1:{port}/"));
        let said = tokio::task::spawn_blocking(move || output_of(&mut command)).await??;
        read(&said).with_context(|| format!("read what wrk said: {said}"))
    }
}

/// Reads what it prints at the end; refusals and broken connections count as a failure.
fn read(said: &str) -> anyhow::Result<Turn> {
    for trouble in ["Non-2xx", "Socket errors"] {
        if let Some(line) = said.lines().find(|line| line.contains(trouble)) {
            bail!("{}", line.trim());
        }
    }
    let after = |head: &str| {
        let lines = said.lines().map(str::trim);
        lines.filter_map(|line| line.strip_prefix(head)).next()
    };
    let per_second = after("Requests/sec:").context("no rate")?.trim().parse()?;
    let p99 = after("99%").context("no 99th percentile")?.trim();
    Ok(Turn {
        per_second,
        p99_us: microseconds(p99)?,
    })
}

fn microseconds(text: &str) -> anyhow::Result<f64> {
    let at = text.find(|c: char| c.is_alphabetic()).context("no unit")?;
    let (number, unit) = text.split_at(at);
    let times = match unit {
        "us" => 1.0,
        "ms" => 1e3,
        "s" => 1e6,
        other => bail!("an unknown unit {other:?}"),
    };
    Ok(number.parse::<f64>()? * times)
}
