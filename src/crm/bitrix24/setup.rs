//! What must be known of a portal before anything is decided by it: whether it works with leads,
//! and whether its telephony is open to us. Read once, kept in the vault, so that a restart decides
//! as before.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::auth::vault_failure;
use super::clicks::TAKEN_FOR;
use super::client::Client;
use super::command::Command;
use super::pool::Unanswered;
use super::wire::scalar;
use crate::crm::{Class, Click, TokenVault};

/// Most clicks whose names are kept.
const TAKEN_MAX: usize = 500;

/// What is known of a portal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Setup {
    /// It works with leads beside deals (`crm.settings.mode.get`).
    pub(super) leads: bool,
    /// Telephony is closed to our credential: calls are activities.
    pub(super) telephony_closed: bool,
}

/// What stands in the vault.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Kept {
    #[serde(flatten)]
    setup: Setup,
    /// The clicks that were taken lately, with their times in Unix seconds: none is taken twice.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    clicks: Vec<(String, i64)>,
}

/// Keeps it.
pub(super) struct SetupKeeper {
    vault: Arc<dyn TokenVault>,
    known: Mutex<Option<Setup>>,
    /// Whoever changes what is kept has this.
    turn: tokio::sync::Mutex<()>,
}

impl SetupKeeper {
    pub(super) fn new(vault: Arc<dyn TokenVault>) -> Self {
        Self {
            vault,
            known: Mutex::default(),
            turn: tokio::sync::Mutex::default(),
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
        if let Some(kept) = self.kept().await? {
            *self.lock() = Some(kept.setup);
            return Ok(kept.setup);
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
        let _turn = self.turn.lock().await;
        let clicks = self.kept().await?.unwrap_or_default().clicks;
        self.save(&Kept { setup, clicks }).await?;
        *self.lock() = Some(setup);
        Ok(())
    }

    /// Returns the clicks that were not taken before. That they are now is on disk when this returns.
    pub(super) async fn take_clicks(&self, found: &[Click]) -> Result<Vec<Click>, Unanswered> {
        if found.is_empty() {
            return Ok(Vec::new());
        }
        let _turn = self.turn.lock().await;
        let kept = self.kept().await?;
        let setup = kept
            .as_ref()
            .map_or_else(|| self.present(), |kept| kept.setup);
        let mut clicks = kept.unwrap_or_default().clicks;
        let mut fresh: Vec<Click> = Vec::new();
        for click in found {
            let known = clicks.iter().any(|(name, _)| *name == click.name);
            if !known {
                clicks.push((click.name.clone(), click.at.as_secs()));
                fresh.push(click.clone());
            }
        }
        if fresh.is_empty() {
            return Ok(fresh);
        }
        // By the clicks' own time, so that a clock that was set back forgets none too soon.
        let newest = clicks.iter().map(|(_, at)| *at).max().unwrap_or_default();
        let kept_for = i64::try_from(TAKEN_FOR.as_secs()).unwrap_or(i64::MAX);
        clicks.retain(|(_, at)| newest.saturating_sub(*at) <= kept_for);
        let surplus = clicks.len().saturating_sub(TAKEN_MAX);
        clicks.drain(..surplus);
        self.save(&Kept { setup, clicks }).await?;
        Ok(fresh)
    }

    async fn kept(&self) -> Result<Option<Kept>, Unanswered> {
        let stored = self.vault.setup().await;
        let stored = stored.map_err(|error| Unanswered::Failed(vault_failure(&error)))?;
        // One of another version reads as none and is made anew.
        Ok(stored.and_then(|value| serde_json::from_value(value).ok()))
    }

    async fn save(&self, kept: &Kept) -> Result<(), Unanswered> {
        let value = serde_json::to_value(kept).unwrap_or_default();
        let saved = self.vault.save_setup(value).await;
        saved.map_err(|error| Unanswered::Failed(vault_failure(&error)))
    }

    fn lock(&self) -> MutexGuard<'_, Option<Setup>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads the mode: 1 = with leads, 2 = without (§6).
pub(super) fn is_classic(mode: &serde_json::Value) -> bool {
    scalar(mode).as_deref() == Some("1")
}
