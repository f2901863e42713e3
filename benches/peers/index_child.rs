//! One measurement of the directory in a process of its own. Prints `name value` lines.
//!
//! | what | measures |
//! | --- | --- |
//! | `fill` | nothing: makes the store |
//! | `load` | the daemon's keeper filling a book from the store, with the store's usual cache |
//! | `index` | the index alone (the store's cache is 1 MiB): memory, questions, swaps |
//! | `hash`, `btree`, `sorted` | the same people in ordinary collections |

use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, bail};
use arc_swap::ArcSwap;
use tokio::time::{self, Instant};
use trunkline::directory::books::Books;
use trunkline::directory::index::{Comparison, Index, IndexBuilder};
use trunkline::directory::keeper::keep;
use trunkline::model::directory::DirectoryChange;
use trunkline::model::phone::Phone;
use trunkline::model::timestamp::Timestamp;
use trunkline::store::directory::{DirectoryBatch, DirectoryChunk, DirectoryPart, DirectoryState};
use trunkline::store::{Store, StoreHandle, StoreKey, StoreOptions, StoreThread};

use super::index_peers::{BTree, Collection, Hash, Sorted};
use super::people;

/// The first argument of such a process.
pub(crate) const CHILD: &str = "index-child";

/// Cards of a transaction that fills the store.
const BATCH: usize = 10_000;
/// Rows of a chunk, as the keeper reads them.
const CHUNK_ROWS: usize = 4096;
/// Questions of a measurement, and those of them whose time is taken one by one.
const QUESTIONS: u32 = 1_000_000;
const TIMED: usize = 200_000;
/// Changes of a swap, as many as a page of a CRM's list, and swaps.
const SWAP_CARDS: u32 = 250;
const SWAPS: u32 = 400;

/// When everything was read.
const COMPLETE: Timestamp = Timestamp::from_secs(1_795_000_000);

/// Does what the arguments after [`CHILD`] say.
pub(crate) async fn run(mut arguments: impl Iterator<Item = String>) -> anyhow::Result<()> {
    let what = arguments.next().context("what to measure")?;
    let store = arguments.next().context("the store's file")?;
    let store = Path::new(&store);
    match what.as_str() {
        "fill" => fill(store).await,
        "load" => load(store).await,
        "index" => index(store).await,
        "hash" => collection::<Hash>(),
        "btree" => collection::<BTree>(),
        "sorted" => collection::<Sorted>(),
        other => bail!("nothing is known of {other}"),
    }
}

fn tell(name: &str, value: f64) -> anyhow::Result<()> {
    Ok(writeln!(std::io::stdout().lock(), "{name} {value}")?)
}

fn open(path: &Path, cache_bytes: usize) -> anyhow::Result<(StoreHandle, StoreThread)> {
    let options = StoreOptions {
        cache_bytes,
        ..StoreOptions::default()
    };
    Ok(Store::open(path, StoreKey::from_bytes(&[7; 32])?, options)?)
}

async fn close(store: StoreHandle, thread: StoreThread) -> anyhow::Result<()> {
    store.shut_down().await;
    drop(store);
    tokio::task::spawn_blocking(move || thread.join()).await?;
    Ok(())
}

async fn fill(path: &Path) -> anyhow::Result<()> {
    let (store, thread) = open(path, 1 << 30)?;
    let batch = |changes, state| DirectoryBatch {
        portal: people::portal(),
        changes,
        state,
    };
    let (mut names, mut changes) = (0, Vec::with_capacity(BATCH));
    for change in people::everything() {
        if let DirectoryChange::Card(card) = &change {
            names += card.name.len();
        }
        changes.push(change);
        if changes.len() == BATCH {
            let changes = std::mem::replace(&mut changes, Vec::with_capacity(BATCH));
            store.change_directory(batch(changes, None)).await?;
        }
    }
    let state = DirectoryState {
        complete_as_of: Some(COMPLETE),
        ..DirectoryState::default()
    };
    store.change_directory(batch(changes, Some(state))).await?;
    close(store, thread).await?;
    tell("name_bytes", names as f64 / f64::from(people::CARDS))
}

/// From the wish for a book to the book that says how complete it is.
async fn load(path: &Path) -> anyhow::Result<()> {
    let (store, thread) = open(path, StoreOptions::default().cache_bytes)?;
    let books = Arc::new(Books::default());
    let began = Instant::now();
    books.want([people::portal()]);
    let book = books.book(&people::portal());
    let keeping = tokio::spawn(keep(store.clone(), Arc::clone(&books)));
    while book.complete_as_of() != Some(COMPLETE) {
        time::sleep(Duration::from_millis(1)).await;
    }
    tell("took", began.elapsed().as_secs_f64())?;
    tell("peak", memory("VmHWM:")?)?;
    let known = people::phone(10);
    if book.clients(&known).len() != 2 {
        bail!("{known} is not on two cards");
    }
    keeping.abort();
    close(store, thread).await
}

