//! Asterisk over its Manager Interface (AMI), and what is built on it: FreePBX, MikoPBX.
//!
//! ```text
//! transport -> connection (ami_codec) -> login -> lists -> session -> tracker -> sink
//!                                                  (books: what is not on disk yet)
//! ```

pub mod ami_codec;
pub mod ami_message;
mod answer;
mod books;
mod boot;
mod call_log;
pub mod channels;
mod checkpoint;
mod connection;
mod discovery;
mod event_clock;
pub mod fastagi;
mod lists;
mod login;
mod mirror;
mod orders;
mod person;
mod session;
mod settings;
mod settings_words;
mod source;
mod tls;
pub mod tracker;
mod transport;
mod variables;

pub use source::KIND;

#[cfg(test)]
mod tests;
