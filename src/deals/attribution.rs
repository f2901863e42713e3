//! Which communication a deal came of: the client's last one before it (V-13).

use std::collections::BTreeSet;
use std::time::Duration;

use super::normalise::came_before;
use crate::model::deal::Deal;
use crate::model::deal_settings::ConversionModel;
use crate::model::ids::TenantId;
use crate::store::query::JournalSearch;
use crate::store::{StoreError, StoreHandle};

/// Returns the deal with its communication, or with none where the client called nobody before it.
///
/// # Errors
/// What the store refuses.
pub(super) async fn attributed(
    store: &StoreHandle,
    tenant: &TenantId,
    model: ConversionModel,
    deal: Deal,
) -> Result<Deal, StoreError> {
    // Times of CRMs are of seconds, and a deal that we made carries the time of its call.
    let until = came_before(&deal, model).plus(Duration::from_secs(1));
    let phones: BTreeSet<_> = deal
        .client
        .iter()
        .flat_map(|client| client.phones.iter().cloned())
        .collect();
    let mut last = None;
    for phone in phones {
        let search = JournalSearch {
            tenant: Some(tenant.clone()),
            phone: Some(phone),
            until: Some(until),
            limit: 1,
            ..JournalSearch::default()
        };
        let found = store.search(search).await?;
        let newest = found.into_iter().next();
        let newest = newest.map(|one| (one.snapshot.body.started_at(), one.snapshot.key));
        last = last.max(newest);
    }
    Ok(Deal {
        communication: last.map(|(_, key)| key),
        ..deal
    })
}
