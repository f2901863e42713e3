//! Takes out of a derived schema what is said of Rust and not of TOML: there is no null in it, and
//! no width of numbers.

use serde_json::Value;

/// Tidies a schema and everything below it.
pub(super) fn tidy(schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(tidy),
        Value::Object(entries) => {
            entries.values_mut().for_each(tidy);
            // A key may have this name, too.
            if entries.get("format").is_some_and(Value::is_string) {
                entries.remove("format");
            }
            if entries.get("default").is_some_and(Value::is_null) {
                entries.remove("default");
            }
            if let Some(Value::Array(types)) = entries.get_mut("type") {
                types.retain(|name| name != "null");
                if let [only] = types.as_slice() {
                    let only = only.clone();
                    entries.insert("type".to_owned(), only);
                }
            }
            if let Some(Value::Array(choices)) = entries.get_mut("enum") {
                choices.retain(|choice| !choice.is_null());
            }
            let Some(Value::Array(choices)) = entries.get_mut("anyOf") else {
                return;
            };
            choices.retain(|choice| choice.get("type").is_none_or(|name| name != "null"));
            if let [Value::Object(only)] = choices.as_slice() {
                let only = only.clone();
                entries.remove("anyOf");
                for (key, value) in only {
                    // What is said where it is used goes before what is said of the type.
                    entries.entry(key).or_insert(value);
                }
            }
        }
        _ => {}
    }
}
