//! UIS, CoMagic and the other names of one platform, MegaFon's VATS 2.0 among them.
//!
//! ```text
//!  notifications --> receiver --> desk (memory) --> sink
//!  reports --> session, round -----^
//! ```
//!
//! Calls are told by notifications as they happen, and the report settles them; chats and requests
//! are told of by notifications and read from the reports. Both are merged by `memory`, which is
//! pure.

mod budget;
mod call_row;
mod caller;
mod chat_row;
mod deals;
mod desk;
mod finish_reason;
mod lister;
mod live_call;
mod local_time;
mod memory;
mod mgf;
mod mgf_row;
mod notification;
mod number;
mod person;
mod receiver;
mod reports;
mod request_row;
mod roster;
mod round;
mod row;
mod rpc;
mod session;
mod settings;
mod settings_words;
mod source;
mod templates;
mod visit;

pub use source::KIND;

#[cfg(test)]
mod tests;
