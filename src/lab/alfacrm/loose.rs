//! PHP's loose ways with types, in and out (crm/alfacrm.md §1.4).

use serde_json::{Map, Value, json};

/// Reads a number, also one that is written as text.
pub(super) fn number(value: Option<&Value>) -> Option<u64> {
    match value? {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.parse().ok(),
        Value::Bool(flag) => Some(u64::from(*flag)),
        _ => None,
    }
}

/// Reads a list of numbers, or one.
pub(super) fn numbers(value: Option<&Value>) -> Vec<u64> {
    match value {
        Some(Value::Array(list)) => list.iter().filter_map(|one| number(Some(one))).collect(),
        one => number(one).into_iter().collect(),
    }
}

/// Reads a text, also one that is written as a number.
pub(super) fn text(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Reads a list of texts, or one.
pub(super) fn texts(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::Array(list)) => list.iter().filter_map(|one| text(Some(one))).collect(),
        one => text(one).into_iter().collect(),
    }
}

/// Writes a record the loose way: numbers as texts, flags as "0" and "1", nothing as "".
pub(super) fn loosened(record: Value) -> Value {
    match record {
        Value::Number(number) => json!(number.to_string()),
        Value::Bool(flag) => json!(if flag { "1" } else { "0" }),
        Value::Null => json!(""),
        Value::Array(list) => list.into_iter().map(loosened).collect(),
        Value::Object(map) => {
            let map: Map<String, Value> = map
                .into_iter()
                .map(|(key, value)| (key, loosened(value)))
                .collect();
            Value::Object(map)
        }
        text => text,
    }
}

/// Returns the digits of a number.
pub(super) fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

/// Returns the last ten digits, by which the oracle knows a client.
pub(super) fn last_ten(text: &str) -> String {
    let digits = digits(text);
    let start = digits.len().saturating_sub(10);
    digits.get(start..).unwrap_or("").to_owned()
}

/// Writes a Russian number with the mask of the CRM's page (§2).
pub(super) fn masked(text: &str) -> String {
    let ten = last_ten(text);
    let part = |from, to| ten.get(from..to);
    let whole = digits(text);
    let russian = ten.len() == 10 && (whole.len() == 10 || whole.starts_with(['7', '8']));
    match (part(0, 3), part(3, 6), part(6, 8), part(8, 10)) {
        (Some(a), Some(b), Some(c), Some(d)) if russian => format!("+7({a}){b}-{c}-{d}"),
        _ => text.to_owned(),
    }
}
