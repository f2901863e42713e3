//! One try to bring a recording to where it can be played: every file that the phone system named
//! is found, seen to be whole, and brought into one that browsers play.

use std::fs::File;
use std::io::{self, Seek};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use reqwest::Client;
use tempfile::NamedTempFile;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use url::Url;

use super::convert::{self, Input};
use super::folder::{self, Found};
use super::shelf::Shelf;
use super::sound::{self, Sound};
use super::wav::{self, Samples};
use super::way::{Way, ways};
use super::web::{self, Length, Server};
use crate::clock::SharedClock;
use crate::model::recording::{
    AudioFile, AudioFormat, FilePlace, Recording, RecordingKeeping, RecordingPlace, RecordingRoot,
};
use crate::model::timestamp::Timestamp;

/// How long a file must stay as it is to count as whole (`pbx/asterisk.md` §2 "Recordings").
const STILL_FOR: Duration = Duration::from_secs(2);

/// A file that nobody wrote to for so long is whole without a second look.
const OLD_AFTER: Duration = Duration::from_secs(60);

/// A server that tells no lengths is believed to have whole files so long after the call.
const UNTOLD_AFTER: Duration = Duration::from_secs(30);

/// A call with several recordings waits so long for all of them, then goes on with those that are
/// there.
const ALL_PARTS_WITHIN: Duration = Duration::from_secs(3600);

/// What a try came to.
pub(super) enum Sought {
    /// It can be played. What is worth telling about it.
    Ready(AudioFile, Option<String>),
    /// It is not there yet, or not whole: why.
    NotYet(String),
    /// It is there, or ought to be, and something must be done by a person: what.
    Stuck(String),
}

/// What is needed for a try.
#[derive(Clone)]
pub(super) struct Seeker {
    pub(super) client: Client,
    pub(super) clock: SharedClock,
    pub(super) keeping: Arc<RecordingKeeping>,
    /// One conversion at a time: it takes a whole core.
    pub(super) converting: Arc<Semaphore>,
}

/// A file that was found whole.
struct Piece {
    file: File,
    name: String,
    sound: Sound,
    bytes: u64,
    from: From,
}

/// Where a piece comes from.
enum From {
    Folder(Way),
    Web(NamedTempFile),
}

/// Why a piece is not there.
enum Without {
    NotYet(String),
    Stuck(String),
}

impl std::convert::From<io::Error> for Without {
    fn from(error: io::Error) -> Self {
        Without::Stuck(error.to_string())
    }
}

impl Seeker {
    /// Tries once.
    pub(super) async fn seek(&self, recording: &Recording, roots: &[RecordingRoot]) -> Sought {
        let mut pieces = Vec::new();
        let mut without = None;
        for name in &recording.names {
            match self.piece(name, recording, roots).await {
                Ok(piece) => pieces.push(piece),
                Err(why) => without = without.or(Some(why)),
            }
        }
        let waits = self.since(recording.ended_at) < ALL_PARTS_WITHIN || pieces.is_empty();
        let remark = match without {
            Some(Without::NotYet(why)) if waits => return Sought::NotYet(why),
            Some(Without::Stuck(why)) if waits => return Sought::Stuck(why),
            Some(Without::NotYet(why) | Without::Stuck(why)) => {
                Some(format!("a part of the recording is missing: {why}"))
            }
            None => None,
        };
        match self.make_playable(pieces, recording).await {
            Ok(file) => Sought::Ready(file, remark),
            Err(why) => Sought::Stuck(why),
        }
    }

    fn since(&self, then: Timestamp) -> Duration {
        self.clock.now().since(then)
    }

    /// Finds one of the named files, whole.
    async fn piece(
        &self,
        name: &str,
        recording: &Recording,
        roots: &[RecordingRoot],
    ) -> Result<Piece, Without> {
        let mut trouble = None;
        for root in roots {
            let found = match &root.place {
                RecordingPlace::Folder(path) => {
                    let ways = ways(name, root, recording.started_at);
                    self.in_folder(path, ways).await
                }
                RecordingPlace::Web {
                    url,
                    user,
                    secret,
                    key_header,
                } => {
                    let server = Server {
                        user: user.as_deref(),
                        secret: secret.as_ref(),
                        key_header: key_header.as_deref(),
                    };
                    self.on_web(server, &addresses(name, root, url, recording), recording)
                        .await
                }
            };
            match found {
                Ok(Some(piece)) => return Ok(piece),
                Ok(None) => {}
                Err(why) => trouble = trouble.or(Some(why)),
            }
        }
        Err(trouble.unwrap_or_else(|| {
            let known = roots.iter().any(|root| is_known(name, root, recording));
            match known {
                true => Without::NotYet(format!("{name:?} is not there")),
                false => Without::Stuck(format!(
                    "{name:?} lies in none of the folders that are set for the recordings of {} \
                     (sources.recordings): name its folder, or what the phone system calls it \
                     (pbx_path)",
                    recording.communication.source
                )),
            }
        }))
    }

