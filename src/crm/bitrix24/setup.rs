//! What must be known of a portal before anything is decided by it: whether it works with leads,
//! and whether its telephony is open to us. Read once, kept in the vault, so that a restart decides
//! as before.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::auth::vault_failure;
use super::client::Client;
use super::command::Command;
use super::pool::Unanswered;
use super::wire::scalar;
use crate::crm::{Class, TokenVault};

/// What is known of a portal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Setup {
    /// It works with leads beside deals (`crm.settings.mode.get`).
    pub(super) leads: bool,
    /// Telephony is closed to our credential: calls are activities.
    pub(super) telephony_closed: bool,
}

/// Keeps it.
pub(super) struct SetupKeeper {
    vault: Arc<dyn TokenVault>,
    known: Mutex<Option<Setup>>,
}

impl SetupKeeper {
    pub(super) fn new(vault: Arc<dyn TokenVault>) -> Self {
        Self {
            vault,
            known: Mutex::default(),
        }
    }

    /// Returns what is known at this moment; nothing yet is taken for a portal without leads whose
    /// telephony is open.
    pub(super) fn present(&self) -> Setup {
        self.lock().unwrap_or_default()
    }

    /// Makes sure that the portal is known.
    pub(super) async fn ready(&self, client: &Client, class: Class) -> Result<Setup, Unanswered> {
        if let Some(known) = *self.lock() {
            return Ok(known);
        }
        let stored = self.vault.setup().await;
        let stored = stored.map_err(|error| Unanswered::Failed(vault_failure(&error)))?;
        // One of another version reads as none and is made anew.
        if let Some(setup) = stored.and_then(|value| serde_json::from_value(value).ok()) {
            *self.lock() = Some(setup);
            return Ok(setup);
        }
        let asked = Command::new("crm.settings.mode.get", json!({}));
        let leads = match client.read("mode", asked, class).await {
            Ok(answered) => is_classic(&answered.value),
            // A portal that does not tell is served with deals, which all have.
            Err(Unanswered::Refused(_)) => false,
            Err(failed) => return Err(failed),
        };
        let setup = Setup {
            leads,
            ..self.present()
        };
        self.note(setup).await?;
        Ok(setup)
    }

    /// Takes note of what was found out.
    pub(super) async fn note(&self, setup: Setup) -> Result<(), Unanswered> {
        if *self.lock() == Some(setup) {
            return Ok(());
        }
        let value = serde_json::to_value(setup).unwrap_or_default();
        let saved = self.vault.save_setup(value).await;
        saved.map_err(|error| Unanswered::Failed(vault_failure(&error)))?;
        *self.lock() = Some(setup);
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Option<Setup>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads the mode: 1 = with leads, 2 = without (§6).
pub(super) fn is_classic(mode: &serde_json::Value) -> bool {
    scalar(mode).as_deref() == Some("1")
}
