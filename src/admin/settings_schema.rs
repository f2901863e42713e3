//! The schemas of the settings, for programs. They are made of the program's own types
//! (`config::schema`) and written down beside the docs; a test holds them together.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::problem::problem;

use super::openapi::operation::Operation;

const DAEMON: &str = include_str!("../../docs/trunkline.schema.json");
const TENANT: &str = include_str!("../../docs/tenant.schema.json");

/// What stands in a tenant's file of an employee.
pub(super) static EMPLOYEE: LazyLock<Value> =
    LazyLock::new(|| part(&tenant(), "/properties/employees/items"));

/// What stands there of the company itself: `company`, `numbers`, `questions`.
pub(super) static COMPANY: LazyLock<CompanyParts> = LazyLock::new(|| {
    let tenant = tenant();
    let mut company = part(&tenant, "/properties/tenant");
    leave_out(&mut company, &["id"]);
    CompanyParts {
        company,
        numbers: part(&tenant, "/properties/numbers"),
        questions: part(&tenant, "/properties/questions"),
    }
});

/// The JSON Schemas of what a file says of the company itself.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct CompanyParts {
    /// Of its name, its clocks and so on.
    #[schemars(with = "Map<String, Value>")]
    pub(super) company: Value,
    /// Of its numbers.
    #[schemars(with = "Map<String, Value>")]
    pub(super) numbers: Value,
    /// Of whom a caller should reach.
    #[schemars(with = "Map<String, Value>")]
    pub(super) questions: Value,
}

/// What stands there of a source.
pub(super) static SOURCES: LazyLock<SourceParts> = LazyLock::new(|| {
    let tenant = tenant();
    let mut common = part(&tenant, "/properties/sources/items");
    let kinds = common["allOf"].as_array().into_iter().flatten();
    let kinds = kinds.filter_map(|branch| {
        let kind = branch.pointer("/if/properties/kind/const")?.as_str()?;
        let then = branch.pointer("/then/properties")?;
        let names = then.pointer("/secrets/propertyNames/enum")?.as_array()?;
        let secrets = names.iter().map(|name| {
            let about = then.pointer("/secrets/properties");
            let about = about.and_then(|about| about.get(name.as_str()?));
            let about = about.and_then(|about| about.get("description"));
            KindSecret {
                name: name.as_str().unwrap_or_default().to_owned(),
                description: about.and_then(Value::as_str).map(str::to_owned),
            }
        });
        let parts = KindParts {
            settings: then.get("settings")?.clone(),
            secrets: secrets.collect(),
        };
        Some((kind.to_owned(), parts))
    });
    let kinds = kinds.collect();
    leave_out(&mut common, &["id", "kind", "settings", "secrets"]);
    if let Some(common) = common.as_object_mut() {
        common.remove("allOf");
    }
    SourceParts { common, kinds }
});

/// The schema of a source.
pub(super) struct SourceParts {
    /// What every source has, but what it is known by, and its secrets.
    pub(super) common: Value,
    /// The kinds, by their names.
    pub(super) kinds: BTreeMap<String, KindParts>,
}

/// What belongs to a kind of source.
pub(super) struct KindParts {
    /// Its `settings` table.
    pub(super) settings: Value,
    /// Its secrets, each with what it is for.
    pub(super) secrets: Vec<KindSecret>,
}

/// A secret of a kind of source.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct KindSecret {
    /// Its name.
    pub(super) name: String,
    /// What it is for.
    pub(super) description: Option<String>,
}

fn tenant() -> Value {
    serde_json::from_str(TENANT).unwrap_or_default()
}

fn part(schema: &Value, pointer: &str) -> Value {
    schema.pointer(pointer).cloned().unwrap_or_default()
}

/// Takes properties out of the schema of a table.
fn leave_out(schema: &mut Value, keys: &[&str]) {
    let is_left = |key: &str| !keys.contains(&key);
    if let Some(properties) = schema["properties"].as_object_mut() {
        properties.retain(|key, _| is_left(key));
    }
    if let Some(required) = schema["required"].as_array_mut() {
        required.retain(|key| key.as_str().is_none_or(is_left));
    }
}

/// Of which sort of file.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Query {
    /// The sort of file: trunkline.toml, or a file of tenants.d.
    #[serde(default)]
    #[schemars(extend("default" = "tenant"))]
    file: File,
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get(
            "/v1/settings/schema",
            "What can be set, as JSON Schema (draft 2020-12)",
            serve,
        )
        .answers_json_as::<Map<String, Value>>("application/schema+json", "The schema")
        .refuses(400, "There is no such sort of file"),
    ]
}

/// A sort of file.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
enum File {
    Daemon,
    #[default]
    Tenant,
}

pub(super) async fn serve(query: Result<web::Query<Query>, actix_web::Error>) -> HttpResponse {
    let Ok(query) = query else {
        let title = "file is daemon or tenant, and nothing else can be asked for";
        return problem(StatusCode::BAD_REQUEST, title);
    };
    let schema = match query.file {
        File::Daemon => DAEMON,
        File::Tenant => TENANT,
    };
    HttpResponse::Ok()
        .content_type("application/schema+json")
        .body(schema)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_source_has_its_settings_and_the_secrets_say_what_they_are_for() {
        assert!(SOURCES.kinds.len() >= 4, "{:?}", SOURCES.kinds.keys());
        for (kind, parts) in &SOURCES.kinds {
            assert!(parts.settings["properties"].is_object(), "{kind}");
            for secret in &parts.secrets {
                let text = secret.description.as_deref().unwrap_or_default();
                assert!(!text.is_empty(), "{kind}: {secret:?}");
            }
        }
        let common = SOURCES.common["properties"].as_object();
        let keys: Vec<_> = common.into_iter().flatten().map(|(key, _)| key).collect();
        assert_eq!(keys, ["name", "numbers", "questions", "recordings"]);
    }

    #[test]
    fn a_company_has_a_schema_without_its_id() {
        assert!(COMPANY.company["properties"]["time_zone"].is_object());
        assert!(COMPANY.company["properties"]["id"].is_null());
        assert!(COMPANY.numbers["items"]["properties"]["scenario"].is_object());
        assert!(COMPANY.questions["properties"]["integrations"].is_object());
    }
}
