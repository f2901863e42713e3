//! A simulated amoCRM account, read from the contract `crm/amocrm.md` and from nothing else.
//!
//! A request goes through the limiter (`rate`), the fault plan and the router into one locked
//! state (`world`), where it takes effect as a whole; the answer may then be lost, late or
//! broken on its way out (`server`). `oracle` counts what the account holds in the end. Scripts
//! steer the simulator in process through [`AmoHandle`] or over HTTP under `/_lab/`.

mod account;
mod auth;
mod batch;
mod calls;
mod card_draft;
mod card_links;
mod card_read;
mod card_write;
mod complex;
mod consent;
mod control;
mod delivery;
mod events;
mod exchange;
mod field_values;
mod fields;
mod handle;
mod hook_queue;
mod hooks;
mod hosts;
mod notes;
mod options;
mod oracle;
mod oracle_count;
mod rate;
mod records;
mod review;
mod router;
mod seed;
mod server;
mod tags;
mod tasks;
#[cfg(test)]
mod tests;
mod unsorted;
mod unsorted_desk;
mod unsorted_metadata;
mod world;

use super::lab_clock;

pub use consent::ConsentRefused;
pub use handle::AmoHandle;
pub use options::{
    AmoOptions, ClientOptions, FieldOptions, PipelineOptions, RenamedHost, RepeatedUniq,
    RepeatedUnsorted, Switches, Tokens, UserOptions,
};
pub use oracle::{
    CallView, CardView, Duplicates, LeadView, NoteView, Oracle, OracleCounters, TaskView,
    UnsortedView,
};
pub use records::Popup;
pub use seed::{CardEdit, SeedCard, SeedLead};
pub use server::{AmoLab, start};
