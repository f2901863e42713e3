//! Trunkline joins a company's phone system, chats and site forms with its CRM.
//!
//! Data flows one way: a listener in `pbx` reports snapshots, `intake` commits them to `store`,
//! an `integration` actor decides with the pure `rules` and executes the plan through `crm`.
//! `ARCHITECTURE.md` has the module map and the table of permitted imports.

pub mod admin;
pub mod alarms;
pub mod app;
pub mod backup;
pub mod cli;
pub mod clock;
pub mod config;
pub mod crm;
pub mod deals;
pub mod directory;
pub mod intake;
pub mod integration;
pub mod lab;
pub mod model;
pub mod pbx;
pub mod problem;
pub mod questions;
pub mod recordings;
pub mod rehearsal;
pub mod rules;
pub mod sabotage;
pub mod store;
pub mod telemetry;
