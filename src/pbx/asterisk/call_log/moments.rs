//! Times as the logs write them. Pure.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::model::timestamp::Timestamp;

/// Reads `epoch.micros`, as CEL writes it unless `dateformat` says otherwise, or a local date and
/// time (`2026-11-20 09:00:00`, with a fraction or without), as `cdr_csv` does. A local time that
/// comes twice at the end of summer time is taken as the first.
pub(super) fn moment(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    let text = text.trim();
    epoch(text).or_else(|| local(text, zone))
}

fn epoch(text: &str) -> Option<Timestamp> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    // Ten digits are the years 2001 to 2286; shorter numbers are no times.
    if whole.len() != 10 || !digits(whole) || !digits(fraction) {
        return None;
    }
    let ms: String = fraction.chars().chain("000".chars()).take(3).collect();
    let (whole, ms): (i64, i64) = (whole.parse().ok()?, ms.parse().ok()?);
    Some(Timestamp::from_millis(
        whole.checked_mul(1000)?.checked_add(ms)?,
    ))
}

fn local(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    let local: DateTime = text.parse().ok()?;
    let at = zone.to_ambiguous_timestamp(local).compatible().ok()?;
    Some(Timestamp::from_millis(at.as_millisecond()))
}

/// Returns the second at which a channel was made, by its Uniqueid `[systemname-]epoch.counter`.
pub(super) fn moment_of_uniqueid(id: &str) -> Option<Timestamp> {
    let tail = id.rsplit('-').next().unwrap_or(id);
    let (whole, _) = tail.split_once('.')?;
    epoch(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_read() {
        let moscow = TimeZone::get("Europe/Moscow").unwrap();
        let ms = |text| moment(text, &moscow).map(Timestamp::as_millis);
        assert_eq!(ms("1795210154.012345"), Some(1_795_210_154_012));
        assert_eq!(ms("1795210154"), Some(1_795_210_154_000));
        assert_eq!(ms("2026-11-21 00:29:14"), Some(1_795_210_154_000));
        assert_eq!(ms("2026-11-21 00:29:14.250"), Some(1_795_210_154_250));
        for wrong in ["", "soon", "12", "1795210154.x", "2026-13-01 00:00:00"] {
            assert_eq!(ms(wrong), None, "{wrong}");
        }
        assert_eq!(
            moment_of_uniqueid("pbx-1-1795210154.17").map(Timestamp::as_secs),
            Some(1_795_210_154)
        );
    }
}
