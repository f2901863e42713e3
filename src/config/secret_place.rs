//! Fetches secrets from where the configuration says they lie: a file, or a systemd credential.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::model::seal::StoreKey;
use crate::model::secret::{Secret, Secrets};

use super::key_path::KeyPath;
use super::mistake::Findings;
use super::raw::RawSecret;
use super::suggestion;

/// Longest secret that is read, in bytes: a token of a few kilobytes or a chain of certificates
/// fits; a file named by mistake does not fill the memory.
const SECRET_BYTES_MAX: u64 = 64 * 1024;

/// Where systemd keeps the running service's credentials (`systemd.exec(5)`).
const SERVICE_CREDENTIALS: &str = "/run/credentials/trunkline.service";

/// What of the process's surroundings a configuration depends on.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    /// Where systemd put the service's credentials (`$CREDENTIALS_DIRECTORY`).
    pub credentials_dir: Option<PathBuf>,
}

impl Environment {
    /// Takes what systemd handed to this process; a process that it did not start (an
    /// administrator's `check-config`) takes what the running service has, where it may read it.
    pub fn of_process() -> Self {
        let handed = std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from);
        Self {
            credentials_dir: handed.or_else(|| {
                let service = PathBuf::from(SERVICE_CREDENTIALS);
                fs::read_dir(&service).is_ok().then_some(service)
            }),
        }
    }
}

/// Where a secret lies, as written.
pub(super) enum Place<'a> {
    /// In a file; a relative path starts from the file that names it.
    File(&'a str),
    /// In a systemd credential.
    Credential(&'a str),
}

impl<'a> Place<'a> {
    /// Chooses the one that is given; `Err` names the mistake where it is not exactly one.
    pub(super) fn one_of(
        file: Option<&'a str>,
        credential: Option<&'a str>,
    ) -> Result<Option<Self>, &'static str> {
        match (file, credential) {
            (Some(file), None) => Ok(Some(Place::File(file))),
            (None, Some(name)) => Ok(Some(Place::Credential(name))),
            (None, None) => Ok(None),
            (Some(_), Some(_)) => Err("name a file or a credential, not both"),
        }
    }
}

/// What seals are bound to besides their names.
const SEALED_IN: &str = "tenants.d";

/// Whose secrets are read, for those that are sealed: each opens in its own place only.
#[derive(Clone, Copy)]
pub(super) struct Owner<'a> {
    /// The tenant.
    pub(super) tenant: &'a str,
    /// The list of its file.
    pub(super) list: &'static str,
    /// The item of the list.
    pub(super) id: &'a str,
}

impl Owner<'_> {
    /// Returns what a secret of this owner is sealed under.
    fn seal_name(&self, secret: &str) -> String {
        format!("{}/{}/{}/{secret}", self.tenant, self.list, self.id)
    }

    /// Seals a secret that somebody typed, as a file takes it.
    pub(super) fn seal(&self, key: &StoreKey, name: &str, secret: &Secret) -> String {
        STANDARD.encode(key.seal(SEALED_IN, &self.seal_name(name), secret))
    }

    fn open(&self, key: &StoreKey, name: &str, sealed: &str) -> Option<Secret> {
        let row = STANDARD.decode(sealed).ok()?;
        key.open(SEALED_IN, &self.seal_name(name), &row)
    }
}

/// With what secrets are read.
#[derive(Clone, Copy)]
pub(super) struct Opener<'a> {
    /// Where systemd's credentials lie.
    pub(super) environment: &'a Environment,
    /// The key of the store; `None` where the daemon's file has mistakes, which are told already.
    pub(super) key: Option<&'a StoreKey>,
}

/// Reads a secret; a last line break is no part of it. Warns where other users can read the file.
/// Returns `None` after adding the mistake.
pub(super) fn fetch(
    findings: &mut Findings<'_>,
    path: &KeyPath,
    place: &Place<'_>,
    environment: &Environment,
) -> Option<Secret> {
    let file = match place {
        Place::File(file) => findings.folder().join(file),
        Place::Credential(name) => {
            let found = credential_file(name, environment);
            findings.take(path, found)?
        }
    };
    let read = read(&file);
    let (secret, mode) = findings.take(path, read)?;
    if matches!(place, Place::File(_)) && mode & 0o007 != 0 {
        findings.warning(
            path,
            format!(
                "every user of this machine can reach {}: chmod o= it",
                file.display()
            ),
        );
    }
    Some(secret)
}

