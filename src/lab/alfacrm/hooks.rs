//! Webhooks: an address for each branch, told of every change of a customer or payment
//! (crm/alfacrm.md §7).

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::handle::AlfaHandle;
use super::records::Customer;
use super::world::World;
use crate::lab::fault::mix;

/// How long an answer is waited for (§13).
const ANSWER_WAIT: Duration = Duration::from_secs(5);
/// Pause of the sender between two looks.
const LOOK_PAUSE: Duration = Duration::from_millis(50);
/// Who writes by the API.
const API_USER: u64 = 501;

/// What waits to be sent, and how it goes.
#[derive(Debug, Default)]
pub(super) struct HookQueue {
    /// By branch.
    pub(super) addresses: BTreeMap<u64, String>,
    waiting: VecDeque<(String, Value)>,
    /// Of so many one is lost.
    pub(super) lost_every: u64,
    /// Of so many one comes twice.
    pub(super) twice_every: u64,
    /// Of a thousand so many get lost, none knows which.
    pub(super) lost_per_mille: u64,
    /// Nothing is sent for now.
    pub(super) held: bool,
    /// The newest goes first.
    pub(super) backwards: bool,
    told: u64,
    pub(super) delivered: u64,
    pub(super) lost: u64,
}

impl HookQueue {
    fn push(&mut self, branch: u64, body: Value) {
        let Some(address) = self.addresses.get(&branch) else {
            return;
        };
        self.told += 1;
        let strikes = |every: u64| every > 0 && self.told.is_multiple_of(every);
        let by_chance = mix(self.told) % 1_000 < self.lost_per_mille;
        if strikes(self.lost_every) || by_chance {
            self.lost += 1;
            return;
        }
        if strikes(self.twice_every) {
            self.waiting.push_back((address.clone(), body.clone()));
        }
        self.waiting.push_back((address.clone(), body));
    }

    fn take(&mut self) -> Option<(String, Value)> {
        match (self.held, self.backwards) {
            (true, _) => None,
            (false, false) => self.waiting.pop_front(),
            (false, true) => self.waiting.pop_back(),
        }
    }

    /// Returns how many wait.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }
}

impl World {
    /// Takes down and tells what became of a customer: changed fields only, texts for numbers, `[]`
    /// for an empty map (§7).
    pub(super) fn customer_happened(
        &mut self,
        event: &'static str,
        code: u64,
        before: &Customer,
        after: &Customer,
    ) {
        let before = match event {
            "create" => Map::new(),
            _ => told_fields(before),
        };
        let fields = match event {
            "delete" if !self.switches.deletes_say_nothing => changed(before, Map::new()),
            _ => changed(before, told_fields(after)),
        };
        self.note_fields("Customer", after.id, code, (&fields.0, &fields.1));
        let branches = after.branches.clone();
        self.tell("Customer", event, after.id, &branches, fields);
    }

    /// Tells the addresses of these branches.
    pub(super) fn tell(
        &mut self,
        entity: &str,
        event: &str,
        id: u64,
        branches: &[u64],
        fields: (Value, Value),
    ) {
        let datetime = self.written(self.now.seconds());
        for branch in branches {
            let body = json!({
                "branch_id": branch, "event": event, "entity": entity,
                "entity_id": id, "fields_old": fields.0, "fields_new": fields.1,
                "user_id": API_USER, "datetime": datetime,
            });
            self.hooks.push(*branch, body);
        }
    }
}

/// Returns what stood and what stands in the fields that differ; an empty map is `[]`.
pub(super) fn changed(old: Map<String, Value>, new: Map<String, Value>) -> (Value, Value) {
    let (mut fields_old, mut fields_new) = (Map::new(), Map::new());
    for (key, value) in &new {
        if old.get(key) != Some(value) {
            fields_new.insert(key.clone(), value.clone());
            if let Some(before) = old.get(key) {
                fields_old.insert(key.clone(), before.clone());
            }
        }
    }
    for (key, value) in old.iter().filter(|(key, _)| !new.contains_key(*key)) {
        fields_old.insert(key.clone(), value.clone());
    }
    let map = |fields: Map<String, Value>| match fields.is_empty() {
        true => json!([]),
        false => Value::Object(fields),
    };
    (map(fields_old), map(fields_new))
}

fn told_fields(one: &Customer) -> Map<String, Value> {
    let texts = [
        ("name", one.name.clone()),
        ("is_study", u8::from(one.is_study).to_string()),
        ("lead_status_id", one.status.to_string()),
        ("lead_reject_id", one.reject.to_string()),
        ("assigned_id", one.assigned.to_string()),
        ("note", one.note.clone()),
        ("phone", one.phones.join(",")),
    ];
    let fields = texts
        .into_iter()
        .map(|(key, text)| (key.to_owned(), json!(text)));
    fields.collect()
}

/// Sends what waits; never again what nobody took.
pub(super) async fn deliver(lab: AlfaHandle) {
    // Refused when the process chose a provider before; then that one is good too.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let Ok(client) = reqwest::Client::builder().timeout(ANSWER_WAIT).build() else {
        return;
    };
    loop {
        let next = lab.world().hooks.take();
        let Some((address, body)) = next else {
            tokio::time::sleep(LOOK_PAUSE).await;
            continue;
        };
        let sent = client.post(&address).json(&body).send().await;
        let taken = sent.is_ok_and(|answer| answer.status().is_success());
        let mut world = lab.world();
        match taken {
            true => world.hooks.delivered += 1,
            false => world.hooks.lost += 1,
        }
    }
}
