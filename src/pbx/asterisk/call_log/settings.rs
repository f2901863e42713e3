//! What an administrator says about the PBX's log: the table `log` of a source's settings.

use std::path::{Component, PathBuf};
use std::time::Duration;

use jiff::tz::TimeZone;
use serde::Deserialize;

use super::cel_event::{COLUMNS, NEEDED_COLUMNS, SAMPLE_COLUMNS};
use crate::pbx::asterisk::channels::Profile;
use crate::pbx::object_reader::{Reader, TextShape};

/// Which log it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum LogKind {
    /// Every event of every channel, to the millisecond.
    CelCustom,
    /// One record for each leg, in whole seconds.
    CdrCsv,
}

/// The log.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::pbx::asterisk) struct LogSettings {
    /// Which it is.
    pub(super) kind: LogKind,
    /// Its file.
    pub(in crate::pbx::asterisk) path: PathBuf,
    /// The columns of a line, in order (`cel_custom`).
    pub(super) columns: Vec<String>,
    /// The zones that times may be in which are written without one.
    pub(super) zones: Vec<TimeZone>,
    /// How long a record of a call that is over is waited for (`cdr_csv`).
    pub(in crate::pbx::asterisk) grace: Duration,
}

/// Where Asterisk and FreePBX keep their logs; MikoPBX has them on a storage disk whose place
/// differs from box to box (`pbx/asterisk.md` §6).
fn usual_path(kind: LogKind, profile: Profile) -> Option<PathBuf> {
    let file = match kind {
        LogKind::CelCustom => "cel-custom/Master.csv",
        LogKind::CdrCsv => "cdr-csv/Master.csv",
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
    let grace = r.whole("grace_s", 600).unwrap_or(5);
    r.finish();
    let kind = kind?;
    Some(LogSettings {
        kind,
        path: path.or(usual)?,
        columns: match columns.is_empty() {
            true => SAMPLE_COLUMNS.map(str::to_owned).to_vec(),
            false => columns,
        },
        zones,
        grace: Duration::from_secs(grace),
    })
}
