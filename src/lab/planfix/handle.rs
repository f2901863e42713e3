//! A hand on a running simulator: seeds, faults, what a person does, and the count in the end.
//! Cheap to clone; works from any thread.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::options::PlanfixOptions;
use super::oracle::{Counters, Oracle};
use super::switches::Switches;
use super::world::{Contact, World};
use crate::lab::fault::{FaultPlan, Rule, RuleRefused};
use crate::lab::lab_clock::LabClock;
use crate::lab::request_log::{Counters as LogCounters, Entry, RequestLog};

/// What server and scripts share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) options: PlanfixOptions,
    pub(super) address: SocketAddr,
    pub(super) clock: LabClock,
    pub(super) world: Mutex<World>,
    pub(super) log: Mutex<RequestLog>,
    pub(super) faults: Mutex<FaultPlan>,
    pub(super) under_way: AtomicUsize,
}

/// A hand on a running simulator.
#[derive(Debug, Clone)]
pub struct PlanfixHandle {
    pub(super) shared: Arc<Shared>,
}

/// Locks without caring for a panic elsewhere: a test that failed holds no broken state.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl PlanfixHandle {
    /// Returns the address that stands for the account, without a slash at the end.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.shared.address)
    }

    /// Returns what the account was started with.
    pub fn options(&self) -> &PlanfixOptions {
        &self.shared.options
    }

    /// Returns Unix seconds.
    pub fn now(&self) -> i64 {
        self.shared.clock.now().seconds()
    }

    /// Moves the account's clock.
    pub fn shift_ms(&self, by_ms: i64) {
        self.shared.clock.shift(by_ms);
    }

    /// Counts everything that the account holds.
    pub fn oracle(&self) -> Oracle {
        self.world().oracle()
    }

    /// Returns the counters alone, which is cheap.
    pub fn counters(&self) -> Counters {
        self.world().counters()
    }

    /// Changes what the contract leaves open.
    pub fn switch(&self, change: impl FnOnce(&mut Switches)) {
        change(&mut self.world().switches);
    }

    /// Begins a new day of the quota.
    pub fn new_day(&self) {
        self.world().limits.new_day();
    }

    /// Puts a person into the account, as a user would.
    pub fn add_contact(&self, name: &str, phone: &str, supervisor: u64) -> u64 {
        self.add(name, phone, supervisor, false)
    }

    /// Puts a company into the account.
    pub fn add_company(&self, name: &str, phone: &str, supervisor: u64) -> u64 {
        self.add(name, phone, supervisor, true)
    }

    fn add(&self, name: &str, phone: &str, supervisor: u64, is_company: bool) -> u64 {
        let now_ms = self.shared.clock.now().unix_ms;
        let mut world = self.world();
        world.now_ms = now_ms;
        let (id, now) = (world.id(), world.now());
        world.contacts.push(Contact {
            id,
            is_company,
            name: name.to_owned(),
            phones: vec![phone.to_owned()],
            supervisors: vec![supervisor],
            created_at: now,
            changed_at: now,
            ..Contact::default()
        });
        id
    }

    /// Deletes a contact, as a user would.
    pub fn delete_contact(&self, id: u64) {
        let now_ms = self.shared.clock.now().unix_ms;
        let mut world = self.world();
        world.now_ms = now_ms;
        let now = world.now();
        if let Some(contact) = world.contacts.iter_mut().find(|one| one.id == id) {
            contact.is_deleted = true;
            contact.changed_at = now;
        }
    }

    /// Adds a rule to the fault plan.
    ///
    /// # Errors
    /// Fails when the rule can do nothing, or the plan is full.
    pub fn add_fault(&self, rule: Rule) -> Result<(), RuleRefused> {
        lock(&self.shared.faults).add(rule)
    }

    /// Replaces the fault plan.
    pub fn set_faults(&self, plan: FaultPlan) {
        *lock(&self.shared.faults) = plan;
    }

    /// Returns the last requests, oldest first.
    pub fn log(&self) -> Vec<Entry> {
        lock(&self.shared.log).entries()
    }

    /// Returns the counters over all requests.
    pub fn log_counters(&self) -> LogCounters {
        lock(&self.shared.log).counters()
    }

    /// Returns how many requests have arrived and are not answered yet.
    pub fn under_way(&self) -> usize {
        self.shared.under_way.load(Ordering::SeqCst)
    }

    pub(super) fn world(&self) -> MutexGuard<'_, World> {
        lock(&self.shared.world)
    }
}
