//! All that a daemon can have to do at once, besides answering: a CRM that is read whole, a backlog
//! of calls that goes there, and a journal with much that is too old.

use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::time::{self, Instant};
use trunkline::clock::{Clock, SystemClock};
use trunkline::lab::amocrm::{self, AmoOptions, SeedCard};
use trunkline::lab::day::daemon::Daemon as Watched;
use trunkline::model::call::{Call, CallPhase, CallResult, Direction, MissReason};
use trunkline::model::communication::{Body, Phase, Snapshot};
use trunkline::model::ids::{CommunicationKey, PortalKey, SourceKey};
use trunkline::model::phone::{ClientNumber, Phone, Region};
use trunkline::model::timestamp::Timestamp;
use trunkline::store::command::{Accept, Acceptance, Route};

use super::drain;
use super::office;
use super::server::{Server, Signal, find_program};

/// Contacts of the CRM that is read whole.
const CONTACTS: u32 = 200_000;
/// Calls that wait to be sent to it.
const BACKLOG: u32 = 20_000;
/// Calls that are older than what is kept.
const OLD: u32 = 200_000;
/// How much older.
const AGE: Duration = Duration::from_secs(800 * 86_400);

/// How long after its start a daemon must be at work on all of it.
const BEGINS_WITHIN: Duration = Duration::from_secs(20);
const LOOK_PAUSE: Duration = Duration::from_millis(50);

/// How many calls one commit takes.
const AT_ONCE: usize = 1_000;

/// The CRM's limit, ten times amoCRM's (`crm/amocrm.md` §4), and what each of the two accounts in
/// it takes.
const LIMIT: u32 = 70;
const RATE: u32 = 30;

/// The addresses of the CRM in the daemon's settings: of an account that is read, and of one that
/// is written to and asked about each caller, as if it were another.
pub(crate) const URLS: [&str; 2] = ["https://busy.amocrm.ru", "https://drained.amocrm.ru"];
const PORTAL: &str = "amocrm:busy.amocrm.ru";

/// The argument by which the benchmark's own program runs the CRM.
pub(crate) const CHILD: &str = "busy-crm";

/// What is added to the company's file.
pub(crate) fn tenant() -> String {
    let accounts = [("busy", URLS[0], "true"), ("drained", URLS[1], "false")];
    accounts
        .map(|(id, url, directory)| {
            format!(
                r#"[[accounts]]
id = "{id}"
crm = "amocrm"
[accounts.settings]
url = "{url}"
rate_per_second = {RATE}
written_forms = false
directory = {{ on = {directory} }}
[accounts.secrets]
token = {{ file = "../busy-token" }}
[[integrations]]
id = "{id}"
account = "{id}"
activity = "on"
takes = [{{ source = "taken", kinds = ["call"] }}]
[integrations.settings.calls]
default_responsible = "501"
[integrations.settings.calls.incoming]
missed_unknown = {{ action = {{ kind = "contact" }} }}
missed_known = {{ action = {{ kind = "deal_always", pipeline = "3100", stage = "3102" }} }}
"#
            )
        })
        .concat()
}

/// Adds to a store what keeps a daemon busy.
pub(crate) async fn fill(path: &Path) -> anyhow::Result<()> {
    let now = SystemClock.now();
    let (store, thread) = office::open(path, now)?;
    let source: SourceKey = "bench/taken".parse()?;
    for (count, at, waits) in [(OLD, now.minus(AGE), false), (BACKLOG, now, true)] {
        let numbers: Vec<u32> = (0..count).collect();
        for some in numbers.chunks(AT_ONCE) {
            let acceptances = some.iter().map(|number| acceptance(*number, at, waits));
            store
                .accept(Accept {
                    source: source.clone(),
                    acceptances: acceptances.collect::<anyhow::Result<_>>()?,
                    checkpoint: None,
                    recordings: Vec::new(),
                    notes: Vec::new(),
                    now: at,
                })
                .await?;
        }
    }
    office::close(store, thread).await;
    Ok(())
}

