//! Every kind of source, one line each.

use std::sync::Arc;

use serde_json::Value;

use super::{Source, SourceForm, SourceIdentity};
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
    /// What people read where they add a source of it.
    pub person: SourceForm,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::asked::Form;

    /// The secrets that every kind may have: those of its path, and of its recordings.
    const COMMON: [&str; 3] = ["hook", "hook_previous", "recordings"];

    #[test]
    fn every_kind_and_each_of_its_settings_has_a_title_in_both_languages() {
        for kind in KINDS {
            let (name, person) = (kind.name, &kind.person);
            let mut wanted: Vec<String> = kind
                .secrets
                .iter()
                .map(|secret| format!("secrets.{secret}"))
                .collect();
            for one in (kind.form.asked)() {
                let key = one.path.join(".");
                if let Form::Word(words) = one.form {
                    wanted.extend(words.iter().map(|word| format!("{key}={word}")));
                }
                wanted.push(key);
            }
            for text in [person.title, person.hint] {
                assert!(!text.ru.is_empty() && !text.en.is_empty(), "{name}");
            }
            for key in &wanted {
                let found = person.titles.iter().filter(|title| title.key == key);
                let found: Vec<_> = found.collect();
                assert_eq!(found.len(), 1, "{name}: titles of {key}");
                for title in found {
                    let texts = title.title;
                    assert!(
                        !texts.ru.is_empty() && !texts.en.is_empty(),
                        "{name}: {key}"
                    );
                    // A choice explains itself; everything else is explained.
                    assert!(
                        key.contains('=') || !title.hint_ru.is_empty(),
                        "{name}: {key}"
                    );
                }
            }
            let unknown = person.titles.iter().map(|title| title.key);
            let unknown: Vec<_> = unknown
                .filter(|key| !wanted.iter().any(|wanted| wanted == key))
                .collect();
            assert_eq!(unknown, Vec::<&str>::new(), "{name}: titles of nothing");
        }
    }

    #[test]
    fn what_is_asked_first_is_known_and_holds_all_that_a_kind_needs() {
        for kind in KINDS {
            let (name, asked) = (kind.name, (kind.form.asked)());
            for key in kind.person.first {
                let is_known = match key.strip_prefix("secrets.") {
                    Some(secret) => kind.secrets.contains(&secret) || COMMON.contains(&secret),
                    None => asked.iter().any(|one| one.path == [*key]),
                };
                assert!(is_known, "{name}: {key}");
            }
            for one in asked
                .iter()
                .filter(|one| one.required && one.path.len() == 1)
            {
                let key = one.path.concat();
                assert!(kind.person.first.contains(&key.as_str()), "{name}: {key}");
            }
        }
    }
}
