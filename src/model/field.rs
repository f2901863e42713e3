//! Additional fields of a CRM's cards: what they are called, what they take, and how the text of a
//! template becomes a value of theirs.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::plan::Entity;

/// The longest value of a field of one line: what a line of text takes in the CRMs.
pub const LINE_CHARS_MAX: usize = 255;

/// The longest value of a field of several lines: a page.
pub const TEXT_CHARS_MAX: usize = 4000;

/// An additional field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CrmField {
    /// The sort of record that has it.
    #[schemars(extend("enum" = ["contact", "company", "deal", "lead"]))]
    pub entity: Entity,
    /// The CRM's id.
    pub id: String,
    /// The name.
    pub name: String,
    /// The code by which programs name it, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The CRM's word for its type.
    pub kind: String,
    /// What it takes.
    #[serde(default)]
    pub takes: Takes,
    /// What can be chosen, of a field of choices.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<FieldOption>,
}

/// One thing that can be chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FieldOption {
    /// The CRM's id.
    pub id: String,
    /// What people read.
    pub text: String,
}

/// What a field takes, in no CRM's terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Takes {
    /// The CRM did not say: a line of text is tried.
    #[default]
    Unknown,
    /// A line of text.
    Line,
    /// A longer text.
    Text,
    /// A number.
    Number,
    /// Yes or no.
    Tick,
    /// One of the options.
    Choice,
    /// Some of the options.
    Choices,
    /// A day.
    Day,
    /// A day and a time of day.
    Moment,
    /// A web address.
    Address,
    /// Nothing that can be written as text.
    Nothing,
}

/// A value that is no text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FieldValue {
    /// Yes or no.
    Tick {
        /// Yes.
        on: bool,
    },
    /// Options, by the CRM's ids.
    Choices {
        /// The ids, in the order of the text.
        ids: Vec<String>,
    },
    /// A moment; of a day its beginning in the company's zone.
    Moment {
        /// Unix seconds.
        secs: i64,
    },
}

/// A value for a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fitted {
    /// As text.
    pub text: String,
    /// As what it is, where that is no text.
    pub typed: Option<FieldValue>,
}

/// Why a text is no value of a field, or the field none that can be filled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "miss", rename_all = "snake_case")]
pub enum FieldMiss {
    /// The CRM has no such field on cards of this sort.
    NotThere,
    /// Several fields have this name.
    Several {
        /// How many.
        count: usize,
    },
    /// The CRM does not list its fields to us: only an id or code can be meant.
    NotListed,
    /// Another setting fills it already.
    Twice,
    /// The field takes nothing that can be written as text.
    TakesNoText {
        /// The CRM's word for its type.
        kind: String,
    },
    /// It takes a number.
    NoNumber,
    /// It takes yes or no.
    NoTick,
    /// It has no such option.
    NoOption {
        /// What was to be chosen.
        option: String,
    },
    /// It takes a day.
    NoDay,
    /// It takes a day and a time of day.
    NoMoment,
    /// It takes a web address.
    NoAddress,
}

impl CrmField {
    /// Says whether a setting may mean this field: by id, code or name.
    pub fn is_named(&self, wanted: &str) -> bool {
        self.id == wanted || self.has_code(wanted) || same_words(&self.name, wanted)
    }

    fn has_code(&self, wanted: &str) -> bool {
        let mut code = self.code.iter();
        code.any(|code| code.eq_ignore_ascii_case(wanted))
    }

    /// Makes a value of a text. Days and times of day without a zone are those of `zone`.
    ///
    /// # Errors
    /// Says what the field takes instead.
    pub fn fit(&self, text: &str, zone: &TimeZone) -> Result<Fitted, FieldMiss> {
        let plain = |text: String| Fitted { text, typed: None };
        let as_text = || plain(text.to_owned());
        let moment = |secs: i64, text: String| Fitted {
            text,
            typed: Some(FieldValue::Moment { secs }),
        };
        match self.takes {
            Takes::Unknown | Takes::Line | Takes::Text => Ok(as_text()),
            Takes::Number => number(text).map(plain).ok_or(FieldMiss::NoNumber),
            Takes::Tick => {
                let on = tick(text).ok_or(FieldMiss::NoTick)?;
                Ok(Fitted {
                    text: if on { "1" } else { "0" }.to_owned(),
                    typed: Some(FieldValue::Tick { on }),
                })
            }
            Takes::Choice => self.choices(vec![text]),
            Takes::Choices => self.some_of(text),
            Takes::Day => {
                let day = moment_of(text, zone).ok_or(FieldMiss::NoDay)?.date();
                let start = day.to_zoned(zone.clone());
                let start = start.map_err(|_| FieldMiss::NoDay)?;
                Ok(moment(start.timestamp().as_second(), day.to_string()))
            }
            Takes::Moment => {
                let at = moment_of(text, zone).ok_or(FieldMiss::NoMoment)?;
                let at = at.to_zoned(zone.clone()).map_err(|_| FieldMiss::NoMoment)?;
                let text = at.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string();
                Ok(moment(at.timestamp().as_second(), text))
            }
            Takes::Address if is_address(text) => Ok(as_text()),
            Takes::Address => Err(FieldMiss::NoAddress),
            Takes::Nothing => Err(FieldMiss::TakesNoText {
                kind: self.kind.clone(),
            }),
        }
    }

