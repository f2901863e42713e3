//! Intake: events acknowledged as durable, each second. Every candidate gets the same events from
//! the same number of connections, each of which waits for its answer before it sends the next;
//! in each round the candidates take their turns.

use std::path::Path;
use std::time::Duration;

use anyhow::Context;

use super::crm::SilentCrm;
use super::daemon::{Daemon, Home, Source};
use super::disk::Journal;
use super::load::{Numbers, drive};
use super::peer::Peer;
use super::postgres::Postgres;
use super::redis::Redis;
use super::sample::Samples;
use super::say;
use super::scene::Scene;
use super::table::{Beside, Table};

/// Rounds that count; one before them warms everything up.
const ROUNDS: usize = 7;

/// How long a candidate has its turn.
const TURN: Duration = Duration::from_secs(2);

/// Between turns, so that nobody pays for what another one clears up.
const PAUSE: Duration = Duration::from_millis(200);

/// As many as a busy platform keeps open, and as few as there can be.
const CONNECTIONS: [usize; 2] = [64, 1];

/// Someone who takes its turns.
struct Candidate {
    short: &'static str,
    /// Name and version, or why it is left out.
    name: String,
    server: Option<Server>,
    /// Events that it has had, over all rounds.
    numbers: Numbers,
}

/// All servers run all the time; those whose turn it is not are idle.
enum Server {
    Daemon(Daemon),
    Redis(Redis),
    Postgres(Postgres),
    Disk(Journal),
}

impl Server {
    /// Returns events a second. Connections are opened for each turn, before its time begins: the
    /// daemon closes those that are idle for 5 s.
    async fn turn(&mut self, count: usize, numbers: &Numbers) -> anyhow::Result<f64> {
        match self {
            Self::Daemon(daemon) => {
                let mut connections =
                    each(count, async || daemon.connect(Source::Taken).await).await?;
                drive(&mut connections, numbers, TURN).await
            }
            Self::Redis(redis) => {
                let mut connections = each(count, async || redis.connect().await).await?;
                drive(&mut connections, numbers, TURN).await
            }
            Self::Postgres(postgres) => {
                let mut connections = each(count, async || postgres.connect().await).await?;
                drive(&mut connections, numbers, TURN).await
            }
            // It has none: so many bodies share one fdatasync, the best that so many connections
            // could hope for.
            Self::Disk(journal) => journal.drive(count, numbers, TURN),
        }
    }
}

async fn each<C>(
    count: usize,
    connect: impl AsyncFn() -> anyhow::Result<C>,
) -> anyhow::Result<Vec<C>> {
    let mut connections = Vec::with_capacity(count);
    for _ in 0..count {
        connections.push(connect().await?);
    }
    Ok(connections)
}

/// Measures with every number of connections.
pub(crate) async fn measure(scene: &Scene, table: &mut Table) -> anyhow::Result<()> {
    let crm = SilentCrm::start().await?;
    let home = Home::furnish(scene.fresh("daemon")?, &crm)?;
    let (daemon, _) = home.start().await?;
    let mut candidates = vec![Candidate {
        short: "daemon",
        name: "the daemon".to_owned(),
        server: Some(Server::Daemon(daemon)),
        numbers: Numbers::default(),
    }];
    let redis = Redis::start(&scene.fresh("redis")?).await;
    candidates.push(Candidate::peer(
        "redis",
        Peer::from_start("Redis", redis),
        Redis::name,
        Server::Redis,
    ));
    let postgres = Postgres::start(&scene.fresh("postgres")?).await;
    candidates.push(Candidate::peer(
        "postgresql",
        Peer::from_start("PostgreSQL", postgres),
        Postgres::name,
        Server::Postgres,
    ));
    candidates.push(floor(&scene.fresh("disk")?)?);
    for count in CONNECTIONS {
        say(&format!("intake: {count} connection(s), {ROUNDS} rounds"));
        let samples = rounds(&mut candidates, count).await?;
        add_rows(table, count, &candidates, samples);
    }
    Ok(())
}

impl Candidate {
    fn peer<T>(
        short: &'static str,
        peer: Peer<T>,
        name: impl Fn(&T) -> String,
        server: impl Fn(T) -> Server,
    ) -> Self {
        let (name, server) = match peer {
            Peer::Here(peer) => (name(&peer), Some(server(peer))),
            Peer::Skipped(why) => (why, None),
        };
        Self {
            short,
            name,
            server,
            numbers: Numbers::default(),
        }
    }
}

fn floor(folder: &Path) -> anyhow::Result<Candidate> {
    Ok(Candidate {
        short: "disk",
        name: "append and fdatasync".to_owned(),
        server: Some(Server::Disk(Journal::start(folder)?)),
        numbers: Numbers::default(),
    })
}

/// Returns the figures of each candidate.
async fn rounds(candidates: &mut [Candidate], count: usize) -> anyhow::Result<Vec<Samples>> {
    let mut samples = vec![Samples::default(); candidates.len()];
    for round in 0..=ROUNDS {
        for (candidate, samples) in candidates.iter_mut().zip(&mut samples) {
            let Some(server) = &mut candidate.server else {
                continue;
            };
            let rate = server
                .turn(count, &candidate.numbers)
                .await
                .with_context(|| format!("the turn of {}", candidate.name))?;
            if round > 0 {
                samples.push(rate);
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
    Ok(samples)
}

fn add_rows(table: &mut Table, count: usize, candidates: &[Candidate], samples: Vec<Samples>) {
    let mut own = Samples::default();
    let mut beside = Vec::new();
    for (candidate, samples) in candidates.iter().zip(samples) {
        match candidate.server {
            Some(Server::Daemon(_)) => own = samples,
            _ => beside.push(Beside {
                short: candidate.short,
                peer: candidate.name.clone(),
                samples,
            }),
        }
    }
    table.compare(&format!("intake_{count}"), "events/s", &own, &beside);
}
