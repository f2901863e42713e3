//! What a tenant's file says of the company itself: its name and clocks, its numbers, and who is asked
//! whom a caller should reach. Only what differs is written anew.

use serde_json::{Map, Value as Json};
use toml_edit::{ArrayOfTables, DocumentMut, Item};

use super::settings::without_null;
use super::values::{json, merge, merge_item, merge_tables, object, table_of};
use super::{ByHand, EditText};

const TENANT: &str = "tenant";
const NUMBERS: &str = "numbers";
const QUESTIONS: &str = "questions";

/// Tables of numbers have headers of their own; what they hold stands in lines.
const DEPTH: usize = 2;

/// The company as it is written.
#[derive(Debug, Clone, PartialEq)]
pub struct WrittenCompany {
    /// `[tenant]`, its id left out.
    pub company: Map<String, Json>,
    /// `[[numbers]]`, in order.
    pub numbers: Vec<Json>,
    /// `[questions]`.
    pub questions: Map<String, Json>,
}

/// What is to be changed; what is `None` stays.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CompanyEdit {
    /// All of `[tenant]` but its id, which never changes.
    pub company: Option<Map<String, Json>>,
    /// All of the numbers.
    pub numbers: Option<Vec<Map<String, Json>>>,
    /// All of `[questions]`.
    pub questions: Option<Map<String, Json>>,
}

/// Reads what a file says of the company.
pub(super) fn written(text: &str) -> Option<WrittenCompany> {
    let document = text.parse::<DocumentMut>().ok()?;
    let table = |name: &str| {
        let item = document.get(name).and_then(Item::as_table_like);
        item.map(object).unwrap_or_default()
    };
    let mut company = table(TENANT);
    company.remove("id");
    let numbers = match document.get(NUMBERS) {
        None => Vec::new(),
        Some(item) => match json(item)? {
            Json::Array(numbers) => numbers,
            _ => return None,
        },
    };
    Some(WrittenCompany {
        company,
        numbers,
        questions: table(QUESTIONS),
    })
}

/// Returns the text after the change.
pub(super) fn changed(text: &str, edit: &CompanyEdit) -> EditText {
    let Ok(mut document) = text.parse::<DocumentMut>() else {
        return Ok(None);
    };
    let by_hand = ByHand("what the file says of the company");
    let mut wanted = object(document.as_table());
    if let Some(company) = &edit.company {
        let table = document
            .get_mut(TENANT)
            .and_then(Item::as_table_like_mut)
            .ok_or(by_hand)?;
        let mut whole = plain(company);
        // Who the company is never changes.
        match table.get("id").and_then(json) {
            Some(id) => whole.insert("id".to_owned(), id),
            None => whole.remove("id"),
        };
        merge(table, &whole, false, DEPTH);
        wanted.insert(TENANT.to_owned(), Json::Object(whole));
    }
    if let Some(questions) = &edit.questions {
        let whole = plain(questions);
        match document.get_mut(QUESTIONS) {
            _ if whole.is_empty() => {
                document.remove(QUESTIONS);
            }
            Some(item) => {
                let table = item.as_table_like_mut().ok_or(by_hand)?;
                merge(table, &whole, false, DEPTH);
            }
            None => {
                document.insert(QUESTIONS, Item::Table(table_of(&whole, DEPTH)));
            }
        }
        put(&mut wanted, QUESTIONS, Json::Object(whole));
    }
    if let Some(numbers) = &edit.numbers {
        let numbers: Vec<Json> = numbers.iter().map(without_null).collect();
        set_numbers(&mut document, &numbers);
        put(&mut wanted, NUMBERS, Json::Array(numbers));
    }
    let after = document.to_string();
    let said = after.parse::<DocumentMut>().ok();
    // Whatever the text looks like: it says what was wanted and what it said before, and nothing else.
    match said.is_some_and(|said| object(said.as_table()) == wanted) {
        true => Ok(Some(after)),
        false => Err(by_hand),
    }
}

fn plain(table: &Map<String, Json>) -> Map<String, Json> {
    match without_null(table) {
        Json::Object(table) => table,
        _ => Map::new(),
    }
}

/// Notes a value; what is empty is not written.
fn put(table: &mut Map<String, Json>, key: &str, value: Json) {
    let is_empty = match &value {
        Json::Array(items) => items.is_empty(),
        Json::Object(table) => table.is_empty(),
        _ => false,
    };
    match is_empty {
        true => table.remove(key),
        false => table.insert(key.to_owned(), value),
    };
}