fn credential_file(name: &str, environment: &Environment) -> Result<PathBuf, String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    if name.is_empty() || name.starts_with('.') || !name.chars().all(plain) {
        return Err("a credential's name has only letters, digits, '.', '-' and '_'".to_owned());
    }
    let folder = environment.credentials_dir.as_ref().ok_or_else(|| {
        format!(
            "there is no credential {name:?}: the service was started without credentials; \
             add LoadCredential={name}:… to its unit, or name a file instead"
        )
    })?;
    Ok(folder.join(name))
}

fn read(path: &Path) -> Result<(Secret, u32), String> {
    let failed = |error: std::io::Error| format!("cannot read {}: {error}", path.display());
    let metadata = fs::metadata(path).map_err(failed)?;
    if !metadata.is_file() {
        return Err(format!("{} is not a file", path.display()));
    }
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(SECRET_BYTES_MAX + 1).read_to_end(&mut bytes))
        .map_err(failed)?;
    if bytes.len() as u64 > SECRET_BYTES_MAX {
        return Err(format!(
            "{} is longer than {SECRET_BYTES_MAX} bytes: no secret is",
            path.display()
        ));
    }
    let text = String::from_utf8(bytes)
        .map(Zeroizing::new)
        .map_err(|_| format!("{} is not a text in UTF-8", path.display()))?;
    let trimmed = text.trim_end_matches(['\n', '\r']);
    if trimmed.is_empty() {
        return Err(format!("{} is empty", path.display()));
    }
    Ok((
        Secret::new(trimmed.to_owned()),
        metadata.permissions().mode(),
    ))
}

/// Why a sealed secret is none.
const NOT_OPENED: &str = "cannot be opened: it was sealed with another key of the store or for another \
                          place; type it in again on the pages, or name a file";

/// The secrets of one source or account.
pub(super) struct Fetched {
    /// Those that could be read.
    pub(super) secrets: Secrets,
    /// Those that are named but could not be read, or will not do: what the kind says about their
    /// absence is no news.
    pub(super) failed: Vec<String>,
}

/// Fetches a table of secrets; names that are not known are mistakes.
pub(super) fn fetch_all(
    findings: &mut Findings<'_>,
    table: &KeyPath,
    raw: &BTreeMap<String, RawSecret>,
    known: &[&str],
    opener: Opener<'_>,
    owner: Owner<'_>,
) -> Fetched {
    let mut fetched = Fetched {
        secrets: Secrets::default(),
        failed: Vec::new(),
    };
    for (name, place) in raw {
        let path = table.key(name);
        if !known.contains(&name.as_str()) {
            let hint = suggestion::hint(name, known.iter().copied());
            findings.mistake(&path, format!("there is no such secret; {hint}"));
            continue;
        }
        let sealed = place.sealed.as_deref();
        let place = Place::one_of(place.file.as_deref(), place.credential.as_deref());
        let place = place.and_then(|place| match (&place, sealed) {
            (Some(_), Some(_)) => {
                Err("it is sealed here: name no file and no credential beside it")
            }
            _ => Ok(place),
        });
        let secret = match (findings.take(&path, place), sealed) {
            (Some(None), Some(sealed)) => opener.key.and_then(|key| {
                let opened = owner.open(key, name, sealed);
                findings.take(&path, opened.ok_or(NOT_OPENED))
            }),
            (Some(Some(place)), _) => fetch(findings, &path, &place, opener.environment),
            (Some(None), None) => {
                findings.mistake(
                    &path,
                    "say where it lies: file = \"…\" or credential = \"…\"",
                );
                None
            }
            (None, _) => None,
        };
        match secret {
            Some(secret) => fetched.secrets.insert(name, secret),
            None => fetched.failed.push(name.clone()),
        }
    }
    fetched
}
