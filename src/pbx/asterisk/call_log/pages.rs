//! A log page by page, be it lines of a file or rows of a table.

use std::io;

use super::cdr_record::CdrRecord;
use super::cel_event::CelEvent;
use super::position::Position;
use super::settings::{LogPlace, LogSettings};
use super::table::{self, NamedRow, TableWalk};
use super::walk::{self, Walk};
use crate::model::timestamp::Timestamp;

/// Lines taken in between two commits: some seconds of a busy PBX.
const LINES_A_PAGE: usize = 2_000;

/// One line or one row.
#[derive(Debug)]
pub(super) enum Entry {
    Line(String),
    Row(NamedRow),
}

impl Entry {
    /// Reads it as an event; `None` when it is none.
    pub(super) fn event(&self, settings: &LogSettings) -> Option<CelEvent> {
        match self {
            Self::Line(line) => CelEvent::read(line, &settings.columns, &settings.zones),
            // FreePBX's table calls the column as Asterisk's documentation does, or shorter.
            Self::Row(row) => {
                let field = |name: &str| match name {
                    "eventextra" => row.get(name).or_else(|| row.get("extra")).cloned(),
                    name => row.get(name).cloned(),
                };
                CelEvent::of(&field, &settings.zones)
            }
        }
    }

    /// Reads it as a record; `None` when it is none.
    pub(super) fn record(&self, settings: &LogSettings) -> Option<CdrRecord> {
        match self {
            Self::Line(line) => CdrRecord::read(line, &settings.zones),
            Self::Row(row) => CdrRecord::of(&|name| row.get(name).cloned(), &settings.zones),
        }
    }
}

/// See the module.
#[derive(Debug)]
pub(super) enum Pages {
    /// Taken out while a page is read on another thread.
    File(Option<Walk>),
    Table(Box<TableWalk>),
}

impl Pages {
    /// Finds the place that was kept, or else where the time in question begins.
    pub(super) async fn begin(
        settings: &LogSettings,
        place: Option<&Position>,
        since: Timestamp,
    ) -> io::Result<Self> {
        match &settings.place {
            LogPlace::File(path) => {
                let (path, place) = (path.clone(), place.cloned());
                let walk = blocking(move || Walk::begin(&path, place.as_ref())).await?;
                Ok(Self::File(Some(walk)))
            }
            LogPlace::Table(table) => {
                let zones = &settings.zones;
                let walk = TableWalk::begin(table, settings.kind, place, since, zones).await?;
                Ok(Self::Table(Box::new(walk)))
            }
        }
    }

    /// Returns some entries, none at the end, and why there are no more where that is an error.
    pub(super) async fn next(&mut self) -> (Vec<Entry>, Option<io::Error>) {
        match self {
            Self::File(slot) => {
                let Some(mut walk) = slot.take() else {
                    return (Vec::new(), None);
                };
                let read = blocking(move || {
                    let (lines, error) = lines(&mut walk);
                    Ok((walk, lines, error))
                });
                match read.await {
                    Ok((walk, lines, error)) => {
                        *slot = Some(walk);
                        (lines.into_iter().map(Entry::Line).collect(), error)
                    }
                    Err(error) => (Vec::new(), Some(error)),
                }
            }
            Self::Table(walk) => match walk.next_rows().await {
                Ok(rows) => (rows.into_iter().map(Entry::Row).collect(), None),
                Err(error) => (Vec::new(), Some(error)),
            },
        }
    }

    /// Where records are told whole at each look, begins again; says whether it does.
    pub(super) fn again(&mut self) -> bool {
        match self {
            Self::File(_) => false,
            Self::Table(walk) => {
                walk.again();
                true
            }
        }
    }

    /// Returns the place after the last entry.
    pub(super) fn position(&self) -> Position {
        match self {
            Self::File(walk) => walk.as_ref().map(Walk::position).unwrap_or_default(),
            Self::Table(walk) => walk.position(),
        }
    }

    /// Says that the place that was kept is not there any more.
    pub(super) fn lost(&self) -> bool {
        match self {
            Self::File(walk) => walk.as_ref().is_none_or(|walk| walk.gap),
            Self::Table(walk) => walk.lost,
        }
    }

    /// Says that it is known to hold what was before the time in question, whatever its entries
    /// say.
    pub(super) fn reaches_back(&self) -> bool {
        match self {
            Self::File(_) => false,
            Self::Table(walk) => walk.reaches_back,
        }
    }

    /// Says that there was more than is read at once.
    pub(super) fn too_many(&self) -> bool {
        match self {
            Self::File(_) => false,
            Self::Table(walk) => walk.too_many,
        }
    }

    /// Returns how many entries were passed over for their length.
    pub(super) fn passed_over(&self) -> u64 {
        match self {
            Self::File(walk) => walk.as_ref().map_or(0, |walk| walk.passed_over),
            Self::Table(_) => 0,
        }
    }
}

fn lines(walk: &mut Walk) -> (Vec<String>, Option<io::Error>) {
    let mut lines = Vec::new();
    while lines.len() < LINES_A_PAGE {
        match walk.next() {
            Ok(Some(line)) => lines.push(line),
            Ok(None) => break,
            Err(error) => return (lines, Some(error)),
        }
    }
    (lines, None)
}

/// Returns the place at the end of a log.
pub(super) async fn end_of(place: &LogPlace) -> io::Result<Position> {
    match place {
        LogPlace::File(path) => {
            let path = path.clone();
            blocking(move || walk::end_of(&path)).await
        }
        LogPlace::Table(table) => table::end_of(table).await,
    }
}

/// Reads a file off the async thread.
async fn blocking<T: Send + 'static>(
    read: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let done = tokio::task::spawn_blocking(read).await;
    done.unwrap_or_else(|error| Err(io::Error::other(error)))
}
