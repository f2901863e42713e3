//! AlfaCRM's JSON (`crm/alfacrm.md` §1.3, §1.4): types are loose, so everything is read tolerantly.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use serde_json::Value;

use crate::model::facts::ContactFact;
use crate::model::ids::CrmUserId;
use crate::model::phone::{Phone, Region};
use crate::model::timestamp::Timestamp;

/// One record, or any other object.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row<'a>(pub(super) &'a Value);

impl<'a> Row<'a> {
    /// Returns a text, or a number as text; nothing of what is empty.
    pub(super) fn text(self, key: &str) -> Option<String> {
        self.0.get(key).and_then(scalar)
    }

    /// Returns a number, also one that is written as text.
    pub(super) fn number(self, key: &str) -> Option<u64> {
        number(self.0.get(key)?)
    }

    /// Returns the record's id.
    pub(super) fn id(self) -> Option<u64> {
        self.number("id").filter(|id| *id > 0)
    }

    /// Says whether something is set: true, 1, "1".
    pub(super) fn flag(self, key: &str) -> bool {
        match self.0.get(key) {
            Some(Value::Bool(flag)) => *flag,
            Some(other) => scalar(other).is_some_and(|text| text == "1" || text == "true"),
            None => false,
        }
    }

    /// Returns the texts of a list, which may come as one text or as a map.
    pub(super) fn texts(self, key: &str) -> Vec<String> {
        let Some(value) = self.0.get(key) else {
            return Vec::new();
        };
        items(value).into_iter().filter_map(scalar).collect()
    }

    /// Returns the numbers of a list.
    pub(super) fn numbers(self, key: &str) -> Vec<u64> {
        let Some(value) = self.0.get(key) else {
            return Vec::new();
        };
        items(value).into_iter().filter_map(number).collect()
    }

    /// Returns a moment.
    pub(super) fn time(self, key: &str, zone: &TimeZone) -> Option<Timestamp> {
        time(&self.text(key)?, zone)
    }

    /// Returns a customer's numbers.
    pub(super) fn phones(self) -> Vec<Phone> {
        let mut phones: Vec<Phone> = Vec::new();
        for text in self.texts("phone") {
            if let Ok(phone) = Phone::parse(&text, Region::RU)
                && !phones.contains(&phone)
            {
                phones.push(phone);
            }
        }
        phones
    }

    /// Returns a customer's e-mail addresses as they are compared.
    pub(super) fn emails(self) -> Vec<String> {
        let texts = self.texts("email").into_iter();
        texts.map(|text| text.to_lowercase()).collect()
    }

    /// Returns who answers for a customer.
    pub(super) fn responsible(self) -> Option<CrmUserId> {
        let user = self.number("assigned_id").filter(|user| *user > 0)?;
        Some(CrmUserId(user.to_string()))
    }

    /// Returns a customer as a fact.
    pub(super) fn fact(self, zone: &TimeZone) -> Option<ContactFact> {
        let created_at = self.time("created_at", zone).unwrap_or_default();
        Some(ContactFact {
            id: self.id()?.to_string(),
            name: self.text("name").unwrap_or_default(),
            responsible: self.responsible(),
            created_at,
            updated_at: self.time("updated_at", zone).unwrap_or(created_at),
            // A card is lead and client in one: there are no deals beside it.
            deals: Vec::new(),
        })
    }
}

/// Returns a text or number as text, without the spaces around it; nothing of what is empty.
fn scalar(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
    };
    (!text.is_empty()).then_some(text)
}

