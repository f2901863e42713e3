//! A hand on a running simulator: seeds, faults, what a person does, and the count in the end.
//! Cheap to clone; works from any thread.

use std::net::SocketAddr;
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard};

use super::hooks::Scenarios;
use super::options::PlanfixOptions;
use super::oracle::{Counters, Oracle};
use super::switches::Switches;
use super::world::{Contact, Task, World};
use crate::lab::lab_clock::LabClock;
use crate::lab::lock::lock;
use crate::lab::traffic::Traffic;

/// What server and scripts share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) options: PlanfixOptions,
    pub(super) address: SocketAddr,
    pub(super) clock: LabClock,
    pub(super) world: Mutex<World>,
    pub(super) traffic: Traffic,
}

/// What a person changes of a task; what is `None` stays.
#[derive(Debug, Clone, Default)]
pub struct TaskEdit {
    /// The name.
    pub name: Option<String>,
    /// The status.
    pub status: Option<u64>,
    /// Whose it is.
    pub assignee: Option<u64>,
    /// The contact that it is for.
    pub counterparty: Option<u64>,
    /// An additional field and its value.
    pub field: Option<(u64, serde_json::Value)>,
}

impl TaskEdit {
    fn apply(&self, task: &mut Task) {
        if let Some(name) = &self.name {
            task.name.clone_from(name);
        }
        task.status = self.status.unwrap_or(task.status);
        if let Some(assignee) = self.assignee {
            task.assignees = vec![assignee];
        }
        task.counterparty = self.counterparty.or(task.counterparty);
        if let Some((field, value)) = &self.field {
            task.custom.insert(*field, value.clone());
        }
    }
}

/// A hand on a running simulator, and on its [`Traffic`].
#[derive(Debug, Clone)]
pub struct PlanfixHandle {
    pub(super) shared: Arc<Shared>,
}

impl Deref for PlanfixHandle {
    type Target = Traffic;

    fn deref(&self) -> &Traffic {
        &self.shared.traffic
    }
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

    /// Makes a task of an object, as a user would.
    pub fn add_task(&self, object: u64, edit: &TaskEdit) -> u64 {
        let mut world = self.present();
        let (id, now) = (world.id(), world.now());
        let mut task = Task {
            id,
            template: Some(object),
            status: 1,
            created_at: now,
            changed_at: now,
            listed_from_ms: world.now_ms + world.switches.list_lag_ms,
            ..Task::default()
        };
        edit.apply(&mut task);
        world.tell_of_task(&task, true);
        world.tasks.push(task);
        id
    }

    /// Changes a task, as a user would; false where there is none.
    pub fn edit_task(&self, id: u64, edit: &TaskEdit) -> bool {
        self.change_task(id, |task| edit.apply(task))
    }

    /// Deletes a task, as a user would; no scenario looks at it. False where there is none.
    pub fn delete_task(&self, id: u64) -> bool {
        self.change_task(id, |task| task.is_deleted = true)
    }

    fn change_task(&self, id: u64, change: impl FnOnce(&mut Task)) -> bool {
        let mut world = self.present();
        let found = world.tasks.iter().find(|one| one.id == id);
        let Some(mut task) = found.filter(|one| !one.is_deleted).cloned() else {
            return false;
        };
        change(&mut task);
        task.changed_at = world.now();
        world.replace_task(task);
        true
    }

    /// Sets up the scenarios of an object.
    pub fn set_scenarios(&self, scenarios: Option<Scenarios>) {
        self.world().hooks.scenarios = scenarios;
    }

    /// Has so many of a thousand webhooks lost, and of so many one sent twice (0 = none).
    pub fn spoil_hooks(&self, lost_per_mille: u64, twice_every: u64) {
        let mut world = self.world();
        world.hooks.lost_per_mille = lost_per_mille;
        world.hooks.twice_every = twice_every;
    }

    /// Holds webhooks back; when they are let go, the newest goes first if wished.
    pub fn hold_hooks(&self, held: bool, backwards: bool) {
        let mut world = self.world();
        world.hooks.held = held;
        world.hooks.backwards = backwards;
    }

    /// Returns the state, at the present time.
    fn present(&self) -> MutexGuard<'_, World> {
        let now_ms = self.shared.clock.now().unix_ms;
        let mut world = self.world();
        world.now_ms = now_ms;
        world
    }

    pub(super) fn world(&self) -> MutexGuard<'_, World> {
        lock(&self.shared.world)
    }
}
