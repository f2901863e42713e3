//! The schemas of the settings, for programs. They are made of the program's own types
//! (`config::schema`) and written down beside the docs; a test holds them together.

use std::sync::LazyLock;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use serde::Deserialize;
use serde_json::Value;

use crate::problem::problem;

const DAEMON: &str = include_str!("../../docs/trunkline.schema.json");
const TENANT: &str = include_str!("../../docs/tenant.schema.json");

/// What stands in a tenant's file of an employee.
pub(super) static EMPLOYEE: LazyLock<Value> = LazyLock::new(|| {
    let tenant = serde_json::from_str::<Value>(TENANT).unwrap_or_default();
    let employee = tenant.pointer("/properties/employees/items");
    employee.cloned().unwrap_or_default()
});

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Query {
    #[serde(default)]
    file: File,
}

/// A sort of file.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
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
