//! A simulated Planfix account, read from the contract `crm/planfix.md` and from nothing else: REST
//! of version 2 and the telephony API.
//!
//! A request goes through the rate and the day's quota (`limits`), the fault plan and the router
//! into one locked state (`world`), where it takes effect as a whole; the answer may then be lost,
//! late or broken on its way out (`server`). What the contract leaves open is a switch
//! (`switches`). `oracle` counts what the account holds in the end.

mod contacts;
mod exchange;
mod filters;
mod handle;
mod hooks;
mod limits;
mod options;
mod oracle;
mod pbx;
mod rest;
mod scopes;
mod server;
mod switches;
mod tasks;
mod telephony;
mod times;
mod world;

pub use handle::{PlanfixHandle, TaskEdit};
pub use hooks::Scenarios;
pub use options::{FieldOptions, ObjectOptions, PlanfixOptions, StatusOptions, UserOptions};
pub use oracle::{CallView, CommentView, ContactView, Counters, Oracle, TaskView};
pub use pbx::PbxAnswer;
pub use server::{PlanfixLab, start};
pub use switches::{Switches, UnknownCaller};
