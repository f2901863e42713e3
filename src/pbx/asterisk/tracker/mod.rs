//! Follows calls through the event stream. Pure.

pub mod settings;

mod channel;
