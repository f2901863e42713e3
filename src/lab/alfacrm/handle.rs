//! A hand on a running simulator: seeds, faults, what a person does, and the count in the end.
//! Cheap to clone; works from any thread.

use std::net::SocketAddr;
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use super::options::{AlfaOptions, Switches};
use super::oracle::{Oracle, OracleCounters};
use super::pays::Pay;
use super::records::Customer;
use super::world::World;
use crate::lab::lab_clock::LabClock;
use crate::lab::lock::lock;
use crate::lab::traffic::Traffic;

/// What server, scripts and deliveries share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) address: SocketAddr,
    pub(super) clock: LabClock,
    pub(super) world: Mutex<World>,
    pub(super) traffic: Traffic,
}

/// A hand on a running simulator, and on its [`Traffic`].
#[derive(Debug, Clone)]
pub struct AlfaHandle {
    pub(super) shared: Arc<Shared>,
}

impl Deref for AlfaHandle {
    type Target = Traffic;

    fn deref(&self) -> &Traffic {
        &self.shared.traffic
    }
}

impl AlfaHandle {
    /// Returns the address that stands for the account, without a slash at the end.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.shared.address)
    }

    /// Returns the simulator's Unix seconds.
    pub fn now(&self) -> i64 {
        self.shared.clock.now().seconds()
    }

    /// Moves its clock: tokens end, tomorrow comes.
    pub fn shift_clock_ms(&self, by_ms: i64) {
        self.shared.clock.shift(by_ms);
    }

    /// Stops its clock: time passes by [`AlfaHandle::pass`] only.
    pub fn stop_clock(&self) {
        self.shared.clock.stop();
    }

    /// Lets so much time pass on the stopped clock.
    pub fn pass(&self, span: Duration) {
        self.shared.clock.pass(span);
    }

    /// Returns what the account was started with.
    pub fn options(&self) -> AlfaOptions {
        self.world().options.clone()
    }

    /// Returns what the contract leaves open, as it is set.
    pub fn switches(&self) -> Switches {
        self.world().switches
    }

    /// Sets what the contract leaves open.
    pub fn set_switches(&self, switches: Switches) {
        self.world().switches = switches;
    }

    /// Puts a customer into the account as a person would; the id is given. Returns it.
    pub fn add_customer(&self, customer: Customer) -> u64 {
        let mut world = self.world();
        let now = world.now.seconds();
        let phones = customer
            .phones
            .iter()
            .map(|phone| world.stored_phone(phone));
        let customer = Customer {
            phones: phones.collect(),
            legal_type: 1,
            branches: match customer.branches.is_empty() {
                true => vec![1],
                false => customer.branches.clone(),
            },
            created_at: now,
            updated_at: now,
            ..customer
        };
        world.add(customer)
    }

    /// Changes a customer as a person does; false where there is none.
    pub fn edit(&self, id: u64, change: impl FnOnce(&mut Customer)) -> bool {
        let mut world = self.world();
        let Some(before) = world.customers.get(&id).cloned() else {
            return false;
        };
        let mut after = before.clone();
        change(&mut after);
        after.updated_at = world.now.seconds();
        world.replace(&before, after);
        true
    }

    /// Deletes a customer; false where there is none.
    pub fn delete(&self, id: u64) -> bool {
        let mut world = self.world();
        let Some(gone) = world.customers.remove(&id) else {
            return false;
        };
        world.customer_happened("delete", 3, &gone, &gone);
        true
    }

    /// Puts a payment into the account; the id and an empty day are given. Returns the id.
    pub fn add_pay(&self, pay: Pay) -> u64 {
        self.world().add_pay(pay)
    }

    /// Changes a payment as a person does; false where there is none.
    pub fn edit_pay(&self, id: u64, change: impl FnOnce(&mut Pay)) -> bool {
        self.world().edit_pay(id, change)
    }

    /// Deletes a payment; false where there is none.
    pub fn delete_pay(&self, id: u64) -> bool {
        self.world().delete_pay(id)
    }

    /// Has so many of a thousand webhooks lost.
    pub fn lose_hooks(&self, per_mille: u64) {
        self.world().hooks.lost_per_mille = per_mille;
    }

    /// Holds webhooks back; when they are let go, the newest goes first if wished.
    pub fn hold_hooks(&self, held: bool, backwards: bool) {
        let mut world = self.world();
        world.hooks.held = held;
        world.hooks.backwards = backwards;
    }

    /// Opens or closes v2api to the role.
    pub fn close_role(&self, closed: bool) {
        self.world().role_closed = closed;
    }

    /// Changes the key of the profile.
    pub fn set_api_key(&self, key: &str) {
        self.world().options.api_key = key.to_owned();
    }

    /// Ends every token.
    pub fn end_tokens(&self) {
        self.world().forget_tokens();
    }

    /// Sets the address at which changes of a branch are told; of so many one is lost, and one
    /// comes twice (0 = none).
    pub fn tell_at(&self, branch: u64, address: &str, lost_every: u64, twice_every: u64) {
        let mut world = self.world();
        world.hooks.addresses.insert(branch, address.to_owned());
        world.hooks.lost_every = lost_every;
        world.hooks.twice_every = twice_every;
    }

    /// Counts what there is.
    pub fn oracle(&self) -> Oracle {
        self.world().oracle()
    }

    /// Returns the counters alone.
    pub fn counters(&self) -> OracleCounters {
        self.world().oracle_counters()
    }

    /// Returns the state, at the present time.
    pub(super) fn world(&self) -> MutexGuard<'_, World> {
        let mut world = lock(&self.shared.world);
        world.now = self.shared.clock.now();
        world
    }
}
