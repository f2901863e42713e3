//! Planfix's records as they come (`crm/planfix.md` §2.2): loose numbers, prefixed ids, times in
//! several shapes.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::Value;

use crate::model::ids::CrmUserId;
use crate::model::phone::{Phone, Region};
use crate::model::timestamp::Timestamp;

/// What is read of contacts.
pub(super) const CONTACT_FIELDS: &str = "id,name,midname,lastname,isCompany,isDeleted,phones,email,\
     additionalEmailAddresses,supervisors,createdDate,dateOfLastUpdate";

/// What is read of tasks.
pub(super) const TASK_FIELDS: &str =
    "id,name,status,template,counterparty,assignees,dateTime,dateOfLastUpdate,isDeleted";

/// One record.
#[derive(Debug, Clone, Copy)]
pub(super) struct Record<'a>(pub(super) &'a Value);

impl<'a> Record<'a> {
    /// Returns a scalar as text; what is empty is absent.
    pub(super) fn text(self, key: &str) -> Option<String> {
        scalar(self.0.get(key)?)
    }

    /// Returns the number of an id, whatever prefix it has.
    pub(super) fn number(self, key: &str) -> Option<i64> {
        let text = self.text(key)?;
        let digits = text.rsplit_once(':').map_or(text.as_str(), |(_, id)| id);
        digits.parse().ok()
    }

    /// Returns the record's id.
    pub(super) fn id(self) -> Option<i64> {
        self.number("id").filter(|id| *id > 0)
    }

    /// Says whether a flag is set.
    pub(super) fn flag(self, key: &str) -> bool {
        match self.0.get(key) {
            Some(Value::Bool(flag)) => *flag,
            Some(Value::Number(number)) => number.as_i64() == Some(1),
            Some(Value::String(text)) => matches!(text.as_str(), "1" | "true"),
            Some(Value::Null | Value::Array(_) | Value::Object(_)) | None => false,
        }
    }

    /// Returns a record inside.
    pub(super) fn inside(self, key: &str) -> Option<Record<'a>> {
        Some(Record(self.0.get(key)?))
    }

    /// Returns the records of a list inside.
    pub(super) fn list(self, key: &str) -> Vec<Record<'a>> {
        let items = self.0.get(key).and_then(Value::as_array);
        items.into_iter().flatten().map(Record).collect()
    }

    /// Returns the first user of a list of people; groups have no telephone.
    pub(super) fn first_user(self, key: &str) -> Option<CrmUserId> {
        let people = self.inside(key)?.list("users").into_iter();
        let users =
            people.filter(|one| one.text("id").is_some_and(|id| !id.starts_with("contact:")));
        let id = users.filter_map(Record::id).next()?;
        Some(CrmUserId(id.to_string()))
    }

    /// Returns the whole name.
    pub(super) fn name(self) -> String {
        let parts = ["name", "midname", "lastname"].map(|key| self.text(key));
        parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
    }

    /// Returns its numbers.
    pub(super) fn phones(self) -> Vec<Phone> {
        let mut phones = Vec::new();
        for entry in self.list("phones") {
            let text = entry.text("number").unwrap_or_default();
            if let Ok(phone) = Phone::parse(&text, Region::default())
                && !phones.contains(&phone)
            {
                phones.push(phone);
            }
        }
        phones
    }

    /// Returns its e-mail addresses, lower case.
    pub(super) fn emails(self) -> Vec<String> {
        let more = self
            .0
            .get("additionalEmailAddresses")
            .and_then(Value::as_array);
        let more = more.into_iter().flatten().filter_map(scalar);
        let all = self.text("email").into_iter().chain(more);
        all.map(|text| text.trim().to_lowercase()).collect()
    }

    /// Returns a time.
    pub(super) fn time(self, key: &str, zone: &TimeZone) -> Option<Timestamp> {
        let point = self.inside(key)?;
        if let Some(seconds) = point.number("dateTimeUtcSeconds") {
            return Some(Timestamp::from_secs(seconds));
        }
        if let Some(text) = point.text("datetime").or_else(|| point.text("dateTime")) {
            return read_utc(&text);
        }
        let date = point.text("date")?;
        let time = point.text("time").unwrap_or_else(|| "00:00".to_owned());
        let at = DateTime::strptime("%d-%m-%Y %H:%M", format!("{date} {time}")).ok()?;
        let at = at.to_zoned(zone.clone()).ok()?;
        Some(Timestamp::from_secs(at.timestamp().as_second()))
    }

    /// Returns the value of an additional field.
    pub(super) fn custom(self, field: i64) -> Option<&'a Value> {
        let mut values = self.list("customFieldData").into_iter();
        let found = values.find(|one| {
            let own = one.inside("field").and_then(Record::id);
            own == Some(field)
        });
        found?.0.get("value")
    }
}

