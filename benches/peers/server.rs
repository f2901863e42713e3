//! A server's process: started with its output in a file, ended whatever happens.

use std::fs::File;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::time::Instant;

/// How long a server may take to begin or to end; a slow disk needs some of it.
const WITHIN: Duration = Duration::from_secs(30);

/// How a server is told to end.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Signal {
    Terminate,
    /// What PostgreSQL calls a fast shutdown.
    Interrupt,
    Kill,
}

impl Signal {
    fn name(self) -> &'static str {
        match self {
            Self::Terminate => "TERM",
            Self::Interrupt => "INT",
            Self::Kill => "KILL",
        }
    }
}

/// A running process.
pub(crate) struct Server {
    child: Child,
    name: &'static str,
    log: PathBuf,
    end_with: Signal,
}

impl Server {
    /// Starts it; all that it says goes to the log file.
    pub(crate) fn start(
        name: &'static str,
        command: &mut Command,
        log: PathBuf,
        end_with: Signal,
    ) -> anyhow::Result<Self> {
        let file = File::options().create(true).append(true).open(&log)?;
        let child = command
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            .spawn()
            .with_context(|| format!("start {name}"))?;
        Ok(Self {
            child,
            name,
            log,
            end_with,
        })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Tries until it works: every millisecond, as long as the server lives.
    pub(crate) async fn until<T>(
        &mut self,
        mut attempt: impl AsyncFnMut() -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        let deadline = Instant::now() + WITHIN;
        loop {
            let error = match attempt().await {
                Ok(done) => return Ok(done),
                Err(error) => error,
            };
            if let Some(status) = self.child.try_wait()? {
                bail!("{} ended ({status}): {}", self.name, last_line(&self.log));
            }
            if Instant::now() > deadline {
                return Err(error.context(format!("{} is not ready", self.name)));
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// Waits until it ends by itself; returns all that it said.
    pub(crate) async fn said_in_the_end(mut self) -> anyhow::Result<String> {
        loop {
            if let Some(status) = self.child.try_wait()? {
                if !status.success() {
                    bail!("{} ended ({status}): {}", self.name, last_line(&self.log));
                }
                return Ok(std::fs::read_to_string(&self.log)?);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Ends it as an administrator would and waits for the end.
    pub(crate) fn stop(mut self) -> anyhow::Result<()> {
        let signal = self.end_with;
        self.end(signal)
    }

    /// Ends it as a power cut would.
    pub(crate) fn kill(mut self) -> anyhow::Result<()> {
        self.end(Signal::Kill)
    }

    /// Blocks, as nothing is measured meanwhile.
    fn end(&mut self, signal: Signal) -> anyhow::Result<()> {
        if self.child.try_wait()?.is_some() {
            return Ok(());
        }
        // The shell's own `kill`: present everywhere.
        let kill = format!("kill -{} {}", signal.name(), self.pid());
        Command::new("sh").args(["-c", &kill]).status()?;
        let deadline = Instant::now() + WITHIN;
        while self.child.try_wait()?.is_none() {
            if Instant::now() > deadline {
                self.child.kill()?;
                self.child.wait()?;
                bail!("{} had to be killed", self.name);
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Nobody is left to hear of a failure.
        let _ = self.end(self.end_with);
    }
}

/// Returns a port that nobody listens on at this moment.
pub(crate) fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

/// Finds a program in the folders of `PATH` and others.
pub(crate) fn find_program(name: &str, folders: &[PathBuf]) -> anyhow::Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = folders
        .iter()
        .cloned()
        .chain(std::env::split_paths(&path))
        .map(|folder| folder.join(name))
        .find(|file| file.is_file());
    found.with_context(|| format!("{name} is not installed"))
}

/// Runs a program to its end; returns what it printed.
pub(crate) fn output_of(command: &mut Command) -> anyhow::Result<String> {
    let output = command.stdin(Stdio::null()).output();
    let output = output.with_context(|| format!("run {:?}", command.get_program()))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said.lines().last().unwrap_or_default();
        bail!("{:?} failed: {said}", command.get_program());
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn last_line(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    text.lines().last().unwrap_or("it said nothing").to_owned()
}
