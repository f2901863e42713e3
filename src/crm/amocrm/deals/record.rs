//! A lead as a deal that comes back. Pure.

use serde_json::Value;

use crate::crm::amocrm::directory::picture;
use crate::crm::amocrm::search::user;
use crate::crm::amocrm::setup::{MARKER_CODE, Setup};
use crate::crm::amocrm::wire::answers::{AuditEvent, CardRecord, FieldValues};
use crate::model::deal::{
    DealClient, DealRecord, DealValue, DealVerdict, StageMove, StagePlace, Sum,
};
use crate::model::directory::DirectoryChange;
use crate::model::plan::Entity;
use crate::model::timestamp::Timestamp;

/// The stages that are the same in every pipeline (§7).
const WON: i64 = 142;
const LOST: i64 = 143;

/// Returns the contact that stands for a lead's client: the main one, else the first.
pub(super) fn main_contact(lead: &CardRecord) -> Option<i64> {
    let contacts = &lead.embedded.contacts;
    let main = contacts.iter().find(|contact| contact.is_main);
    main.or(contacts.first()).map(|contact| contact.id)
}

/// Returns the company that stands for the client of a lead without contacts.
pub(super) fn only_company(lead: &CardRecord) -> Option<i64> {
    match main_contact(lead) {
        Some(_) => None,
        None => lead.embedded.companies.first().map(|company| company.id),
    }
}

/// Returns a card as a client; `None` where it is in the bin.
pub(super) fn client(card: &CardRecord, setup: &Setup) -> Option<DealClient> {
    match picture::change(Entity::Contact, card, setup) {
        DirectoryChange::Card(card) => Some(DealClient {
            id: card.card.id,
            name: card.name,
            phones: card.phones,
            emails: card.emails,
            created_at: Some(card.created_at),
        }),
        DirectoryChange::Deal(_) | DirectoryChange::Gone { .. } => None,
    }
}

/// Returns a lead as a deal.
pub(super) fn deal(lead: &CardRecord, client: Option<DealClient>) -> DealRecord {
    let closed_at = lead.closed_at.filter(|at| *at > 0);
    DealRecord {
        id: lead.id.to_string(),
        name: lead.name.clone().unwrap_or_default(),
        place: place(lead.pipeline_id, lead.status_id),
        settled: false,
        kept: Default::default(),
        verdict: match lead.status_id {
            WON => Some(DealVerdict::Won),
            LOST => Some(DealVerdict::Lost),
            _ => None,
        },
        price: lead.price.and_then(Sum::from_units),
        currency: None,
        responsible: user(lead.responsible_user_id),
        client,
        source: lead.embedded.source.name.clone(),
        values: lead.custom_fields_values.iter().filter_map(value).collect(),
        created_at: Timestamp::from_secs(lead.created_at),
        updated_at: Timestamp::from_secs(lead.updated_at),
        closed_at: closed_at.map(Timestamp::from_secs),
    }
}

fn place(pipeline: i64, stage: i64) -> StagePlace {
    StagePlace {
        pipeline: pipeline.to_string(),
        stage: stage.to_string(),
    }
}

/// Reads a field as people see it; our own mark is none of theirs.
fn value(field: &FieldValues) -> Option<DealValue> {
    if field.field_code.as_deref() == Some(MARKER_CODE) {
        return None;
    }
    let kind = field.field_type.as_deref();
    let texts = field
        .values
        .iter()
        .filter_map(|value| value.value.as_deref());
    let texts: Vec<String> = texts.map(|text| shown(kind, text)).collect();
    let text = texts.join(", ");
    (!text.is_empty()).then(|| DealValue {
        field: field.field_id.to_string(),
        name: field.field_name.clone().unwrap_or_default(),
        text,
    })
}

