//! How answers are written (crm/bitrix24.md §1: "types come back loose"). Portals, versions and methods
//! differ in it, and a program that reads one way of writing only is wrong with the others. The whole
//! answer is written one way or another here, after everything else is decided.

use jiff::tz::Offset;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::exchange::Reply;

/// A way to write answers. The default is what the contract shows.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Reading {
    /// How numbers and ids are written.
    pub numbers: Numbers,
    /// How flags are written.
    pub flags: Flags,
    /// How empty arrays of PHP are written.
    pub empty: Empty,
    /// Lists of records are maps by number, as PHP writes an array whose keys have gaps.
    pub lists_are_maps: bool,
    /// Keys with nothing in them are left out.
    pub empty_keys_omitted: bool,
    /// Keys that nobody has heard of stand beside the others.
    pub has_unknown_keys: bool,
    /// Times are in another zone than the portal's: so many minutes east.
    pub minutes_east: Option<i16>,
    /// Refusals come with the status of a success.
    pub refusals_are_200: bool,
    /// Successes name an error, which is empty.
    pub successes_name_an_error: bool,
    /// Lists do not say how many rows there are.
    pub total_is_absent: bool,
    /// Addresses of the portal and the authorisation server end without a slash.
    pub endpoints_without_slash: bool,
    /// Answers with tokens do not say how long those live.
    pub lives_are_absent: bool,
}

/// How numbers are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Numbers {
    /// As the contract shows them.
    #[default]
    AsShown,
    /// All as texts.
    Texts,
    /// Ids and the like as numbers.
    Numbers,
}

/// How flags are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flags {
    /// As the contract shows them.
    #[default]
    AsShown,
    /// `Y` and `N`.
    Letters,
    /// As booleans.
    Booleans,
    /// `"true"` and `"false"`.
    Words,
    /// `"1"` and `"0"`.
    Digits,
}

/// How empty arrays are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Empty {
    /// As the contract shows them.
    #[default]
    AsShown,
    /// All as `[]`.
    Lists,
    /// All as `{}`.
    Maps,
}

/// Keys beside the ids whose values are numbers, however they are written.
const NUMBERS: [&str; 5] = ["SORT", "DIRECTION", "CALL_TYPE", "CALL_DURATION", "total"];

/// Keys that end like those of ids, and are texts.
const TEXTS: [&str; 4] = ["XML_ID", "ORIGIN_ID", "EXTERNAL_CALL_ID", "MESSAGE_ID"];

/// Keys whose flags other readings write otherwise. A plain `true` of a result stays one.
const FLAGS: [&str; 9] = [
    "ACTIVE",
    "ADMIN",
    "CLOSED",
    "COMPLETED",
    "OPENED",
    "MULTIPLE",
    "isDefault",
    "offline",
    "value",
];

/// The ways that every reader must stand, by what is peculiar about each.
pub fn readings() -> Vec<(&'static str, Reading)> {
    let usual = Reading::default;
    let numbers = |numbers| Reading { numbers, ..usual() };
    let flags = |flags| Reading { flags, ..usual() };
    let empty = |empty| Reading { empty, ..usual() };
    vec![
        ("as the contract shows it", usual()),
        ("numbers are texts", numbers(Numbers::Texts)),
        ("ids are numbers", numbers(Numbers::Numbers)),
        ("flags are letters", flags(Flags::Letters)),
        ("flags are booleans", flags(Flags::Booleans)),
        ("flags are words", flags(Flags::Words)),
        ("flags are digits", flags(Flags::Digits)),
        ("empty maps are lists", empty(Empty::Lists)),
        ("empty lists are maps", empty(Empty::Maps)),
        (
            "lists are maps by number",
            Reading {
                lists_are_maps: true,
                ..usual()
            },
        ),
        (
            "empty keys are left out",
            Reading {
                empty_keys_omitted: true,
                ..usual()
            },
        ),
        (
            "there are unknown keys",
            Reading {
                has_unknown_keys: true,
                ..usual()
            },
        ),
        (
            "times are in UTC",
            Reading {
                minutes_east: Some(0),
                ..usual()
            },
        ),
        (
            "times are in another zone",
            Reading {
                minutes_east: Some(-210),
                ..usual()
            },
        ),
        (
            "refusals are successes",
            Reading {
                refusals_are_200: true,
                ..usual()
            },
        ),
        (
            "successes name an empty error",
            Reading {
                successes_name_an_error: true,
                ..usual()
            },
        ),
        (
            "nobody counts rows",
            Reading {
                total_is_absent: true,
                ..usual()
            },
        ),
        (
            "addresses without slash, tokens without life",
            Reading {
                endpoints_without_slash: true,
                lives_are_absent: true,
                ..usual()
            },
        ),
        (
            "everything at once",
            Reading {
                numbers: Numbers::Texts,
                flags: Flags::Words,
                empty: Empty::Maps,
                lists_are_maps: true,
                empty_keys_omitted: true,
                has_unknown_keys: true,
                minutes_east: Some(345),
                refusals_are_200: true,
                successes_name_an_error: true,
                total_is_absent: true,
                endpoints_without_slash: true,
                lives_are_absent: true,
            },
        ),
    ]
}

