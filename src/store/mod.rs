//! The embedded store: the only place where redb is known. One writer thread with group commit;
//! readers never wait for it.

pub mod command;
pub mod query;
