//! What an integration or a source session is doing, for status and metrics.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::timestamp::Timestamp;

/// How well something supervised is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// It is being started.
    Starting,
    /// It works.
    Up,
    /// It died or was cut off and is being restarted.
    Degraded,
    /// It was stopped on purpose.
    Stopped,
}

/// The state of one supervised child.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Child")]
pub struct ChildStatus {
    /// How well it is.
    pub health: Health,
    /// Since when it is so.
    pub since: Timestamp,
    /// How often it was restarted since the daemon started.
    pub restarts: u64,
    /// What went wrong last.
    pub last_error: Option<String>,
    /// When that was.
    pub last_error_at: Option<Timestamp>,
    /// What it talks to.
    pub peer: Option<String>,
    /// When it last did something.
    pub last_seen_at: Option<Timestamp>,
    /// Why its works are not begun at present: its CRM does not serve the account.
    #[serde(default)]
    pub held: Option<String>,
    /// Its own figures, such as open calls or running works.
    pub gauges: BTreeMap<String, f64>,
}

/// Where every supervised child shows its state. Names are `source acme/office` or
/// `integration acme/sales`.
#[derive(Debug, Default)]
pub struct StatusBoard {
    children: Mutex<BTreeMap<String, ChildStatus>>,
}

impl StatusBoard {
    fn children(&self) -> MutexGuard<'_, BTreeMap<String, ChildStatus>> {
        self.children.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets how well a child is.
    pub fn set_health(&self, name: &str, health: Health, now: Timestamp) {
        self.update(name, now, |child| {
            if child.health != health {
                child.health = health;
                child.since = now;
            }
        });
    }

    /// Records that a child died or was cut off.
    pub fn failed(&self, name: &str, error: &str, now: Timestamp) {
        self.update(name, now, |child| {
            if child.health != Health::Degraded {
                child.health = Health::Degraded;
                child.since = now;
            }
            child.restarts = child.restarts.saturating_add(1);
            child.last_error = Some(error.to_owned());
            child.last_error_at = Some(now);
        });
    }

    /// Records trouble that did not end the child.
    pub fn trouble(&self, name: &str, error: &str, now: Timestamp) {
        self.update(name, now, |child| {
            child.last_error = Some(error.to_owned());
            child.last_error_at = Some(now);
        });
    }

    /// Changes a child's entry; makes it when it is not there.
    pub fn update(&self, name: &str, now: Timestamp, change: impl FnOnce(&mut ChildStatus)) {
        let mut children = self.children();
        let child = children
            .entry(name.to_owned())
            .or_insert_with(|| ChildStatus {
                health: Health::Starting,
                since: now,
                restarts: 0,
                last_error: None,
                last_error_at: None,
                peer: None,
                last_seen_at: None,
                held: None,
                gauges: BTreeMap::new(),
            });
        change(child);
    }

    /// Forgets a child that is configured no more.
    pub fn remove(&self, name: &str) {
        self.children().remove(name);
    }

    /// Returns one child's state.
    pub fn get(&self, name: &str) -> Option<ChildStatus> {
        self.children().get(name).cloned()
    }

    /// Returns everybody's state.
    pub fn all(&self) -> BTreeMap<String, ChildStatus> {
        self.children().clone()
    }
}
