//! Our own folder, for files that were fetched, joined or converted. A file appears under its name
//! when it is whole. Names are digests of tokens: a list of the folder opens nothing.

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use sha2::{Digest, Sha256};
use tempfile::{Builder, NamedTempFile};

use crate::model::recording::AudioFormat;
use crate::store::StoreHandle;

/// The ending of files that are still written.
const UNFINISHED: &str = ".part";

/// A file that belongs to no recording is removed when it is older than this: younger ones may be
/// about to be told of.
const LEFT_BEHIND_AFTER: Duration = Duration::from_secs(86_400);

/// Our folder.
#[derive(Debug, Clone)]
pub(super) struct Shelf(PathBuf);

impl Shelf {
    pub(super) fn new(folder: &Path) -> Self {
        Self(folder.to_owned())
    }

    /// Begins a file.
    pub(super) fn begin(&self) -> io::Result<NamedTempFile> {
        use std::os::unix::fs::DirBuilderExt;
        let mut folder = std::fs::DirBuilder::new();
        folder.recursive(true).mode(0o750).create(&self.0)?;
        Builder::new().suffix(UNFINISHED).tempfile_in(&self.0)
    }

    /// Puts a whole file in its place; returns its name. It is on disk when this returns.
    pub(super) fn put(
        &self,
        file: NamedTempFile,
        token: &str,
        format: AudioFormat,
    ) -> io::Result<String> {
        file.as_file().sync_all()?;
        let digest: String = Sha256::digest(token.as_bytes())
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let name = format!("{digest}.{}", format.extension());
        file.persist(self.0.join(&name))
            .map_err(|error| error.error)?;
        std::fs::File::open(&self.0)?.sync_all()?;
        Ok(name)
    }

    /// Returns where a file lies.
    pub(super) fn folder(&self) -> &Path {
        &self.0
    }

    /// Removes a file; one that is gone already is no error.
    pub(super) fn remove(&self, name: &str) -> io::Result<()> {
        match std::fs::remove_file(self.0.join(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Removes what no recording speaks of: what a process that was killed had begun, and the
    /// files of calls that were forgotten. Returns how many those were.
    pub(super) async fn tidy(&self, store: &StoreHandle, now: SystemTime) -> io::Result<u64> {
        let mut removed = 0;
        let mut files = match tokio::fs::read_dir(&self.0).await {
            Ok(files) => files,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
            Err(error) => return Err(error),
        };
        while let Some(file) = files.next_entry().await? {
            let name = file.file_name();
            let Some(name) = name.to_str() else { continue };
            let data = file.metadata().await?;
            let age = data
                .modified()
                .ok()
                .and_then(|at| now.duration_since(at).ok());
            if !data.is_file() || age.is_none_or(|age| age < LEFT_BEHIND_AFTER) {
                continue;
            }
            if name.ends_with(UNFINISHED) || is_left_behind(store, name).await {
                tokio::fs::remove_file(file.path()).await?;
                removed += 1;
            }
        }
        Ok(removed)
    }
}

/// Says whether a file of ours has no recording. What is no name of ours is left alone.
async fn is_left_behind(store: &StoreHandle, name: &str) -> bool {
    let Some(digest) = digest_in(name) else {
        return false;
    };
    let known = store.recording_of_digest(digest).await;
    match known {
        Ok(Some(recording)) => recording.kept_file() != Some(name),
        Ok(None) => true,
        // Rather a file too many than one too few.
        Err(_) => false,
    }
}

fn digest_in(name: &str) -> Option<[u8; 32]> {
    let (digest, _) = name.split_once('.')?;
    if digest.len() != 64 || !digest.is_ascii() {
        return None;
    }
    let mut bytes = [0; 32];
    for (byte, place) in bytes.iter_mut().zip(0..) {
        let from = 2 * place;
        *byte = u8::from_str_radix(digest.get(from..from + 2)?, 16).ok()?;
    }
    Some(bytes)
}
