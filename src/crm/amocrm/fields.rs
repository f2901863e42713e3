//! Fills additional fields of cards (`crm/amocrm.md` §7), one card at a time: what is still to be
//! written shows only when the card is read.

use std::collections::BTreeSet;

use super::AmoAdapter;
use super::client::{ReadError, Written};
use super::map;
use super::replies::FIELDS_REFUSED;
use super::wire::answers::{self, CardRecord};
use super::wire::bodies::{CardChange, Field, Scalar, Value};
use super::wire::refusal::{Fault, Refusal};
use crate::crm::Class;
use crate::model::field::FieldValue;
use crate::model::outcome::{Outcome, Rejection, StepResult};
use crate::model::plan::{Card, FieldFill, FillFields};

/// What is said where every field had its value.
const NOTHING_TO_FILL: &str = "every field is filled already";

impl AmoAdapter {
    /// Fills the fields of a card that are empty, or are written at every time. What a person typed
    /// a moment ago is seen, for the card is read first.
    pub(super) async fn fill(&self, fill: &FillFields) -> Outcome<StepResult> {
        let card = match map::known(&fill.card) {
            Ok(card) => card,
            Err(rejection) => return Outcome::Rejected(rejection),
        };
        let filled = |note: Option<&str>| {
            Outcome::Done(StepResult {
                cards: vec![card.clone()],
                note: note.map(str::to_owned),
                ..StepResult::default()
            })
        };
        let (path, mut change) = match self.unfilled(card, &fill.fields).await {
            Ok(Some(missing)) => missing,
            Ok(None) => return filled(Some(NOTHING_TO_FILL)),
            Err(unread) => return unread.into_outcome(),
        };
        let refusal = match self.client.change(&path, &change, Class::Work).await {
            Written::Failed(failure) => return failure.into_outcome(),
            Written::Stored(_) => return filled(None),
            Written::Refused(refusal) => refusal,
        };
        // One wrong field must not keep the others empty.
        if !drop_refused(&refusal, &mut change) {
            return Outcome::Rejected(refusal.whole());
        }
        match self.client.change(&path, &change, Class::Work).await {
            Written::Failed(failure) => failure.into_outcome(),
            Written::Refused(refusal) => Outcome::Rejected(refusal.whole()),
            Written::Stored(_) => {
                let words = refusal.whole().message;
                filled(Some(&format!("{FIELDS_REFUSED}: {words}")))
            }
        }
    }

    /// Reads a card and says what is still to be written of these fields, and where.
    pub(super) async fn unfilled(
        &self,
        card: &Card,
        fields: &[FieldFill],
    ) -> Result<Option<(String, CardChange)>, ReadError> {
        let path = card_path(card).map_err(ReadError::Refused)?;
        let read = self.present(card).await?;
        let change = still_to_write(fields, &read).map_err(ReadError::Refused)?;
        Ok(change.map(|change| (path, change)))
    }

    /// Reads a card as it is now; one that is gone is refused with the code 204.
    pub(super) async fn present(&self, card: &Card) -> Result<CardRecord, ReadError> {
        let path = card_path(card).map_err(ReadError::Refused)?;
        let read: Option<CardRecord> = self.client.record(&path, Vec::new(), Class::Work).await?;
        let gone = || Rejection {
            code: "204".to_owned(),
            message: format!("there is no {} {} any more", card.entity, card.id),
        };
        let read = read.filter(|read| !read.is_deleted);
        read.ok_or_else(|| ReadError::Refused(gone()))
    }
}

/// Returns the path of a card.
pub(super) fn card_path(card: &Card) -> Result<String, Rejection> {
    let path = map::entity_path(card.entity)?;
    Ok(format!("/api/v4/{path}/{}", map::id("card", &card.id)?))
}

/// Takes the refused fields out of a change; returns whether that leaves something to be written.
fn drop_refused(refusal: &Refusal, change: &mut CardChange) -> bool {
    let mut places = Vec::new();
    for fault in refusal.faults("", true) {
        match fault {
            Fault::Field { place, .. } => places.push(place),
            Fault::User | Fault::Other => return false,
        }
    }
    let fields = std::mem::take(&mut change.custom_fields_values);
    let kept = fields.into_iter().enumerate();
    let kept = kept.filter(|(place, _)| !places.contains(place));
    change.custom_fields_values = kept.map(|(_, field)| field).collect();
    !places.is_empty() && !change.custom_fields_values.is_empty()
}

/// What a field is named by.
enum Name<'a> {
    Id(i64),
    Code(&'a str),
}

fn name(field: &str) -> Name<'_> {
    match field.parse() {
        Ok(id) => Name::Id(id),
        Err(_) => Name::Code(field),
    }
}

/// Writes a field with its value (§7).
pub(super) fn field(fill: &FieldFill) -> Result<Field, Rejection> {
    let (field_id, field_code) = match name(&fill.field) {
        Name::Id(id) => (Some(id), None),
        Name::Code(code) => (None, Some(code.to_owned())),
    };
    let values = match &fill.typed {
        None => vec![Value::of(Scalar::Text(fill.value.clone()))],
        Some(FieldValue::Tick { on }) => vec![Value::of(Scalar::Flag(*on))],
        Some(FieldValue::Moment { secs }) => vec![Value::of(Scalar::Moment(*secs))],
        Some(FieldValue::Choices { ids }) => {
            let option = |id: &String| {
                Ok(Value {
                    enum_id: Some(map::id("option", id)?),
                    ..Value::default()
                })
            };
            ids.iter().map(option).collect::<Result<_, Rejection>>()?
        }
    };
    Ok(Field {
        field_id,
        field_code,
        values,
    })
}