    /// Returns the longest text that it takes, in characters.
    pub fn chars_max(&self) -> usize {
        match self.takes {
            Takes::Text | Takes::Choices => TEXT_CHARS_MAX,
            _ => LINE_CHARS_MAX,
        }
    }

    /// Reads several options: a name may hold the signs that part them.
    fn some_of(&self, text: &str) -> Result<Fitted, FieldMiss> {
        if let Ok(whole) = self.choices(vec![text]) {
            return Ok(whole);
        }
        let part = |sign: char| {
            let parts = text.split(sign).map(str::trim);
            parts.filter(|part| !part.is_empty()).collect()
        };
        self.choices(part(';')).or_else(|_| self.choices(part(',')))
    }

    fn choices(&self, parts: Vec<&str>) -> Result<Fitted, FieldMiss> {
        let mut ids = Vec::new();
        let mut names = Vec::new();
        for part in parts {
            let mut options = self.options.iter();
            let option = options.find(|option| same_words(&option.text, part));
            let option = option.ok_or_else(|| FieldMiss::NoOption {
                option: part.to_owned(),
            })?;
            if !ids.contains(&option.id) {
                ids.push(option.id.clone());
                names.push(option.text.as_str());
            }
        }
        if ids.is_empty() {
            return Err(FieldMiss::NoOption {
                option: String::new(),
            });
        }
        Ok(Fitted {
            text: names.join("; "),
            typed: Some(FieldValue::Choices { ids }),
        })
    }
}

/// Finds the field of a sort of card that a setting means: by id, else by code, else by name.
///
/// # Errors
/// Fails where there is none, or the name is that of several.
pub fn find<'a>(
    fields: &'a [CrmField],
    entity: Entity,
    wanted: &str,
) -> Result<&'a CrmField, FieldMiss> {
    let wanted = wanted.trim();
    let of_card = || fields.iter().filter(|field| field.entity == entity);
    if let Some(field) = of_card().find(|field| field.id == wanted) {
        return Ok(field);
    }
    if let Some(field) = of_card().find(|field| field.has_code(wanted)) {
        return Ok(field);
    }
    let named: Vec<&CrmField> = of_card()
        .filter(|field| same_words(&field.name, wanted))
        .collect();
    match named.as_slice() {
        [only] => Ok(only),
        [] => Err(FieldMiss::NotThere),
        several => Err(FieldMiss::Several {
            count: several.len(),
        }),
    }
}

fn same_words(one: &str, other: &str) -> bool {
    one.trim().to_lowercase() == other.trim().to_lowercase()
}

/// Reads a number as people write it: blanks between thousands, a comma or a point.
fn number(text: &str) -> Option<String> {
    let written: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let written = written.replace(',', ".");
    let is_plain = written
        .chars()
        .all(|c| c.is_ascii_digit() || "+-.".contains(c));
    let is_number = is_plain && written.parse::<f64>().is_ok_and(f64::is_finite);
    is_number.then(|| written.trim_start_matches('+').to_owned())
}

fn tick(text: &str) -> Option<bool> {
    match text.trim().to_lowercase().as_str() {
        "1" | "true" | "yes" | "on" | "y" | "да" | "истина" => Some(true),
        "0" | "false" | "no" | "off" | "n" | "нет" | "ложь" => Some(false),
        _ => None,
    }
}

/// Reads a moment: RFC 3339, or a day with or without a time of day, in the way of here
/// (`20.11.2026 12:00`) or of everywhere (`2026-11-20 12:00`).
fn moment_of(text: &str, zone: &TimeZone) -> Option<DateTime> {
    let text = text.trim();
    if let Ok(at) = text.parse::<jiff::Timestamp>() {
        return Some(at.to_zoned(zone.clone()).datetime());
    }
    let (day, time) = match text.split_once([' ', 'T']) {
        Some((day, time)) => (day, Some(time.trim())),
        None => (text, None),
    };
    let date = ["%d.%m.%Y", "%Y-%m-%d", "%d/%m/%Y"]
        .into_iter()
        .find_map(|form| Date::strptime(form, day).ok())?;
    let Some(time) = time else {
        return Some(date.to_datetime(Time::midnight()));
    };
    let time = ["%H:%M", "%H:%M:%S"]
        .into_iter()
        .find_map(|form| Time::strptime(form, time).ok())?;
    Some(date.to_datetime(time))
}

