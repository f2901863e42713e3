//! One CRM portal at run time: what all its integrations share.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::crm::account::http::AccountHttp;
use crate::crm::{AccountBook, AccountSettings};
use crate::directory::freshness::Freshness;
use crate::model::ids::{IntegrationKey, PortalKey};
use crate::store::command::WorkId;

use super::lanes::Lanes;

pub use super::lanes::Freed;

/// Budget, breaker and lanes of one portal.
pub struct Portal {
    /// Its key.
    pub key: PortalKey,
    /// What its door was made from.
    pub door: DoorSettings,
    /// The door to the network.
    pub http: Arc<AccountHttp>,
    places: Arc<Places>,
}

/// What a door is made from: a change of it needs another door.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DoorSettings {
    /// Where requests go.
    pub base_url: String,
    /// The requests a second that we allow ourselves.
    pub rate_per_second: f64,
    /// The most requests of any sliding second, where configured.
    pub per_second_max: Option<u32>,
}

impl DoorSettings {
    /// Reads them from an account's settings.
    pub fn of(account: &dyn AccountSettings) -> Self {
        Self {
            base_url: account.base_url().to_owned(),
            rate_per_second: account.rate_per_second(),
            per_second_max: account.per_second_max(),
        }
    }
}

/// What stays when the door is replaced.
#[derive(Default)]
struct Places {
    lanes: Mutex<Lanes>,
    members: Mutex<BTreeSet<IntegrationKey>>,
    freshness: Arc<Freshness>,
    book: Arc<AccountBook>,
}

impl Portal {
    /// Joins a door with empty lanes.
    pub fn new(key: PortalKey, door: DoorSettings, http: Arc<AccountHttp>) -> Self {
        Self {
            key,
            door,
            http,
            places: Arc::default(),
        }
    }

    /// Gives the same portal another door; the lanes stay, and who stands in them.
    pub fn with_door(&self, door: DoorSettings, http: Arc<AccountHttp>) -> Self {
        Self {
            key: self.key.clone(),
            door,
            http,
            places: Arc::clone(&self.places),
        }
    }

    /// Says whether two are one portal, perhaps with different doors.
    pub fn has_lanes_of(&self, other: &Portal) -> bool {
        Arc::ptr_eq(&self.places, &other.places)
    }

    fn roster(&self) -> MutexGuard<'_, BTreeSet<IntegrationKey>> {
        let members = self.places.members.lock();
        members.unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds an integration that works in this portal.
    pub fn join(&self, integration: &IntegrationKey) {
        self.roster().insert(integration.clone());
    }

    /// Removes an integration that works here no more; returns the works of others that may
    /// start now.
    pub fn leave(&self, integration: &IntegrationKey) -> Vec<(IntegrationKey, WorkId)> {
        self.roster().remove(integration);
        self.lanes().withdraw(integration)
    }

    /// Returns how fresh the portal's directory is.
    pub fn freshness(&self) -> &Arc<Freshness> {
        &self.places.freshness
    }

    /// Returns what the portal is made of.
    pub fn book(&self) -> &Arc<AccountBook> {
        &self.places.book
    }

    /// Returns the integrations that work here.
    pub fn members(&self) -> Vec<IntegrationKey> {
        self.roster().iter().cloned().collect()
    }

    /// Returns the lanes. Never held across an await. A panic of another holder does not matter:
    /// every change of [`Lanes`] leaves it whole.
    pub fn lanes(&self) -> MutexGuard<'_, Lanes> {
        let lanes = self.places.lanes.lock();
        lanes.unwrap_or_else(PoisonError::into_inner)
    }
}
