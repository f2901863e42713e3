//! The portal's records as they really come (`crm/bitrix24.md` §1, §6): numbers as texts, empty
//! maps as lists, absent keys.

use serde_json::Value;

use crate::model::ids::CrmUserId;
use crate::model::phone::{Phone, Region};
use crate::model::timestamp::Timestamp;

/// One record.
#[derive(Debug, Clone, Copy)]
pub(super) struct Record<'a>(pub(super) &'a Value);

impl<'a> Record<'a> {
    /// Returns a scalar as text; what is empty is absent.
    pub(super) fn text(self, key: &str) -> Option<String> {
        scalar(self.0.get(key)?)
    }

    /// Returns a number that came as one or as text.
    pub(super) fn number(self, key: &str) -> Option<i64> {
        self.text(key)?.parse().ok()
    }

    /// Returns the record's id.
    pub(super) fn id(self) -> Option<i64> {
        self.number("ID").filter(|id| *id > 0)
    }

    /// Returns a time.
    pub(super) fn time(self, key: &str) -> Option<Timestamp> {
        Timestamp::parse(&self.text(key)?).ok()
    }

    /// Says whether a flag is set, however it is written.
    pub(super) fn flag(self, key: &str) -> bool {
        match self.0.get(key) {
            Some(Value::Bool(flag)) => *flag,
            Some(Value::String(text)) => {
                let said = |word: &str| text.eq_ignore_ascii_case(word);
                said("Y") || said("1") || said("true")
            }
            Some(Value::Number(number)) => number.as_i64() == Some(1),
            Some(Value::Null | Value::Array(_) | Value::Object(_)) | None => false,
        }
    }

    /// Returns who answers for it.
    pub(super) fn responsible(self) -> Option<CrmUserId> {
        let user = self.number("ASSIGNED_BY_ID").filter(|id| *id > 0)?;
        Some(CrmUserId(user.to_string()))
    }

    /// Returns the name of a contact, company or lead.
    pub(super) fn name(self) -> String {
        let parts = ["NAME", "SECOND_NAME", "LAST_NAME"].map(|key| self.text(key));
        let whole: Vec<String> = parts.into_iter().flatten().collect();
        match whole.is_empty() {
            true => self.text("TITLE").unwrap_or_default(),
            false => whole.join(" "),
        }
    }

    /// Returns the values of a multi-field.
    fn values(self, key: &str) -> Vec<String> {
        let entries = self.0.get(key).and_then(|value| list(value, ""));
        let entries = entries.unwrap_or_default().into_iter();
        entries.filter_map(|entry| entry.text("VALUE")).collect()
    }

    /// Returns its numbers.
    pub(super) fn phones(self, region: Region) -> Vec<Phone> {
        let mut phones = Vec::new();
        for text in self.values("PHONE") {
            if let Ok(phone) = Phone::parse(&text, region)
                && !phones.contains(&phone)
            {
                phones.push(phone);
            }
        }
        phones
    }

    /// Returns its e-mail addresses, lower case.
    pub(super) fn emails(self) -> Vec<String> {
        let values = self.values("EMAIL").into_iter();
        values.map(|text| text.trim().to_lowercase()).collect()
    }
}

