//! What AlfaCRM's refusals mean (`crm/alfacrm.md` §1.4). Pure.

use serde_json::Value;

use super::wire::{Row, items};
use crate::crm::account::transport::words;
use crate::model::outcome::Rejection;

/// The longest answer that may be an error: those are a few words, pages of records are long.
const ERROR_BYTES_MAX: usize = 8 * 1024;

/// A refusal in the CRM's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    /// `validation`, or the status.
    pub(super) code: String,
    /// What it says.
    pub(super) message: String,
    /// The fields that it names.
    pub(super) fields: Vec<String>,
}

impl Refusal {
    /// Reads the answer to a write: nothing where it was taken.
    pub(super) fn of_write(answer: &Value) -> Option<Self> {
        let errors = answer.get("errors").filter(|errors| !is_empty(errors));
        let denied = answer.get("success").is_some() && !Row(answer).flag("success");
        if errors.is_none() && !denied {
            return None;
        }
        let fields = match errors {
            Some(Value::Object(map)) => map.keys().cloned().collect(),
            _ => Vec::new(),
        };
        let message = match errors {
            Some(Value::Object(map)) => {
                let named = map
                    .iter()
                    .map(|(field, why)| format!("{field}: {}", said(why)));
                named.collect::<Vec<_>>().join("; ")
            }
            Some(other) => said(other),
            None => {
                let told = Row(answer).text("message");
                told.unwrap_or_else(|| "the CRM did not say why".to_owned())
            }
        };
        Some(Self {
            code: "validation".to_owned(),
            message: words(message.as_bytes()),
            fields,
        })
    }

    /// Reads what came with a status that is no success.
    pub(super) fn of_status(status: u16, body: &[u8]) -> Self {
        let read: Option<Value> = serde_json::from_slice(body).ok();
        let told = read.as_ref().and_then(|body| Row(body).text("message"));
        Self {
            code: status.to_string(),
            message: told.unwrap_or_else(|| words(body)),
            fields: Vec::new(),
        }
    }

    /// Returns it for the dead letter.
    pub(super) fn rejection(self) -> Rejection {
        Rejection {
            code: self.code,
            message: self.message,
        }
    }
}

/// An empty map comes as an empty list.
fn is_empty(errors: &Value) -> bool {
    match errors {
        Value::Null | Value::Bool(false) => true,
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
        Value::String(text) => text.trim().is_empty(),
        Value::Bool(true) | Value::Number(_) => false,
    }
}

fn said(why: &Value) -> String {
    match why {
        Value::String(text) => text.clone(),
        Value::Array(_) | Value::Object(_) => items(why)
            .into_iter()
            .map(said)
            .collect::<Vec<_>>()
            .join(", "),
        other => other.to_string(),
    }
}

/// Returns the status that an answer would have if HTTP's were used as everybody does: an error of
/// the framework may come inside of a 200.
pub(super) fn status(status: u16, body: &[u8]) -> u16 {
    if status != 200 || body.len() > ERROR_BYTES_MAX {
        return status;
    }
    let read: Option<Value> = serde_json::from_slice(body).ok();
    let Some(Value::Object(answer)) = read else {
        return status;
    };
    if answer.contains_key("items") || answer.contains_key("success") {
        return status;
    }
    let inner = answer.get("status").and_then(super::wire::number);
    let inner = inner.and_then(|inner| u16::try_from(inner).ok());
    inner
        .filter(|inner| (400..=599).contains(inner))
        .unwrap_or(status)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn errors_stand_inside_of_a_success() {
        let read = |answer: Value| Refusal::of_write(&answer);
        for taken in [
            json!({"success": true, "errors": [], "model": {"id": 1}}),
            json!({"success": "1", "errors": {}, "model": {"id": 1}}),
            json!({"success": 1, "errors": null, "model": {"id": 1}}),
        ] {
            assert_eq!(read(taken.clone()), None, "{taken}");
        }
        let by_field = read(json!({"success": false, "errors": {"phone": ["bad", "worse"]}}));
        let by_field = by_field.expect("a refusal");
        assert_eq!(by_field.fields, ["phone"]);
        assert_eq!(by_field.message, "phone: bad, worse");
        // Errors count whatever `success` says.
        assert!(read(json!({"success": true, "errors": ["no"]})).is_some());
        assert!(read(json!({"success": "0", "errors": []})).is_some());
    }

    #[test]
    fn an_error_of_the_framework_inside_of_a_200_has_its_own_status() {
        let of = |given, body: Value| status(given, body.to_string().as_bytes());
        let error = json!({"name": "Forbidden", "message": "x", "code": 0, "status": 403});
        assert_eq!(of(200, error.clone()), 403);
        assert_eq!(of(500, error), 500);
        assert_eq!(of(200, json!({"status": "401", "message": "x"})), 401);
        assert_eq!(of(200, json!({"items": [], "status": 403})), 200);
        assert_eq!(of(200, json!({"success": true, "status": 403})), 200);
        assert_eq!(of(200, json!({"token": "x"})), 200);
        assert_eq!(status(200, b"<html>"), 200);
    }
}
