//! The OpenAPI document names every route of the admin endpoint and no other.

use std::collections::BTreeSet;

use serde_json::Value;

#[test]
fn the_document_and_the_routes_agree() {
    let document: Value = serde_json::from_str(trunkline::admin::OPENAPI).expect("is JSON");
    let mut described = BTreeSet::new();
    for (path, operations) in document["paths"].as_object().expect("paths") {
        for method in operations.as_object().expect("operations").keys() {
            described.insert(format!("{method} {path}"));
        }
    }
    let source = include_str!("../../src/admin/mod.rs");
    let source: String = source.split_whitespace().collect();
    let served: BTreeSet<String> = source
        .split(".route(\"")
        .skip(1)
        .map(|route| {
            let (path, rest) = route.split_once('"').expect("a path");
            let method = rest
                .split_once("web::")
                .and_then(|(_, rest)| rest.split_once('('));
            let (method, _) = method.expect("a method");
            format!("{method} {}", path.replace(":.+}", "}"))
        })
        .collect();
    assert!(served.len() > 5, "the routes were found: {served:?}");
    assert_eq!(described, served);
}