/// Returns a scalar as text; what is empty is absent.
pub(super) fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if text.trim().is_empty() => None,
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Returns the records of a list, which may be wrapped in a map under `name` or be keyed by number.
/// Nonsense is no list: read as empty, it would make every client a new one.
pub(super) fn list<'a>(value: &'a Value, name: &str) -> Option<Vec<Record<'a>>> {
    match value {
        Value::Array(items) => Some(items.iter().map(Record).collect()),
        Value::Object(map) => match map.get(name) {
            Some(inner) => list(inner, ""),
            None => {
                let numbered = map
                    .iter()
                    .map(|(key, value)| Some((key.parse::<u64>().ok()?, Record(value))));
                let mut numbered: Vec<(u64, Record<'_>)> = numbered.collect::<Option<_>>()?;
                // As texts, 10 comes before 9: pages are read in their order.
                numbered.sort_by_key(|(place, _)| *place);
                Some(numbered.into_iter().map(|(_, record)| record).collect())
            }
        },
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

/// Returns the id that a create answers with: bare, or somewhere inside.
pub(super) fn made_id(value: &Value, inside: &[&str]) -> Option<i64> {
    let mut place = value;
    for key in inside {
        match place.get(key) {
            Some(inner) => place = inner,
            None => break,
        }
    }
    scalar(place)?.parse().ok().filter(|id: &i64| *id > 0)
}

/// Writes a time as the portal wants it, to the second.
pub(super) fn time(at: Timestamp) -> String {
    let whole = Timestamp::from_secs(at.as_secs()).to_string();
    match whole.strip_suffix(".000Z") {
        Some(text) => format!("{text}+00:00"),
        None => whole,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn loose_types_are_read_as_what_they_mean() {
        let value = json!({"ID": "31", "ASSIGNED_BY_ID": 12, "NAME": "Анна", "LAST_NAME": "",
            "PHONE": [{"VALUE": "8 (916) 123-45-67"}, {"VALUE": "+79161234567"}, {"VALUE": "x"}],
            "EMAIL": [{"VALUE": " A@B.ru "}], "CLOSED": "Y",
            "DATE_CREATE": "2026-09-21T10:00:00+03:00"});
        let record = Record(&value);
        assert_eq!(record.id(), Some(31));
        assert_eq!(record.responsible(), Some(CrmUserId("12".to_owned())));
        assert_eq!(record.name(), "Анна");
        let phones = record.phones(Region::default());
        assert_eq!(
            phones.iter().map(Phone::as_str).collect::<Vec<_>>(),
            ["+79161234567"]
        );
        assert_eq!(record.emails(), ["a@b.ru"]);
        assert!(record.flag("CLOSED") && !record.flag("OPENED"));
        for (flag, is_set) in [
            (json!(true), true),
            (json!("true"), true),
            (json!("1"), true),
            (json!(1), true),
            (json!(false), false),
            (json!("false"), false),
            (json!("N"), false),
            (json!("0"), false),
            (json!([]), false),
        ] {
            assert_eq!(Record(&json!({"F": flag})).flag("F"), is_set, "{flag}");
        }
        assert_eq!(
            record.time("DATE_CREATE").map(time).as_deref(),
            Some("2026-09-21T07:00:00+00:00")
        );
    }

    #[test]
    fn a_list_is_a_list_however_php_wrote_it() {
        assert_eq!(list(&json!([]), "items").map(|l| l.len()), Some(0));
        assert_eq!(
            list(&json!({"items": [{}, {}]}), "items").map(|l| l.len()),
            Some(2)
        );
        assert_eq!(
            list(&json!({"1": {}, "2": {}}), "items").map(|l| l.len()),
            Some(2)
        );
        let many: serde_json::Map<String, Value> = (1..=20)
            .map(|n| (n.to_string(), json!({"ID": n})))
            .collect();
        let many = Value::Object(many);
        let ids: Vec<i64> = list(&many, "items")
            .expect("a list")
            .into_iter()
            .filter_map(Record::id)
            .collect();
        assert_eq!(ids, (1..=20).collect::<Vec<i64>>());
        let gappy = json!({"PHONE": {"1": {"VALUE": "+79161234567"}}});
        assert_eq!(Record(&gappy).phones(Region::default()).len(), 1);
        assert!(list(&json!({"error": "x"}), "items").is_none());
        assert!(list(&json!("x"), "items").is_none());
    }

    #[test]
    fn what_a_create_made_is_found_wherever_it_stands() {
        assert_eq!(made_id(&json!(815), &[]), Some(815));
        assert_eq!(made_id(&json!({"id": "7945"}), &["id"]), Some(7945));
        assert_eq!(
            made_id(&json!({"task": {"id": "3711"}}), &["task", "id"]),
            Some(3711)
        );
        assert_eq!(made_id(&json!(false), &[]), None);
    }
}
