//! A line of `cel_custom`, or a row of a CEL table, as the event that it is. Pure.

use jiff::tz::TimeZone;
use serde_json::Value;

use super::csv;
use super::moments::moment;
use crate::model::timestamp::Timestamp;

/// The columns that a mapping line may name, as the CEL tables of Asterisk call them. `-` stands
/// for a column that is passed over.
pub(super) const COLUMNS: [&str; 21] = [
    "eventtype",
    "eventtime",
    "cid_name",
    "cid_num",
    "cid_ani",
    "cid_rdnis",
    "cid_dnid",
    "exten",
    "context",
    "channame",
    "appname",
    "appdata",
    "amaflags",
    "accountcode",
    "uniqueid",
    "linkedid",
    "peer",
    "userfield",
    "userdeftype",
    "eventextra",
    "-",
];

/// The columns of the mapping line in Asterisk's own sample of cel_custom.conf.
pub(in crate::pbx::asterisk) const SAMPLE_COLUMNS: [&str; 20] = [
    "eventtype",
    "eventtime",
    "cid_name",
    "cid_num",
    "cid_ani",
    "cid_rdnis",
    "cid_dnid",
    "exten",
    "context",
    "channame",
    "appname",
    "appdata",
    "amaflags",
    "accountcode",
    "uniqueid",
    "linkedid",
    "peer",
    "userfield",
    "userdeftype",
    "eventextra",
];

/// The columns without which calls cannot be followed.
pub(super) const NEEDED_COLUMNS: [&str; 10] = [
    "eventtype",
    "eventtime",
    "cid_num",
    "exten",
    "context",
    "channame",
    "appname",
    "uniqueid",
    "linkedid",
    "eventextra",
];

/// One event of one channel.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::pbx::asterisk) struct CelEvent {
    /// What happened: `CHAN_START`, `BRIDGE_ENTER` and so on.
    pub(super) kind: String,
    /// When.
    pub(in crate::pbx::asterisk) at: Timestamp,
    /// The number shown as the channel's caller's.
    pub(super) caller: String,
    /// The name shown beside it.
    pub(super) caller_name: String,
    /// Which extension of the dialplan it runs.
    pub(super) exten: String,
    /// In which context.
    pub(super) context: String,
    /// The channel's name.
    pub(super) channel: String,
    /// The application that it runs; `AppDial` and its kin for one that was dialled.
    pub(super) app: String,
    /// What the application was given.
    pub(super) app_data: String,
    /// The channel's Uniqueid.
    pub(super) uniqueid: String,
    /// Its Linkedid at this moment.
    pub(super) linkedid: String,
    /// What belongs to this kind of event: bridge, hang-up cause, other channels.
    pub(super) extra: Value,
}

impl CelEvent {
    /// Reads a line; `None` when it is none of ours.
    pub(in crate::pbx::asterisk) fn read(
        line: &str,
        columns: &[String],
        zones: &[TimeZone],
    ) -> Option<Self> {
        let fields = csv::fields(line)?;
        let text = |name: &str| {
            let position = columns.iter().position(|column| column == name)?;
            fields.get(position).cloned()
        };
        Self::of(&text, zones)
    }

    /// Reads a row whose columns are found by name; `None` when it is none of ours.
    pub(super) fn of(field: &dyn Fn(&str) -> Option<String>, zones: &[TimeZone]) -> Option<Self> {
        let text = |name: &str| Some(field(name)?.trim().to_owned());
        let filled = |name: &str| text(name).filter(|text| !text.is_empty());
        let uniqueid = filled("uniqueid")?;
        Some(Self {
            kind: filled("eventtype")?.to_ascii_uppercase(),
            at: moment(&filled("eventtime")?, zones.first()?)?,
            caller: text("cid_num").unwrap_or_default(),
            caller_name: text("cid_name").unwrap_or_default(),
            exten: text("exten").unwrap_or_default(),
            context: text("context").unwrap_or_default(),
            channel: filled("channame")?,
            app: text("appname").unwrap_or_default(),
            app_data: text("appdata").unwrap_or_default(),
            linkedid: filled("linkedid").unwrap_or_else(|| uniqueid.clone()),
            uniqueid,
            extra: text("eventextra")
                .and_then(|text| serde_json::from_str(&text).ok())
                .unwrap_or_default(),
        })
    }

    /// Returns a text of what belongs to this kind of event.
    pub(super) fn extra_text(&self, name: &str) -> Option<&str> {
        let text = self.extra.get(name)?.as_str()?;
        Some(text).filter(|text| !text.is_empty())
    }
}
