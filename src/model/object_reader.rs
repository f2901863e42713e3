//! Reads one JSON object field by field and goes on after a mistake, so that whoever wrote it
//! learns of all of them at once. serde stops at the first. The same reading, run on nothing, tells
//! what keys it knows ([`asked_by`](super::asked)).

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::sync::LazyLock;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::asked::{Asked, Form};
use super::closed_words;
use super::mistake::Mistake;
use super::timestamp::Timestamp;

/// Most mistakes that one answer names: enough to repair a connector, little enough to read.
const MISTAKES_MAX: usize = 100;

/// Characters of a wrong value that a mistake repeats.
const SHOWN_CHARS_MAX: usize = 64;

/// The mistakes found so far, with what they cost bounded.
#[derive(Debug, Default)]
pub(crate) struct Mistakes {
    found: Vec<Mistake>,
    unnamed: usize,
    /// What was asked for, where that is wanted.
    asked: Option<Vec<Asked>>,
}

impl Mistakes {
    /// Begins a reading that is to tell what it asks for.
    pub(super) fn recording() -> Self {
        Self {
            asked: Some(Vec::new()),
            ..Self::default()
        }
    }

    /// Returns what was asked for.
    pub(super) fn into_asked(self) -> Vec<Asked> {
        self.asked.unwrap_or_default()
    }

    /// Notes a mistake at `path` and `key`; an empty key means the value at `path` itself.
    pub(crate) fn add(&mut self, path: &[String], key: &str, message: String) {
        self.add_mistake(path, Mistake::at(key, message));
    }

    /// Notes a mistake whose own path begins at `path`.
    pub(crate) fn add_mistake(&mut self, path: &[String], mut mistake: Mistake) {
        if self.found.len() < MISTAKES_MAX {
            mistake.path.splice(0..0, path.iter().cloned());
            self.found.push(mistake);
        } else {
            self.unnamed = self.unnamed.saturating_add(1);
        }
    }

    /// Returns how many mistakes were made.
    pub(crate) fn count(&self) -> usize {
        self.found.len().saturating_add(self.unnamed)
    }

    /// Returns the mistakes, the last of which says how many more there are.
    pub(crate) fn into_vec(mut self) -> Vec<Mistake> {
        if self.unnamed > 0 {
            let rest = format!("{} more mistake(s) are not named here", self.unnamed);
            self.found.push(Mistake::at("", rest));
        }
        self.found
    }
}

/// What a text may be.
#[derive(Debug, Clone, Copy)]
pub(crate) enum TextShape {
    /// One line of at most so many characters, without control characters.
    Line(usize),
    /// Several lines of at most so many characters; line breaks and tabs are permitted.
    Lines(usize),
}

impl TextShape {
    fn chars_max(self) -> usize {
        match self {
            TextShape::Line(max) | TextShape::Lines(max) => max,
        }
    }

    fn form(self) -> Form {
        Form::Text {
            chars_max: self.chars_max(),
        }
    }
}

/// A table without any key.
static NOTHING: LazyLock<Value> = LazyLock::new(|| Value::Object(Map::new()));

/// One object being read. Every `…` method notes its own mistake and returns `None` then; `null`
/// is as good as a missing key.
pub(crate) struct Reader<'a> {
    object: &'a Map<String, Value>,
    path: Vec<String>,
    known: Vec<&'static str>,
    mistakes: &'a mut Mistakes,
}

