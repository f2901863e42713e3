//! What an administrator says about the PBX's log: the table `log` of a source's settings.

use std::fmt;
use std::path::{Component, PathBuf};
use std::time::Duration;

use jiff::tz::TimeZone;
use serde::Deserialize;

use super::cel_event::{COLUMNS, NEEDED_COLUMNS, SAMPLE_COLUMNS};
use crate::model::object_reader::{Reader, TextShape};
use crate::model::secret::Secret;
use crate::pbx::asterisk::channels::Profile;

/// Which log it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum LogKind {
    /// Every event of every channel, to the millisecond.
    CelCustom,
    /// One record for each leg, in whole seconds.
    CdrCsv,
    /// Every event of every channel, in FreePBX's database.
    CelTable,
    /// One record for each leg, in FreePBX's database.
    CdrTable,
}

impl LogKind {
    /// Says whether it holds events, and not records.
    pub(super) fn is_of_events(self) -> bool {
        matches!(self, Self::CelCustom | Self::CelTable)
    }

    /// Returns how much later than its time an entry may have happened: its times are cut off.
    pub(super) fn resolution(self) -> Duration {
        match self {
            Self::CelCustom => Duration::from_millis(1),
            Self::CelTable | Self::CdrCsv | Self::CdrTable => Duration::from_secs(1),
        }
    }

    fn is_table(self) -> bool {
        matches!(self, Self::CelTable | Self::CdrTable)
    }
}

/// The log.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::pbx::asterisk) struct LogSettings {
    /// Which it is.
    pub(super) kind: LogKind,
    /// Where it is.
    pub(in crate::pbx::asterisk) place: LogPlace,
    /// The columns of a line, in order (`cel_custom`).
    pub(super) columns: Vec<String>,
    /// The zones that times may be in which are written without one.
    pub(super) zones: Vec<TimeZone>,
    /// How long a record of a call that is over is waited for (those of records).
    pub(in crate::pbx::asterisk) grace: Duration,
}

/// Where a log is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::pbx::asterisk) enum LogPlace {
    /// A file.
    File(PathBuf),
    /// A table of a database.
    Table(TableSettings),
}

/// A table of a MariaDB.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::pbx::asterisk) struct TableSettings {
    /// Name or address.
    pub(super) host: String,
    /// Port.
    pub(super) port: u16,
    /// The account that may read the table.
    pub(super) username: String,
    /// Its password.
    pub(super) password: Secret,
    /// The database; letters, digits, `_` and `$` only.
    pub(super) database: String,
    /// The table; the same.
    pub(super) table: String,
}

impl fmt::Display for LogPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Table(table) => write!(
                f,
                "{}.{} on {}:{}",
                table.database, table.table, table.host, table.port
            ),
        }
    }
}

impl LogSettings {
    /// Returns where the password of the database belongs, where one is needed.
    pub(in crate::pbx::asterisk) fn password(&mut self) -> Option<&mut Secret> {
        match &mut self.place {
            LogPlace::File(_) => None,
            LogPlace::Table(table) => Some(&mut table.password),
        }
    }
}

/// Where Asterisk and FreePBX keep their logs; MikoPBX has them on a storage disk whose place
/// differs from box to box (`pbx/asterisk.md` §6).
fn usual_path(kind: LogKind, profile: Profile) -> Option<PathBuf> {
    let file = match kind.is_of_events() {
        true => "cel-custom/Master.csv",
        false => "cdr-csv/Master.csv",
    };
    match profile {
        Profile::Plain | Profile::Freepbx => Some(PathBuf::from("/var/log/asterisk").join(file)),
        Profile::Mikopbx => None,
    }
}

