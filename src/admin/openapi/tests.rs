//! The committed document is the one that this build makes, and what it is made of keeps its promises.

use std::fs;
use std::path::Path;

use schemars::JsonSchema;
use schemars::generate::SchemaGenerator;
use serde::Serialize;
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
#[derive(Serialize, JsonSchema)]
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
}

fn new() -> Sort {
    Sort::New
}

#[test]
fn a_derived_schema_says_nothing_of_rust_and_has_the_words_of_a_closed_set_in_one_place() {
    let derived = Thing::json_schema(&mut SchemaGenerator::default()).to_value();
    let sort = json!({
        "type": "string",
        "enum": ["new", "old"],
        "description": "How it is. new: It is new; old: It was there before",
    });
    let thing = |sort: Value| {
        json!({
            "type": "object",
            "description": "A thing. It is made for a test.",
            "properties": {
                "sort": sort,
                // A member may be called as a keyword is.
                "format": { "type": "integer", "minimum": 0, "description": "How many" },
                "rest": { "type": ["number", "null"], "description": "More" },
            },
            "required": ["format"],
        })
    };
    assert_eq!(tidy_answer(derived.clone()), thing(sort.clone()));
    let mut with_default = sort;
    with_default["default"] = json!("new");
    assert_eq!(tidy_body(derived), thing(with_default));
}