/// Dates are told as Unix seconds (§7): a day is one of the account's calendar, noon or midnight, so
/// that only the moment keeps its time.
fn shown(kind: Option<&str>, text: &str) -> String {
    let moment = || {
        text.parse()
            .ok()
            .map(|at| Timestamp::from_secs(at).to_string())
    };
    match kind {
        Some("date_time" | "date" | "birthday") => moment().unwrap_or_else(|| text.to_owned()),
        _ => text.to_owned(),
    }
}

/// Reads a move from the feed: `[{"lead_status": {"id": 142, "pipeline_id": 3100}}]` (§13).
pub(super) fn stage_move(event: &AuditEvent) -> Option<StageMove> {
    let to = place_in(&event.value_after)?;
    let from = place_in(&event.value_before);
    let id = event.id.clone().unwrap_or_else(|| {
        // One without an id is told by what it says.
        let before = from.as_ref().map_or("", |from| from.stage.as_str());
        format!("{before}>{}/{}", to.pipeline, to.stage)
    });
    Some(StageMove {
        deal: event.entity_id.to_string(),
        at: Timestamp::from_secs(event.created_at),
        id,
        from,
        to,
    })
}

fn place_in(value: &Value) -> Option<StagePlace> {
    let status = value.pointer("/0/lead_status")?;
    let number = |key| {
        let value = status.get(key)?;
        value.as_i64().or_else(|| value.as_str()?.parse().ok())
    };
    Some(place(number("pipeline_id").unwrap_or(0), number("id")?))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn card(value: Value) -> CardRecord {
        serde_json::from_value(value).expect("a record")
    }

    #[test]
    fn v_13_a_lead_is_a_deal_with_its_main_contact_and_its_fields() {
        let lead = card(json!({
            "id": 9001, "name": "Пианино", "price": 1500, "status_id": 142, "pipeline_id": 3100,
            "responsible_user_id": 501, "created_at": 100, "updated_at": 200, "closed_at": 150,
            "custom_fields_values": [
                {"field_id": 41, "field_name": "Смета", "field_type": "numeric", "values": [{"value": "2500.5"}]},
                {"field_id": 42, "field_name": "Метки", "field_type": "multiselect",
                 "values": [{"value": "А", "enum_id": 1}, {"value": "Б", "enum_id": 2}]},
                {"field_id": 43, "field_code": "TRUNKLINE_KEY", "values": [{"value": "secret"}]},
            ],
            "_embedded": {"contacts": [{"id": 1}, {"id": 2, "is_main": true}], "companies": [{"id": 3}],
                          "source": {"id": 5, "name": "Сайт"}},
        }));
        assert_eq!(main_contact(&lead), Some(2));
        assert_eq!(only_company(&lead), None);
        let deal = deal(&lead, None);
        assert_eq!(
            deal.price.map(|sum| sum.to_string()).as_deref(),
            Some("1500")
        );
        assert_eq!(deal.verdict, Some(DealVerdict::Won));
        assert_eq!(deal.source.as_deref(), Some("Сайт"));
        let values: Vec<_> = deal
            .values
            .iter()
            .map(|v| (v.field.as_str(), v.text.as_str()))
            .collect();
        assert_eq!(values, [("41", "2500.5"), ("42", "А, Б")]);
    }

    #[test]
    fn a_move_is_read_from_the_feed_and_what_is_none_is_not() {
        let event = |after: Value| -> AuditEvent {
            serde_json::from_value(json!({
                "id": "01", "type": "lead_status_changed", "entity_type": "lead", "entity_id": 7,
                "created_at": 5, "value_after": after,
                "value_before": [{"lead_status": {"id": 1, "pipeline_id": 3100}}],
            }))
            .expect("an event")
        };
        let good = event(json!([{"lead_status": {"id": "142", "pipeline_id": 3100}}]));
        let read = stage_move(&good).expect("a move");
        assert_eq!(read.to.stage, "142");
        assert_eq!(read.from.map(|from| from.stage).as_deref(), Some("1"));
        for bad in [
            json!([]),
            json!(null),
            json!([{"lead_status": []}]),
            json!("x"),
        ] {
            assert_eq!(stage_move(&event(bad)), None);
        }
    }
}
