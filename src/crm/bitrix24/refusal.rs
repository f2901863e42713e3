//! What the portal's refusals mean (`crm/bitrix24.md` §1, errors). Pure.
//!
//! Statuses and codes disagree between the vendor's own documents, and a code may be empty: the
//! code decides where there is one, then the text, then the status.

use serde_json::Value;

use crate::crm::account::transport::words;
use crate::model::outcome::Rejection;

/// A refusal in the portal's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    /// The code in upper case; may be empty.
    pub(super) code: String,
    /// The description.
    pub(super) text: String,
}

/// What is to be done about a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    /// The bucket is full: nothing was done.
    Throttled,
    /// The method's operating time is used up: nothing was done.
    MethodParked,
    /// The credential is refused: nothing was done.
    Credential,
    /// The portal failed in the middle: what was done is unknown.
    Fault,
    /// It will never be taken as it is.
    Final,
}

impl Refusal {
    /// Reads the body of a refusal, or one entry of a batch's errors.
    pub(super) fn read(value: &Value) -> Option<Self> {
        let text = |key: &str| match value.get(key)? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        };
        let code = text("error")?;
        let described = text("error_description").or_else(|| text("error_msg"));
        let says_nothing = code.is_empty() && described.as_deref().unwrap_or_default().is_empty();
        if says_nothing && value.get("result").is_some_and(|result| !result.is_null()) {
            return None;
        }
        Some(Self {
            // Some classic methods write their text where the code belongs.
            text: described.unwrap_or_else(|| code.clone()),
            code: code.to_uppercase(),
        })
    }

    /// Reads what came with a status that is no success.
    pub(super) fn of_answer(status: u16, body: &[u8]) -> Self {
        let read: Option<Value> = serde_json::from_slice(body).ok();
        read.as_ref().and_then(Self::read).unwrap_or_else(|| Self {
            code: format!("HTTP {status}"),
            text: words(body),
        })
    }

    /// Says what is to be done about it.
    pub(super) fn sort(&self) -> Sort {
        match self.code.as_str() {
            "QUERY_LIMIT_EXCEEDED" => Sort::Throttled,
            "OPERATION_TIME_LIMIT" => Sort::MethodParked,
            "EXPIRED_TOKEN" | "INVALID_TOKEN" | "NO_AUTH_FOUND" => Sort::Credential,
            "INTERNAL_SERVER_ERROR" | "ERROR_UNEXPECTED_ANSWER" => Sort::Fault,
            _ if self.is_unprocessed() => Sort::Fault,
            _ => Sort::Final,
        }
    }

    /// `ERROR_CORE` also wraps faults of the server.
    fn is_unprocessed(&self) -> bool {
        let text = self.text.to_lowercase();
        [
            "unprocessed exception",
            "allowed memory size",
            "out of memory",
            "deadlock",
        ]
        .iter()
        .any(|word| text.contains(word))
    }

    /// Says whether the text begins so, whatever the case.
    pub(super) fn says(&self, beginning: &str) -> bool {
        let text = self.text.trim_start().to_lowercase();
        text.contains(&beginning.to_lowercase())
    }

    /// Returns it for the dead letter.
    pub(super) fn rejection(&self) -> Rejection {
        let code = match self.code.as_str() {
            "" => "no code",
            code => code,
        };
        Rejection {
            code: code.chars().take(100).collect(),
            message: words(self.text.as_bytes()),
        }
    }
}

/// The status by which a redirect is told apart (HTTP's word for it is "misdirected"): the portal may
/// have been renamed, which its authorisation server knows. Redirects themselves are never followed.
pub(super) const MOVED: u16 = 421;

/// The longest answer that is looked at for a refusal inside of a success: batches are longer, and
/// refusals name a code and a sentence.
const REFUSAL_BYTES_MAX: usize = 2000;

