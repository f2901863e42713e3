//! The running VATS: what it knows, and the socket of its API.

use std::collections::VecDeque;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard};

use super::api;
use super::calls::now_ms;
use super::history::Row;
use super::options::{Switches, User, VatsOptions};
use super::presence::Presence;
use super::teller::Told;
use crate::lab::lock::lock;
use crate::lab::simulator::{Service, Simulator};

/// Rows and messages that are kept.
const KEPT_MAX: usize = 20_000;

/// What the VATS knows.
#[derive(Debug)]
pub(super) struct World {
    pub(super) options: VatsOptions,
    /// Who is rung.
    pub(super) presence: Presence,
    crm_address: Option<String>,
    rows: Vec<Row>,
    told: VecDeque<Told>,
    calls: u64,
    /// When the requests of the last minute came, in Unix milliseconds.
    asked_ms: VecDeque<i64>,
    /// Requests that were over the limit.
    pub(super) refused: u64,
}

/// A hand on a running VATS.
#[derive(Debug, Clone)]
pub struct VatsHandle {
    pub(super) world: Arc<Mutex<World>>,
    pub(super) http: Arc<reqwest::Client>,
    address: SocketAddr,
}

/// A running VATS; it ends when dropped.
pub type VatsLab = Simulator<VatsHandle>;

/// Starts a VATS on a thread of its own.
///
/// # Errors
/// Fails when the address cannot be bound.
pub async fn start(options: VatsOptions) -> io::Result<VatsLab> {
    let listener = TcpListener::bind(options.listen)?;
    // Only plain HTTP is spoken here, but the client wants a provider all the same.
    drop(rustls::crypto::ring::default_provider().install_default());
    let http = reqwest::Client::builder().no_proxy().build();
    let handle = VatsHandle {
        address: listener.local_addr()?,
        http: Arc::new(http.map_err(io::Error::other)?),
        world: Arc::new(Mutex::new(World {
            options,
            presence: Presence::default(),
            crm_address: None,
            rows: Vec::new(),
            told: VecDeque::new(),
            calls: 0,
            asked_ms: VecDeque::new(),
            refused: 0,
        })),
    };
    let service = Service {
        name: "vats",
        listener,
        configure: api::configure,
        // All that it does is asked for.
        beside: |_| std::future::pending(),
    };
    service.start(handle).await
}

impl VatsHandle {
    pub(super) fn lock(&self) -> MutexGuard<'_, World> {
        lock(&self.world)
    }

    /// Returns where its API is.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns the key of its API.
    pub fn api_key(&self) -> String {
        self.lock().options.api_key.clone()
    }

    /// Returns what it proves itself by.
    pub fn crm_token(&self) -> String {
        self.lock().options.crm_token.clone()
    }

    /// Enters the CRM's address in the cabinet.
    pub fn tell_to(&self, address: &str) {
        self.lock().crm_address = Some(address.to_owned());
    }

    pub(super) fn crm_address(&self) -> Option<String> {
        self.lock().crm_address.clone()
    }

    /// Returns how it behaves.
    pub fn switches(&self) -> Switches {
        self.lock().options.switches.clone()
    }

    /// Changes how it behaves.
    pub fn set(&self, change: impl FnOnce(&mut Switches)) {
        change(&mut self.lock().options.switches);
    }

    /// Returns the messages that were sent, oldest first.
    pub fn told(&self) -> Vec<Told> {
        self.lock().told.iter().cloned().collect()
    }

    /// Returns how many requests were over the limit.
    pub fn refused(&self) -> u64 {
        self.lock().refused
    }

    pub(super) fn note(&self, told: Told) {
        let mut world = self.lock();
        if world.told.len() >= KEPT_MAX {
            world.told.pop_front();
        }
        world.told.push_back(told);
    }

    pub(super) fn keep(&self, row: Row) {
        let mut world = self.lock();
        if world.rows.len() < KEPT_MAX {
            world.rows.push(row);
        }
    }

    /// Returns the rows that began within a time and are listed by now.
    pub(super) fn rows(&self, from_s: i64, until_s: i64) -> Vec<Row> {
        let now = now_ms();
        let world = self.lock();
        let rows = world.rows.iter();
        let within = |row: &&Row| (from_s..=until_s).contains(&row.start_s);
        let rows = rows.filter(within).filter(|row| row.listed_from_ms <= now);
        rows.cloned().collect()
    }

    /// Returns a user by login, extension or number.
    pub(super) fn user(&self, named: &str) -> Option<User> {
        let digits = named.trim_start_matches('+');
        let world = self.lock();
        let mut users = world.options.users.iter();
        let found = users.find(|user| {
            user.login == named || user.ext == named || user.telnum.as_deref() == Some(digits)
        });
        found.cloned()
    }

    /// Has a user take calls of groups, or not.
    pub fn subscribe(&self, login: &str, on: bool) {
        self.lock().presence.subscribe(login, "", on);
    }

    /// Has a user not be disturbed, or be.
    pub fn do_not_disturb(&self, login: &str, on: bool) {
        self.lock().presence.disturb(login, on);
    }

    pub(super) fn first_group(&self) -> Option<(String, Vec<String>)> {
        let world = self.lock();
        let group = world.options.groups.first()?;
        let rings = |login: &&String| world.presence.rings(login, &group.id);
        let logins = group.logins.iter().filter(rings).cloned();
        Some((group.name.clone(), logins.collect()))
    }

    pub(super) fn number(&self) -> String {
        let world = self.lock();
        world.options.numbers.first().cloned().unwrap_or_default()
    }

    pub(super) fn new_id(&self) -> String {
        let mut world = self.lock();
        world.calls += 1;
        format!("{:08X}.{:04}", now_ms().unsigned_abs(), world.calls)
    }

    pub(super) fn record_address(&self, callid: &str) -> String {
        format!("{}/rec/{callid}.wav", self.base_url())
    }

    /// Counts a request; `false` = it is over the limit.
    pub(super) fn admit(&self) -> bool {
        let now = now_ms();
        let mut world = self.lock();
        while world.asked_ms.front().is_some_and(|at| now - at >= 60_000) {
            world.asked_ms.pop_front();
        }
        let over = world.options.switches.per_minute;
        if over.is_some_and(|max| world.asked_ms.len() >= max) {
            world.refused += 1;
            return false;
        }
        world.asked_ms.push_back(now);
        true
    }
}
