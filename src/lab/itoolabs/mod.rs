//! A simulated VATS 1.0 on the engine of ITooLabs: users, groups, calls that are told to a CRM's
//! address while they go on, and their history, in both generations of the API
//! (`pbx/megafon.md` part A). What the contract leaves open is a switch.

mod api;
mod calls;
mod history;
mod options;
mod presence;
mod server;
mod teller;

#[cfg(test)]
mod tests;

pub use calls::{CallKind, VatsCall};
pub use options::{Group, MakeCallForm, PhoneForm, Switches, User, VatsOptions};
pub use server::{VatsHandle, VatsLab, start};
pub use teller::Told;
