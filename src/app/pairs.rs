//! Rotating pairs of tokens: in the store, with a witness beside it.
//!
//! The witness is a small file next to the database. A database that is copied back from a backup,
//! or to another machine, comes without it or beside a newer one, and so its refresh tokens, which
//! are spent, are not sent (`docs/install.md`).

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::crm::VaultError;
use crate::crm::pair_vault::{PairTurn, PairVault, Witness};
use crate::model::ids::{AccountId, TenantId};
use crate::model::secret::Secret;
use crate::store::StoreHandle;

use super::vault::vault_error;

/// The witness's name beside the database.
const FILE: &str = "token-witness.json";

/// What all accounts share: the witness, and whose turn it is.
pub(super) struct Pairs {
    store: StoreHandle,
    witness: Arc<WitnessFile>,
    turns: Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>,
}

impl Pairs {
    /// Keeps the witness in the database's folder.
    pub(super) fn new(store: StoreHandle, folder: &Path) -> Self {
        Self {
            store,
            witness: Arc::new(WitnessFile {
                path: folder.join(FILE),
                writing: Mutex::new(()),
            }),
            turns: Mutex::default(),
        }
    }

    /// Returns the place of an account. Two that are opened for one account, around a reload, take
    /// turns.
    pub(super) fn of(&self, tenant: &TenantId, account: &AccountId) -> AccountPair {
        let name = format!("account/{tenant}/{account}/pair");
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        let turn = turns.entry(name.clone()).or_default();
        AccountPair {
            store: self.store.clone(),
            witness: Arc::clone(&self.witness),
            turn: Arc::clone(turn),
            name,
        }
    }

    /// Waits until no rotation is under way, and lets none begin any more.
    pub(super) async fn close(&self) {
        let turns: Vec<_> = {
            let turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
            turns.values().cloned().collect()
        };
        for turn in turns {
            std::mem::forget(turn.lock_owned().await);
        }
    }
}

/// One account's place.
pub(super) struct AccountPair {
    store: StoreHandle,
    witness: Arc<WitnessFile>,
    turn: Arc<tokio::sync::Mutex<()>>,
    name: String,
}

impl AccountPair {
    /// Returns under which name the pair is stored.
    pub(super) fn name(&self) -> &str {
        &self.name
    }
}

impl PairVault for AccountPair {
    fn turn(&self) -> BoxFuture<'_, PairTurn> {
        Arc::clone(&self.turn).lock_owned().boxed()
    }

    fn load(&self) -> BoxFuture<'_, Result<Option<Secret>, VaultError>> {
        async move {
            let stored = self.store.credential(self.name.clone()).await;
            stored.map_err(vault_error)
        }
        .boxed()
    }

    fn save(&self, pair: Secret) -> BoxFuture<'_, Result<(), VaultError>> {
        async move {
            let saved = self.store.put_credential(self.name.clone(), pair).await;
            saved.map_err(vault_error)
        }
        .boxed()
    }

    fn witness(&self) -> BoxFuture<'_, Result<Option<Witness>, VaultError>> {
        let (file, name) = (Arc::clone(&self.witness), self.name.clone());
        blocking(move || file.read().map(|mut all| all.remove(&name))).boxed()
    }

    fn save_witness(&self, witness: Witness) -> BoxFuture<'_, Result<(), VaultError>> {
        let (file, name) = (Arc::clone(&self.witness), self.name.clone());
        blocking(move || file.put(name, witness)).boxed()
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, VaultError> {
    let done = tokio::task::spawn_blocking(work).await;
    let failed = |error: &dyn std::fmt::Display| VaultError::Witness(error.to_string());
    done.map_err(|error| failed(&error))?
        .map_err(|error| failed(&error))
}

struct WitnessFile {
    path: PathBuf,
    writing: Mutex<()>,
}

impl WitnessFile {
    /// Reads everything. No file says nothing; one that cannot be read is an error, since what it
    /// says of others must not be lost by writing it anew.
    fn read(&self) -> io::Result<BTreeMap<String, Witness>> {
        let text = match fs::read(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
            Err(error) => return Err(named(&self.path, "read", &error)),
        };
        serde_json::from_slice(&text).map_err(|error| {
            let error = io::Error::new(io::ErrorKind::InvalidData, error);
            named(&self.path, "read", &error)
        })
    }

    /// Replaces what is said of one account; on disk when it returns.
    fn put(&self, name: String, witness: Witness) -> io::Result<()> {
        let _alone = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all = self.read()?;
        all.insert(name, witness);
        self.write(&all)
            .map_err(|error| named(&self.path, "write", &error))
    }

    fn write(&self, all: &BTreeMap<String, Witness>) -> io::Result<()> {
        let fresh = self.path.with_extension("json.new");
        let mut file = File::create(&fresh)?;
        file.write_all(&serde_json::to_vec_pretty(all)?)?;
        file.sync_all()?;
        fs::rename(&fresh, &self.path)?;
        let folder = self.path.parent().unwrap_or(Path::new("."));
        File::open(folder)?.sync_all()
    }
}

fn named(path: &Path, what: &str, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{what} {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn witness(token: &str, sent: bool) -> Witness {
        Witness {
            token: token.to_owned(),
            sent,
        }
    }

    #[test]
    fn what_is_said_of_one_account_leaves_the_others_as_they_are() {
        let folder = tempfile::tempdir().unwrap();
        let open = || WitnessFile {
            path: folder.path().join(FILE),
            writing: Mutex::new(()),
        };
        assert!(open().read().unwrap().is_empty());
        open().put("a".to_owned(), witness("1", false)).unwrap();
        open().put("b".to_owned(), witness("2", true)).unwrap();
        open().put("a".to_owned(), witness("3", true)).unwrap();
        let all = open().read().unwrap();
        assert_eq!(all.get("a"), Some(&witness("3", true)));
        assert_eq!(all.get("b"), Some(&witness("2", true)));
    }

    #[test]
    fn a_file_that_cannot_be_read_is_an_error_and_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        fs::write(&path, "{").unwrap();
        let file = WitnessFile {
            path: path.clone(),
            writing: Mutex::new(()),
        };
        let error = file.put("a".to_owned(), witness("1", false)).unwrap_err();
        assert!(error.to_string().contains(FILE), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "{");
    }
}
