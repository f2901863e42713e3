//! Opens files below a configured folder, and nothing else: each part of the way is opened by
//! itself, from the folder before it, and never through a link. Blocks for as long as the disk
//! does.

use std::fs::File;
use std::io;
use std::path::Path;
use std::time::SystemTime;

use rustix::fs::{Mode, OFlags, openat};

use super::way::Way;

/// A file that was found, and how it was at that moment.
#[derive(Debug)]
pub(super) struct Found {
    /// The open file: what is read later is this one, whatever takes its name.
    pub(super) file: File,
    /// What it was.
    pub(super) sight: Sight,
}

/// By what a file that is still written is known from one that is whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sight {
    /// Its length in bytes.
    pub(super) bytes: u64,
    /// When it was last written to.
    pub(super) written_at: SystemTime,
}

/// Opens the file at a way; `None` where there is none. A link, a folder, a pipe at its place is
/// an error that says so.
pub(super) fn open(root: &Path, way: &Way) -> io::Result<Option<Found>> {
    match open_below(root, way) {
        Ok(file) => {
            let sight = look(&file)?;
            Ok(Some(Found { file, sight }))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Looks at an open file.
pub(super) fn look(file: &File) -> io::Result<Sight> {
    let data = file.metadata()?;
    if !data.is_file() {
        return Err(io::Error::other("it is no ordinary file"));
    }
    Ok(Sight {
        bytes: data.len(),
        written_at: data.modified()?,
    })
}

fn open_below(root: &Path, way: &Way) -> io::Result<File> {
    // The root is the administrator's own word: it may be a link.
    let mut at = File::open(root)?;
    let Some((name, folders)) = way.parts().split_last() else {
        return Err(io::ErrorKind::NotFound.into());
    };
    let closed = OFlags::NOFOLLOW | OFlags::CLOEXEC;
    for folder in folders {
        let flags = closed | OFlags::DIRECTORY | OFlags::RDONLY;
        at = openat(&at, folder.as_str(), flags, Mode::empty())
            .map_err(|error| explained(error, folder))?
            .into();
    }
    // Without waiting: a pipe that somebody put there has no other end.
    let flags = closed | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::RDONLY;
    let file = openat(&at, name.as_str(), flags, Mode::empty());
    Ok(file.map_err(|error| explained(error, name))?.into())
}

fn explained(error: rustix::io::Errno, part: &str) -> io::Error {
    // What Linux says of a link where none is followed.
    if error == rustix::io::Errno::LOOP || error == rustix::io::Errno::NOTDIR {
        let what = format!("{part:?} is a link or no folder: only real folders and files are read");
        return io::Error::other(what);
    }
    error.into()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn way(path: &str) -> Way {
        Way::parse(path).expect("a way")
    }

    #[test]
    fn a_file_below_the_root_is_opened() {
        let root = tempfile::tempdir().expect("a folder");
        std::fs::create_dir_all(root.path().join("2026/11")).expect("folders");
        std::fs::write(root.path().join("2026/11/a.wav"), "sound").expect("written");
        let found = open(root.path(), &way("2026/11/a.wav")).expect("readable");
        assert_eq!(found.expect("it is there").sight.bytes, 5);
        assert!(
            open(root.path(), &way("2026/12/a.wav"))
                .expect("readable")
                .is_none()
        );
        assert!(
            open(root.path(), &way("b.wav"))
                .expect("readable")
                .is_none()
        );
    }

    #[test]
    fn links_folders_and_pipes_are_never_followed_or_read() {
        let root = tempfile::tempdir().expect("a folder");
        let other = tempfile::tempdir().expect("a folder");
        std::fs::write(other.path().join("secret.wav"), "secret").expect("written");
        symlink(other.path().join("secret.wav"), root.path().join("a.wav")).expect("a link");
        symlink(other.path(), root.path().join("day")).expect("a link");
        std::fs::create_dir(root.path().join("folder.wav")).expect("a folder");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            root.path().join("pipe.wav"),
            rustix::fs::FileType::Fifo,
            Mode::RUSR,
            0,
        )
        .expect("a pipe");
        for path in ["a.wav", "day/secret.wav", "folder.wav", "pipe.wav"] {
            assert!(open(root.path(), &way(path)).is_err(), "{path}");
        }
    }
}
