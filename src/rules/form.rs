//! The settings of an integration as a JSON Schema with named parts, for forms: what a text names
//! (a user, a pipeline, a template, …) stands beside it as `x-shape`.

use schemars::generate::SchemaSettings;
use serde_json::Value;

use super::settings::IntegrationSettings;

/// Returns the schema of an integration's settings.
pub fn schema() -> Value {
    let generator = SchemaSettings::draft2020_12().into_generator();
    generator
        .into_root_schema_for::<IntegrationSettings>()
        .to_value()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Gathers the shapes below a part of the schema.
    fn shapes(part: &Value, found: &mut BTreeSet<String>) {
        match part {
            Value::Array(items) => items.iter().for_each(|item| shapes(item, found)),
            Value::Object(entries) => {
                if let Some(Value::String(shape)) = entries.get("x-shape") {
                    found.insert(shape.clone());
                }
                entries.values().for_each(|entry| shapes(entry, found));
            }
            _ => {}
        }
    }

    #[test]
    fn what_texts_name_in_the_crm_and_in_the_file_is_told() {
        let mut found = BTreeSet::new();
        shapes(&schema(), &mut found);
        let named = [
            "date",
            "date_time",
            "deal_field",
            "deal_fields",
            "deal_number",
            "employee",
            "field",
            "lines",
            "pipeline",
            "pipelines",
            "schedule",
            "source",
            "stage",
            "task_type",
            "template",
            "time",
            "user",
        ];
        assert_eq!(found.iter().map(String::as_str).collect::<Vec<_>>(), named);
    }

    #[test]
    fn the_form_is_small_enough_for_a_page() {
        let text = schema().to_string();
        assert!(text.len() < 64_000, "{}", text.len());
    }
}
