//! The recordings of calls as files, for a CRM that cannot fetch them from us. Where they lie is not
//! known here.

use std::fs::File;

use futures_util::future::BoxFuture;

use crate::model::ids::CommunicationKey;
use crate::model::recording::AudioFormat;

/// Opens recordings.
pub trait RecordingFiles: Send + Sync {
    /// Opens the recording of a call, whole and in a form that is played everywhere.
    fn open(&self, call: CommunicationKey)
    -> BoxFuture<'_, Result<RecordingFile, NoRecordingFile>>;
}

/// A recording that was opened.
#[derive(Debug)]
pub struct RecordingFile {
    /// The file, at its begin.
    pub file: File,
    /// How it is written.
    pub format: AudioFormat,
    /// Its length in bytes.
    pub bytes: u64,
}

/// Why a recording cannot be opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoRecordingFile {
    /// It is there no more.
    #[error("{0}")]
    Gone(String),
    /// It cannot be read at present.
    #[error("{0}")]
    NotNow(String),
}
