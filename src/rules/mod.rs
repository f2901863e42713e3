//! Decisions, pure: values in, values out. Never awaits, logs or reads time; names no CRM and no
//! phone system.
//!
//! [`triage`] says whether the CRM has to be asked at all, [`plan`] what is to be done, and
//! [`replaced`] which undone steps of an earlier decision the new plan takes the place of.

pub mod basis;
mod calls;
mod chats;
mod draft;
pub mod fields;
mod filters;
pub mod form;
mod names;
pub mod outside;
mod phases;
mod plan;
pub mod popup;
pub mod preview;
mod replan;
pub mod replay;
mod requests;
pub mod schedule;
pub mod settings;
mod settings_mistakes;
mod settings_named;
pub mod situation;
mod tags;
mod template;
mod triage;
pub mod variables;
mod written;

pub use calls::CALL_RECORD;
pub use phases::wanted_phases;
pub use plan::plan;
pub use replan::replaced;
pub use triage::{Triage, triage};

#[cfg(test)]
mod tests;