fn set_numbers(document: &mut DocumentMut, numbers: &[Json]) {
    match document.get_mut(NUMBERS) {
        _ if numbers.is_empty() => {
            document.remove(NUMBERS);
        }
        Some(Item::ArrayOfTables(tables)) => {
            let is_wanted = |table: &Map<String, Json>| {
                let same = |one: &&Json| key_of(one.as_object()) == key_of(Some(table));
                numbers.iter().any(|one| same(&one))
            };
            // What is gone goes with its own remarks, not with those of the one behind it. A number
            // that was only written anew stays in its place with them.
            let follows_a_gap = numbers.iter().enumerate().any(|(at, one)| {
                let key = key_of(one.as_object());
                let before = tables
                    .iter()
                    .position(|table| key_of(Some(&object(table))) == key);
                before.is_some_and(|before| before > at)
            });
            if follows_a_gap || numbers.len() < tables.len() {
                tables.retain(|table| is_wanted(&object(table)));
            }
            merge_tables(tables, numbers, DEPTH);
        }
        Some(item) => merge_item(item, &Json::Array(numbers.to_vec()), true, DEPTH),
        None => {
            let mut tables = ArrayOfTables::new();
            for one in numbers.iter().filter_map(Json::as_object) {
                tables.push(table_of(one, DEPTH));
            }
            document.insert(NUMBERS, Item::ArrayOfTables(tables));
        }
    }
}

/// What a number is known by: itself, and the source that it belongs to.
fn key_of(number: Option<&Map<String, Json>>) -> [Option<&Json>; 2] {
    ["number", "source"].map(|key| number.and_then(|number| number.get(key)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const TEXT: &str = "# Ours.\n[tenant]\nid = \"acme\" # never changes\nname = \"Ромашка\"\n\
        time_zone = \"Europe/Moscow\" # the head office\n\n# Advertising.\n[[numbers]]\nnumber = \"+74950000001\"\n\
        exits = { default = \"600\" } # the queue\n\n# The director.\n[[numbers]]\nnumber = \"+74950000002\"\n\
        scenario = \"employee\"\nemployee = \"anna\"\n\n# Spare.\n[[numbers]]\nnumber = \"+74950000003\"\n\n\
        [[accounts]]\nid = \"main\"\n";

    fn tables(value: Json) -> Vec<Map<String, Json>> {
        let Json::Array(items) = value else {
            return Vec::new();
        };
        let items = items.into_iter();
        items.filter_map(|item| item.as_object().cloned()).collect()
    }

    fn change(text: &str, edit: &CompanyEdit) -> String {
        let text = changed(text, edit).expect("it can be changed");
        text.expect("it is read")
    }

    fn now(text: &str) -> CompanyEdit {
        let written = written(text).expect("it is read");
        CompanyEdit {
            company: Some(written.company),
            numbers: Some(tables(Json::Array(written.numbers))),
            questions: Some(written.questions),
        }
    }

    #[test]
    fn the_same_again_changes_no_byte_and_the_id_is_not_shown() {
        assert_eq!(change(TEXT, &now(TEXT)), TEXT);
        let seen = written(TEXT).expect("it is read");
        assert!(!seen.company.contains_key("id"));
        assert_eq!(seen.numbers.len(), 3);
    }

    #[test]
    fn a_number_is_changed_added_and_removed_and_remarks_of_the_others_stay() {
        let mut edit = now(TEXT);
        let numbers = edit.numbers.as_mut().expect("numbers");
        numbers.remove(1);
        numbers[0].insert("exits".to_owned(), json!({ "default": "700" }));
        numbers.extend(tables(
            json!([{ "number": "+74950000004", "scenario": "other", "owner": null }]),
        ));
        let text = change(TEXT, &edit);
        for kept in [
            "# Ours.",
            "# never changes",
            "# the head office",
            "# Advertising.",
            "# Spare.",
            "# the queue",
        ] {
            assert!(text.contains(kept), "{kept} is gone: {text}");
        }
        assert!(!text.contains("The director"), "{text}");
        let new = "[[numbers]]\nnumber = \"+74950000004\"\nscenario = \"other\"\n";
        assert!(text.contains(new), "{text}");
        assert!(text.contains("\"700\""), "{text}");
    }

    #[test]
    fn numbers_and_questions_are_made_where_none_stood_and_go_as_a_whole() {
        let head = "[tenant]\nid = \"acme\"\nname = \"Ромашка\"\ntime_zone = \"Europe/Moscow\"\n";
        let edit = CompanyEdit {
            company: None,
            numbers: Some(tables(json!([{ "number": "+74950000001" }]))),
            questions: json!({ "integrations": ["sales", "support"] })
                .as_object()
                .cloned(),
        };
        let text = change(head, &edit);
        assert!(text.starts_with(head), "{text}");
        let seen = written(&text).expect("it is read");
        assert_eq!(seen.numbers, [json!({ "number": "+74950000001" })]);
        assert_eq!(seen.questions["integrations"], json!(["sales", "support"]));
        let none = CompanyEdit {
            company: None,
            numbers: Some(Vec::new()),
            questions: Some(Map::new()),
        };
        let seen = written(&change(&text, &none)).expect("it is read");
        assert!(seen.numbers.is_empty() && seen.questions.is_empty());
    }

    #[test]
    fn the_clocks_are_changed_and_who_the_company_is_is_not() {
        let mut edit = now(TEXT);
        edit.numbers = None;
        let company = edit.company.as_mut().expect("a company");
        company.insert("time_zone".to_owned(), json!("Asia/Omsk"));
        company.insert("id".to_owned(), json!("other"));
        assert_eq!(
            change(TEXT, &edit),
            TEXT.replace("Europe/Moscow", "Asia/Omsk")
        );
    }
}
