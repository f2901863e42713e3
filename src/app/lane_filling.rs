//! Puts what waits into the lanes, beside everything else: calls are taken and questions answered
//! before a long queue is read. No integration begins before all have taken their places, so that
//! none overtakes older work for the same client.
//!
//! On the way, works of integrations that were taken out of the configuration are ended, and those
//! of integrations that are back are put back.

use std::collections::BTreeSet;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::clock::SharedClock;
use crate::config::Configuration;
use crate::integration::child::IntegrationSeat;
use crate::model::ids::IntegrationKey;
use crate::store::command::{Work, WorkId};
use crate::store::{StoreError, StoreHandle};

/// So many works take their places in one go: what comes in meanwhile waits two milliseconds.
const PLACES_MAX: usize = 1000;

/// So many works are ended or put back in one transaction: short enough that intake does not notice.
const MOVED_MAX: usize = 200;

/// What the filling needs.
pub(super) struct Filling {
    store: StoreHandle,
    clock: SharedClock,
    configured: BTreeSet<IntegrationKey>,
    seats: Vec<IntegrationSeat>,
}

impl Filling {
    /// Prepares the filling for the integrations that are new.
    pub(super) fn new(
        store: &StoreHandle,
        clock: &SharedClock,
        configuration: &Configuration,
        seats: Vec<IntegrationSeat>,
    ) -> Self {
        let tenants = configuration.tenants.iter();
        let integrations = tenants.flat_map(|tenant| &tenant.integrations);
        Self {
            store: store.clone(),
            clock: SharedClock::clone(clock),
            configured: integrations.map(|one| one.key.clone()).collect(),
            seats,
        }
    }

    /// Begins; the sender tells the integrations when they may.
    pub(super) fn begin(self, filled: watch::Sender<bool>) -> JoinHandle<()> {
        tokio::task::spawn_local(async move {
            if let Err(error) = self.run(&filled).await {
                // The store has ended, and the daemon with it.
                tracing::error!(%error, "the lanes were not filled");
            }
        })
    }

    async fn run(self, filled: &watch::Sender<bool>) -> Result<(), StoreError> {
        if let Err(error) = self.put_back().await {
            // They go on at the next start; what waits for integrations that work goes on now.
            tracing::error!(%error, "works of integrations that are back stay put aside");
        }
        let open = self.store.open_works().await?;
        let (open, strangers): (Vec<Work>, Vec<Work>) = open
            .into_iter()
            .partition(|work| self.configured.contains(&work.integration));
        if !self.seats.is_empty() {
            for seat in &self.seats {
                // Takes the portal's place even where nothing waits.
                seat.take_places(&[]);
            }
            for part in open.chunks(PLACES_MAX) {
                for seat in &self.seats {
                    seat.take_places(part);
                }
                tokio::task::yield_now().await;
            }
        }
        filled.send_replace(true);
        self.end(&strangers).await
    }

    /// Puts works back whose integrations have returned.
    async fn put_back(&self) -> Result<(), StoreError> {
        let left = self.store.left_works().await?;
        let back: Vec<Work> = left
            .into_iter()
            .filter(|work| self.configured.contains(&work.integration))
            .collect();
        let mut works = 0;
        for part in back.chunks(MOVED_MAX) {
            let now = self.clock.now();
            works += self.store.return_works(part.to_vec(), now).await?;
        }
        if works > 0 {
            tracing::info!(
                works,
                "works of integrations that are configured again go on"
            );
        }
        Ok(())
    }

    /// Ends works whose integrations are not configured any more.
    async fn end(&self, strangers: &[Work]) -> Result<(), StoreError> {
        let gone: BTreeSet<String> = strangers
            .iter()
            .map(|work| work.integration.to_string())
            .collect();
        let ids: Vec<WorkId> = strangers.iter().map(|work| work.id).collect();
        let mut works = 0;
        for part in ids.chunks(MOVED_MAX) {
            let now = self.clock.now();
            works += self.store.leave_works(part.to_vec(), now).await?;
        }
        if works > 0 {
            let gone = gone.into_iter().collect::<Vec<_>>().join(", ");
            tracing::warn!(
                works,
                integrations = gone,
                "open works of integrations that are not configured any more are ended"
            );
        }
        Ok(())
    }
}