/// Returns what is still to be written of the fields, given the card as it is; nothing where
/// every field has what it must have.
fn still_to_write(
    fields: &[FieldFill],
    card: &CardRecord,
) -> Result<Option<CardChange>, Rejection> {
    let mut wanted = Vec::new();
    for fill in fields {
        let there = match name(&fill.field) {
            Name::Id(id) => card.values_by_id(id),
            Name::Code(code) => card.values_by_code(code),
        };
        let is_kept = !fill.overwrite && there.iter().any(answers::FieldValue::is_filled);
        if !is_kept && !has(there, fill) {
            wanted.push(field(fill)?);
        }
    }
    Ok((!wanted.is_empty()).then_some(CardChange {
        custom_fields_values: wanted,
    }))
}

/// Says whether a field has the value already.
fn has(there: &[answers::FieldValue], fill: &FieldFill) -> bool {
    let first = there.first().and_then(|one| one.value.as_deref());
    let first = first.map(str::trim);
    match &fill.typed {
        None => first == Some(fill.value.trim()),
        Some(FieldValue::Tick { on: true }) => matches!(first, Some("1" | "true")),
        Some(FieldValue::Tick { on: false }) => matches!(first, Some("0" | "false")),
        Some(FieldValue::Moment { secs }) => {
            let told = first.and_then(|text| {
                let at = || text.parse::<jiff::Timestamp>().ok();
                text.parse().ok().or_else(|| Some(at()?.as_second()))
            });
            told == Some(*secs)
        }
        Some(FieldValue::Choices { ids }) => {
            let told: BTreeSet<&str> = there
                .iter()
                .filter_map(|one| one.enum_id.as_deref())
                .collect();
            told == ids.iter().map(String::as_str).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;

    /// Returns the fields that are written on a card with these values.
    fn written(values: Json, overwrite: bool) -> Vec<i64> {
        let card = json!({ "id": 7001, "custom_fields_values": values });
        let card: CardRecord = serde_json::from_value(card).expect("a card");
        let fields = ["35", "36"].map(|field| FieldFill {
            field: field.to_owned(),
            value: "Директор".to_owned(),
            typed: None,
            overwrite,
        });
        let change = still_to_write(&fields, &card).expect("ids are numbers");
        let change = change.map_or_else(Vec::new, |change| change.custom_fields_values);
        change
            .into_iter()
            .filter_map(|field| field.field_id)
            .collect()
    }

    #[test]
    fn v_10_a_value_is_written_as_its_type_wants_and_is_known_again_when_read() {
        let wanted = |typed: Option<FieldValue>| FieldFill {
            field: "35".to_owned(),
            value: "7".to_owned(),
            typed,
            overwrite: true,
        };
        let ids = ["48", "49"].map(str::to_owned).to_vec();
        for (typed, sent, read) in [
            (None, json!([{ "value": "7" }]), json!([{ "value": "7" }])),
            (None, json!([{ "value": "7" }]), json!([{ "value": 7 }])),
            (
                Some(FieldValue::Tick { on: true }),
                json!([{ "value": true }]),
                json!([{ "value": true }]),
            ),
            (
                Some(FieldValue::Tick { on: false }),
                json!([{ "value": false }]),
                json!([{ "value": "0" }]),
            ),
            (
                Some(FieldValue::Moment {
                    secs: 1_795_122_000,
                }),
                json!([{ "value": 1_795_122_000 }]),
                json!([{ "value": "2026-11-20T00:00:00+03:00" }]),
            ),
            (
                Some(FieldValue::Choices { ids }),
                json!([{ "enum_id": 48 }, { "enum_id": 49 }]),
                json!([{ "value": "Б", "enum_id": 49 }, { "value": "А", "enum_id": 48 }]),
            ),
        ] {
            let fill = wanted(typed.clone());
            let written = field(&fill).expect("writable");
            let written = serde_json::to_value(&written).expect("JSON");
            assert_eq!(
                written,
                json!({ "field_id": 35, "values": sent }),
                "{typed:?}"
            );
            let with = |values: &Json| -> CardRecord {
                let fields = json!([{ "field_id": 35, "values": values }]);
                let card = json!({ "id": 7001, "custom_fields_values": fields });
                serde_json::from_value(card).expect("a card")
            };
            let left = |values: &Json| {
                let left = still_to_write(std::slice::from_ref(&fill), &with(values));
                left.expect("readable").is_some()
            };
            assert!(!left(&read), "{typed:?}: {read}");
            assert!(left(&json!([{ "value": "другое" }])), "{typed:?}");
        }
    }

    #[test]
    fn v_10_whatever_a_person_put_into_a_field_is_kept_text_or_not() {
        let of_35 = |value: Json| json!([{ "field_id": 35, "values": [{ "value": value }] }]);
        for (values, filling, overwriting) in [
            (Json::Null, vec![35, 36], vec![35, 36]),
            (of_35(json!("")), vec![35, 36], vec![35, 36]),
            (of_35(json!("  ")), vec![35, 36], vec![35, 36]),
            (of_35(json!("Сторож")), vec![36], vec![35, 36]),
            (of_35(json!("Директор")), vec![36], vec![36]),
            (of_35(json!(7)), vec![36], vec![35, 36]),
            (of_35(json!(true)), vec![36], vec![35, 36]),
            (of_35(json!({ "id": 1 })), vec![36], vec![35, 36]),
        ] {
            assert_eq!(written(values.clone(), false), filling, "{values}");
            assert_eq!(written(values.clone(), true), overwriting, "{values}");
        }
    }
}
