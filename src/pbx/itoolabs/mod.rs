//! VATS on the engine of ITooLabs: MegaFon's VATS 1.0 (`*.megapbx.ru`), Gravitel, MTT and Exolve,
//! Kcell, Moldcell (`pbx/megafon.md` part A).
//!
//! ```text
//! contact ----> exchange --> directory in memory --> answer
//! event, history, rating --> exchange --\
//! history asked for, orders, the clock --> listener --> desk --> tracker (pure) --> sink
//! ```

mod api;
mod caller;
mod contact;
mod desk;
mod exchange;
mod listener;
mod person;
mod roster;
mod settings;
mod settings_words;
mod source;
mod tracker;
mod wire;

pub use source::KIND;

#[cfg(test)]
mod tests;
