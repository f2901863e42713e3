//! FastAGI: questions answered each second, and how long the slowest of a hundred waits. Beside the
//! daemon stands what one would write oneself: asyncio with an open SQLite connection.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, bail};
use sha2::{Digest, Sha256};
use tokio::time::Instant;
use trunkline::clock::{Clock, SystemClock};
use trunkline::model::directory::{DirectoryCard, DirectoryChange};
use trunkline::model::ids::{CrmUserId, PortalKey};
use trunkline::model::phone::{Phone, Region};
use trunkline::model::plan::{Card, Entity};
use trunkline::model::timestamp::Timestamp;
use trunkline::store::directory::{DirectoryBatch, DirectoryState};
use trunkline::store::{Store, StoreKey, StoreOptions};

use super::agi_load::{self, CLIENTS, EMPLOYEES};
use super::crm::SilentCrm;
use super::daemon::{Daemon, Home, SECRET};
use super::peer::Peer;
use super::sample::Samples;
use super::say;
use super::scene::Scene;
use super::server::{Server, Signal, find_program, output_of};
use super::table::{Beside, Table};

/// Rounds that count; one before them warms everything up.
const ROUNDS: usize = 7;

/// How long a candidate has its turn.
const TURN: Duration = Duration::from_secs(2);

/// How long the daemon may take until it has read the directory.
const LOADED_WITHIN: Duration = Duration::from_secs(30);

/// Between turns.
const PAUSE: Duration = Duration::from_millis(200);

/// As many calls as a large PBX sets up in the same millisecond, and one after the other.
const AT_ONCE: [usize; 2] = [16, 1];

/// What has to be reached: five times the peer's questions.
const GOAL: f64 = 5.0;

/// The core of the server whose turn it is, and that of the load.
const SERVER_CORE: &str = "0";
const LOAD_CORE: &str = "1";

/// Measures with every number of calls at once.
pub(crate) async fn measure(scene: &Scene, table: &mut Table) -> anyhow::Result<()> {
    let crm = SilentCrm::start().await?;
    let folder = scene.fresh("daemon")?;
    let home = Home::furnish_with(folder.clone(), crm.port, &tenant())?;
    fill(&folder.join("trunkline.redb")).await?;
    let (daemon, _) = home.start().await?;
    let peer = Python::start(&scene.fresh("asyncio")?).await;
    let peer = Peer::from_start("asyncio", peer);
    let pinned = Pinned::pin(&daemon, &peer);
    // The directory is read into memory after the start.
    let port = home.fastagi_port();
    let deadline = Instant::now() + LOADED_WITHIN;
    while let Err(error) = agi_load::ask(port, CLIENTS - 1).await {
        if Instant::now() > deadline {
            return Err(error.context("the daemon does not know the clients"));
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
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

/// Writes the directory into the daemon's store, as if the CRM had been read just now.
async fn fill(store: &Path) -> anyhow::Result<()> {
    const CARDS_A_BATCH: u32 = 5_000;
    let key = StoreKey::from_bytes(&Sha256::digest(SECRET.as_bytes()))?;
    let now = SystemClock.now();
    let options = StoreOptions {
        now,
        ..StoreOptions::default()
    };
    let (store, thread) = Store::open(store, key, options)?;
    let portal = PortalKey::new("amocrm", "bench.amocrm.ru");
    let clients: Vec<u32> = (0..CLIENTS).collect();
    for some in clients.chunks(CARDS_A_BATCH as usize) {
        let changes = some
            .iter()
            .map(|client| card(*client, now))
            .collect::<anyhow::Result<Vec<_>>>()?;
        store
            .change_directory(DirectoryBatch {
                portal: portal.clone(),
                changes,
                state: Some(DirectoryState {
                    complete_as_of: Some(now),
                    full_at: Some(now),
                    ..DirectoryState::default()
                }),
            })
            .await?;
    }
    store.shut_down().await;
    drop(thread);
    Ok(())
}

fn card(client: u32, now: Timestamp) -> anyhow::Result<DirectoryChange> {
    let phone = format!("+{}", agi_load::phone(client));
    Ok(DirectoryChange::Card(DirectoryCard {
        card: Card {
            entity: Entity::Contact,
            id: (client + 1).to_string(),
        },
        name: format!("Client number {client:07} of the company"),
        phones: vec![Phone::parse(&phone, Region::RU).context("a client's number")?],
        emails: Vec::new(),
        responsible: Some(CrmUserId((client % EMPLOYEES + 1).to_string())),
        created_at: now,
        updated_at: now,
    }))
}

fn tenant() -> String {
    let mut text = String::from(
        r#"[tenant]
id = "bench"
name = "Bench"
region = "RU"
time_zone = "Europe/Moscow"
[[sources]]
id = "taken"
kind = "webhook"
[sources.secrets]
hook = { file = "../secret" }
[[accounts]]
id = "crm"
crm = "amocrm"
[accounts.settings]
url = "https://bench.amocrm.ru"
[accounts.secrets]
token = { file = "../secret" }
[[integrations]]
id = "calls"
account = "crm"
activity = "on"
takes = [{ source = "taken", kinds = ["call"] }]
[integrations.settings.personal_manager]
[integrations.settings.calls]
default_responsible = "1"
[integrations.settings.calls.incoming]
answered_unknown = { action = { kind = "contact" } }
"#,
    );
    for employee in 0..EMPLOYEES {
        text.push_str(&format!(
            r#"[[employees]]
id = "manager-{employee}"
name = "Manager {employee}"
extensions = [{{ source = "taken", extension = "{}" }}]
users = [{{ account = "crm", user = "{}" }}]
"#,
            agi_load::extension(employee),
            employee + 1
        ));
    }
    text
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

/// Both servers on one core and the load on another, so that neither takes the other's time.
enum Pinned {
    Yes,
    No,
}

impl Pinned {
    fn pin(daemon: &Daemon, peer: &Peer<Python>) -> Self {
        let mut servers = vec![daemon.pid()];
        if let Peer::Here(peer) = peer {
            servers.push(peer.server.pid());
        }
        let servers = servers.into_iter().map(|pid| (SERVER_CORE, pid));
        let load = [(LOAD_CORE, std::process::id())];
        let mut all = servers.chain(load);
        match all.try_for_each(|(core, pid)| pin(core, pid)) {
            Ok(()) => Self::Yes,
            Err(error) => {
                say(&format!("fastagi: nothing is pinned to a core: {error:#}"));
                Self::No
            }
        }
    }

    fn name(&self) -> &'static str {
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
        .stdout(std::process::Stdio::null())
        .status()?;
    if !status.success() {
        bail!("taskset refused core {core}");
    }
    Ok(())
}
