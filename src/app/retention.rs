//! Removes what is older than the configured days, a little at a time.

use std::time::Duration;

use crate::clock::SharedClock;
use crate::model::timestamp::Timestamp;
use crate::store::StoreHandle;
use crate::store::command::Retention;

/// How often old rows are looked for.
const EVERY: Duration = Duration::from_secs(3600);

/// Rows of one transaction: short enough that intake does not notice.
const ROWS_MAX: usize = 200;

/// Sweeps until the task is dropped.
pub(super) async fn sweep(store: StoreHandle, clock: SharedClock, days: u32) {
    loop {
        let age = Duration::from_secs(u64::from(days) * 86_400);
        let before = clock.now().minus(age);
        loop {
            match store
                .sweep(Retention {
                    before,
                    rows_max: ROWS_MAX,
                })
                .await
            {
                Ok(report) => {
                    if report.communications > 0 {
                        let removed = report.communications;
                        tracing::info!(removed, "old communications removed");
                    }
                    if !report.more {
                        break;
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "retention");
                    break;
                }
            }
        }
        sweep_deals(&store, before).await;
        tokio::time::sleep(EVERY).await;
    }
}

/// Removes the old deals that came back from CRMs.
async fn sweep_deals(store: &StoreHandle, before: Timestamp) {
    loop {
        match store.sweep_deals(before, ROWS_MAX).await {
            Ok(0) => return,
            Ok(removed) => tracing::info!(removed, "old deals removed"),
            Err(error) => {
                tracing::warn!(%error, "retention of deals");
                return;
            }
        }
    }
}
