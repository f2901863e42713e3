//! The requests to a simulated service: what is to go wrong with them, what became of them, and
//! how many are under way.

use std::sync::{Mutex, MutexGuard};

use super::fault::{Fault, FaultPlan, Rule, RuleRefused, RuleState};
use super::lock::lock;
use super::request_log::{Counters, Entry, RequestLog};
use super::under_way::{Begun, UnderWay};

/// The fault plan of a service, and the log of its requests. A hand on a simulator that has faults
/// dereferences to it.
#[derive(Debug)]
pub struct Traffic {
    log: Mutex<RequestLog>,
    faults: Mutex<FaultPlan>,
    under_way: UnderWay,
}

impl Traffic {
    /// Returns one without faults that keeps the last `log_entries_max` requests.
    pub(in crate::lab) fn new(log_entries_max: usize, fault_seed: u64) -> Self {
        Self {
            log: Mutex::new(RequestLog::new(log_entries_max)),
            faults: Mutex::new(FaultPlan::new(fault_seed)),
            under_way: UnderWay::default(),
        }
    }

    /// Adds a rule to the fault plan.
    ///
    /// # Errors
    /// Fails when the rule can do nothing, or the plan is full.
    pub fn add_fault(&self, rule: Rule) -> Result<(), RuleRefused> {
        lock(&self.faults).add(rule)
    }

    /// Replaces the fault plan.
    pub fn set_faults(&self, plan: FaultPlan) {
        *lock(&self.faults) = plan;
    }

    /// Forgets every fault rule.
    pub fn clear_faults(&self) {
        lock(&self.faults).clear();
    }

    /// Returns the fault rules and what they did.
    pub fn faults(&self) -> Vec<RuleState> {
        lock(&self.faults).state()
    }

    /// Returns the last requests, oldest first.
    pub fn log(&self) -> Vec<Entry> {
        lock(&self.log).entries()
    }

    /// Returns the counters over all requests.
    pub fn log_counters(&self) -> Counters {
        lock(&self.log).counters()
    }

    /// Forgets the requests; ordinals go on.
    pub(in crate::lab) fn clear_log(&self) {
        lock(&self.log).clear();
    }

    /// Returns how many requests have arrived and are not answered yet.
    pub fn under_way(&self) -> usize {
        self.under_way.count()
    }

    /// Counts a request as under way until what is returned is dropped.
    pub(in crate::lab) fn begin(&self) -> Begun {
        self.under_way.begin()
    }

    /// Takes down an arrival, and decides what is to go wrong with the request.
    pub(in crate::lab) fn arrive(
        &self,
        at_ms: i64,
        method: &str,
        path: &str,
        query: &str,
        body: &[u8],
    ) -> (Arrival<'_>, Option<Fault>) {
        let mut log = lock(&self.log);
        let ordinal = log.arrive(at_ms, method, path, query, body);
        let fault = lock(&self.faults).decide(ordinal, method, path);
        (Arrival { log, ordinal }, fault)
    }
}

/// A request that takes effect. It holds the log, so that nobody reads of it before its answer.
#[derive(Debug)]
pub(in crate::lab) struct Arrival<'a> {
    log: MutexGuard<'a, RequestLog>,
    /// Counts from 1 in order of arrival.
    pub(in crate::lab) ordinal: u64,
}

impl Arrival<'_> {
    /// Takes down what became of the request: the status of its answer, none when the connection
    /// is closed instead, and the fault that struck it.
    pub(in crate::lab) fn answer(mut self, status: Option<u16>, fault: Option<&Fault>) {
        self.log
            .answer(self.ordinal, status, fault.map(Fault::name));
    }
}
