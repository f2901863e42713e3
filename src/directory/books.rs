//! The books: what questions are answered from, one for each portal that is configured.
//!
//! Whoever asks loads a pointer and reads; whoever publishes swaps it. Neither waits for the
//! other, and a picture that is being read is whole to its end.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::sync::Notify;

use super::index::Index;
use super::known::{Book, Look};
use crate::model::ids::PortalKey;
use crate::model::phone::Phone;
use crate::model::timestamp::Timestamp;

/// What a portal's book says at one moment.
#[derive(Debug, Default)]
pub(super) struct Picture {
    pub(super) index: Index,
    pub(super) complete_as_of: Option<Timestamp>,
}

/// The book of a portal. One that nobody keeps yet knows nobody.
#[derive(Debug, Default)]
pub(super) struct KeptBook {
    picture: ArcSwap<Picture>,
    /// Pictures that were published.
    published: AtomicU64,
}

/// How long a reader of an old picture is waited for, and how often.
const READER_LOOK: Duration = Duration::from_millis(1);
const READER_LOOKS_MAX: usize = 100;

impl KeptBook {
    pub(super) fn picture(&self) -> Arc<Picture> {
        self.picture.load_full()
    }

    /// Puts a new picture in the place of the old one. May take a while: the old one is given back
    /// here, unless somebody reads in it for long, since that takes time that who answers a
    /// question does not have.
    pub(super) fn publish(&self, picture: Picture) {
        let mut old = self.picture.swap(Arc::new(picture));
        self.published.fetch_add(1, Ordering::Release);
        for _ in 0..READER_LOOKS_MAX {
            match Arc::try_unwrap(old) {
                Ok(unread) => return drop(unread),
                Err(read) => old = read,
            }
            std::thread::sleep(READER_LOOK);
        }
    }
}

impl Book for KeptBook {
    fn look(&self, phone: &Phone) -> Look {
        let picture = self.picture.load();
        Look {
            clients: picture.index.clients(phone),
            complete_as_of: picture.complete_as_of,
        }
    }

    fn numbers(&self, after: Option<&Phone>, max: usize) -> Vec<Phone> {
        self.picture.load().index.numbers(after, max)
    }

    fn revision(&self) -> u64 {
        self.published.load(Ordering::Acquire)
    }

    fn complete_as_of(&self) -> Option<Timestamp> {
        self.picture.load().complete_as_of
    }
}

type Shelf = HashMap<PortalKey, Arc<KeptBook>>;

/// All books. The keeper fills them.
#[derive(Debug, Default)]
pub struct Books {
    shelf: ArcSwap<Shelf>,
    pub(super) changed: Notify,
}

impl Books {
    /// Says which portals are wanted from now on. The books of the others are no longer kept, and
    /// their memory is given back when the last who holds one has dropped it.
    pub fn want(&self, portals: impl IntoIterator<Item = PortalKey>) {
        let wanted: BTreeSet<PortalKey> = portals.into_iter().collect();
        self.shelf.rcu(|shelf| {
            let books = wanted.iter().map(|portal| {
                let book = shelf.get(portal).cloned().unwrap_or_default();
                (portal.clone(), book)
            });
            books.collect::<Shelf>()
        });
        self.changed.notify_one();
    }

    /// Returns a portal's book. It goes on being the right one as long as the portal is wanted;
    /// that of a portal which is not wanted knows nobody.
    pub fn book(&self, portal: &PortalKey) -> Arc<dyn Book> {
        let book = self.shelf.load().get(portal).cloned();
        book.unwrap_or_default()
    }

    pub(super) fn kept(&self) -> Arc<Shelf> {
        self.shelf.load_full()
    }
}
