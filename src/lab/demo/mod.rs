//! `trunkline-lab demo`: the simulators in this process, the daemon as a child, a day between
//! them.

pub(super) mod files;
pub(super) mod process;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, bail};

use self::files::{DemoFiles, SHIPPED};
use self::process::DaemonProcess;
use super::alfacrm::{self, AlfaLab, AlfaOptions};
use super::ami::{AmiOptions, AmiServer};
use super::amocrm::{self, AmoHandle, AmoLab, AmoOptions};
use super::bitrix24::PortalArgs;
use super::day::crm;
use super::day::daemon::{Daemon, DaemonAddress};
use super::day::fed::Fed;
use super::day::portal::{Half, Portal};
use super::day::runner::{self, DayOutcome, Stage};
use super::day::{Day, DayError, report};
use super::itoolabs::{self, VatsLab, VatsOptions};
use super::planfix::{self, PlanfixLab, PlanfixOptions};
use super::uis::{self, Sender, UisOptions};

/// The day that is played unless another is named.
const WORKING_DAY: &str = include_str!("../../../lab/days/working-day.toml");

/// What the Bitrix24 portal must hold after that day. Another day feeds it, too, and is not compared
/// there.
const WORKING_DAY_OF_PORTAL: &str = include_str!("../../../lab/days/working-day.bitrix24.toml");
/// What the Planfix account must hold after it, and the AlfaCRM account.
const WORKING_DAY_OF_PLANFIX: &str = include_str!("../../../lab/days/working-day.planfix.toml");
/// See [`WORKING_DAY_OF_PLANFIX`].
const WORKING_DAY_OF_ALFACRM: &str = include_str!("../../../lab/days/working-day.alfacrm.toml");
/// The portal, as the configuration names it.
const PORTAL: &str = "portal";
/// Its user who lets the daemon in.
const PORTAL_ADMINISTRATOR: u64 = 1;

/// How late the demo's CRM finds new cards by search: longer than the work of one call takes, so
/// that the second of two calls at once surely comes before the index (`crm/amocrm.md` §8).
const SEARCH_LAG: Duration = Duration::from_secs(5);

/// Ports of the simulators and of the daemon, all on the loopback address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::Args)]
pub struct Ports {
    /// The daemon's admin endpoint.
    #[arg(long, default_value_t = 8460)]
    pub admin_port: u16,
    /// The daemon's intake.
    #[arg(long, default_value_t = 8461)]
    pub intake_port: u16,
    /// The daemon's endpoint of questions.
    #[arg(long, default_value_t = 8462)]
    pub questions_port: u16,
    /// The simulated amoCRM account of the sales department.
    #[arg(long, default_value_t = 8470)]
    pub crm_port: u16,
    /// The simulated amoCRM account that does not answer.
    #[arg(long, default_value_t = 8471)]
    pub dead_crm_port: u16,
    /// The simulated Asterisk.
    #[arg(long, default_value_t = 8490)]
    pub ami_port: u16,
    /// The simulated VATS.
    #[arg(long, default_value_t = 8472)]
    pub vats_port: u16,
    /// The simulated Bitrix24 portal, its authorisation server included.
    #[arg(long, default_value_t = 8474)]
    pub bitrix24_port: u16,
    /// The simulated account of UIS, and of MegaFon's VATS 2.0.
    #[arg(long, default_value_t = 8475)]
    pub uis_port: u16,
    /// The simulated AlfaCRM account.
    #[arg(long, default_value_t = 8476)]
    pub alfacrm_port: u16,
    /// The simulated Planfix account.
    #[arg(long, default_value_t = 8477)]
    pub planfix_port: u16,
}

/// How a demo is run.
#[derive(Debug, Clone)]
pub struct DemoOptions {
    /// Folder for configuration, store and logs; made anew.
    pub dir: PathBuf,
    /// The daemon's program; the one beside this program unless given.
    pub daemon: Option<PathBuf>,
    /// The day's file; the working day unless given.
    pub day: Option<PathBuf>,
    /// End after the day.
    pub once: bool,
    /// Where everything listens.
    pub ports: Ports,
}

/// The simulators.
pub struct Lab {
    /// The switch.
    pub ami: AmiServer,
    /// The accounts.
    pub main: AmoLab,
    /// The account that never answers in the demo.
    pub service: AmoLab,
    /// The VATS.
    pub vats: VatsLab,
}

