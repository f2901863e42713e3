//! Everything that a torture is made with: the simulators, the daemon's configuration, its lives.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use std::{fs, io};

use anyhow::{Context, bail};
use tokio::task::JoinHandle;
use tokio::time::{self, Instant};

use super::crm::Crm;
use super::faults::Part;
use super::finish::{Finishing, Look, Next};
use super::posting::Poster;
use super::profile::Profile;
use super::stream::{Kill, Round, Stream};
use super::switchboard::Switchboard;
use super::{TortureOptions, faults};
use crate::lab::ami::{AmiOptions, AmiServer};
use crate::lab::day::daemon::{Daemon, DaemonAddress, DaemonError, Status};
use crate::lab::demo::Ports;
use crate::lab::demo::files::{DemoFiles, Texts};
use crate::lab::demo::process::DaemonProcess;
use crate::lab::wall;

const DAEMON: &str = include_str!("../../../lab/torture/trunkline.toml");

/// The environment variable by which a sabotaged daemon learns what to break.
const SABOTAGE: &str = "TRUNKLINE_SABOTAGE";
/// The portal that the daemon's configuration names, whichever it is in the end.
const PORTAL: &str = "https://demo.amocrm.ru";
/// Where the tenant's configuration has the logs of the switch.
const LOGS: &str = "/var/log/asterisk";
/// Posted calls began so long ago.
const POSTED_AGO_S: i64 = 6 * 3600;
/// Pause between two looks.
const LOOK_PAUSE: Duration = Duration::from_millis(250);
/// The last post of each client that is being delivered.
pub(super) type Posting = BTreeMap<usize, JoinHandle<anyhow::Result<()>>>;

/// Everything that a torture is made with.
pub(super) struct Stage {
    program: Option<PathBuf>,
    environment: Vec<(&'static str, String)>,
    pub(super) files: DemoFiles,
    pub(super) crm: Crm,
    pub(super) ami: Arc<AmiServer>,
    pub(super) daemon: Daemon,
    pub(super) address: DaemonAddress,
    pub(super) poster: Arc<Poster>,
}

impl Stage {
    pub(super) async fn start(options: &TortureOptions) -> anyhow::Result<Self> {
        let profile = Profile::of(options);
        let logs = new_folder(&options.dir.join("asterisk-log"))?;
        let texts = Texts {
            daemon: DAEMON.replace(PORTAL, profile.portal).into(),
            tenant: profile.tenant.replace(LOGS, &logs.to_string_lossy()).into(),
        };
        let crm = Crm::start(options.crm, &profile).await?;
        let faults = faults::plan(options.seed, options.kills, Part::Kills);
        crm.set_faults(faults.context("plan the faults")?);
        let ami = AmiServer::start(AmiOptions::on(loopback(0)));
        let ami = ami.await.context("start the simulated Asterisk")?;
        ami.keep_logs(&logs)
            .context("begin the logs of the simulated Asterisk")?;
        let ports = Ports {
            admin_port: free_port()?,
            intake_port: free_port()?,
            questions_port: free_port()?,
            crm_port: port_of(&crm.base_url())?,
            dead_crm_port: 0,
            ami_port: ami.address().port(),
            vats_port: 0,
            bitrix24_port: 0,
            uis_port: 0,
            alfacrm_port: 0,
            planfix_port: 0,
        };
        let files = DemoFiles::write(&options.dir, texts, &ports, &BTreeMap::new())?;
        let address = DaemonAddress {
            admin: format!("http://{}", loopback(ports.admin_port)),
            token: files.admin_token().to_owned(),
            intake: format!("http://{}", loopback(ports.intake_port)),
            hooks: [("site".to_owned(), files.site_hook().to_owned())].into(),
        };
        let now_s = i64::try_from(wall::now().as_secs()).unwrap_or(0);
        let poster = Poster::new(Daemon::new(address.clone())?, now_s - POSTED_AGO_S);
        Ok(Self {
            program: options.daemon.clone(),
            environment: options
                .broken
                .map(|promise| (SABOTAGE, promise.word()))
                .into_iter()
                .collect(),
            files,
            crm,
            ami: Arc::new(ami),
            daemon: Daemon::new(address.clone())?,
            address,
            poster: Arc::new(poster),
        })
    }