/// Reads a `settings` table, of which nothing is as good as an empty one, or names every mistake.
pub(crate) fn read_settings<T>(
    settings: &Value,
    read: impl FnOnce(Reader<'_>) -> Option<T>,
) -> Result<T, Vec<Mistake>> {
    let mut mistakes = Mistakes::default();
    let table = if settings.is_null() {
        &*NOTHING
    } else {
        settings
    };
    let value = Reader::new(table, &[], &mut mistakes).and_then(read);
    match (value, mistakes.into_vec()) {
        (Some(value), found) if found.is_empty() => Ok(value),
        (_, found) => Err(found),
    }
}

impl<'a> Reader<'a> {
    /// Begins to read an object.
    pub(crate) fn new(
        value: &'a Value,
        path: &[String],
        mistakes: &'a mut Mistakes,
    ) -> Option<Self> {
        let Value::Object(object) = value else {
            mistakes.add(path, "", format!("must be an object, not {}", sort(value)));
            return None;
        };
        Some(Self {
            object,
            path: path.to_vec(),
            known: Vec::new(),
            mistakes,
        })
    }

    /// Ends the reading: keys that nobody asked for are mistakes.
    pub(crate) fn finish(self) {
        for key in self.object.keys() {
            if !self.known.contains(&key.as_str()) {
                let known = self.known.join(", ");
                let mistake = Mistake::at("", format!("is not known here; known are {known}"));
                self.mistakes
                    .add_mistake(&self.path, mistake.under(&shown(key)));
            }
        }
    }

    /// Returns the value of a key without judging it.
    fn value(&mut self, key: &'static str, form: impl FnOnce() -> Form) -> Option<&'a Value> {
        self.known.push(key);
        if let Some(asked) = &mut self.mistakes.asked {
            let mut path = self.path.clone();
            path.push(key.to_owned());
            let form = form();
            asked.push(Asked {
                path,
                form,
                required: false,
            });
        }
        self.object.get(key).filter(|value| !value.is_null())
    }

    /// Notes a mistake in the value of a key.
    pub(crate) fn wrong(&mut self, key: &str, message: impl Display) {
        self.mistakes.add(&self.path, key, message.to_string());
    }

    /// Notes a mistake whose own path begins at this object.
    pub(crate) fn mistake(&mut self, mistake: Mistake) {
        self.mistakes.add_mistake(&self.path, mistake);
    }

    /// Notes that the table cannot do without a key.
    fn note_required(&mut self, key: &'static str) {
        let asked = self.mistakes.asked.iter_mut().flatten();
        let here = &self.path;
        let is_it = |one: &&mut Asked| {
            let way = one.path.split_last();
            way.is_some_and(|(last, table)| last == key && table == here)
        };
        asked.filter(is_it).for_each(|one| one.required = true);
    }

    /// Notes a mistake when a required value is missing altogether; passes the value on.
    pub(crate) fn required<T>(&mut self, key: &'static str, value: Option<T>) -> Option<T> {
        self.note_required(key);
        if !self.has(key) {
            self.wrong(key, "is missing");
        }
        value
    }

    /// Reads a text; spaces around it are cut off, and an empty one is as good as a missing key.
    pub(crate) fn text(&mut self, key: &'static str, shape: TextShape) -> Option<String> {
        let value = self.value(key, || shape.form())?;
        match text(value, shape) {
            Ok(text) => Some(text).filter(|text| !text.is_empty()),
            Err(message) => {
                self.wrong(key, message);
                None
            }
        }
    }

    /// Reads a text that is not empty where it is there.
    pub(crate) fn filled_text(&mut self, key: &'static str, shape: TextShape) -> Option<String> {
        let before = self.mistakes.count();
        let text = self.text(key, shape);
        if text.is_none() && self.has(key) && self.mistakes.count() == before {
            self.wrong(key, "must not be empty");
        }
        text
    }

    /// Says whether a key is there, whatever its value.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.object.get(key).is_some_and(|value| !value.is_null())
    }

    /// Reads a text that must be there and not be empty.
    pub(crate) fn required_text(&mut self, key: &'static str, shape: TextShape) -> Option<String> {
        let before = self.mistakes.count();
        let text = self.text(key, shape);
        self.note_required(key);
        if text.is_none() && self.mistakes.count() == before {
            self.wrong(key, "is missing or empty");
        }
        text
    }

    /// Reads a time.
    pub(crate) fn time(&mut self, key: &'static str) -> Option<Timestamp> {
        let value = self.value(key, || Form::Time)?;
        match time(value) {
            Ok(time) => Some(time),
            Err(message) => {
                self.wrong(key, message);
                None
            }
        }
    }

    /// Reads a whole number from 0 to `max`.
    pub(crate) fn whole(&mut self, key: &'static str, max: u64) -> Option<u64> {
        self.whole_of(key, 0, max, None)
    }

    fn whole_of(
        &mut self,
        key: &'static str,
        min: u64,
        max: u64,
        usual: Option<u64>,
    ) -> Option<u64> {
        let value = self.value(key, || Form::Whole { min, max, usual })?;
        let number = value.as_u64().filter(|number| *number <= max);
        if number.is_none() {
            self.wrong(key, format!("must be a whole number from 0 to {max}"));
        }
        number
    }

    /// Reads a whole number of a range, or takes the usual one.
    pub(crate) fn whole_in(
        &mut self,
        key: &'static str,
        range: RangeInclusive<u64>,
        usual: u64,
    ) -> u64 {
        let (min, max) = range.into_inner();
        let given = self.whole_of(key, min, max, Some(usual));
        if given.is_some_and(|given| given < min) {
            self.wrong(key, format!("must be at least {min}"));
            return usual;
        }
        given.unwrap_or(usual)
    }

    /// Reads a whole number of seconds of a range, or takes the usual one.
    pub(crate) fn seconds(
        &mut self,
        key: &'static str,
        range: RangeInclusive<u64>,
        usual: u64,
    ) -> Duration {
        Duration::from_secs(self.whole_in(key, range, usual))
    }

    /// Reads a number of a range.
    pub(crate) fn number(
        &mut self,
        key: &'static str,
        range: RangeInclusive<f64>,
        usual: Option<f64>,
    ) -> Option<f64> {
        let (min, max) = range.into_inner();
        let value = self.value(key, || Form::Number { min, max, usual })?;
        let number = value.as_f64().filter(|number| (min..=max).contains(number));
        if number.is_none() {
            self.wrong(key, format!("must be a number from {min} to {max}"));
        }
        number
    }

    /// Reads true or false, or takes the usual one.
    pub(crate) fn flag(&mut self, key: &'static str, usual: bool) -> bool {
        let Some(value) = self.value(key, || Form::Flag { usual }) else {
            return usual;
        };
        let flag = value.as_bool();
        if flag.is_none() {
            self.wrong(key, "must be true or false");
        }
        flag.unwrap_or(usual)
    }

    /// Reads a number of seconds from 0 to `max`, fractions permitted, and returns milliseconds.
    pub(crate) fn seconds_as_ms(&mut self, key: &'static str, max: u32) -> Option<u64> {
        let form = || Form::Number {
            min: 0.0,
            max: f64::from(max),
            usual: None,
        };
        let value = self.value(key, form)?;
        let seconds = value
            .as_f64()
            .filter(|s| (0.0..=f64::from(max)).contains(s));
        if seconds.is_none() {
            self.wrong(key, format!("must be a number of seconds from 0 to {max}"));
        }
        // In range by the filter above; a float cast saturates and cannot fail.
        seconds.map(|s| (s * 1000.0).round() as u64)
    }

    /// Reads one word of a closed set.
    pub(crate) fn word<T: Deserialize<'a>>(&mut self, key: &'static str) -> Option<T> {
        let value = self.value(key, || Form::Word(closed_words::of::<T>()))?;
        let Value::String(word) = value else {
            self.wrong(key, format!("must be a text, not {}", sort(value)));
            return None;
        };
        let word_only = serde::de::value::StrDeserializer::<serde::de::value::Error>::new(word);
        match T::deserialize(word_only) {
            Ok(word) => Some(word),
            Err(error) if word.chars().count() <= SHOWN_CHARS_MAX => {
                self.wrong(key, error);
                None
            }
            Err(_) => {
                self.wrong(key, "is no word that stands here");
                None
            }
        }
    }

    /// Begins to read an object inside of this one.
    pub(crate) fn table(&mut self, key: &'static str) -> Option<Reader<'_>> {
        let value = self.value(key, || Form::Table);
        // Who asks what is read wants to know of what would be read there, too.
        let value = value.or_else(|| self.mistakes.asked.is_some().then_some(&*NOTHING))?;
        let mut path = self.path.clone();
        path.push(key.to_owned());
        Reader::new(value, &path, self.mistakes)
    }

    /// Reads a list of at most `max` items; `item` reads one and notes its own mistakes.
    pub(crate) fn list<T>(
        &mut self,
        key: &'static str,
        max: usize,
        item: impl FnMut(&'a Value, &[String], &mut Mistakes) -> Option<T>,
    ) -> Vec<T> {
        self.list_of(key, max, || Form::List { items_max: max }, item)
    }

    fn list_of<T>(
        &mut self,
        key: &'static str,
        max: usize,
        form: impl FnOnce() -> Form,
        mut item: impl FnMut(&'a Value, &[String], &mut Mistakes) -> Option<T>,
    ) -> Vec<T> {
        let Some(value) = self.value(key, form) else {
            return Vec::new();
        };
        let Value::Array(values) = value else {
            self.wrong(key, format!("must be a list, not {}", sort(value)));
            return Vec::new();
        };
        if values.len() > max {
            self.wrong(key, format!("must have at most {max} items"));
            return Vec::new();
        }
        let mut path = self.path.clone();
        path.push(key.to_owned());
        let mut items = Vec::with_capacity(values.len());
        for (position, value) in values.iter().enumerate() {
            path.push(position.to_string());
            items.extend(item(value, &path, self.mistakes));
            path.pop();
        }
        items
    }

    /// Reads a list of non-empty texts.
    pub(crate) fn texts(&mut self, key: &'static str, max: usize, shape: TextShape) -> Vec<String> {
        let form = || Form::Texts {
            items_max: max,
            chars_max: shape.chars_max(),
        };
        self.list_of(key, max, form, |value, path, mistakes| {
            let read = text(value, shape).and_then(|text| match text.is_empty() {
                true => Err("must not be empty".to_owned()),
                false => Ok(text),
            });
            read.map_err(|message| mistakes.add(path, "", message)).ok()
        })
    }

    /// Reads an object of at most `max` texts by name.
    pub(crate) fn named_texts(
        &mut self,
        key: &'static str,
        max: usize,
        name: TextShape,
        shape: TextShape,
    ) -> Vec<(String, String)> {
        let Some(value) = self.value(key, || Form::NamedTexts { entries_max: max }) else {
            return Vec::new();
        };
        let Value::Object(values) = value else {
            self.wrong(key, format!("must be an object, not {}", sort(value)));
            return Vec::new();
        };
        if values.len() > max {
            self.wrong(key, format!("must have at most {max} entries"));
            return Vec::new();
        }
        let mut found = Vec::with_capacity(values.len());
        for (field, value) in values {
            let read = check_text(field.trim(), name)
                .map_err(|message| format!("as a name: {message}"))
                .and_then(|name| Ok((name, text(value, shape)?)));
            match read {
                Ok(pair) => found.push(pair),
                Err(message) => {
                    let mistake = Mistake::at("", message).under(&shown(field)).under(key);
                    self.mistakes.add_mistake(&self.path, mistake);
                }
            }
        }
        found
    }
}

fn text(value: &Value, shape: TextShape) -> Result<String, String> {
    match value {
        Value::String(text) => check_text(text.trim(), shape),
        Value::Number(_) => Err("must be a text: put the number into quotes".to_owned()),
        other => Err(format!("must be a text, not {}", sort(other))),
    }
}

fn check_text(text: &str, shape: TextShape) -> Result<String, String> {
    let (max, lines) = match shape {
        TextShape::Line(max) => (max, false),
        TextShape::Lines(max) => (max, true),
    };
    if text.chars().count() > max {
        return Err(format!("must have at most {max} characters"));
    }
    let permitted = |c: char| !c.is_control() || (lines && matches!(c, '\n' | '\r' | '\t'));
    if !text.chars().all(permitted) {
        return Err("must not hold control characters".to_owned());
    }
    Ok(text.to_owned())
}

/// The years in which a communication of ours can have been. A time outside of them is a unit
/// mixed up or a field left at its zero value.
const YEARS: std::ops::Range<Timestamp> =
    Timestamp::from_secs(946_684_800)..Timestamp::from_secs(4_102_444_800);

fn time(value: &Value) -> Result<Timestamp, String> {
    let Value::String(text) = value else {
        return Err(format!(
            "must be a time as text, such as 2026-11-20T12:00:00+03:00, not {}",
            sort(value)
        ));
    };
    let time = Timestamp::parse(text.trim()).map_err(|error| error.to_string())?;
    if YEARS.contains(&time) {
        Ok(time)
    } else {
        Err("must lie between the years 2000 and 2100".to_owned())
    }
}

fn sort(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

fn shown(key: &str) -> String {
    key.chars().take(SHOWN_CHARS_MAX).collect()
}