impl Reading {
    /// Writes an answer this way; pages stay as they are.
    pub(super) fn of(&self, reply: Reply) -> Reply {
        if *self == Self::default() {
            return reply;
        }
        let Ok(Value::Object(body)) = serde_json::from_slice::<Value>(&reply.body) else {
            return reply;
        };
        let is_refusal = reply.status >= 400;
        let mut body: Map<String, Value> = body
            .into_iter()
            .filter(|(key, _)| key != "total" || !self.total_is_absent)
            .filter(|(key, _)| !key.starts_with("expires") || !self.lives_are_absent)
            .map(|(key, value)| {
                let value = self.value(&key, value);
                (key, value)
            })
            .collect();
        if self.has_unknown_keys {
            body.insert("hint".to_owned(), json!({"en": "nothing", "ru": null}));
        }
        if self.successes_name_an_error && !is_refusal && body.contains_key("result") {
            body.insert("error".to_owned(), json!(""));
            body.insert("error_description".to_owned(), json!(""));
        }
        Reply {
            status: match is_refusal && self.refusals_are_200 {
                true => 200,
                false => reply.status,
            },
            body: Value::Object(body).to_string().into_bytes(),
            ..reply
        }
    }

    fn value(&self, key: &str, value: Value) -> Value {
        match value {
            Value::Object(map) if map.is_empty() => self.nothing(Value::Object(map)),
            Value::Array(list) if list.is_empty() => self.nothing(Value::Array(list)),
            Value::Object(map) => Value::Object(self.record(key, map)),
            Value::Array(list) => self.list(key, list),
            Value::Bool(flag) => self.flag(key, flag, json!(flag)),
            Value::Number(number) => match self.numbers {
                Numbers::Texts => json!(number.to_string()),
                Numbers::AsShown | Numbers::Numbers => Value::Number(number),
            },
            Value::String(text) => self.text(key, text),
            Value::Null => Value::Null,
        }
    }

    fn record(&self, of: &str, map: Map<String, Value>) -> Map<String, Value> {
        // The maps of a batch have the caller's keys: all of those are there, whatever they hold.
        let is_ours = of.starts_with("result");
        let counted = of == "result_total" || !map.contains_key("result_total");
        let mut record: Map<String, Value> = map
            .into_iter()
            .filter(|(_, value)| is_ours || !self.is_left_out(value))
            .map(|(key, value)| {
                let value = self.value(&key, value);
                (key, value)
            })
            .collect();
        if self.total_is_absent && !counted {
            record.insert("result_total".to_owned(), self.nothing(json!([])));
        }
        if self.has_unknown_keys && record.contains_key("ID") {
            record.insert("UF_NOBODY_KNOWS".to_owned(), json!({"x": [1, null, false]}));
        }
        record
    }

    fn is_left_out(&self, value: &Value) -> bool {
        self.empty_keys_omitted && (value.is_null() || value.as_str().is_some_and(str::is_empty))
    }

    fn list(&self, key: &str, list: Vec<Value>) -> Value {
        let are_records = list.iter().all(Value::is_object);
        let written = list.into_iter().map(|one| self.value(key, one));
        match self.lists_are_maps && are_records {
            // The first was filtered out, so that PHP has no list any more.
            true => Value::Object(
                written
                    .enumerate()
                    .map(|(place, one)| ((place + 1).to_string(), one))
                    .collect(),
            ),
            false => written.collect(),
        }
    }

