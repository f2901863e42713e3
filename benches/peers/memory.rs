//! Idle memory: what a process holds 10 s after its start, when nobody asks it for anything.

use std::time::Duration;

use anyhow::Context;

use super::crm::SilentCrm;
use super::daemon::Home;
use super::peer::Peer;
use super::postgres::Postgres;
use super::redis::Redis;
use super::sample::Samples;
use super::say;
use super::scene::Scene;
use super::table::{Beside, Table};

/// The start is over by then and its memory given back.
const IDLE: Duration = Duration::from_secs(10);

/// All three idle at the same time, each with an empty store.
pub(crate) async fn measure(scene: &Scene, table: &mut Table) -> anyhow::Result<()> {
    say("memory: 10 s of idleness");
    let crm = SilentCrm::start().await?;
    let home = Home::furnish(scene.fresh("daemon")?, &crm)?;
    let (daemon, _) = home.start().await?;
    let redis = Peer::from_start("Redis", Redis::start(&scene.fresh("redis")?).await);
    let postgres = Postgres::start(&scene.fresh("postgres")?).await;
    let postgres = Peer::from_start("PostgreSQL", postgres);
    tokio::time::sleep(IDLE).await;

    let own = once(resident_mib(daemon.pid())?);
    let (redis_name, redis_mib) = match redis {
        Peer::Here(redis) => {
            let name = format!("{}, VmRSS", redis.name());
            (name, once(resident_mib(redis.pid())?))
        }
        Peer::Skipped(why) => (why, Samples::default()),
    };
    let (postgres_name, postgres_mib) = match postgres {
        Peer::Here(postgres) => {
            let name = format!("{}, Pss of all processes", postgres.name());
            (name, once(shared_out_mib(postgres.pid())?))
        }
        Peer::Skipped(why) => (why, Samples::default()),
    };
    let beside = [
        Beside {
            short: "redis",
            peer: redis_name,
            samples: redis_mib,
        },
        Beside {
            short: "postgresql",
            peer: postgres_name,
            samples: postgres_mib,
        },
    ];
    table.compare("idle_memory", "MiB", &own, &beside);
    daemon.stop()
}

fn once(value: f64) -> Samples {
    let mut samples = Samples::default();
    samples.push(value);
    samples
}

/// Returns VmRSS of one process.
pub(crate) fn resident_mib(pid: u32) -> anyhow::Result<f64> {
    mib(pid, "status", "VmRSS:")
}

/// Returns the memory of a process and its children. What they share is counted once.
fn shared_out_mib(pid: u32) -> anyhow::Result<f64> {
    let mut sum = mib(pid, "smaps_rollup", "Pss:")?;
    let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"))?;
    for child in children.split_whitespace() {
        sum += mib(child.parse()?, "smaps_rollup", "Pss:")?;
    }
    Ok(sum)
}

/// Reads a line `NAME   1234 kB` of a process's file.
fn mib(pid: u32, file: &str, name: &str) -> anyhow::Result<f64> {
    let path = format!("/proc/{pid}/{file}");
    let text = std::fs::read_to_string(&path).with_context(|| path.clone())?;
    let value = text.lines().find_map(|line| line.strip_prefix(name));
    let value = value.with_context(|| format!("{path} has no {name}"))?;
    let kib: f64 = value.trim().trim_end_matches(" kB").parse()?;
    Ok(kib / 1024.0)
}
