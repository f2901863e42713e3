//! What the reading of a kind's settings asks for, as a schema.

use serde_json::{Map, Value, json};

use crate::model::asked::{Asked, Form, SettingsForm};

/// Returns the schema of a kind's `settings` table.
pub(super) fn table(form: &SettingsForm) -> Value {
    below(&(form.asked)(), &[], form)
}

/// Returns the schema of the table at the end of a way.
fn below(asked: &[Asked], way: &[String], form: &SettingsForm) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for one in asked {
        let Some((key, table)) = one.path.split_last() else {
            continue;
        };
        if table != way {
            continue;
        }
        let mut schema = match one.form {
            Form::Table => below(asked, &one.path, form),
            _ => value(&one.form),
        };
        if let Some(words) = form.words_of(&one.path.join(".")) {
            schema["description"] = Value::from(words);
        }
        if one.required {
            required.push(key.clone());
        }
        properties.insert(key.clone(), schema);
    }
    let mut schema = json!({
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    });
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema
}

fn value(form: &Form) -> Value {
    match form {
        // Spaces around a text are cut off before it is measured, so that the schema does not.
        Form::Text { .. } | Form::Time => json!({ "type": "string" }),
        Form::Word(words) => json!({ "type": "string", "enum": words }),
        Form::Whole { min, max, usual } => {
            let schema = json!({ "type": "integer", "minimum": min, "maximum": max });
            with_default(schema, usual.map(Value::from))
        }
        Form::Number { min, max, usual } => {
            let schema = json!({ "type": "number", "minimum": min, "maximum": max });
            with_default(schema, usual.map(Value::from))
        }
        Form::Flag { usual } => json!({ "type": "boolean", "default": usual }),
        Form::Texts { items_max, .. } => json!({
            "type": "array",
            "items": { "type": "string" },
            "maxItems": items_max,
        }),
        Form::List { items_max } => json!({ "type": "array", "maxItems": items_max }),
        Form::NamedTexts { entries_max } => json!({
            "type": "object",
            "additionalProperties": { "type": "string" },
            "maxProperties": entries_max,
        }),
        Form::Table => json!({ "type": "object" }),
    }
}

fn with_default(mut schema: Value, usual: Option<Value>) -> Value {
    if let Some(usual) = usual {
        schema["default"] = usual;
    }
    schema
}
