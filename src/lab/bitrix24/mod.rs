//! A simulated Bitrix24 portal with its authorisation server, read from the contract
//! `crm/bitrix24.md` and from nothing else.
//!
//! A request goes through the bucket (`bucket`), the fault plan and the router into one locked
//! state (`world`), where it takes effect as a whole; the answer may then be lost, late or broken
//! on its way out (`server`). Methods stand in one table (`methods`); what the contract leaves
//! open is a switch (`switches`). `oracle` counts what the portal holds in the end. Scripts steer
//! the simulator in process through [`BitrixHandle`] or over HTTP under `/_lab/`.

mod activities;
mod activity_rows;
mod auth;
mod batch;
mod bucket;
mod call_effects;
mod cards;
mod classic;
mod command;
mod connectors;
mod control;
mod dates;
mod delivery;
mod demo;
mod dictionaries;
mod draft;
mod events;
mod exchange;
mod fields;
mod finding;
mod handle;
mod installation;
mod items;
mod lines;
mod listing;
mod methods;
mod multi;
mod oauth;
mod offline;
mod operating;
mod options;
mod oracle;
mod oracle_count;
mod params;
mod people;
mod phones;
mod php;
mod reading;
mod records;
mod refusal;
mod router;
mod seed;
mod server;
mod switches;
mod telephony;
#[cfg(test)]
mod tests;
mod timeline;
mod uploads;
mod version_three;
mod world;

pub use command::{PortalArgs, about};
pub use handle::BitrixHandle;
pub use installation::{Click, PageVisit};
pub use oauth::{Consent, ConsentRefused};
pub use options::{
    ApplicationKind, ApplicationOptions, BitrixOptions, FunnelOptions, Limits, Mode, StageOptions,
    UserFieldOptions, UserOptions, WebhookOptions, full_scope,
};
pub use oracle::{
    ActivityView, CallView, CardView, CommentView, Duplicates, Oracle, OracleCounters, TaskView,
};
pub use reading::{Empty, Flags, Numbers, Reading, readings};
pub use records::{Kind, Notice, Record, Shown};
pub use seed::{CardEdit, SeedCard, SeedDeal};
pub use server::{BitrixLab, start};
pub use switches::Switches;
