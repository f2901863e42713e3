//! The session against a small AMI server.

mod captures;
pub(super) mod doubles;
mod fake_pbx;

mod liveness;
mod log;
mod login;
mod orders;
mod restart;
mod settings;
mod store;
mod tls;
