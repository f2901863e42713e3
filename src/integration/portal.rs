//! One CRM portal at run time: what all its integrations share.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::crm::account::http::AccountHttp;
use crate::model::ids::PortalKey;

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
}

impl Portal {
    /// Joins a door with empty lanes.
    pub fn new(key: PortalKey, base_url: &str, http: Arc<AccountHttp>) -> Self {
        Self {
            key,
            base_url: base_url.to_owned(),
            http,
            lanes: Mutex::new(Lanes::default()),
        }
    }

    /// Returns the lanes. Never held across an await. A panic of another holder does not matter:
    /// every change of [`Lanes`] leaves it whole.
    pub fn lanes(&self) -> MutexGuard<'_, Lanes> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
