//! A simulated account of UIS, CoMagic or MegaFon's VATS 2.0: Data API and Call API with limits and
//! refusals, chats and forms, and a sender of notifications and of questions. Written after
//! `pbx/uis.md` and `pbx/megafon.md` part B by hand; what they leave open is a switch.
//!
//! ```text
//!  script --> world --(reports)--> api <-- daemon
//!               +--> templates --> sender --> daemon
//! ```

mod account;
mod api;
mod call_api;
mod control;
mod deals;
mod limits;
mod rest;
mod sender;
mod server;
mod switches;
mod template;
mod world;

pub use account::{LabCall, LabChat, LabMessage, LabRequest};
pub use sender::{Delivery, Question, Sender, Told};
pub use server::{UisHandle, UisLab, UisOptions, start};
pub use switches::Switches;
