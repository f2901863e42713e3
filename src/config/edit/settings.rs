//! The settings of an integration in the text of its tenant's file: what is to stand there is held
//! against what does, and only what differs is written anew. Remarks, order and form of the rest stay.

use serde_json::{Map, Value as Json};
use toml_edit::{Array, ArrayOfTables, DocumentMut, InlineTable, Item, Table, TableLike, Value};

use super::{ByHand, EditText};

/// The list of integrations, and the key of their settings.
const LIST: &str = "integrations";
const SETTINGS: &str = "settings";

/// New tables down to here get a header of their own (`[integrations.settings.calls.incoming]`);
/// deeper ones stand in a line.
const HEADERS_DOWN_TO: usize = 2;

/// An integration's settings as they are written.
#[derive(Debug, Clone, PartialEq)]
pub struct WrittenSettings {
    /// As JSON; a date is a text.
    pub settings: Map<String, Json>,
    /// The integration's place in the list of the file, from 0: mistakes name it.
    pub place: usize,
}

/// Reads the settings of an integration.
pub(super) fn written(text: &str, id: &str) -> Option<WrittenSettings> {
    let mut document = text.parse::<DocumentMut>().ok()?;
    let (place, integration) = find(&mut document, id)?;
    let settings = integration.get(SETTINGS).and_then(Item::as_table_like);
    Some(WrittenSettings {
        settings: settings.map(object).unwrap_or_default(),
        place,
    })
}

/// Returns the text in which an integration has these settings; `None` where it is not there.
pub(super) fn changed(text: &str, id: &str, wanted: &Map<String, Json>) -> EditText {
    let Ok(mut document) = text.parse::<DocumentMut>() else {
        return Ok(None);
    };
    let Some((_, integration)) = find(&mut document, id) else {
        return Ok(None);
    };
    match integration.get_mut(SETTINGS) {
        Some(settings) => {
            let is_inline = settings.is_inline_table();
            let settings = settings.as_table_like_mut();
            let settings = settings.ok_or(ByHand("the settings of the integration"))?;
            merge(settings, wanted, is_inline, 0);
        }
        None => {
            let settings = made(&Json::Object(wanted.clone()), false, 0);
            integration.insert(SETTINGS, settings.unwrap_or_default());
        }
    }
    let after = document.to_string();
    match is_all_that_changed(text, &after, id, wanted) {
        true => Ok(Some(after)),
        false => Err(ByHand("the settings of the integration")),
    }
}

/// Whatever the text looks like: nothing but what was wanted may have changed in what it says.
fn is_all_that_changed(before: &str, after: &str, id: &str, wanted: &Map<String, Json>) -> bool {
    let rest = |text: &str| {
        let mut document = text.parse::<DocumentMut>().ok()?;
        let (_, integration) = find(&mut document, id)?;
        integration.remove(SETTINGS);
        Some(object(document.as_table()))
    };
    let settings = written(after, id).map(|written| Json::Object(written.settings));
    let (before, after) = (rest(before), rest(after));
    before.is_some() && before == after && settings == Some(without_null(wanted))
}

