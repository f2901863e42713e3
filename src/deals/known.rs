//! The deals that were read before, as adapters ask for them.

use std::collections::BTreeMap;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use crate::crm::KnownDeals;
use crate::model::deal::Deal;
use crate::model::ids::IntegrationKey;
use crate::store::StoreHandle;

/// The deals of an integration that are kept.
pub(super) struct Kept {
    pub(super) store: StoreHandle,
    pub(super) integration: IntegrationKey,
}

impl KnownDeals for Kept {
    fn known(&self, ids: Vec<String>) -> BoxFuture<'_, Result<BTreeMap<String, Deal>, String>> {
        async move {
            let found = self.store.deals_by_id(self.integration.clone(), ids).await;
            let found = found.map_err(|error| error.to_string())?.into_iter();
            Ok(found
                .map(|stored| (stored.deal.id.clone(), stored.deal))
                .collect())
        }
        .boxed()
    }
}
