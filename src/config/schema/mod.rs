//! The two sorts of files as JSON Schema, draft 2020-12: from the types that read them, and for what
//! belongs to a kind of source or CRM from the reading of that kind. Nothing is written twice, so that
//! schema, reference and reading cannot disagree about a key, its type or its default.
//!
//! A schema is a net with wider meshes than [`load`](super::load): it knows nothing of how values go
//! together, nor whether an id, a number or a file is there. It never refuses what is accepted.

mod forms;
mod reference;
mod tidy;

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use crate::model::asked::SettingsForm;

use super::defaults::DEFAULT_FILE;
use super::document::Document;
use super::raw::{RawDaemon, RawTenantFile};
use super::recordings;
use super::source::HOOK_SECRETS;
use super::tenant::Registries;

/// A sort of file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SettingsFile {
    /// `trunkline.toml`.
    Daemon,
    /// A file of `tenants.d`.
    Tenant,
}

/// Returns the schema of a sort of file, of what this build knows.
pub fn settings_schema(file: SettingsFile) -> Value {
    schema_of(file, Registries::built_in())
}

/// Returns the reference of all settings, in Markdown.
pub fn settings_reference() -> String {
    let registries = Registries::built_in();
    let schema = |file| schema_of(file, registries);
    reference::write(
        &schema(SettingsFile::Daemon),
        &schema(SettingsFile::Tenant),
        registries,
    )
}

pub(super) fn schema_of(file: SettingsFile, registries: Registries<'_>) -> Value {
    match file {
        SettingsFile::Daemon => daemon(),
        SettingsFile::Tenant => tenant(registries),
    }
}

/// Returns the schema of a type, as serde reads it.
fn of_type<T: JsonSchema>(title: &str) -> Value {
    let settings =
        SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    let schema = settings.into_generator().into_root_schema_for::<T>();
    let mut schema = schema.to_value();
    tidy::tidy(&mut schema);
    schema["title"] = Value::from(title);
    schema
}

/// What the default file names has that default; the rest has none.
fn daemon() -> Value {
    let mut schema = of_type::<RawDaemon>("trunkline.toml");
    let defaults = Document::parse(DEFAULT_FILE.to_owned());
    let defaults = defaults.map(|document| serde::Deserialize::deserialize(&document.root));
    let defaults: Value = match defaults {
        Ok(Ok(defaults)) => defaults,
        // The file is part of the program, and a test reads it.
        Ok(Err(_)) | Err(_) => Value::Null,
    };
    lay_under(&mut schema, &defaults);
    schema
}

/// Notes the defaults of a table. Laid under what an administrator writes, they make every key one
/// that can be left out.
fn lay_under(schema: &mut Value, defaults: &Value) {
    if let Some(schema) = schema.as_object_mut() {
        schema.remove("required");
    }
    let properties = schema.get_mut("properties").and_then(Value::as_object_mut);
    for (key, property) in properties.into_iter().flatten() {
        let default = defaults.get(key);
        if property.get("properties").is_some() {
            lay_under(property, default.unwrap_or(&Value::Null));
        } else if let Some(default) = default
            && default.as_object().is_none_or(|table| !table.is_empty())
        {
            property["default"] = default.clone();
        }
    }
}

fn tenant(registries: Registries<'_>) -> Value {
    let mut schema = of_type::<RawTenantFile>("A file of tenants.d");
    let hooks = HOOK_SECRETS.to_vec();
    let source_secrets = [hooks.clone(), vec![recordings::SECRET]].concat();
    let sources = registries.sources.iter();
    let sources = sources.map(|kind| Kind {
        name: kind.name,
        secrets: [kind.secrets.to_vec(), source_secrets.clone()].concat(),
        form: kind.form,
    });
    let crms = registries.crms.iter();
    let crms = crms.map(|kind| Kind {
        name: kind.name,
        secrets: [kind.secrets.to_vec(), hooks.clone()].concat(),
        form: kind.form,
    });
    choose(&mut schema, "sources", "kind", &sources.collect::<Vec<_>>());
    choose(&mut schema, "accounts", "crm", &crms.collect::<Vec<_>>());
    schema
}

/// A kind of source or CRM.
struct Kind {
    name: &'static str,
    secrets: Vec<&'static str>,
    form: SettingsForm,
}

/// Returns what the secrets of a kind are for.
fn secret_words(kind: &Kind) -> Map<String, Value> {
    let described = kind.secrets.iter().filter_map(|name| {
        let own = kind.form.words_of(&format!("secrets.{name}"));
        let words = own.or_else(|| words_of_common(name))?;
        Some(((*name).to_owned(), json!({ "description": words })))
    });
    described.collect()
}

/// Returns what a secret is for that belongs to no kind.
fn words_of_common(name: &str) -> Option<&'static str> {
    let words = [
        "What stands at the end of the address that is pasted elsewhere: 16 or more letters, digits, `-`, `_`, \
         `.` and `~`.",
        "The secret of the address before it, while one replaces the other.",
    ];
    let mut hooks = HOOK_SECRETS.into_iter().zip(words);
    let found = hooks.find(|(hook, _)| *hook == name);
    match found {
        Some((_, words)) => Some(words),
        None if name == recordings::SECRET => {
            Some("The password or key of the web server where recordings lie.")
        }
        None => None,
    }
}

/// Has the word in `chooser` decide what `settings` and `secrets` of an entry hold.
fn choose(schema: &mut Value, list: &str, chooser: &str, kinds: &[Kind]) {
    let entry = &mut schema["properties"][list]["items"];
    let names: Vec<&str> = kinds.iter().map(|kind| kind.name).collect();
    entry["properties"][chooser]["enum"] = json!(names);
    let branches = kinds.iter().map(|kind| {
        let settings = forms::table(&kind.form);
        let mut then = Map::new();
        if settings.get("required").is_some() {
            then.insert("required".to_owned(), json!(["settings"]));
        }
        let secrets = json!({
            "propertyNames": { "enum": kind.secrets },
            "properties": secret_words(kind),
        });
        then.insert(
            "properties".to_owned(),
            json!({ "settings": settings, "secrets": secrets }),
        );
        json!({
            "if": { "properties": { chooser: { "const": kind.name } }, "required": [chooser] },
            "then": then,
        })
    });
    entry["allOf"] = branches.collect();
}
