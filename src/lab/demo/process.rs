//! The daemon as a child process: started, watched, asked to end.

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::time::{self, Instant};

use super::files::DemoFiles;
use crate::lab::day::daemon::Daemon;

/// How long the daemon may take to be ready: it starts in far under a second, but a loaded
/// machine in the middle of a build is slower.
const READY_DEADLINE: Duration = Duration::from_secs(60);
/// How long it may take to end: it drains what is under way.
const STOP_DEADLINE: Duration = Duration::from_secs(60);
/// Pause between two looks whether it is ready, or has ended.
const LOOK_PAUSE: Duration = Duration::from_millis(50);
/// Lines of its log that are shown when it ends by itself.
const LOG_LINES_SHOWN: usize = 20;

/// A running daemon. Killed when dropped.
#[derive(Debug)]
pub(in crate::lab) struct DaemonProcess {
    child: Child,
    log: PathBuf,
}

impl DaemonProcess {
    /// Starts the daemon's program on the demo's configuration; its output goes to the end of the
    /// log file.
    pub(in crate::lab) fn start(program: Option<&Path>, files: &DemoFiles) -> anyhow::Result<Self> {
        Self::start_with(program, files, &[])
    }

    /// The same with more in the daemon's environment.
    pub(in crate::lab) fn start_with(
        program: Option<&Path>,
        files: &DemoFiles,
        environment: &[(&str, String)],
    ) -> anyhow::Result<Self> {
        let program = match program {
            Some(program) => program.to_owned(),
            None => beside_this_program()?,
        };
        let log = files.log();
        let output = OpenOptions::new().create(true).append(true).open(&log);
        let output = output.with_context(|| format!("make {}", log.display()))?;
        let errors = output
            .try_clone()
            .with_context(|| format!("open {}", log.display()))?;
        let child = Command::new(&program)
            .arg("run")
            .arg("--config")
            .arg(files.config())
            .envs(environment.iter().map(|(name, value)| (*name, value)))
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors)
            .spawn()
            .with_context(|| format!("start the daemon {}", program.display()))?;
        Ok(Self { child, log })
    }

    /// Waits until the daemon says that it is ready.
    pub(in crate::lab) async fn wait_until_ready(&mut self, daemon: &Daemon) -> anyhow::Result<()> {
        let until = Instant::now() + READY_DEADLINE;
        while !daemon.is_ready().await {
            if let Some(status) = self.child.try_wait().context("look after the daemon")? {
                bail!("the daemon ended at once, {status}:\n{}", self.end_of_log());
            }
            if Instant::now() > until {
                bail!(
                    "the daemon was not ready within {READY_DEADLINE:?}:\n{}",
                    self.end_of_log()
                );
            }
            time::sleep(LOOK_PAUSE).await;
        }
        Ok(())
    }

    /// Waits until the daemon ends by itself; says how, with the end of its log.
    pub(in crate::lab) async fn ended(&mut self) -> String {
        let how = match self.exit().await {
            Ok(status) => status.to_string(),
            Err(error) => format!("{error:#}"),
        };
        format!("{how}:\n{}", self.end_of_log())
    }

    /// Asks the daemon to end (SIGTERM) and waits for it.
    pub(in crate::lab) async fn stop(mut self) -> anyhow::Result<()> {
        // The standard library can only kill; every shell can ask.
        let ask = format!("kill -TERM {}", self.child.id());
        let asked = Command::new("sh").arg("-c").arg(ask).status();
        asked.context("ask the daemon to end")?;
        match time::timeout(STOP_DEADLINE, self.exit()).await {
            Ok(status) => {
                let status = status?;
                if !status.success() {
                    bail!("the daemon ended with {status}:\n{}", self.end_of_log());
                }
                Ok(())
            }
            Err(_) => bail!("the daemon did not end within {STOP_DEADLINE:?} of SIGTERM"),
        }
    }

    /// Kills the daemon (SIGKILL) and waits until it is gone; it must have been running.
    pub(in crate::lab) fn kill(mut self) -> anyhow::Result<()> {
        if let Some(status) = self.child.try_wait().context("look after the daemon")? {
            bail!(
                "the daemon had ended by itself, {status}:\n{}",
                self.end_of_log()
            );
        }
        self.child.kill().context("kill the daemon")?;
        self.child.wait().context("wait for the killed daemon")?;
        Ok(())
    }

    async fn exit(&mut self) -> anyhow::Result<ExitStatus> {
        loop {
            if let Some(status) = self.child.try_wait().context("look after the daemon")? {
                return Ok(status);
            }
            time::sleep(LOOK_PAUSE).await;
        }
    }

    fn end_of_log(&self) -> String {
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        let from = lines.len().saturating_sub(LOG_LINES_SHOWN);
        lines
            .iter()
            .skip(from)
            .map(|line| format!("  {line}\n"))
            .collect()
    }
}

impl Drop for DaemonProcess {
    fn drop(&mut self) {
        // It has ended already, or the demo has failed: either way nothing is left to do about it.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Returns the program `trunkline` in the folder of the running program.
fn beside_this_program() -> anyhow::Result<PathBuf> {
    let own = std::env::current_exe().context("find this program's own folder")?;
    let program = own.with_file_name("trunkline");
    if !program.exists() {
        bail!("no daemon at {}: name it with --daemon", program.display());
    }
    Ok(program)
}
