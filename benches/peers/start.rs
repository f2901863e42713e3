//! Start to ready: from starting the process until `GET /readyz` on the admin port answers 200,
//! asked every millisecond.

use std::time::Duration;

use super::crm::SilentCrm;
use super::daemon::{Home, Source};
use super::sample::Samples;
use super::say;
use super::scene::Scene;
use super::table::Table;

/// Starts of each kind.
const STARTS: usize = 7;

/// Communications in the store that is not empty: years of a small company.
const STORED: u32 = 100_000;

const UNIT: &str = "ms";

/// How the daemon ended before it is started again.
#[derive(Clone, Copy)]
enum End {
    Stopped,
    Killed,
}

/// The daemon alone: its peers do not answer the same question when they are up.
pub(crate) async fn measure(scene: &Scene, table: &mut Table) -> anyhow::Result<()> {
    let crm = SilentCrm::start().await?;

    say("start: with a new store");
    let mut fresh = Samples::default();
    for _ in 0..STARTS {
        let home = Home::furnish(scene.fresh("daemon")?, &crm)?;
        let (daemon, took) = home.start().await?;
        fresh.push(ms(took));
        daemon.stop()?;
    }
    table.add("start_to_ready", UNIT, &fresh);

    let home = filled(scene, &crm, Source::Untaken).await?;
    let stopped = restarts(&home, End::Stopped).await?;
    table.add("start_to_ready_100000_at_rest", UNIT, &stopped);
    let killed = restarts(&home, End::Killed).await?;
    table.add("start_to_ready_100000_after_kill", UNIT, &killed);

    let home = filled(scene, &crm, Source::Taken).await?;
    let waiting = restarts(&home, End::Stopped).await?;
    table.add("start_to_ready_100000_waiting", UNIT, &waiting);
    Ok(())
}

async fn filled(scene: &Scene, crm: &SilentCrm, source: Source) -> anyhow::Result<Home> {
    say(&format!("start: with {STORED} communications ({source:?})"));
    let home = Home::furnish(scene.fresh("daemon")?, crm)?;
    let (daemon, _) = home.start().await?;
    daemon.fill(source, STORED).await?;
    daemon.stop()?;
    Ok(home)
}

async fn restarts(home: &Home, end: End) -> anyhow::Result<Samples> {
    let ended = |daemon: super::daemon::Daemon| match end {
        End::Stopped => daemon.stop(),
        End::Killed => daemon.kill(),
    };
    // The first one only makes the end be the one that is meant.
    ended(home.start().await?.0)?;
    let mut samples = Samples::default();
    for _ in 0..STARTS {
        let (daemon, took) = home.start().await?;
        samples.push(ms(took));
        ended(daemon)?;
    }
    Ok(samples)
}

fn ms(took: Duration) -> f64 {
    took.as_secs_f64() * 1000.0
}