    async fn in_folder(
        &self,
        root: &std::path::Path,
        ways: Vec<Way>,
    ) -> Result<Option<Piece>, Without> {
        if ways.is_empty() {
            return Ok(None);
        }
        let path = root.to_owned();
        let opened = spawn_blocking(move || open_first(&path, ways)).await;
        let opened = opened.map_err(|error| Without::Stuck(error.to_string()))?;
        let opened = opened.map_err(|error| {
            let folder = root.display();
            Without::Stuck(format!(
                "cannot read in {folder}: {error}; the user that Trunkline runs as must be \
                 permitted to"
            ))
        })?;
        let Some((way, Found { file, sight })) = opened else {
            return Ok(None);
        };
        let name = way.file_name().to_owned();
        let now = SystemTime::UNIX_EPOCH
            + Duration::from_millis(u64::try_from(self.clock.now().as_millis()).unwrap_or(0));
        let age = now.duration_since(sight.written_at).unwrap_or_default();
        if age < OLD_AFTER {
            tokio::time::sleep(STILL_FOR).await;
            if folder::look(&file)? != sight {
                return Err(Without::NotYet(format!("{name:?} is still written to")));
            }
        }
        self.heard(file, name, sight.bytes, From::Folder(way))
            .await
            .map(Some)
    }

    async fn on_web(
        &self,
        server: Server<'_>,
        addresses: &[Url],
        recording: &Recording,
    ) -> Result<Option<Piece>, Without> {
        for address in addresses {
            let length = server.length(&self.client, address).await;
            let Some(length) = length.map_err(Without::Stuck)? else {
                continue;
            };
            let name = last_part(address);
            let age = self.since(recording.ended_at);
            match length {
                Length::Bytes(_) if age < OLD_AFTER => {
                    tokio::time::sleep(STILL_FOR).await;
                    let later = server.length(&self.client, address).await;
                    if later.map_err(Without::Stuck)? != Some(length) {
                        return Err(Without::NotYet(format!("{name:?} is still written to")));
                    }
                }
                Length::Untold if age < UNTOLD_AFTER => {
                    return Err(Without::NotYet(
                        "the phone system's web server tells no lengths: half a minute after the \
                         call the file counts as whole"
                            .to_owned(),
                    ));
                }
                Length::Bytes(_) | Length::Untold => {}
            }
            let mut file = self.begin()?;
            let fetched = server.fetch(&self.client, address, &mut file).await;
            let Some(bytes) = fetched.map_err(Without::Stuck)? else {
                continue;
            };
            if let Length::Bytes(told) = length
                && told != bytes
            {
                return Err(Without::NotYet(format!("{name:?} did not come whole")));
            }
            let handle = file.reopen()?;
            let piece = self.heard(handle, name, bytes, From::Web(file)).await?;
            return Ok(Some(piece));
        }
        Ok(None)
    }

    /// Looks into a whole file.
    async fn heard(
        &self,
        mut file: File,
        name: String,
        bytes: u64,
        from: From,
    ) -> Result<Piece, Without> {
        let looked = spawn_blocking(move || {
            let sound = sound::look(&mut file)?;
            // Whoever reads it next begins at its begin.
            file.rewind()?;
            Ok::<_, io::Error>((file, sound))
        });
        let looked = looked
            .await
            .map_err(|error| Without::Stuck(error.to_string()))?;
        match looked? {
            (_, None) => Err(Without::NotYet(format!(
                "there is nothing to hear in {name:?}"
            ))),
            (file, Some(sound)) => Ok(Piece {
                sound: match sound {
                    // Loudness that happens to look like a frame's mark.
                    Sound::Mp3 if convert::is_raw(&name) => Sound::Other,
                    sound => sound,
                },
                file,
                name,
                bytes,
                from,
            }),
        }
    }

    /// Begins a file of ours, unless the disk is full.
    fn begin(&self) -> io::Result<NamedTempFile> {
        let shelf = Shelf::new(&self.keeping.folder);
        let file = shelf.begin().map_err(|error| {
            let folder = shelf.folder().display();
            io::Error::other(format!("cannot keep files in {folder}: {error}"))
        })?;
        let disk = rustix::fs::fstatvfs(file.as_file())?;
        if disk.f_bavail.saturating_mul(disk.f_frsize) < self.keeping.free_bytes_min {
            let folder = shelf.folder().display();
            return Err(io::Error::other(format!("the disk of {folder} is full")));
        }
        Ok(file)
    }

