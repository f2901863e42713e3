//! From a name that a phone system gave to the ways that are tried below a root. Pure.
//!
//! A name comes from outside: a part that could lead elsewhere (`..`, an empty one, a control
//! character) makes the whole name unusable.

use crate::model::recording::RecordingRoot;
use crate::model::timestamp::Timestamp;

/// Endings of files into which phone systems turn a finished recording of the same name.
const LATER_FORMATS: [&str; 5] = ["wav", "mp3", "webm", "ogg", "WAV"];

/// Longest part of a way, in bytes: no file system of Linux takes more.
const PART_BYTES_MAX: usize = 255;

/// Deepest way: five parts is year, month, day, hour and file.
const PARTS_MAX: usize = 16;

/// A way below a root: its parts, none of which leads upwards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Way(Vec<String>);

impl Way {
    /// Takes a relative path apart; `None` where a part of it could lead elsewhere.
    pub(super) fn parse(path: &str) -> Option<Self> {
        let parts: Vec<String> = path.split('/').map(str::to_owned).collect();
        let sound = |part: &String| {
            let dots = part == "." || part == "..";
            let odd = part.chars().any(|c| c.is_control() || c == '\\');
            !part.is_empty() && part.len() <= PART_BYTES_MAX && !dots && !odd
        };
        (parts.len() <= PARTS_MAX && parts.iter().all(sound)).then_some(Self(parts))
    }

    /// Returns the parts, the file's name last.
    pub(super) fn parts(&self) -> &[String] {
        &self.0
    }

    /// Returns the file's name.
    pub(super) fn file_name(&self) -> &str {
        self.0.last().map(String::as_str).unwrap_or_default()
    }

    fn with_file_name(&self, name: String) -> Self {
        let mut parts = self.0.clone();
        parts.pop();
        parts.push(name);
        Self(parts)
    }
}

impl std::fmt::Display for Way {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.join("/"))
    }
}

/// Returns the ways at which a named file may lie below a root, the likeliest first; empty where
/// the name is none of this root, or leads elsewhere.
pub(super) fn ways(name: &str, root: &RecordingRoot, started_at: Timestamp) -> Vec<Way> {
    let relative = match (name.starts_with('/'), &root.pbx_path) {
        (false, _) => name,
        (true, None) => return Vec::new(),
        (true, Some(pbx_path)) => match below(name, pbx_path) {
            Some(rest) => rest,
            None => return Vec::new(),
        },
    };
    let Some(way) = Way::parse(relative) else {
        return Vec::new();
    };
    let mut found = vec![way.clone()];
    // A bare name lies in the folder of its day on FreePBX (`pbx/asterisk.md` §5).
    if let [only] = way.parts() {
        let days = day_of(only).into_iter().chain(days_around(started_at));
        for day in days {
            let dated = Way(day.into_iter().chain([only.clone()]).collect());
            if !found.contains(&dated) {
                found.push(dated);
            }
        }
    }
    let renamed: Vec<Way> = found.iter().flat_map(in_later_formats).collect();
    found.extend(renamed);
    found
}

/// Returns what follows a folder in an absolute path.
fn below<'n>(name: &'n str, folder: &str) -> Option<&'n str> {
    let folder = folder.trim_end_matches('/');
    name.strip_prefix(folder)?.strip_prefix('/')
}

/// Returns the same file under the endings that it may have got meanwhile (`pbx/asterisk.md` §6).
fn in_later_formats(way: &Way) -> Vec<Way> {
    let name = way.file_name();
    let Some((stem, ending)) = name.rsplit_once('.') else {
        return Vec::new();
    };
    LATER_FORMATS
        .iter()
        .filter(|format| **format != ending && !stem.is_empty())
        .map(|format| way.with_file_name(format!("{stem}.{format}")))
        .collect()
}

/// Reads the day out of a name such as `in-74950000004-79161234567-20261120-213357-1795210437.25.wav`
/// (`pbx/asterisk.md` §5).
fn day_of(name: &str) -> Option<[String; 3]> {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let parts: Vec<&str> = name.split('-').collect();
    let day = parts.windows(2).find_map(|pair| match pair {
        [day, time] if day.len() == 8 && time.len() == 6 && digits(day) && digits(time) => {
            Some(*day)
        }
        _ => None,
    })?;
    Some([&day[..4], &day[4..6], &day[6..]].map(str::to_owned))
}

/// Returns the days on which the call may have begun on the phone system's clock, whatever its
/// zone.
fn days_around(started_at: Timestamp) -> Vec<[String; 3]> {
    const HALF_A_DAY: std::time::Duration = std::time::Duration::from_secs(14 * 3600);
    [
        started_at,
        started_at.plus(HALF_A_DAY),
        started_at.minus(HALF_A_DAY),
    ]
    .iter()
    .filter_map(|moment| {
        let text = moment.to_string();
        let mut parts = text.split('T').next()?.split('-');
        Some([
            parts.next()?.to_owned(),
            parts.next()?.to_owned(),
            parts.next()?.to_owned(),
        ])
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::recording::RecordingPlace;

    fn root(pbx_path: Option<&str>) -> RecordingRoot {
        RecordingRoot {
            place: RecordingPlace::Folder("/recordings".into()),
            pbx_path: pbx_path.map(str::to_owned),
        }
    }

    fn tried(name: &str, pbx_path: Option<&str>) -> Vec<String> {
        let began = Timestamp::parse("2026-11-20T21:33:57Z").expect("a time");
        let ways = ways(name, &root(pbx_path), began);
        ways.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn an_absolute_name_is_sought_below_the_folder_that_the_phone_system_calls_so() {
        let spool = Some("/var/spool/asterisk/monitor/");
        let name = "/var/spool/asterisk/monitor/2026/11/20/a.wav";
        assert_eq!(tried(name, spool)[0], "2026/11/20/a.wav");
        assert_eq!(tried(name, Some("/elsewhere")), [""; 0]);
        assert_eq!(tried(name, None), [""; 0]);
        assert_eq!(tried("/var/spool/asterisk/monitors/a.wav", spool), [""; 0]);
    }

    #[test]
    fn a_bare_name_is_sought_in_the_folder_of_its_day_too() {
        let name = "in-74950000004-79161234567-20261121-003357-1795210437.25.wav";
        let tried = tried(name, None);
        assert_eq!(tried[0], name);
        assert_eq!(tried[1], format!("2026/11/21/{name}"));
        assert_eq!(tried[2], format!("2026/11/20/{name}"));
        assert!(tried.contains(&format!("2026/11/21/{}", name.replace(".wav", ".webm"))));
    }

    #[test]
    fn a_name_that_leads_elsewhere_is_no_way() {
        let long = "a".repeat(300);
        let deep = "a/".repeat(40) + "b.wav";
        for name in [
            "../secret.wav",
            "a/../../secret.wav",
            "a/./b.wav",
            "a//b.wav",
            "..",
            "",
            "a\nb.wav",
            "a\0b.wav",
            "..\\secret.wav",
            "a/",
            &long,
            &deep,
        ] {
            assert_eq!(tried(name, Some("/")), [""; 0], "{name:?}");
        }
        assert_eq!(tried("/monitor/../etc/passwd", Some("/monitor")), [""; 0]);
        assert_eq!(tried("/monitor/../../etc/passwd", Some("/")), [""; 0]);
    }
}
