//! Points in time as a VATS writes them: always UTC.

use crate::model::timestamp::Timestamp;

/// How times are written in questions (`pbx/megafon.md`, corrections, 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::pbx::itoolabs) enum TimeForm {
    /// `20260302T080500Z`.
    #[default]
    Compact,
    /// `2026-03-02T08:05:00Z`.
    Rfc3339,
}

/// The years in which a call of ours can have been.
const YEARS: std::ops::Range<Timestamp> =
    Timestamp::from_secs(946_684_800)..Timestamp::from_secs(4_102_444_800);

/// Reads any of the forms seen: compact, RFC 3339, and the same with a space or without a zone.
pub(in crate::pbx::itoolabs) fn read(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let moment = compact(text).or_else(|| {
        let dashed = text.replacen(' ', "T", 1);
        let parsed = Timestamp::parse(&dashed);
        parsed
            .or_else(|_| Timestamp::parse(&format!("{dashed}Z")))
            .ok()
    })?;
    YEARS.contains(&moment).then_some(moment)
}

fn compact(text: &str) -> Option<Timestamp> {
    let text = text.strip_suffix('Z').unwrap_or(text);
    let (date, time) = text.split_once('T')?;
    let digits =
        |text: &str, length| text.len() == length && text.bytes().all(|b| b.is_ascii_digit());
    if !digits(date, 8) || !digits(time, 6) {
        return None;
    }
    let written = format!(
        "{}-{}-{}T{}:{}:{}Z",
        &date[..4],
        &date[4..6],
        &date[6..],
        &time[..2],
        &time[2..4],
        &time[4..]
    );
    Timestamp::parse(&written).ok()
}

/// Writes a time for a question, to the second.
pub(in crate::pbx::itoolabs) fn write(at: Timestamp, form: TimeForm) -> String {
    let text = Timestamp::from_secs(at.as_secs()).to_string();
    let seconds = text.split('.').next().unwrap_or_default();
    match form {
        TimeForm::Rfc3339 => format!("{seconds}Z"),
        TimeForm::Compact => {
            let plain: String = seconds
                .chars()
                .filter(|c| !matches!(c, '-' | ':'))
                .collect();
            format!("{plain}Z")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_seen_is_the_same_moment() {
        let expected = Timestamp::parse("2026-03-02T08:05:00Z").ok();
        for text in [
            "20260302T080500Z",
            "20260302T080500",
            "2026-03-02T08:05:00Z",
            "2026-03-02T11:05:00+03:00",
            "2026-03-02 08:05:00",
            " 2026-03-02T08:05:00.000Z ",
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
        for text in [
            "",
            "soon",
            "20261302T080500Z",
            "0001-01-01T00:00:00Z",
            "20260302",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn a_written_time_is_read_as_itself() {
        let at = Timestamp::from_millis(1_772_438_700_999);
        assert_eq!(write(at, TimeForm::Compact), "20260302T080500Z");
        assert_eq!(write(at, TimeForm::Rfc3339), "2026-03-02T08:05:00Z");
    }
}
