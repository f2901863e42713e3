//! One CRM portal at run time: what all its integrations share.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::crm::account::http::AccountHttp;
use crate::model::ids::{IntegrationKey, PortalKey};
use crate::store::command::WorkId;

use super::lanes::Lanes;

/// Budget, breaker and lanes of one portal.
pub struct Portal {
    /// Its key.
    pub key: PortalKey,
    /// Where its requests go.
    pub base_url: String,
    /// The door to the network.
    pub http: Arc<AccountHttp>,
    lanes: Mutex<Lanes>,
    members: Mutex<BTreeSet<IntegrationKey>>,
}

impl Portal {
    /// Joins a door with empty lanes.
    pub fn new(key: PortalKey, base_url: &str, http: Arc<AccountHttp>) -> Self {
        Self {
            key,
            base_url: base_url.to_owned(),
            http,
            lanes: Mutex::new(Lanes::default()),
            members: Mutex::default(),
        }
    }

    fn roster(&self) -> MutexGuard<'_, BTreeSet<IntegrationKey>> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
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

    /// Returns the integrations that work here.
    pub fn members(&self) -> Vec<IntegrationKey> {
        self.roster().iter().cloned().collect()
    }

    /// Returns the lanes. Never held across an await. A panic of another holder does not matter:
    /// every change of [`Lanes`] leaves it whole.
    pub fn lanes(&self) -> MutexGuard<'_, Lanes> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