fn acceptance(number: u32, at: Timestamp, waits: bool) -> anyhow::Result<Acceptance> {
    let kind = if waits { "waits" } else { "old" };
    let key = CommunicationKey::new("bench/taken".parse()?, &format!("{kind}-{number}"))?;
    let phone = Phone::parse(&drain::phone(number), Region::RU).context("a client's number")?;
    let call = Call {
        direction: Direction::Incoming,
        phase: CallPhase::Ended,
        result: CallResult::Missed {
            reason: MissReason::NoAnswer,
        },
        client: ClientNumber::Phone { phone },
        client_name: None,
        our_number: None,
        caller_extension: None,
        started_at: at,
        answered_at: None,
        ended_at: Some(at),
        waiting_ms: 0,
        talking_ms: 0,
        legs: Vec::new(),
        talkers: Vec::new(),
        last_talker: None,
        queues: Vec::new(),
        recordings: Vec::new(),
        click_to_call: None,
        blind: None,
        tags: Vec::new(),
        details: Default::default(),
    };
    let routes = match waits {
        true => vec![Route {
            integration: "bench/drained".parse()?,
            portal: PortalKey::new("amocrm", "drained.amocrm.ru"),
            phase: Phase::Ended,
        }],
        false => Vec::new(),
    };
    Ok(Acceptance {
        snapshot: Snapshot {
            key,
            revision: 1,
            body: Body::Call { call },
        },
        routes,
        not_taken: (!waits).then(|| "nobody takes it".to_owned()),
    })
}

/// Waits until everything goes on.
pub(crate) async fn until_busy(daemon: &Watched) -> anyhow::Result<()> {
    let began = Instant::now();
    loop {
        match is_busy(daemon).await {
            Err(_) if began.elapsed() < BEGINS_WITHIN => time::sleep(LOOK_PAUSE).await,
            busy => return busy,
        }
    }
}

/// Fails unless everything is still going on.
pub(crate) async fn is_busy(daemon: &Watched) -> anyhow::Result<()> {
    let status = daemon.status().await?;
    let mine = status
        .integrations
        .iter()
        .find(|one| one.key == "bench/drained");
    // Every client is asked about before anything is made, so deciding is what shows first.
    let undecided = mine.map_or(0, |one| one.not_decided_yet);
    if undecided == 0 || undecided >= u64::from(BACKLOG) {
        bail!("of a backlog of {BACKLOG} calls {undecided} are undecided: it is not being sent");
    }
    let old = status
        .store
        .communications
        .saturating_sub(u64::from(BACKLOG));
    if old == 0 || old >= u64::from(OLD) {
        bail!("of {OLD} old calls {old} are left: they are not being removed");
    }
    if daemon.directory_is_kept(PORTAL).await? {
        bail!("the directory was read before the questions were over");
    }
    Ok(())
}

/// A CRM in a process of its own, which gives way to everything else: in life it is another
/// machine.
pub(crate) struct BusyCrm {
    /// Dropped when the benchmark ends.
    _server: Server,
    pub(crate) port: u16,
    pub(crate) token: String,
}

impl BusyCrm {
    pub(crate) async fn start(folder: &Path) -> anyhow::Result<Self> {
        let log = folder.join("log");
        let mut command = Command::new(find_program("chrt", &["/usr/bin".into()])?);
        command
            .args(["--idle", "0"])
            .arg(std::env::current_exe()?)
            .arg(CHILD);
        let mut server = Server::start("the busy CRM", &mut command, log.clone(), Signal::Kill)?;
        let (port, token) = server
            .until(async || {
                let said = std::fs::read_to_string(&log)?;
                let line = said.strip_suffix('\n').context("it is filling itself")?;
                let (port, token) = line.split_once(' ').context("port and token")?;
                Ok((port.parse()?, token.to_owned()))
            })
            .await?;
        Ok(Self {
            _server: server,
            port,
            token,
        })
    }
}

/// Runs the CRM until it is killed.
pub(crate) async fn run_crm() -> anyhow::Result<()> {
    let crm = amocrm::start(AmoOptions {
        rate_per_second: LIMIT,
        account_rate_per_second: LIMIT * 2,
        block_after_violations: None,
        ..AmoOptions::default()
    })
    .await?;
    for number in 0..CONTACTS {
        // None of them calls.
        let phone = format!("+7495{:07}", u64::from(number) * 7_919 % 10_000_000);
        crm.add_contact(&SeedCard::new("Client", &phone, 501));
    }
    let base = crm.base_url();
    let port = base.rsplit(':').next().unwrap_or_default();
    writeln!(std::io::stdout(), "{port} {}", crm.long_lived_token())?;
    std::future::pending().await
}