fn find<'a>(document: &'a mut DocumentMut, id: &str) -> Option<(usize, &'a mut dyn TableLike)> {
    let is_it = |item: &dyn TableLike| item.get("id").and_then(Item::as_str) == Some(id);
    match document.get_mut(LIST)? {
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
fn merge(table: &mut dyn TableLike, wanted: &Map<String, Json>, is_inline: bool, depth: usize) {
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
fn made(wanted: &Json, is_inline: bool, depth: usize) -> Option<Item> {
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
        other => value(other).map(Item::Value),
    }
}

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

fn value(wanted: &Json) -> Option<Value> {
    Some(match wanted {
        Json::Null => return None,
        Json::Bool(flag) => Value::from(*flag),
        Json::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => Value::from(whole),
            (None, Some(number)) => Value::from(number),
            (None, None) => return None,
        },
        Json::String(text) => Value::from(text.as_str()),
        Json::Array(items) => Value::Array(items.iter().filter_map(value).collect::<Array>()),
        Json::Object(wanted) => {
            let mut table = InlineTable::new();
            for (key, wanted) in wanted {
                if let Some(value) = value(wanted) {
                    table.insert(key, value);
                }
            }
            Value::InlineTable(table)
        }
    })
}

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

pub(super) fn without_null(wanted: &Map<String, Json>) -> Json {
    let kept = wanted.iter().filter(|(_, value)| !value.is_null());
    let kept = kept.map(|(key, value)| {
        let value = match value {
            Json::Object(value) => without_null(value),
            Json::Array(items) => Json::Array(items.iter().map(item_without_null).collect()),
            other => other.clone(),
        };
        (key.clone(), value)
    });
    Json::Object(kept.collect())
}

fn item_without_null(item: &Json) -> Json {
    match item {
        Json::Object(item) => without_null(item),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const TEXT: &str = "[tenant]\nid = \"acme\"\n\n[[integrations]]\nid = \"sales\"\naccount = \"main\" # ours\n\n\
        # What calls make.\n[integrations.settings.calls]\ndefault_responsible = \"501\" # Anna\n\
        partner_numbers = [\n  \"+74951112233\", # a partner\n]\n\n\
        [integrations.settings.calls.incoming] # from outside\n\
        answered_unknown = { action = { kind = \"contact\" } } # case A\n\n\
        [[integrations.settings.calls.responsible]]\nname = \"first\"\nassign = { kind = \"caller\" }\n\n\
        [[integrations]]\nid = \"quiet\"\naccount = \"other\"\n";

    fn settings(id: &str) -> Map<String, Json> {
        written(TEXT, id).expect("it is there").settings
    }

    fn with(id: &str, pointer: &str, value: Json) -> String {
        let mut wanted = Json::Object(settings(id));
        *wanted.pointer_mut(pointer).expect("it is there") = value;
        let wanted = wanted.as_object().expect("an object").clone();
        let text = changed(TEXT, id, &wanted).expect("it can be changed");
        text.expect("it is there")
    }

    #[test]
    fn the_same_settings_leave_every_byte_as_it_is() {
        let text = changed(TEXT, "sales", &settings("sales")).expect("changed");
        assert_eq!(text.as_deref(), Some(TEXT));
        assert_eq!(written(TEXT, "quiet").map(|found| found.place), Some(1));
        assert!(written(TEXT, "nobody").is_none());
        assert_eq!(changed(TEXT, "nobody", &Map::new()), Ok(None));
    }

    #[test]
    fn only_what_differs_is_written_and_remarks_stay() {
        let text = with("sales", "/calls/default_responsible", json!("502"));
        assert_eq!(text, TEXT.replace("\"501\"", "\"502\""));
        let action = json!({ "kind": "unsorted", "pipeline": "31" });
        let text = with("sales", "/calls/incoming/answered_unknown/action", action);
        let line =
            "answered_unknown = { action = { kind = \"unsorted\" , pipeline = \"31\" } } # case A";
        let loose = |text: &str| text.replace(' ', "");
        let written = text
            .lines()
            .find(|line| line.starts_with("answered"))
            .unwrap_or_default();
        assert_eq!(loose(written), loose(line));
        assert!(text.contains("# a partner") && text.contains("# What calls make."));
    }

    #[test]
    fn what_is_new_gets_a_place_and_what_is_gone_goes() {
        let mut wanted = settings("sales");
        let calls = wanted
            .get_mut("calls")
            .and_then(Json::as_object_mut)
            .expect("calls");
        calls.remove("responsible");
        calls.remove("partner_numbers");
        let filter = json!({ "kind": "any", "of": [
            { "kind": "include", "parameter": "tag", "values": ["важный"] } ] });
        calls.insert(
            "outgoing".to_owned(),
            json!({ "filter": filter, "task": null }),
        );
        let field = json!({ "card": "deal", "field": "700101", "value": "{{ our_number }}" });
        calls.insert("fields".to_owned(), json!([field]));
        let text = changed(TEXT, "sales", &wanted)
            .expect("changed")
            .expect("there");
        assert!(
            text.contains("[integrations.settings.calls.outgoing]"),
            "{text}"
        );
        assert!(
            text.contains("[[integrations.settings.calls.fields]]"),
            "{text}"
        );
        assert!(
            !text.contains("responsible]]") && !text.contains("partner"),
            "{text}"
        );
        assert!(
            text.contains("# case A") && text.contains("id = \"quiet\""),
            "{text}"
        );

        // Settings where there were none.
        let wanted = json!({ "calls": { "default_responsible": "1", "incoming": {} } });
        let wanted = wanted.as_object().expect("an object").clone();
        let text = changed(TEXT, "quiet", &wanted)
            .expect("changed")
            .expect("there");
        assert!(text.starts_with(TEXT), "{text}");
        assert!(
            text.contains("[integrations.settings.calls]\ndefault_responsible = \"1\""),
            "{text}"
        );
    }

    #[test]
    fn a_list_of_rules_grows_shrinks_and_keeps_the_first() {
        let first = json!({ "name": "first", "assign": { "kind": "caller" } });
        let second = json!({ "name": "second", "assign": { "kind": "user", "user": "1" } });
        let text = with("sales", "/calls/responsible", json!([first, second]));
        assert_eq!(
            text.matches("[[integrations.settings.calls.responsible]]")
                .count(),
            2
        );
        assert!(text.find("second") < text.find("id = \"quiet\""), "{text}");
        let text = with("sales", "/calls/responsible", json!([]));
        assert!(
            written(&text, "sales").expect("there").settings["calls"]["responsible"] == json!([])
        );
    }

    #[test]
    fn settings_within_a_line_stay_there() {
        let line =
            "integrations = [{ id = \"sales\", settings = { calls = { talker = \"last\" } } }]\n";
        let wanted = json!({ "calls": { "talker": "first", "tags": { "on": true } } });
        let wanted = wanted.as_object().expect("an object").clone();
        let text = changed(line, "sales", &wanted)
            .expect("changed")
            .expect("there");
        assert_eq!(text.lines().count(), 1, "{text}");
    }
}
