//! One request as the simulator sees it, and one answer as it makes it; nothing of sockets.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::switches::Switches;

/// A request.
#[derive(Debug, Clone, Default)]
pub(super) struct Incoming {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) query_text: String,
    pub(super) content_type: String,
    pub(super) authorization: Option<String>,
    pub(super) body: Vec<u8>,
}

impl Incoming {
    pub(super) fn query(&self, name: &str) -> Option<String> {
        let mut pairs = url::form_urlencoded::parse(self.query_text.as_bytes());
        pairs
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    }

    pub(super) fn form(&self) -> BTreeMap<String, String> {
        url::form_urlencoded::parse(&self.body)
            .into_owned()
            .collect()
    }
}

/// An answer.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) content_type: &'static str,
    pub(super) quota_left: Option<u64>,
    pub(super) body: Vec<u8>,
}

impl Reply {
    pub(super) fn json(status: u16, body: &Value) -> Self {
        Self {
            status,
            content_type: "application/json; charset=utf-8",
            quota_left: None,
            body: body.to_string().into_bytes(),
        }
    }

    /// 200 with nothing in it.
    pub(super) fn nothing() -> Self {
        Self {
            body: Vec::new(),
            ..Self::json(200, &Value::Null)
        }
    }

    pub(super) fn page(status: u16, text: &str) -> Self {
        Self {
            status,
            content_type: "text/html; charset=utf-8",
            quota_left: None,
            body: text.as_bytes().to_vec(),
        }
    }

    /// An answer of the front server when what is behind it failed.
    pub(super) fn gateway_error(status: u16) -> Self {
        Self::page(
            status,
            &format!("<html><head><title>{status}</title></head></html>"),
        )
    }

    /// A refusal of REST, in the words that the switches choose.
    pub(super) fn refusal(status: u16, code: i64, text: &str, switches: &Switches) -> Self {
        let body = match (switches.failure_and_message, switches.capital_keys) {
            (true, _) => json!({ "result": "failure", "code": code, "message": text }),
            (false, true) => json!({ "Result": "fail", "Code": code, "Error": text }),
            (false, false) => json!({ "result": "fail", "code": code, "error": text }),
        };
        Self::json(status, &body)
    }
}

/// A refusal: the code and its words.
pub(super) type Refused = (i64, String);

/// What a request came to.
pub(super) type Answer = Result<Value, Refused>;

pub(super) fn refuse(code: i64, text: impl Into<String>) -> Refused {
    (code, text.into())
}
