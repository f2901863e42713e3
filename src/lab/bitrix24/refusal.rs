//! Why a method was refused, in the words of the service (crm/bitrix24.md §1 Errors).

use serde_json::{Value, json};

use super::exchange::Reply;

/// A refusal of a method.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) code: String,
    pub(super) description: String,
}

impl Refusal {
    pub(super) fn new(status: u16, code: &str, description: &str) -> Self {
        Self {
            status,
            code: code.to_owned(),
            description: description.to_owned(),
        }
    }

    /// 400 with a code.
    pub(super) fn bad(code: &str, description: &str) -> Self {
        Self::new(400, code, description)
    }

    /// 400 for a parameter that is absent.
    pub(super) fn missing(what: &str) -> Self {
        Self::bad(
            "100",
            &format!("Could not find value for parameter {{{what}}}"),
        )
    }

    /// 403.
    pub(super) fn denied(description: &str) -> Self {
        Self::new(403, "ACCESS_DENIED", description)
    }

    /// 403 for a method that wants an application (crm/bitrix24.md §0.1).
    pub(super) fn wrong_auth_type() -> Self {
        Self::new(
            403,
            "WRONG_AUTH_TYPE",
            "Current authorization type is denied for this method",
        )
    }

    /// 404.
    pub(super) fn no_method() -> Self {
        Self::new(404, "ERROR_METHOD_NOT_FOUND", "Method not found!")
    }

    /// 503: the bucket is full.
    pub(super) fn too_many() -> Self {
        Self::new(503, "QUERY_LIMIT_EXCEEDED", "Too many requests")
    }

    /// 429: the method has used up its time.
    pub(super) fn out_of_time() -> Self {
        Self::new(
            429,
            "OPERATION_TIME_LIMIT",
            "Method is blocked due to operation time limit.",
        )
    }

    /// 401: the access token is over.
    pub(super) fn expired() -> Self {
        Self::new(
            401,
            "expired_token",
            "The access token provided has expired.",
        )
    }

    /// 401: nobody.
    pub(super) fn nobody() -> Self {
        Self::new(401, "NO_AUTH_FOUND", "Wrong authorization data")
    }

    pub(super) fn body(&self) -> Value {
        json!({"error": self.code, "error_description": self.description})
    }

    pub(super) fn reply(&self) -> Reply {
        Reply::json(self.status, &self.body())
    }
}
