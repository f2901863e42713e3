//! Tests of the pure parts. Those against the simulated account are in `tests/it/uis.rs`.

mod disorder;
mod hostile;
mod rows;
mod settings;
mod settling;
mod words;
