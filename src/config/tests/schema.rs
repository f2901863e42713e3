//! Schema, reference and reading of the settings agree.

use std::fs;
use std::path::{Path, PathBuf};

use boon::{Compiler, SchemaIndex, Schemas};
use serde_json::{Value, json};

use super::Folder;
use super::kinds;
use crate::config::document::Document;
use crate::config::schema::schema_of;
use crate::config::tenant::Registries;
use crate::config::{DEFAULT_FILE, SettingsFile, load_with, settings_reference, settings_schema};

/// A company that sets nearly everything there is.
const EVERY_SETTING: &str = include_str!("every_setting.toml");
const EVERY_TABLE: &str = include_str!("every_table.toml");

const CALENDAR: &str = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20270101\r\n\
                        END:VEVENT\r\nEND:VCALENDAR\r\n";

/// A schema that was checked against the standard's own, ready to judge.
struct Validator {
    schemas: Schemas,
    index: SchemaIndex,
}

impl Validator {
    fn new(schema: Value) -> Self {
        let name = "https://trunkline.example/settings.json";
        let mut compiler = Compiler::new();
        compiler.add_resource(name, schema).expect("a resource");
        let mut schemas = Schemas::new();
        let index = compiler.compile(name, &mut schemas);
        let index = index.unwrap_or_else(|error| panic!("it is no JSON Schema: {error:#}"));
        Self { schemas, index }
    }

    fn judge(&self, instance: &Value) -> Result<(), String> {
        let verdict = self.schemas.validate(instance, self.index);
        verdict.map_err(|error| format!("{error:#}"))
    }

    fn is_valid(&self, instance: &Value) -> bool {
        self.judge(instance).is_ok()
    }
}

fn validator(file: SettingsFile) -> Validator {
    Validator::new(settings_schema(file))
}

/// Reads a file as JSON, as the loader does; dates are texts.
fn json_of(text: &str) -> Value {
    let document = Document::parse(text.to_owned()).expect("it is TOML");
    serde::Deserialize::deserialize(&document.root).expect("every tree is a JSON value")
}

#[track_caller]
fn permits(validator: &Validator, what: &str, instance: &Value) {
    assert_eq!(validator.judge(instance), Ok(()), "{what}");
}

fn folder() -> Folder {
    let folder = Folder::new();
    folder.write("tenants.d/secret", "0123456789abcdef");
    folder.write("tenants.d/closed.ics", CALENDAR);
    folder
}

/// Says whether the files of a folder are accepted, with this build's kinds.
fn accepted(folder: &Folder) -> Result<(), String> {
    let path = folder.path("trunkline.toml");
    match load_with(&path, &folder.environment(), Registries::built_in()) {
        Ok(_) => Ok(()),
        Err(mistakes) => Err(folder.lines(&mistakes)),
    }
}

fn is_accepted(folder: &Folder, instance: &Value) -> bool {
    // What TOML cannot write, nobody can load.
    let Ok(text) = toml::to_string(instance) else {
        return false;
    };
    folder.write("tenants.d/demo.toml", &text);
    accepted(folder).is_ok()
}

#[test]
fn the_written_schemas_and_the_reference_are_those_of_this_build() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let pretty = |file| format!("{:#}\n", settings_schema(file));
    for (name, wanted, command) in [
        (
            "trunkline.schema.json",
            pretty(SettingsFile::Daemon),
            "schema --kind daemon",
        ),
        (
            "tenant.schema.json",
            pretty(SettingsFile::Tenant),
            "schema --kind tenant",
        ),
        ("settings-reference.md", settings_reference(), "reference"),
    ] {
        let file = docs.join(name);
        if std::env::var_os("WRITE_DOCS").is_some() {
            fs::write(&file, &wanted).expect("it is written");
        }
        let written = fs::read_to_string(&file).expect("it is there");
        // No comparison of two long texts on the screen.
        assert!(
            written == wanted,
            "docs/{name} is of another build: cargo run --bin trunkline -- settings {command} > docs/{name}, or \
             this test with WRITE_DOCS=1"
        );
    }
}

