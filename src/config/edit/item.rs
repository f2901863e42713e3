//! New items of a file's lists, and values of those that are there: what the forms of the pages set.

use serde_json::{Map, Value as Json};
use toml_edit::{ArrayOfTables, DocumentMut, Item, Table, TableLike};

use super::values::{HEADERS_DOWN_TO, find, list_value, merge_item, object, table_of};
use super::{ByHand, EditText};

/// Values by their keys. In a change `null` takes a value away, and a table changes what it names.
pub type ItemValues = Map<String, Json>;

/// Returns the text with one more item at the end of a list. The id stands first in it.
pub(super) fn added(text: &str, list: &'static str, id: &str, values: &ItemValues) -> EditText {
    let Ok(mut document) = text.parse::<DocumentMut>() else {
        return Ok(None);
    };
    let by_hand = ByHand("the list that is to be added to");
    let entry = document
        .entry(list)
        .or_insert_with(|| Item::ArrayOfTables(ArrayOfTables::new()));
    let tables = entry.as_array_of_tables_mut().ok_or(by_hand)?;
    let mut item = Table::new();
    item.insert("id", toml_edit::value(id));
    let (tables_of_it, plain): (Vec<_>, Vec<_>) =
        values.iter().partition(|(_, value)| value.is_object());
    for (key, value) in plain {
        if let Some(value) = list_value(value) {
            item.insert(key, Item::Value(value));
        }
    }
    for (key, value) in tables_of_it {
        let table = value.as_object().filter(|table| !table.is_empty());
        if let Some(table) = table {
            item.insert(key, Item::Table(table_of(table, HEADERS_DOWN_TO)));
        }
    }
    let wanted = object(&item);
    tables.push(item);
    let after = document.to_string();
    let expected = json_of(text).and_then(|mut before| {
        let items = before
            .entry(list)
            .or_insert_with(|| Json::Array(Vec::new()));
        items.as_array_mut()?.push(Json::Object(wanted));
        Some(before)
    });
    match expected.is_some() && expected == json_of(&after) {
        true => Ok(Some(after)),
        false => Err(by_hand),
    }
}

/// Returns the text in which an item has these values; `None` where it is not there.
pub(super) fn patched(text: &str, list: &'static str, id: &str, values: &ItemValues) -> EditText {
    let Ok(mut document) = text.parse::<DocumentMut>() else {
        return Ok(None);
    };
    let Some((place, item)) = find(&mut document, list, id) else {
        return Ok(None);
    };
    for (key, value) in values {
        match (item.get_mut(key), value) {
            (Some(there), Json::Object(wanted)) => {
                let is_inline = there.is_inline_table();
                let table = there.as_table_like_mut();
                let table = table.ok_or(ByHand("what is to be changed"))?;
                for (key, value) in wanted {
                    set(table, key, value, is_inline);
                }
            }
            (None, Json::Object(wanted)) => {
                let wanted: Map<String, Json> = wanted
                    .iter()
                    .filter(|(_, value)| !value.is_null())
                    .map(|(key, value)| (key.clone(), value.clone()))
                    .collect();
                if !wanted.is_empty() {
                    item.insert(key, Item::Table(table_of(&wanted, HEADERS_DOWN_TO)));
                }
            }
            _ => set(item, key, value, true),
        }
    }
    let after = document.to_string();
    let expected = json_of(text).and_then(|mut before| {
        let items = before.get_mut(list)?.as_array_mut()?;
        patch(items.get_mut(place)?.as_object_mut()?, values);
        Some(before)
    });
    match expected.is_some() && expected == json_of(&after) {
        true => Ok(Some(after)),
        false => Err(ByHand("what is to be changed")),
    }
}

/// Sets a value, or takes it away.
fn set(table: &mut dyn TableLike, key: &str, value: &Json, is_inline: bool) {
    if value.is_null() {
        table.remove(key);
        return;
    }
    match table.get_mut(key) {
        Some(there) => merge_item(there, value, is_inline, HEADERS_DOWN_TO),
        None => {
            if let Some(value) = list_value(value) {
                table.insert(key, Item::Value(value));
            }
        }
    }
}

/// Makes the change in what a table says: one level down, below that a value is replaced.
fn patch(table: &mut Map<String, Json>, values: &ItemValues) {
    for (key, value) in values {
        match value {
            Json::Null => {
                table.remove(key);
            }
            Json::Object(wanted) => {
                let is_new = !table.contains_key(key);
                let there = table
                    .entry(key)
                    .or_insert_with(|| Json::Object(Map::new()))
                    .as_object_mut();
                let Some(there) = there else { continue };
                for (key, value) in wanted {
                    match value {
                        Json::Null => there.remove(key),
                        value => there.insert(key.clone(), value.clone()),
                    };
                }
                let is_empty = there.is_empty();
                if is_new && is_empty {
                    table.remove(key);
                }
            }
            value => {
                table.insert(key.clone(), value.clone());
            }
        }
    }
}

