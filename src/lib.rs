//! Trunkline joins a company's phone system, chats and site forms with its CRM.
//!
//! Data flows one way: a listener in `pbx` reports snapshots, `intake` commits them to `store`,
//! an `integration` actor decides with the pure `rules` and executes the plan through `crm`.
//! `ARCHITECTURE.md` has the module map and the table of permitted imports.

pub mod clock;
pub mod crm;
pub mod lab;
pub mod model;
pub mod pbx;
pub mod rules;
pub mod store;
