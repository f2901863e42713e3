//! A hand on a running simulator: seeds, faults, what a person does, and the count in the end.
//! Cheap to clone; works from any thread.

use std::net::SocketAddr;
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use super::lab_clock::{LabClock, Moment};
use super::options::{AmoOptions, Switches, UserOptions};
use super::oracle::{Oracle, OracleCounters};
use super::records::Kind;
use super::seed::{CardEdit, SeedCard, SeedLead};
use super::world::World;
use crate::lab::fault::FaultPlan;
use crate::lab::lock::lock;
use crate::lab::traffic::Traffic;

/// What server, scripts and deliveries share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) options: AmoOptions,
    pub(super) address: SocketAddr,
    pub(super) clock: LabClock,
    pub(super) world: Mutex<World>,
    pub(super) traffic: Traffic,
    /// Wakes the sender of hooks.
    pub(super) hooks_waiting: tokio::sync::Notify,
}

/// A hand on a running simulator, and on its [`Traffic`].
#[derive(Debug, Clone)]
pub struct AmoHandle {
    pub(super) shared: Arc<Shared>,
}

impl Deref for AmoHandle {
    type Target = Traffic;

    fn deref(&self) -> &Traffic {
        &self.shared.traffic
    }
}

impl AmoHandle {
    /// Returns the address of the account, without a slash at the end.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.shared.address)
    }

    /// Returns the long-lived token of the first integration.
    pub fn long_lived_token(&self) -> String {
        let world = self.world();
        let client = world
            .auth
            .first_client()
            .map(|c| c.client_id.clone())
            .unwrap_or_default();
        world.auth.long_lived(&client).unwrap_or_default()
    }

    /// Makes another long-lived token: of this user, until this Unix time.
    pub fn issue_token(&self, client_id: &str, user_id: u64, until: i64) -> String {
        self.world()
            .auth
            .issue_long_lived(client_id, user_id, until)
    }

    /// Makes an authorization code of a user, good for 20 minutes and one use.
    pub fn issue_code(&self, client_id: &str, user_id: u64) -> String {
        let now = self.moment();
        self.world().auth.issue_code(client_id, user_id, now)
    }

    /// Revokes every token, as switching the integration off does.
    pub fn revoke_tokens(&self) {
        self.world().auth.revoke_all();
    }

    /// Ends the life of every access token.
    pub fn expire_access_tokens(&self) {
        self.world().auth.expire_access();
    }

    /// Counts everything that the account holds.
    pub fn oracle(&self) -> Oracle {
        self.world().oracle()
    }

    /// Returns the counters alone.
    pub fn counters(&self) -> OracleCounters {
        self.world().oracle_counters()
    }

    /// Puts a contact into the account.
    pub fn add_contact(&self, seed: &SeedCard) -> u64 {
        self.act(|world, now| world.seed_card(Kind::Contact, seed, now))
    }

    /// Puts a company into the account.
    pub fn add_company(&self, seed: &SeedCard) -> u64 {
        self.act(|world, now| world.seed_card(Kind::Company, seed, now))
    }

    /// Puts a lead into the account.
    pub fn add_lead(&self, seed: &SeedLead) -> u64 {
        self.act(|world, now| world.seed_lead(Kind::Lead, seed, now))
    }

    /// Puts a customer into the account.
    pub fn add_customer(&self, seed: &SeedLead) -> u64 {
        self.act(|world, now| world.seed_lead(Kind::Customer, seed, now))
    }

    /// Adds a user, or replaces the one of this id.
    pub fn add_user(&self, user: UserOptions) {
        let mut world = self.world();
        world.users.retain(|known| known.id != user.id);
        world.users.push(user);
    }

    /// Takes an additional field away, as an administrator of the account may.
    pub fn drop_field(&self, id: u64) {
        self.world().fields.retain(|field| field.id != id);
    }

    /// Changes a contact as a person would; false if there is none.
    pub fn edit_contact(&self, id: u64, edit: &CardEdit) -> bool {
        self.act(|world, now| world.edit_as_person(Kind::Contact, id, edit, now))
    }

    /// Changes a company as a person would; false if there is none.
    pub fn edit_company(&self, id: u64, edit: &CardEdit) -> bool {
        self.act(|world, now| world.edit_as_person(Kind::Company, id, edit, now))
    }

    /// Changes a lead as a person would; false if there is none.
    pub fn edit_lead(&self, id: u64, edit: &CardEdit) -> bool {
        self.act(|world, now| world.edit_as_person(Kind::Lead, id, edit, now))
    }

    /// Puts a contact into the bin; false if there is none.
    pub fn delete_contact(&self, id: u64) -> bool {
        self.delete(Kind::Contact, id)
    }

    /// Puts a company into the bin; false if there is none.
    pub fn delete_company(&self, id: u64) -> bool {
        self.delete(Kind::Company, id)
    }

    /// Puts a lead into the bin; false if there is none.
    pub fn delete_lead(&self, id: u64) -> bool {
        self.delete(Kind::Lead, id)
    }

    /// Lets one contact take over another, with its phones and leads; false if one is missing.
    pub fn merge_contacts(&self, into: u64, from: u64) -> bool {
        self.act(|world, now| world.merge_contacts(into, from, now))
    }

    /// Accepts an unsorted record as a person would; false if none waits under this uid.
    pub fn accept_unsorted(&self, uid: &str, user_id: u64) -> bool {
        self.act(|world, now| {
            let caller = world.person(Some(user_id), now);
            world.accept_record(uid, user_id, None, &caller).is_some()
        })
    }

    /// Declines an unsorted record as a person would; false if none waits under this uid.
    pub fn decline_unsorted(&self, uid: &str, user_id: u64) -> bool {
        self.act(|world, now| {
            let caller = world.person(Some(user_id), now);
            world.decline_record(uid, &caller).is_some()
        })
    }

    /// Loses so many of a thousand hooks on their way, at random; the first attempts only.
    pub fn lose_hooks(&self, per_mille: u64) {
        self.world().hook_queue.lost_per_mille = per_mille;
    }

    /// Blocks the account, as the rate limiter does, or lifts the block.
    pub fn set_blocked(&self, blocked: bool) {
        let mut world = self.world();
        if blocked {
            world.limiter.blocked = true;
        } else {
            world.limiter.lift();
        }
    }

    /// Sets whether the subscription is paid.
    pub fn set_paid(&self, paid: bool) {
        self.world().paid = paid;
    }

    /// Sets the requests a second of one integration and of the whole account.
    pub fn set_rate(&self, per_integration: u32, per_account: u32) {
        let mut world = self.world();
        world.limiter.per_integration = per_integration;
        world.limiter.per_account = per_account;
    }

    /// Returns the switches.
    pub fn switches(&self) -> Switches {
        self.world().switches.clone()
    }

    /// Replaces the switches.
    pub fn set_switches(&self, switches: Switches) {
        let mut world = self.world();
        world.limiter.refused_count = switches.refused_requests_count;
        world.switches = switches;
    }

    /// Switches the paid option of filters.
    pub fn set_filters_enabled(&self, enabled: bool) {
        self.world().filters_enabled = enabled;
    }

    /// Returns where the account's hooks go, in the order in which they were subscribed.
    pub fn hook_destinations(&self) -> Vec<String> {
        let world = self.world();
        let hooks = world.hooks.iter();
        hooks.map(|hook| hook.destination.clone()).collect()
    }

    /// Moves the account's wall clock.
    pub fn shift_clock_ms(&self, by_ms: i64) {
        self.shared.clock.shift(by_ms);
    }

    /// Stops the account's clock: time passes by [`AmoHandle::pass`] only. Hooks wait by the
    /// machine's clock all the same.
    pub fn stop_clock(&self) {
        self.shared.clock.stop();
    }

    /// Lets so much time pass on the account's stopped clock.
    pub fn pass(&self, span: Duration) {
        self.shared.clock.pass(span);
    }

    /// Returns the account's time in Unix seconds.
    pub fn now(&self) -> i64 {
        self.moment().seconds()
    }

    /// Makes the account new: no cards, no faults, no log. Tokens from the options stay good.
    pub fn reset(&self) {
        *self.world() = World::new(&self.shared.options);
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

    fn delete(&self, kind: Kind, id: u64) -> bool {
        self.act(|world, now| {
            let caller = world.person(None, now);
            world.delete_card(kind, id, &caller)
        })
    }

    /// Does something in the account and wakes the sender of hooks.
    fn act<T>(&self, action: impl FnOnce(&mut World, Moment) -> T) -> T {
        let now = self.moment();
        let result = action(&mut self.world(), now);
        self.shared.hooks_waiting.notify_one();
        result
    }
}
