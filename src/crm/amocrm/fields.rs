//! Fills additional fields of cards (`crm/amocrm.md` §7), one card at a time: what is still to be
//! written shows only when the card is read.

use super::AmoAdapter;
use super::client::{ReadError, Written};
use super::map;
use super::wire::answers::CardRecord;
use super::wire::bodies::{CardChange, Field, Value};
use crate::crm::Class;
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
        let (path, change) = match self.unfilled(card, &fill.fields).await {
            Ok(Some(missing)) => missing,
            Ok(None) => return filled(Some(NOTHING_TO_FILL)),
            Err(unread) => return unread.into_outcome(),
        };
        match self.client.change(&path, &change, Class::Work).await {
            Written::Failed(failure) => failure.into_outcome(),
            Written::Refused(refusal) => Outcome::Rejected(refusal.whole()),
            Written::Stored(_) => filled(None),
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

/// Returns what is still to be written of the fields, given the card as it is; nothing where
/// every field has what it must have.
fn still_to_write(
    fields: &[FieldFill],
    card: &CardRecord,
) -> Result<Option<CardChange>, Rejection> {
    let mut wanted = Vec::new();
    for fill in fields {
        let field_id = map::id("field", &fill.field)?;
        let is_kept = card.is_filled(field_id) && !fill.overwrite;
        let is_done = is_kept || card.text_by_id(field_id).map(str::trim) == Some(&fill.value);
        if !is_done {
            wanted.push(Field {
                field_id: Some(field_id),
                field_code: None,
                values: vec![Value {
                    value: fill.value.clone(),
                    enum_code: None,
                }],
            });
        }
    }
    Ok((!wanted.is_empty()).then_some(CardChange {
        custom_fields_values: wanted,
    }))
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
