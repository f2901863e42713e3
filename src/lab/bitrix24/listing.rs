//! Lists: filters with prefixes, order, pages of fifty, and `start: -1` (crm/bitrix24.md §1
//! Paging).

use std::cmp::Ordering;

use jiff::tz::TimeZone;
use serde_json::{Map, Value};

use super::dates;
use super::methods::Answer;
use super::params::{Params, flag_of, list_of, text_of};
use super::switches::Switches;

/// Rows of a page.
pub(super) const PAGE: usize = 50;

/// Prefixes of filters, the longer ones first.
const PREFIXES: &[(&str, Test)] = &[
    (">=", Test::AtLeast),
    ("<=", Test::AtMost),
    ("!@", Test::NoneOf),
    ("!%", Test::NotLike),
    ("!=", Test::Not),
    ("%=", Test::Like),
    ("=%", Test::Like),
    (">", Test::Above),
    ("<", Test::Below),
    ("@", Test::OneOf),
    ("%", Test::Like),
    ("!", Test::Not),
    ("=", Test::Is),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Test {
    Is,
    Not,
    Above,
    Below,
    AtLeast,
    AtMost,
    OneOf,
    NoneOf,
    Like,
    NotLike,
}

/// A filter.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Filter {
    /// Every part fits.
    All(Vec<Filter>),
    /// One part fits.
    Any(Vec<Filter>),
    /// A field fits.
    Field(Condition),
}

/// A condition of a field.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Condition {
    /// The name without its prefix.
    pub(super) name: String,
    test: Test,
    values: Vec<Value>,
}

impl Filter {
    /// Reads a filter; groups with `logic` are read where the family has them.
    pub(super) fn read(given: &Map<String, Value>, with_groups: bool) -> Self {
        let mut parts = Vec::new();
        for (key, value) in given.iter().filter(|(key, _)| *key != "logic") {
            let is_group = with_groups && key.bytes().all(|b| b.is_ascii_digit());
            match value {
                Value::Object(group) if is_group => parts.push(Self::read(group, true)),
                _ => parts.push(Filter::Field(Condition::read(key, value))),
            }
        }
        let logic = given.get("logic").and_then(text_of).unwrap_or_default();
        match logic.eq_ignore_ascii_case("OR") && with_groups {
            true => Filter::Any(parts),
            false => Filter::All(parts),
        }
    }

    /// Returns every field that is named.
    pub(super) fn names(&self) -> Vec<&str> {
        match self {
            Filter::All(parts) | Filter::Any(parts) => {
                parts.iter().flat_map(Filter::names).collect()
            }
            Filter::Field(condition) => vec![&condition.name],
        }
    }

    /// Returns the fields of which the filter demands one of some values, with those.
    pub(super) fn demands(&self) -> Vec<(&str, &[Value])> {
        match self {
            Filter::All(parts) => parts.iter().flat_map(Filter::demands).collect(),
            Filter::Field(condition) if matches!(condition.test, Test::Is | Test::OneOf) => {
                vec![(&condition.name, &condition.values)]
            }
            Filter::Any(_) | Filter::Field(_) => Vec::new(),
        }
    }

    /// Returns whether a row fits; `values` gives what the row has under a name, nothing for a
    /// name that is ignored.
    pub(super) fn fits(
        &self,
        zone: &TimeZone,
        values: &impl Fn(&str) -> Option<Vec<Value>>,
    ) -> bool {
        match self {
            Filter::All(parts) => parts.iter().all(|part| part.fits(zone, values)),
            Filter::Any(parts) => parts.iter().any(|part| part.fits(zone, values)),
            Filter::Field(condition) => match values(&condition.name) {
                Some(found) => condition.fits(&found, zone),
                None => true,
            },
        }
    }
}

impl Condition {
    fn read(key: &str, value: &Value) -> Self {
        let prefix = PREFIXES.iter().find(|(prefix, _)| key.starts_with(prefix));
        let (name, test) = match prefix {
            Some((prefix, test)) => (key.strip_prefix(prefix).unwrap_or(key), *test),
            None => (key, Test::Is),
        };
        Self {
            name: name.to_owned(),
            test,
            values: list_of(value).unwrap_or_else(|| vec![value.clone()]),
        }
    }

    fn fits(&self, found: &[Value], zone: &TimeZone) -> bool {
        let any = |fits: &dyn Fn(&Value, &Value) -> bool| {
            let wanted = |value: &Value| found.iter().any(|f| fits(f, value));
            self.values.iter().any(wanted)
        };
        let is = || {
            let empty = |value: &Value| text_of(value).is_none_or(|text| text.is_empty());
            (found.is_empty() && self.values.iter().any(empty))
                || any(&|found, wanted| compare(found, wanted, zone) == Some(Ordering::Equal))
        };
        let side = |sides: &[Ordering]| {
            any(&|found, wanted| compare(found, wanted, zone).is_some_and(|o| sides.contains(&o)))
        };
        match self.test {
            Test::Is | Test::OneOf => is(),
            Test::Not | Test::NoneOf => !is(),
            Test::Above => side(&[Ordering::Greater]),
            Test::Below => side(&[Ordering::Less]),
            Test::AtLeast => side(&[Ordering::Greater, Ordering::Equal]),
            Test::AtMost => side(&[Ordering::Less, Ordering::Equal]),
            Test::Like => any(&is_like),
            Test::NotLike => !any(&is_like),
        }
    }
}

