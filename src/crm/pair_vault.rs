//! Where a rotating pair of tokens is kept, and the witness beside the store that says which pair
//! is the newest: a store that comes back from a backup holds an older one.

use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
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

/// Whether a refresh token may be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It was never sent.
    Fresh,
    /// It was sent, and what came back is unknown.
    Spent,
    /// It is not the newest: the store is a copy from earlier, or came here without its witness.
    FromElsewhere,
}

/// Names a token without telling it.
pub fn fingerprint(token: &str) -> String {
    let digest = Sha256::digest(token.as_bytes());
    digest.iter().take(16).map(|b| format!("{b:02x}")).collect()
}

impl Witness {
    /// Returns the witness of a refresh token.
    pub fn of(refresh: &str, sent: bool) -> Self {
        Self {
            token: fingerprint(refresh),
            sent,
        }
    }
}

/// Compares a stored refresh token with what the witness says. `previous` is the fingerprint of the
/// token that its pair came from; `None` for a first pair.
///
/// The witness is written before a token is sent and after the next pair is stored, so that of two
/// tokens that differ the stored one is either its successor or older.
pub fn standing(refresh: &str, previous: Option<&str>, witness: Option<&Witness>) -> Standing {
    let Some(witness) = witness else {
        return Standing::FromElsewhere;
    };
    if witness.token == fingerprint(refresh) {
        return match witness.sent {
            true => Standing::Spent,
            false => Standing::Fresh,
        };
    }
    match previous {
        // We ended between the two writes.
        Some(previous) if witness.sent && previous == witness.token => Standing::Fresh,
        Some(_) | None => Standing::FromElsewhere,
    }
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
