//! Every CRM, one line each.

use std::sync::Arc;

use serde_json::Value;

use super::{AccountSettings, CredentialForm, Embedding, Installer};
use crate::model::asked::SettingsForm;
use crate::model::mistake::Mistake;

/// A kind of CRM.
pub struct CrmKind {
    /// The word that stands in `crm = "…"`.
    pub name: &'static str,
    /// What it says to people, in Russian: see [`Phrasebook`](crate::model::phrasebook::Phrasebook).
    pub russian: &'static str,
    /// The names of the secrets that it knows; others are refused. They reach the adapter through
    /// its [`TokenVault`](super::TokenVault).
    pub secrets: &'static [&'static str],
    /// What its `settings` table and its secrets are, for schema and reference.
    pub form: SettingsForm,
    /// What a person types to add an account.
    pub credential: CredentialForm,
    /// Reads the `settings` table of an account, or names every mistake. The second argument
    /// replaces the address of the portal where `trunkline.toml` says so: rehearsals against
    /// simulators.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crm::EntryKind;

    #[test]
    fn a_form_asks_for_what_its_crm_knows_and_for_all_that_it_needs() {
        for kind in KINDS {
            let asked = (kind.form.asked)();
            let (form, name) = (&kind.credential, kind.name);
            assert!(!form.ways.is_empty() && !form.title.is_empty(), "{name}");
            for way in form.ways {
                let place = format!("{name}, {}", way.name);
                for field in way.fields {
                    let is_known = match field.kind {
                        EntryKind::Secret => kind.secrets.contains(&field.key),
                        _ => asked.iter().any(|one| one.path == [field.key]),
                    };
                    assert!(is_known, "{place}: {}", field.key);
                    for words in [field.title, field.hint] {
                        assert!(!words.ru.is_empty() && !words.en.is_empty(), "{place}");
                    }
                }
                let needed = asked
                    .iter()
                    .filter(|one| one.required && one.path.len() == 1);
                for one in needed {
                    let key = one.path.concat();
                    let is_there = way.fields.iter().any(|field| field.key == key);
                    assert!(key == "url" || is_there, "{place} asks for no {key}");
                }
                assert_eq!(
                    form.ways
                        .iter()
                        .filter(|other| other.name == way.name)
                        .count(),
                    1,
                    "{place}"
                );
            }
        }
    }
}