    /// Brings the pieces into one file that browsers play.
    async fn make_playable(
        &self,
        pieces: Vec<Piece>,
        recording: &Recording,
    ) -> Result<AudioFile, String> {
        let all_plain: Option<Vec<Samples>> = pieces
            .iter()
            .map(|piece| match &piece.sound {
                Sound::Wav(samples) if samples.is_plain() => Some(samples.clone()),
                Sound::Wav(_) | Sound::Mp3 | Sound::Other => None,
            })
            .collect();
        let format = match (&all_plain, &pieces[..]) {
            (Some(_), _) => Some(AudioFormat::Wav),
            (None, [one]) if one.sound == Sound::Mp3 => Some(AudioFormat::Mp3),
            (None, _) => None,
        };
        if let (Some(format), true) = (format, pieces.len() == 1) {
            let mut pieces = pieces;
            return match pieces.pop() {
                Some(piece) => self.as_it_is(piece, format, recording),
                None => Err("there is no file".to_owned()),
            };
        }
        let into = self.begin().map_err(|error| error.to_string())?;
        let (into, format) = match all_plain {
            Some(samples) if wav::go_together(&samples) => {
                let parts = pieces.into_iter().map(|piece| piece.file).zip(samples);
                let joined = join(parts.collect(), into).await;
                (joined.map_err(|error| error.to_string())?, AudioFormat::Wav)
            }
            Some(_) | None => (self.convert(pieces, into).await?, AudioFormat::Mp3),
        };
        self.keep(into, format, recording)
    }

    /// Leaves a file where the phone system wrote it, or keeps one that was fetched.
    fn as_it_is(
        &self,
        piece: Piece,
        format: AudioFormat,
        recording: &Recording,
    ) -> Result<AudioFile, String> {
        match piece.from {
            From::Folder(way) => Ok(AudioFile {
                place: FilePlace::Source {
                    path: way.to_string(),
                },
                format,
                bytes: piece.bytes,
            }),
            From::Web(file) => self.keep(file, format, recording),
        }
    }

    fn keep(
        &self,
        file: NamedTempFile,
        format: AudioFormat,
        recording: &Recording,
    ) -> Result<AudioFile, String> {
        let kept = (|| {
            let bytes = file.as_file().metadata()?.len();
            let name = Shelf::new(&self.keeping.folder).put(file, &recording.token, format)?;
            Ok::<_, io::Error>((name, bytes))
        })();
        let (name, bytes) = kept.map_err(|error| format!("cannot keep the file: {error}"))?;
        Ok(AudioFile {
            place: FilePlace::Us { name },
            format,
            bytes,
        })
    }

    async fn convert(
        &self,
        pieces: Vec<Piece>,
        into: NamedTempFile,
    ) -> Result<NamedTempFile, String> {
        let mut inputs = Vec::new();
        for piece in pieces {
            let demuxer = match piece.sound {
                Sound::Wav(_) => convert::demuxer("a.wav"),
                Sound::Mp3 => convert::demuxer("a.mp3"),
                Sound::Other => convert::demuxer(&piece.name),
            };
            let Some(demuxer) = demuxer else {
                return Err(format!(
                    "browsers do not play {:?}, and its ending does not tell how to convert it",
                    piece.name
                ));
            };
            inputs.push(Input {
                file: piece.file,
                demuxer,
            });
        }
        let _turn = self.converting.acquire().await;
        convert::to_mp3(&self.keeping.ffmpeg, inputs, into.path()).await?;
        // Of a file that breaks off behind its head ffmpeg makes nothing, and calls that done.
        let made = into.reopen().and_then(|mut made| sound::look(&mut made));
        match made.map_err(|error| error.to_string())? {
            Some(Sound::Mp3) => Ok(into),
            Some(_) | None => Err("ffmpeg found nothing to hear in it".to_owned()),
        }
    }
}

/// Opens the file at the first way where there is one. What is in the way of one does not hide the
/// others.
fn open_first(root: &std::path::Path, ways: Vec<Way>) -> io::Result<Option<(Way, Found)>> {
    let mut trouble = None;
    for way in ways {
        match folder::open(root, &way) {
            Ok(Some(found)) => return Ok(Some((way, found))),
            Ok(None) => {}
            Err(error) => trouble = trouble.or(Some(error)),
        }
    }
    match trouble {
        Some(error) => Err(error),
        None if root.is_dir() => Ok(None),
        None => Err(io::Error::other("there is no such folder")),
    }
}

async fn join(mut parts: Vec<(File, Samples)>, into: NamedTempFile) -> io::Result<NamedTempFile> {
    let joining = spawn_blocking(move || {
        let mut into = into;
        wav::join(&mut parts, into.as_file_mut()).map(|()| into)
    });
    joining.await.map_err(io::Error::other)?
}

/// Returns the addresses at which a named file may lie on a server.
fn addresses(name: &str, root: &RecordingRoot, url: &Url, recording: &Recording) -> Vec<Url> {
    match web::address(name, url) {
        Some(address) => vec![address],
        None => ways(name, root, recording.started_at)
            .iter()
            .filter_map(|way| web::address_of(way, url))
            .collect(),
    }
}

/// Says whether a name can be one of a root's at all.
fn is_known(name: &str, root: &RecordingRoot, recording: &Recording) -> bool {
    match &root.place {
        RecordingPlace::Folder(_) => !ways(name, root, recording.started_at).is_empty(),
        RecordingPlace::Web { url, .. } => !addresses(name, root, url, recording).is_empty(),
    }
}

fn last_part(address: &Url) -> String {
    let part = address
        .path_segments()
        .and_then(|mut parts| parts.next_back());
    part.unwrap_or_default().to_owned()
}