fn is_address(text: &str) -> bool {
    let text = text.trim();
    let rest = match text.split_once("://") {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("https") => rest,
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => rest,
        Some(_) => return false,
        None => text,
    };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let is_host = host.contains('.') && !host.starts_with('.') && !host.ends_with('.');
    is_host && !text.contains(char::is_whitespace)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(takes: Takes) -> CrmField {
        let option = |id: &str, text: &str| FieldOption {
            id: id.to_owned(),
            text: text.to_owned(),
        };
        CrmField {
            entity: Entity::Contact,
            id: "41".to_owned(),
            name: "Откуда пришёл".to_owned(),
            code: Some("ORIGIN".to_owned()),
            kind: "x".to_owned(),
            takes,
            options: vec![
                option("1", "Сайт"),
                option("2", "Выставка"),
                option("3", "Друзья, знакомые"),
            ],
        }
    }

    fn moscow() -> TimeZone {
        TimeZone::get("Europe/Moscow").expect("a zone")
    }

    #[test]
    fn v_10_a_text_becomes_what_the_field_takes_or_is_refused_with_the_reason() {
        let ok = |text: &str| (text.to_owned(), None);
        let tick = |text: &str, on| (text.to_owned(), Some(FieldValue::Tick { on }));
        let at = |text: &str, secs| (text.to_owned(), Some(FieldValue::Moment { secs }));
        let of = |text: &str, ids: &[&str]| {
            let ids = ids.iter().map(|id| (*id).to_owned()).collect();
            (text.to_owned(), Some(FieldValue::Choices { ids }))
        };
        let none = |option: &str| FieldMiss::NoOption {
            option: option.to_owned(),
        };
        let kind = "x".to_owned();
        // 2026-11-20 00:00 in Moscow is 21:00 of the day before.
        let day = 1_795_122_000;
        for (takes, text, expected) in [
            (Takes::Unknown, "текст", Ok(ok("текст"))),
            (Takes::Line, "7", Ok(ok("7"))),
            (Takes::Text, "текст", Ok(ok("текст"))),
            (Takes::Number, "1 234,50", Ok(ok("1234.50"))),
            (Takes::Number, "-3", Ok(ok("-3"))),
            (Takes::Number, "три", Err(FieldMiss::NoNumber)),
            (Takes::Number, "1e9", Err(FieldMiss::NoNumber)),
            (Takes::Number, "inf", Err(FieldMiss::NoNumber)),
            (Takes::Tick, "Да", Ok(tick("1", true))),
            (Takes::Tick, "false", Ok(tick("0", false))),
            (Takes::Tick, "может быть", Err(FieldMiss::NoTick)),
            (Takes::Choice, " сайт ", Ok(of("Сайт", &["1"]))),
            (Takes::Choice, "Сайт; Выставка", Err(none("Сайт; Выставка"))),
            (Takes::Choices, "Сайт", Ok(of("Сайт", &["1"]))),
            (
                Takes::Choices,
                "выставка, сайт, Сайт",
                Ok(of("Выставка; Сайт", &["2", "1"])),
            ),
            (
                Takes::Choices,
                "Сайт; Друзья, знакомые",
                Ok(of("Сайт; Друзья, знакомые", &["1", "3"])),
            ),
            (Takes::Choices, "Сайт, Радио", Err(none("Радио"))),
            (Takes::Day, "20.11.2026", Ok(at("2026-11-20", day))),
            (Takes::Day, "2026-11-20 23:59", Ok(at("2026-11-20", day))),
            (
                Takes::Day,
                "2026-11-19T21:30:00Z",
                Ok(at("2026-11-20", day)),
            ),
            (Takes::Day, "31.02.2026", Err(FieldMiss::NoDay)),
            (
                Takes::Moment,
                "20.11.2026 12:30",
                Ok(at("2026-11-20T12:30:00+03:00", day + 45_000)),
            ),
            (Takes::Moment, "завтра", Err(FieldMiss::NoMoment)),
            (
                Takes::Address,
                "https://a.example/b?c",
                Ok(ok("https://a.example/b?c")),
            ),
            (Takes::Address, "a.example", Ok(ok("a.example"))),
            (Takes::Address, "наш сайт", Err(FieldMiss::NoAddress)),
            (Takes::Address, "ftp://a.example", Err(FieldMiss::NoAddress)),
            (Takes::Nothing, "x", Err(FieldMiss::TakesNoText { kind })),
        ] {
            let fitted = field(takes).fit(text, &moscow());
            let fitted = fitted.map(|fitted| (fitted.text, fitted.typed));
            assert_eq!(fitted, expected, "{takes:?} {text}");
        }
    }

    #[test]
    fn v_10_a_field_is_found_by_id_then_code_then_name_and_never_by_a_name_of_two() {
        let mut fields = vec![field(Takes::Line), field(Takes::Tick), field(Takes::Day)];
        fields[1].id = "42".to_owned();
        fields[1].code = None;
        fields[2].id = "43".to_owned();
        fields[2].entity = Entity::Deal;
        let found = |entity, wanted: &str| {
            let found = find(&fields, entity, wanted);
            found.map(|field| field.id.as_str())
        };
        assert_eq!(found(Entity::Contact, "42"), Ok("42"));
        assert_eq!(found(Entity::Contact, "origin"), Ok("41"));
        assert_eq!(found(Entity::Deal, "откуда пришёл"), Ok("43"));
        let several = FieldMiss::Several { count: 2 };
        assert_eq!(found(Entity::Contact, "Откуда пришёл"), Err(several));
        assert_eq!(found(Entity::Deal, "42"), Err(FieldMiss::NotThere));
    }
}
