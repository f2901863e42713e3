//! The recording of a call: where a source keeps its files, and what became of one.

use std::path::PathBuf;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

use super::ids::CommunicationKey;
use super::secret::Secret;
use super::timestamp::Timestamp;

/// A place where a source's recordings lie. Nothing outside the configured places is ever read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordingRoot {
    /// Where.
    pub place: RecordingPlace,
    /// What the phone system calls this place, where its names are absolute paths of its own:
    /// `/var/spool/asterisk/monitor`.
    pub pbx_path: Option<String>,
}

/// How a place is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordingPlace {
    /// A folder of this machine.
    Folder(PathBuf),
    /// A folder that a web server shows.
    Web {
        /// Its address, with a slash at the end.
        url: Url,
        /// The user's name for HTTP Basic; without one the secret is a bearer token.
        user: Option<String>,
        /// Password or token.
        secret: Option<Secret>,
        /// The header that takes the secret, where it is neither a password nor a bearer token.
        key_header: Option<String>,
    },
}

/// How recordings are kept, for all sources alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordingKeeping {
    /// Our own folder, for files that were fetched or converted.
    pub folder: PathBuf,
    /// How long after its call a recording is kept and served.
    pub keep: Duration,
    /// How long after its call the public address opens; `None` = for as long as it is kept.
    pub link_life: Option<Duration>,
    /// How long a recording that is not there is looked for.
    pub seek: Duration,
    /// The program that converts: a name on the path, or a file.
    pub ffmpeg: PathBuf,
    /// Nothing is put into the folder while less than this is free on its disk, in bytes.
    pub free_bytes_min: u64,
}

/// How the sound of a file is written, of what every browser plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AudioFormat {
    /// MP3.
    Mp3,
    /// WAV with plain samples.
    Wav,
}

impl AudioFormat {
    /// Returns the media type.
    pub fn content_type(self) -> &'static str {
        match self {
            AudioFormat::Mp3 => "audio/mpeg",
            AudioFormat::Wav => "audio/wav",
        }
    }

    /// Returns the ending of file names.
    pub fn extension(self) -> &'static str {
        match self {
            AudioFormat::Mp3 => "mp3",
            AudioFormat::Wav => "wav",
        }
    }
}

/// Where the file lies that is played.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kept_by", rename_all = "snake_case")]
pub enum FilePlace {
    /// Where the phone system wrote it: a way below one of the source's folders, with `/` between
    /// its parts.
    Source {
        /// The way.
        path: String,
    },
    /// In our own folder, because it was fetched, joined or converted.
    Us {
        /// Its name there.
        name: String,
    },
}

/// A recording that can be played.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AudioFile {
    /// Where it lies.
    pub place: FilePlace,
    /// How it is written.
    pub format: AudioFormat,
    /// How long it was when it was found, in bytes.
    pub bytes: u64,
}

/// What became of the recording of a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum RecordingState {
    /// It is looked for, waited for, fetched or converted.
    Sought {
        /// How often that was tried in vain.
        attempts: u32,
        /// Why it is not there yet.
        why: Option<String>,
    },
    /// It can be played.
    Ready {
        /// Since when.
        at: Timestamp,
        /// The file.
        file: AudioFile,
        /// The CRMs were given its address, or none takes it. False while there is no address.
        told: bool,
    },
    /// It was given up.
    Missing {
        /// When.
        at: Timestamp,
        /// Why.
        reason: String,
    },
    /// It was there, and was kept for as long as was wished.
    Forgotten {
        /// Since when.
        at: Timestamp,
    },
}

/// The recording of one call. A call has one, however many files the phone system wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recording {
    /// The call.
    pub communication: CommunicationKey,
    /// The last part of its public address: 128 random bits, the same for ever.
    pub token: String,
    /// The files that the phone system named, in order.
    pub names: Vec<String>,
    /// When the call began: tells folders that are named by the day.
    pub started_at: Timestamp,
    /// When the call was over: all deadlines are counted from here.
    pub ended_at: Timestamp,
    /// What became of it.
    pub state: RecordingState,
    /// When something is to be done about it again; `None` = nothing more.
    pub due: Option<Timestamp>,
}

impl Recording {
    /// Returns the name of its file in our own folder, where that is what is played.
    pub fn kept_file(&self) -> Option<&str> {
        match &self.state {
            RecordingState::Ready { file, .. } => match &file.place {
                FilePlace::Us { name } => Some(name),
                FilePlace::Source { .. } => None,
            },
            RecordingState::Sought { .. }
            | RecordingState::Missing { .. }
            | RecordingState::Forgotten { .. } => None,
        }
    }

    /// Returns how a CRM comes by it, or will: from its public address, or by being handed the file
    /// where there is none or that is wished. `None` for one that was given up.
    pub fn address(&self, public: Option<&Url>, upload: bool) -> Option<RecordingAddress> {
        let ready = match &self.state {
            RecordingState::Sought { .. } => false,
            RecordingState::Ready { .. } => true,
            RecordingState::Missing { .. } | RecordingState::Forgotten { .. } => return None,
        };
        let link = public.map(|public| {
            let base = public.as_str().trim_end_matches('/');
            format!("{base}/r/{}", self.token)
        });
        Some(RecordingAddress {
            link: link.unwrap_or_default(),
            ready,
            upload,
        })
    }
}

/// Characters of a token: 128 bits in base64 without padding.
pub const TOKEN_CHARS: usize = 22;

/// Says whether a text has the form of a token, so that anything else is refused without a look
/// into the store.
pub fn is_token(text: &str) -> bool {
    let permitted = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    text.len() == TOKEN_CHARS && text.bytes().all(permitted)
}

/// Where the recording of a call can be played, as a decision sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordingAddress {
    /// The public address; empty where we have none.
    pub link: String,
    /// It can be played now; else it is still looked for.
    pub ready: bool,
    /// The CRM is handed the file itself.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub upload: bool,
}
