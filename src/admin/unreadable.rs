//! How a body that cannot be read is refused: the status says whether it is too long, of another form
//! or wrong.

use actix_web::HttpResponse;
use actix_web::error::JsonPayloadError;
use actix_web::http::StatusCode;

use crate::problem::problem;

/// Answers to a body that cannot be read, and says where it is wrong.
pub(super) fn unreadable(error: &actix_web::Error) -> HttpResponse {
    unreadable_as(error, &error.to_string())
}

/// Answers to a body that cannot be read without repeating any of it: there may be a secret in it. `form`
/// says what was expected.
pub(super) fn unreadable_as(error: &actix_web::Error, form: &str) -> HttpResponse {
    match error.as_error::<JsonPayloadError>() {
        Some(JsonPayloadError::OverflowKnownLength { limit, .. } | JsonPayloadError::Overflow { limit }) => {
            let text = format!("the body is longer than {limit} bytes");
            problem(StatusCode::PAYLOAD_TOO_LARGE, &text)
        }
        Some(JsonPayloadError::ContentType) => problem(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "send the body as Content-Type: application/json",
        ),
        _ => problem(StatusCode::BAD_REQUEST, form),
    }
}