/// Reads `2026-06-12T12:15Z`, with or without seconds.
fn read_utc(text: &str) -> Option<Timestamp> {
    Timestamp::parse(text).ok().or_else(|| {
        let short = text.strip_suffix('Z')?;
        Timestamp::parse(&format!("{short}:00Z")).ok()
    })
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

/// Returns the records of a list; nonsense is no list: read as empty, it would make every client a
/// new one.
pub(super) fn rows<'a>(answer: &'a Value, key: &str) -> Option<Vec<Record<'a>>> {
    let items = answer.get(key)?.as_array()?;
    Some(items.iter().map(Record).collect())
}

/// Writes a time as filters want it: the day and the minute in the robot's zone.
pub(super) fn minute(at: Timestamp, zone: &TimeZone) -> String {
    written(at, zone, "%d-%m-%Y %H:%M")
}

/// Writes a time as jiff's pattern says, in the robot's zone.
pub(super) fn written(at: Timestamp, zone: &TimeZone, pattern: &str) -> String {
    let at = jiff::Timestamp::from_second(at.as_secs()).unwrap_or_default();
    at.to_zoned(zone.clone()).strftime(pattern).to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn loose_values_are_read_as_what_they_mean() {
        let value = json!({"id": "contact:12", "name": "Анна", "lastname": "", "isDeleted": 1,
            "phones": [{"number": "8 (916) 123-45-67"}, {"number": "x"}],
            "email": " A@B.ru ", "supervisors": {"users": [{"id": "user:5"}], "groups": []},
            "customFieldData": [{"field": {"id": 310}, "value": "TL-1"}]});
        let record = Record(&value);
        assert_eq!((record.id(), record.name().as_str()), (Some(12), "Анна"));
        assert!(record.flag("isDeleted") && !record.flag("isCompany"));
        assert_eq!(record.phones().len(), 1);
        assert_eq!(record.emails(), ["a@b.ru"]);
        assert_eq!(
            record.first_user("supervisors"),
            Some(CrmUserId("5".to_owned()))
        );
        assert_eq!(record.custom(310), Some(&json!("TL-1")));
        assert_eq!(record.custom(311), None);
    }

    #[test]
    fn a_time_is_read_in_every_shape() {
        let zone = TimeZone::get("Europe/Moscow").expect("a zone");
        let at = Timestamp::parse("2026-06-12T12:15:00Z").ok();
        for point in [
            json!({"dateTimeUtcSeconds": 1_781_266_500}),
            json!({"date": "12-06-2026", "time": "15:15", "datetime": "2026-06-12T12:15Z"}),
            json!({"date": "12-06-2026", "time": "15:15"}),
        ] {
            let value = json!({"at": point});
            assert_eq!(Record(&value).time("at", &zone), at, "{value}");
        }
        assert_eq!(
            at.map(|at| minute(at, &zone)).as_deref(),
            Some("12-06-2026 15:15")
        );
    }
}
