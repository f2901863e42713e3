//! Every kind of source, one line each.

use std::sync::Arc;

use serde_json::Value;

use super::{Source, SourceIdentity};
use crate::model::asked::SettingsForm;
use crate::model::mistake::Mistake;
use crate::model::secret::Secrets;

/// A kind of source.
pub struct SourceKind {
    /// The word that stands in `kind = "…"`.
    pub name: &'static str,
    /// What it says to people, in Russian: see [`Phrasebook`](crate::model::phrasebook::Phrasebook).
    pub russian: &'static str,
    /// The names of the secrets that it knows; others are refused.
    pub secrets: &'static [&'static str],
    /// What its `settings` table and its secrets are, for schema and reference.
    pub form: SettingsForm,
    /// Builds a source from its `settings` table and its resolved secrets, or names every mistake.
    pub build: BuildSource,
}

/// Builds a source, see [`SourceKind::build`].
pub type BuildSource =
    fn(SourceIdentity, &Value, &Secrets) -> Result<Arc<dyn Source>, Vec<Mistake>>;

/// The kinds of source that this build knows.
pub const KINDS: &[SourceKind] = &[
    super::asterisk::KIND,
    super::uis::KIND,
    super::itoolabs::KIND,
    super::webhook::KIND,
];

/// Returns the kind of this name.
pub fn find(name: &str) -> Option<&'static SourceKind> {
    KINDS.iter().find(|kind| kind.name == name)
}
