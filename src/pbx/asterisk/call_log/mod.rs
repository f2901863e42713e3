//! The PBX's own log of calls (`pbx/asterisk.md` §2, Cdr and CEL), and what of a blind interval it
//! tells: `cel_custom` event by event, `cdr_csv` one record for each leg, or the tables of both in
//! FreePBX's database.
//!
//! ```text
//! file -> walk (rotation, position) -> csv +-> cel_event  -> cel_story  -+
//! MariaDB -> table                         +-> cdr_record -> cdr_story  -+-> messages -> tracker
//! ```
//! The log is told to the tracker in the words of AMI, so that a call known from AMI and the same
//! call in the log are one call by construction: its key, its legs and its talk come from one
//! place. While a session is up, AMI is the truth and only the position in the file moves on.

mod cdr_record;
mod cdr_story;
mod cel_event;
mod cel_story;
mod csv;
mod moments;
mod pages;
pub(super) mod position;
mod reading;
mod recovery;
pub(super) mod settings;
mod table;
mod walk;

pub(super) use self::reading::Recovered;
pub(super) use self::recovery::LogKeeper;
pub(super) use self::settings::LogSettings;

#[cfg(test)]
pub(super) use self::{
    cdr_record::CdrRecord,
    cdr_story::cdr_messages,
    cel_event::{CelEvent, SAMPLE_COLUMNS},
    cel_story::CelStory,
};

#[cfg(test)]
mod tests;
