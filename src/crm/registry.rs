//! Every CRM, one line each.

use std::sync::Arc;

use serde_json::Value;

use super::{AccountSettings, Embedding, Installer};
use crate::model::asked::SettingsForm;
use crate::model::mistake::Mistake;

/// A kind of CRM.
pub struct CrmKind {
    /// The word that stands in `crm = "…"`.
    pub name: &'static str,
    /// The names of the secrets that it knows; others are refused. They reach the adapter through
    /// its [`TokenVault`](super::TokenVault).
    pub secrets: &'static [&'static str],
    /// What its `settings` table and its secrets are, for schema and reference.
    pub form: SettingsForm,
    /// Reads the `settings` table of an account, or names every mistake. The second argument replaces the address of the portal where `trunkline.toml` says
    /// so: rehearsals against simulators.
    pub build: BuildAccount,
    /// How its portals install an application of ours by themselves, where they can.
    pub installer: Option<&'static dyn Installer>,
    /// How the operators' workplace gets into it.
    pub embedding: Embedding,
}

/// Reads an account's settings, see [`CrmKind::build`].
pub type BuildAccount = fn(&Value, Option<&str>) -> Result<Arc<dyn AccountSettings>, Vec<Mistake>>;

/// The CRMs that this build knows.
pub const KINDS: &[CrmKind] = &[
    super::alfacrm::KIND,
    super::amocrm::KIND,
    super::bitrix24::KIND,
    super::planfix::KIND,
];

/// Returns the kind of this name.
pub fn find(name: &str) -> Option<&'static CrmKind> {
    KINDS.iter().find(|kind| kind.name == name)
}