/// Returns a whole number.
pub(super) fn number(value: &Value) -> Option<u64> {
    match value {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.trim().parse().ok(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Returns the items of a list, of a map by id, or the one thing that stands for a list.
pub(super) fn items(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(list) => list.iter().collect(),
        Value::Object(map) => map.values().collect(),
        Value::Null => Vec::new(),
        one => vec![one],
    }
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Page {
    /// How many there are on all pages.
    pub(super) total: Option<u64>,
    /// Those of this page.
    pub(super) items: Vec<Value>,
}

/// Reads a page.
pub(super) fn page(value: &Value) -> Option<Page> {
    let items = match value.get("items")? {
        Value::Array(list) => list.clone(),
        // Keyed by id, in odd cases.
        Value::Object(map) => map.values().cloned().collect(),
        Value::Null => Vec::new(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => return None,
    };
    Some(Page {
        total: value.get("total").and_then(number),
        items,
    })
}

/// Reads a date in any of the ways that are seen (§1.4).
pub(super) fn time(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    let text = text.trim();
    let (day, clock) = match text.split_once([' ', 'T']) {
        Some((day, clock)) => (day, Some(clock)),
        None => (text, None),
    };
    let day = match day.split('.').collect::<Vec<_>>().as_slice() {
        [d, m, y] => Date::new(y.parse().ok()?, m.parse().ok()?, d.parse().ok()?).ok()?,
        _ => day.parse().ok()?,
    };
    let at: DateTime = match clock {
        Some(clock) => day.to_datetime(clock.parse().ok()?),
        None => day.into(),
    };
    let at = at.to_zoned(zone.clone()).ok()?;
    Some(Timestamp::from_millis(at.timestamp().as_millisecond()))
}

/// Writes a day as filters of days want it (§2): DD.MM.YYYY.
pub(super) fn filter_day(at: Timestamp, zone: &TimeZone) -> String {
    written(at, zone, "%d.%m.%Y")
}

/// Writes a day as dates of records are written: YYYY-MM-DD.
pub(super) fn record_day(at: Timestamp, zone: &TimeZone) -> String {
    written(at, zone, "%Y-%m-%d")
}

/// Writes a moment for people.
pub(super) fn moment(at: Timestamp, zone: &TimeZone) -> String {
    written(at, zone, "%d.%m.%Y %H:%M:%S")
}

/// Writes a time as a pattern says.
pub(super) fn written(at: Timestamp, zone: &TimeZone, form: &str) -> String {
    let stamp = jiff::Timestamp::from_millisecond(at.as_millis()).unwrap_or_default();
    stamp.to_zoned(zone.clone()).strftime(form).to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn types_are_loose() {
        let row = json!({
            "id": "670", "assigned_id": 0, "phone": "8 (916) 123-45-67", "email": {"3": " A@B.ru "},
            "branch_ids": ["1", 2, null], "is_done": "1", "is_notify": true, "note": "", "x": 0,
        });
        let row = Row(&row);
        assert_eq!(row.id(), Some(670));
        assert_eq!(row.responsible(), None);
        let phones: Vec<String> = row.phones().iter().map(Phone::to_string).collect();
        assert_eq!(phones, ["+79161234567"]);
        assert_eq!(row.emails(), ["a@b.ru"]);
        assert_eq!(row.numbers("branch_ids"), [1, 2]);
        assert!(row.flag("is_done") && row.flag("is_notify") && !row.flag("x"));
        assert_eq!((row.text("note"), row.text("gone")), (None, None));
    }

    #[test]
    fn dates_are_read_in_every_form_and_written_in_the_accounts_zone() {
        let moscow = TimeZone::get("Europe/Moscow").unwrap();
        let noon = Timestamp::parse("2026-11-20T09:00:05Z").unwrap();
        for text in [
            "2026-11-20 12:00:05",
            "20.11.2026 12:00:05",
            "2026-11-20T12:00:05",
        ] {
            assert_eq!(time(text, &moscow), Some(noon), "{text}");
        }
        let midnight = Timestamp::parse("2026-11-19T21:00:00Z").unwrap();
        assert_eq!(time("2026-11-20", &moscow), Some(midnight));
        assert_eq!(time("20.11.2026", &moscow), Some(midnight));
        for text in ["", "soon", "2026-13-40", "1.2.3.4"] {
            assert_eq!(time(text, &moscow), None, "{text}");
        }
        assert_eq!(filter_day(noon, &moscow), "20.11.2026");
        assert_eq!(record_day(noon, &moscow), "2026-11-20");
        assert_eq!(moment(noon, &moscow), "20.11.2026 12:00:05");
    }

    #[test]
    fn a_page_may_be_a_map_and_count_in_text() {
        let read = page(&json!({"total": "2", "count": 2, "items": {"4": {"id": 4}}})).unwrap();
        assert_eq!((read.total, read.items.len()), (Some(2), 1));
        assert_eq!(page(&json!({"name": "Forbidden"})), None);
    }
}
