//! Backups: the store of one moment and the files of the configuration, in one archive.
//!
//! `manifest.json`, `store.redb`, `etc/…`, as a tar.gz. The manifest comes first and names everything
//! else with its digest. No secret lies in it but those in the store and those that were typed into
//! companies' files, which are sealed with the store's key; neither the key nor any other secret file is part of it.

mod archive;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::Mutex;

use crate::clock::SharedClock;
use crate::store::StoreHandle;

pub use self::archive::{BadArchive, Manifest, unpack};

/// Returns the files of the configuration, by their names below its folder.
pub type ConfigurationFiles = Arc<dyn Fn() -> Vec<(String, Vec<u8>)> + Send + Sync>;

/// Makes backups of a running daemon.
pub struct Archivist {
    /// The store.
    pub store: StoreHandle,
    /// The time of day.
    pub clock: SharedClock,
    /// Where the copy is made before it is packed: the store's folder.
    pub folder: PathBuf,
    /// So much must be free afterwards, in bytes.
    pub free_bytes_min: u64,
    /// The configuration.
    pub configuration: ConfigurationFiles,
    /// Held while one is made: two at once would fill the disk that each found to be large enough.
    pub turn: Mutex<()>,
}

/// What the folder of an unfinished copy is called at first.
const UNFINISHED: &str = ".backup-";

impl Archivist {
    /// Makes an archive. The file has no name: it is gone when nobody holds it any more.
    ///
    /// # Errors
    /// Why there is none, in words.
    pub async fn make(&self) -> Result<File, String> {
        let Ok(_turn) = self.turn.try_lock() else {
            return Err("another backup is being made: ask again when it is there".to_owned());
        };
        let folder = self.folder.clone();
        blocking(move || remove_unfinished(&folder)).await?;
        let figures = self
            .store
            .figures()
            .await
            .map_err(|error| error.to_string())?;
        let folder = self.folder.clone();
        let free = blocking(move || {
            let disk = rustix::fs::statvfs(&folder).map_err(|error| error.to_string())?;
            Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
        });
        // The copy and the archive of it, at the worst.
        let needed = figures
            .file_bytes
            .saturating_mul(2)
            .saturating_add(self.free_bytes_min);
        let free = free.await?;
        if free < needed {
            return Err(format!(
                "a backup needs {} MiB on the disk of {}, and {} are free",
                needed / 1024 / 1024,
                self.folder.display(),
                free / 1024 / 1024
            ));
        }
        let copy = tempfile::Builder::new()
            .prefix(UNFINISHED)
            .tempdir_in(&self.folder)
            .map_err(|error| format!("make a folder in {}: {error}", self.folder.display()))?;
        let path = copy.path().join("store.redb");
        let made_at = self.clock.now();
        let copied = self.store.copy_to(path.clone()).await;
        copied.map_err(|error| error.to_string())??;
        let (configuration, folder) = (Arc::clone(&self.configuration), self.folder.clone());
        let manifest = Manifest::new(made_at, &figures);
        blocking(move || {
            let file = tempfile::tempfile_in(&folder).map_err(|error| error.to_string())?;
            let packed = archive::pack(file, manifest, &path, configuration());
            // Gone as soon as it is packed.
            drop(copy);
            packed.map_err(|error| error.to_string())
        })
        .await
    }
}

/// Removes copies that a process which was killed had begun. Called only where none is being made.
///
/// # Errors
/// The folder cannot be read, or a copy in it not be removed.
pub fn remove_unfinished(folder: &Path) -> Result<(), String> {
    let told = |error: std::io::Error| format!("clear up {}: {error}", folder.display());
    for entry in std::fs::read_dir(folder).map_err(told)? {
        let entry = entry.map_err(told)?;
        let is_ours = entry.file_name().to_string_lossy().starts_with(UNFINISHED);
        if is_ours && entry.file_type().map_err(told)?.is_dir() {
            std::fs::remove_dir_all(entry.path()).map_err(told)?;
        }
    }
    Ok(())
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, String> + Send + 'static,
) -> Result<T, String> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| error.to_string())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_process_left_of_a_copy_is_removed_and_nothing_else() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        std::fs::create_dir(at(".backup-k1ll3d")).expect("made");
        std::fs::write(at(".backup-k1ll3d/store.redb"), "half").expect("written");
        std::fs::create_dir(at("recordings")).expect("made");
        std::fs::write(at("trunkline.redb"), "rows").expect("written");
        remove_unfinished(folder.path()).expect("removed");
        assert!(!at(".backup-k1ll3d").exists());
        assert!(at("recordings").exists() && at("trunkline.redb").exists());
        remove_unfinished(&at("nowhere")).expect_err("it is not there");
    }
}
