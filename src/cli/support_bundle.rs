//! `trunkline support-bundle`: what somebody who helps needs to see, without secrets and client data.
//!
//! Everything passes the same mask: of configuration and documents only words of a known list are kept,
//! of free texts nothing that could be a number, an address, a name or a quotation; and at the end every
//! secret and every name of the configuration is looked for literally.

mod mask;

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Args;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;

use crate::config;

use super::client::{Client, ClientError};
use super::output::Output;

use self::mask::Mask;

/// So many lines of the log are taken.
const LOG_LINES: &str = "2000";

/// What the daemon is asked for, and how the answer is called.
const ASKED: [(&str, &str); 6] = [
    ("/v1/status", "status.json"),
    ("/v1/alarms", "alarms.json"),
    ("/v1/accounts", "accounts.json"),
    ("/v1/directories", "directories.json"),
    ("/v1/journal/notes", "notes.json"),
    // Without the rows' content.
    ("/v1/store/quarantine", "quarantine.json"),
];

#[derive(Debug, Args)]
pub(super) struct SupportBundle {
    /// The file to write, such as trunkline-support.tar.gz. Must not exist yet.
    file: PathBuf,
}

impl SupportBundle {
    pub(super) async fn run(self, config: &Path, output: &mut Output) -> Result<(), ClientError> {
        let mask = Mask::of(config);
        let mut parts: Vec<(String, String)> = vec![("version.txt".to_owned(), version())];
        parts.extend(configuration(config, &mask));
        parts.push((
            "doctor.txt".to_owned(),
            mask.text(&super::doctor::report(config).await),
        ));
        match Client::from_config(config) {
            Ok(client) => parts.extend(daemon(&client, &mask).await),
            Err(error) => parts.push(("daemon.txt".to_owned(), mask.text(&error.to_string()))),
        }
        if let Some(log) = log() {
            parts.push(("log.txt".to_owned(), mask.text(&log)));
        }
        for (_, text) in &mut parts {
            *text = mask.without_known(text);
        }
        write(&self.file, &parts)
            .map_err(|error| ClientError::Local(format!("{}: {error}", self.file.display())))?;
        let names: Vec<&str> = parts.iter().map(|(name, _)| name.as_str()).collect();
        if output.json() {
            output.value(&serde_json::json!({ "file": self.file, "parts": names }));
        } else {
            output.line(&format!("{}: {}", self.file.display(), names.join(", ")));
            output.line(
                "numbers, names, addresses and secrets are masked; look into it before you send it",
            );
        }
        Ok(())
    }
}

fn version() -> String {
    let os = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
    let kernel = std::fs::read_to_string("/proc/version").unwrap_or_default();
    let memory = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let memory: Vec<&str> = memory.lines().take(3).collect();
    format!(
        "trunkline {}\n{os}{kernel}{}\n",
        env!("CARGO_PKG_VERSION"),
        memory.join("\n")
    )
}

/// The files, without comments, names and values that are not known to be harmless.
fn configuration(path: &Path, mask: &Mask) -> Vec<(String, String)> {
    let files = config::written_files(path).into_iter().enumerate();
    let masked = files.map(|(number, (name, bytes))| {
        let text = String::from_utf8_lossy(&bytes);
        let table = text.parse::<toml::Table>();
        let text = match table.map(serde_json::to_value) {
            Ok(Ok(value)) => format!("{:#}\n", mask.document(&value)),
            _ => "cannot be read\n".to_owned(),
        };
        // A company's name may be that of its file.
        let name = match name.ends_with("trunkline.toml") {
            true => "config/trunkline.json".to_owned(),
            false => format!("config/tenant-{number}.json"),
        };
        (name, text)
    });
    masked.collect()
}

async fn daemon(client: &Client, mask: &Mask) -> Vec<(String, String)> {
    let mut parts = Vec::new();
    for (path, name) in ASKED {
        let text = match client.get(path, &[]).await {
            Ok(value) => format!("{:#}\n", mask.document(&value)),
            Err(error) => mask.text(&format!("{error}\n")),
        };
        parts.push((name.to_owned(), text));
    }
    let dead = client
        .get("/v1/dead-letters", &[])
        .await
        .unwrap_or(Value::Null);
    parts.push((
        "dead-letters.json".to_owned(),
        format!("{:#}\n", mask.document(&dead)),
    ));
    parts
}

fn log() -> Option<String> {
    let mut command = Command::new("journalctl");
    command.args([
        "-u",
        "trunkline",
        "-n",
        LOG_LINES,
        "--no-pager",
        "-o",
        "short-iso",
    ]);
    let output = command
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn write(path: &Path, parts: &[(String, String)]) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    let file = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    let mut tar = tar::Builder::new(GzEncoder::new(file, Compression::default()));
    for (name, text) in parts {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o600);
        tar.append_data(
            &mut header,
            format!("trunkline-support/{name}"),
            text.as_bytes(),
        )?;
    }
    tar.into_inner()?.finish()?.sync_all()
}