#[test]
fn every_key_says_what_it_is_for() {
    let mut silent = Vec::new();
    for (file, schema) in [
        ("trunkline.toml", settings_schema(SettingsFile::Daemon)),
        ("tenants.d", settings_schema(SettingsFile::Tenant)),
    ] {
        find_silent(file, &schema, &mut silent);
    }
    for kind in crate::pbx::registry::KINDS {
        secrets_without_words(kind.name, kind.secrets, &kind.form, &mut silent);
    }
    for kind in crate::crm::registry::KINDS {
        secrets_without_words(kind.name, kind.secrets, &kind.form, &mut silent);
    }
    assert!(silent.is_empty(), "no words for {silent:#?}");
}

fn secrets_without_words(
    kind: &str,
    secrets: &[&str],
    form: &crate::model::asked::SettingsForm,
    silent: &mut Vec<String>,
) {
    let without = |secret: &&&str| form.words_of(&format!("secrets.{secret}")).is_none();
    silent.extend(
        secrets
            .iter()
            .filter(without)
            .map(|secret| format!("{kind} {secret}")),
    );
    // Words of a key that is gone.
    let asked = (form.asked)();
    for (path, _) in form.words {
        let is_secret = path
            .strip_prefix("secrets.")
            .is_some_and(|name| secrets.contains(&name));
        if !is_secret && !asked.iter().any(|one| one.path.join(".") == *path) {
            silent.push(format!("{kind} {path}, which is no key"));
        }
    }
}

fn find_silent(way: &str, schema: &Value, silent: &mut Vec<String>) {
    match schema {
        Value::Object(entries) => {
            for (key, value) in entries {
                if key == "properties" && !way.ends_with(".if") {
                    for (name, property) in value.as_object().expect("properties") {
                        let way = format!("{way}.{name}");
                        // The branch of a kind says more about what is described above it, and a
                        // word that chooses a table is told with the table.
                        let said = property.get("description").is_some()
                            || property.get("const").is_some()
                            || way.ends_with(".then.settings")
                            || way.ends_with(".then.secrets");
                        if !said {
                            silent.push(way.clone());
                        }
                        find_silent(&way, property, silent);
                    }
                } else if key != "default" {
                    find_silent(&format!("{way}.{key}"), value, silent);
                }
            }
        }
        Value::Array(items) => {
            for item in items {
                find_silent(way, item, silent);
            }
        }
        _ => {}
    }
}

#[test]
fn every_example_keeps_to_the_schema() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let daemon = validator(SettingsFile::Daemon);
    let tenant = validator(SettingsFile::Tenant);
    permits(&daemon, "the defaults", &json_of(DEFAULT_FILE));
    permits(&daemon, "nothing", &json!({}));
    let mut seen = 0;
    for folder in ["config", "lab", "tests/it/process/etc", "tests/asterisk"] {
        for file in toml_files(&root.join(folder)) {
            let text = fs::read_to_string(&file).expect("it is there");
            // Words that a test fills in.
            let text = text.replace("@AMI_PORT@", "5038").replace('@', "0");
            let Ok(document) = Document::parse(text.clone()) else {
                continue;
            };
            let sort = match document.root.get("tenant") {
                // A day of the lab names the company that it is for.
                Some(tenant) if tenant.as_str().is_some() => continue,
                Some(_) => &tenant,
                None if document.root.get("store").is_some() => &daemon,
                // A day of the lab.
                None => continue,
            };
            permits(sort, &file.display().to_string(), &json_of(&text));
            seen += 1;
        }
    }
    assert!(seen > 8, "{seen} examples were found");
}

fn toml_files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files = Vec::new();
    for path in entries.map(|entry| entry.path()) {
        if path.is_dir() {
            files.extend(toml_files(&path));
        } else if path
            .extension()
            .is_some_and(|extension| extension == "toml")
        {
            files.push(path);
        }
    }
    files
}

