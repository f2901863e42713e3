//! A hand on a running simulator: seeds, faults, what a person does, and the count in the end.
//! Cheap to clone; works from any thread.

use std::net::SocketAddr;
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use super::auth::Caller;
use super::options::{BitrixOptions, Mode, UserOptions};
use super::oracle::{Oracle, OracleCounters};
use super::records::Kind;
use super::refusal::Refusal;
use super::seed::{CardEdit, SeedCard, SeedDeal};
use super::switches::Switches;
use super::world::World;
use crate::lab::fault::FaultPlan;
use crate::lab::lab_clock::{LabClock, Moment};
use crate::lab::lock::lock;
use crate::lab::traffic::Traffic;

/// What server, scripts and deliveries share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) options: BitrixOptions,
    pub(super) address: SocketAddr,
    pub(super) clock: LabClock,
    pub(super) world: Mutex<World>,
    pub(super) traffic: Traffic,
    /// Wakes the sender of events.
    pub(super) events_waiting: tokio::sync::Notify,
}

/// A hand on a running simulator, and on its [`Traffic`].
#[derive(Debug, Clone)]
pub struct BitrixHandle {
    pub(super) shared: Arc<Shared>,
}

impl Deref for BitrixHandle {
    type Target = Traffic;

    fn deref(&self) -> &Traffic {
        &self.shared.traffic
    }
}

