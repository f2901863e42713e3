//! The archive's form.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Component, Path};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::model::timestamp::Timestamp;
use crate::store::query::StoreFigures;

/// The form that this version writes, and the highest that it reads.
const FORMAT: u32 = 1;

const MANIFEST: &str = "manifest.json";
const STORE: &str = "store.redb";
/// Before the names of the configuration's files.
const ETC: &str = "etc/";

/// Longest manifest, and longest file of the configuration.
const SMALL_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// What an archive holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Its form.
    pub format: u32,
    /// The version that made it.
    pub version: String,
    /// When the copy was begun: what it holds is at least this new.
    pub made_at: Timestamp,
    /// Communications in the store.
    pub communications: u64,
    /// Works that were not over.
    pub open_works: u64,
    /// Everything else, with length and SHA-256.
    pub files: BTreeMap<String, Packed>,
}

/// A file of an archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Packed {
    /// Its length.
    pub bytes: u64,
    /// Its digest, in hexadecimal digits.
    pub sha256: String,
}

/// Why an archive cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BadArchive {
    /// It cannot be read or unpacked.
    #[error("the archive cannot be read: {0}")]
    Io(#[from] io::Error),
    /// It is none of ours, was cut off or changed.
    #[error("the archive is damaged or none of ours: {0}")]
    Damaged(String),
    /// A later version made it.
    #[error(
        "the archive has form {found}, this version reads up to {FORMAT}: install the version that made it, or a later one"
    )]
    Newer {
        /// Its form.
        found: u32,
    },
}

impl Manifest {
    pub(super) fn new(made_at: Timestamp, figures: &StoreFigures) -> Self {
        Self {
            format: FORMAT,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            made_at,
            communications: figures.communications,
            open_works: figures.open_works,
            files: BTreeMap::new(),
        }
    }
}

/// Packs; returns the archive, at its beginning.
pub(super) fn pack(
    into: File,
    mut manifest: Manifest,
    store: &Path,
    configuration: Vec<(String, Vec<u8>)>,
) -> io::Result<File> {
    let mut copy = File::open(store)?;
    manifest
        .files
        .insert(STORE.to_owned(), digest(&mut copy, &mut io::sink())?);
    for (name, bytes) in &configuration {
        let packed = digest(&mut bytes.as_slice(), &mut io::sink())?;
        manifest.files.insert(format!("{ETC}{name}"), packed);
    }
    let mut tar = tar::Builder::new(GzEncoder::new(into, Compression::fast()));
    add(&mut tar, MANIFEST, &serde_json::to_vec_pretty(&manifest)?)?;
    copy.seek(SeekFrom::Start(0))?;
    let mut header = header(copy.metadata()?.len());
    tar.append_data(&mut header, STORE, &mut copy)?;
    for (name, bytes) in &configuration {
        add(&mut tar, &format!("{ETC}{name}"), bytes)?;
    }
    let mut file = tar.into_inner()?.finish()?;
    file.sync_all()?;
    file.seek(SeekFrom::Start(0))?;
    Ok(file)
}

fn header(bytes: u64) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_size(bytes);
    header.set_mode(0o600);
    header
}

fn add<W: Write>(tar: &mut tar::Builder<W>, name: &str, bytes: &[u8]) -> io::Result<()> {
    let mut header = header(bytes.len() as u64);
    tar.append_data(&mut header, name, bytes)
}

/// Copies, and returns length and digest of what was copied.
fn digest(from: &mut impl Read, to: &mut impl Write) -> io::Result<Packed> {
    let mut hash = Sha256::new();
    let mut bytes = 0;
    let mut piece = vec![0; 256 * 1024];
    loop {
        let read = from.read(&mut piece)?;
        let Some(read) = piece.get(..read).filter(|read| !read.is_empty()) else {
            break;
        };
        hash.update(read);
        to.write_all(read)?;
        bytes += read.len() as u64;
    }
    let sha256 = hash.finalize();
    Ok(Packed {
        bytes,
        sha256: sha256.iter().map(|byte| format!("{byte:02x}")).collect(),
    })
}

