//! The embedded store: the only place where redb is known. One writer thread with group commit;
//! readers never wait for it.
//!
//! ```text
//!  StoreHandle --- command ---> queue (bounded) ---> writer thread --- one transaction ---> disk
//!       ^                                                  |
//!       +-------------------- answer, after the commit ----+
//!  StoreHandle --- read ---> a read transaction of its own
//! ```
//!
//! A command is a value of [`command`]; it is checked whole before its first write, so that a
//! refused one leaves no trace beside the neighbours of its group. After an error of the disk
//! the store ends: every call gets [`StoreError::Closed`], [`StoreThread::finished`] says why,
//! and the process ends so that the next start opens the file anew.
//!
//! The store decides nothing: what a snapshot, a step or a checkpoint means is its callers'
//! business.

pub mod command;
pub mod deals;
pub mod directory;
pub(crate) mod packing;
pub mod quarantine;
pub mod query;

mod accept;
mod copy;
mod deal_read;
mod deal_tables;
mod directory_pack;
mod directory_read;
mod directory_tables;
mod error;
mod facet;
mod forget;
mod handle;
mod keep;
mod ledger_rows;
mod left_works;
mod measured;
mod open;
mod outcome;
mod passing;
mod read_pool;
mod reader;
mod recordings;
mod revive;
mod row;
mod schema;
mod search;
mod shared;
mod sweep;
mod tables;
mod work;
mod writer;

pub use crate::model::seal::{BadKey, KEY_BYTES, StoreKey};
pub use copy::{CopyReport, INSTALLATIONS, inspect_copy, is_in_use, mark_restored};
pub use error::{OpenError, StoreEnd, StoreError};
pub use handle::StoreHandle;
pub use open::{Store, StoreOptions, StoreThread};
pub use revive::{DECIDED_AGAIN, DROPPED_BY_PERSON};
