//! A simulated AlfaCRM account, read from the contract `crm/alfacrm.md` and from nothing else.
//!
//! A request goes through the limit, the fault plan and the way to its entity (`api`) into one
//! locked state (`world`), where it takes effect as a whole; the answer may then be lost, late or
//! broken on its way out (`server`). What the contract leaves open is a switch (`options`).
//! `oracle` counts what the account holds in the end. Scripts steer the simulator in process through
//! [`AlfaHandle`] or over HTTP under `/_lab`.

mod api;
mod control;
mod customers;
mod exchange;
mod handle;
mod hooks;
mod loose;
mod options;
mod oracle;
mod pays;
mod records;
mod server;
mod talk;
#[cfg(test)]
mod tests;
mod world;

pub use handle::AlfaHandle;
pub use options::{AlfaOptions, AlfaUser, ListOrder, PageSizeKey, PhoneMatch, Switches};
pub use oracle::{CallView, Oracle, OracleCounters};
pub use pays::Pay;
pub use records::{Comment, Customer, LogLine, Task};
pub use server::{AlfaLab, start};
