//! Names and texts from templates (V-09): strict when saved, total when run.
//!
//! The language is a small part of Jinja: text, `{{ variable }}`, a few filters, and `{% if %}`.
//! Loops, assignments, arithmetic and calls are refused, so that a template costs what its length
//! says. Output is one line of bounded length. Escaping for a CRM is its adapter's affair.

mod scan;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use minijinja::{Environment, ErrorKind, UndefinedBehavior};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::explanation::TemplateMiss;

/// The values of a template's variables, by name.
pub(super) type Values = BTreeMap<&'static str, Value>;

/// The longest template, in characters: room for a paragraph.
const TEMPLATE_CHARS_MAX: usize = 1000;

/// Instructions that one run may take: a template of the greatest length needs fewer than a
/// thousand, for nothing in it is done twice.
const FUEL: u64 = 10_000;

/// A template as an administrator wrote it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(extend("x-shape" = "template"))]
pub struct Template(pub String);

/// The value of a variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    /// A text; `""` where there is none.
    Text(String),
    /// Yes or no, for conditions.
    Flag(bool),
    /// A number.
    Number(u64),
}

impl From<&Value> for minijinja::Value {
    fn from(value: &Value) -> Self {
        match value {
            Value::Text(text) => minijinja::Value::from(text.as_str()),
            Value::Flag(flag) => minijinja::Value::from(*flag),
            Value::Number(number) => minijinja::Value::from(*number),
        }
    }
}

impl Template {
    /// Says everything that is wrong with the template, given what its variables may be: every
    /// set of samples must give a text.
    pub(super) fn mistakes(&self, samples: &[Values]) -> Vec<String> {
        let text = self.0.as_str();
        if text.trim().is_empty() {
            return vec!["write a text, or leave the key out for the default".to_owned()];
        }
        let length = text.chars().count();
        if length > TEMPLATE_CHARS_MAX {
            return vec![format!(
                "{length} characters are too many: at most {TEMPLATE_CHARS_MAX}"
            )];
        }
        let template = match ENGINE.template_from_str(text) {
            Ok(template) => template,
            Err(error) => return vec![words(&error)],
        };
        let mut found = scan::mistakes(text);
        let known: Vec<&str> = samples
            .iter()
            .flat_map(|sample| sample.keys().copied())
            .collect();
        let mut used: Vec<String> = template.undeclared_variables(false).into_iter().collect();
        used.sort_unstable();
        for name in used.iter().filter(|name| !known.contains(&name.as_str())) {
            found.push(format!(
                "there is no variable {name:?} here: {}",
                listed(samples)
            ));
        }
        if found.is_empty() {
            let refusals = samples.iter().filter_map(|sample| self.run(sample).err());
            found.extend(refusals.map(|error| words(&error)).next());
        }
        found
    }

    /// Fills the template in: one line, at most `chars_max` characters. A template without
    /// mistakes always gives a text, but where its variables are empty or hold a value that no
    /// sample foresaw.
    pub(super) fn text(&self, values: &Values, chars_max: usize) -> Result<String, TemplateMiss> {
        let whole = self.run(values).map_err(|error| TemplateMiss::Broken {
            words: words(&error),
        })?;
        let line = one_line(&whole, chars_max);
        if line.is_empty() {
            return Err(TemplateMiss::Empty);
        }
        Ok(line)
    }

    fn run(&self, values: &Values) -> Result<String, minijinja::Error> {
        let context: BTreeMap<&str, minijinja::Value> = values
            .iter()
            .map(|(name, value)| (*name, minijinja::Value::from(value)))
            .collect();
        ENGINE.render_str(&self.0, minijinja::Value::from(context))
    }
}

/// Joins what stands on several lines, takes control characters out and cuts at a bound.
pub(super) fn one_line(text: &str, chars_max: usize) -> String {
    let spaced: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let line = words.join(" ");
    if line.chars().count() <= chars_max {
        return line;
    }
    let kept: String = line.chars().take(chars_max.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

fn listed(samples: &[Values]) -> String {
    match samples.first() {
        Some(sample) => sample.keys().copied().collect::<Vec<_>>().join(", "),
        None => "none".to_owned(),
    }
}

/// Words an error of the engine for an administrator.
fn words(error: &minijinja::Error) -> String {
    let detail = error.detail().map(ToOwned::to_owned);
    let what = match error.kind() {
        ErrorKind::UndefinedError => "a value that is not there is used".to_owned(),
        ErrorKind::UnknownFilter => detail.unwrap_or_else(|| "unknown filter".to_owned()),
        ErrorKind::OutOfFuel => "it takes too long".to_owned(),
        other => detail.unwrap_or_else(|| other.to_string()),
    };
    match error.line() {
        Some(line) => format!("the template cannot be read: {what} (line {line})"),
        None => format!("the template cannot be read: {what}"),
    }
}

/// The engine: no functions, no tests, and the filters of [`scan::FILTERS`].
static ENGINE: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut engine = Environment::empty();
    engine.set_undefined_behavior(UndefinedBehavior::Strict);
    engine.set_fuel(Some(FUEL));
    engine.add_filter("upper", |text: String| text.to_uppercase());
    engine.add_filter("lower", |text: String| text.to_lowercase());
    engine.add_filter("capitalize", |text: String| capitalized(&text));
    engine.add_filter("trim", |text: String| text.trim().to_owned());
    engine.add_filter(
        "default",
        |text: String, other: String| {
            if text.is_empty() { other } else { text }
        },
    );
    engine.add_filter("last", |text: String, count: usize| {
        let skipped = text.chars().count().saturating_sub(count);
        text.chars().skip(skipped).collect::<String>()
    });
    engine
});

fn capitalized(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars).collect(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests;
