//! The calls that are over, as the VATS lists them.

use serde_json::{Value, json};

use super::options::Switches;

/// A part of a call that is over.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) uid: String,
    pub(super) incoming: bool,
    pub(super) talked: bool,
    pub(super) client: String,
    /// Login; nothing for a call that reached nobody.
    pub(super) user: Option<String>,
    pub(super) user_name: Option<String>,
    pub(super) group: Option<String>,
    pub(super) diversion: String,
    /// Unix seconds.
    pub(super) start_s: i64,
    pub(super) wait_s: u64,
    pub(super) talk_s: u64,
    pub(super) record: Option<String>,
    /// Unix milliseconds from which on it is listed.
    pub(super) listed_from_ms: i64,
}

impl Row {
    /// Writes it as an item of `/crmapi/v1/history/json`.
    pub(super) fn json(&self) -> Value {
        let status = if self.talked { "success" } else { "missed" };
        let account = self.user.clone().or_else(|| self.group.clone());
        json!({
            "uid": self.uid,
            "type": if self.incoming { "in" } else { "out" },
            "status": if !self.incoming && !self.talked { "noanswer" } else { status },
            "client": self.client,
            "user": self.user,
            "user_name": self.user_name,
            "account": account.unwrap_or_else(|| "ivr".to_owned()),
            "group_name": self.group,
            "diversion": self.diversion,
            "destination": null,
            "start": rfc3339(self.start_s),
            "wait": self.wait_s,
            "duration": self.talk_s,
            "record": self.record,
            "rating": null,
        })
    }

    /// Writes it as a line of `history`.
    pub(super) fn csv(&self, switches: &Switches) -> String {
        let kind = match (self.incoming, self.talked) {
            (true, true) => "in",
            (true, false) => "missed",
            (false, _) => "out",
        };
        let account = self.user.clone().or_else(|| self.group.clone());
        let fields = [
            self.uid.clone(),
            kind.to_owned(),
            self.client.clone(),
            account.unwrap_or_else(|| "ivr".to_owned()),
            self.diversion.clone(),
            compact(self.start_s),
            self.wait_s.to_string(),
            self.talk_s.to_string(),
            self.record.clone().unwrap_or_default(),
        ];
        let quoted = |field: &String| match switches.csv_quoted {
            true => format!("\"{}\"", field.replace('"', "\"\"")),
            false => field.clone(),
        };
        let fields: Vec<String> = fields.iter().map(quoted).collect();
        fields.join(",") + "\r\n"
    }
}

/// Writes `2026-03-02T08:05:00Z`.
pub(super) fn rfc3339(second: i64) -> String {
    let time = jiff::Timestamp::from_second(second).unwrap_or_default();
    time.to_string()
}

/// Writes `20260302T080500Z`.
pub(super) fn compact(second: i64) -> String {
    let time = jiff::Timestamp::from_second(second).unwrap_or_default();
    time.strftime("%Y%m%dT%H%M%SZ").to_string()
}

/// Reads a time of a question.
pub(super) fn read_time(text: &str, switches: &Switches) -> Option<i64> {
    let compact = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", text);
    if let Ok(time) = compact {
        let zoned = time.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
        return Some(zoned.timestamp().as_second());
    }
    let time: jiff::Timestamp = text.parse().ok().filter(|_| switches.rfc3339)?;
    Some(time.as_second())
}