/// Returns what a text says.
fn json_of(text: &str) -> Option<Map<String, Json>> {
    let document = text.parse::<DocumentMut>().ok()?;
    Some(object(document.as_table()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const TEXT: &str = "# Ours.\n[tenant]\nid = \"acme\"\n\n[[accounts]]\nid = \"main\" # the first\n\
        crm = \"x\"\n[accounts.settings]\nurl = \"a.example\"\n[accounts.secrets]\n\
        token = { file = \"a\" } # from the vendor\n\n# What works.\n[[integrations]]\nid = \"sales\"\n\
        account = \"main\"\ntakes = [{ source = \"office\", kinds = [\"call\"] }] # calls\n";

    fn values(json: Json) -> ItemValues {
        json.as_object().expect("an object").clone()
    }

    fn add(text: &str, list: &'static str, id: &str, given: Json) -> String {
        let text = added(text, list, id, &values(given)).expect("it can be added");
        text.expect("a text")
    }

    fn change(list: &'static str, id: &str, given: Json) -> String {
        let text = patched(TEXT, list, id, &values(given)).expect("it can be changed");
        text.expect("it is there")
    }

    #[test]
    fn a_new_item_stands_behind_the_last_of_its_list_and_nothing_else_moves() {
        let account = json!({
            "crm": "x", "name": "Второй \"портал\"", "settings": { "url": "b.example", "branch": 1 },
            "secrets": { "token": { "sealed": "AQ==" } },
        });
        let text = add(TEXT, "accounts", "other", account);
        let new = "\n[[accounts]]\nid = \"other\"\ncrm = \"x\"\nname = 'Второй \"портал\"'\n\n\
                   [accounts.secrets]\ntoken = { sealed = \"AQ==\" }\n\n\
                   [accounts.settings]\nbranch = 1\nurl = \"b.example\"\n";
        assert!(text.contains(new), "{text}");
        assert_eq!(text.replacen(new, "", 1), TEXT);
    }

    #[test]
    fn the_first_item_of_a_list_makes_the_list() {
        let head = "[tenant]\nid = \"acme\"\n";
        let takes = json!([{ "source": "office", "kinds": ["call"] }]);
        let integration = json!({ "account": "main", "activity": "off", "takes": takes });
        let text = add(head, "integrations", "sales", integration);
        let new = "\n[[integrations]]\nid = \"sales\"\naccount = \"main\"\nactivity = \"off\"\n\
                   takes = [{ kinds = [\"call\"], source = \"office\" }]\n";
        assert_eq!(text, format!("{head}{new}"));
        // A list within a line is left to a person.
        let line = "integrations = []\n[tenant]\nid = \"acme\"\n";
        let refused = added(line, "integrations", "sales", &ItemValues::new());
        refused.expect_err("left to a person");
    }

    #[test]
    fn values_are_set_replaced_and_taken_away_and_remarks_stay() {
        let sealed = json!({ "secrets": { "token": { "sealed": "AQ==" } } });
        let text = change("accounts", "main", sealed);
        let line = text.lines().find(|line| line.starts_with("token"));
        let line = line.unwrap_or_default().replace(' ', "");
        assert_eq!(line, "token={sealed=\"AQ==\"}#fromthevendor");
        assert!(
            text.starts_with("# Ours.") && text.contains("# the first"),
            "{text}"
        );

        let text = change(
            "accounts",
            "main",
            json!({ "settings": { "branch": 2, "url": null } }),
        );
        assert!(text.contains("[accounts.settings]\nbranch = 2\n"), "{text}");

        let none = json!({ "takes": null, "name": "Продажи" });
        let text = change("integrations", "sales", none);
        assert!(
            text.ends_with("account = \"main\"\nname = \"Продажи\"\n"),
            "{text}"
        );

        let takes = json!([{ "source": "office", "kinds": ["call", "chat"] }]);
        let text = change("integrations", "sales", json!({ "takes": takes }));
        assert!(
            text.contains("\"chat\"") && text.ends_with("# calls\n"),
            "{text}"
        );

        // The same again changes no byte; who is not there is not there.
        let same = json!({ "crm": "x", "settings": { "url": "a.example" }, "name": null });
        assert_eq!(change("accounts", "main", same), TEXT);
        assert_eq!(
            patched(TEXT, "accounts", "nobody", &ItemValues::new()),
            Ok(None)
        );
    }
}
