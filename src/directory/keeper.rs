//! Keeps the books in step with the store: one task for each portal that is wanted.
//!
//! ```text
//! follow the changes -> read all that the store holds, meanwhile put changes aside -> publish
//!   -> apply changes, as many at once as are there, and publish ----------+
//!        ^                                                                |
//!        +-- fell behind, or everything was read for the first time: <----+
//!            compare with the store, piece by piece, publishing as it goes
//! ```
//!
//! The book goes on answering from what it has, whatever happens here. A book that holds something
//! is compared, never built anew: two at once would be twice the memory.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinSet, spawn_blocking};
use tokio::time::{Instant, sleep};

use super::books::{Books, KeptBook, Picture};
use super::index::{Comparison, IndexBuilder};
use crate::model::ids::PortalKey;
use crate::store::directory::{DirectoryChunk, DirectoryFeed, DirectoryPart, DirectoryPlace};
use crate::store::{StoreError, StoreHandle};

/// Rows of a chunk: some hundred kilobytes, read in a few milliseconds.
const CHUNK_ROWS: usize = 4096;

/// Chunks that may wait for who builds: it takes about as long as reading one.
const CHUNKS_AHEAD: usize = 1;

/// Changes that are applied at once. More would only let the first of them wait longer.
const CHANGES_AT_ONCE: usize = 4096;

/// Changes that are put aside while the store is read. What comes above it is left in the feed,
/// and who falls behind there compares again; the store commits so many in no second.
const CHANGES_ASIDE_MAX: usize = 200_000;

/// How long a failure is left alone.
const PAUSE: Duration = Duration::from_secs(5);

/// Why a portal's task goes on with reading everything.
enum Why {
    /// Changes were missed.
    Behind,
    /// Everything was read from the CRM for the first time, perhaps after the store lost what it
    /// had: what it does not hold now is gone.
    FirstComplete,
}

/// Why a portal's task does not go on.
enum Trouble {
    /// The store has ended.
    End,
    /// It could not be read.
    Failed(StoreError),
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Closed => Self::End,
            other => Self::Failed(other),
        }
    }
}

/// Keeps the books of the portals that are wanted, until the store ends or the task is dropped.
pub async fn keep(store: StoreHandle, books: Arc<Books>) {
    let mut tasks = JoinSet::new();
    let mut kept: HashMap<PortalKey, (Arc<KeptBook>, AbortHandle)> = HashMap::new();
    loop {
        let wanted = books.kept();
        kept.retain(|portal, (book, task)| {
            let goes_on = wanted.get(portal).is_some_and(|b| Arc::ptr_eq(b, book));
            if !goes_on {
                task.abort();
            }
            goes_on && !task.is_finished()
        });
        for (portal, book) in wanted.iter() {
            if !kept.contains_key(portal) {
                let keeper = Keeper {
                    store: store.clone(),
                    portal: portal.clone(),
                    book: Arc::clone(book),
                };
                let task = tasks.spawn(keeper.keep());
                kept.insert(portal.clone(), (Arc::clone(book), task));
            }
        }
        drop(wanted);
        tokio::select! {
            () = books.changed.notified() => {}
            Some(ended) = tasks.join_next() => match ended {
                Ok(()) => return,
                Err(error) if error.is_panic() => {
                    // Its book answers from what it has; another task takes it over.
                    tracing::error!(%error, "keeping a directory in memory");
                    sleep(PAUSE).await;
                }
                Err(_) => {}
            },
        }
    }
}

/// Keeps one book.
struct Keeper {
    store: StoreHandle,
    portal: PortalKey,
    book: Arc<KeptBook>,
}

impl Keeper {
    /// Ends with the store.
    async fn keep(self) {
        // Before anything is read, so that nothing falls between.
        let mut feed = self.store.follow_directories();
        loop {
            match self.one_round(&mut feed).await {
                Ok(Why::Behind) => {
                    let portal = &self.portal;
                    tracing::warn!(%portal, "changes were missed: comparing with the store");
                }
                Ok(Why::FirstComplete) => {}
                Err(Trouble::End) => return,
                Err(Trouble::Failed(error)) => {
                    let portal = &self.portal;
                    tracing::error!(%portal, %error, "reading a directory into memory");
                    sleep(PAUSE).await;
                }
            }
        }
    }

    /// Reads everything, then follows the changes until everything is to be read again.
    async fn one_round(&self, feed: &mut Feed) -> Result<Why, Trouble> {
        let mut aside = Aside::default();
        let began = Instant::now();
        let reading = self.read_store();
        tokio::pin!(reading);
        loop {
            tokio::select! {
                done = &mut reading => break done?,
                told = feed.recv(), if aside.takes_more() => match told {
                    Ok(told) => aside.put(told, &self.portal),
                    Err(RecvError::Lagged(_)) => aside.behind = true,
                    Err(RecvError::Closed) => return Err(Trouble::End),
                },
            }
        }
        let behind = aside.behind;
        self.apply(aside.feeds).await?;
        let size = self.book.picture().index.size();
        tracing::info!(
            portal = %self.portal,
            cards = size.cards,
            numbers = size.phones,
            open_deals = size.open_deals,
            took_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
            "directory in memory"
        );
        match behind {
            true => Ok(Why::Behind),
            false => self.follow(feed).await,
        }
    }

