//! The lines of a log file from a position on, through the files that it was rotated to. Blocking
//! reads, a piece at a time; the caller takes it off the async thread.
//!
//! A line counts from its line break on: one that is being written is left for the next time. A
//! file that is opened stays readable here when it is renamed or removed meanwhile.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::position::{Position, TAIL_BYTES};

/// Bytes read at a time.
const PIECE_BYTES: usize = 256 * 1024;

/// The longest line: cdr_csv drops records above 1 KiB, CEL's are shorter than 8 KiB.
const LINE_BYTES_MAX: usize = 64 * 1024;

/// Rotated files that are looked through: a fortnight of daily ones.
const ROTATED_MAX: usize = 16;

/// One line.
#[derive(Debug, Default)]
struct Line {
    /// With its line break; of one that is too long only the end.
    text: Vec<u8>,
    /// Its length with the line break, in bytes.
    length: u64,
    /// Which file of the walk it stands in.
    file: usize,
}

impl Line {
    fn is_too_long(&self) -> bool {
        self.length > LINE_BYTES_MAX as u64
    }

    fn push(&mut self, part: &[u8]) {
        self.length = self.length.saturating_add(part.len() as u64);
        self.text.extend_from_slice(part);
        if self.is_too_long() {
            let from = self.text.len().saturating_sub(TAIL_BYTES);
            self.text.drain(..from);
        }
    }
}

/// See the module.
#[derive(Debug)]
pub(super) struct Walk {
    /// The file being read and those after it, each from a place on.
    files: VecDeque<(File, u64)>,
    /// How many files were read to their end.
    files_done: usize,
    /// Bytes read of the first file that make no whole line yet.
    torn: Line,
    lines: VecDeque<Line>,
    /// The file in which the place is that was reached.
    file: usize,
    offset: u64,
    before: Vec<u8>,
    /// The file in which the last session stopped was not found.
    pub(super) gap: bool,
    /// Lines that were passed over for their length.
    pub(super) passed_over: u64,
}

impl Walk {
    /// Finds the place and opens what must be read from there on. Without a position everything
    /// that is in the file is read.
    pub(super) fn begin(path: &Path, position: Option<&Position>) -> io::Result<Self> {
        let mut walk = Self {
            files: VecDeque::new(),
            files_done: 0,
            torn: Line::default(),
            lines: VecDeque::new(),
            file: 0,
            offset: 0,
            before: Vec::new(),
            gap: false,
            passed_over: 0,
        };
        // Asterisk makes the file with its first line; a folder that cannot be read is an error.
        let main = match File::open(path) {
            Ok(file) => Some(file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                fs::read_dir(path.parent().unwrap_or(Path::new(".")))?;
                None
            }
            Err(error) => return Err(error),
        };
        let start = position.cloned().unwrap_or_default();
        let main = match main {
            Some(mut file) => match before(&mut file, &start)? {
                Some(bytes) if position.is_some_and(|one| one.offset > 0) => {
                    walk.stand_at(start.offset, bytes);
                    walk.files.push_back((file, start.offset));
                    return Ok(walk);
                }
                _ => Some(file),
            },
            None => None,
        };
        if start.offset > 0 {
            walk.gap = !walk.find_rotated(path, &start)?;
        }
        walk.files.extend(main.map(|file| (file, 0)));
        Ok(walk)
    }

    /// Looks among the rotated files for the one in which the place is; opens it and those that
    /// are newer.
    fn find_rotated(&mut self, path: &Path, start: &Position) -> io::Result<bool> {
        let rotated = rotated(path)?;
        for (number, candidate) in rotated.iter().enumerate().rev() {
            let Ok(mut file) = File::open(candidate) else {
                continue;
            };
            let Some(bytes) = before(&mut file, start)? else {
                continue;
            };
            self.stand_at(start.offset, bytes);
            self.files.push_back((file, start.offset));
            for newer in rotated.iter().skip(number + 1) {
                self.files.push_back((File::open(newer)?, 0));
            }
            return Ok(true);
        }
        Ok(false)
    }

    fn stand_at(&mut self, offset: u64, before: Vec<u8>) {
        self.offset = offset;
        self.before = before;
    }

    /// Returns the next line, without its line break; `None` when there is none for now.
    pub(super) fn next(&mut self) -> io::Result<Option<String>> {
        loop {
            while self.lines.is_empty() {
                if !self.read_piece()? {
                    return Ok(None);
                }
            }
            let Some(line) = self.lines.pop_front() else {
                return Ok(None);
            };
            self.pass(&line);
            if line.is_too_long() {
                self.passed_over += 1;
                continue;
            }
            // A byte that is no UTF-8 spoils its letter, not the line.
            let text = String::from_utf8_lossy(&line.text);
            return Ok(Some(text.trim_end_matches(['\r', '\n']).to_owned()));
        }
    }

