//! Times of the platform: local to the account and without an offset (`pbx/uis.md` §0).

use std::time::Duration;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::model::timestamp::Timestamp;

/// The zone of an account that does not say (`pbx/uis.md` §0).
const USUAL: &str = "Europe/Moscow";

/// Returns the zone of this name; `None` where there is none of it.
pub(super) fn zone(name: &str) -> Option<TimeZone> {
    TimeZone::get(name.trim()).ok()
}

/// Returns the zone of an account that does not say.
pub(super) fn usual_zone() -> TimeZone {
    zone(USUAL).unwrap_or(TimeZone::UTC)
}

/// Reads `2026-03-02 11:05:42`; a time that names its own offset is taken at its word.
pub(super) fn read(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    let text = text.trim();
    if let Ok(time) = Timestamp::parse(text) {
        return Some(time);
    }
    let time: DateTime = text.replacen(' ', "T", 1).parse().ok()?;
    // Of the hour that a clock shows twice, the first: a communication is never later than told.
    let zoned = zone.to_ambiguous_zoned(time).compatible().ok()?;
    Some(Timestamp::from_millis(zoned.timestamp().as_millisecond()))
}

/// Writes a time as the platform does.
pub(super) fn write(time: Timestamp, zone: &TimeZone) -> String {
    let instant = jiff::Timestamp::from_second(time.as_secs()).unwrap_or_default();
    instant
        .to_zoned(zone.clone())
        .strftime("%Y-%m-%d %H:%M:%S")
        .to_string()
}

/// Reads `hh:mm:ss` (`pbx/megafon.md` §B3), or a number of seconds.
pub(super) fn read_span(text: &str) -> Option<Duration> {
    let mut seconds: u64 = 0;
    for part in text.trim().split(':') {
        seconds = seconds.checked_mul(60)?.checked_add(part.parse().ok()?)?;
    }
    Some(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_belongs_to_the_zone_of_the_account() {
        let moscow = usual_zone();
        let read_there = |text| read(text, &moscow).map(|time| time.to_string());
        assert_eq!(
            read_there("2026-03-02 11:05:42").as_deref(),
            Some("2026-03-02T08:05:42.000Z")
        );
        assert_eq!(
            read_there("2026-03-02T11:05:42+05:00").as_deref(),
            Some("2026-03-02T06:05:42.000Z")
        );
        for bad in ["", "yesterday", "2026-13-02 00:00:00", "0"] {
            assert_eq!(read_there(bad), None, "{bad}");
        }
        let time = read("2026-03-02 11:05:42", &moscow).expect("a time");
        assert_eq!(write(time, &moscow), "2026-03-02 11:05:42");
    }

    #[test]
    fn spans_are_read_as_clock_or_seconds() {
        assert_eq!(read_span("01:02:03"), Some(Duration::from_secs(3_723)));
        assert_eq!(read_span("64"), Some(Duration::from_secs(64)));
        assert_eq!(read_span("soon"), None);
    }
}
