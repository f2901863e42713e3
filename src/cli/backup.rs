//! `trunkline backup` and `trunkline restore`.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, chown};
use std::path::{Path, PathBuf};

use clap::Args;
use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;
use serde_json::json;

use crate::backup::{Manifest, unpack};
use crate::clock::{Clock, SystemClock};
use crate::config;
use crate::store::{CopyReport, StoreKey, inspect_copy, is_in_use, mark_restored};

use super::client::{Client, ClientError};
use super::credentials::Surroundings;
use super::output::Output;
use super::{DONE, FAILED, WRONG};

#[derive(Debug, Args)]
pub(super) struct Backup {
    /// The file to write, such as trunkline-2026-11-21.tar.gz. Must not exist yet.
    file: PathBuf,
}

#[derive(Debug, Args)]
pub(super) struct Restore {
    /// The file that `trunkline backup` wrote.
    file: PathBuf,
    /// Do it. Without it the archive is checked, and what would happen is said.
    #[arg(long)]
    yes: bool,
    /// Put the store that is there aside, under another name.
    #[arg(long)]
    replace: bool,
    /// Only write the files of the configuration into this folder, which must not have them yet.
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["yes", "replace"])]
    config_into: Option<PathBuf>,
}

fn local(what: &str, path: &Path, error: &std::io::Error) -> ClientError {
    ClientError::Local(format!("{what} {}: {error}", path.display()))
}

/// Has the daemon make an archive, writes it and reads it again.
pub(super) async fn make(
    client: &Client,
    wish: &Backup,
    output: &mut Output,
) -> Result<(), ClientError> {
    if wish.file.exists() {
        let why = format!(
            "{} is there already: name another file",
            wish.file.display()
        );
        return Err(ClientError::Wrong(why));
    }
    let mut unfinished = wish.file.clone().into_os_string();
    unfinished.push(".part");
    let unfinished = PathBuf::from(unfinished);
    let mut options = OpenOptions::new();
    let options = options.write(true).create(true).truncate(true).mode(0o600);
    let opened = options.open(&unfinished);
    let mut file = opened.map_err(|error| local("write", &unfinished, &error))?;
    let written = client.download_into("/v1/backup", &mut file).await;
    let manifest = written.and_then(|()| {
        file.sync_all()
            .map_err(|error| local("write", &unfinished, &error))?;
        let (_folder, manifest) = unpacked(&unfinished, wish.file.parent())?;
        let renamed = fs::rename(&unfinished, &wish.file);
        renamed.map_err(|error| local("write", &wish.file, &error))?;
        Ok(manifest)
    });
    let manifest = manifest.inspect_err(|_| drop(fs::remove_file(&unfinished)))?;
    if output.json() {
        output.value(&json!({ "file": wish.file, "manifest": manifest }));
    } else {
        output.line(&format!(
            "{}: {} communication(s), {} open work(s), {} file(s) of configuration, of {}; read back \
             and whole",
            wish.file.display(),
            manifest.communications,
            manifest.open_works,
            manifest.files.len().saturating_sub(1),
            manifest.made_at
        ));
        output
            .line("the store's key and other secret files are not in it: keep them apart from it");
    }
    Ok(())
}

/// Unpacks into a folder that is gone when it is dropped.
fn unpacked(
    archive: &Path,
    beside: Option<&Path>,
) -> Result<(tempfile::TempDir, Manifest), ClientError> {
    let beside = beside.filter(|folder| !folder.as_os_str().is_empty());
    let beside = beside.unwrap_or(Path::new("."));
    let folder = tempfile::Builder::new()
        .prefix(".unpacked-")
        .tempdir_in(beside);
    let folder = folder.map_err(|error| local("write into", beside, &error))?;
    let manifest = unpack(archive, folder.path());
    let manifest = manifest.map_err(|error| ClientError::Local(error.to_string()))?;
    Ok((folder, manifest))
}

impl Restore {
    pub(super) fn run(&self, config: &Path, output: &mut Output) -> u8 {
        let done = match &self.config_into {
            Some(folder) => self.configuration(folder, output),
            None => self.store(config, output),
        };
        match done {
            Ok(()) => DONE,
            Err(ClientError::Wrong(why)) => {
                output.failure(&why);
                WRONG
            }
            Err(error) => {
                output.failure(&error.to_string());
                FAILED
            }
        }
    }

    fn configuration(&self, into: &Path, output: &mut Output) -> Result<(), ClientError> {
        let (folder, manifest) = unpacked(&self.file, Some(into))?;
        let names = manifest
            .files
            .keys()
            .filter_map(|name| name.strip_prefix("etc/"));
        let names: Vec<&str> = names.collect();
        if let Some(there) = names.iter().find(|name| into.join(name).exists()) {
            let why = format!(
                "{} is there already: nothing was written",
                into.join(there).display()
            );
            return Err(ClientError::Wrong(why));
        }
        for name in &names {
            let to = into.join(name);
            let parent = to.parent().unwrap_or(into);
            let moved = fs::create_dir_all(parent)
                .and_then(|()| fs::rename(folder.path().join("etc").join(name), &to));
            moved.map_err(|error| local("write", &to, &error))?;
        }
        if output.json() {
            output.value(&json!({ "written": names }));
        } else {
            output.line(&format!(
                "{} file(s) written into {}",
                names.len(),
                into.display()
            ));
        }
        Ok(())
    }

