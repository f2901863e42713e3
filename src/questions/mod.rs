//! "Who should this caller reach?": answered from memory, whatever the CRM, the network or the
//! disk are doing.
//!
//! ```text
//! question -> table (settings, compiled) -> books' hits -> chain (pure) -> answer, reasons
//!                                                  miss -> live question, where opted for
//! ```
//!
//! Nothing here waits for a lock that others hold for long, or for the disk.

pub mod chain;
pub mod choice;
pub mod desk;
pub mod http;
mod known_callers;
pub mod last_talks;
pub mod live;
pub mod query;
pub mod reason;
pub mod stats;
pub mod table;
mod wording;

#[cfg(test)]
mod tests;