impl Lab {
    /// Starts the simulators. Cards are found by search so long after they were written.
    ///
    /// # Errors
    /// Fails when a port is taken, and says which.
    pub async fn start(ports: &Ports, search_lag: Duration) -> anyhow::Result<Self> {
        let ami = AmiServer::start(AmiOptions::on(loopback(ports.ami_port)));
        let ami = ami
            .await
            .with_context(|| taken("the simulated Asterisk", ports.ami_port, "--ami-port"))?;
        let account = |subdomain: &str, account_id, port| AmoOptions {
            listen: loopback(port),
            subdomain: subdomain.to_owned(),
            account_id,
            search_lag,
            ..AmoOptions::default()
        };
        let main = amocrm::start(account("demo", 31_000_001, ports.crm_port)).await;
        let main =
            main.with_context(|| taken("the simulated amoCRM", ports.crm_port, "--crm-port"))?;
        let service = amocrm::start(account("service", 31_000_002, ports.dead_crm_port)).await;
        let service = service
            .with_context(|| taken("the second amoCRM", ports.dead_crm_port, "--dead-crm-port"))?;
        let vats = itoolabs::start(VatsOptions {
            listen: loopback(ports.vats_port),
            ..VatsOptions::default()
        });
        let vats = vats
            .await
            .with_context(|| taken("the simulated VATS", ports.vats_port, "--vats-port"))?;
        Ok(Self {
            ami,
            main,
            service,
            vats,
        })
    }

    fn accounts(&self) -> BTreeMap<String, AmoHandle> {
        [
            ("main".to_owned(), self.main.handle()),
            ("service".to_owned(), self.service.handle()),
        ]
        .into()
    }
}

/// Plays a day from the beginning to the end; returns whether everything was as expected. Without
/// `once` it stays until the daemon ends or the user interrupts.
///
/// # Errors
/// Fails when the demo cannot be set up or the day cannot be played.
pub async fn run(options: &DemoOptions, say: &mut dyn FnMut(&str)) -> anyhow::Result<bool> {
    let text = match &options.day {
        Some(path) => std::fs::read_to_string(path)
            .with_context(|| format!("read the day {}", path.display()))?,
        None => WORKING_DAY.to_owned(),
    };
    let day = Day::parse(&text)?;
    let ports = &options.ports;
    for (what, port, flag) in [
        (
            "the daemon's admin endpoint",
            ports.admin_port,
            "--admin-port",
        ),
        ("the daemon's intake", ports.intake_port, "--intake-port"),
        (
            "the daemon's endpoint of questions",
            ports.questions_port,
            "--questions-port",
        ),
    ] {
        // The daemon would fail later and less clearly.
        drop(std::net::TcpListener::bind(loopback(port)).with_context(|| taken(what, port, flag))?);
    }
    let lab = Lab::start(ports, SEARCH_LAG).await?;
    let portal = PortalArgs::default().start(ports.bitrix24_port).await?;
    let half = match options.day {
        Some(_) => None,
        None => Some(Half::parse(WORKING_DAY_OF_PORTAL)?),
    };
    let portals = half.map(|half| {
        let seeded = Portal::seeded(portal.handle(), half)?;
        Ok::<_, DayError>((PORTAL.to_owned(), seeded))
    });
    let portals = portals.into_iter().collect::<Result<_, DayError>>()?;
    let uis = uis::start(UisOptions {
        listen: loopback(ports.uis_port),
        ..UisOptions::default()
    });
    let uis = uis
        .await
        .with_context(|| taken("the simulated UIS", ports.uis_port, "--uis-port"))?;
    // As strict as the account, five times as fast: nobody waits a minute for a demo.
    let planfix = planfix::start(PlanfixOptions {
        listen: loopback(ports.planfix_port),
        per_second: Some(5),
        ..PlanfixOptions::default()
    });
    let planfix = planfix.await.with_context(|| {
        taken(
            "the simulated Planfix",
            ports.planfix_port,
            "--planfix-port",
        )
    })?;
    let school = alfacrm::start(AlfaOptions {
        listen: loopback(ports.alfacrm_port),
        ..AlfaOptions::default()
    });
    let school = school.await.with_context(|| {
        taken(
            "the simulated AlfaCRM",
            ports.alfacrm_port,
            "--alfacrm-port",
        )
    })?;
    let fed = match options.day {
        Some(_) => BTreeMap::new(),
        None => fed(&planfix, &school)?,
    };
    let crms = lab.accounts();
    let seeded = crm::seed(&lab.main, &day);
    crm::take_down(&lab.service)?;
    let files = DemoFiles::write(&options.dir, SHIPPED, ports, &crms)?;
    lab.vats.tell_to(&format!(
        "http://{}{}",
        loopback(ports.intake_port),
        files.vats_hook()
    ));
    let hook = format!("http://{}{}", loopback(ports.intake_port), files.uis_hook());
    uis.set_sender(Sender::new(&hook).context("tell UIS where its notifications go")?);
    let mut child = DaemonProcess::start(options.daemon.as_deref(), &files)?;
    let daemon = Daemon::new(address(ports, &files))?;
    say(&format!(
        "lab and daemon start; the daemon's log is {}",
        files.log().display()
    ));
    child.wait_until_ready(&daemon).await?;
    let application = portal.options().applications.first();
    let client_id = application.map_or("", |app| app.client_id.as_str());
    let code = portal.issue_code(client_id, PORTAL_ADMINISTRATOR);
    let account = format!("{}/{PORTAL}", day.tenant);
    daemon.authorise(&account, &code).await?;

    let outcome = {
        let stage = Stage {
            day: &day,
            ami: &lab.ami,
            vats: Some(&lab.vats),
            uis: Some(&uis),
            fed: &fed,
            crms: &crms,
            account: "main",
            seeded: &seeded,
            portals: &portals,
            daemon: &daemon,
        };
        tokio::select! {
            outcome = runner::run(&stage, |part| say(&format!("  {part}"))) => outcome?,
            status = child.ended() => bail!("the daemon ended in the middle of the day: {status}"),
        }
    };
    say(&report::table(
        &day,
        &outcome.played,
        &outcome.holding,
        &outcome.comparison,
    ));
    for (name, portal) in &outcome.portals {
        let (day, holding) = (&portal.day, &portal.holding);
        let crm = fed.get(name).map_or("Bitrix24", |fed| fed.name);
        say(&format!("\nThe same day in {crm}:"));
        say(&report::table(
            day,
            &outcome.played,
            holding,
            &portal.comparison,
        ));
    }
    if !options.once {
        say(&invitation(ports, &files));
        say(&last_line(&day, &outcome));
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            status = child.ended() => bail!("the daemon ended: {status}"),
        }
    }
    child.stop().await?;
    if options.once {
        say(&last_line(&day, &outcome));
    }
    Ok(outcome.is_clean())
}

