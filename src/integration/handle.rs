//! Stable handles of integrations: they outlive their actors.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use actix::Addr;

use crate::model::ids::IntegrationKey;
use crate::store::command::WorkId;

use super::actor::{IntegrationActor, Stir, Wake};

/// The addresses of the living integration actors.
#[derive(Debug, Default)]
pub struct Handles {
    addresses: Mutex<HashMap<IntegrationKey, Addr<IntegrationActor>>>,
}

impl Handles {
    fn addresses(&self) -> MutexGuard<'_, HashMap<IntegrationKey, Addr<IntegrationActor>>> {
        self.addresses
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Registers the actor that serves an integration now.
    pub(super) fn register(&self, key: &IntegrationKey, address: Addr<IntegrationActor>) {
        self.addresses().insert(key.clone(), address);
    }

    /// Returns the living actor of an integration.
    pub fn get(&self, key: &IntegrationKey) -> Option<Addr<IntegrationActor>> {
        self.addresses().get(key).cloned()
    }

    /// Removes an integration that is configured no more.
    pub fn remove(&self, key: &IntegrationKey) {
        self.addresses().remove(key);
    }

    /// Has an integration try everything at once that waits. A call that does not arrive does no
    /// harm: what waits is tried a little later.
    pub fn stir(&self, key: &IntegrationKey) {
        if let Some(address) = self.get(key) {
            // Its mailbox is full of wake-ups, then, or it is being restarted.
            let _ = address.try_send(Stir);
        }
    }

    /// Tells integrations of works that may be begun. A call that does not arrive (the actor is
    /// being restarted, its mailbox is full) does no harm: a starting actor reads everything from
    /// the store, a living one looks at its lanes from time to time.
    pub fn wake(&self, works: Vec<(IntegrationKey, WorkId)>) {
        let mut by_integration: HashMap<IntegrationKey, Vec<WorkId>> = HashMap::new();
        for (integration, work) in works {
            by_integration.entry(integration).or_default().push(work);
        }
        for (integration, works) in by_integration {
            let told = self
                .get(&integration)
                .is_some_and(|address| address.try_send(Wake(works)).is_ok());
            if !told {
                tracing::debug!(%integration, "wake-up not delivered");
            }
        }
    }
}

/// A shared set of handles.
pub type SharedHandles = Arc<Handles>;
