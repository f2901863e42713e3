//! Installations that wait for an administrator, on disk: of each portal and application there is
//! one, and none waits for ever.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tokio::sync::{Mutex, MutexGuard};

use crate::app::vault::vault_error;
use crate::crm::{Bundle, Removal, VaultError};
use crate::model::secret::{Secret, is_one_of};
use crate::model::timestamp::Timestamp;
use crate::store::{INSTALLATIONS, StoreHandle};

/// The form in which they are kept.
const FORM: u32 = 1;

/// One that waits, as it is kept.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Waiting {
    pub(super) crm: String,
    pub(super) application: String,
    #[serde(default)]
    pub(super) installed_by: Option<String>,
    pub(super) at: Timestamp,
    pub(super) bundle: Bundle,
}

impl Waiting {
    /// Names it: of each portal and application there is one.
    pub(super) fn id(&self) -> String {
        let of = [&self.crm, &self.bundle.portal_id, &self.application];
        let digest = Sha256::digest(of.map(String::as_str).join("|").as_bytes());
        digest.iter().take(6).map(|b| format!("{b:02x}")).collect()
    }

    /// Says whether word of a removal is of its portal.
    pub(super) fn is_of(&self, crm: &str, removal: &Removal) -> bool {
        let Some(proof) = &self.bundle.proof else {
            return false;
        };
        let is_portal = self.crm == crm && self.bundle.portal_id == removal.portal_id;
        is_portal && is_one_of(&removal.proof, [&Secret::new(proof.clone())])
    }
}

#[derive(Serialize, Deserialize)]
struct Kept {
    form: u32,
    #[serde(default)]
    waiting: Vec<Waiting>,
}

/// Those that wait. Who changes them writes them down first.
pub(super) struct WaitingList {
    store: StoreHandle,
    /// Once they were read.
    read: Mutex<Option<Vec<Waiting>>>,
}

impl WaitingList {
    pub(super) fn new(store: StoreHandle) -> Self {
        Self {
            store,
            read: Mutex::default(),
        }
    }

    /// Returns those that have not waited for so long yet; nobody else changes them meanwhile.
    pub(super) async fn turn(
        &self,
        now: Timestamp,
        longest: Duration,
    ) -> Result<Turn<'_>, VaultError> {
        let mut read = self.read.lock().await;
        if read.is_none() {
            *read = Some(self.stored().await?);
        }
        let store = &self.store;
        let mut turn = Turn { store, read };
        let waits = |one: &Waiting| now.since(one.at) < longest;
        if !turn.list().iter().all(waits) {
            let mut list = turn.list().to_vec();
            list.retain(waits);
            turn.write(list).await?;
        }
        Ok(turn)
    }

    async fn stored(&self) -> Result<Vec<Waiting>, VaultError> {
        let stored = self.store.credential(INSTALLATIONS).await;
        let stored = stored.map_err(vault_error)?;
        let kept = stored.and_then(|text| serde_json::from_str::<Kept>(text.expose()).ok());
        // One of a later form is not ours to read; portals can install us again.
        let kept = kept.filter(|kept| kept.form == FORM);
        Ok(kept.map(|kept| kept.waiting).unwrap_or_default())
    }
}

/// Those that wait, while nobody else changes them.
pub(super) struct Turn<'a> {
    store: &'a StoreHandle,
    read: MutexGuard<'a, Option<Vec<Waiting>>>,
}

impl Turn<'_> {
    pub(super) fn list(&self) -> &[Waiting] {
        self.read.as_deref().unwrap_or_default()
    }

    /// Writes down who waits from now on.
    pub(super) async fn write(&mut self, list: Vec<Waiting>) -> Result<(), VaultError> {
        let kept = Kept {
            form: FORM,
            waiting: list,
        };
        // Plain texts and numbers always can be written.
        let text = Secret::new(serde_json::to_string(&kept).unwrap_or_default());
        let saved = self.store.put_credential(INSTALLATIONS, text).await;
        saved.map_err(vault_error)?;
        *self.read = Some(kept.waiting);
        Ok(())
    }
}
