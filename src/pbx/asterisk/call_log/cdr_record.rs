//! A line of `cdr_csv`, or a row of a CDR table, as the record that it is. Pure.
//!
//! Sixteen columns stand in every version; `loguniqueid` and `loguserfield` in cdr.conf add one
//! each, `newcdrcolumns` three more (peeraccount, linkedid, sequence). Nothing in the file says
//! which are on: their number and the form of a Uniqueid do.

use std::time::Duration;

use jiff::tz::TimeZone;

use super::csv;
use super::moments::{moment, moment_of_uniqueid};
use crate::model::timestamp::Timestamp;

/// Columns that are always there, as the CDR tables of Asterisk call them.
const BASE: [&str; 16] = [
    "accountcode",
    "src",
    "dst",
    "dcontext",
    "clid",
    "channel",
    "dstchannel",
    "lastapp",
    "lastdata",
    "start",
    "answer",
    "end",
    "duration",
    "billsec",
    "disposition",
    "amaflags",
];
/// Columns that `newcdrcolumns` adds.
const NEW: usize = 3;

/// What a leg came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Disposition {
    Answered,
    Busy,
    Failed,
    NoAnswer,
}

/// One record: a channel, and whom it was connected or to be connected with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::pbx::asterisk) struct CdrRecord {
    pub(super) source: String,
    pub(super) destination: String,
    /// The number that the client called, where FreePBX's table has it.
    pub(super) did: Option<String>,
    pub(super) context: String,
    pub(super) caller_name: String,
    pub(super) channel: String,
    /// Empty where nobody was dialled.
    pub(super) dest_channel: String,
    pub(super) app: String,
    pub(super) app_data: String,
    pub(super) start: Timestamp,
    pub(super) answer: Option<Timestamp>,
    pub(in crate::pbx::asterisk) end: Timestamp,
    pub(super) billed_s: u64,
    pub(super) disposition: Disposition,
    pub(super) uniqueid: String,
    /// Only with `newcdrcolumns`.
    pub(super) linkedid: Option<String>,
}

impl CdrRecord {
    /// Reads a line; `None` when it is none of ours, or has no Uniqueid to know the call by.
    pub(in crate::pbx::asterisk) fn read(line: &str, zones: &[TimeZone]) -> Option<Self> {
        let fields = csv::fields(line)?;
        let more = fields
            .len()
            .checked_sub(BASE.len())
            .filter(|more| *more <= 2 + NEW)?;
        let (own, new) = match more {
            0..=2 => (more, 0),
            _ => (more - NEW, NEW),
        };
        let text = |name: &str| match name {
            "uniqueid" if own > 0 => fields.get(BASE.len()).cloned(),
            "linkedid" if new > 0 => fields.get(fields.len() - 2).cloned(),
            name => {
                let position = BASE.iter().position(|column| *column == name)?;
                fields.get(position).cloned()
            }
        };
        if own == 1 && moment_of_uniqueid(&text("uniqueid")?).is_none() {
            // That is the userfield.
            return None;
        }
        Self::of(&text, zones)
    }

    /// Reads a row whose columns are found by name, as the CDR tables of Asterisk call them. Where
    /// there is no column for the answer and the end, as in FreePBX's table, they are reckoned.
    /// Of the zones the one is taken in which the leg does not begin before its channel.
    pub(super) fn of(field: &dyn Fn(&str) -> Option<String>, zones: &[TimeZone]) -> Option<Self> {
        let text = |name: &str| field(name).map(|text| text.trim().to_owned());
        let filled = |name: &str| text(name).filter(|text| !text.is_empty());
        let uniqueid = filled("uniqueid")?;
        let started = filled("start").or(filled("calldate"))?;
        let zone = zone_of(&uniqueid, &started, zones)?;
        let start = moment(&started, zone)?;
        let billed_s: u64 = text("billsec")?.parse().ok()?;
        let disposition = match text("disposition")?.to_ascii_uppercase().as_str() {
            "ANSWERED" => Disposition::Answered,
            "BUSY" => Disposition::Busy,
            "FAILED" | "CONGESTION" => Disposition::Failed,
            "NO ANSWER" | "NOANSWER" => Disposition::NoAnswer,
            _ => return None,
        };
        let (answer, end) = match text("end") {
            Some(end) => {
                let answer = text("answer").and_then(|at| moment(&at, zone));
                (answer, moment(&end, zone)?)
            }
            None => {
                let lasted: u64 = text("duration")?.parse().ok()?;
                let end = start.plus(Duration::from_secs(lasted));
                let answer = end.minus(Duration::from_secs(billed_s));
                (Some(answer), end)
            }
        };
        Some(Self {
            source: text("src")?,
            destination: text("dst")?,
            did: filled("did"),
            context: text("dcontext")?,
            caller_name: name_of(&text("clid")?),
            channel: text("channel").filter(|name| name.contains('/'))?,
            dest_channel: text("dstchannel")?,
            app: text("lastapp")?,
            app_data: text("lastdata")?,
            start,
            answer: answer.filter(|_| disposition == Disposition::Answered),
            end,
            billed_s,
            disposition,
            uniqueid,
            linkedid: filled("linkedid"),
        })
    }

