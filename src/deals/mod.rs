//! Deals that come back from a CRM (V-13, S2-35 …, S4-14 …): a webhook as a hint, fetched,
//! normalised, kept with the history of their stages; a reading of what changed repairs what no
//! webhook told of; shown, exported, and passed on to a phone system that wants them.
//!
//! ```text
//!  webhook -> hint (on disk) --+
//!                              +-> reader (crm) -> normalise (pure) -> store -> list, export
//!  poll, by a person's wish ---+                                         |
//!                                                                        +-> upload (pbx)
//! ```

mod attribution;
pub mod export;
pub mod hearing;
pub mod history;
mod known;
pub mod normalise;
pub mod pull;
pub mod upload;
mod wishes;

#[cfg(test)]
mod tests;
