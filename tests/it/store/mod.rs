//! The embedded store, through its handle.

mod acceptance;
mod sample;
