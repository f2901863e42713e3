//! FastAGI: the dialplan asks who a caller should reach, and finds the answer in four variables
//! (`pbx/asterisk.md` §4).
//!
//! ```text
//! agi://HOST:4573/lookup?tenant=T&source=S&did=D
//!
//! connection -> environment -> inquiry -> Answerer -> assignments, end of writing -> replies
//!               (bounds: bytes, lines, time)          (cleaned, quoted, bounded)
//! ```
//! Asterisk reads nothing more from a connection on which commands wait in its own buffer, so
//! several commands in one write would hang it; but where the connection's writing side is closed
//! behind them it works them off one by one and ends by itself (seen on 16.28 and 22.10). So a
//! question costs one write and no waiting, and never leaves a channel hanging on us.
//!
//! Everything here is hostile: who connects, what it sends, and the names in the answer.

mod assignments;
mod conversation;
mod eager;
mod environment;
mod inquiry;
mod query;
mod replies;
mod seats;
mod server;
mod warnings;

pub use server::{Bounds, serve};

#[cfg(test)]
mod tests;