    /// Returns what its call is known by, as far as the record tells.
    pub(super) fn call_id(&self) -> &str {
        self.linkedid.as_deref().unwrap_or(&self.uniqueid)
    }
}

/// Chooses the zone by the channel's own id, which holds its second: `usegmtime` in cdr.conf makes
/// the times UTC, and Asterisk's sample switches it on.
fn zone_of<'a>(uniqueid: &str, start: &str, zones: &'a [TimeZone]) -> Option<&'a TimeZone> {
    let Some(born) = moment_of_uniqueid(uniqueid) else {
        return zones.first();
    };
    let distance = |zone: &&TimeZone| {
        let start = moment(start, zone).map_or(i64::MAX, Timestamp::as_secs);
        let after = start.saturating_sub(born.as_secs());
        // A leg may begin long after its channel, but not before it.
        if after < -1 { i64::MAX } else { after }
    };
    zones.iter().min_by_key(distance)
}

/// Takes the name out of `"Anna" <101>`.
fn name_of(caller_id: &str) -> String {
    let name = caller_id.split('<').next().unwrap_or_default();
    name.trim().trim_matches('"').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = r#""","79161234567","74950000001","did",""""" <79161234567>","PJSIP/trunk-00000000","PJSIP/101-00000001","Dial","PJSIP/101,4,tT","2026-11-20 21:29:14","2026-11-20 21:29:15","2026-11-20 21:29:17",3,2,"ANSWERED","DOCUMENTATION""#;

    fn read(line: &str) -> Option<CdrRecord> {
        CdrRecord::read(line, &[TimeZone::UTC])
    }

    #[test]
    fn every_set_of_columns_that_has_a_uniqueid_is_read() {
        let id = r#""1795210154.0""#;
        for (more, linkedid) in [
            (format!(",{id}"), None),
            (format!(r#",{id},"note""#), None),
            (
                format!(r#",{id},"","1795210154.0",7"#),
                Some("1795210154.0"),
            ),
            (
                format!(r#",{id},"note","","1795210150.9",7"#),
                Some("1795210150.9"),
            ),
        ] {
            let record = read(&format!("{LINE}{more}")).unwrap();
            assert_eq!(record.uniqueid, "1795210154.0", "{more}");
            assert_eq!(record.linkedid.as_deref(), linkedid, "{more}");
            assert_eq!(record.end.since(record.start).as_secs(), 3);
        }
    }

    #[test]
    fn a_record_without_uniqueid_is_of_no_use() {
        for more in ["", r#","note""#, r#","","",7"#] {
            assert_eq!(read(&format!("{LINE}{more}")), None, "{more}");
        }
    }

    #[test]
    fn times_in_utc_and_at_home_are_told_apart_by_the_uniqueid() {
        let moscow = TimeZone::get("Europe/Moscow").unwrap();
        let zones = [moscow, TimeZone::UTC];
        let utc = format!(r#"{LINE},"1795210154.0""#);
        let home = utc.replace("2026-11-20 21:", "2026-11-21 00:");
        for line in [utc, home] {
            let record = CdrRecord::read(&line, &zones).unwrap();
            assert_eq!(record.start.as_secs(), 1_795_210_154, "{line}");
        }
    }

    #[test]
    fn a_row_of_freepbx_names_the_did_and_its_answer_and_end_are_reckoned() {
        let row = [
            ("calldate", "2026-11-21 00:29:14"),
            ("clid", "\"Anna\" <79161234567>"),
            ("src", "79161234567"),
            ("dst", "600"),
            ("dcontext", "ext-group"),
            ("channel", "PJSIP/trunk-00000000"),
            ("dstchannel", "PJSIP/101-00000001"),
            ("lastapp", "Dial"),
            ("lastdata", "PJSIP/101,4,tT"),
            ("duration", "30"),
            ("billsec", "21"),
            ("disposition", "ANSWERED"),
            ("uniqueid", "1795210154.0"),
            ("did", "74950000001"),
            ("linkedid", ""),
        ];
        let field = |name: &str| {
            let found = row.iter().find(|(column, _)| *column == name)?;
            Some(found.1.to_owned())
        };
        let moscow = TimeZone::get("Europe/Moscow").unwrap();
        let record = CdrRecord::of(&field, &[moscow]).unwrap();
        assert_eq!(record.did.as_deref(), Some("74950000001"));
        assert_eq!(record.start.as_secs(), 1_795_210_154);
        assert_eq!(record.answer.map(Timestamp::as_secs), Some(1_795_210_163));
        assert_eq!(record.end.as_secs(), 1_795_210_184);
        assert_eq!(record.call_id(), "1795210154.0");
    }
}
