//! Answers to our commands, in every form seen (`pbx/megafon.md` A2, A3).

use serde_json::Value;

use super::{TEXT_CHARS_MAX, id, line};

/// Items of one list that are read: more people than any company of this vendor has.
const ITEMS_MAX: usize = 10_000;

/// A person of the VATS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::pbx::itoolabs) struct Account {
    pub(in crate::pbx::itoolabs) login: String,
    pub(in crate::pbx::itoolabs) name: Option<String>,
    pub(in crate::pbx::itoolabs) ext: Option<String>,
    pub(in crate::pbx::itoolabs) telnum: Option<String>,
    pub(in crate::pbx::itoolabs) email: Option<String>,
}

/// A group of people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::pbx::itoolabs) struct Group {
    pub(in crate::pbx::itoolabs) name: String,
    pub(in crate::pbx::itoolabs) ext: Option<String>,
    pub(in crate::pbx::itoolabs) logins: Vec<String>,
}

/// A number of the company.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::pbx::itoolabs) struct Number {
    pub(in crate::pbx::itoolabs) number: String,
    pub(in crate::pbx::itoolabs) title: Option<String>,
    pub(in crate::pbx::itoolabs) owner: Option<String>,
}

/// A list and whether there is more of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::pbx::itoolabs) struct Page<T> {
    pub(in crate::pbx::itoolabs) items: Vec<T>,
    /// Where the next page begins, where there is one.
    pub(in crate::pbx::itoolabs) next: Option<u64>,
}

/// Reads JSON; an empty body is as good as `null`, which an empty list may be written as.
pub(super) fn json(body: &[u8]) -> Option<Value> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    if body.iter().all(u8::is_ascii_whitespace) {
        return Some(Value::Null);
    }
    serde_json::from_slice(body).ok()
}

/// Returns the items of a list: an array, an object that holds one as `items`, or `null`.
pub(super) fn list(value: &Value) -> Option<&[Value]> {
    match value {
        Value::Null => Some(&[]),
        Value::Array(items) => Some(items),
        Value::Object(fields) => match fields.get("items")? {
            Value::Null => Some(&[]),
            Value::Array(items) => Some(items),
            _ => None,
        },
        _ => None,
    }
}

/// Returns a text or a number as text.
pub(super) fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn text(item: &Value, names: &[&str]) -> Option<String> {
    let values = names.iter().filter_map(|name| scalar(item.get(*name)?));
    values.filter_map(|text| line(&text, TEXT_CHARS_MAX)).next()
}

fn page<T>(body: &[u8], read: impl Fn(&Value) -> Option<T>) -> Option<Page<T>> {
    let value = json(body)?;
    let items = list(&value)?.iter().take(ITEMS_MAX);
    let next = value.get("info").and_then(|info| info.get("next"));
    Some(Page {
        items: items.filter_map(read).collect(),
        next: next.and_then(Value::as_u64).filter(|next| *next > 0),
    })
}

/// Reads people: the old form calls the login `name` and the name `realName`.
pub(in crate::pbx::itoolabs) fn accounts(body: &[u8]) -> Option<Page<Account>> {
    page(body, |item| {
        let (login, name) = match text(item, &["login"]) {
            Some(login) => (login, text(item, &["name", "realName"])),
            None => (text(item, &["name"])?, text(item, &["realName"])),
        };
        Some(Account {
            login,
            name,
            ext: text(item, &["ext"]),
            telnum: text(item, &["telnum"]),
            email: text(item, &["email"]),
        })
    })
}

/// Reads groups.
pub(in crate::pbx::itoolabs) fn groups(body: &[u8]) -> Option<Page<Group>> {
    page(body, |item| {
        let users = item.get("users").and_then(Value::as_array);
        let logins = users.into_iter().flatten().filter_map(|user| match user {
            Value::Object(_) => text(user, &["login", "name"]),
            other => line(&scalar(other)?, TEXT_CHARS_MAX),
        });
        Some(Group {
            name: text(item, &["realName", "name", "id"])?,
            ext: text(item, &["ext"]),
            logins: logins.take(ITEMS_MAX).collect(),
        })
    })
}

/// Reads the company's numbers: the shape is not known, so objects and bare numbers are read.
pub(in crate::pbx::itoolabs) fn numbers(body: &[u8]) -> Option<Page<Number>> {
    page(body, |item| match item {
        Value::Object(_) => Some(Number {
            number: text(item, &["telnum", "number", "phone", "name"])?,
            title: text(item, &["title", "telnum_name", "realName", "description"]),
            owner: text(item, &["login", "user", "owner"]),
        }),
        other => Some(Number {
            number: line(&scalar(other)?, TEXT_CHARS_MAX)?,
            title: None,
            owner: None,
        }),
    })
}

/// Reads what a call that was ordered will be called: `{"uuid":…}`, `{"CallID":…}`,
/// `{"callid":…}`, a text of JSON, or the bare id; `None` where it is not said.
pub(in crate::pbx::itoolabs) fn ordered(body: &[u8]) -> Option<String> {
    match json(body) {
        Some(Value::Object(fields)) => {
            let named = |wanted: &str| {
                let mut fields = fields.iter();
                fields.find_map(|(name, value)| {
                    let same = name.eq_ignore_ascii_case(wanted);
                    same.then(|| scalar(value)).flatten()
                })
            };
            let found = named("callid")
                .or_else(|| named("uuid"))
                .or_else(|| named("uid"));
            found.as_deref().and_then(id)
        }
        Some(value) => scalar(&value).as_deref().and_then(id),
        None => {
            let text = std::str::from_utf8(body).ok()?;
            let bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '@');
            id(text).filter(|text| text.chars().all(bare))
        }
    }
}

/// Reads a switch: `{"state":true}` or `{"status":"on"}`; `None` where the answer says neither.
pub(in crate::pbx::itoolabs) fn switch(body: &[u8]) -> Option<bool> {
    let value = json(body)?;
    let said = value.get("state").or_else(|| value.get("status"))?;
    match said {
        Value::Bool(on) => Some(*on),
        said => match scalar(said)?.to_ascii_lowercase().as_str() {
            "on" | "true" | "1" => Some(true),
            "off" | "false" | "0" => Some(false),
            _ => None,
        },
    }
}

/// Returns what the VATS says went wrong, as one clean line.
pub(in crate::pbx::itoolabs) fn error(body: &[u8]) -> Option<String> {
    let value = json(body)?;
    text(&value, &["error", "message"])
}
