//! The OpenAPI document of the admin endpoint says of each operation how it is refused, and nothing in it
//! leads nowhere. What the operations really answer is held against it by `make test-api`; that it is the
//! committed one, by the tests beside `src/admin/openapi` and by `process/admin.rs`.

use serde_json::Value;

fn document() -> Value {
    serde_json::from_str(trunkline::admin::openapi()).expect("is JSON")
}

/// Returns every operation with its name, such as `get /v1/status`.
fn operations(document: &Value) -> Vec<(String, &Value)> {
    let mut found = Vec::new();
    for (path, operations) in document["paths"].as_object().expect("paths") {
        for (method, operation) in operations.as_object().expect("operations") {
            found.push((format!("{method} {path}"), operation));
        }
    }
    found
}

/// Follows a reference, where it is one.
fn resolved<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let Some(reference) = value["$ref"].as_str() else {
        return value;
    };
    let place = reference
        .strip_prefix('#')
        .expect("leads into the document");
    document
        .pointer(place)
        .unwrap_or_else(|| panic!("{reference} leads nowhere"))
}

/// Visits every value of a document.
fn visit(value: &Value, look: &mut impl FnMut(&Value)) {
    look(value);
    match value {
        Value::Array(values) => values.iter().for_each(|value| visit(value, look)),
        Value::Object(members) => members.values().for_each(|value| visit(value, look)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn every_reference_leads_somewhere_and_every_list_of_what_is_required_names_properties() {
    let document = document();
    visit(&document, &mut |value| {
        if value["$ref"].is_string() {
            resolved(&document, value);
        }
        let properties = value["properties"].as_object();
        let required = value["required"].as_array();
        if let (Some(properties), Some(required)) = (properties, required) {
            for name in required {
                let name = name.as_str().unwrap_or_else(|| panic!("{name} is no name"));
                assert!(
                    properties.contains_key(name),
                    "{name} is required of {value}"
                );
            }
        }
    });
}

/// Returns the refusals that an operation can meet whatever it does.
fn refusals(operation: &Value) -> Vec<&'static str> {
    // The Host is looked at before everything else.
    let mut wanted = vec!["403"];
    if operation["security"]
        .as_array()
        .is_none_or(|ways| !ways.is_empty())
    {
        wanted.push("401");
    }
    if operation["requestBody"].is_object() {
        wanted.extend(["400", "413", "415"]);
    }
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    for parameter in parameters {
        match parameter["in"].as_str() {
            Some("query") => wanted.push("400"),
            Some("path") => wanted.push("404"),
            Some("header") if parameter["name"] == "If-Match" => wanted.extend(["412", "428"]),
            _ => {}
        }
    }
    wanted
}

#[test]
fn every_operation_says_how_it_is_refused_and_refuses_with_a_problem_document() {
    let document = document();
    for (name, operation) in operations(&document) {
        let answers = operation["responses"].as_object().expect("responses");
        for status in refusals(operation) {
            assert!(
                answers.contains_key(status),
                "{name} does not tell of {status}"
            );
        }
        for (status, answer) in answers {
            if status.as_str() < "400" {
                continue;
            }
            let answer = resolved(&document, answer);
            let media = answer["content"].as_object().expect("content");
            let media: Vec<&str> = media.keys().map(String::as_str).collect();
            assert_eq!(media, ["application/problem+json"], "{name} {status}");
        }
    }
}

#[test]
fn what_is_described_of_the_public_endpoints_is_served_there() {
    for (document, source) in [
        (
            include_str!("../../docs/openapi-intake.json"),
            include_str!("../../src/intake/http.rs"),
        ),
        (
            include_str!("../../docs/openapi-questions.json"),
            include_str!("../../src/questions/http.rs"),
        ),
    ] {
        let document: Value = serde_json::from_str(document).expect("is JSON");
        for (name, operation) in operations(&document) {
            let path = name.split_once(' ').map_or("", |(_, path)| path);
            let begins = path.split('{').next().unwrap_or_default();
            assert!(
                source.contains(&format!("\"{begins}")),
                "{path} is not served"
            );
            visit(operation, &mut |value| {
                if value["$ref"].as_str().is_some_and(|to| to.starts_with('#')) {
                    resolved(&document, value);
                }
            });
        }
    }
}
