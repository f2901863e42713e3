//! Scalars as amoCRM really writes them: numbers as strings, empty objects as `[]`, nulls.
//!
//! Lenient means: another way to write the same value. Nonsense stays an error, for a list read as
//! empty by mistake would make every client a new one.

use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// An integer, also as text or as a whole float; `null`, `""` and absence are 0.
pub(super) fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    Ok(optional_number(deserializer)?.unwrap_or(0))
}

/// An id: a number as above, but without one the record is not the one that it should be.
pub(super) fn id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    match number(deserializer)? {
        0 => Err(D::Error::custom("expected an id")),
        id => Ok(id),
    }
}

/// An integer as for [`number`]; `null`, `""` and absence are `None`.
pub(super) fn optional_number<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<i64>, D::Error> {
    let bad = || D::Error::custom("expected a whole number");
    match Value::deserialize(deserializer)? {
        Value::Null => Ok(None),
        Value::String(text) if text.trim().is_empty() => Ok(None),
        Value::String(text) => text.trim().parse().map(Some).map_err(|_| bad()),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => Ok(Some(whole)),
            // Floats in this range convert exactly enough for a time in seconds.
            (None, Some(float)) if float.abs() < 9e15 => Ok(Some(float as i64)),
            (None, _) => Err(bad()),
        },
        Value::Bool(_) | Value::Array(_) | Value::Object(_) => Err(bad()),
    }
}

/// A text, also as a number; anything else is `None`.
pub(super) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(scalar_text(&Value::deserialize(deserializer)?))
}

/// A text as above; a flag is `1` or `0`.
pub(super) fn text_or_flag<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<String>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::Bool(flag) => Some(if flag { "1" } else { "0" }.to_owned()),
        other => scalar_text(&other),
    })
}

/// Returns a scalar as text.
pub(super) fn scalar_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        // `leads/complex` wraps its echo in a list (`crm/amocrm.md` §9).
        Value::Array(items) => items.first().and_then(scalar_text),
        Value::Null | Value::Bool(_) | Value::Object(_) => None,
    }
}

/// A flag, also as 0 and 1 or as text; `null` and absence are `false`.
pub(super) fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::Bool(flag) => flag,
        Value::Number(number) => number.as_i64() == Some(1),
        Value::String(text) => matches!(text.as_str(), "1" | "true"),
        Value::Null | Value::Array(_) | Value::Object(_) => false,
    })
}

/// An object or list; `null`, `[]` and `{}` stand for the empty one.
pub(super) fn or_empty<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned + Default,
{
    let value = Value::deserialize(deserializer)?;
    let empty = match &value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    };
    if empty {
        return Ok(T::default());
    }
    serde_json::from_value(value).map_err(D::Error::custom)
}
