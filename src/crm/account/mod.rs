//! One CRM portal: its budget, its breaker, the only door to the network.
//!
//! [`http`] is the door, [`transport`] the way behind it; [`limiter`] says when; [`breaker`] says whether at all; [`classify`] says what
//! is known about the effect of a request afterwards. None of them knows any CRM.

pub mod breaker;
pub mod classify;
pub mod form;
pub mod http;
pub mod limiter;
pub mod manners;
#[cfg(test)]
pub(crate) mod script;
pub mod status;
pub mod transport;