/// Reads the table.
pub(in crate::pbx::asterisk) fn read(mut r: Reader<'_>, profile: Profile) -> Option<LogSettings> {
    let kind: Option<LogKind> = r.word("kind");
    let kind = r.required("kind", kind);
    let place = match kind {
        Some(kind) if kind.is_table() => table(&mut r, kind).map(LogPlace::Table),
        _ => file(&mut r, kind, profile).map(LogPlace::File),
    };
    let columns = match kind {
        // A table's columns have names.
        Some(kind) if kind.is_table() => Vec::new(),
        _ => columns(&mut r, kind),
    };
    let zones = match r.text("time_zone", TextShape::Line(64)) {
        // The box's own, or UTC as Asterisk's sample of cdr.conf has it.
        None => vec![TimeZone::system(), TimeZone::UTC],
        Some(name) => {
            let zone = TimeZone::get(&name).ok();
            if zone.is_none() {
                r.wrong(
                    "time_zone",
                    "is no time zone: write it like \"Europe/Moscow\"",
                );
            }
            zone.into_iter().collect()
        }
    };
    // With `batch = yes` in cdr.conf records are written every 300 s by default.
    let grace = r.whole_in("grace_s", 0..=600, 5);
    r.finish();
    Some(LogSettings {
        kind: kind?,
        place: place?,
        columns: match columns.is_empty() {
            true => SAMPLE_COLUMNS.map(str::to_owned).to_vec(),
            false => columns,
        },
        zones,
        grace: Duration::from_secs(grace),
    })
}

fn file(r: &mut Reader<'_>, kind: Option<LogKind>, profile: Profile) -> Option<PathBuf> {
    // Linux's own bound of a path.
    let path = r.text("path", TextShape::Line(4096)).map(PathBuf::from);
    let usual = kind.and_then(|kind| usual_path(kind, profile));
    if path.is_none() && kind.is_some() && usual.is_none() {
        r.wrong(
            "path",
            "is missing: where MikoPBX keeps the file differs from box to box",
        );
    }
    if let Some(path) = &path {
        let plain = path.components().all(|part| part != Component::ParentDir);
        if !path.is_absolute() || !plain || path.file_name().is_none() {
            r.wrong(
                "path",
                "must be the whole path of the file, from / on, without ..",
            );
        }
    }
    path.or(usual)
}

/// FreePBX's database and its tables have these names unless somebody moved them.
fn table(r: &mut Reader<'_>, kind: LogKind) -> Option<TableSettings> {
    let usual = if kind.is_of_events() { "cel" } else { "cdr" };
    let host = r.text("host", TextShape::Line(253));
    let port = r.whole_in("port", 1..=u64::from(u16::MAX), 3306);
    let username = r.required_text("username", TextShape::Line(80));
    let mut name = |key: &'static str, usual: &str| {
        let name = r.text(key, TextShape::Line(64));
        let name = name.unwrap_or_else(|| usual.to_owned());
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '$');
        if !name.chars().all(plain) {
            r.wrong(key, "must be made of Latin letters, digits, _ and $");
        }
        name
    };
    let (database, table) = (name("database", "asteriskcdrdb"), name("table", usual));
    Some(TableSettings {
        host: host.unwrap_or_else(|| "127.0.0.1".to_owned()),
        port: u16::try_from(port).ok()?,
        username: username?,
        password: Secret::default(),
        database,
        table,
    })
}

fn columns(r: &mut Reader<'_>, kind: Option<LogKind>) -> Vec<String> {
    let columns = r.texts("columns", 64, TextShape::Line(40));
    for (position, column) in columns.iter().enumerate() {
        if !COLUMNS.contains(&column.as_str()) {
            let known = COLUMNS.join(", ");
            r.wrong(
                &format!("columns.{position}"),
                format!("is not known; known are {known}"),
            );
        } else if column != "-" && columns.iter().take(position).any(|one| one == column) {
            r.wrong(&format!("columns.{position}"), "stands there twice");
        }
    }
    if !columns.is_empty() {
        if kind == Some(LogKind::CdrCsv) {
            r.wrong(
                "columns",
                "belongs to cel_custom: cdr_csv has columns of its own",
            );
        }
        let missing = |name: &&&str| !columns.iter().any(|column| column == **name);
        let missing: Vec<&str> = NEEDED_COLUMNS.iter().filter(missing).copied().collect();
        if !missing.is_empty() {
            r.wrong("columns", format!("must hold {}", missing.join(", ")));
        }
    }
    columns
}