    /// Brings the book to what the store holds.
    async fn read_store(&self) -> Result<(), Trouble> {
        // What is read after it is not older.
        let stored = self.store.directory(self.portal.clone()).await?;
        let (cards, complete_as_of) = match stored {
            Some(stored) => (stored.cards, stored.state.complete_as_of),
            None => (0, None),
        };
        if self.book.picture().index.is_empty() {
            self.build(usize::try_from(cards).unwrap_or(0)).await?;
        } else {
            // Deals and cards have nothing to do with each other.
            self.compare(DirectoryPart::Deals).await?;
            self.compare(DirectoryPart::Cards).await?;
        }
        self.publish(move |old| Picture {
            index: old.index.clone(),
            complete_as_of,
        })
        .await
    }

    /// Fills an empty book: one thread reads while another builds.
    async fn build(&self, cards: usize) -> Result<(), Trouble> {
        let (chunks, mut coming) = mpsc::channel::<(DirectoryPart, DirectoryChunk)>(CHUNKS_AHEAD);
        let building = off_thread(move || {
            let mut builder = IndexBuilder::new(cards);
            while let Some((part, chunk)) = coming.blocking_recv() {
                builder.add(part, &chunk);
            }
            builder.finish()
        });
        let reading = async {
            for part in [DirectoryPart::Deals, DirectoryPart::Cards] {
                let mut next = None;
                loop {
                    let mut chunk = self.chunk(part, next).await?;
                    next = chunk.next.take();
                    // Who builds is gone only after a panic, which comes out below.
                    let taken = chunks.send((part, chunk)).await;
                    if next.is_none() || taken.is_err() {
                        break;
                    }
                }
            }
            drop(chunks);
            Ok::<(), Trouble>(())
        };
        let (read, built) = tokio::join!(reading, building);
        let (index, ()) = (built?, read?);
        self.publish(|old| Picture {
            index,
            complete_as_of: old.complete_as_of,
        })
        .await
    }

    /// Puts right what the book has otherwise than the store.
    async fn compare(&self, part: DirectoryPart) -> Result<(), Trouble> {
        let mut comparison = Comparison::new(part);
        let mut next = None;
        loop {
            let chunk = self.chunk(part, next).await?;
            next = chunk.next.clone();
            let book = Arc::clone(&self.book);
            comparison = off_thread(move || {
                let picture = book.picture();
                let changes = comparison.differences(&picture.index, &chunk);
                if !changes.is_empty() {
                    let index = picture.index.with(&changes);
                    let complete_as_of = picture.complete_as_of;
                    drop(picture);
                    book.publish(Picture {
                        index,
                        complete_as_of,
                    });
                }
                comparison
            })
            .await?;
            if next.is_none() {
                return Ok(());
            }
        }
    }

    async fn chunk(
        &self,
        part: DirectoryPart,
        from: Option<DirectoryPlace>,
    ) -> Result<DirectoryChunk, Trouble> {
        let chunk = self
            .store
            .directory_chunk(self.portal.clone(), part, from, CHUNK_ROWS);
        Ok(chunk.await?)
    }

    /// Applies changes as they come, as many at once as are there.
    async fn follow(&self, feed: &mut Feed) -> Result<Why, Trouble> {
        loop {
            let mut waiting = Aside::default();
            match feed.recv().await {
                Ok(told) => waiting.put(told, &self.portal),
                Err(RecvError::Lagged(_)) => return Ok(Why::Behind),
                Err(RecvError::Closed) => return Err(Trouble::End),
            }
            while waiting.changes < CHANGES_AT_ONCE && !waiting.behind {
                match feed.try_recv() {
                    Ok(told) => waiting.put(told, &self.portal),
                    Err(TryRecvError::Lagged(_)) => waiting.behind = true,
                    Err(TryRecvError::Empty | TryRecvError::Closed) => break,
                }
            }
            let incomplete = self.book.picture().complete_as_of.is_none();
            let behind = waiting.behind;
            self.apply(waiting.feeds).await?;
            if behind {
                return Ok(Why::Behind);
            }
            if incomplete && self.book.picture().complete_as_of.is_some() {
                return Ok(Why::FirstComplete);
            }
        }
    }

    async fn apply(&self, feeds: Vec<DirectoryFeed>) -> Result<(), Trouble> {
        let Some(complete_as_of) = feeds.last().map(|last| last.complete_as_of) else {
            return Ok(());
        };
        self.publish(move |old| Picture {
            index: old.index.with(feeds.iter().flat_map(|told| &*told.changes)),
            complete_as_of,
        })
        .await
    }

    /// Makes a picture of the old one and puts it in its place.
    async fn publish(
        &self,
        make: impl FnOnce(&Picture) -> Picture + Send + 'static,
    ) -> Result<(), Trouble> {
        let book = Arc::clone(&self.book);
        off_thread(move || {
            let picture = make(&book.picture());
            book.publish(picture);
        })
        .await
    }
}

type Feed = Receiver<DirectoryFeed>;

/// Changes that wait.
#[derive(Default)]
struct Aside {
    feeds: Vec<DirectoryFeed>,
    changes: usize,
    /// Some were missed.
    behind: bool,
}

impl Aside {
    fn takes_more(&self) -> bool {
        !self.behind && self.changes < CHANGES_ASIDE_MAX
    }

    fn put(&mut self, told: DirectoryFeed, portal: &PortalKey) {
        if told.portal == *portal {
            self.changes = self.changes.saturating_add(told.changes.len());
            self.feeds.push(told);
        }
    }
}

/// Works off the async threads.
async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Trouble> {
    match spawn_blocking(work).await {
        Ok(done) => Ok(done),
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        // The runtime ends.
        Err(_) => Err(Trouble::End),
    }
}
