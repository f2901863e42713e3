//! Values of a file's text, held against what is to stand there: what says so already is left alone,
//! with its remarks; what is new is written as a person would.

use serde_json::{Map, Value as Json};
use toml_edit::{Array, ArrayOfTables, DocumentMut, InlineTable, Item, Table, TableLike, Value};

/// New tables down to here get a header of their own (`[integrations.settings.calls.incoming]`);
/// deeper ones stand in a line.
pub(super) const HEADERS_DOWN_TO: usize = 2;

/// Returns the item of a list that has this id, with its place in the list.
pub(super) fn find<'a>(
    document: &'a mut DocumentMut,
    list: &str,
    id: &str,
) -> Option<(usize, &'a mut dyn TableLike)> {
    let is_it = |item: &dyn TableLike| item.get("id").and_then(Item::as_str) == Some(id);
    match document.get_mut(list)? {
        Item::ArrayOfTables(tables) => {
            let mut tables = tables.iter_mut().enumerate();
            let (place, table) = tables.find(|(_, table)| is_it(*table))?;
            Some((place, table))
        }
        Item::Value(Value::Array(values)) => {
            let mut values = values.iter_mut().enumerate();
            values.find_map(|(place, value)| {
                let table = value.as_inline_table_mut()?;
                is_it(table).then_some((place, table as &mut dyn TableLike))
            })
        }
        _ => None,
    }
}

/// Makes a table say what is wanted, and leaves alone what says so already.
pub(super) fn merge(
    table: &mut dyn TableLike,
    wanted: &Map<String, Json>,
    is_inline: bool,
    depth: usize,
) {
    let is_gone = |key: &str| wanted.get(key).is_none_or(Json::is_null);
    let gone: Vec<String> = table
        .iter()
        .map(|(key, _)| key.to_owned())
        .filter(|key| is_gone(key))
        .collect();
    for key in gone {
        table.remove(&key);
    }
    for (key, value) in wanted {
        match table.get_mut(key) {
            Some(item) => merge_item(item, value, is_inline, depth),
            None => {
                if let Some(item) = made(value, is_inline, depth.saturating_add(1)) {
                    table.insert(key, item);
                }
            }
        }
    }
}

/// Makes a value say what is wanted.
pub(super) fn merge_item(item: &mut Item, wanted: &Json, is_inline: bool, depth: usize) {
    if json(item).as_ref() == Some(wanted) {
        return;
    }
    let depth = depth.saturating_add(1);
    let inline = is_inline || item.is_inline_table();
    if let (Some(table), Json::Object(wanted)) = (item.as_table_like_mut(), wanted) {
        return merge(table, wanted, inline, depth);
    }
    if let (Some(tables), Json::Array(wanted)) = (item.as_array_of_tables_mut(), wanted)
        && !wanted.is_empty()
        && wanted.iter().all(Json::is_object)
    {
        return merge_tables(tables, wanted, depth);
    }
    let decor = item.as_value().map(|value| value.decor().clone());
    let Some(mut new) = made(wanted, is_inline || item.is_value(), depth) else {
        return;
    };
    if let (Some(decor), Some(value)) = (decor, new.as_value_mut()) {
        // What stands behind the old value, such as a remark, stands behind the new one.
        *value.decor_mut() = decor;
    }
    *item = new;
}

pub(super) fn merge_tables(tables: &mut ArrayOfTables, wanted: &[Json], depth: usize) {
    while tables.len() > wanted.len() {
        tables.remove(tables.len().saturating_sub(1));
    }
    for (place, value) in wanted.iter().enumerate() {
        let Json::Object(value) = value else { continue };
        match tables.get_mut(place) {
            Some(table) => merge(table, value, false, depth.max(HEADERS_DOWN_TO)),
            None => tables.push(table_of(value, depth.max(HEADERS_DOWN_TO))),
        }
    }
}

/// Writes a value anew; nothing for `null`.
pub(super) fn made(wanted: &Json, is_inline: bool, depth: usize) -> Option<Item> {
    let has_header = !is_inline && depth <= HEADERS_DOWN_TO;
    match wanted {
        Json::Object(wanted) if has_header => Some(Item::Table(table_of(wanted, depth))),
        Json::Array(items)
            if has_header && !items.is_empty() && items.iter().all(Json::is_object) =>
        {
            let mut tables = ArrayOfTables::new();
            for item in items.iter().filter_map(Json::as_object) {
                tables.push(table_of(item, HEADERS_DOWN_TO));
            }
            Some(Item::ArrayOfTables(tables))
        }
        other => list_value(other).map(Item::Value),
    }
}

/// Writes a table anew.
pub(super) fn table_of(wanted: &Map<String, Json>, depth: usize) -> Table {
    let mut table = Table::new();
    // No header of its own where nothing stands below but tables.
    table.set_implicit(wanted.values().all(Json::is_object) && !wanted.is_empty());
    for (key, value) in wanted {
        if let Some(item) = made(value, false, depth.saturating_add(1)) {
            table.insert(key, item);
        }
    }
    table
}

/// Writes a value anew that stands in a line; nothing for `null`.
pub(super) fn list_value(wanted: &Json) -> Option<Value> {
    Some(match wanted {
        Json::Null => return None,
        Json::Bool(flag) => Value::from(*flag),
        Json::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => Value::from(whole),
            (None, Some(number)) => Value::from(number),
            (None, None) => return None,
        },
        Json::String(text) => Value::from(text.as_str()),
        Json::Array(items) => Value::Array(items.iter().filter_map(list_value).collect::<Array>()),
        Json::Object(wanted) => {
            let mut table = InlineTable::new();
            for (key, wanted) in wanted {
                if let Some(value) = list_value(wanted) {
                    table.insert(key, value);
                }
            }
            Value::InlineTable(table)
        }
    })
}

/// Returns what a table says.
pub(super) fn object(table: &dyn TableLike) -> Map<String, Json> {
    let pairs = table.iter();
    pairs
        .filter_map(|(key, item)| Some((key.to_owned(), json(item)?)))
        .collect()
}

pub(super) fn json(item: &Item) -> Option<Json> {
    match item {
        Item::None => None,
        Item::Value(value) => Some(json_of(value)),
        Item::Table(table) => Some(Json::Object(object(table))),
        Item::ArrayOfTables(tables) => {
            let tables = tables.iter().map(|table| Json::Object(object(table)));
            Some(Json::Array(tables.collect()))
        }
    }
}

fn json_of(value: &Value) -> Json {
    match value {
        Value::String(text) => Json::from(text.value().as_str()),
        Value::Integer(whole) => Json::from(*whole.value()),
        Value::Float(number) => Json::from(*number.value()),
        Value::Boolean(flag) => Json::from(*flag.value()),
        Value::Datetime(time) => Json::from(time.value().to_string()),
        Value::Array(items) => Json::Array(items.iter().map(json_of).collect()),
        Value::InlineTable(table) => Json::Object(object(table)),
    }
}