/// Unpacks the store into `folder/store.redb`, and the configuration below `folder/etc`, all of it
/// checked. The folder must be empty.
///
/// # Errors
/// Why the archive cannot be used. What was unpacked is worth nothing then.
pub fn unpack(archive: &Path, folder: &Path) -> Result<Manifest, BadArchive> {
    let mut tar = tar::Archive::new(GzDecoder::new(File::open(archive)?));
    let mut manifest: Option<Manifest> = None;
    let mut found: BTreeMap<String, Packed> = BTreeMap::new();
    for entry in tar.entries()? {
        let mut entry = entry?;
        let name = entry.path()?.to_string_lossy().into_owned();
        let Some(manifest) = &manifest else {
            if name != MANIFEST {
                return Err(BadArchive::Damaged(
                    "it does not begin with a manifest".to_owned(),
                ));
            }
            manifest = Some(read_manifest(&mut entry)?);
            continue;
        };
        if !manifest.files.contains_key(&name) || found.contains_key(&name) || !is_plain(&name) {
            return Err(BadArchive::Damaged(format!(
                "{name:?} does not belong into it"
            )));
        }
        let path = folder.join(&name);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        let mut options = OpenOptions::new();
        let options = options.write(true).create_new(true).mode(0o600);
        let mut file = options.open(&path)?;
        found.insert(name, digest(&mut entry, &mut file)?);
        file.sync_all()?;
    }
    // What follows the last file says nothing, but that it is there: a copy that was cut off is none.
    std::io::copy(&mut tar.into_inner(), &mut std::io::sink())?;
    let manifest = manifest.ok_or_else(|| BadArchive::Damaged("it is empty".to_owned()))?;
    match manifest
        .files
        .iter()
        .find(|(name, packed)| found.get(*name) != Some(packed))
    {
        Some((name, _)) => Err(BadArchive::Damaged(format!(
            "{name} is not as it was packed"
        ))),
        None if !found.contains_key(STORE) => {
            Err(BadArchive::Damaged("there is no store in it".to_owned()))
        }
        None => Ok(manifest),
    }
}

fn read_manifest(entry: &mut impl Read) -> Result<Manifest, BadArchive> {
    let mut text = Vec::new();
    entry.take(SMALL_BYTES_MAX).read_to_end(&mut text)?;
    let no = |error: serde_json::Error| BadArchive::Damaged(format!("its manifest: {error}"));
    #[derive(Deserialize)]
    struct Form {
        format: u32,
    }
    let form: Form = serde_json::from_slice(&text).map_err(no)?;
    if form.format > FORMAT {
        return Err(BadArchive::Newer { found: form.format });
    }
    serde_json::from_slice(&text).map_err(no)
}

/// The store, or a file below `etc`: nothing that leads elsewhere.
fn is_plain(name: &str) -> bool {
    let mut parts = Path::new(name).components();
    let inside = parts.all(|part| matches!(part, Component::Normal(_)));
    inside && (name == STORE || name.starts_with(ETC))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed(folder: &Path) -> std::path::PathBuf {
        let store = folder.join("live.redb");
        std::fs::write(&store, "rows").expect("written");
        let manifest = Manifest::new(Timestamp::default(), &StoreFigures::default());
        let files = vec![("tenants.d/acme.toml".to_owned(), b"[tenant]".to_vec())];
        let path = folder.join("backup.tar.gz");
        let made = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .open(&path);
        pack(made.expect("made"), manifest, &store, files).expect("packed");
        path
    }

    #[test]
    fn what_was_packed_comes_out_and_a_changed_archive_does_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = packed(folder.path());
        let out = folder.path().join("out");
        std::fs::create_dir(&out).expect("made");
        let manifest = unpack(&path, &out).expect("whole");
        assert_eq!(manifest.files.len(), 2);
        let text = |name: &str| std::fs::read_to_string(out.join(name)).expect("there");
        assert_eq!(text("store.redb"), "rows");
        assert_eq!(text("etc/tenants.d/acme.toml"), "[tenant]");
        let whole = std::fs::read(&path).expect("there");
        for at in (0..whole.len()).step_by(7) {
            let other = tempfile::tempdir().expect("a folder");
            let bad = other.path().join("bad");
            std::fs::write(&bad, &whole[..at]).expect("written");
            let into = other.path().join("out");
            std::fs::create_dir(&into).expect("made");
            assert!(unpack(&bad, &into).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn nothing_leads_out_of_the_folder() {
        for name in [
            "../x",
            "/etc/passwd",
            "etc/../../x",
            "store.redb/..",
            "other",
        ] {
            assert!(!is_plain(name), "{name}");
        }
        assert!(is_plain("etc/tenants.d/acme.toml") && is_plain("store.redb"));
    }
}
