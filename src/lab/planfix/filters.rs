//! Filters of lists (`crm/planfix.md` §3, §4). One that the contract does not know is refused.

use serde_json::Value;

use super::exchange::{Refused, refuse};
use super::switches::Switches;
use super::times;
use super::world::{Contact, Task, id_of};

/// Says whether a contact passes every filter.
pub(super) fn contact(
    one: &Contact,
    filters: &[Value],
    switches: &Switches,
) -> Result<bool, Refused> {
    for filter in filters {
        let (kind, operator, value) = parts(filter)?;
        let text = value.as_str().unwrap_or_default().to_lowercase();
        let passes = match kind {
            4003 => one
                .phones
                .iter()
                .any(|phone| match switches.phone_filter_ignores_format {
                    true => digits(phone).contains(&digits(&text)),
                    false => phone.contains(&text),
                }),
            4001 => format!("{} {}", one.name, one.lastname)
                .to_lowercase()
                .contains(&text),
            4026 => one
                .email
                .as_ref()
                .is_some_and(|email| email.to_lowercase() == text),
            4005 => one
                .email
                .as_ref()
                .is_some_and(|email| email.to_lowercase().contains(&text)),
            4231 => id_of(value) == Some(one.id),
            2 => id_of(value).is_some_and(|user| one.supervisors.contains(&user)),
            12 => within(one.created_at, value)?,
            38 => within(one.changed_at, value)?,
            4101 => custom(&one.custom, filter, &text)?,
            other => return Err(refuse(41, format!("unknown filter {other}"))),
        };
        if passes == (operator == "notequal") {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Says whether a task passes every filter.
pub(super) fn task(one: &Task, filters: &[Value]) -> Result<bool, Refused> {
    for filter in filters {
        let (kind, operator, value) = parts(filter)?;
        let text = value.as_str().unwrap_or_default().to_lowercase();
        let any = |own: Option<u64>| match value {
            Value::Array(values) => values
                .iter()
                .any(|value| id_of(value) == own && own.is_some()),
            value => own.is_some() && id_of(value) == own,
        };
        let passes = match kind {
            57 => any(Some(one.id)),
            51 => any(one.template),
            10 => any(Some(one.status)),
            7 => any(one.counterparty),
            73 => any(one.parent),
            8 => one.name.to_lowercase().contains(&text),
            2 => id_of(value).is_some_and(|user| one.assignees.contains(&user)),
            12 => within(one.created_at, value)?,
            38 | 79 => within(one.changed_at, value)?,
            101 => custom(&one.custom, filter, &text)?,
            other => return Err(refuse(41, format!("unknown filter {other}"))),
        };
        if passes == (operator == "notequal") {
            return Ok(false);
        }
    }
    Ok(true)
}

fn parts(filter: &Value) -> Result<(i64, &str, &Value), Refused> {
    let kind = filter.get("type").and_then(Value::as_i64);
    let kind = kind.ok_or_else(|| refuse(40, "filter without type"))?;
    let operator = filter.get("operator").and_then(Value::as_str);
    let operator = operator.ok_or_else(|| refuse(40, "filter without operator"))?;
    if !matches!(operator, "equal" | "notequal") {
        return Err(refuse(41, format!("operator {operator}")));
    }
    let value = filter.get("value").unwrap_or(&Value::Null);
    Ok((kind, operator, value))
}

fn within(at: i64, value: &Value) -> Result<bool, Refused> {
    let range = times::range(value).ok_or_else(|| refuse(41, "bad date"))?;
    Ok((range.0..=range.1).contains(&at))
}

fn custom(
    own: &std::collections::BTreeMap<u64, Value>,
    filter: &Value,
    text: &str,
) -> Result<bool, Refused> {
    let field = filter.get("field").and_then(id_of);
    let field = field.ok_or_else(|| refuse(40, "filter without field"))?;
    let value = own.get(&field).and_then(Value::as_str);
    Ok(value.is_some_and(|value| value.to_lowercase() == text))
}

fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}
