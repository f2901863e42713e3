//! Phones, e-mails and the like: how both families add, change and delete them
//! (crm/bitrix24.md §6 Multi-fields).

use serde_json::{Value, json};

use super::params::{Params, id_of, list_of, text_of};
use super::records::{Card, MultiValue};

/// What a phone may be.
const PHONE_TYPES: &[&str] = &["WORK", "MOBILE", "FAX", "HOME", "PAGER", "MAILING", "OTHER"];
/// What an e-mail may be.
const EMAIL_TYPES: &[&str] = &["WORK", "HOME", "MAILING", "OTHER"];

/// One change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum MultiEdit {
    Add {
        value: String,
        value_type: String,
    },
    Change {
        id: u64,
        value: String,
        value_type: Option<String>,
    },
    Delete {
        id: u64,
    },
}

/// Reads a classic list: an element without `ID` adds, with `ID` changes, with `DELETE` or an
/// empty `VALUE` deletes.
pub(super) fn classic_edits(
    name: &str,
    value: &Value,
    params: &Params,
) -> Result<Vec<MultiEdit>, String> {
    let Some(items) = list_of(value) else {
        params.odd(format!("{name} is no list"));
        return Ok(Vec::new());
    };
    let mut edits = Vec::new();
    for item in &items {
        let part = |key: &str| item.get(key).and_then(text_of);
        let id = item.get("ID").and_then(id_of);
        let deletes = part("DELETE").as_deref() == Some("Y");
        let value = part("VALUE").unwrap_or_default();
        let edit = edit(name, id, &value, deletes, part("VALUE_TYPE"), params)?;
        edits.extend(edit);
    }
    Ok(edits)
}

/// Reads `fm`: a list to add, an object by entry to update.
pub(super) fn universal_edits(
    value: &Value,
    is_update: bool,
    params: &Params,
) -> Result<Vec<(String, MultiEdit)>, String> {
    let entries: Vec<(Option<u64>, &Value)> = match value {
        Value::Array(items) if !is_update => items.iter().map(|item| (None, item)).collect(),
        Value::Array(_) => {
            params.odd("fm of an update is a list");
            Vec::new()
        }
        Value::Object(map) => map.iter().map(|(key, v)| (key.parse().ok(), v)).collect(),
        _ => Vec::new(),
    };
    let mut edits = Vec::new();
    for (id, item) in entries {
        let part = |key: &str| item.get(key).and_then(text_of);
        let Some(name) = part("typeId") else {
            // The call succeeds and does nothing (§6).
            params.odd("fm without typeId");
            continue;
        };
        let value = part("value").unwrap_or_default();
        let edit = edit(&name, id, &value, false, part("valueType"), params)?;
        edits.extend(edit.map(|edit| (name, edit)));
    }
    Ok(edits)
}

fn edit(
    name: &str,
    id: Option<u64>,
    value: &str,
    deletes: bool,
    value_type: Option<String>,
    params: &Params,
) -> Result<Option<MultiEdit>, String> {
    let known = match name {
        "PHONE" => PHONE_TYPES,
        "EMAIL" => EMAIL_TYPES,
        _ => &[],
    };
    if let Some(given) = value_type.as_deref().filter(|_| !known.is_empty())
        && !known.contains(&given)
    {
        params.odd(format!("VALUE_TYPE {given:.30} of {name}"));
    }
    Ok(match id {
        Some(id) if deletes || value.is_empty() => Some(MultiEdit::Delete { id }),
        _ if name == "EMAIL" && !value.is_empty() && !is_email(value) => {
            return Err(format!("Field EMAIL contains an invalid address: {value}"));
        }
        Some(id) => Some(MultiEdit::Change {
            id,
            value: value.to_owned(),
            value_type,
        }),
        None if value.is_empty() => None,
        None => Some(MultiEdit::Add {
            value: value.to_owned(),
            value_type: value_type.unwrap_or_else(|| "WORK".into()),
        }),
    })
}

fn is_email(text: &str) -> bool {
    let parts = text.trim().split_once('@');
    parts.is_some_and(|(name, host)| {
        !name.is_empty() && host.contains('.') && !host.contains('@') && !text.contains(' ')
    })
}

/// Applies changes to a card; `next_id` gives the ids of new entries.
pub(super) fn apply(
    card: &mut Card,
    edits: Vec<(String, MultiEdit)>,
    mut next_id: impl FnMut() -> u64,
) {
    for (name, edit) in edits {
        let values = card.multi.entry(name).or_default();
        match edit {
            MultiEdit::Add { value, value_type } => values.push(MultiValue {
                id: next_id(),
                value,
                value_type,
            }),
            MultiEdit::Change {
                id,
                value,
                value_type,
            } => {
                if let Some(known) = values.iter_mut().find(|known| known.id == id) {
                    known.value = value;
                    if let Some(value_type) = value_type {
                        known.value_type = value_type;
                    }
                }
            }
            MultiEdit::Delete { id } => values.retain(|known| known.id != id),
        }
    }
}

/// Writes the entries of one type as the classic family does.
pub(super) fn classic(card: &Card, name: &str) -> Option<Value> {
    let values = card.multi.get(name).filter(|values| !values.is_empty())?;
    let rows = values.iter().map(|value| {
        json!({
            "ID": value.id.to_string(), "VALUE_TYPE": value.value_type, "VALUE": value.value,
            "TYPE_ID": name,
        })
    });
    Some(rows.collect())
}

/// Writes every entry as the universal family does.
pub(super) fn universal(card: &Card) -> Value {
    let mut rows = Vec::new();
    for (name, values) in &card.multi {
        rows.extend(values.iter().map(|value| {
            json!({
                "id": value.id, "typeId": name, "valueType": value.value_type,
                "value": value.value,
            })
        }));
    }
    Value::Array(rows)
}
