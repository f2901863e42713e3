//! A vault for a pair of tokens that tests can look into, copy and put back.

use std::sync::{Arc, Mutex};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use trunkline::crm::VaultError;
use trunkline::crm::pair_vault::{PairTurn, PairVault, Witness};
use trunkline::model::secret::Secret;

#[derive(Default)]
pub(super) struct MemoryPairs {
    turn: Arc<tokio::sync::Mutex<()>>,
    pub(super) stored: Mutex<Option<Secret>>,
    pub(super) witness: Mutex<Option<Witness>>,
    /// Writing the store fails: the process ends there.
    pub(super) store_is_gone: Mutex<bool>,
}

impl PairVault for MemoryPairs {
    fn turn(&self) -> BoxFuture<'_, PairTurn> {
        Arc::clone(&self.turn).lock_owned().boxed()
    }

    fn load(&self) -> BoxFuture<'_, Result<Option<Secret>, VaultError>> {
        async { Ok(self.stored.lock().expect("no panic").clone()) }.boxed()
    }

    fn save(&self, pair: Secret) -> BoxFuture<'_, Result<(), VaultError>> {
        async move {
            if *self.store_is_gone.lock().expect("no panic") {
                return Err(VaultError::Closed);
            }
            *self.stored.lock().expect("no panic") = Some(pair);
            Ok(())
        }
        .boxed()
    }

    fn witness(&self) -> BoxFuture<'_, Result<Option<Witness>, VaultError>> {
        async { Ok(self.witness.lock().expect("no panic").clone()) }.boxed()
    }

    fn save_witness(&self, witness: Witness) -> BoxFuture<'_, Result<(), VaultError>> {
        async move {
            *self.witness.lock().expect("no panic") = Some(witness);
            Ok(())
        }
        .boxed()
    }
}
