//! The committed document is the one that this build makes, and what it is made of keeps its promises.

use std::fs;
use std::path::Path;

use boon::{Compiler, Schemas};
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::tidy::{tidy_answer, tidy_body};
use super::{document, openapi};

#[test]
fn the_written_document_is_that_of_this_build() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/openapi.json");
    if std::env::var_os("WRITE_DOCS").is_some() {
        fs::write(&file, openapi()).expect("it is written");
    }
    let written = fs::read_to_string(&file).expect("it is there");
    // No comparison of two long texts on the screen.
    assert!(
        written == openapi(),
        "docs/openapi.json is of another build: cargo run --bin trunkline -- openapi > docs/openapi.json, \
         or this test with WRITE_DOCS=1"
    );
}

#[test]
fn no_name_of_a_schema_means_two_things() {
    let (_, ambiguous) = document();
    assert_eq!(
        ambiguous,
        Vec::<String>::new(),
        "give one of the types another name by #[schemars(rename = \"…\")]"
    );
}

#[test]
fn every_named_schema_is_one_by_the_standard_and_refers_to_others_that_there_are() {
    let document: Value = serde_json::from_str(openapi()).expect("is JSON");
    let names = document["components"]["schemas"]
        .as_object()
        .expect("schemas");
    let names: Vec<String> = names.keys().cloned().collect();
    let address = "https://trunkline.example/openapi.json";
    let mut compiler = Compiler::new();
    compiler
        .add_resource(address, document)
        .expect("a resource");
    let mut schemas = Schemas::new();
    for name in names {
        let place = format!("{address}#/components/schemas/{name}");
        let compiled = compiler.compile(&place, &mut schemas);
        assert!(compiled.is_ok(), "{name}: {:#}", compiled.unwrap_err());
    }
}

#[test]
fn every_operation_says_what_it_does_what_it_answers_and_what_its_parameters_are() {
    let document: Value = serde_json::from_str(openapi()).expect("is JSON");
    let paths = document["paths"].as_object().expect("paths");
    for (path, operations) in paths {
        for (method, operation) in operations.as_object().expect("operations") {
            let name = format!("{method} {path}");
            let is_said = |text: &Value| text.as_str().is_some_and(|text| !text.is_empty());
            assert!(is_said(&operation["summary"]), "{name}");
            let answers = operation["responses"].as_object().expect("answers");
            assert!(answers.keys().any(|one| one.starts_with('2')), "{name}");
            for (status, answer) in answers {
                let is_common = answer["$ref"].is_string();
                assert!(
                    is_common || is_said(&answer["description"]),
                    "{name}: {status}"
                );
            }
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                assert!(is_said(&parameter["description"]), "{name}: {parameter}");
            }
        }
    }
}

/// How a thing is.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
enum Sort {
    /// It is new.
    New,
    /// It was there before.
    Old,
}

/// A thing. It is made
/// for a test.
#[derive(Serialize, JsonSchema)]
struct Thing {
    /// How it is.
    #[serde(default = "new")]
    sort: Sort,
    /// How many.
    #[schemars(extend("x-shape" = "count"))]
    format: u64,
    /// More.
    rest: Option<f64>,
    /// Left out where it is `None`.
    #[serde(skip_serializing_if = "Option::is_none")]
    seldom: Option<String>,
}

fn new() -> Sort {
    Sort::New
}

#[test]
fn a_derived_schema_says_nothing_of_rust_and_has_the_words_of_a_closed_set_in_one_place() {
    let derived = |settings: SchemaSettings| {
        let mut generator = settings.into_generator();
        Thing::json_schema(&mut generator).to_value()
    };
    let sort = json!({
        "type": "string",
        "enum": ["new", "old"],
        "description": "How it is. new: It is new; old: It was there before",
    });
    let thing = |sort: &Value, seldom: Value, required: Value| {
        json!({
            "type": "object",
            "description": "A thing. It is made for a test.",
            "properties": {
                "sort": sort,
                // A member may be called as a keyword is.
                "format": { "type": "integer", "minimum": 0, "description": "How many" },
                "rest": { "type": ["number", "null"], "description": "More" },
                "seldom": { "type": seldom, "description": "Left out where it is null" },
            },
            "required": required,
        })
    };
    let answer = derived(SchemaSettings::default().for_serialize());
    assert_eq!(
        tidy_answer(answer),
        thing(&sort, json!("string"), json!(["format", "rest", "sort"]))
    );
    let mut with_default = sort;
    with_default["default"] = json!("new");
    assert_eq!(
        tidy_body(derived(SchemaSettings::default())),
        thing(&with_default, json!(["string", "null"]), json!(["format"]))
    );
}
