//! The file as it is written, rotated, cut off and torn.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use tempfile::TempDir;

use super::position::Position;
use super::walk::{Walk, end_of};

struct Log {
    _folder: TempDir,
    path: PathBuf,
}

impl Log {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("Master.csv");
        Self {
            _folder: folder,
            path,
        }
    }

    fn append(&self, bytes: impl AsRef<[u8]>) {
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.path);
        file.and_then(|mut file| file.write_all(bytes.as_ref()))
            .expect("writes");
    }

    fn rotated(&self, end: &str) -> PathBuf {
        PathBuf::from(format!("{}{end}", self.path.display()))
    }

    /// Reads all that is there from a position on; returns the lines, the new position, and
    /// whether the place was lost.
    fn read(&self, position: &Position) -> (Vec<String>, Position, bool) {
        let mut walk = Walk::begin(&self.path, Some(position)).expect("reads");
        let mut lines = Vec::new();
        while let Some(line) = walk.next().expect("reads") {
            lines.push(line);
        }
        (lines, walk.position(), walk.gap)
    }
}

fn start() -> Position {
    Position::default()
}

#[test]
fn a_line_counts_from_its_line_break_on() {
    let log = Log::new();
    log.append("one\ntw");
    let (lines, position, _) = log.read(&start());
    assert_eq!(lines, ["one"]);
    log.append("o\r\nthree\n");
    let (lines, position, gap) = log.read(&position);
    assert_eq!(
        (lines, gap),
        (vec!["two".to_owned(), "three".to_owned()], false)
    );
    assert_eq!(log.read(&position).0, [""; 0]);
}

#[test]
fn a_log_that_is_not_there_yet_is_read_from_its_first_line() {
    let log = Log::new();
    assert_eq!(end_of(&log.path).unwrap(), start());
    assert_eq!(log.read(&start()), (Vec::new(), start(), false));
    log.append("one\n");
    assert_eq!(log.read(&start()).0, ["one"]);
}

#[test]
fn a_renamed_file_is_read_to_its_end_and_then_the_new_ones() {
    let log = Log::new();
    log.append("one\n");
    let (_, position, _) = log.read(&start());
    // Its last line is torn: nobody will write the line break any more.
    log.append("two\nthree");
    fs::rename(&log.path, log.rotated(".1")).unwrap();
    older(&log.rotated(".1"), 30);
    log.append("four\n");
    fs::rename(log.rotated(".1"), log.rotated(".2")).unwrap();
    fs::rename(&log.path, log.rotated(".1")).unwrap();
    older(&log.rotated(".1"), 20);
    log.append("five\n");
    let (lines, position, gap) = log.read(&position);
    assert_eq!(lines, ["two", "three", "four", "five"]);
    assert!(!gap);
    log.append("six\n");
    assert_eq!(log.read(&position).0, ["six"]);
}

/// Moves a file's time back, as the days between two rotations do.
fn older(path: &Path, minutes: u64) {
    let file = OpenOptions::new().append(true).open(path).unwrap();
    let written = file.metadata().unwrap().modified().unwrap();
    let earlier = written - std::time::Duration::from_secs(minutes * 60);
    file.set_modified(earlier).unwrap();
}

#[test]
fn a_file_that_was_copied_and_cut_off_is_read_on_in_the_copy() {
    let log = Log::new();
    log.append("one\n");
    let (_, position, _) = log.read(&start());
    log.append("two\n");
    fs::copy(&log.path, log.rotated("-20261120")).unwrap();
    older(&log.rotated("-20261120"), 10);
    fs::write(&log.path, "").unwrap();
    // Longer than before, so that only the content tells.
    log.append("three\nfour\nfive\n");
    let (lines, _, gap) = log.read(&position);
    assert_eq!(lines, ["two", "three", "four", "five"]);
    assert!(!gap);
}

#[test]
fn a_file_that_was_cut_off_without_a_copy_shows_a_gap() {
    let log = Log::new();
    log.append("one\ntwo\n");
    let (_, position, _) = log.read(&start());
    fs::write(&log.path, "three\n").unwrap();
    fs::write(log.rotated(".1.gz"), "packed").unwrap();
    assert_eq!(
        log.read(&position),
        (vec!["three".to_owned()], end_of(&log.path).unwrap(), true)
    );
}

#[test]
fn bytes_that_are_no_utf8_spoil_a_letter_and_an_endless_line_only_itself() {
    let log = Log::new();
    log.append(b"\xcf\xe5\xf2\xff\n");
    log.append(vec![b'x'; 300_000]);
    log.append("\nlast\n");
    let (lines, position, _) = log.read(&start());
    assert_eq!(lines.len(), 2);
    assert!(lines[0].contains('\u{fffd}') && lines[1] == "last");
    assert_eq!(position, end_of(&log.path).unwrap());
}

#[test]
fn what_cannot_be_read_is_an_error_and_no_empty_log() {
    let folder = tempfile::tempdir().unwrap();
    assert!(Walk::begin(&folder.path().join("no/such/Master.csv"), None).is_err());
    assert!(
        Walk::begin(folder.path(), None)
            .and_then(|mut walk| walk.next())
            .is_err()
    );
}

proptest! {
    #[test]
    fn any_split_into_writes_gives_the_same_lines(
        lines in proptest::collection::vec("[a-zа-я0-9,\"]{0,30}", 0..40),
        cuts in proptest::collection::vec(0_usize..2_000, 0..12),
        rotate in proptest::option::of(0_usize..12),
    ) {
        let log = Log::new();
        let whole: Vec<u8> = lines.iter().flat_map(|line| format!("{line}\n").into_bytes()).collect();
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(whole.len())).collect();
        cuts.sort_unstable();
        cuts.push(whole.len());
        let (mut from, mut position, mut read) = (0, start(), Vec::new());
        for (number, cut) in cuts.into_iter().enumerate() {
            log.append(&whole[from..cut]);
            from = cut;
            let (more, next, gap) = log.read(&position);
            prop_assert!(!gap);
            position = next;
            read.extend(more);
            // A rotation between two whole lines, after some were read.
            if rotate == Some(number) && position.offset > 0 && position.offset == whole[..cut].len() as u64 {
                fs::rename(&log.path, log.rotated(".1")).unwrap();
            }
        }
        prop_assert_eq!(read, lines);
    }
}
