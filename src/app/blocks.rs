//! Keeps on disk that a CRM blocked an account, so that a restart does not knock again: only a
//! person resumes it, once the vendor has lifted the block.

use std::sync::Arc;

use tokio::task::JoinHandle;

use crate::crm::account::http::AccountHttp;
use crate::crm::account::status::{Held, block_row};
use crate::model::ids::PortalKey;
use crate::store::{StoreError, StoreHandle};

/// Tells a new door what an earlier process learned, then writes down what this one learns. The
/// task ends with the door.
pub(super) async fn keep(
    store: &StoreHandle,
    portal: &PortalKey,
    door: &Arc<AccountHttp>,
) -> Result<JoinHandle<()>, StoreError> {
    let row = block_row(portal);
    let stored = match store.account(row.clone()).await {
        Ok(stored) => stored,
        // Taken for open: should the account still be blocked, the first request finds out.
        Err(StoreError::Unreadable { .. }) => None,
        Err(error) => return Err(error),
    };
    if let Some(held) = stored.and_then(|value| serde_json::from_value::<Held>(value).ok()) {
        tracing::error!(%portal, since = %held.since, "the account is still blocked");
        door.still_blocked(held);
    }
    let mut blocks = door.blocks();
    let store = store.clone();
    Ok(tokio::task::spawn_local(async move {
        while blocks.changed().await.is_ok() {
            // A person's resuming is written by whoever takes the wish, before the door opens.
            let Some(held) = blocks.borrow_and_update().clone() else {
                continue;
            };
            let Ok(value) = serde_json::to_value(&held) else {
                continue;
            };
            if let Err(error) = store.put_account(row.clone(), value).await {
                tracing::error!(%error, "cannot write down that the account is blocked");
            }
        }
    }))
}
