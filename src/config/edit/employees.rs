//! The people of a company in the text of its file (S1-06): who differs is written anew, who is gone
//! goes with the remarks within, everybody else stays.

use serde_json::{Map, Value as Json};
use toml_edit::{DocumentMut, Item};

use super::settings::without_null;
use super::values::{json, merge_item, merge_tables, object, table_of};
use super::{ByHand, EditText};

/// The list of employees.
const LIST: &str = "employees";

/// Tables of people have headers of their own; what they hold stands in lines.
const DEPTH: usize = 2;

/// Reads the people; none where the file has none.
pub(super) fn written(text: &str) -> Option<Vec<Json>> {
    let document = text.parse::<DocumentMut>().ok()?;
    match document.get(LIST) {
        None => Some(Vec::new()),
        Some(item) => match json(item)? {
            Json::Array(people) => Some(people),
            _ => None,
        },
    }
}

/// Returns the text in which these are the people.
pub(super) fn changed(text: &str, wanted: &[Map<String, Json>]) -> EditText {
    let Ok(mut document) = text.parse::<DocumentMut>() else {
        return Ok(None);
    };
    let people: Vec<Json> = wanted.iter().map(without_null).collect();
    match document.get_mut(LIST) {
        _ if people.is_empty() => {
            document.remove(LIST);
        }
        Some(Item::ArrayOfTables(tables)) => {
            let is_wanted = |id: Option<&str>| people.iter().any(|one| id == id_of(one));
            tables.retain(|table| is_wanted(table.get("id").and_then(Item::as_str)));
            merge_tables(tables, &people, DEPTH);
        }
        Some(item) => merge_item(item, &Json::Array(people.clone()), true, DEPTH),
        None => {
            let mut tables = toml_edit::ArrayOfTables::new();
            for one in people.iter().filter_map(Json::as_object) {
                tables.push(table_of(one, DEPTH));
            }
            document.insert(LIST, Item::ArrayOfTables(tables));
        }
    }
    let after = document.to_string();
    match is_all_that_changed(text, &after, &people) {
        true => Ok(Some(after)),
        false => Err(ByHand("the employees")),
    }
}

fn id_of(person: &Json) -> Option<&str> {
    person.get("id").and_then(Json::as_str)
}

/// Whatever the text looks like: nothing but the people may have changed in what it says.
fn is_all_that_changed(before: &str, after: &str, people: &[Json]) -> bool {
    let rest = |text: &str| {
        let mut document = text.parse::<DocumentMut>().ok()?;
        document.remove(LIST);
        Some(object(document.as_table()))
    };
    let (before, rest_after) = (rest(before), rest(after));
    before.is_some() && before == rest_after && written(after).as_deref() == Some(people)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const TEXT: &str = "[tenant]\nid = \"acme\"\n\n# Sales.\n[[employees]]\nid = \"ivanov\"\nname = \"Иванов\" # the boss\n\
        extensions = [{ source = \"office\", extension = \"101\" }]\n\n\
        # Leaves soon.\n[[employees]]\nid = \"petrov\"\nname = \"Петров\"\n\n\
        # Stays.\n[[employees]]\nid = \"sidorov\"\nname = \"Сидоров\" # as in the CRM\n\n\
        [[accounts]]\nid = \"main\"\n";

    fn people(value: Json) -> Vec<Map<String, Json>> {
        let Json::Array(items) = value else {
            return Vec::new();
        };
        let items = items.into_iter();
        items.filter_map(|item| item.as_object().cloned()).collect()
    }

    #[test]
    fn s1_06_a_pair_is_written_and_the_rest_of_the_file_stays() {
        let mut wanted = written(TEXT).expect("people");
        wanted[0]["users"] = json!([{ "account": "main", "user": "501" }]);
        let text = changed(TEXT, &people(Json::Array(wanted))).expect("not by hand");
        let text = text.expect("there");
        for kept in ["# Sales.", "# the boss", "# Leaves soon.", "[[accounts]]"] {
            assert!(text.contains(kept), "{text}");
        }
        assert!(text.contains("501"), "{text}");
        let back = changed(&text, &people(Json::Array(written(TEXT).expect("people"))));
        assert_eq!(back.expect("not by hand").expect("there"), TEXT);
    }

    #[test]
    fn s1_06_who_is_gone_takes_no_remark_of_another() {
        let mut wanted = written(TEXT).expect("people");
        wanted.remove(1);
        wanted.push(json!({ "id": "orlov", "name": "Орлов", "email": null }));
        let text = changed(TEXT, &people(Json::Array(wanted))).expect("not by hand");
        let text = text.expect("there");
        assert!(
            text.contains("# Stays.") && text.contains("# as in the CRM"),
            "{text}"
        );
        assert!(!text.contains("petrov") && text.contains("orlov"), "{text}");
        assert!(!text.contains("email"), "{text}");
    }

    #[test]
    fn people_are_written_where_none_stood_and_go_as_a_whole() {
        let text = "[tenant]\nid = \"acme\"\n";
        assert_eq!(written(text).expect("read"), Vec::<Json>::new());
        let wanted = people(json!([{ "id": "ivanov", "name": "Иванов",
            "extensions": [{ "source": "office", "extension": "101" }] }]));
        let with = changed(text, &wanted).expect("not by hand").expect("there");
        assert!(with.contains("[[employees]]"), "{with}");
        assert_eq!(written(&with).expect("read").len(), 1);
        let without = changed(&with, &[]).expect("not by hand").expect("there");
        assert_eq!(written(&without).expect("read"), Vec::<Json>::new());
    }
}
