//! Both servers on one core and the load on another, so that neither takes the other's time.

use std::process::{Command, Stdio};

use anyhow::bail;

use super::say;
use super::server::find_program;

/// The core of the server whose turn it is, and that of the load.
const SERVER_CORE: &str = "0";
const LOAD_CORE: &str = "1";

/// Where everything runs; ends with this value.
pub(crate) enum Pinned {
    Yes,
    No,
}

/// Puts this process on the servers' core: a server that is started from here on arranges itself for
/// that one core, with as many threads as it has for one.
pub(crate) fn begin_on_server_core() {
    if let Err(error) = pin(SERVER_CORE, std::process::id()) {
        say(&format!("the servers start with all cores: {error:#}"));
    }
}

impl Pinned {
    /// Puts the servers on their core, and this process with all that it starts from now on on
    /// another.
    pub(crate) fn pin(servers: &[u32]) -> Self {
        let servers = servers.iter().map(|pid| (SERVER_CORE, *pid));
        let load = [(LOAD_CORE, std::process::id())];
        let mut all = servers.chain(load);
        match all.try_for_each(|(core, pid)| pin(core, pid)) {
            Ok(()) => Self::Yes,
            Err(error) => {
                say(&format!("nothing is pinned to a core: {error:#}"));
                Self::No
            }
        }
    }

    /// Says it behind a peer's name.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Yes => ", one core each for servers and load",
            Self::No => ", not pinned",
        }
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        // What is measured after this has all cores again; those that are not there do not count.
        let _ = pin("0-1023", std::process::id());
    }
}

fn pin(core: &str, pid: u32) -> anyhow::Result<()> {
    let program = find_program("taskset", &["/usr/bin".into()])?;
    let pid = pid.to_string();
    let status = Command::new(program)
        .args(["--all-tasks", "--cpu-list", "--pid", core, &pid])
        .stdout(Stdio::null())
        .status()?;
    if !status.success() {
        bail!("taskset refused core {core}");
    }
    Ok(())
}
