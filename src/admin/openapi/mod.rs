//! The description of this endpoint for programs (OpenAPI 3.1), made of the operations that the
//! handlers' files declare and of the types that are really read and written. docs/openapi.json is the
//! same, for who has no daemon; a test holds the two together.

mod components;
mod describe;
pub(super) mod operation;
mod reads;
pub(super) mod shapes;
#[cfg(test)]
mod tests;
mod tidy;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use actix_web::HttpResponse;
use serde::Serialize;
use serde_json::{Value, json};

use self::components::Components;
use self::describe::Described;
use self::operation::Operation;

/// Made when it is first asked for, and kept as text only.
static DOCUMENT: LazyLock<String> = LazyLock::new(|| document().0);

const TITLE: &str = "Trunkline admin API";

const DESCRIPTION: &str = "The administrator's endpoint. It listens on loopback and on a local socket; over \
    TCP every path but the health checks and the pages themselves asks for the bearer token, or for the \
    session of a browser, whose changes repeat the session's word as X-CSRF-Token. What an answer says in \
    words (titles of problem documents, mistakes, alarms, reasons, remarks) is English; a request with \
    Accept-Language: ru gets it in Russian, with Content-Language: ru, and a CRM's own words as they came.";

/// What describes itself.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/openapi.json", "This document", serve)
            .answers::<serde_json::Map<String, Value>>(200, "The document"),
    ]
}

async fn serve() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("application/json")
        .body(openapi())
}

/// Returns the OpenAPI document of the administrator's endpoint.
pub fn openapi() -> &'static str {
    &DOCUMENT
}

/// The document, in the order in which people read it.
#[derive(Serialize)]
struct Document {
    openapi: &'static str,
    info: Value,
    security: Value,
    paths: BTreeMap<String, BTreeMap<String, Described>>,
    components: Value,
}

/// Makes the document; returns it with the names by which its parts mean two things.
fn document() -> (String, Vec<String>) {
    let mut components = Components::new();
    let mut paths: BTreeMap<String, BTreeMap<String, Described>> = BTreeMap::new();
    for operation in super::operations() {
        let (path, method) = (operation.described_path(), operation.method());
        let described = operation.describe(&mut components);
        paths.entry(path).or_default().insert(method, described);
    }
    let responses = describe::common_refusals(&mut components);
    let (schemas, ambiguous) = components.into_schemas();
    let document = Document {
        openapi: "3.1.0",
        info: json!({
            "title": TITLE,
            "version": env!("CARGO_PKG_VERSION"),
            "description": DESCRIPTION,
        }),
        security: json!([{ "token": [] }]),
        paths,
        components: json!({
            "securitySchemes": { "token": { "type": "http", "scheme": "bearer" } },
            "responses": responses,
            "schemas": schemas,
        }),
    };
    let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
    text.push('\n');
    (text, ambiguous)
}
