//! One call of a method, as it stands in a batch (`crm/bitrix24.md` §1, batch). Pure.

use serde_json::{Value, json};
use url::form_urlencoded::byte_serialize;

/// The key of a map that stands for the result of an earlier command of the same bundle. No text of
/// a client is ever a map.
const RESULT_OF: &str = "\u{1}result";

/// How deep parameters may be nested: fields of multi-fields of records, and no more.
const DEPTH_MAX: usize = 8;

/// One call of a method.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Command {
    pub(super) method: &'static str,
    pub(super) params: Value,
}

impl Command {
    pub(super) fn new(method: &'static str, params: Value) -> Self {
        Self { method, params }
    }

    /// Writes it as the value of a batch's `cmd`; `name` gives the key of each command of its
    /// bundle.
    pub(super) fn written(&self, name: impl Fn(usize) -> String) -> String {
        let mut pairs = Vec::new();
        if let Value::Object(params) = &self.params {
            for (key, value) in params {
                flatten(&encode(key), value, &name, DEPTH_MAX, &mut pairs);
            }
        }
        match pairs.is_empty() {
            true => self.method.to_owned(),
            false => format!("{}?{}", self.method, pairs.join("&")),
        }
    }
}

/// Stands for a part of the result of an earlier command of the bundle: `[CALL_ID]`, `[49][ID]`.
pub(super) fn result_of(command: usize, path: &str) -> Value {
    json!({ RESULT_OF: [command, path] })
}

fn flatten(
    key: &str,
    value: &Value,
    name: &impl Fn(usize) -> String,
    depth: usize,
    pairs: &mut Vec<String>,
) {
    let text = match value {
        Value::Null => return,
        Value::Bool(flag) => if *flag { "1" } else { "0" }.to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => encode(&disarmed(text)),
        Value::Array(items) => {
            for (place, item) in items.iter().enumerate().take_while(|_| depth > 0) {
                let key = format!("{key}[{place}]");
                flatten(&key, item, name, depth.saturating_sub(1), pairs);
            }
            return;
        }
        Value::Object(map) => {
            if let Some(Value::Array(parts)) = map.get(RESULT_OF)
                && let [Value::Number(command), Value::String(path)] = parts.as_slice()
            {
                let command = command.as_u64().and_then(|n| usize::try_from(n).ok());
                format!("$result[{}]{path}", name(command.unwrap_or_default()))
            } else {
                for (inner, item) in map.iter().take_while(|_| depth > 0) {
                    let key = format!("{key}[{}]", encode(inner));
                    flatten(&key, item, name, depth.saturating_sub(1), pairs);
                }
                return;
            }
        }
    };
    pairs.push(format!("{key}={text}"));
}

/// The portal puts results in wherever a text names one: a client who is called `$result[…]` must
/// not get to see them.
fn disarmed(text: &str) -> String {
    text.replace("$result", "＄result")
}

fn encode(text: &str) -> String {
    byte_serialize(text.as_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_written_in_phps_manner() {
        let command = Command::new(
            "crm.contact.add",
            json!({"fields": {"NAME": "Анна & Co", "PHONE": [{"VALUE": "+79161234567"}],
                "NONE": null, "LIST": []}, "flag": true, "start": -1}),
        );
        let written = command.written(|n| format!("c{n}"));
        let (method, query) = written.split_once('?').expect("a query");
        assert_eq!(method, "crm.contact.add");
        let pairs: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes())
            .map(|(key, value)| (key.into_owned(), value.into_owned()))
            .collect();
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(
            pairs,
            [
                pair("fields[NAME]", "Анна & Co"),
                pair("fields[PHONE][0][VALUE]", "+79161234567"),
                pair("flag", "1"),
                pair("start", "-1"),
            ]
        );
        assert_eq!(
            Command::new("scope", json!({})).written(|_| String::new()),
            "scope"
        );
    }

    #[test]
    fn only_we_refer_to_results() {
        let command = Command::new(
            "telephony.externalCall.finish",
            json!({"CALL_ID": result_of(0, "[CALL_ID]"), "FAILED_REASON": "$result[c0][CALL_ID]"}),
        );
        let written = command.written(|n| format!("c{}", n + 7));
        assert!(
            written.contains("CALL_ID=$result[c7][CALL_ID]"),
            "{written}"
        );
        assert!(
            !written.contains("$result[c0]") && !written.contains("%24result"),
            "{written}"
        );
    }
}
