//! FastAGI: questions answered each second, and how long the slowest of a hundred waits. Beside the
//! daemon stands what one would write oneself: asyncio with an open SQLite connection.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::Context;

use super::agi_load::{self, CLIENTS};
use super::crm::SilentCrm;
use super::daemon::Home;
use super::office;
use super::peer::Peer;
use super::pinned::Pinned;
use super::sample::Samples;
use super::say;
use super::scene::Scene;
use super::server::{Server, Signal, find_program, output_of};
use super::table::{Beside, Table};

/// Rounds that count; one before them warms everything up.
const ROUNDS: usize = 7;

/// How long a candidate has its turn.
const TURN: Duration = Duration::from_secs(2);

/// Between turns.
const PAUSE: Duration = Duration::from_millis(200);

/// As many calls as a large PBX sets up in the same millisecond, and one after the other.
const AT_ONCE: [usize; 2] = [16, 1];

/// What has to be reached: five times the peer's questions.
const GOAL: f64 = 5.0;

/// Measures with every number of calls at once.
pub(crate) async fn measure(scene: &Scene, table: &mut Table) -> anyhow::Result<()> {
    let crm = SilentCrm::start().await?;
    let folder = scene.fresh("daemon")?;
    let home = Home::furnish_with(folder.clone(), crm.port, &office::tenant())?;
    office::fill(&folder.join("trunkline.redb")).await?;
    let (daemon, _) = home.start().await?;
    let peer = Python::start(&scene.fresh("asyncio")?).await;
    let peer = Peer::from_start("asyncio", peer);
    let mut servers = vec![daemon.pid()];
    if let Peer::Here(peer) = &peer {
        servers.push(peer.server.pid());
    }
    let pinned = Pinned::pin(&servers);
    let port = home.fastagi_port();
    office::wait_until_known(async |client| agi_load::ask(port, client).await).await?;
    for at_once in AT_ONCE {
        say(&format!(
            "fastagi: {at_once} question(s) at once, {ROUNDS} rounds"
        ));
        let mut own = Figures::default();
        let mut other = Figures::default();
        for round in 0..=ROUNDS {
            own.turn(port, at_once, round).await?;
            if let Peer::Here(peer) = &peer {
                other.turn(peer.port, at_once, round).await?;
            }
        }
        let name = match &peer {
            Peer::Here(peer) => format!("{}{}", peer.version, pinned.name()),
            Peer::Skipped(why) => why.clone(),
        };
        let beside = |samples: &Samples| {
            [Beside {
                short: "asyncio",
                peer: name.clone(),
                samples: samples.clone(),
            }]
        };
        let row = format!("fastagi_{at_once}");
        table.compare(&row, "questions/s", &own.rate, &beside(&other.rate));
        table.aim_ratio(&row, GOAL);
        table.compare(&format!("{row}_p99"), "us", &own.p99, &beside(&other.p99));
    }
    Ok(())
}

#[derive(Default)]
struct Figures {
    rate: Samples,
    p99: Samples,
}

impl Figures {
    async fn turn(&mut self, port: u16, at_once: usize, round: usize) -> anyhow::Result<()> {
        let asked = agi_load::drive(port, at_once, TURN).await?;
        if round > 0 {
            self.rate.push(asked.per_second);
            self.p99.push(asked.p99_us);
        }
        tokio::time::sleep(PAUSE).await;
        Ok(())
    }
}

/// The peer, `fastagi_peer.py`.
struct Python {
    server: Server,
    port: u16,
    version: String,
}

impl Python {
    async fn start(folder: &Path) -> anyhow::Result<Self> {
        let program: PathBuf = find_program("python3", &["/usr/bin".into()])?;
        let said = "import sys, sqlite3; print(sys.version.split()[0], sqlite3.sqlite_version)";
        let versions = output_of(Command::new(&program).args(["-c", said]))?;
        let (python, sqlite) = versions.split_once(' ').context("read Python's version")?;
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/peers/fastagi_peer.py");
        let log = folder.join("log");
        let mut command = Command::new(&program);
        command
            .arg(script)
            .arg(folder.join("clients.db"))
            .arg(CLIENTS.to_string());
        let mut server = Server::start("asyncio", &mut command, log.clone(), Signal::Terminate)?;
        let port = server
            .until(async || {
                let said = std::fs::read_to_string(&log)?;
                let line = said
                    .strip_suffix('\n')
                    .context("it is filling its database")?;
                line.parse::<u16>().with_context(|| line.to_owned())
            })
            .await?;
        Ok(Self {
            server,
            port,
            version: format!("asyncio, Python {python}, SQLite {sqlite}"),
        })
    }
}
