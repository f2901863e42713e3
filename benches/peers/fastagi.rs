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
    let mut peers = Vec::new();
    for way in Way::ALL {
        let peer = Python::start(&scene.fresh(way.short())?, way).await;
        peers.push((way, Peer::from_start(way.short(), peer)));
    }
    let here = peers.iter().filter_map(|(_, peer)| match peer {
        Peer::Here(peer) => Some(peer.server.pid()),
        Peer::Skipped(_) => None,
    });
    let pinned = Pinned::pin(&[daemon.pid()].into_iter().chain(here).collect::<Vec<_>>());
    let port = home.fastagi_port();
    office::wait_until_known(async |client| agi_load::ask(port, client)).await?;
    for at_once in AT_ONCE {
        say(&format!(
            "fastagi: {at_once} question(s) at once, {ROUNDS} rounds"
        ));
        let mut own = Figures::default();
        let mut others: Vec<_> = peers.iter().map(|_| Figures::default()).collect();
        for round in 0..=ROUNDS {
            own.turn(port, at_once, round).await?;
            for ((_, peer), figures) in peers.iter().zip(&mut others) {
                if let Peer::Here(peer) = peer {
                    figures.turn(peer.port, at_once, round).await?;
                }
            }
        }
        let beside = |samples: fn(&Figures) -> &Samples| -> Vec<Beside> {
            let each = peers.iter().zip(&others);
            each.map(|((way, peer), figures)| Beside {
                short: way.short(),
                peer: match peer {
                    Peer::Here(peer) => format!("{}{}", peer.version, pinned.name()),
                    Peer::Skipped(why) => why.clone(),
                },
                samples: samples(figures).clone(),
            })
            .collect()
        };
        let row = format!("fastagi_{at_once}");
        let unit = "questions/s";
        table.compare(&row, unit, &own.rate, &beside(|figures| &figures.rate));
        table.aim_ratio(&row, GOAL);
        let p99 = beside(|figures| &figures.p99);
        table.compare(&format!("{row}_p99"), "us", &own.p99, &p99);
    }
    Ok(())
}

/// How the peer speaks to Asterisk.
#[derive(Debug, Clone, Copy)]
enum Way {
    /// As FastAGI libraries do: a command, its answer, the next one.
    ByCommand,
    /// As the daemon does.
    OneWrite,
}

impl Way {
    const ALL: [Self; 2] = [Self::ByCommand, Self::OneWrite];

    fn short(self) -> &'static str {
        match self {
            Self::ByCommand => "asyncio",
            Self::OneWrite => "asyncio_one_write",
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::ByCommand => "by-command",
            Self::OneWrite => "one-write",
        }
    }
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
    async fn start(folder: &Path, way: Way) -> anyhow::Result<Self> {
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
            .arg(CLIENTS.to_string())
            .arg(way.word());
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
            version: format!("{}, Python {python}, SQLite {sqlite}", way.short()),
        })
    }
}