    fn nothing(&self, shown: Value) -> Value {
        match self.empty {
            Empty::AsShown => shown,
            Empty::Lists => json!([]),
            Empty::Maps => json!({}),
        }
    }

    fn text(&self, key: &str, text: String) -> Value {
        let flag = match text.as_str() {
            "Y" => Some(true),
            "N" => Some(false),
            _ => None,
        };
        if let Some(flag) = flag {
            return self.flag(key, flag, json!(text));
        }
        if let Some(minutes) = self.minutes_east
            && let Some(moved) = in_zone(&text, minutes)
        {
            return json!(moved);
        }
        if self.endpoints_without_slash && key.ends_with("_endpoint") {
            return json!(text.trim_end_matches('/'));
        }
        let is_number = (key.ends_with("ID") || NUMBERS.contains(&key)) && !TEXTS.contains(&key);
        match text.parse::<u32>() {
            Ok(number) if is_number && self.numbers == Numbers::Numbers => json!(number),
            _ => json!(text),
        }
    }

    fn flag(&self, key: &str, flag: bool, shown: Value) -> Value {
        if !FLAGS.contains(&key) {
            return shown;
        }
        match self.flags {
            Flags::AsShown => shown,
            Flags::Letters => json!(if flag { "Y" } else { "N" }),
            Flags::Booleans => json!(flag),
            Flags::Words => json!(flag.to_string()),
            Flags::Digits => json!(if flag { "1" } else { "0" }),
        }
    }
}

/// Writes a time in a zone so many minutes east; `None` for what is no time.
fn in_zone(text: &str, minutes: i16) -> Option<String> {
    let at: jiff::Timestamp = text.contains('T').then(|| text.parse().ok()).flatten()?;
    let offset = Offset::from_seconds(i32::from(minutes) * 60).ok()?;
    Some(match minutes {
        0 => at.to_string(),
        _ => at.display_with_offset(offset).to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(reading: Reading, body: Value) -> Value {
        let reply = reading.of(Reply::ok(&body));
        serde_json::from_slice(&reply.body).expect("JSON")
    }

    #[test]
    fn each_way_changes_what_it_names_and_nothing_else() {
        let body = json!({"result": {
            "ID": "31", "NAME": "7", "ACTIVE": true, "CLOSED": "N", "COUNT": 2,
            "AT": "2026-09-21T10:00:00+03:00", "EMPTY": [], "ROWS": [{"ID": "1"}],
        }});
        for (reading, key, expected) in [
            (Reading::default(), "ID", json!("31")),
            (
                Reading {
                    numbers: Numbers::Numbers,
                    ..Reading::default()
                },
                "ID",
                json!(31),
            ),
            (
                Reading {
                    numbers: Numbers::Numbers,
                    ..Reading::default()
                },
                "NAME",
                json!("7"),
            ),
            (
                Reading {
                    numbers: Numbers::Texts,
                    ..Reading::default()
                },
                "COUNT",
                json!("2"),
            ),
            (
                Reading {
                    flags: Flags::Words,
                    ..Reading::default()
                },
                "CLOSED",
                json!("false"),
            ),
            (
                Reading {
                    flags: Flags::Letters,
                    ..Reading::default()
                },
                "ACTIVE",
                json!("Y"),
            ),
            (
                Reading {
                    empty: Empty::Maps,
                    ..Reading::default()
                },
                "EMPTY",
                json!({}),
            ),
            (
                Reading {
                    lists_are_maps: true,
                    ..Reading::default()
                },
                "ROWS",
                json!({"1": {"ID": "1"}}),
            ),
            (
                Reading {
                    minutes_east: Some(330),
                    ..Reading::default()
                },
                "AT",
                json!("2026-09-21T12:30:00+05:30"),
            ),
        ] {
            assert_eq!(written(reading, body.clone())["result"][key], expected);
        }
    }

    #[test]
    fn a_refusal_may_look_like_a_success() {
        let reading = Reading {
            refusals_are_200: true,
            ..Reading::default()
        };
        let reply = reading.of(Reply::error(401, "expired_token", "x"));
        assert_eq!(reply.status, 200);
    }
}
