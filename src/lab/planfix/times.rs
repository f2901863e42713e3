//! Dates as Planfix writes them (`crm/planfix.md` §2.2), in the robot's time zone, which is Moscow's.

use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};
use serde_json::{Value, json};

fn zone() -> TimeZone {
    TimeZone::fixed(Offset::constant(3))
}

/// Writes a point of time.
pub(super) fn point(at: i64) -> Value {
    let utc = jiff::Timestamp::from_second(at).unwrap_or_default();
    let local = utc.to_zoned(zone());
    json!({
        "date": local.strftime("%d-%m-%Y").to_string(),
        "time": local.strftime("%H:%M").to_string(),
        "datetime": utc.strftime("%Y-%m-%dT%H:%MZ").to_string(),
        "dateTimeUtcSeconds": at,
    })
}

/// Reads a text by a pattern, in the robot's zone.
pub(super) fn read(pattern: &str, text: &str) -> Option<i64> {
    let at = DateTime::strptime(pattern, text).ok()?;
    Some(at.to_zoned(zone()).ok()?.timestamp().as_second())
}

/// Reads the range of a date filter: unix seconds, both included.
pub(super) fn range(value: &Value) -> Option<(i64, i64)> {
    let text = |key: &str| value.get(key).and_then(Value::as_str);
    match text("dateType")? {
        "otherRange_withTime" => {
            let minute = |key| read("%d-%m-%Y %H:%M", text(key)?);
            Some((minute("dateFrom")?, minute("dateTo")? + 59))
        }
        "otherRange" => {
            let day = |key| read("%d-%m-%Y %H:%M", &format!("{} 00:00", text(key)?));
            Some((day("dateFrom")?, day("dateTo")? + 86_399))
        }
        _ => None,
    }
}
