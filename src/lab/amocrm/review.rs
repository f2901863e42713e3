//! Judges the items of request bodies: reads typed values out of JSON and collects what is wrong
//! with them in the words of crm/amocrm.md §3. What the real service might tolerate but the
//! contract does not name is collected apart, as oddities.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::exchange::Reply;

/// What is wrong with one item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ItemError {
    code: &'static str,
    path: String,
    detail: String,
}

/// The findings about one item.
#[derive(Debug, Default)]
pub(super) struct Review {
    pub(super) errors: Vec<ItemError>,
    /// Things to be counted, not refused.
    pub(super) oddities: BTreeSet<String>,
    /// Null is refused for every key that may not be null.
    pub(super) nulls_refused: bool,
    /// Keys that the contract does not name are refused.
    pub(super) unknown_keys_refused: bool,
}

impl Review {
    pub(super) fn missing(&mut self, path: String) {
        self.error("FieldMissing", path, "This field is missing.");
    }

    pub(super) fn choice(&mut self, path: String) {
        let detail = "The value you selected is not a valid choice.";
        self.error("NotSupportedChoice", path, detail);
    }

    pub(super) fn wrong_type(&mut self, path: String, expected: &str) {
        let detail = format!("This value should be of type {expected}.");
        self.error("InvalidType", path, &detail);
    }

    pub(super) fn not_null(&mut self, path: String) {
        self.error("NotNullable", path, "This value should not be null.");
    }

    pub(super) fn error(&mut self, code: &'static str, path: String, detail: &str) {
        self.errors.push(ItemError {
            code,
            path,
            detail: detail.to_owned(),
        });
    }

    pub(super) fn odd(&mut self, what: String) {
        self.oddities.insert(what);
    }

    /// Returns the element of `validation-errors` for this item.
    pub(super) fn render(&self, request_id: &str) -> Value {
        let one = |e: &ItemError| json!({"code": e.code, "path": e.path, "detail": e.detail});
        let errors: Vec<Value> = self.errors.iter().map(one).collect();
        json!({"request_id": request_id, "errors": errors})
    }
}

/// The 400 for the refused items of a body.
pub(super) fn validation_failed(elements: Vec<Value>) -> Reply {
    Reply::problem_json(
        400,
        &json!({
            "validation-errors": elements,
            "title": "Bad Request",
            "type": "https://httpstatus.es/400",
            "status": 400,
            "detail": "Request validation failed",
        }),
    )
}

/// A JSON object inside an item, with its path for messages.
#[derive(Debug, Clone)]
pub(super) struct Object<'a> {
    map: &'a Map<String, Value>,
    path: String,
}

impl<'a> Object<'a> {
    /// Takes a value for an object, or notes that it is none.
    pub(super) fn of(value: &'a Value, path: String, review: &mut Review) -> Option<Self> {
        match value.as_object() {
            Some(map) => Some(Self { map, path }),
            None => {
                review.wrong_type(path, "object");
                None
            }
        }
    }

    /// Returns the path of a key for messages.
    pub(super) fn at(&self, key: &str) -> String {
        if self.path.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.path)
        }
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.map.contains_key(key)
    }

    pub(super) fn is_null(&self, key: &str) -> bool {
        self.map.get(key).is_some_and(Value::is_null)
    }

    pub(super) fn raw(&self, key: &str) -> Option<&'a Value> {
        self.map.get(key)
    }

    /// Notes keys outside this list.
    pub(super) fn known(&self, what: &str, keys: &[&str], review: &mut Review) {
        for key in self.map.keys().filter(|k| !keys.contains(&k.as_str())) {
            if review.unknown_keys_refused {
                let detail = "This field was not expected.";
                review.error("NotSupportedField", self.at(key), detail);
            } else {
                review.odd(format!("unknown key: {what}.{key}"));
            }
        }
    }

    /// Notes that a required key is absent.
    pub(super) fn require(&self, keys: &[&str], review: &mut Review) {
        for key in keys.iter().filter(|k| !self.has(k)) {
            review.missing(self.at(key));
        }
    }

    /// Returns a value that is there and not null; null is noted.
    pub(super) fn value(&self, key: &str, review: &mut Review) -> Option<&'a Value> {
        let value = self.map.get(key)?;
        if !value.is_null() {
            return Some(value);
        }
        if review.nulls_refused {
            review.not_null(self.at(key));
        } else {
            review.odd(format!("explicit null: {key}"));
        }
        None
    }

    pub(super) fn text(&self, key: &str, review: &mut Review) -> Option<String> {
        let value = self.value(key, review)?;
        let text = value.as_str().map(str::to_owned);
        if text.is_none() {
            review.wrong_type(self.at(key), "string");
        }
        text
    }

    /// A text, or a number taken as text (`call_responsible`, `form_id`).
    pub(super) fn text_or_number(&self, key: &str, review: &mut Review) -> Option<String> {
        match self.value(key, review)? {
            Value::Number(number) => Some(number.to_string()),
            _ => self.text(key, review),
        }
    }

    pub(super) fn integer(&self, key: &str, review: &mut Review) -> Option<i64> {
        let value = self.value(key, review)?;
        if let Some(number) = value.as_i64() {
            return Some(number);
        }
        // One SDK writes whole numbers as floats, and the service takes them (§21.6).
        if let Some(whole) = value
            .as_f64()
            .filter(|f| f.fract() == 0.0 && f.abs() < 9e15)
        {
            review.odd(format!("float for an integer: {key}"));
            return format!("{whole:.0}").parse().ok();
        }
        review.wrong_type(self.at(key), "int");
        None
    }

    /// An id, or any other number that is not negative.
    pub(super) fn id(&self, key: &str, review: &mut Review) -> Option<u64> {
        let number = self.integer(key, review)?;
        let id = u64::try_from(number).ok();
        if id.is_none() {
            review.choice(self.at(key));
        }
        id
    }

    pub(super) fn flag(&self, key: &str, review: &mut Review) -> Option<bool> {
        let value = self.value(key, review)?;
        let flag = value.as_bool();
        if flag.is_none() {
            review.wrong_type(self.at(key), "bool");
        }
        flag
    }

    pub(super) fn object(&self, key: &str, review: &mut Review) -> Option<Object<'a>> {
        let value = self.value(key, review)?;
        Object::of(value, self.at(key), review)
    }

    pub(super) fn array(&self, key: &str, review: &mut Review) -> Option<&'a [Value]> {
        let value = self.value(key, review)?;
        let array = value.as_array().map(Vec::as_slice);
        if array.is_none() {
            review.wrong_type(self.at(key), "array");
        }
        array
    }

    /// The objects of an array, each with its path.
    pub(super) fn objects(&self, key: &str, review: &mut Review) -> Vec<Object<'a>> {
        let mut objects = Vec::new();
        for (n, value) in self
            .array(key, review)
            .unwrap_or_default()
            .iter()
            .enumerate()
        {
            objects.extend(Object::of(value, format!("{}.{n}", self.at(key)), review));
        }
        objects
    }

    /// The caller's `request_id`, or the ordinal as text.
    pub(super) fn request_id(value: &Value, ordinal: usize) -> String {
        match value.get("request_id") {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) => number.to_string(),
            _ => ordinal.to_string(),
        }
    }
}
