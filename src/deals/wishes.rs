//! What is wished of the deals of an integration: that they are read now, that what is stored is
//! passed on.

use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::watch;

/// What is wished of the deals of one integration.
#[derive(Debug, Default)]
pub struct DealWishes {
    wish: watch::Sender<Wish>,
    /// The wishes to read that were granted: one that was not outlives who should have.
    granted: AtomicU64,
}

/// What was wished so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Wish {
    /// Counts the wishes to read what changed.
    pub(super) read: u64,
    /// Counts the changes of what is stored: hints, and deals to be passed on.
    stored: u64,
}

impl DealWishes {
    /// Has what changed read now: a person's wish, or a hint that could not be kept.
    pub fn read_now(&self) {
        self.wish
            .send_modify(|wish| wish.read = wish.read.wrapping_add(1));
    }

    /// Says that something new is stored.
    pub fn stored(&self) {
        self.wish
            .send_modify(|wish| wish.stored = wish.stored.wrapping_add(1));
    }

    /// Returns which wishes to read were granted.
    pub(super) fn granted(&self) -> u64 {
        self.granted.load(Ordering::Relaxed)
    }

    /// Takes note that the wishes up to this one were granted.
    pub(super) fn grant(&self, read: u64) {
        self.granted.store(read, Ordering::Relaxed);
    }

    /// Returns what shows every wish from now on.
    pub(super) fn watch(&self) -> watch::Receiver<Wish> {
        self.wish.subscribe()
    }

    pub(super) fn stored_since(&self) -> StoredWatch {
        StoredWatch(self.wish.subscribe())
    }
}

/// Waits until something new is stored.
pub(super) struct StoredWatch(watch::Receiver<Wish>);

impl StoredWatch {
    /// Takes note of what is there.
    pub(super) fn look(&mut self) {
        self.0.borrow_and_update();
    }

    /// Returns when there is more than at the last look; never, where nobody could say so.
    pub(super) async fn more(&mut self) {
        if self.0.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
