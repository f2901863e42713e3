//! Plays a working day against the daemon and compares what the CRM holds after it with what was
//! written down by hand.
//!
//! ```text
//! lab/days/*.toml -> script  -> runner -> the switch, the intake, the CRM's faults
//!                 -> expectation ---+
//!                    holding <------|---- the simulated CRM
//!                                   v
//!                               comparison -> report
//! ```

pub mod comparison;
pub mod crm;
pub mod daemon;
pub mod expectation;
pub mod fed;
pub mod holding;
pub mod portal;
pub mod report;
#[cfg(test)]
mod run_tests;
pub mod runner;
pub mod script;
#[cfg(test)]
mod tests;

pub use comparison::{Comparison, Difference, Seen, compare};
pub use holding::Holding;
pub use report::PlayedLine;
pub use script::{Day, DayError, Event};
