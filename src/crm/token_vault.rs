//! Where an account's secrets are kept that change while we run.

use futures_util::future::BoxFuture;
use serde_json::Value;

use crate::model::secret::Secret;

/// Keeps the secrets of one account, encrypted on disk.
pub trait TokenVault: Send + Sync {
    /// Returns the present token.
    fn load(&self) -> BoxFuture<'_, Result<Option<Secret>, VaultError>>;
    /// Replaces it; returns when it is on disk.
    fn save(&self, token: Secret) -> BoxFuture<'_, Result<(), VaultError>>;
    /// Returns what we set up in the account (field ids and the like).
    fn setup(&self) -> BoxFuture<'_, Result<Option<Value>, VaultError>>;
    /// Replaces that.
    fn save_setup(&self, setup: Value) -> BoxFuture<'_, Result<(), VaultError>>;
}

/// Why a secret could not be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// It cannot be decrypted with the present key.
    #[error(
        "cannot decrypt the stored credential: the store key changed; enter the credential again"
    )]
    WrongKey,
    /// The store is gone.
    #[error("the store is closed")]
    Closed,
    /// The file beside the store cannot be read or written.
    #[error("{0}")]
    Witness(String),
}