    /// Returns the place after the last line that [`next`](Self::next) returned.
    pub(super) fn position(&self) -> Position {
        Position::new(self.offset, &self.before)
    }

    fn pass(&mut self, line: &Line) {
        if line.file != self.file {
            self.file = line.file;
            self.offset = 0;
            self.before.clear();
        }
        self.offset = self.offset.saturating_add(line.length);
        self.before.extend_from_slice(&line.text);
        let from = self.before.len().saturating_sub(TAIL_BYTES);
        self.before.drain(..from);
    }

    /// Reads on; says whether anything may have come of it.
    fn read_piece(&mut self) -> io::Result<bool> {
        let last_file = self.files.len() <= 1;
        let Some((file, from)) = self.files.front_mut() else {
            return Ok(false);
        };
        file.seek(SeekFrom::Start(*from))?;
        let mut piece = vec![0; PIECE_BYTES];
        let count = file.read(&mut piece)?;
        *from = from.saturating_add(count as u64);
        if count > 0 {
            self.take(piece.get(..count).unwrap_or_default());
            return Ok(true);
        }
        if last_file {
            return Ok(false);
        }
        // Nobody writes to a rotated file any more: what stands at its end is a line.
        if self.torn.length > 0 {
            self.finish_line();
        }
        self.files.pop_front();
        self.files_done += 1;
        Ok(true)
    }

    fn take(&mut self, piece: &[u8]) {
        for part in piece.split_inclusive(|byte| *byte == b'\n') {
            self.torn.push(part);
            if part.ends_with(b"\n") {
                self.finish_line();
            }
        }
    }

    fn finish_line(&mut self) {
        let line = std::mem::take(&mut self.torn);
        self.lines.push_back(Line {
            file: self.files_done,
            ..line
        });
    }
}

/// Returns the bytes before a place, where they are the ones remembered.
fn before(file: &mut File, position: &Position) -> io::Result<Option<Vec<u8>>> {
    let length = file.metadata()?.len();
    if length < position.offset || position.offset < position.tail_len() {
        return Ok(None);
    }
    let mut bytes = vec![0; usize::try_from(position.tail_len()).unwrap_or(0)];
    file.seek(SeekFrom::Start(position.offset - position.tail_len()))?;
    file.read_exact(&mut bytes)?;
    Ok(position.fits(&bytes).then_some(bytes))
}

/// Returns the files that a log was rotated to, oldest first: those that have its name and more,
/// compressed ones aside.
fn rotated(path: &Path) -> io::Result<Vec<PathBuf>> {
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
        return Ok(Vec::new());
    };
    let mut found: Vec<(SystemTime, PathBuf)> = Vec::new();
    for entry in fs::read_dir(path.parent().unwrap_or(Path::new(".")))? {
        let entry = entry?;
        let other = entry.file_name();
        let other = other.to_string_lossy();
        let rotated = other.len() > name.len() && other.starts_with(name);
        let packed = [".gz", ".xz", ".bz2", ".zst"]
            .iter()
            .any(|end| other.ends_with(end));
        if rotated && !packed && entry.file_type()?.is_file() {
            let written = entry
                .metadata()?
                .modified()
                .unwrap_or(SystemTime::UNIX_EPOCH);
            found.push((written, entry.path()));
        }
    }
    found.sort();
    let too_many = found.len().saturating_sub(ROTATED_MAX);
    Ok(found
        .into_iter()
        .skip(too_many)
        .map(|(_, path)| path)
        .collect())
}

/// Returns the place after the last whole line of a file; of one that is not there the beginning.
pub(super) fn end_of(path: &Path) -> io::Result<Position> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Position::default()),
        Err(error) => return Err(error),
    };
    let length = file.metadata()?.len();
    let wanted = (LINE_BYTES_MAX + TAIL_BYTES) as u64;
    let from = length.saturating_sub(wanted);
    file.seek(SeekFrom::Start(from))?;
    let mut bytes = Vec::new();
    file.take(wanted).read_to_end(&mut bytes)?;
    let end = bytes
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |at| at + 1);
    let offset = from.saturating_add(end as u64);
    Ok(Position::new(offset, bytes.get(..end).unwrap_or_default()))
}
