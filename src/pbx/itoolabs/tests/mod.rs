//! The parts of the source against each other, without a network.

mod answers;
mod exchange;
mod settings;
