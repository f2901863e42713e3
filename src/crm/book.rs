//! What a portal is made of, as it was last read: shared by whoever decides by it, checks settings
//! against it, and shows it.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use tokio::sync::{Mutex, Notify};

use super::{Adapter, DescribedAccount};
use crate::clock::Clock;
use crate::model::outcome::Outcome;
use crate::model::timestamp::Timestamp;

/// The book of one portal.
#[derive(Default)]
pub struct AccountBook {
    known: ArcSwapOption<DescribedAccount>,
    doubted: Notify,
    /// When it was read in this run; what an earlier run kept is never fresh.
    reading: Mutex<Option<Timestamp>>,
}

impl AccountBook {
    /// Returns what is known, however old.
    pub fn known(&self) -> Option<Arc<DescribedAccount>> {
        self.known.load_full()
    }

    /// Takes note of what was kept from an earlier run, unless something newer is known.
    pub fn remember(&self, kept: DescribedAccount) {
        if self.known().is_none() {
            self.known.store(Some(Arc::new(kept)));
        }
    }

    /// Takes note that something in it proved wrong: it is read again soon.
    pub fn doubt(&self) {
        self.doubted.notify_one();
    }

    /// Returns when it was doubted.
    pub async fn doubted(&self) {
        self.doubted.notified().await;
    }

    /// Asks the CRM, unless it was asked within `fresh_for`; whoever comes meanwhile gets the same
    /// answer.
    pub async fn read(
        &self,
        adapter: &dyn Adapter,
        clock: &dyn Clock,
        fresh_for: Duration,
    ) -> Outcome<Arc<DescribedAccount>> {
        // Held while the account is asked, so that it is asked once at a time.
        let mut read_at = self.reading.lock().await;
        let asked_at = clock.now();
        if let (Some(known), Some(read_at)) = (self.known(), *read_at)
            && read_at.plus(fresh_for) > asked_at
        {
            return Outcome::Done(known);
        }
        let account = match adapter.describe().await {
            Outcome::Done(account) => account,
            Outcome::NotApplied(not_applied) => return Outcome::NotApplied(not_applied),
            Outcome::Ambiguous { why } => return Outcome::Ambiguous { why },
            Outcome::AuthExpired { why } => return Outcome::AuthExpired { why },
            Outcome::Rejected(rejection) => return Outcome::Rejected(rejection),
        };
        let described = Arc::new(DescribedAccount {
            // Of before the reading: what changed during it may be missing.
            as_of: asked_at,
            account,
        });
        self.known.store(Some(Arc::clone(&described)));
        *read_at = Some(asked_at);
        Outcome::Done(described)
    }
}
