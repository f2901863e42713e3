//! What can be seen on this box alone: files, rights, room, ports, limits.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::Access;
use rustix::process::{Resource, getrlimit};

use crate::config::Configuration;
use crate::model::recording::RecordingPlace;
use crate::store::{OpenError, StoreKey, inspect_copy};

use super::{Check, Verdict};

const MIB: u64 = 1024 * 1024;

/// Fewer open files do not do: connections of three endpoints, sessions and the store.
const FILES_MIN: u64 = 2048;

/// The mode bits of everybody else.
const OTHERS: u32 = 0o007;

pub(super) fn checks(configuration: &Configuration, daemon_runs: bool) -> Vec<Check> {
    let mut found = Vec::new();
    secrets(configuration, &mut found);
    store(configuration, daemon_runs, &mut found);
    ports(configuration, daemon_runs, &mut found);
    recordings(configuration, &mut found);
    limits(&mut found);
    found
}

fn secrets(configuration: &Configuration, found: &mut Vec<Check>) {
    let cure = "close it: chown root:trunkline and chmod 0640 the file, and put what it held into \
                doubt";
    let warnings = configuration.warnings.iter();
    let open = warnings.filter(|warning| warning.message.contains("every user of this machine"));
    let open: Vec<Check> = open
        .map(|warning| Check::fail("secrets", warning.to_string(), cure))
        .collect();
    match open.is_empty() {
        true => found.push(Check::ok(
            "secrets",
            "no other user of this machine reads them",
        )),
        false => found.extend(open),
    }
}

