//! amoCRM's refusals: problem details, validation errors per item, the calls' own list, and pages
//! of HTML (`crm/amocrm.md` §3, §11).

use serde_json::Value;

use super::lenient;
use crate::crm::account::transport::words;
use crate::model::outcome::Rejection;

/// How much of a refusal is kept: enough for every error of one item.
const MESSAGE_CHARS_MAX: usize = 500;

/// The keys of an item that name a user.
pub(crate) const USER_KEYS: [&str; 3] = ["responsible_user_id", "created_by", "call_responsible"];

/// Where additional fields stand in an item.
const FIELDS_KEY: &str = "custom_fields_values";

/// A refused request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    status: u16,
    /// Title and detail, or the beginning of what is no JSON.
    message: String,
    /// Items named by validation.
    invalid: Vec<InvalidItem>,
    /// The calls' own list.
    pub(crate) call_errors: Vec<CallError>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct InvalidItem {
    request_id: String,
    message: String,
    faults: Vec<Fault>,
}

/// What is wrong with an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// A user whom it names: who left the company is no valid choice any more.
    User,
    /// The additional field at this place of its list.
    Field {
        /// The place.
        place: usize,
        /// The CRM has no such field.
        unknown: bool,
    },
    /// Anything else.
    Other,
}

/// An item that `POST /calls` did not store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CallError {
    pub(crate) request_id: Option<String>,
    /// No card has this number: nothing to log on.
    pub(crate) no_card: bool,
    message: String,
}

impl CallError {
    /// Returns it as a refusal for good.
    pub(crate) fn rejection(&self) -> Rejection {
        Rejection {
            code: "400".to_owned(),
            message: self.message.clone(),
        }
    }
}

impl Refusal {
    /// Reads a refusal's body, whatever it is.
    pub(crate) fn read(status: u16, body: &[u8]) -> Self {
        let Ok(value) = serde_json::from_slice::<Value>(body) else {
            return Self {
                status,
                message: words(body),
                invalid: Vec::new(),
                call_errors: Vec::new(),
            };
        };
        Self {
            status,
            message: joined(&value, &["title", "detail", "hint"]),
            invalid: list(&value, "validation-errors")
                .map(read_invalid)
                .collect(),
            call_errors: read_call_errors(&value),
        }
    }

    /// Returns the HTTP status.
    pub(crate) fn status(&self) -> u16 {
        self.status
    }

    /// Returns the refusal of the item with this request id, where the answer names it.
    pub(crate) fn of_item(&self, request_id: &str) -> Option<Rejection> {
        let mut named = self
            .invalid
            .iter()
            .filter(|item| item.request_id == request_id)
            .peekable();
        named.peek()?;
        let messages: Vec<&str> = named.map(|item| item.message.as_str()).collect();
        Some(self.rejection(&messages.join("; ")))
    }

    /// Returns what is wrong with the item with this request id; of the only item of a request, what
    /// is wrong with any.
    pub(crate) fn faults(&self, request_id: &str, alone: bool) -> Vec<Fault> {
        let named = |item: &&InvalidItem| item.request_id == request_id;
        let is_named = self.invalid.iter().any(|item| named(&item));
        let wanted = |item: &&InvalidItem| named(item) || (alone && !is_named);
        let items = self.invalid.iter().filter(wanted);
        items.flat_map(|item| item.faults.iter().copied()).collect()
    }

    /// Returns the refusal of the whole request.
    pub(crate) fn whole(&self) -> Rejection {
        let items: Vec<&str> = self.invalid.iter().map(|i| i.message.as_str()).collect();
        if items.is_empty() {
            self.rejection(&self.message)
        } else {
            self.rejection(&format!("{}: {}", self.message, items.join("; ")))
        }
    }

    fn rejection(&self, message: &str) -> Rejection {
        Rejection {
            code: self.status.to_string(),
            message: message.chars().take(MESSAGE_CHARS_MAX).collect(),
        }
    }
}