/// Joins the other CRMs with what each must hold, by the names of the configuration.
fn fed(planfix: &PlanfixLab, school: &AlfaLab) -> Result<BTreeMap<String, Fed>, DayError> {
    let planfix = Fed {
        name: "Planfix",
        crm: Box::new(planfix.handle()),
        half: Half::parse(WORKING_DAY_OF_PLANFIX)?,
    };
    let school = Fed {
        name: "AlfaCRM",
        crm: Box::new(school.handle()),
        half: Half::parse(WORKING_DAY_OF_ALFACRM)?,
    };
    let both = [("planfix", planfix), ("school", school)];
    Ok(both.map(|(name, fed)| (name.to_owned(), fed)).into())
}

/// Returns the counts of the first CRM, and those of each portal under its name.
fn last_line(day: &Day, outcome: &DayOutcome) -> String {
    let mut line = report::summary(day, &outcome.comparison, &outcome.seen);
    for (name, portal) in &outcome.portals {
        line[name] = report::summary(&portal.day, &portal.comparison, &portal.seen);
    }
    line.to_string()
}

fn address(ports: &Ports, files: &DemoFiles) -> DaemonAddress {
    DaemonAddress {
        admin: format!("http://{}", loopback(ports.admin_port)),
        token: files.admin_token().to_owned(),
        intake: format!("http://{}", loopback(ports.intake_port)),
        hooks: [("site".to_owned(), files.site_hook().to_owned())].into(),
    }
}

fn invitation(ports: &Ports, files: &DemoFiles) -> String {
    let config = files.config().display().to_string();
    format!(
        "The daemon stays up until Ctrl-C. Its admin endpoint is http://127.0.0.1:{}\n\
         (bearer token in {}). Try:\n  \
         trunkline status  --config {config}\n  \
         trunkline journal --config {config} --phone +79035550061\n  \
         trunkline explain --config {config} demo/site/w-71\n  \
         trunkline outbox  --config {config} list",
        ports.admin_port,
        files.token_file().display(),
    )
}

fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

fn taken(what: &str, port: u16, flag: &str) -> String {
    format!(
        "port {port}, for {what}, cannot be used; another program may hold it: choose one with {flag}"
    )
}
