//! Keeps the directories of the configured portals in memory. They fill while everything else is
//! up already: a portal whose book is not there yet answers with nobody.

use std::sync::Arc;

use tokio::task::JoinHandle;

use crate::directory::books::Books;
use crate::directory::keeper;
use crate::store::StoreHandle;

/// Begins; which portals are wanted is the configuration's to say.
pub(super) fn keep(store: StoreHandle, books: &Arc<Books>) -> JoinHandle<()> {
    tokio::task::spawn_local(keeper::keep(store, Arc::clone(books)))
}