/// Returns the status that an answer would have if HTTP's were used as everybody does, see
/// [`Manners::status`](crate::crm::account::manners::Manners).
pub(super) fn status(status: u16, body: &[u8]) -> u16 {
    if (300..=399).contains(&status) {
        return MOVED;
    }
    // A success may hold a refusal; what is longer than any refusal is none.
    let may_refuse = match status {
        200..=299 => body.len() <= REFUSAL_BYTES_MAX && body.starts_with(b"{"),
        status => (400..=599).contains(&status),
    };
    if !may_refuse {
        return status;
    }
    let read: Option<Value> = serde_json::from_slice(body).ok();
    let Some(refusal) = read.as_ref().and_then(Refusal::read) else {
        return status;
    };
    match refusal.code.as_str() {
        "QUERY_LIMIT_EXCEEDED" => 429,
        // One method is parked, not the portal: the adapter sees to it.
        "OPERATION_TIME_LIMIT" => 400,
        "OVERLOAD_LIMIT" => 423,
        "PAYMENT_REQUIRED" => 402,
        "PORTAL_DELETED" => 410,
        "EXPIRED_TOKEN"
        | "INVALID_TOKEN"
        | "NO_AUTH_FOUND"
        | "ERROR_OAUTH"
        | "APPLICATION_NOT_FOUND" => 401,
        "INVALID_CREDENTIALS"
        | "INSUFFICIENT_SCOPE"
        | "WRONG_AUTH_TYPE"
        | "ACCESS_DENIED"
        | "USER_ACCESS_ERROR"
        | "ALLOWED_ONLY_INTRANET_USER"
        | "METHOD_CONFIRM_WAITING" => 403,
        _ => status,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_status_means_what_its_code_says() {
        let of = |given, code: &str| {
            status(
                given,
                json!({"error": code, "error_description": "x"})
                    .to_string()
                    .as_bytes(),
            )
        };
        for (given, code, means) in [
            (503, "QUERY_LIMIT_EXCEEDED", 429),
            (429, "OPERATION_TIME_LIMIT", 400),
            (503, "OVERLOAD_LIMIT", 423),
            (401, "expired_token", 401),
            (401, "insufficient_scope", 403),
            (401, "INVALID_CREDENTIALS", 403),
            (401, "PAYMENT_REQUIRED", 402),
            (500, "PORTAL_DELETED", 410),
            (500, "INTERNAL_SERVER_ERROR", 500),
            (400, "", 400),
            (200, "QUERY_LIMIT_EXCEEDED", 429),
            (200, "expired_token", 401),
            (200, "ERROR_CORE", 200),
        ] {
            assert_eq!(of(given, code), means, "{given} {code}");
        }
        assert_eq!(status(503, b"<html>"), 503);
        assert_eq!(status(302, b"<html>"), MOVED);
        assert_eq!(status(200, b"<html>"), 200);
        assert_eq!(status(200, br#"{"result":{"error":"expired_token"}}"#), 200);
    }

    #[test]
    fn an_empty_code_is_a_refusal_by_its_text() {
        let read = |value| Refusal::read(&value).expect("a refusal");
        let none = read(json!({"error": "", "error_description": "Access denied."}));
        assert_eq!(
            (none.sort(), none.rejection().code.as_str()),
            (Sort::Final, "no code")
        );
        let numeric = read(json!({"error": 100, "error_description": "x"}));
        assert_eq!(numeric.code, "100");
        let wrapped = read(json!({"error": "ERROR_CORE", "error_description":
            "unprocessed exception: Allowed memory size exhausted"}));
        assert_eq!(wrapped.sort(), Sort::Fault);
        let text_as_code = read(json!({"error": "Communication type is not defined"}));
        assert_eq!(text_as_code.text, "Communication type is not defined");
        assert_eq!(Refusal::read(&json!({"result": []})), None);
        let success = json!({"result": [], "error": "", "error_description": ""});
        assert_eq!(Refusal::read(&success), None);
        let refused = json!({"result": null, "error": "", "error_description": ""});
        assert!(Refusal::read(&refused).is_some());
    }
}
