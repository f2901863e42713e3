//! Dates as the portal writes and reads them: ISO 8601 with an offset (crm/bitrix24.md §1).

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

/// Returns a zone by its IANA name; one that is unknown is UTC.
pub(super) fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap_or(TimeZone::UTC)
}

/// Writes Unix seconds.
pub(super) fn iso(seconds: i64, zone: &TimeZone) -> String {
    let stamp = Timestamp::from_second(seconds).unwrap_or(Timestamp::UNIX_EPOCH);
    let zoned = stamp.to_zoned(zone.clone());
    zoned.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

/// Reads a date with an offset, or one in the portal's zone, into Unix seconds.
pub(super) fn parse(text: &str, zone: &TimeZone) -> Option<i64> {
    let text = text.trim();
    if let Ok(stamp) = text.parse::<Timestamp>() {
        return Some(stamp.as_second());
    }
    let civil = text
        .parse::<DateTime>()
        .or_else(|_| text.parse::<Date>().map(Date::into));
    let zoned = civil.ok()?.to_zoned(zone.clone()).ok()?;
    Some(zoned.timestamp().as_second())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_comes_back_in_the_portals_zone() {
        let moscow = zone("Europe/Moscow");
        let seconds = parse("2026-09-21T07:13:20Z", &moscow).unwrap();
        assert_eq!(iso(seconds, &moscow), "2026-09-21T10:13:20+03:00");
        assert_eq!(parse("2026-09-21T10:13:20", &moscow), Some(seconds));
        assert_eq!(parse("2026-09-21 10:13:20", &moscow), Some(seconds));
        assert_eq!(parse("soon", &moscow), None);
    }
}
