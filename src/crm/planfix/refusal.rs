//! What Planfix refuses, and in which words (`crm/planfix.md` §2.1).

use serde_json::Value;

use crate::model::outcome::Rejection;

/// A body longer than this is no refusal: they are a line.
const REFUSAL_BYTES_MAX: usize = 4096;

/// The quota of the day is used up.
pub(super) const QUOTA: i64 = 22;
/// Nobody knows what happened.
pub(super) const UNKNOWN: i64 = 0;
/// The contact is not there.
pub(super) const NO_CONTACT: i64 = 2000;
/// There is no such task.
pub(super) const NO_TASK: i64 = 1000;
/// The e-mail address is none, or somebody else's.
pub(super) const EMAIL: [i64; 2] = [2004, 2005];
/// A scope is missing, or the method is closed to the robot.
pub(super) const CLOSED: [i64; 2] = [5, 6];

/// A refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    /// Planfix's code; -1 where it gave none.
    pub(super) code: i64,
    /// Its words.
    pub(super) text: String,
}

impl Refusal {
    /// Reads a refusal; `None` = the body is none. Keys come in either case (§13).
    pub(super) fn read(body: &Value) -> Option<Self> {
        let map = body.as_object()?;
        let key = |name: &str| {
            let mut keys = map.iter();
            let found = keys.find(|(key, _)| key.eq_ignore_ascii_case(name))?;
            Some(found.1)
        };
        let result = key("result").and_then(Value::as_str);
        let says_error = result.is_some_and(|result| !result.eq_ignore_ascii_case("success"));
        if !says_error && (result.is_some() || key("error").is_none()) {
            return None;
        }
        let code = match key("code") {
            Some(Value::Number(number)) => number.as_i64(),
            Some(Value::String(text)) => text.parse().ok(),
            _ => None,
        };
        let words = key("error").or_else(|| key("message"));
        let text = words.and_then(Value::as_str).unwrap_or_default();
        Some(Self {
            code: code.unwrap_or(-1),
            text: text.chars().take(300).collect(),
        })
    }

    pub(super) fn rejection(&self) -> Rejection {
        Rejection {
            code: self.code.to_string(),
            message: match self.text.is_empty() {
                true => "refused without words".to_owned(),
                false => self.text.clone(),
            },
        }
    }
}

/// Returns a refusal of ours, of a step that cannot be put into Planfix's terms.
pub(super) fn refuse(code: &str, message: String) -> Rejection {
    Rejection {
        code: code.to_owned(),
        message,
    }
}

/// Returns the status that HTTP has for what a body says: bad tokens, and accounts that are not
/// served.
pub(super) fn status(status: u16, body: &[u8]) -> u16 {
    if body.len() > REFUSAL_BYTES_MAX || status >= 500 {
        return status;
    }
    let body: Option<Value> = serde_json::from_slice(body).ok();
    let refusal = body.as_ref().and_then(Refusal::read);
    match refusal.map(|refusal| refusal.code) {
        Some(1 | 2 | 16) => 401,
        Some(10 | 11 | 20 | 21) => 402,
        _ => status,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_refusal_is_one_whatever_the_status_and_the_case_of_its_keys() {
        let refusal = |code, text: &str| {
            Some(Refusal {
                code,
                text: text.to_owned(),
            })
        };
        for (body, read) in [
            (
                json!({"result": "fail", "code": 41, "error": "x"}),
                refusal(41, "x"),
            ),
            (
                json!({"Result": "fail", "Code": "41", "Error": "x"}),
                refusal(41, "x"),
            ),
            (
                json!({"result": "failure", "message": "y"}),
                refusal(-1, "y"),
            ),
            (
                json!({"error": "Invalid token"}),
                refusal(-1, "Invalid token"),
            ),
            (json!({"result": "success", "id": 7}), None),
            (json!({"contact_name": "Анна"}), None),
            (json!({}), None),
            (json!([]), None),
        ] {
            assert_eq!(Refusal::read(&body), read, "{body}");
        }
    }

    #[test]
    fn bad_tokens_and_dead_accounts_are_told_apart_from_bad_requests() {
        for (code, expected) in [
            (1, 401),
            (2, 401),
            (16, 401),
            (11, 402),
            (21, 402),
            (22, 400),
            (41, 400),
        ] {
            let body = json!({"result": "fail", "code": code, "error": ""}).to_string();
            assert_eq!(status(400, body.as_bytes()), expected, "{code}");
        }
    }
}
