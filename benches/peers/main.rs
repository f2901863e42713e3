//! The benchmark beside its peers: what the daemon takes in memory, in time to start and for
//! committing events, next to Redis, PostgreSQL and the bare disk on the same machine in the same
//! run. `docs/benchmarks.md` says what each figure means.
//!
//! Starts every server by itself, on ports and in a folder of its own, and stops it again.
//! A measurement is a file with one function that returns rows; `Measurement` lists them.

mod agi_load;
mod asker;
mod busy;
mod crm;
mod daemon;
mod disk;
mod drain;
mod drain_bitrix24;
mod event;
mod fastagi;
mod http;
mod index;
mod index_child;
mod index_peers;
mod intake;
mod load;
mod machine;
mod memory;
mod nginx;
mod office;
mod peer;
mod people;
mod pinned;
mod postgres;
mod questions;
mod questions_busy;
mod redis;
mod rules;
mod rules_scene;
mod sample;
mod scene;
mod server;
mod start;
mod table;
mod wrk;

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use tokio::signal::unix::{SignalKind, signal};

use machine::Machine;
use scene::Scene;
use table::Table;

/// What is measured, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Measurement {
    Memory,
    Start,
    Intake,
    Drain,
    DrainBitrix24,
    Index,
    FastAgi,
    Questions,
    Busy,
    Rules,
}

const ALL: [Measurement; 10] = [
    Measurement::Memory,
    Measurement::Start,
    Measurement::Intake,
    Measurement::Drain,
    Measurement::DrainBitrix24,
    Measurement::Index,
    Measurement::FastAgi,
    Measurement::Questions,
    Measurement::Busy,
    Measurement::Rules,
];

impl Measurement {
    fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Start => "start",
            Self::Intake => "intake",
            Self::Drain => "drain",
            Self::DrainBitrix24 => "drain_bitrix24",
            Self::Index => "index",
            Self::FastAgi => "fastagi",
            Self::Questions => "questions",
            Self::Busy => "busy",
            Self::Rules => "rules",
        }
    }

    async fn run(self, scene: &Scene, table: &mut Table) -> anyhow::Result<()> {
        match self {
            Self::Memory => memory::measure(scene, table).await,
            Self::Start => start::measure(scene, table).await,
            Self::Intake => intake::measure(scene, table).await,
            Self::Drain => drain::measure(scene, table).await,
            Self::DrainBitrix24 => drain_bitrix24::measure(scene, table).await,
            Self::Index => index::measure(scene, table).await,
            Self::FastAgi => fastagi::measure(scene, table).await,
            Self::Questions => questions::measure(scene, table).await,
            Self::Busy => questions_busy::measure(scene, table).await,
            Self::Rules => rules::measure(scene, table).await,
        }
        .with_context(|| format!("measure {}", self.name()))
    }
}

/// What the command line asks for.
struct Options {
    /// Under which folder the servers keep their data: it decides which disk is measured.
    /// `/tmp` may lie in memory, `/var/tmp` does not.
    under: PathBuf,
    chosen: Vec<Measurement>,
}

const USAGE: &str = "usage: cargo bench --bench peers -- [--under FOLDER] [memory] [start] [intake] [drain] \
                     [drain_bitrix24] [index] [fastagi] [questions] [busy] [rules]";

fn options(arguments: impl Iterator<Item = String>) -> anyhow::Result<Options> {
    let mut options = Options {
        under: PathBuf::from("/var/tmp"),
        chosen: Vec::new(),
    };
    let mut arguments = arguments;
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            // Cargo's own.
            "--bench" => {}
            "--under" => options.under = arguments.next().context(USAGE)?.into(),
            name => {
                let found = ALL.into_iter().find(|one| one.name() == name);
                options.chosen.push(found.context(USAGE)?);
            }
        }
    }
    if options.chosen.is_empty() {
        options.chosen = ALL.to_vec();
    }
    Ok(options)
}

/// One thread: the load takes at most one core, whichever server it is aimed at.
#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    match arguments.next().as_deref() {
        Some(index_child::CHILD) => return index_child::run(arguments).await,
        Some(busy::CHILD) => return busy::run_crm().await,
        _ => {}
    }
    let options = options(std::env::args().skip(1))?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    // Whoever ends the run ends its servers and removes its folder: they are dropped.
    tokio::select! {
        result = run(&options) => result,
        _ = interrupt.recv() => bail!("interrupted"),
        _ = terminate.recv() => bail!("told to end"),
        _ = hangup.recv() => bail!("the terminal has gone"),
    }
}

async fn run(options: &Options) -> anyhow::Result<()> {
    let scene = Scene::set(&options.under)?;
    say(&Machine::look(scene.folder())?.to_string());
    let mut table = Table::default();
    for measurement in ALL {
        if options.chosen.contains(&measurement) {
            measurement.run(&scene, &mut table).await?;
        }
    }
    let mut out = std::io::stdout().lock();
    writeln!(out, "\n{table}")?;
    // The file stands for a whole run, never for a part of one.
    if options.chosen == ALL {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("var/bench.json");
        table.write_json(&path)?;
        writeln!(out, "written to var/bench.json")?;
    }
    Ok(())
}

/// Tells the person who waits what goes on.
fn say(text: &str) {
    // A terminal that has gone away must not end a run.
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}
