//! Takes out of a derived schema what is said of Rust and not of JSON, and says the words of closed sets
//! in one place.

use serde_json::{Map, Value};

/// Tidies the schema of something that is read, and everything below it.
pub(super) fn tidy_body(mut schema: Value) -> Value {
    tidy(&mut schema, false);
    schema
}

/// Tidies the schema of something that is written: there nothing is left out for a default.
pub(super) fn tidy_answer(mut schema: Value) -> Value {
    tidy(&mut schema, true);
    schema
}

fn tidy(schema: &mut Value, is_answer: bool) {
    let Value::Object(entries) = schema else {
        return;
    };
    // Only where schemas stand: a property may be called as a keyword is.
    for key in ["properties", "patternProperties"] {
        for below in entries
            .get_mut(key)
            .and_then(Value::as_object_mut)
            .into_iter()
            .flatten()
        {
            tidy(below.1, is_answer);
        }
    }
    for key in ["items", "additionalProperties", "propertyNames", "not"] {
        if let Some(below) = entries.get_mut(key) {
            tidy(below, is_answer);
        }
    }
    for key in ["anyOf", "oneOf", "allOf", "prefixItems"] {
        let below = entries.get_mut(key).and_then(Value::as_array_mut);
        for below in below.into_iter().flatten() {
            tidy(below, is_answer);
        }
    }
    // The names of Rust's numbers are none of the formats that there are.
    if entries.get("format").is_some_and(is_number_of_rust) {
        entries.remove("format");
    }
    if is_answer || entries.get("default").is_some_and(Value::is_null) {
        entries.remove("default");
    }
    // What forms are told besides.
    entries.remove("x-shape");
    if entries.get("additionalProperties") == Some(&Value::Bool(true)) {
        entries.remove("additionalProperties");
    }
    if let Some(Value::Array(names)) = entries.get_mut("required") {
        names.sort_by(|a, b| a.as_str().cmp(&b.as_str()));
        names.dedup();
    }
    if is_answer {
        say_what_is_left_out(entries);
    }
    if let Some(Value::String(text)) = entries.get_mut("description") {
        *text = in_one_line(text);
    }
    closed_set(entries);
}

/// What may be left out of an answer is left out where it would be null: it never is.
fn say_what_is_left_out(entries: &mut Map<String, Value>) {
    let required = entries.get("required").cloned().unwrap_or_default();
    let is_required = |name: &String| {
        let mut names = required.as_array().into_iter().flatten();
        names.any(|one| one == name)
    };
    let properties = entries.get_mut("properties").and_then(Value::as_object_mut);
    for (name, schema) in properties.into_iter().flatten() {
        if !is_required(name) {
            without_null(schema);
        }
    }
}

/// Takes the null out of the schema of a member that is left out rather than null.
pub(super) fn without_null(schema: &mut Value) {
    let Some(entries) = schema.as_object_mut() else {
        return;
    };
    if let Some(Value::Array(kinds)) = entries.get_mut("type") {
        kinds.retain(|kind| kind != "null");
        if let [only] = kinds.as_slice() {
            let only = only.clone();
            entries.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(choices)) = entries.get("anyOf") {
        let mut others = choices.iter().filter(|one| one["type"] != "null");
        if let (Some(Value::Object(only)), None) = (others.next().cloned(), others.next()) {
            entries.remove("anyOf");
            entries.extend(only);
        }
    }
}

fn is_number_of_rust(format: &Value) -> bool {
    let format = format.as_str().unwrap_or_default();
    matches!(format, "float" | "double") || format.starts_with("int") || format.starts_with("uint")
}

/// Brings the words of a type or member into one line, without the dot of a single sentence; what is
/// nothing in Rust is null in JSON, and a link to other code is a name.
fn in_one_line(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let text = text.replace("`None`", "null");
    let text = text.replace("[`", "`").replace("`]", "`");
    match text.strip_suffix('.') {
        Some(sentence) if !sentence.contains(". ") => sentence.to_owned(),
        _ => text,
    }
}

/// Turns a choice between single words, each with what it means, into their list and one description.
fn closed_set(entries: &mut Map<String, Value>) {
    let Some(Value::Array(choices)) = entries.get("oneOf") else {
        return;
    };
    let mut words: Vec<Value> = Vec::new();
    let mut meanings = Vec::new();
    for choice in choices {
        if choice.get("type").is_none_or(|kind| kind != "string") {
            return;
        }
        if let Some(Value::Array(plain)) = choice.get("enum") {
            words.extend(plain.iter().cloned());
        } else if let Some(word) = choice.get("const").and_then(Value::as_str) {
            words.push(word.into());
            let meaning = choice.get("description").and_then(Value::as_str);
            // A name alone says nothing of it.
            let meaning = meaning.filter(|meaning| meaning.contains(' '));
            meanings.extend(meaning.map(|meaning| format!("{word}: {meaning}")));
        } else {
            return;
        }
    }
    entries.remove("oneOf");
    entries.insert("type".to_owned(), "string".into());
    entries.insert("enum".to_owned(), words.into());
    if meanings.is_empty() {
        return;
    }
    let own = entries.get("description").and_then(Value::as_str);
    let own = own.map(|own| format!("{}. ", own.trim_end_matches('.')));
    let text = own.unwrap_or_default() + &meanings.join("; ");
    entries.insert("description".to_owned(), text.into());
}
