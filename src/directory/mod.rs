//! Who the clients of a portal are: kept in step with the CRM, and answered from memory.
//!
//! `sync` reads the CRM and changes the store; the index follows what the store commits.

pub mod books;
pub mod freshness;
pub mod index;
pub mod keeper;
pub mod known;
pub mod sync;
