//! Problem documents (RFC 9457): how both HTTP endpoints say no.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

/// A problem document (RFC 9457). Further members say more: `parameter` names what is wrong,
/// `mistakes` has every mistake of a file, `places` where they stand, `revision` a file's state now.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Problem {
    /// What sort of problem it is, as an address.
    #[serde(rename = "type")]
    sort: &'static str,
    /// What is wrong, and what to do.
    title: String,
    /// The status of the answer.
    #[schemars(range(min = 400, max = 599))]
    status: u16,
    #[serde(flatten)]
    members: Map<String, Value>,
}

/// Writes a problem document. `title` is safe for whoever asked.
pub fn problem(status: StatusCode, title: &str) -> HttpResponse {
    problem_with(status, title, &[])
}

/// Writes a problem document with further members.
pub fn problem_with(status: StatusCode, title: &str, members: &[(&str, Value)]) -> HttpResponse {
    let members = members.iter();
    let problem = Problem {
        sort: "about:blank",
        title: title.to_owned(),
        status: status.as_u16(),
        members: members
            .map(|(name, value)| ((*name).to_owned(), value.clone()))
            .collect(),
    };
    HttpResponse::build(status)
        .content_type("application/problem+json")
        .body(serde_json::to_string(&problem).unwrap_or_default())
}