impl BitrixHandle {
    /// Returns the address that stands for the portal, without a slash at the end. The
    /// authorisation server answers there at `/oauth/`, too.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.shared.address)
    }

    /// Returns the address that stands for one host only: the portal's or the authorisation
    /// server's.
    pub fn base_url_of(&self, host: &str) -> String {
        format!("{}/@{host}", self.base_url())
    }

    /// Returns the address that stands for the authorisation server.
    pub fn oauth_url(&self) -> String {
        self.base_url_of(&self.shared.options.oauth_domain)
    }

    /// Returns the portal's present host.
    pub fn domain(&self) -> String {
        self.world().domain.clone()
    }

    /// Returns what the portal was started with.
    pub fn options(&self) -> &BitrixOptions {
        &self.shared.options
    }

    /// Returns the address of the first webhook, with a slash at the end; none where there is
    /// none.
    pub fn webhook_url(&self) -> Option<String> {
        let world = self.world();
        let webhook = world.webhooks.first()?;
        let (user, secret) = (webhook.user_id, &webhook.secret);
        Some(format!("{}/rest/{user}/{secret}/", self.base_url()))
    }

    /// Returns the stage of a row of `crm.status.list`, by its number.
    pub fn stage_of_row(&self, id: u64) -> Option<String> {
        let world = self.world();
        let row = world.statuses.iter().find(|row| row.id == id)?;
        Some(row.status_id.clone())
    }

    /// Ends the life of every access token.
    pub fn expire_access_tokens(&self) {
        self.world().auth.expire_access();
    }

    /// Forgets every token.
    pub fn revoke_tokens(&self) {
        self.world().auth.revoke_all();
    }

    /// Takes every webhook away.
    pub fn remove_webhooks(&self) {
        self.world().webhooks.clear();
    }

    /// Counts everything that the portal holds.
    pub fn oracle(&self) -> Oracle {
        self.world().oracle()
    }

    /// Returns the counters alone, which is cheap.
    pub fn counters(&self) -> OracleCounters {
        self.world().oracle_counters()
    }

    /// Puts a contact into the portal.
    pub fn add_contact(&self, seed: &SeedCard) -> u64 {
        self.act(|world, caller| world.seed_card(Kind::Contact, seed, caller))
    }

    /// Puts a company into the portal.
    pub fn add_company(&self, seed: &SeedCard) -> u64 {
        self.act(|world, caller| world.seed_card(Kind::Company, seed, caller))
    }

    /// Puts a lead into the portal.
    pub fn add_lead(&self, seed: &SeedCard) -> u64 {
        self.act(|world, caller| world.seed_card(Kind::Lead, seed, caller))
    }

    /// Puts a deal into the portal.
    pub fn add_deal(&self, seed: &SeedDeal) -> u64 {
        self.act(|world, caller| world.seed_deal(seed, caller))
    }

    /// Adds a user, or replaces the one of this id.
    pub fn add_user(&self, user: UserOptions) {
        self.act(|world, caller| {
            let id = user.id;
            let known = world.user(id).is_some();
            world.users.retain(|known| known.id != id);
            world.users.push(user);
            if !known {
                let data = serde_json::json!({"ID": id.to_string()});
                world.emit("ONUSERADD", &format!("user {id}"), &data, Some(caller));
            }
        });
    }

    /// Changes a card as a person would; false if there is none.
    pub fn edit(&self, kind: Kind, id: u64, edit: &CardEdit) -> bool {
        self.act(|world, caller| world.edit_as_person(kind, id, edit, caller))
    }

    /// Deletes a card as a person would; false if there is none.
    pub fn delete(&self, kind: Kind, id: u64) -> bool {
        self.act(|world, caller| world.delete_card(kind, id, caller))
    }

    /// Marks an activity as done, as a person would; false if there is none.
    pub fn complete_activity(&self, id: u64) -> bool {
        self.act(|world, caller| {
            let Some(mut activity) = world.activities.get(&id).cloned() else {
                return false;
            };
            activity.is_completed = true;
            world.keep_activity(activity, "UPDATE", caller);
            true
        })
    }

    /// Sets what every request to the portal is answered with: status, code and text; nothing
    /// ends the trouble.
    pub fn set_trouble(&self, trouble: Option<(u16, &str, &str)>) {
        let trouble = trouble.map(|(status, code, text)| Refusal::new(status, code, text));
        self.world().trouble = trouble;
    }

    /// Deletes the portal: everything is refused in the status that the switches say.
    pub fn delete_portal(&self) {
        let sdk = self.switches().statuses_of_sdk;
        let status = if sdk { 410 } else { 500 };
        self.set_trouble(Some((status, "PORTAL_DELETED", "Portal was deleted.")));
    }

    /// Sets whether the plan is paid.
    pub fn set_paid(&self, paid: bool) {
        self.world().paid = paid;
    }

    /// Sets the mode of the CRM.
    pub fn set_mode(&self, mode: Mode) {
        self.world().mode = mode;
    }

    /// Sets how many requests the bucket holds, and how many leave it in a second.
    pub fn set_bucket(&self, capacity: u32, drain_per_second: u32) {
        let mut world = self.world();
        world.buckets.capacity = capacity;
        world.buckets.drain_per_second = drain_per_second;
    }

    /// Sets the time that one method may use in ten minutes, and what a call uses.
    pub fn set_operating(&self, limit: Option<Duration>, cost: Duration) {
        let mut world = self.world();
        world.operating.limit = limit;
        world.operating.cost = cost;
    }

    /// Blocks a method with `OPERATION_TIME_LIMIT`, or lets it go.
    pub fn park_method(&self, method: &str, parked: bool) {
        let method = method.to_lowercase();
        let mut world = self.world();
        match parked {
            true => world.operating.parked.insert(method),
            false => world.operating.parked.remove(&method),
        };
    }

    /// Refuses a method with status, code and text, inside of batches and outside, or no more.
    pub fn refuse_method(&self, method: &str, refusal: Option<(u16, &str, &str)>) {
        let method = method.to_lowercase();
        let mut world = self.world();
        match refusal {
            Some((status, code, text)) => {
                let refusal = Refusal::new(status, code, text);
                world.refused_methods.insert(method, refusal)
            }
            None => world.refused_methods.remove(&method),
        };
    }

    /// Converts a lead, as a person or a robot does; false if there is none.
    pub fn convert_lead(&self, id: u64) -> bool {
        self.act(|world, caller| {
            let known = world.card(Kind::Lead, id).is_some();
            world.convert_lead(id, caller);
            known
        })
    }

    /// Gives the portal another host; the old one redirects.
    pub fn rename(&self, domain: &str) {
        let mut world = self.world();
        let former = std::mem::replace(&mut world.domain, domain.to_owned());
        world.former_domains.insert(former);
        world.former_domains.remove(domain);
    }

    /// Returns the switches.
    pub fn switches(&self) -> Switches {
        self.world().switches.clone()
    }

    /// Replaces the switches.
    pub fn set_switches(&self, switches: Switches) {
        let mut world = self.world();
        world.buckets.refused_count = switches.refused_requests_count;
        world.switches = switches;
    }

    /// Changes the switches.
    pub fn switch(&self, change: impl FnOnce(&mut Switches)) {
        let mut switches = self.switches();
        change(&mut switches);
        self.set_switches(switches);
    }

    /// Holds online events back, or lets them go.
    pub fn hold_events(&self, held: bool) {
        self.world().event_queue.is_held = held;
        self.shared.events_waiting.notify_one();
    }

    /// Moves the portal's wall clock.
    pub fn shift_clock_ms(&self, by_ms: i64) {
        self.shared.clock.shift(by_ms);
    }

    /// Returns the portal's time in Unix seconds.
    pub fn now(&self) -> i64 {
        self.moment().seconds()
    }

    /// Makes the portal new: no cards, no faults, no log.
    pub fn reset(&self) {
        *self.world() = World::new(&self.shared.options, self.moment());
        let fault_seed = self.shared.options.fault_seed;
        self.shared.traffic.set_faults(FaultPlan::new(fault_seed));
        self.shared.traffic.clear_log();
    }

    pub(super) fn world(&self) -> MutexGuard<'_, World> {
        lock(&self.shared.world)
    }

    pub(super) fn moment(&self) -> Moment {
        self.shared.clock.now()
    }

    /// Does something in the portal as its administrator and wakes the sender of events.
    pub(super) fn act<T>(&self, action: impl FnOnce(&mut World, &Caller) -> T) -> T {
        let now = self.moment();
        let mut world = self.world();
        world.clock_now = now;
        let caller = world.person(now);
        let result = action(&mut world, &caller);
        drop(world);
        self.shared.events_waiting.notify_one();
        result
    }
}