#[test]
fn what_is_accepted_keeps_to_the_schema() {
    let folder = folder();
    folder.write("tenants.d/demo.toml", EVERY_SETTING);
    assert_eq!(accepted(&folder), Ok(()));
    permits(
        &validator(SettingsFile::Tenant),
        "every setting",
        &json_of(EVERY_SETTING),
    );
    // The kinds of these files are made up, and their settings are not described.
    let schema = schema_of(SettingsFile::Tenant, kinds::registries());
    let made_up = Validator::new(schema);
    permits(&made_up, "every table", &json_of(EVERY_TABLE));
    permits(&made_up, "the tests' own", &json_of(super::TENANT));
}

/// The ways to every value of a tree, as JSON pointers.
fn pointers(value: &Value, way: &str, found: &mut Vec<String>) {
    found.push(way.to_owned());
    match value {
        Value::Object(entries) => {
            for (key, value) in entries {
                pointers(value, &format!("{way}/{key}"), found);
            }
        }
        Value::Array(items) => {
            for (position, value) in items.iter().enumerate() {
                pointers(value, &format!("{way}/{position}"), found);
            }
        }
        _ => {}
    }
}

/// Changes every value of the file in turn, and has both judge it.
fn judge(spoil: impl Fn(&mut Value) -> bool, mut verdict: impl FnMut(&str, bool, bool)) {
    let tenant = validator(SettingsFile::Tenant);
    let folder = folder();
    let whole = json_of(EVERY_SETTING);
    let mut ways = Vec::new();
    pointers(&whole, "", &mut ways);
    for way in ways {
        let mut spoilt = whole.clone();
        let value = spoilt.pointer_mut(&way).expect("it is there");
        if spoil(value) {
            let by_schema = tenant.is_valid(&spoilt);
            let by_loader = is_accepted(&folder, &spoilt);
            verdict(&way, by_schema, by_loader);
        }
    }
}

#[test]
fn a_wrong_key_is_refused_by_both_in_every_table() {
    let mut tables = 0;
    let spoil = |value: &mut Value| match value {
        Value::Object(entries) => entries
            .insert("wrong_key".to_owned(), json!(true))
            .is_none(),
        _ => false,
    };
    judge(spoil, |way, by_schema, by_loader| {
        assert!(!by_schema, "{way}: the schema permits a wrong key");
        assert!(!by_loader, "{way}: the loader accepts a wrong key");
        tables += 1;
    });
    assert!(tables > 60, "{tables} tables were spoilt");
}

#[test]
fn a_value_of_the_wrong_type_is_refused_by_both() {
    let mut values = 0;
    let spoil = |value: &mut Value| {
        *value = match value {
            Value::Object(_) | Value::Array(_) => json!(5),
            _ => json!({ "x": [] }),
        };
        true
    };
    judge(spoil, |way, by_schema, by_loader| {
        assert!(!by_schema, "{way}: the schema permits a wrong type");
        assert!(!by_loader, "{way}: the loader accepts a wrong type");
        values += 1;
    });
    assert!(values > 250, "{values} values were spoilt");
}

#[test]
fn the_schema_refuses_nothing_that_is_accepted() {
    let spoils: [fn(&mut Value) -> bool; 4] = [
        // A key less.
        |value| match value {
            Value::Object(entries) => {
                let first = entries.keys().next().cloned();
                first.is_some_and(|key| entries.remove(&key).is_some())
            }
            _ => false,
        },
        // An empty list, and an empty text.
        |value| {
            let items = value.as_array_mut();
            items.map(Vec::clear).is_some()
        },
        |value| {
            let is_text = value.is_string();
            if is_text {
                *value = json!("");
            }
            is_text
        },
        // Numbers near their bounds.
        |value| {
            let number = value.as_i64();
            if number.is_some() {
                *value = json!(0);
            }
            number.is_some()
        },
    ];
    for spoil in spoils {
        judge(spoil, |way, by_schema, by_loader| {
            assert!(
                by_schema || !by_loader,
                "{way}: accepted, and refused by the schema"
            );
        });
    }
}

