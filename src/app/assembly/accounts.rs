//! Accounts that are spoken to: each with its adapter, in its portal, behind its portal's door.

use std::sync::Arc;
use std::time::Duration;

use crate::config::{AccountConfig, Fingerprint, Tenant};
use crate::crm::account::http::{AccountHttp, AccountHttpOptions};
use crate::crm::{AccountDoor, Adapter, TokenVault, VaultError};
use crate::integration::batcher::Batcher;
use crate::integration::context::IntegrationContext;
use crate::integration::portal::{DoorSettings, Portal};
use crate::integration::supervisor::{Supervised, supervise};
use crate::model::secret::Secret;

use super::{Assembly, AssemblyError};
use crate::app::blocks;
use crate::app::setup_child::SetupChild;
use crate::app::vault::StoreVault;

/// How long an account is not spoken to at first: the process before this one may have used up
/// the CRM's window just before it ended.
const QUIET_START: Duration = Duration::from_secs(1);

/// One of them.
pub(super) struct RunningAccount {
    pub(super) fingerprint: Fingerprint,
    pub(super) adapter: Arc<dyn Adapter>,
    pub(super) batcher: Arc<Batcher>,
    pub(super) portal: Arc<Portal>,
    pub(super) setup: Supervised,
}

impl Assembly {
    /// Opens the accounts of a tenant that are not open yet.
    pub(super) async fn open_accounts(&mut self, tenant: &Tenant) -> Result<(), AssemblyError> {
        for account in &tenant.accounts {
            let key = (tenant.id.clone(), account.id.clone());
            if self.accounts.contains_key(&key) {
                continue;
            }
            let portal = self.portal(tenant, account).await?;
            let vault: Arc<dyn TokenVault> = Arc::new(StoreVault::new(
                self.shared.store.clone(),
                &tenant.id,
                &account.id,
                portal.key.clone(),
            ));
            if let Some(token) = account.token() {
                store_token(&*vault, token).await?;
            }
            let door = AccountDoor {
                http: Arc::clone(&portal.http),
                vault,
                pairs: Arc::new(self.shared.pairs.of(&tenant.id, &account.id)),
                secrets: account.secrets.clone(),
                recordings: Some(self.shared.recordings.files(self.shared.store.clone())),
                clock: Arc::clone(&self.shared.clock),
            };
            let adapter = account.settings.open(door);
            let setup = supervise(
                SetupChild::new(
                    account.crm,
                    &tenant.id,
                    &account.id,
                    Arc::clone(&adapter),
                    &portal,
                    &self.shared,
                ),
                Arc::clone(&self.shared.board),
                Arc::clone(&self.shared.clock),
            );
            let fingerprint = account.fingerprint.clone();
            self.accounts.insert(
                key,
                RunningAccount {
                    fingerprint,
                    batcher: Batcher::new(Arc::clone(&adapter)),
                    adapter,
                    portal,
                    setup,
                },
            );
        }
        Ok(())
    }

    /// Returns the portal of an account. One portal has one set of lanes, however often its
    /// accounts are opened anew, and one door, unless its address or rate changed.
    async fn portal(
        &mut self,
        tenant: &Tenant,
        account: &AccountConfig,
    ) -> Result<Arc<Portal>, AssemblyError> {
        let key = account.settings.portal();
        let door = DoorSettings::of(&*account.settings);
        // An account that is opened anew is not there any more; its integrations still are.
        let seats: Vec<Arc<IntegrationContext>> = self
            .integrations
            .values()
            .map(|running| running.seat.context())
            .collect();
        let open: Vec<&Arc<Portal>> = self
            .accounts
            .values()
            .map(|running| &running.portal)
            .chain(seats.iter().map(|context| &context.portal))
            .filter(|portal| portal.key == key)
            .collect();
        if let Some(same) = open.iter().find(|portal| portal.door == door) {
            return Ok(Arc::clone(same));
        }
        let before = open.first().map(|portal| Arc::clone(portal));
        let http = AccountHttp::new(AccountHttpOptions {
            portal: key.clone(),
            base_url: door.base_url.clone(),
            rate_per_second: account.settings.rate_per_second(),
            per_second_max: account.settings.per_second_max(),
            quiet_start: QUIET_START,
            clock: Arc::clone(&self.shared.clock),
        })
        .map_err(|error| AssemblyError::Account {
            account: format!("{}/{}", tenant.id, account.id),
            why: error.to_string(),
        })?;
        let http = Arc::new(http.with_manners(account.settings.manners()));
        http.set_observed(!self.served.contains(&key));
        let keeper = blocks::keep(&self.shared.store, &key, &http).await?;
        self.keepers.push(keeper);
        Ok(Arc::new(match before {
            Some(before) => before.with_door(door, http),
            None => Portal::new(key, door, http),
        }))
    }
}

/// Stores a token that the configuration names, when it is another than the stored one.
async fn store_token(vault: &dyn TokenVault, token: &Secret) -> Result<(), AssemblyError> {
    let failed = |error: VaultError| AssemblyError::Account {
        account: "credentials".to_owned(),
        why: error.to_string(),
    };
    // One that cannot be read any more is replaced.
    let stored = vault.load().await.unwrap_or_default();
    if stored.as_ref() != Some(token) {
        vault.save(token.clone()).await.map_err(failed)?;
    }
    Ok(())
}
