//! The reference of all settings, written from the schemas.

use std::fmt::Write;

use serde_json::{Map, Value};

use crate::config::tenant::Registries;
use crate::model::asked::SettingsForm;

use super::forms;

const HEAD: &str = "# Settings reference

Every key of both sorts of files, written by `trunkline settings reference` from the program's own
types: change those, never this page. `trunkline settings schema` prints the same as JSON Schema, which
editors check files by while you write. What the keys are good for, with examples, is told in
settings.md and in the pages about each phone system and CRM.

A key in **bold** cannot be left out. Texts stand in quotes; dates and times may stand without them.
";

/// Writes the page.
pub(super) fn write(daemon: &Value, tenant: &Value, registries: Registries<'_>) -> String {
    let mut page = Page {
        text: HEAD.to_owned(),
        described: Vec::new(),
    };
    page.heading(
        2,
        "trunkline.toml",
        "The daemon. Every key has a default, or none is needed.",
    );
    page.table("", daemon);
    page.heading(2, "tenants.d/NAME.toml", "A company: one file each.");
    page.table("", tenant);
    for (list, chooser, name, secrets, form) in kinds(registries) {
        page.kind(list, chooser, name, secrets, &form);
    }
    let definitions = tenant.get("$defs").and_then(Value::as_object);
    for (name, schema) in definitions.into_iter().flatten() {
        page.heading(2, name, words_of(schema));
        page.choices_or_table(name, schema);
    }
    page.text
}

type Kind = (
    &'static str,
    &'static str,
    &'static str,
    &'static [&'static str],
    SettingsForm,
);

fn kinds(registries: Registries<'_>) -> Vec<Kind> {
    let sources = registries.sources.iter();
    let sources = sources.map(|kind| ("sources", "kind", kind.name, kind.secrets, kind.form));
    let crms = registries.crms.iter();
    let crms = crms.map(|kind| ("accounts", "crm", kind.name, kind.secrets, kind.form));
    sources.chain(crms).collect()
}

struct Page {
    text: String,
    /// What has been described, and where: the same table is not described twice.
    described: Vec<(Value, String)>,
}

impl Page {
    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    fn heading(&mut self, level: usize, title: &str, words: &str) {
        let marks = "#".repeat(level);
        self.line(&format!("\n{marks} {title}\n"));
        if !words.is_empty() {
            self.line(words);
        }
    }

    /// Describes the tables of one kind of source or CRM.
    fn kind(
        &mut self,
        list: &str,
        chooser: &str,
        name: &str,
        secrets: &[&str],
        form: &SettingsForm,
    ) {
        self.heading(2, &format!("{list} of {chooser} = \"{name}\""), "");
        let schema = forms::table(form);
        if schema["properties"].as_object().is_none_or(Map::is_empty) {
            self.line(&format!("`[{list}.settings]` has no keys."));
        } else {
            self.line(&format!("`[{list}.settings]`:"));
            self.table(&format!("{list}.settings"), &schema);
        }
        if !secrets.is_empty() {
            self.line(&format!("\n`[{list}.secrets]`:\n"));
            self.line("| secret | what it is |");
            self.line("| --- | --- |");
            for secret in secrets {
                let words = form.words_of(&format!("secrets.{secret}")).unwrap_or("");
                self.line(&format!("| `{secret}` | {} |", in_cell(words)));
            }
        }
    }

    /// Describes the keys of a table, then the tables among them.
    fn table(&mut self, way: &str, schema: &Value) {
        let Some(properties) = schema.get("properties").and_then(Value::as_object) else {
            return;
        };
        let required: Vec<&str> = schema
            .get("required")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        self.line("\n| key | value | default | what it is |\n| --- | --- | --- | --- |");
        let mut inner = Vec::new();
        for (key, property) in properties {
            let bold = if required.contains(&key.as_str()) {
                "**"
            } else {
                ""
            };
            let path = joined(way, key);
            let place = self.place_of(property, &path);
            if place.is_new() {
                inner.push((path, property));
            }
            let value = in_words(property, &place);
            let default = property.get("default").filter(|default| is_plain(default));
            let default = default.map_or_else(String::new, |default| format!("`{default}`"));
            let words = in_cell(words_of(property));
            self.line(&format!(
                "| {bold}`{key}`{bold} | {value} | {default} | {words} |"
            ));
        }
        for (path, property) in inner {
            let (path, schema) = match property.get("items") {
                Some(items) => (format!("[[{path}]]"), items),
                None => (format!("[{path}]"), property),
            };
            self.heading(3, &format!("`{path}`"), "");
            self.line(words_of(property));
            let way = path.trim_matches(['[', ']']).to_owned();
            self.choices_or_table(&way, schema);
        }
    }

