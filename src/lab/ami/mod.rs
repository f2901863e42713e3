//! A simulated Asterisk, as seen through its manager interface (`pbx/asterisk.md` §1-§3).
//!
//! It speaks the protocol to several sessions at once, each with its own rights, mask and filters,
//! and plays calls made from the recordings of a real one, each with its own numbers, ids and
//! times, as many at a time as wanted. It places no calls of its own and moves no sound.

mod actions;
pub mod capture;
mod classes;
mod database;
mod endpoints;
mod lists;
mod living;
mod living_lists;
mod log_files;
mod login;
mod message;
mod pattern;
mod script;
mod server;
mod session;
mod switch;
#[cfg(test)]
mod tests;
mod time_line;
mod words;

pub use classes::{AmiUser, Classes};
pub use endpoints::{AmiCompany, AmiEndpoint, AmiQueue, Driver, SIP_PASSWORD};
pub use message::Message;
pub use script::ScriptedCall;
pub use server::{AmiOptions, AmiServer, AsteriskVersion, PlayError, Played};