fn is_like(found: &Value, wanted: &Value) -> bool {
    let (found, wanted) = (text_of(found), text_of(wanted));
    let wanted = wanted.unwrap_or_default().to_lowercase();
    let wanted = wanted.trim_matches('%');
    found.is_some_and(|found| found.to_lowercase().contains(wanted))
}

/// Compares what a row has with what was asked for, by the type of what the row has.
fn compare(found: &Value, wanted: &Value, zone: &TimeZone) -> Option<Ordering> {
    match found {
        Value::Bool(flag) => Some(flag.cmp(&flag_of(wanted)?)),
        Value::Number(number) => {
            let text = text_of(wanted)?;
            let asked = match text.trim().parse::<f64>() {
                Ok(asked) => asked,
                // A date inside is Unix seconds.
                Err(_) => whole(dates::parse(&text, zone)?),
            };
            number.as_f64()?.partial_cmp(&asked)
        }
        found => Some(text_of(found)?.cmp(&text_of(wanted)?)),
    }
}

/// Seconds of any date in question have a float of their own.
#[expect(clippy::cast_precision_loss, reason = "seconds are far below 2^52")]
fn whole(seconds: i64) -> f64 {
    seconds as f64
}

/// Orders rows: `{"ID": "ASC"}`; by id without one. `value` gives what a row has under a name.
pub(super) fn sort<T>(
    rows: &mut [T],
    order: &Map<String, Value>,
    by_default: &str,
    value: impl Fn(&T, &str) -> Option<Value>,
) {
    let keys: Vec<(String, bool)> = match order.is_empty() {
        true => vec![(by_default.to_owned(), false)],
        false => order
            .iter()
            .map(|(name, way)| {
                let way = text_of(way).unwrap_or_default();
                (name.clone(), way.eq_ignore_ascii_case("DESC"))
            })
            .collect(),
    };
    rows.sort_by(|a, b| {
        let mut outcome = Ordering::Equal;
        for (name, descends) in &keys {
            let pair = (value(a, name), value(b, name));
            let way = match &pair {
                (Some(a), Some(b)) => rank(a, b),
                (a, b) => a.is_some().cmp(&b.is_some()),
            };
            outcome = outcome.then(if *descends { way.reverse() } else { way });
        }
        outcome
    });
}

fn rank(a: &Value, b: &Value) -> Ordering {
    match (a.as_f64(), b.as_f64()) {
        (Some(a), Some(b)) => a.partial_cmp(&b).unwrap_or(Ordering::Equal),
        _ => text_of(a).cmp(&text_of(b)),
    }
}

/// Cuts one page out of the rows.
pub(super) fn page<T>(
    rows: Vec<T>,
    params: &Params,
    switches: &Switches,
    render: impl Fn(Vec<T>) -> Value,
) -> Answer {
    let start = params.start();
    let uncounted = start < 0;
    let skip = usize::try_from(start).unwrap_or(0);
    if skip % PAGE != 0 {
        params.odd("start is no multiple of fifty");
    }
    let total = rows.len();
    let behind = total.saturating_sub(skip);
    let page: Vec<T> = rows.into_iter().skip(skip).take(PAGE).collect();
    let counted = !(uncounted && switches.uncounted_lists_have_no_total);
    Answer {
        result: render(page),
        total: counted.then_some(total),
        next: (counted && behind > PAGE).then_some(skip + PAGE),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn fits(filter: Value, name: &str, found: Value) -> bool {
        let filter = filter.as_object().unwrap().clone();
        let values = |asked: &str| (asked == name).then(|| vec![found.clone()]);
        Filter::read(&filter, true).fits(&TimeZone::UTC, &values)
    }

    #[test]
    fn prefixes_compare_by_the_type_of_what_is_kept() {
        assert!(fits(json!({">ID": "9"}), "ID", json!(10)));
        assert!(!fits(json!({">ID": 10}), "ID", json!(10)));
        assert!(fits(json!({"@ID": [1, "10"]}), "ID", json!(10)));
        assert!(fits(json!({"ID": [1, 10]}), "ID", json!(10)));
        assert!(fits(json!({"!ID": 9}), "ID", json!(10)));
        assert!(fits(json!({"=ORIGIN_ID": "a"}), "ORIGIN_ID", json!("a")));
        assert!(!fits(json!({"=ORIGIN_ID": "A"}), "ORIGIN_ID", json!("a")));
        assert!(fits(json!({"%TITLE": "ЗВОН"}), "TITLE", json!("звонок")));
        assert!(fits(json!({"CLOSED": "N"}), "CLOSED", json!(false)));
        let since = json!({">=DATE_MODIFY": "1970-01-01T00:00:10+00:00"});
        assert!(fits(since.clone(), "DATE_MODIFY", json!(10)));
        assert!(!fits(since, "DATE_MODIFY", json!(9)));
    }

    #[test]
    fn groups_are_joined_by_or() {
        let filter = json!({"id": 7, "0": {"logic": "OR", "0": {"id": 1}, "1": {"id": 7}}});
        assert!(fits(filter, "id", json!(7)));
        let filter = json!({"0": {"logic": "OR", "0": {"id": 1}, "1": {"id": 2}}});
        assert!(!fits(filter, "id", json!(7)));
    }
}
