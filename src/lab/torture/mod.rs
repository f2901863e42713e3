//! `trunkline-lab torture`: the real daemon between a switch that does not wait, a telephony that
//! insists, and a CRM in which everything goes wrong, killed again and again (SIGKILL). In the end
//! the CRM must hold each effect once, in order. `docs/torture.md` says how to use it.
//!
//! One seed is one stream, one fault plan by request ordinal and one row of kills; when which
//! request meets which kill is the machine's.

mod administrator;
mod crm;
mod dice;
mod expectation;
mod faults;
mod finish;
mod found;
mod posting;
mod profile;
mod promise;
mod run;
mod sightings;
mod stage;
mod stream;
mod switchboard;
mod tally;
mod verdict;

use std::path::PathBuf;

pub use self::crm::CrmKind;
pub use self::promise::BrokenPromise;
pub use self::run::run;

/// How to torture.
#[derive(Debug, Clone)]
pub struct TortureOptions {
    /// Which CRM the calls go to.
    pub crm: CrmKind,
    /// How often the daemon is killed.
    pub kills: usize,
    /// What decides everything that chance decides.
    pub seed: u64,
    /// Folder for configuration, store and logs; made anew.
    pub dir: PathBuf,
    /// The daemon's program; the one beside this program unless given.
    pub daemon: Option<PathBuf>,
    /// The daemon breaks this promise (a build with the feature `sabotage`): the torture succeeds
    /// if it notices.
    pub broken: Option<BrokenPromise>,
    /// The account permits no more than the vendor does, and the daemon uses all of it; otherwise
    /// both limits are raised to save time, and a limiter that is off by one does not show.
    pub at_the_limit: bool,
}
