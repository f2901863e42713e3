//! The description of this endpoint for programs.

use actix_web::HttpResponse;

/// The OpenAPI document.
pub const DOCUMENT: &str = include_str!("../../docs/openapi.json");

pub(super) async fn serve() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("application/json")
        .body(DOCUMENT)
}
