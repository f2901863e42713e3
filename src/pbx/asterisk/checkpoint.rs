//! What a session leaves for the next one: the tracker's open calls, the PBX's start, and until
//! when we saw events. Pure.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::boot::Boot;
use super::call_log::position::LogBookmark;
use crate::model::timestamp::Timestamp;

/// Stored by the store as it is; only this file knows its shape.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Checkpoint {
    /// The shape's version, for later readers.
    pub(super) version: u32,
    /// Until when events were seen.
    pub(super) seen_until: Timestamp,
    /// The PBX's start as last seen.
    pub(super) boot: Option<Boot>,
    /// Why nothing was seen from then on, where the session could still tell.
    pub(super) lost_why: Option<String>,
    /// The tracker's own.
    pub(super) tracker: Value,
    /// Up to where the PBX's log was taken in, where one is configured.
    #[serde(default)]
    pub(super) log: Option<LogBookmark>,
}

/// The version that is written.
pub(super) const VERSION: u32 = 1;

impl Checkpoint {
    /// Returns the form that is stored.
    pub(super) fn to_value(&self) -> Value {
        serde_json::to_value(self).expect("a checkpoint has text keys and serialisable values only")
    }

    /// Reads the stored form; the error says in words what is wrong.
    pub(super) fn from_value(value: &Value) -> Result<Self, String> {
        let read = Self::deserialize(value).map_err(|error| error.to_string())?;
        if read.version == VERSION {
            Ok(read)
        } else {
            Err(format!("version {} is not known", read.version))
        }
    }
}