async fn index(path: &Path) -> anyhow::Result<()> {
    let (asked, questions) = questions()?;
    let (store, thread) = open(path, 1 << 20)?;
    let mut builder = IndexBuilder::new(usize::try_from(people::CARDS)?);
    for part in [DirectoryPart::Deals, DirectoryPart::Cards] {
        chunks(&store, part, |chunk| builder.add(part, &chunk)).await?;
    }
    let index = Arc::new(ArcSwap::from_pointee(builder.finish()));
    tell("peak_loading", memory("VmHWM:")? - questions)?;
    tell("steady", memory("VmRSS:")? - questions)?;
    answer_all(&asked, |phone| index.load().clients(phone).len())?;

    forget_peak()?;
    let reader = Reader::start(&index, asked);
    let mut times = Vec::new();
    for round in 0..SWAPS {
        let changes = people::changed(round, SWAP_CARDS);
        let began = Instant::now();
        let next = index.load().with(&changes);
        index.store(Arc::new(next));
        times.push(began.elapsed().as_nanos());
    }
    tell("lookup_p99_swapping", reader.end()?)?;
    times.sort_unstable();
    tell("swap", times[times.len() / 2] as f64 / 1e6)?;
    tell("swap_p99", p99(times) / 1e6)?;
    // Now the index holds much that the store does not: what a keeper does that fell behind.
    let began = Instant::now();
    for part in [DirectoryPart::Deals, DirectoryPart::Cards] {
        let mut comparison = Comparison::new(part);
        chunks(&store, part, |chunk| {
            let differences = comparison.differences(&index.load(), &chunk);
            let next = index.load().with(&differences);
            index.store(Arc::new(next));
        })
        .await?;
    }
    tell("compare", began.elapsed().as_secs_f64())?;
    tell("peak", memory("VmHWM:")? - questions)?;
    tell("after", memory("VmRSS:")? - questions)?;
    close(store, thread).await
}

/// Returns what is asked, and the memory that this takes in megabytes: it is no part of what is
/// measured; the rest of the process is.
fn questions() -> anyhow::Result<(Arc<[Phone]>, f64)> {
    let before = memory("VmRSS:")?;
    let asked = people::asked(QUESTIONS / 10);
    Ok((Arc::from(asked), memory("VmRSS:")? - before))
}

/// Somebody who asks without a pause.
struct Reader {
    done: Arc<AtomicBool>,
    thread: std::thread::JoinHandle<f64>,
}

impl Reader {
    fn start(index: &Arc<ArcSwap<Index>>, asked: Arc<[Phone]>) -> Self {
        let done = Arc::new(AtomicBool::new(false));
        let (index, stop) = (Arc::clone(index), Arc::clone(&done));
        let thread = std::thread::spawn(move || {
            // How many took so many times 10 ns; the last are all that took longer.
            let mut counts = vec![0_u32; 100_000];
            let mut asked = asked.iter().cycle();
            while !stop.load(Ordering::Acquire) {
                for phone in asked.by_ref().take(1000) {
                    let began = Instant::now();
                    std::hint::black_box(index.load().clients(phone));
                    let took = usize::try_from(began.elapsed().as_nanos() / 10);
                    let place = took.unwrap_or(usize::MAX).min(counts.len() - 1);
                    counts[place] += 1;
                }
            }
            let all: u64 = counts.iter().copied().map(u64::from).sum();
            let mut least = 0;
            let place = counts.iter().position(|count| {
                least += u64::from(*count);
                least * 100 >= all * 99
            });
            place.unwrap_or(0) as f64 * 10.0
        });
        Self { done, thread }
    }

    /// Returns the time that 99 of 100 answers took at the most, in nanoseconds.
    fn end(self) -> anyhow::Result<f64> {
        self.done.store(true, Ordering::Release);
        let joined = self.thread.join();
        joined.map_err(|_| anyhow::anyhow!("the reader panicked"))
    }
}

async fn chunks(
    store: &StoreHandle,
    part: DirectoryPart,
    mut take: impl FnMut(DirectoryChunk),
) -> anyhow::Result<()> {
    let mut next = None;
    loop {
        let chunk = store.directory_chunk(people::portal(), part, next, CHUNK_ROWS);
        let chunk = chunk.await?;
        next = chunk.next.clone();
        take(chunk);
        if next.is_none() {
            return Ok(());
        }
    }
}

/// The same people in an ordinary collection. Such a one is swapped by copying it.
fn collection<C: Collection>() -> anyhow::Result<()> {
    let (asked, questions) = questions()?;
    let filled = C::fill();
    tell("steady", memory("VmRSS:")? - questions)?;
    answer_all(&asked, |phone| filled.clients(phone).len())?;
    let began = Instant::now();
    let copy = filled.clone();
    tell("swap", began.elapsed().as_secs_f64() * 1e3)?;
    drop(copy);
    Ok(())
}

/// Asks everything many times over.
fn answer_all(asked: &[Phone], answer: impl Fn(&Phone) -> usize) -> anyhow::Result<()> {
    let began = Instant::now();
    let questions = asked.iter().cycle().take(usize::try_from(QUESTIONS)?);
    let found: usize = questions.map(&answer).sum();
    let took = began.elapsed().as_secs_f64();
    tell("lookups", f64::from(QUESTIONS) / took)?;
    // Nine of ten are known, on 1.1 cards each.
    if found.abs_diff(990_000) > 20_000 {
        bail!("{found} clients were found");
    }
    let times = asked.iter().cycle().take(TIMED).map(|phone| {
        let began = Instant::now();
        std::hint::black_box(answer(phone));
        began.elapsed().as_nanos()
    });
    tell("lookup_p99", p99(times.collect()))
}

fn p99(mut times: Vec<u128>) -> f64 {
    times.sort_unstable();
    times[times.len().saturating_sub(1) * 99 / 100] as f64
}

/// The memory of this process in megabytes, by a line of its status.
fn memory(name: &str) -> anyhow::Result<f64> {
    let text = std::fs::read_to_string("/proc/self/status")?;
    let value = text.lines().find_map(|line| line.strip_prefix(name));
    let value = value.with_context(|| format!("no {name} in /proc/self/status"))?;
    let kib: f64 = value.trim().trim_end_matches(" kB").parse()?;
    Ok(kib * 1024.0 / 1e6)
}

/// Makes [`memory`] see the greatest from now on.
fn forget_peak() -> anyhow::Result<()> {
    std::fs::write("/proc/self/clear_refs", "5").context("forget the peak of the memory")
}
