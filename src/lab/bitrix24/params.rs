//! The parameters of a method, read as loosely as the service reads them; what leaves the
//! contract and is tolerated is taken down.

use std::cell::RefCell;

use serde_json::{Map, Value};

use super::refusal::Refusal;

/// The parameters of one call of a method.
#[derive(Debug, Default)]
pub(super) struct Params {
    map: Map<String, Value>,
    odd: RefCell<Vec<String>>,
}

impl Params {
    pub(super) fn new(map: Map<String, Value>) -> Self {
        Self {
            map,
            odd: RefCell::default(),
        }
    }

    /// Returns what was odd.
    pub(super) fn into_odd(self) -> Vec<String> {
        self.odd.into_inner()
    }

    /// Takes down what is tolerated.
    pub(super) fn odd(&self, what: impl Into<String>) {
        self.odd.borrow_mut().push(what.into());
    }

    /// Returns a parameter by its exact name; null counts as absent.
    pub(super) fn exact(&self, key: &str) -> Option<&Value> {
        self.map.get(key).filter(|value| !value.is_null())
    }

    /// Returns a parameter whatever the case of its name; another case than the contract's is
    /// taken down.
    pub(super) fn get(&self, key: &str) -> Option<&Value> {
        if let Some(value) = self.exact(key) {
            return Some(value);
        }
        let found = self
            .map
            .iter()
            .find(|(name, value)| name.eq_ignore_ascii_case(key) && !value.is_null());
        let (name, value) = found?;
        self.odd(format!("case of a parameter: {name} for {key}"));
        Some(value)
    }

    pub(super) fn text(&self, key: &str) -> Option<String> {
        text_of(self.get(key)?)
    }

    /// Returns a text that is there and not empty.
    pub(super) fn word(&self, key: &str) -> Option<String> {
        self.text(key).filter(|text| !text.is_empty())
    }

    pub(super) fn integer(&self, key: &str) -> Option<i64> {
        integer_of(self.get(key)?)
    }

    /// Returns a positive number.
    pub(super) fn id(&self, key: &str) -> Option<u64> {
        id_of(self.get(key)?)
    }

    /// Returns a positive number, or says that it is missing.
    pub(super) fn required_id(&self, key: &str) -> Result<u64, Refusal> {
        self.id(key).ok_or_else(|| Refusal::missing(key))
    }

    pub(super) fn flag(&self, key: &str) -> Option<bool> {
        flag_of(self.get(key)?)
    }

    /// Returns an object; an empty list is an empty object.
    pub(super) fn object(&self, key: &str) -> Option<Map<String, Value>> {
        object_of(self.get(key)?)
    }

    /// Returns the rows of a list, or of an object without regard to its keys.
    pub(super) fn list(&self, key: &str) -> Option<Vec<Value>> {
        self.get(key).and_then(list_of)
    }

    /// Returns the offset of a list; -1 stands for no counting.
    pub(super) fn start(&self) -> i64 {
        self.integer("start").unwrap_or(0)
    }
}

/// Reads a text, a number or a flag as text.
pub(super) fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(if *flag { "1" } else { "" }.to_owned()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Reads a whole number, also from a text.
pub(super) fn integer_of(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// Reads a positive number, also from a text.
pub(super) fn id_of(value: &Value) -> Option<u64> {
    u64::try_from(integer_of(value)?).ok().filter(|id| *id > 0)
}

/// Reads a flag in any of its spellings.
pub(super) fn flag_of(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        _ => match text_of(value)?.as_str() {
            "Y" | "1" | "true" => Some(true),
            "N" | "0" | "" | "false" => Some(false),
            _ => None,
        },
    }
}

/// Reads an object; an empty list is an empty object.
pub(super) fn object_of(value: &Value) -> Option<Map<String, Value>> {
    match value {
        Value::Object(map) => Some(map.clone()),
        Value::Array(list) if list.is_empty() => Some(Map::new()),
        _ => None,
    }
}

/// Reads the rows of a list, or of an object without regard to its keys.
pub(super) fn list_of(value: &Value) -> Option<Vec<Value>> {
    match value {
        Value::Array(list) => Some(list.clone()),
        Value::Object(map) => Some(map.values().cloned().collect()),
        _ => None,
    }
}

/// Reads one or many positive numbers.
pub(super) fn ids_of(value: &Value) -> Vec<u64> {
    match list_of(value) {
        Some(list) => list.iter().filter_map(id_of).collect(),
        None => id_of(value).into_iter().collect(),
    }
}
