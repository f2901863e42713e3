//! Reads the objects of the platform as they come: one thing may be a number here and a text
//! there, and anything may be `null` (`pbx/uis.md` §1.2, §3). Nothing in here fails: what cannot be
//! read is not there.

use serde_json::{Map, Value};

/// Longest text that is kept of one field, in characters: a message of a chat or of a form. CRMs
/// cut notes at 20 000 characters or earlier.
const TEXT_CHARS_MAX: usize = 20_000;

/// Longest line that is kept: names, numbers, addresses of pages.
const LINE_CHARS_MAX: usize = 2_048;

/// Entries of a list that are looked at: more tags or legs than any call has.
const LIST_MAX: usize = 200;

/// One object.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row<'a>(&'a Map<String, Value>);

impl<'a> Row<'a> {
    /// Takes an object.
    pub(super) fn new(object: &'a Map<String, Value>) -> Self {
        Self(object)
    }

    /// Takes a value that should be an object.
    pub(super) fn of(value: &'a Value) -> Option<Self> {
        value.as_object().map(Self)
    }

    /// Returns a text or number as one clean line.
    pub(super) fn line(&self, key: &str) -> Option<String> {
        line(self.0.get(key)?)
    }

    /// Returns a text, with its line breaks.
    pub(super) fn text(&self, key: &str) -> Option<String> {
        let text = scalar(self.0.get(key)?)?;
        let clean = |c: &char| !c.is_control() || matches!(c, '\n' | '\t');
        let text: String = text.chars().filter(clean).take(TEXT_CHARS_MAX).collect();
        let text = text.trim();
        (!text.is_empty()).then(|| text.to_owned())
    }

    /// Returns a whole number that is not below zero.
    pub(super) fn whole(&self, key: &str) -> Option<u64> {
        let value = self.0.get(key)?;
        let number = value.as_u64().or_else(|| {
            // Reports write some durations as `12.0` or `"12"`.
            let number = value
                .as_f64()
                .or_else(|| value.as_str()?.trim().parse().ok());
            // In range by the filter; a cast of a float saturates.
            number.filter(|n| (0.0..1e15).contains(n)).map(|n| n as u64)
        })?;
        Some(number)
    }

    /// Returns yes or no, however it is written.
    pub(super) fn flag(&self, key: &str) -> Option<bool> {
        match self.0.get(key)? {
            Value::Bool(flag) => Some(*flag),
            Value::Number(number) => Some(number.as_f64() != Some(0.0)),
            Value::String(text) => match text.trim().to_ascii_lowercase().as_str() {
                "true" | "1" | "yes" => Some(true),
                "false" | "0" | "no" => Some(false),
                _ => None,
            },
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        }
    }

    /// Returns a list of lines; a single one counts as a list.
    pub(super) fn lines(&self, key: &str) -> Vec<String> {
        match self.0.get(key) {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Array(values)) => values.iter().take(LIST_MAX).filter_map(line).collect(),
            Some(value) => line(value).into_iter().collect(),
        }
    }

    /// Returns the objects of a list.
    pub(super) fn rows(&self, key: &str) -> Vec<Row<'a>> {
        let values = self.0.get(key).and_then(Value::as_array);
        let values = values.map_or(&[][..], Vec::as_slice);
        values.iter().take(LIST_MAX).filter_map(Row::of).collect()
    }

    /// Returns an object inside of this one.
    pub(super) fn row(&self, key: &str) -> Option<Row<'a>> {
        self.0.get(key).and_then(Row::of)
    }
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(_) | Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn line(value: &Value) -> Option<String> {
    let text = scalar(value)?;
    let joined = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let clean = joined.chars().filter(|c| !c.is_control());
    let line: String = clean.take(LINE_CHARS_MAX).collect();
    // A template whose variable had no value may have been written with quotes around it.
    (!line.is_empty() && line != "null" && line != "None").then_some(line)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn one_thing_is_read_however_it_is_written() {
        let value = json!({
            "id": 910_000_017_u64, "quoted": "910000017", "null": null, "empty": " ",
            "seconds": "12.0", "yes": "true", "one": "Целевой", "many": ["a", null, 5],
            "odd": "a\u{7}b\nc", "word": "null",
        });
        let row = Row::of(&value).expect("an object");
        assert_eq!(row.line("id"), row.line("quoted"));
        assert_eq!(row.whole("id"), row.whole("quoted"));
        for key in ["null", "empty", "missing", "word", "many"] {
            assert_eq!(row.line(key), None, "{key}");
        }
        assert_eq!(row.whole("seconds"), Some(12));
        assert_eq!(row.flag("yes"), Some(true));
        assert_eq!(row.lines("one"), ["Целевой"]);
        assert_eq!(row.lines("many"), ["a", "5"]);
        assert_eq!(row.line("odd").as_deref(), Some("ab c"));
        assert_eq!(row.text("odd").as_deref(), Some("ab\nc"));
    }
}
