//! Wires everything together and keeps it running: start, reload, watchdog, shutdown.

mod alarming;
mod assembly;
mod blocks;
mod clicks;
mod clicks_child;
mod consent;
mod deals_child;
mod directories;
mod employees;
mod fastagi;
mod installations;
mod keeping_child;
mod kept_socket;
mod lane_filling;
mod listeners;
mod messenger;
mod pairs;
mod phrases;
mod precedence;
mod questions;
mod recording_child;
mod rehearsing;
mod retention;
mod run;
mod setup_child;
mod silence;
mod source_child;
mod space;
mod sync_child;
mod tenant_files;
mod vault;
mod waker;
mod watchdog;
mod webhooks;
mod workplaces;

pub use run::run;