    fn store(&self, config: &Path, output: &mut Output) -> Result<(), ClientError> {
        let surroundings = Surroundings::find();
        let loaded = config::load(config, &surroundings.environment);
        let loaded = loaded.map_err(|mistakes| {
            let lines: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
            let hint = "the configuration must be right before a store is put back; restore \
                        --config-into writes the archive's";
            ClientError::Wrong(format!("{}\n{hint}", lines.join("\n")))
        })?;
        let settings = &loaded.daemon.store;
        let live = settings.path.as_path();
        let key = StoreKey::of_text(&settings.key);
        if live.exists() {
            let used = is_in_use(live).map_err(|error| local("open", live, &error))?;
            if used {
                let why = "a daemon works with the store: systemctl stop trunkline first";
                return Err(ClientError::Wrong(why.to_owned()));
            }
            // Whatever it is: it is put aside, not thrown away.
            if !self.replace {
                let why = format!(
                    "{} is there already: with --replace it is put aside under another name",
                    live.display()
                );
                return Err(ClientError::Wrong(why));
            }
        }
        let (folder, manifest) = unpacked(&self.file, live.parent())?;
        let copy = folder.path().join("store.redb");
        let report = inspect_copy(&copy, &key);
        let report = report.map_err(|error| ClientError::Local(error.to_string()))?;
        let aside = live.exists().then(|| aside(live));
        if !self.yes {
            tell(&manifest, &report, None, output);
            return Ok(());
        }
        let open = mark_restored(&copy, &key, SystemClock.now());
        let open = open.map_err(|error| ClientError::Local(error.to_string()))?;
        let owner = live.parent().map(fs::metadata).transpose();
        let owner = owner.map_err(|error| local("look at the folder of", live, &error))?;
        if let Some(owner) = owner {
            let given = chown(&copy, Some(owner.uid()), Some(owner.gid()));
            given.map_err(|error| local("give the folder's owner", &copy, &error))?;
        }
        put_in_place(&copy, live, aside.as_deref())?;
        tell(&manifest, &report, Some((open, aside)), output);
        Ok(())
    }
}

/// Puts the copy where the store is worked with, and what was there aside. At no moment is there
/// none: a daemon that is started then would begin with an empty one.
fn put_in_place(copy: &Path, live: &Path, aside: Option<&Path>) -> Result<(), ClientError> {
    let write = |error: std::io::Error| local("write", live, &error);
    match aside {
        None => fs::rename(copy, live).map_err(write)?,
        Some(aside) => {
            let put_aside = |error: std::io::Error| local("put aside", live, &error);
            match renameat_with(CWD, copy, CWD, live, RenameFlags::EXCHANGE) {
                Ok(()) => fs::rename(copy, aside).map_err(put_aside)?,
                // Not every file system can exchange two names.
                Err(Errno::INVAL | Errno::NOSYS) => {
                    fs::rename(live, aside).map_err(put_aside)?;
                    fs::rename(copy, live).map_err(write)?;
                }
                Err(error) => return Err(write(error.into())),
            }
        }
    }
    let folder = live.parent().unwrap_or(Path::new("."));
    let kept = fs::File::open(folder).and_then(|folder| folder.sync_all());
    kept.map_err(write)
}

fn aside(live: &Path) -> PathBuf {
    let mut name = live.as_os_str().to_owned();
    name.push(format!(".before-restore-{}", SystemClock.now().as_secs()));
    PathBuf::from(name)
}

/// Says what the archive holds, and what happens with it.
fn tell(
    manifest: &Manifest,
    report: &CopyReport,
    done: Option<(usize, Option<PathBuf>)>,
    output: &mut Output,
) {
    if output.json() {
        output.value(&json!({
            "manifest": manifest,
            "store": report,
            "restored": done.is_some(),
            "open_steps": done.as_ref().map(|(open, _)| open),
            "put_aside": done.and_then(|(_, aside)| aside),
        }));
        return;
    }
    output.line(&format!(
        "a backup of {} by version {}: {} communication(s), {} open work(s), {} unreadable row(s)",
        manifest.made_at,
        manifest.version,
        report.communications,
        report.open_works,
        report.unreadable_rows
    ));
    output.line(&format!(
        "- What was made in the CRM after {} is looked for there before it is made: nothing is \
         repeated, but where an integration chose \"rather twice\" for what cannot be looked for.",
        manifest.made_at
    ));
    output.line(
        "- What came in after it is known no more. Phone systems with a call log, and platforms that \
         list their calls, tell of it again; other webhooks do not.",
    );
    output.line(
        "- Refresh tokens of the backup are spent and are not sent: trunkline account list says which \
         accounts must be let in again.",
    );
    match done {
        None => output.line("Nothing was changed. To put it back: the same with --yes"),
        Some((open, aside)) => {
            if let Some(aside) = aside {
                output.line(&format!("The store that was there: {}", aside.display()));
            }
            output.line(&format!(
                "Restored; {open} open step(s) are looked for first. Now: systemctl start trunkline"
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_back_takes_the_place_and_what_was_there_stands_aside() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        let read = |name: &str| fs::read_to_string(at(name)).expect("there");
        fs::write(at("first"), "first").expect("written");
        put_in_place(&at("first"), &at("live"), None).expect("moved");
        assert_eq!(read("live"), "first");
        fs::write(at("second"), "second").expect("written");
        put_in_place(&at("second"), &at("live"), Some(&at("aside"))).expect("moved");
        assert_eq!(
            (read("live"), read("aside")),
            ("second".into(), "first".into())
        );
        assert!(!at("second").exists());
    }
}
