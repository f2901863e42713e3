//! The command line of `trunkline-lab`.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Parser, Subcommand};

use super::alfacrm::{self, AlfaOptions};
use super::amocrm::AmoOptions;
use super::bitrix24;
use super::control;
use super::demo::{self, DemoOptions, Lab, Ports};
use super::torture::{self, BrokenPromise, CrmKind, TortureOptions};
use super::uis::{self, UisOptions};

/// Simulators of the services that Trunkline joins, for rehearsal without accounts.
#[derive(Debug, Parser)]
#[command(name = "trunkline-lab", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Plays a working day against the daemon and shows what became of it.
    Demo {
        /// Ends after the day, with status 0 only if the CRM holds what it must.
        #[arg(long)]
        once: bool,
        /// The daemon's program; the one beside this program unless given.
        #[arg(long)]
        daemon: Option<PathBuf>,
        /// Folder for configuration, store and logs.
        #[arg(long, default_value = "var")]
        dir: PathBuf,
        /// The day to play; lab/days/working-day.toml unless given.
        #[arg(long)]
        day: Option<PathBuf>,
        #[command(flatten)]
        ports: Ports,
    },
    /// Kills the daemon again and again under load, and counts what the CRM holds in the end.
    Torture {
        /// The CRM that the calls go to.
        #[arg(long, value_enum, default_value_t = CrmKind::Amocrm)]
        crm: CrmKind,
        /// How often.
        #[arg(long, default_value_t = 5)]
        kills: usize,
        /// Decides stream, faults and moments.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// The daemon's program; the one beside this program unless given.
        #[arg(long)]
        daemon: Option<PathBuf>,
        /// Folder for configuration, store and log.
        #[arg(long, default_value = "var/torture")]
        dir: PathBuf,
        /// Breaks a promise of the daemon, which must be built for it: succeeds if that is
        /// noticed.
        #[arg(long, value_enum, requires = "daemon")]
        sabotage: Option<BrokenPromise>,
        /// Works at the vendor's own limit of requests instead of a raised one.
        #[arg(long)]
        at_the_limit: bool,
    },
    /// Runs a simulated Bitrix24 portal alone until Ctrl-C.
    Bitrix24 {
        /// The portal, its authorisation server included.
        #[arg(long = "bitrix24-port", default_value_t = 8474)]
        port: u16,
        #[command(flatten)]
        portal: bitrix24::PortalArgs,
    },
    /// Runs a simulated AlfaCRM account alone until Ctrl-C.
    Alfacrm {
        /// The account.
        #[arg(long = "alfacrm-port", default_value_t = 8476)]
        port: u16,
    },
    /// Runs the simulators until Ctrl-C: two amoCRM accounts, a Bitrix24 portal, an Asterisk, a
    /// VATS, a UIS account, and a control endpoint.
    Serve {
        /// The endpoint by which calls are played and links are cut.
        #[arg(long, default_value_t = 8480)]
        control_port: u16,
        #[command(flatten)]
        portal: bitrix24::PortalArgs,
        #[command(flatten)]
        ports: Ports,
    },
}

/// Runs the program.
pub async fn run() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Demo {
            once,
            daemon,
            dir,
            day,
            ports,
        } => {
            let options = DemoOptions {
                dir,
                daemon,
                day,
                once,
                ports,
            };
            demo::run(&options, &mut say).await
        }
        Command::Torture {
            crm,
            kills,
            seed,
            daemon,
            dir,
            sabotage,
            at_the_limit,
        } => {
            let options = TortureOptions {
                crm,
                kills,
                seed,
                dir,
                daemon,
                broken: sabotage,
                at_the_limit,
            };
            torture::run(&options, &mut say).await
        }
        Command::Alfacrm { port } => serve_school(port).await.map(|()| true),
        Command::Bitrix24 { port, portal } => serve_portal(port, &portal).await.map(|()| true),
        Command::Serve {
            control_port,
            portal,
            ports,
        } => serve(control_port, &portal, &ports).await.map(|()| true),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            // Nobody is left to tell if this fails.
            writeln!(io::stderr(), "trunkline-lab: {error:#}").ok();
            ExitCode::FAILURE
        }
    }
}

async fn serve_school(port: u16) -> anyhow::Result<()> {
    let options = AlfaOptions {
        listen: SocketAddr::from(([127, 0, 0, 1], port)),
        ..AlfaOptions::default()
    };
    let (email, key) = (options.email.clone(), options.api_key.clone());
    let account = alfacrm::start(options).await;
    let account = account.with_context(|| {
        format!(
            "port {port}, for the simulated AlfaCRM, cannot be used: choose one with --alfacrm-port"
        )
    })?;
    let address = account.base_url();
    say(&format!(
        "AlfaCRM  {address}  for https://demo.s20.online\n\
         \x20        email {email}, api_key {key}\n\
         \x20        control {address}/_lab"
    ));
    tokio::signal::ctrl_c().await.context("wait for Ctrl-C")
}

async fn serve_portal(port: u16, portal: &bitrix24::PortalArgs) -> anyhow::Result<()> {
    let portal = portal.start(port).await?;
    say(&bitrix24::about(&portal));
    tokio::signal::ctrl_c().await.context("wait for Ctrl-C")
}

async fn serve(
    control_port: u16,
    portal: &bitrix24::PortalArgs,
    ports: &Ports,
) -> anyhow::Result<()> {
    let uis_port = ports.uis_port;
    let lab = Lab::start(ports, AmoOptions::default().search_lag).await?;
    let listen = SocketAddr::from(([127, 0, 0, 1], uis_port));
    let uis = uis::start(UisOptions {
        listen,
        ..UisOptions::default()
    });
    let uis = uis
        .await
        .with_context(|| format!("serve UIS on port {uis_port}"))?;
    let portal = portal.start(ports.bitrix24_port).await?;
    say(&bitrix24::about(&portal));
    let control = SocketAddr::from(([127, 0, 0, 1], control_port));
    say(&format!(
        "amoCRM   http://127.0.0.1:{}  token {}\n\
         amoCRM   http://127.0.0.1:{}  token {}\n\
         Asterisk 127.0.0.1:{}  user trunkline, secret lab-ami-secret\n\
         UIS      data_api {}, call_api {}, token {}; control http://{listen}/_lab\n\
         VATS     http://127.0.0.1:{}  key {}\n\
         control  http://{control}/ami",
        ports.crm_port,
        lab.main.long_lived_token(),
        ports.dead_crm_port,
        lab.service.long_lived_token(),
        ports.ami_port,
        uis.data_api(),
        uis.call_api(),
        uis.key(),
        ports.vats_port,
        lab.vats.api_key(),
    ));
    let serving = control::serve(control, lab.ami, lab.vats.handle());
    tokio::select! {
        served = serving => served.with_context(|| format!("serve the control endpoint on port {control_port}")),
        _ = tokio::signal::ctrl_c() => Ok(()),
    }
}

/// Shows a text to the user; a closed pipe is the reader's choice.
fn say(text: &str) {
    let mut out = io::stdout().lock();
    writeln!(out, "{text}").ok();
    out.flush().ok();
}
