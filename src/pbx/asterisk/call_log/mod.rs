//! The PBX's own log of calls (`pbx/asterisk.md` §2, Cdr and CEL), and what of a blind interval it
//! tells: `cel_custom` event by event, `cdr_csv` one record for each leg.
//!
//! ```text
//! file -> walk (rotation, position) -> csv -> cel_event  -> cel_story  -+
//!                                          -> cdr_record -> cdr_story  -+-> messages -> tracker
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
pub(super) mod position;
mod recovery;
pub(super) mod settings;
mod walk;

pub(super) use self::recovery::{LogKeeper, Recovered};
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
