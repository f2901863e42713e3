//! Reads what an account is made of and sets up what we need there, once after every start; tried
//! again until the CRM answers.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use tokio::sync::watch;

use crate::crm::account::status::description_row;
use crate::crm::{Adapter, DescribedAccount};
use crate::integration::status::{Health, StatusBoard};
use crate::integration::supervisor::{Child, LifeEnd};
use crate::model::ids::{AccountId, PortalKey, TenantId};
use crate::model::outcome::Outcome;
use crate::store::StoreHandle;

use super::assembly::Shared;

/// How often a credential that time alone would end is seen after: amoCRM's pairs are renewed in
/// the last hour of their day.
const KEEP_EVERY: Duration = Duration::from_secs(20 * 60);

pub(super) struct SetupChild {
    name: String,
    adapter: Arc<dyn Adapter>,
    portal: PortalKey,
    store: StoreHandle,
    board: Arc<StatusBoard>,
    clock: crate::clock::SharedClock,
}

impl SetupChild {
    pub(super) fn new(
        tenant: &TenantId,
        account: &AccountId,
        adapter: Arc<dyn Adapter>,
        portal: PortalKey,
        shared: &Shared,
    ) -> Self {
        Self {
            name: format!("account {tenant}/{account}"),
            adapter,
            portal,
            store: shared.store.clone(),
            board: Arc::clone(&shared.board),
            clock: Arc::clone(&shared.clock),
        }
    }
}

async fn keep(
    store: &StoreHandle,
    row: PortalKey,
    described: &DescribedAccount,
) -> Result<(), String> {
    let value = serde_json::to_value(described).map_err(|error| error.to_string())?;
    let put = store.put_account(row, value).await;
    put.map_err(|error| error.to_string())
}

impl Child for SetupChild {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn live(&self, mut stop: watch::Receiver<bool>) -> LocalBoxFuture<'static, LifeEnd> {
        let (name, adapter) = (self.name.clone(), Arc::clone(&self.adapter));
        let (board, clock) = (Arc::clone(&self.board), Arc::clone(&self.clock));
        let (store, row) = (self.store.clone(), description_row(&self.portal));
        async move {
            let described = tokio::select! {
                described = adapter.describe() => described,
                _ = stop.wait_for(|stop| *stop) => return LifeEnd::Stopped,
            };
            match described {
                Outcome::Done(account) => {
                    let now = clock.now();
                    board.set_health(&name, Health::Up, now);
                    board.update(&name, now, |child| {
                        child.peer = Some(format!("{} ({})", account.name, account.id));
                        child.last_seen_at = Some(now);
                        child.last_error = account.limits.first().cloned();
                    });
                    let described = DescribedAccount {
                        as_of: now,
                        account,
                    };
                    if let Err(why) = keep(&store, row, &described).await {
                        // It is read again at the next start; nothing but reports rests on it.
                        tracing::warn!(account = name, why, "account description not kept");
                    }
                    // Nothing more to do before the next start but to keep what lets us in.
                    loop {
                        tokio::select! {
                            () = tokio::time::sleep(KEEP_EVERY) => adapter.keep().await,
                            _ = stop.wait_for(|stop| *stop) => return LifeEnd::Stopped,
                        }
                    }
                }
                Outcome::NotApplied(not_applied) => LifeEnd::Failed(not_applied.why),
                Outcome::Ambiguous { why } | Outcome::AuthExpired { why } => LifeEnd::Failed(why),
                Outcome::Rejected(rejection) => {
                    LifeEnd::Failed(format!("{}: {}", rejection.code, rejection.message))
                }
            }
        }
        .boxed_local()
    }
}
