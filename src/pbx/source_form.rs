//! What people read and type where they add a source: said by each kind, so that no page knows any.

use schemars::JsonSchema;
use serde::Serialize;

use crate::model::words::Words;

/// A kind of source as people see it. What a key is for stands in English in the kind's
/// [`SettingsForm`](crate::model::asked::SettingsForm).
#[derive(Debug, Clone, Copy, Serialize)]
pub struct SourceForm {
    /// What people call it.
    pub title: Words,
    /// What it is, and what is made ready on the other side before.
    pub hint: Words,
    /// What is asked first, in order: keys of its `settings`, and secrets as `secrets.NAME`. The rest
    /// can be left as it is.
    pub first: &'static [&'static str],
    /// What its keys, its secrets (`secrets.NAME`) and the words of its choices (`KEY=WORD`) are called.
    pub titles: &'static [SettingTitle],
}

/// What a setting is called.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
pub struct SettingTitle {
    /// The setting, by its way from the `settings` table; secrets.NAME, or KEY=WORD for a choice.
    pub key: &'static str,
    /// What it is called.
    pub title: Words,
    /// What it is for, in Russian; empty where the title says it.
    pub hint_ru: &'static str,
}

/// Says what a setting is called, and in Russian what it is for.
pub const fn title(
    key: &'static str,
    en: &'static str,
    ru: &'static str,
    hint_ru: &'static str,
) -> SettingTitle {
    SettingTitle {
        key,
        title: Words { ru, en },
        hint_ru,
    }
}
