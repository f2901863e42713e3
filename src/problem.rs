//! Problem documents (RFC 9457): how both HTTP endpoints say no.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde_json::{Value, json};

/// Writes a problem document. `title` is safe for whoever asked.
pub fn problem(status: StatusCode, title: &str) -> HttpResponse {
    problem_with(status, title, &[])
}

/// Writes a problem document with further members.
pub fn problem_with(status: StatusCode, title: &str, members: &[(&str, Value)]) -> HttpResponse {
    let mut body = json!({ "type": "about:blank", "title": title, "status": status.as_u16() });
    if let Some(body) = body.as_object_mut() {
        for (name, value) in members {
            body.insert((*name).to_owned(), value.clone());
        }
    }
    HttpResponse::build(status)
        .content_type("application/problem+json")
        .body(body.to_string())
}
