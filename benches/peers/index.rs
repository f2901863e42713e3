//! The directory in memory: what a million numbers weigh, how fast they are read from the store and
//! asked for, and what that would be with ordinary collections.
//!
//! Everything is measured in a child process of its own, so that nothing else of the run is in its
//! memory: `index_child`.

use std::collections::HashMap;
use std::path::Path;
use std::process::Command;

use anyhow::Context;

use super::index_child::CHILD;
use super::sample::Samples;
use super::say;
use super::scene::Scene;
use super::server::{Server, Signal};
use super::table::{Beside, Table};

/// Rounds: each candidate once in each.
const ROUNDS: usize = 3;

/// The goals of the product: megabytes, seconds, and times of the steady memory.
const MEMORY_GOAL: f64 = 96.0;
const LOAD_GOAL: f64 = 1.0;
const PEAK_GOAL: f64 = 1.7;

/// Ordinary collections beside the index: their short names and what they are.
const COLLECTIONS: [(&str, &str); 3] = [
    ("hash", "HashMap<Phone, Vec<KnownClient>>"),
    ("btree", "BTreeMap<Phone, Vec<KnownClient>>"),
    ("sorted", "sorted Vec<(u64, KnownClient)>"),
];

pub(crate) async fn measure(scene: &Scene, table: &mut Table) -> anyhow::Result<()> {
    let store = scene.fresh("directory")?.join("store.redb");
    say("index: a store of a million numbers");
    let mut filled = Figures::default();
    filled.push(child("fill", &store).await?);
    let mut load = Figures::default();
    let mut own = Figures::default();
    let mut others: Vec<Figures> = COLLECTIONS.iter().map(|_| Figures::default()).collect();
    for round in 1..=ROUNDS {
        say(&format!("index: round {round} of {ROUNDS}"));
        load.push(child("load", &store).await?);
        own.push(child("index", &store).await?);
        for ((name, _), figures) in COLLECTIONS.iter().zip(&mut others) {
            figures.push(child(name, &store).await?);
        }
    }
    let steady = own.of("steady");
    let times_steady = |figure: &str| {
        let mut samples = Samples::default();
        let ratio = own.of(figure).ratio_to(&steady);
        ratio.into_iter().for_each(|ratio| samples.push(ratio));
        samples
    };
    table.add("index_name_bytes", "bytes", &filled.of("name_bytes"));
    table.aim("index_memory", "MB", &steady, MEMORY_GOAL);
    let peak = times_steady("peak");
    table.aim("index_peak_swapping", "times", &peak, PEAK_GOAL);
    let peak = times_steady("peak_loading");
    table.aim("index_peak_loading", "times", &peak, PEAK_GOAL);
    table.add("index_memory_after_swaps", "MB", &own.of("after"));
    table.aim("index_load", "s", &load.of("took"), LOAD_GOAL);
    table.add("index_load_peak_with_store", "MB", &load.of("peak"));
    for (name, figure, unit) in [
        ("index_memory", "steady", "MB"),
        ("index_lookups", "lookups", "/s"),
        ("index_lookup_p99", "lookup_p99", "ns"),
        ("index_swap", "swap", "ms"),
    ] {
        let beside: Vec<Beside> = COLLECTIONS
            .iter()
            .zip(&others)
            .map(|((short, peer), figures)| Beside {
                short,
                peer: (*peer).to_owned(),
                samples: figures.of(figure),
            })
            .collect();
        table.compare(name, unit, &own.of(figure), &beside);
    }
    table.add("index_swap_p99", "ms", &own.of("swap_p99"));
    let swapping = own.of("lookup_p99_swapping");
    table.add("index_lookup_p99_swapping", "ns", &swapping);
    table.add("index_compare", "s", &own.of("compare"));
    Ok(())
}

/// What the rounds of one candidate said.
#[derive(Default)]
struct Figures(Vec<HashMap<String, f64>>);

impl Figures {
    fn push(&mut self, said: HashMap<String, f64>) {
        self.0.push(said);
    }

    fn of(&self, name: &str) -> Samples {
        let mut samples = Samples::default();
        let values = self.0.iter().filter_map(|said| said.get(name));
        values.for_each(|value| samples.push(*value));
        samples
    }
}

/// Runs a child to its end; returns the figures that it printed.
async fn child(what: &str, store: &Path) -> anyhow::Result<HashMap<String, f64>> {
    let log = store.with_extension("log");
    std::fs::write(&log, "")?;
    let mut command = Command::new(std::env::current_exe()?);
    command.args([CHILD, what]).arg(store);
    let child = Server::start("a child of the benchmark", &mut command, log, Signal::Kill)?;
    let text = child.said_in_the_end().await?;
    let figures = text.lines().map(|line| {
        let (name, value) = line.split_once(' ').context("a line of name and value")?;
        anyhow::Ok((name.to_owned(), value.parse()?))
    });
    figures
        .collect::<anyhow::Result<_>>()
        .with_context(|| format!("measure {what}: {text}"))
}