#[test]
fn words_and_bounds_are_the_same_in_both() {
    let daemon = validator(SettingsFile::Daemon);
    let folder = folder();
    folder.write("tenants.d/demo.toml", EVERY_SETTING);
    for (text, good) in [
        ("[store]\nretention_days = 1", true),
        (
            "[store]\nretention_days = 3650\n[recordings]\nretention_days = 30",
            true,
        ),
        ("[store]\nretention_days = 0", false),
        ("[store]\nretention_days = 3651", false),
        ("[store]\nfree_mb_min = 16", true),
        ("[store]\nfree_mb_min = 15", false),
        ("[store]\nsize_mb_max = 64", true),
        ("[store]\nsize_mb_max = 63", false),
        ("[intake]\nbody_bytes_max = 4096", true),
        ("[intake]\nbody_bytes_max = 4095", false),
        ("[intake]\nbody_bytes_max = 16777216", true),
        ("[intake]\nbody_bytes_max = 16777217", false),
        ("[intake]\nsource_requests_per_second_max = 0", false),
        ("[intake]\nstranger_requests_per_minute_max = 0", false),
        ("[log]\nlevel = \"debug\"", true),
        ("[log]\nlevel = \"loud\"", false),
        ("[log]\nformat = \"json\"\nshow_numbers = true", true),
        ("[admin]\nlisten = 8460", false),
        ("tenants_dirs = \"x\"", false),
    ] {
        assert_eq!(daemon.is_valid(&json_of(text)), good, "schema: {text}");
        folder.write("trunkline.toml", text);
        let loaded = accepted(&folder);
        assert_eq!(loaded.is_ok(), good, "loader: {text}: {loaded:?}");
    }
    folder.write("trunkline.toml", "");
    let tenant = validator(SettingsFile::Tenant);
    for (from, to, good) in [
        ("live_within_ms = 300", "live_within_ms = 49", false),
        ("live_within_ms = 300", "live_within_ms = 50", true),
        ("live_within_ms = 300", "live_within_ms = 5001", false),
        ("day_share = 70", "day_share = 0", false),
        ("day_share = 70", "day_share = 100", true),
        ("usual_code = 2", "usual_code = 1000", false),
        ("keep_alive_s = 20", "keep_alive_s = 301", false),
        ("trusted_hours = 48", "trusted_hours = 1", false),
        ("poll_seconds = 15", "poll_seconds = 4", false),
        ("rate_per_second = 6.5", "rate_per_second = 0.4", false),
        ("written_forms = false", "written_forms = 0", false),
        ("plan = \"enterprise\"", "plan = \"big\"", false),
        ("login = \"md5\"", "login = \"md4\"", false),
        ("kind = \"cel_table\"", "kind = \"cel\"", false),
        ("kind = \"webhook\"", "kind = \"web\"", false),
        ("crm = \"bitrix24\"", "crm = \"bitrix\"", false),
        ("telephony = \"ours\"", "telephony = \"mine\"", false),
        ("kind = \"deal_always\"", "kind = \"deal_never\"", false),
        ("kind = \"deal_always\"", "name = \"deal_always\"", false),
        (
            "parameter = \"campaign\", values = [\"spring\"] }\ncontact",
            "parameter = \"colour\", values = [\"spring\"] }\ncontact",
            false,
        ),
        ("crm_token = {", "crm_tokens = {", false),
        (
            "unlisted = \"other\"",
            "unlisted = \"personal_manager\"",
            true,
        ),
        ("activity = \"on\"", "activity = \"observe\"", true),
        ("activity = \"on\"", "activity = \"maybe\"", false),
        ("kinds = [\"request\"]", "kinds = []", false),
    ] {
        assert_eq!(EVERY_SETTING.matches(from).count(), 1, "{from}");
        let text = EVERY_SETTING.replace(from, to);
        assert_eq!(tenant.is_valid(&json_of(&text)), good, "schema: {to}");
        folder.write("tenants.d/demo.toml", &text);
        let loaded = accepted(&folder);
        assert_eq!(loaded.is_ok(), good, "loader: {to}: {loaded:?}");
    }
}
