//! Values of custom fields: how they are written in bodies and read in answers
//! (crm/amocrm.md §7).

use serde_json::{Value, json};

use super::fields::{Choice, Field};
use super::records::{Card, FieldValue, Kind};
use super::review::{Object, Review};
use super::world::World;

/// New values of one field; empty clears it.
pub(super) type FieldChange = (u64, Vec<FieldValue>);

impl World {
    /// Reads `custom_fields_values` of an item. None when the key is absent.
    pub(super) fn read_values(
        &self,
        kind: Kind,
        item: &Object<'_>,
        review: &mut Review,
    ) -> Option<Vec<FieldChange>> {
        const KEY: &str = "custom_fields_values";
        if !item.has(KEY) {
            return None;
        }
        let mut changes = Vec::new();
        for entry in item.objects(KEY, review) {
            entry.known(
                KEY,
                &[
                    "field_id",
                    "field_code",
                    "field_name",
                    "field_type",
                    "values",
                ],
                review,
            );
            let Some(field) = self.read_field_of_value(kind, &entry, review) else {
                continue;
            };
            if changes.iter().any(|(id, _)| *id == field.id) {
                review.odd(format!("field {} twice in one item", field.id));
            }
            changes.push((field.id, self.read_value_set(field, &entry, review)));
        }
        Some(changes)
    }

    fn read_field_of_value(
        &self,
        kind: Kind,
        entry: &Object<'_>,
        review: &mut Review,
    ) -> Option<&Field> {
        let of_kind = |field: &&Field| field.entity == kind;
        let mut fields = self.fields.iter().filter(of_kind);
        if entry.has("field_id") {
            let id = entry.id("field_id", review)?;
            let field = fields.find(|field| field.id == id);
            if field.is_none() {
                review.choice(entry.at("field_id"));
            }
            return field;
        }
        if !entry.has("field_code") {
            review.missing(entry.at("field_id"));
            return None;
        }
        let code = entry.text("field_code", review)?;
        let field = fields.find(|field| field.code.as_deref() == Some(&code));
        if field.is_none() {
            review.choice(entry.at("field_code"));
        }
        field
    }

    fn read_value_set(
        &self,
        field: &Field,
        entry: &Object<'_>,
        review: &mut Review,
    ) -> Vec<FieldValue> {
        let clears = self.switches.empty_values_clear;
        if !entry.has("values") {
            review.missing(entry.at("values"));
            return Vec::new();
        }
        if entry.is_null("values") {
            if !clears {
                review.not_null(entry.at("values"));
            }
            return Vec::new();
        }
        let values = entry.objects("values", review);
        if values.is_empty() && !clears {
            review.missing(entry.at("values.0"));
        }
        let many = [
            "multiselect",
            "multitext",
            "items",
            "linked_entity",
            "legal_entity",
            "chained_list",
        ];
        if values.len() > 1 && !many.contains(&field.kind.as_str()) {
            let detail = "This collection should contain 1 element or less.";
            review.error("TooMany", entry.at("values"), detail);
        }
        let read = |value: &Object<'_>| self.read_value(field, value, review);
        values.iter().filter_map(read).collect()
    }

    fn read_value(
        &self,
        field: &Field,
        value: &Object<'_>,
        review: &mut Review,
    ) -> Option<FieldValue> {
        value.known("values", &["value", "enum_id", "enum_code", "enum"], review);
        match field.kind.as_str() {
            "select" | "multiselect" | "radiobutton" => read_choice(field, value, review),
            "multitext" => self.read_multitext(field, value, review),
            _ => {
                if !value.has("value") {
                    review.missing(value.at("value"));
                }
                read_plain(&field.kind, value, review).map(FieldValue::plain)
            }
        }
    }

