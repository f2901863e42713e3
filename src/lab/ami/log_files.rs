//! The files that Asterisk writes beside its manager interface, daemon or no daemon: `cdr_csv` at
//! the end of each leg, `cel_custom` event by event (`pbx/asterisk.md` §2). Their lines are made
//! from the recorded `Cdr` and `CEL` events, which carry the same fields.
//!
//! As Asterisk does, each line opens the file, is appended, and closes it: a file that is moved
//! away is begun anew.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::message::Message;

/// Where the two files lie below Asterisk's folder of logs.
const CDR_FILE: &str = "cdr-csv/Master.csv";
const CEL_FILE: &str = "cel-custom/Master.csv";

/// The fields of the mapping line in the sample of cel_custom.conf, as the manager interface calls
/// them; the second, the time, is written in another form.
const CEL_FIELDS: [&str; 20] = [
    "EventName",
    "EventTime",
    "CallerIDname",
    "CallerIDnum",
    "CallerIDani",
    "CallerIDrdnis",
    "CallerIDdnid",
    "Exten",
    "Context",
    "Channel",
    "Application",
    "AppData",
    "AMAFlags",
    "AccountCode",
    "UniqueID",
    "LinkedID",
    "Peer",
    "Userfield",
    "UserDefType",
    "Extra",
];

/// How a column of cdr_csv is written.
#[derive(Debug, Clone, Copy)]
enum Written {
    /// In quotes.
    Text,
    /// In quotes, and nothing at all where there is no time.
    Date,
    /// Bare.
    Number,
}

/// The columns of cdr_csv with `loguniqueid`, `loguserfield` and `newcdrcolumns`.
const CDR_FIELDS: [(&str, Written); 20] = [
    ("AccountCode", Written::Text),
    ("Source", Written::Text),
    ("Destination", Written::Text),
    ("DestinationContext", Written::Text),
    ("CallerID", Written::Text),
    ("Channel", Written::Text),
    ("DestinationChannel", Written::Text),
    ("LastApplication", Written::Text),
    ("LastData", Written::Text),
    ("StartTime", Written::Date),
    ("AnswerTime", Written::Date),
    ("EndTime", Written::Date),
    ("Duration", Written::Number),
    ("BillableSeconds", Written::Number),
    ("Disposition", Written::Text),
    ("AMAFlags", Written::Text),
    ("UniqueID", Written::Text),
    ("UserField", Written::Text),
    ("PeerAccount", Written::Text),
    ("LinkedID", Written::Text),
];

/// The two files of one switch.
#[derive(Debug)]
pub(super) struct LogFiles {
    cdr: PathBuf,
    cel: PathBuf,
    sequence: u64,
    /// The first failure: a test that reads these files must not take it for silence.
    pub(super) failure: Option<String>,
}

impl LogFiles {
    /// Makes the folders.
    pub(super) fn below(folder: &Path) -> io::Result<Self> {
        let files = Self {
            cdr: folder.join(CDR_FILE),
            cel: folder.join(CEL_FILE),
            sequence: 0,
            failure: None,
        };
        for file in [&files.cdr, &files.cel] {
            if let Some(folder) = file.parent() {
                fs::create_dir_all(folder)?;
            }
        }
        Ok(files)
    }

    /// Writes down what an event tells, if it is one of the two kinds.
    pub(super) fn observe(&mut self, event: &Message, now: Duration) {
        let (file, line) = match event.event_name() {
            "CEL" => (&self.cel, cel_line(event, now)),
            "Cdr" => {
                self.sequence += 1;
                (&self.cdr, cdr_line(event, self.sequence))
            }
            _ => return,
        };
        let opened = OpenOptions::new().create(true).append(true).open(file);
        let written = opened.and_then(|mut file| file.write_all(line.as_bytes()));
        if let Err(error) = written {
            let failure = format!("write {}: {error}", file.display());
            self.failure.get_or_insert(failure);
        }
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

fn cel_line(event: &Message, now: Duration) -> String {
    let field = |name: &&str| match *name {
        "EventTime" => quoted(&format!("{}.{:06}", now.as_secs(), now.subsec_micros())),
        name => quoted(event.get(name).unwrap_or_default()),
    };
    let fields: Vec<String> = CEL_FIELDS.iter().map(field).collect();
    fields.join(",") + "\n"
}

fn cdr_line(event: &Message, sequence: u64) -> String {
    let field = |(name, written): &(&str, Written)| {
        let text = event.get(name).unwrap_or_default();
        match written {
            Written::Number => text.to_owned(),
            Written::Date if text.is_empty() => String::new(),
            Written::Date | Written::Text => quoted(text),
        }
    };
    let fields: Vec<String> = CDR_FIELDS.iter().map(field).collect();
    format!("{},{sequence}\n", fields.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leg_is_one_line_with_bare_numbers_and_no_quotes_around_no_time() {
        let event = Message::event("Cdr")
            .with("CallerID", "\"Anna\" <101>")
            .with("StartTime", "2026-11-20 21:29:14")
            .with("Duration", "3")
            .with("UniqueID", "1795210154.0")
            .with("LinkedID", "1795210154.0");
        assert_eq!(
            cdr_line(&event, 7),
            "\"\",\"\",\"\",\"\",\"\"\"Anna\"\" <101>\",\"\",\"\",\"\",\"\",\"2026-11-20 21:29:14\",,,3,,\
             \"\",\"\",\"1795210154.0\",\"\",\"\",\"1795210154.0\",7\n"
        );
    }

    #[test]
    fn an_event_is_one_line_with_its_time_in_microseconds() {
        let event = Message::event("CEL")
            .with("EventName", "HANGUP")
            .with("Extra", "{\"hangupcause\":16}");
        let line = cel_line(&event, Duration::from_micros(1_795_210_154_000_042));
        assert!(
            line.starts_with("\"HANGUP\",\"1795210154.000042\",\"\","),
            "{line}"
        );
        assert!(line.ends_with(",\"{\"\"hangupcause\"\":16}\"\n"), "{line}");
        assert_eq!(line.matches("\",\"").count(), 19);
    }
}
