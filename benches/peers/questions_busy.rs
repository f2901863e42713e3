//! How long the slowest of a hundred questions waits while the daemon has everything to do at once,
//! beside how long it waits while there is nothing to do.

use std::path::Path;
use std::time::Duration;

use trunkline::lab::day::daemon::Daemon as Watched;

use super::asker::{self, Asker};
use super::busy::{self, BusyCrm};
use super::crm::SilentCrm;
use super::daemon::Home;
use super::office;
use super::sample::Samples;
use super::say;
use super::scene::Scene;
use super::table::Table;

/// Pairs of runs.
const PAIRS: usize = 7;

/// How long it is asked, over how many connections, and how often over each: some two thousand
/// questions a second, ten times what a large call centre has.
const TIME: Duration = Duration::from_secs(3);
const CONNECTIONS: u32 = 8;
const BEAT: Duration = Duration::from_millis(4);

/// What has to be kept: times of the idle daemon's.
const GOAL: f64 = 2.0;

pub(crate) async fn measure(scene: &Scene, table: &mut Table) -> anyhow::Result<()> {
    say("questions: a store with much to do");
    let stores = scene.fresh("stores")?;
    let (idle, busy) = (stores.join("idle.redb"), stores.join("busy.redb"));
    office::fill(&idle).await?;
    std::fs::copy(&idle, &busy)?;
    busy::fill(&busy).await?;
    let silent = SilentCrm::start().await?;
    let crm = BusyCrm::start(&scene.fresh("crm")?).await?;
    let (mut alone, mut beside) = (Samples::default(), Samples::default());
    for pair in 1..=PAIRS {
        say(&format!("questions: pair {pair} of {PAIRS}, idle and busy"));
        alone.push(turn(scene, &idle, &silent, None).await?);
        beside.push(turn(scene, &busy, &silent, Some(&crm)).await?);
    }
    table.add("questions_idle_p99", "us", &alone);
    table.add("questions_busy_p99", "us", &beside);
    let mut ratio = Samples::default();
    beside
        .ratio_to(&alone)
        .into_iter()
        .for_each(|value| ratio.push(value));
    table.aim("questions_busy_to_idle_p99", "times", &ratio, GOAL);
    Ok(())
}

/// Starts a daemon with such a store, and asks it; returns the 99th percentile in microseconds.
async fn turn(
    scene: &Scene,
    store: &Path,
    silent: &SilentCrm,
    crm: Option<&BusyCrm>,
) -> anyhow::Result<f64> {
    let mut tenant = office::tenant();
    if crm.is_some() {
        tenant += &busy::tenant();
    }
    let folder = scene.fresh("daemon")?;
    let home = Home::furnish_with(folder.clone(), silent.port, &tenant)?;
    if let Some(crm) = crm {
        home.write("busy-token", &crm.token)?;
        let settings = home.with_another(silent.port, &busy::URLS, crm.port);
        home.write("trunkline.toml", &settings)?;
    }
    std::fs::copy(store, folder.join("trunkline.redb"))?;
    let (daemon, _) = home.start().await?;
    let port = home.questions_port();
    office::wait_until_known(async |client| Asker::connect(port)?.ask(client).map(drop)).await?;
    if crm.is_some() {
        busy::until_busy(&Watched::new(home.address())?).await?;
    }
    let asking = tokio::task::spawn_blocking(move || asker::paced(port, CONNECTIONS, BEAT, TIME));
    let p99 = asking.await??;
    if crm.is_some() {
        busy::is_busy(&Watched::new(home.address())?).await?;
    }
    // What it has not done is not waited for.
    daemon.kill()?;
    Ok(p99)
}
