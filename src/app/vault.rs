//! The secrets of one account, kept in the store.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::Value;

use crate::crm::{TokenVault, VaultError};
use crate::model::ids::{AccountId, PortalKey, TenantId};
use crate::model::secret::Secret;
use crate::store::{StoreError, StoreHandle};

/// One account's place in the store.
pub(super) struct StoreVault {
    store: StoreHandle,
    token_name: String,
    portal: PortalKey,
}

impl StoreVault {
    pub(super) fn new(
        store: StoreHandle,
        tenant: &TenantId,
        account: &AccountId,
        portal: PortalKey,
    ) -> Self {
        Self {
            store,
            token_name: token_name(tenant, account),
            portal,
        }
    }
}

/// Returns under which name an account's token is stored.
pub(super) fn token_name(tenant: &TenantId, account: &AccountId) -> String {
    format!("account/{tenant}/{account}/token")
}

pub(super) fn vault_error(error: StoreError) -> VaultError {
    match error {
        StoreError::WrongKey { .. } => VaultError::WrongKey,
        _ => VaultError::Closed,
    }
}

impl TokenVault for StoreVault {
    fn load(&self) -> BoxFuture<'_, Result<Option<Secret>, VaultError>> {
        async move {
            self.store
                .credential(self.token_name.clone())
                .await
                .map_err(vault_error)
        }
        .boxed()
    }

    fn save(&self, token: Secret) -> BoxFuture<'_, Result<(), VaultError>> {
        async move {
            self.store
                .put_credential(self.token_name.clone(), token)
                .await
                .map_err(vault_error)
        }
        .boxed()
    }

    fn setup(&self) -> BoxFuture<'_, Result<Option<Value>, VaultError>> {
        async move {
            self.store
                .account(self.portal.clone())
                .await
                .map_err(vault_error)
        }
        .boxed()
    }

    fn save_setup(&self, setup: Value) -> BoxFuture<'_, Result<(), VaultError>> {
        async move {
            self.store
                .put_account(self.portal.clone(), setup)
                .await
                .map_err(vault_error)
        }
        .boxed()
    }
}
