//! Simulators of the services that Trunkline talks to, for tests and for rehearsal without
//! accounts. They are as strict as the real ones and share no code with `crm` and `pbx`: two
//! independent readings of one contract, so that a mistake in one shows.

pub mod alfacrm;
pub mod ami;
pub mod amocrm;
pub mod bitrix24;
pub mod cli;
mod control;
pub mod day;
pub mod demo;
pub mod fault;
pub mod itoolabs;
mod lab_clock;
mod lock;
mod own_thread;
pub mod planfix;
pub mod request_log;
pub mod simulator;
pub mod smtp;
mod socket;
pub mod torture;
pub mod traffic;
pub mod uis;
mod under_way;
mod wall;