    /// Describes a table, or the tables that a word chooses from.
    fn choices_or_table(&mut self, way: &str, schema: &Value) {
        let Some(choices) = schema.get("oneOf").and_then(Value::as_array) else {
            return self.table(way, schema);
        };
        for choice in choices {
            let tag = choice["properties"].as_object().into_iter().flatten();
            let mut tag = tag.filter_map(|(key, value)| Some((key, value.get("const")?)));
            if let Some((key, word)) = tag.next() {
                self.line(&format!(
                    "\n`{key} = {word}`: {}",
                    in_cell(words_of(choice))
                ));
            }
            let mut rest = choice.clone();
            let properties = rest.get_mut("properties").and_then(Value::as_object_mut);
            if let Some(properties) = properties {
                properties.retain(|_, value| value.get("const").is_none());
                if !properties.is_empty() {
                    self.table(way, &rest);
                }
            }
        }
    }

    /// Says where the tables of a value are described; notes a new one.
    fn place_of(&mut self, property: &Value, path: &str) -> Place {
        let table = property.get("items").unwrap_or(property);
        if let Some(name) = table.get("$ref").and_then(Value::as_str) {
            let name = name.rsplit('/').next().unwrap_or(name);
            return Place::Known(name.to_owned());
        }
        if !is_table(table) {
            return Place::None;
        }
        let mut bare = table.clone();
        if let Some(bare) = bare.as_object_mut() {
            bare.remove("description");
            bare.remove("default");
        }
        if let Some((_, place)) = self.described.iter().find(|(known, _)| *known == bare) {
            return Place::Known(place.clone());
        }
        self.described.push((bare, format!("`{path}`")));
        Place::New
    }
}

/// Where a table is described.
enum Place {
    None,
    New,
    Known(String),
}

impl Place {
    fn is_new(&self) -> bool {
        matches!(self, Place::New)
    }
}

fn is_table(schema: &Value) -> bool {
    let choices = schema.get("oneOf").and_then(Value::as_array);
    schema.get("properties").is_some()
        || choices.is_some_and(|choices| choices.iter().any(|one| one.get("properties").is_some()))
}

fn joined(way: &str, key: &str) -> String {
    match way {
        "" => key.to_owned(),
        way => format!("{way}.{key}"),
    }
}

/// Says what a value may be.
fn in_words(schema: &Value, place: &Place) -> String {
    let list = if schema.get("items").is_some() {
        "list of tables"
    } else {
        "table"
    };
    match place {
        Place::New => return format!("{list}, see below"),
        Place::Known(known) => return format!("{list}, see {known}"),
        Place::None => {}
    }
    if let Some(words) = words_to_choose(schema) {
        return words.join(", ");
    }
    match schema.get("type").and_then(Value::as_str) {
        Some("string") => "text".to_owned(),
        Some("boolean") => "true or false".to_owned(),
        Some("integer") => format!("whole number{}", range(schema)),
        Some("number") => format!("number{}", range(schema)),
        Some("array") => {
            let items = schema.get("items").unwrap_or(&Value::Null);
            format!("list of: {}", in_words(items, &Place::None))
        }
        Some("object") => {
            let values = schema.get("additionalProperties").unwrap_or(&Value::Null);
            match is_table(values) {
                true => "table of tables by name".to_owned(),
                false => "table of texts by name".to_owned(),
            }
        }
        _ => "value".to_owned(),
    }
}

fn words_to_choose(schema: &Value) -> Option<Vec<String>> {
    let choices = schema.get("enum").or_else(|| schema.get("oneOf"));
    let choices = choices.and_then(Value::as_array)?;
    let word = |choice: &Value| choice.get("const").unwrap_or(choice).clone();
    Some(
        choices
            .iter()
            .map(|choice| format!("`{}`", word(choice)))
            .collect(),
    )
}

fn range(schema: &Value) -> String {
    let mut text = String::new();
    for (key, word) in [("minimum", "from"), ("maximum", "to")] {
        if let Some(bound) = schema.get(key).and_then(Value::as_f64)
            && (key != "minimum" || bound != 0.0)
        {
            // Writing to a text cannot fail.
            let _ = write!(text, " {word} {bound}");
        }
    }
    text
}

fn is_plain(default: &Value) -> bool {
    match default {
        Value::Object(_) => false,
        Value::Array(items) => !items.is_empty(),
        _ => true,
    }
}

fn words_of(schema: &Value) -> &str {
    schema
        .get("description")
        .and_then(Value::as_str)
        .unwrap_or("")
}

/// Makes one line of a text that breaks no table.
fn in_cell(text: &str) -> String {
    let line: Vec<&str> = text.split_whitespace().collect();
    line.join(" ").replace('|', "\\|")
}