/// Reads the list of calls that were not stored; a success may carry one as well.
pub(crate) fn read_call_errors(value: &Value) -> Vec<CallError> {
    list(value, "errors")
        .map(|error| {
            let message = joined(error, &["title", "detail"]);
            CallError {
                request_id: error.get("request_id").and_then(lenient::scalar_text),
                no_card: message.to_ascii_lowercase().contains("entity not found"),
                message: message.chars().take(MESSAGE_CHARS_MAX).collect(),
            }
        })
        .collect()
}

fn read_invalid(item: &Value) -> InvalidItem {
    let errors: Vec<String> = list(item, "errors")
        .map(|error| {
            let part = |key| error.get(key).and_then(Value::as_str).unwrap_or_default();
            format!("{} {}: {}", part("code"), part("path"), part("detail"))
        })
        .collect();
    InvalidItem {
        faults: list(item, "errors").map(fault).collect(),
        request_id: item
            .get("request_id")
            .and_then(lenient::scalar_text)
            .unwrap_or_default(),
        message: errors.join("; "),
    }
}

fn fault(error: &Value) -> Fault {
    let part = |key| error.get(key).and_then(Value::as_str).unwrap_or_default();
    let path = part("path");
    let no_choice = part("code") == "NotSupportedChoice";
    let key = path.rsplit('.').next().unwrap_or_default();
    if no_choice && USER_KEYS.contains(&key) {
        return Fault::User;
    }
    let mut parts = path.split('.').skip_while(|part| *part != FIELDS_KEY);
    match parts.nth(1).and_then(|place| place.parse().ok()) {
        Some(place) => Fault::Field {
            place,
            unknown: no_choice && key == "field_id",
        },
        None => Fault::Other,
    }
}

fn list<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value
        .get(key)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

fn joined(value: &Value, keys: &[&str]) -> String {
    let parts: Vec<&str> = keys
        .iter()
        .filter_map(|key| value.get(key).and_then(Value::as_str))
        .filter(|part| !part.is_empty())
        .collect();
    parts.join(": ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn validation_names_its_items_and_no_others() {
        let body = json!({
            "validation-errors": [{"request_id": "1", "errors": [
                {"code": "FieldMissing", "path": "complete_till", "detail": "This field is missing."}
            ]}],
            "title": "Bad Request", "status": 400, "detail": "Request validation failed"
        });
        let refusal = Refusal::read(400, body.to_string().as_bytes());
        assert_eq!(refusal.of_item("0"), None);
        let rejection = refusal.of_item("1").expect("named");
        assert_eq!(rejection.code, "400");
        assert_eq!(
            rejection.message,
            "FieldMissing complete_till: This field is missing."
        );
        assert_eq!(refusal.faults("0", false), []);
        assert_eq!(refusal.faults("0", true), [Fault::Other]);
    }

    #[test]
    fn a_refused_field_is_told_from_a_refused_user() {
        let error = |code: &str, path: &str| json!({"code": code, "path": path, "detail": ""});
        let body = json!({"validation-errors": [{"request_id": "a", "errors": [
            error("NotSupportedChoice", "custom_fields_values.2.field_id"),
            error("InvalidType", "custom_fields_values.3.values.0.value"),
            error("NotSupportedChoice", "responsible_user_id"),
            error("NotSupportedChoice", "status_id"),
        ]}]});
        let refusal = Refusal::read(400, body.to_string().as_bytes());
        let field = |place, unknown| Fault::Field { place, unknown };
        let faults = [field(2, true), field(3, false), Fault::User, Fault::Other];
        assert_eq!(refusal.faults("a", false), faults);
    }

    #[test]
    fn a_page_of_html_becomes_its_words() {
        let refusal = Refusal::read(404, b"<html>\n<h1>Not   found</h1>");
        assert_eq!(refusal.whole().message, "<html> <h1>Not found</h1>");
        assert_eq!(Refusal::read(404, b"").whole().message, "");
    }

    #[test]
    fn a_call_without_a_card_is_told_from_other_errors() {
        let body = json!({"errors": [{"title": "Entity not found", "request_id": "0"}, {"title": "Boom"}]});
        let errors = read_call_errors(&body);
        assert_eq!((errors[0].no_card, errors[1].no_card), (true, false));
        assert_eq!(errors[0].request_id.as_deref(), Some("0"));
    }
}
