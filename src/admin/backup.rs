//! Backups of the running daemon.

use std::sync::Arc;

use actix_files::NamedFile;
use actix_web::http::StatusCode;
use actix_web::http::header::{ContentDisposition, DispositionParam, DispositionType};
use actix_web::{HttpRequest, HttpResponse, web};

use crate::problem::problem;

use super::openapi::operation::Operation;
use super::state::AdminState;

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::post(
            "/v1/backup",
            "Store and configuration of this moment, as a tar.gz",
            make,
        )
        .answers_file("application/gzip", "The archive")
        .refuses(503, "The archive cannot be made now: why"),
    ]
}

/// Makes an archive and sends it.
pub(super) async fn make(state: web::Data<AdminState>, request: HttpRequest) -> HttpResponse {
    // It is made to its end although nobody waits for it any more: half a copy would lie on the disk
    // beside the next one.
    let archivist = Arc::clone(&state.archivist);
    let made = actix_web::rt::spawn(async move { archivist.make().await }).await;
    let made = made.unwrap_or_else(|error| Err(error.to_string()));
    let named = made.and_then(|file| {
        let named = NamedFile::from_file(file, "trunkline-backup.tar.gz");
        named.map_err(|error| error.to_string())
    });
    match named {
        Ok(named) => named
            .set_content_disposition(ContentDisposition {
                disposition: DispositionType::Attachment,
                parameters: vec![DispositionParam::Filename(
                    "trunkline-backup.tar.gz".to_owned(),
                )],
            })
            .use_etag(false)
            .use_last_modified(false)
            .into_response(&request),
        Err(why) => problem(StatusCode::SERVICE_UNAVAILABLE, &why),
    }
}