    pub(super) fn start_daemon(&self) -> anyhow::Result<DaemonProcess> {
        DaemonProcess::start_with(self.program.as_deref(), &self.files, &self.environment)
    }

    /// Begins the last life, which may finish.
    pub(super) fn start_last_daemon(
        &self,
        options: &TortureOptions,
    ) -> anyhow::Result<DaemonProcess> {
        let faults = faults::plan(options.seed, options.kills, Part::Finish);
        self.crm.set_faults(faults.context("plan the faults")?);
        self.start_daemon()
    }

    /// Lets a round's calls happen, each client's in their order.
    pub(super) fn release(
        &self,
        stream: &Arc<Stream>,
        number: usize,
        start: Instant,
        posting: &mut Posting,
        board: &mut Switchboard,
    ) {
        let Some(round) = stream.rounds.get(number) else {
            return;
        };
        for (index, post) in round.posts.iter().enumerate() {
            let Some(first) = post.calls.first() else {
                continue;
            };
            let before = posting.remove(&first.client);
            let (poster, stream) = (Arc::clone(&self.poster), Arc::clone(stream));
            let at = start + post.after;
            let posted = tokio::spawn(async move {
                if let Some(before) = before {
                    before.await??;
                }
                time::sleep_until(at).await;
                let round: Option<&Round> = stream.rounds.get(number);
                match round.and_then(|round| round.posts.get(index)) {
                    Some(post) => poster.deliver(&stream, post).await,
                    None => Ok(()),
                }
            });
            posting.insert(first.client, posted);
        }
        for play in &round.plays {
            if let Some((client, call)) = stream.call(play.call) {
                board.play(play, client, call, start);
            }
        }
    }

    /// Lets the daemon live until the moment of its death.
    pub(super) async fn live_until(
        &self,
        kill: &Kill,
        mut child: DaemonProcess,
        start: Instant,
    ) -> anyhow::Result<()> {
        match *kill {
            Kill::Starting(after) => time::sleep_until(start + after).await,
            Kill::Running(after) => {
                child.wait_until_ready(&self.daemon).await?;
                time::sleep(after).await;
            }
        }
        child.kill()
    }

    /// Waits until the daemon has nothing left to do; says meanwhile what it waits for.
    pub(super) async fn settle(&self, say: &mut dyn FnMut(&str)) -> anyhow::Result<()> {
        let mut finishing = Finishing::begun(Instant::now());
        loop {
            time::sleep(LOOK_PAUSE).await;
            // While it starts, it cannot be asked.
            let look = self.look().await.map_err(|error| error.to_string());
            match finishing.looked(look, Instant::now()) {
                Next::Look => {}
                Next::Say(words) => say(&format!("    {words:.300}")),
                Next::Done => return Ok(()),
                Next::Stalled(why) => bail!("{why}"),
            }
        }
    }

    async fn look(&self) -> Result<Look, DaemonError> {
        let open = open(&self.daemon.status().await?);
        let advance = match open {
            0 => None,
            _ => Some(self.daemon.advance().await?),
        };
        Ok(Look {
            open,
            steps: advance.as_ref().map_or(0, |advance| advance.steps),
            under_way: self.crm.under_way() > 0,
            waits_for: advance.and_then(|advance| advance.waits_for),
        })
    }

    /// Says what was sent, and what befell it.
    pub(super) fn traffic(&self) -> String {
        format!(
            "{}; answers to posts {:?}",
            self.crm.traffic(),
            self.poster.answers()
        )
    }
}

/// Makes a folder anew; returns its whole path.
fn new_folder(folder: &Path) -> anyhow::Result<PathBuf> {
    let made = match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => fs::create_dir_all(folder).and_then(|()| folder.canonicalize()),
    };
    made.with_context(|| format!("make {} anew", folder.display()))
}

fn open(status: &Status) -> u64 {
    let works = status.integrations.iter().map(|one| one.open_works);
    let calls = status.sources.iter().map(|source| source.open_calls());
    works.chain(calls).sum()
}

fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

fn port_of(url: &str) -> anyhow::Result<u16> {
    let port = url.rsplit(':').next().unwrap_or_default();
    port.parse().with_context(|| format!("no port in {url}"))
}

/// Returns a port that nobody uses now.
fn free_port() -> anyhow::Result<u16> {
    let listener = TcpListener::bind(loopback(0)).context("ask for a free port")?;
    Ok(listener.local_addr()?.port())
}
