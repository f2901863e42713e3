//! Simulators of the services that Trunkline talks to, for tests and for rehearsal without
//! accounts. They are as strict as the real ones and share no code with `crm` and `pbx`: two
//! independent readings of one contract, so that a mistake in one shows.

pub mod ami;
pub mod day;
mod wall;