fn store(configuration: &Configuration, daemon_runs: bool, found: &mut Vec<Check>) {
    let settings = &configuration.daemon.store;
    let folder = settings
        .path
        .parent()
        .filter(|path| !path.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let shown = folder.display();
    let Ok(metadata) = std::fs::metadata(folder) else {
        let cure = format!("install -d -o trunkline -g trunkline -m 0750 {shown}");
        found.push(Check::fail(
            "store.folder",
            format!("{shown} is not there"),
            cure,
        ));
        return;
    };
    let closed = metadata.mode() & OTHERS == 0;
    found.push(match (writable(folder), closed) {
        (false, _) => Check::fail(
            "store.folder",
            format!("{shown} cannot be written"),
            format!(
                "run doctor as root or as trunkline; else chown -R trunkline:trunkline {shown}"
            ),
        ),
        (true, false) => Check::warn(
            "store.folder",
            format!("other users of this machine get into {shown}"),
            format!("chmod o= {shown}: clients' numbers lie there"),
        ),
        (true, true) => Check::ok("store.folder", format!("{shown}")),
    });
    disk(folder, settings.free_bytes_min, found);
    if daemon_runs {
        found.push(Check::ok("store.key", "the daemon has the store open"));
    } else if !settings.path.exists() {
        found.push(Check::ok(
            "store.key",
            "there is no store yet: the daemon makes one",
        ));
    } else {
        let key = StoreKey::of_text(&settings.key);
        found.push(match inspect_copy(&settings.path, &key) {
            Ok(report) if report.unreadable_rows > 0 => Check::warn(
                "store.rows",
                format!("{} row(s) cannot be read", report.unreadable_rows),
                "look for bad blocks (dmesg, smartctl); the daemon puts them into quarantine when it \
                 starts: trunkline store quarantine list",
            ),
            Ok(report) => Check::ok(
                "store.key",
                format!(
                    "it opens: {} communication(s), {} open work(s)",
                    report.communications, report.open_works
                ),
            ),
            Err(OpenError::WrongKey) => Check::fail(
                "store.key",
                "the store was made with another key",
                "put the key back that belongs to it ([store] key_credential or key_file); without \
                 it, the accounts must be let in anew on a new store",
            ),
            Err(error) => Check::fail(
                "store.open",
                format!("{}: {error}", settings.path.display()),
                "put a backup back: trunkline restore",
            ),
        });
    }
}

fn disk(folder: &Path, free_min: u64, found: &mut Vec<Check>) {
    let Ok(disk) = rustix::fs::statvfs(folder) else {
        found.push(Check::new(
            "disk",
            Verdict::Skipped,
            "it cannot be measured",
        ));
        return;
    };
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    let words = format!("{} MiB are free where the store lies", free / MIB);
    let cure = format!(
        "make room, or lower [store] free_mb_min: below {} MiB nothing is accepted",
        free_min / MIB
    );
    found.push(if free < free_min {
        Check::fail("disk", words, cure)
    } else if free < free_min.saturating_mul(2) {
        Check::warn("disk", words, cure)
    } else if disk.f_files > 0 && disk.f_favail < 1000 {
        Check::fail(
            "disk",
            "the disk has no inodes left",
            "remove small files: df -i",
        )
    } else {
        Check::ok("disk", words)
    });
}

fn writable(path: &Path) -> bool {
    rustix::fs::access(path, Access::WRITE_OK | Access::EXEC_OK).is_ok()
}

fn ports(configuration: &Configuration, daemon_runs: bool, found: &mut Vec<Check>) {
    let daemon = &configuration.daemon;
    let admin = daemon.admin.token.as_ref().map(|_| daemon.admin.listen);
    let listeners: [(&str, Option<SocketAddr>); 4] = [
        ("admin.listen", admin),
        ("intake.listen", Some(daemon.intake.listen)),
        ("questions.listen", Some(daemon.questions.listen)),
        ("fastagi.listen", Some(daemon.fastagi.listen)),
    ];
    for (what, listen) in listeners {
        let Some(listen) = listen else {
            continue;
        };
        if daemon_runs {
            found.push(Check::ok("port", format!("the daemon has {listen}")).of(what));
            continue;
        }
        found.push(match TcpListener::bind(listen) {
            Ok(_) => Check::ok("port", format!("{listen} is free")).of(what),
            Err(error) if error.kind() == ErrorKind::AddrInUse => Check::fail(
                "port",
                format!("{listen} is taken by another program"),
                format!(
                    "find it: ss -ltnp 'sport = :{}'; or choose another {what}",
                    listen.port()
                ),
            )
            .of(what),
            Err(error) if error.kind() == ErrorKind::AddrNotAvailable => Check::fail(
                "port",
                format!("{listen} is no address of this machine"),
                format!("ip addr shows which there are; choose one of them as {what}"),
            )
            .of(what),
            Err(error) => Check::fail(
                "port",
                format!("{listen}: {error}"),
                format!("choose another {what}: ports below 1024 are for root"),
            )
            .of(what),
        });
    }
    let folder = daemon.admin.socket.parent().unwrap_or(Path::new("."));
    // The service manager makes /run/trunkline when it starts the daemon.
    if !daemon_runs && !folder.is_dir() && !folder.starts_with("/run") {
        let cure = format!("mkdir {}", folder.display());
        let words = format!(
            "the folder of {} is not there",
            daemon.admin.socket.display()
        );
        found.push(Check::fail("socket", words, cure));
    }
}

fn recordings(configuration: &Configuration, found: &mut Vec<Check>) {
    let sources = configuration
        .tenants
        .iter()
        .flat_map(|tenant| &tenant.sources);
    let with: Vec<_> = sources
        .filter(|source| !source.recordings.is_empty())
        .collect();
    if with.is_empty() {
        return;
    }
    let keeping = &configuration.daemon.recordings;
    found.push(match on_path(&keeping.ffmpeg) {
        Some(path) => Check::ok("recordings.ffmpeg", path.display().to_string()),
        None => Check::fail(
            "recordings.ffmpeg",
            format!("{} is not there", keeping.ffmpeg.display()),
            "apt install ffmpeg, or name it in [recordings] ffmpeg",
        ),
    });
    for source in with {
        for root in &source.recordings {
            let RecordingPlace::Folder(folder) = &root.place else {
                continue;
            };
            let readable = std::fs::read_dir(folder).is_ok();
            let shown = folder.display();
            found.push(
                match readable {
                    true => Check::ok("recordings.folder", shown.to_string()),
                    false => Check::fail(
                        "recordings.folder",
                        format!("{shown} cannot be read"),
                        format!(
                            "let the user trunkline read it: setfacl -R -m u:trunkline:rX {shown}"
                        ),
                    ),
                }
                .of(source.key.to_string()),
            );
        }
    }
    if configuration.daemon.public_url.is_none() {
        found.push(Check::warn(
            "recordings.link",
            "recordings are looked for, and there is no address to play them at",
            "set public_url",
        ));
    }
}

fn on_path(program: &Path) -> Option<PathBuf> {
    let runs = |path: &Path| path.is_file() && rustix::fs::access(path, Access::EXEC_OK).is_ok();
    if program.components().count() > 1 {
        return runs(program).then(|| program.to_owned());
    }
    let path = std::env::var_os("PATH")?;
    let mut places = std::env::split_paths(&path).map(|folder| folder.join(program));
    places.find(|place| runs(place))
}

fn limits(found: &mut Vec<Check>) {
    let files = getrlimit(Resource::Nofile);
    // The unit raises its own; what counts is what can be had.
    let max = files.maximum.unwrap_or(u64::MAX);
    found.push(match max < FILES_MIN {
        true => Check::warn(
            "limits.files",
            format!("at the most {max} files may be open"),
            format!("raise LimitNOFILE in the unit, or ulimit -Hn, to {FILES_MIN} and more"),
        ),
        false => Check::ok("limits.files", format!("up to {max} files may be open")),
    });
}
