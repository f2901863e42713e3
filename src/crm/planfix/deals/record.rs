//! A task as a deal that comes back (`crm/planfix.md` §2.2, §6). Pure.

use jiff::tz::TimeZone;

use crate::crm::planfix::wire::{Record, scalar};
use crate::model::deal::{Deal, DealClient, DealRecord, DealValue, StagePlace};

/// Types of fields that Planfix works out by itself and that are numbers: calculated, sum of
/// subtasks, totals (§2.2).
const WORKED_OUT: [i64; 3] = [24, 26, 29];

/// Returns the word for a field's type; a number that Planfix works out takes nothing, and may be a
/// sum all the same (§6).
pub(in crate::crm::planfix) fn kind_word(kind: i64) -> String {
    match WORKED_OUT.contains(&kind) {
        true => "numeric".to_owned(),
        false => kind.to_string(),
    }
}

/// Returns the number of the contact that a task is for; none where it is a colleague.
pub(super) fn client_of(task: Record<'_>) -> Option<i64> {
    let counterparty = task.inside("counterparty")?;
    let is_colleague = counterparty.text("id")?.starts_with("user:");
    counterparty.id().filter(|_| !is_colleague)
}

/// Returns the object that a task was made from.
pub(super) fn object_of(task: Record<'_>) -> Option<i64> {
    task.inside("template").and_then(Record::id)
}

/// Returns a task as a deal; `None` where it is of no object. `known` is the deal as it was kept.
pub(super) fn deal(
    task: Record<'_>,
    zone: &TimeZone,
    client: Option<DealClient>,
    known: Option<&Deal>,
) -> Option<DealRecord> {
    let status = task.inside("status");
    let status = status.and_then(|status| status.number("id"));
    let place = StagePlace {
        pipeline: object_of(task)?.to_string(),
        stage: status.unwrap_or_default().to_string(),
    };
    let created_at = task.time("dateTime", zone).unwrap_or_default();
    let updated_at = task.time("dateOfLastUpdate", zone).unwrap_or(created_at);
    // Nothing says when a task came to its status: when it was seen there first.
    let stood = known.filter(|known| known.stage.id == place.stage);
    let closed_at = stood.and_then(|known| known.closed_at);
    Some(DealRecord {
        id: task.id()?.to_string(),
        name: task.text("name").unwrap_or_default(),
        place,
        // What a status means only the settings know.
        verdict: None,
        settled: false,
        kept: Default::default(),
        // A task has no sum of its own.
        price: None,
        currency: None,
        responsible: task.first_user("assignees"),
        client,
        source: None,
        values: task
            .list("customFieldData")
            .into_iter()
            .filter_map(value)
            .collect(),
        created_at,
        updated_at,
        closed_at: Some(closed_at.unwrap_or(updated_at)),
    })
}

/// Reads an additional field as people see it.
fn value(one: Record<'_>) -> Option<DealValue> {
    let field = one.inside("field")?;
    let plain = one.0.get("value").and_then(scalar);
    let text = plain.or_else(|| one.text("stringValue")).or_else(|| {
        let ticked = one.0.get("value")?.as_bool()?;
        Some(if ticked { "да" } else { "нет" }.to_owned())
    });
    Some(DealValue {
        field: field.id()?.to_string(),
        name: field.text("name").unwrap_or_default(),
        text: text?,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::model::timestamp::Timestamp;

    fn task() -> Value {
        json!({
            "id": 20555, "name": "Пианино", "template": {"id": 101}, "status": {"id": 6},
            "counterparty": {"id": "contact:4711"},
            "assignees": {"users": [{"id": "user:5"}], "groups": []},
            "dateTime": {"dateTimeUtcSeconds": 100}, "dateOfLastUpdate": {"dateTimeUtcSeconds": 200},
            "customFieldData": [
                {"field": {"id": 1042, "name": "Сумма", "type": 1}, "value": 15000.5, "stringValue": "15 000,5"},
                {"field": {"id": 1043, "name": "Филиал", "type": 9}, "value": {"id": 3}, "stringValue": "Север"},
                {"field": {"id": 1044, "name": "Срочно", "type": 7}, "value": true},
                {"field": {"id": 1045, "name": "Пусто", "type": 0}, "value": ""},
            ],
        })
    }

    #[test]
    fn s2_35_s2_37_a_task_is_a_deal_of_its_object_with_its_status_client_and_fields() {
        let task = task();
        let zone = TimeZone::UTC;
        assert_eq!(client_of(Record(&task)), Some(4711));
        let deal = deal(Record(&task), &zone, None, None).expect("a deal");
        assert_eq!(deal.id, "20555");
        assert_eq!((&*deal.place.pipeline, &*deal.place.stage), ("101", "6"));
        assert_eq!(deal.responsible.map(|user| user.0).as_deref(), Some("5"));
        assert_eq!(deal.closed_at, Some(Timestamp::from_secs(200)));
        let values: Vec<_> = deal
            .values
            .iter()
            .map(|value| (value.field.as_str(), value.text.as_str()))
            .collect();
        assert_eq!(
            values,
            [("1042", "15000.5"), ("1043", "Север"), ("1044", "да")]
        );
        assert_eq!(kind_word(24), "numeric");
        assert_eq!(kind_word(1), "1");
    }

    #[test]
    fn a_deal_that_stays_where_it_is_keeps_the_time_at_which_it_was_closed() {
        let task = task();
        let mut known: Deal = serde_json::from_value(json!({
            "id": "20555", "name": "", "pipeline": {"id": "101", "name": ""},
            "stage": {"id": "6", "name": ""}, "state": "won", "sum": null, "currency": null,
            "responsible": null, "client": null, "source": null, "columns": [],
            "created_at": "1970-01-01T00:00:00Z", "updated_at": "1970-01-01T00:00:00Z",
            "closed_at": null,
        }))
        .expect("a deal");
        known.closed_at = Some(Timestamp::from_secs(150));
        let zone = TimeZone::UTC;
        let read = |known: &Deal| {
            let deal = deal(Record(&task), &zone, None, Some(known)).expect("a deal");
            deal.closed_at.map(Timestamp::as_secs)
        };
        assert_eq!(read(&known), Some(150));
        known.stage.id = "2".to_owned();
        assert_eq!(read(&known), Some(200));
    }

    #[test]
    fn what_is_of_no_object_or_for_a_colleague_is_told_apart() {
        let mut task = task();
        task["counterparty"] = json!({"id": "user:7"});
        assert_eq!(client_of(Record(&task)), None);
        task["template"] = Value::Null;
        assert_eq!(deal(Record(&task), &TimeZone::UTC, None, None), None);
    }
}
