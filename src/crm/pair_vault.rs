//! Where a rotating pair of tokens is kept, and the witness beside the store that says which pair
//! is the newest: a store that comes back from a backup holds an older one.

use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use tokio::sync::OwnedMutexGuard;

use crate::model::secret::Secret;

use super::VaultError;

/// The right to rotate the pair of one account; nobody else rotates it meanwhile.
pub type PairTurn = OwnedMutexGuard<()>;

/// What is known outside the store about the newest refresh token of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Witness {
    /// A fingerprint of the token.
    pub token: String,
    /// It was sent, or may have been.
    pub sent: bool,
}

/// Keeps the pair of one account. What it writes is on disk when it returns.
pub trait PairVault: Send + Sync {
    /// Waits for the turn to rotate.
    fn turn(&self) -> BoxFuture<'_, PairTurn>;
    /// Returns the present pair, in the adapter's own form.
    fn load(&self) -> BoxFuture<'_, Result<Option<Secret>, VaultError>>;
    /// Replaces it.
    fn save(&self, pair: Secret) -> BoxFuture<'_, Result<(), VaultError>>;
    /// Returns what the witness says; `None` when it knows nothing of this account.
    fn witness(&self) -> BoxFuture<'_, Result<Option<Witness>, VaultError>>;
    /// Replaces what the witness says.
    fn save_witness(&self, witness: Witness) -> BoxFuture<'_, Result<(), VaultError>>;
}
