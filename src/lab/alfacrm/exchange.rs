//! A request as it came and an answer as it goes.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// A request.
#[derive(Debug, Clone, Default)]
pub(super) struct Incoming {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) query_text: String,
    pub(super) query: BTreeMap<String, String>,
    pub(super) token: Option<String>,
    pub(super) app_key: Option<String>,
    pub(super) is_json: bool,
    pub(super) body: Vec<u8>,
}

impl Incoming {
    /// Returns a number of the query.
    pub(super) fn number(&self, key: &str) -> Option<u64> {
        self.query.get(key)?.parse().ok()
    }
}

/// An answer.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) content_type: &'static str,
    pub(super) retry_after_s: Option<u32>,
    pub(super) body: Vec<u8>,
}

impl Reply {
    pub(super) fn json(status: u16, body: &Value) -> Self {
        Self {
            status,
            content_type: "application/json; charset=UTF-8",
            retry_after_s: None,
            body: body.to_string().into_bytes(),
        }
    }

    pub(super) fn ok(body: &Value) -> Self {
        Self::json(200, body)
    }

    /// An error of the framework (crm/alfacrm.md §1.4).
    pub(super) fn error(status: u16, name: &str, message: &str) -> Self {
        let body = json!({"name": name, "message": message, "code": 0, "status": status});
        Self::json(status, &body)
    }

    /// A validation failure, which is a success of HTTP.
    pub(super) fn invalid(errors: &BTreeMap<String, Vec<String>>) -> Self {
        Self::ok(&json!({"success": false, "errors": errors, "model": null}))
    }

    /// A record that was written.
    pub(super) fn stored(model: &Value) -> Self {
        Self::ok(&json!({"success": true, "errors": [], "model": model}))
    }

    pub(super) fn page(status: u16, text: &str) -> Self {
        Self {
            status,
            content_type: "text/html; charset=UTF-8",
            retry_after_s: None,
            body: text.as_bytes().to_vec(),
        }
    }

    pub(super) fn too_many(retry_after_s: Option<u32>) -> Self {
        Self {
            retry_after_s,
            ..Self::error(429, "Too Many Requests", "Rate limit exceeded.")
        }
    }

    pub(super) fn unauthorised() -> Self {
        let text = "Your request was made with invalid credentials.";
        Self::error(401, "Unauthorized", text)
    }

    pub(super) fn forbidden() -> Self {
        Self::error(403, "Forbidden", "Access Denied")
    }
}
