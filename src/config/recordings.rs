//! Checks where the recordings of a source lie, and how recordings are kept.

use std::path::PathBuf;
use std::time::Duration;

use url::Url;

use crate::model::recording::{RecordingKeeping, RecordingPlace, RecordingRoot};
use crate::model::secret::Secret;

use super::daemon::{MIB, web_url};
use super::key_path::KeyPath;
use super::mistake::Findings;
use super::raw::{RawKeeping, RawRoot, RawStore};

/// The secret of a source's web server of recordings.
pub(super) const SECRET: &str = "recordings";

/// Longest time of anything here: ten years. More is a slip of the finger.
const DAYS_MAX: u32 = 3650;

/// Places of one source: each is tried for every recording.
const ROOTS_MAX: usize = 8;

fn days(days: u32) -> Duration {
    Duration::from_secs(u64::from(days) * 86_400)
}

/// Checks `[recordings]` of the daemon's file.
pub(super) fn keeping(
    findings: &mut Findings<'_>,
    raw: &RawKeeping,
    store: &RawStore,
) -> Option<RecordingKeeping> {
    let table = KeyPath::top().key("recordings");
    let mut sound = true;
    let mut refuse = |key: &str, message: String| {
        findings.mistake(&table.key(key), message);
        sound = false;
    };
    if raw.folder.is_empty() {
        refuse(
            "folder",
            "name the folder for converted recordings".to_owned(),
        );
    }
    if raw.ffmpeg.is_empty() {
        refuse("ffmpeg", "name the program, such as \"ffmpeg\"".to_owned());
    }
    let given = [
        ("retention_days", Some(raw.retention_days)),
        ("link_days", raw.link_days),
        ("seek_days", Some(raw.seek_days)),
    ];
    for (key, value) in given {
        if value.is_some_and(|value| !(1..=DAYS_MAX).contains(&value)) {
            refuse(key, format!("choose 1 to {DAYS_MAX} days"));
        }
    }
    if raw.link_days.is_some_and(|link| link > raw.retention_days) {
        let longest = format!(
            "after retention_days ({}) there is nothing to play: choose fewer days, or none",
            raw.retention_days
        );
        refuse("link_days", longest);
    }
    sound.then(|| RecordingKeeping {
        folder: findings.folder().join(&raw.folder),
        // With the call goes what is known of its recording.
        keep: days(raw.retention_days.min(store.retention_days)),
        link_life: raw.link_days.map(days),
        seek: days(raw.seek_days),
        // A bare name is looked for on the path; anything else starts from the file's folder.
        ffmpeg: match raw.ffmpeg.contains('/') {
            true => findings.folder().join(&raw.ffmpeg),
            false => PathBuf::from(&raw.ffmpeg),
        },
        free_bytes_min: store.free_mb_min.saturating_mul(MIB),
    })
}

/// Checks `sources.recordings`: the places, in order; empty = recordings are not looked for.
pub(super) fn roots(
    findings: &mut Findings<'_>,
    list: &KeyPath,
    raw: &[RawRoot],
    secret: Option<&Secret>,
) -> Vec<RecordingRoot> {
    if raw.len() > ROOTS_MAX {
        findings.mistake(list, format!("at most {ROOTS_MAX} places"));
    }
    let mut checked = Vec::new();
    let mut with_user = false;
    // A key that one place wants in a header is that place's alone: another may be another's.
    let keyed = raw.iter().any(|root| root.key_header.is_some());
    let shown = |root: &RawRoot| !keyed || root.key_header.is_some();
    for (index, raw) in raw.iter().enumerate() {
        let table = list.index(index);
        with_user |= raw.url.is_some();
        let place = match (&raw.folder, &raw.url) {
            (Some(folder), None) => folder_of(findings, &table, folder),
            (None, Some(url)) => web(findings, &table, url, raw, secret.filter(|_| shown(raw))),
            (Some(_), Some(_)) => {
                findings.mistake(&table, "name a folder or a url, not both");
                None
            }
            (None, None) => {
                findings.mistake(
                    &table,
                    "say where the recordings lie: folder = \"…\" on this machine, or url = \"…\"",
                );
                None
            }
        };
        if raw.url.is_none() && raw.user.is_some() {
            findings.mistake(&table.key("user"), "a folder has no user");
        }
        if raw.url.is_none() && raw.key_header.is_some() {
            findings.mistake(&table.key("key_header"), "a folder has no header");
        }
        let pbx_path = raw.pbx_path.clone().or_else(|| raw.folder.clone());
        if pbx_path
            .as_deref()
            .is_some_and(|path| !path.starts_with('/'))
        {
            findings.mistake(
                &table.key("pbx_path"),
                "write the whole path as the phone system has it, from the first / on",
            );
            continue;
        }
        checked.extend(place.map(|place| RecordingRoot { place, pbx_path }));
    }
    if secret.is_some() && !with_user {
        findings.mistake(
            list,
            "secrets.recordings is for a url, and none is named here",
        );
    }
    checked
}

fn folder_of(findings: &mut Findings<'_>, table: &KeyPath, folder: &str) -> Option<RecordingPlace> {
    if !folder.starts_with('/') {
        findings.mistake(
            &table.key("folder"),
            "write the whole path of the folder, from the first / on",
        );
        return None;
    }
    Some(RecordingPlace::Folder(folder.into()))
}

fn web(
    findings: &mut Findings<'_>,
    table: &KeyPath,
    text: &str,
    raw: &RawRoot,
    secret: Option<&Secret>,
) -> Option<RecordingPlace> {
    let user = raw.user.as_deref();
    let mut url: Url = findings.take(&table.key("url"), web_url(text))?;
    if !url.path().ends_with('/') {
        let path = format!("{}/", url.path());
        url.set_path(&path);
    }
    if user.is_some() && secret.is_none() {
        findings.mistake(
            &table.key("user"),
            "the password is missing: secrets.recordings = { file = \"…\" }",
        );
    }
    if let Some(header) = &raw.key_header {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
        let path = table.key("key_header");
        if header.is_empty() || !header.chars().all(plain) {
            findings.mistake(&path, "write the name of a header, such as X-API-KEY");
        }
        if user.is_some() {
            findings.mistake(&path, "the secret is a user's password or a key, not both");
        } else if secret.is_none() {
            let message = "the key is missing: secrets.recordings = { file = \"…\" }";
            findings.mistake(&path, message);
        }
    }
    Some(RecordingPlace::Web {
        url,
        user: user.map(str::to_owned),
        secret: secret.cloned(),
        key_header: raw.key_header.clone(),
    })
}