    fn read_multitext(
        &self,
        field: &Field,
        value: &Object<'_>,
        review: &mut Review,
    ) -> Option<FieldValue> {
        if !value.has("value") {
            review.missing(value.at("value"));
        }
        let text = value.text("value", review)?;
        let named = ["enum_id", "enum_code", "enum"]
            .iter()
            .any(|key| value.has(key));
        let choice = if named {
            find_choice(field, value, review)
        } else {
            let work = |c: &&Choice| c.code.as_deref() == Some("WORK");
            let default = field.choices.iter().find(work);
            default.filter(|_| self.switches.multitext_defaults_to_work)
        };
        Some(FieldValue {
            value: json!(text),
            enum_id: choice.map(|c| c.id),
            enum_code: choice.and_then(|c| c.code.clone()),
        })
    }

    /// Renders `custom_fields_values` of a card; null when nothing is set.
    pub(super) fn render_values(&self, card: &Card) -> Value {
        let mut rows = Vec::new();
        for (id, values) in card.values.iter().filter(|(_, values)| !values.is_empty()) {
            let Some(field) = self
                .fields
                .iter()
                .find(|f| f.entity == card.kind && f.id == *id)
            else {
                continue;
            };
            let values: Vec<Value> = values
                .iter()
                .map(|value| self.render_value(value))
                .collect();
            rows.push(json!({
                "field_id": field.id, "field_name": field.name, "field_code": field.code,
                "field_type": field.kind, "values": values,
            }));
        }
        if rows.is_empty() {
            Value::Null
        } else {
            json!(rows)
        }
    }

    fn render_value(&self, value: &FieldValue) -> Value {
        let mut row = json!({"value": value.value});
        if let Some(id) = value.enum_id {
            row["enum_id"] = json!(id);
            row["enum_code"] = json!(value.enum_code);
            if self.switches.values_also_carry_enum {
                row["enum"] = json!(value.enum_code);
            }
        }
        row
    }
}

/// Reads an option by id, code or text.
fn read_choice(field: &Field, value: &Object<'_>, review: &mut Review) -> Option<FieldValue> {
    let choice = find_choice(field, value, review)?;
    Some(FieldValue {
        value: json!(choice.value),
        enum_id: Some(choice.id),
        enum_code: choice.code.clone(),
    })
}

fn find_choice<'f>(
    field: &'f Field,
    value: &Object<'_>,
    review: &mut Review,
) -> Option<&'f Choice> {
    let (key, found) = if value.has("enum_id") {
        let id = value.id("enum_id", review)?;
        ("enum_id", field.choices.iter().find(|c| c.id == id))
    } else if value.has("enum_code") || value.has("enum") {
        let key = if value.has("enum_code") {
            "enum_code"
        } else {
            "enum"
        };
        let code = value.text(key, review)?;
        (
            key,
            field
                .choices
                .iter()
                .find(|c| c.code.as_deref() == Some(&code)),
        )
    } else if value.has("value") {
        let text = value.text("value", review)?;
        ("value", field.choices.iter().find(|c| c.value == text))
    } else {
        review.missing(value.at("value"));
        return None;
    };
    if found.is_none() {
        review.choice(value.at(key));
    }
    found
}

/// Reads a value of a type without options.
fn read_plain(kind: &str, value: &Object<'_>, review: &mut Review) -> Option<Value> {
    match kind {
        "checkbox" => value.flag("value", review).map(|flag| json!(flag)),
        "date" | "date_time" | "birthday" => {
            if let Some(text) = value.raw("value").and_then(Value::as_str) {
                let time = text.parse::<jiff::Timestamp>().ok();
                if time.is_none() {
                    review.wrong_type(value.at("value"), "timestamp");
                }
                return time.map(|time| json!(time.as_second()));
            }
            value.integer("value", review).map(|time| json!(time))
        }
        "numeric" | "price" | "monetary" => {
            let text = value.text_or_number("value", review)?;
            if text.parse::<f64>().is_err() {
                review.wrong_type(value.at("value"), "numeric");
            }
            Some(json!(text))
        }
        "text" | "textarea" | "url" | "streetaddress" | "tracking_data" => {
            value.text("value", review).map(|text| json!(text))
        }
        // Items, files, legal persons and the like: objects whose inside we do not use.
        _ => value.value("value", review).cloned(),
    }
}
