//! The rows of a CEL or CDR table in MariaDB as FreePBX keeps them, from a place on.
//!
//! The CEL table is read by its growing `id`; a place in it is the id and what stands in that row,
//! so that a table that was emptied is recognised. The CDR table has no such column: of it the
//! records that end in the time in question are read. Rows are taken as text, their columns by
//! name, so that a table with more or fewer columns is read as well.

use std::collections::HashMap;
use std::io;
use std::time::Duration;

use jiff::tz::TimeZone;
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, OptsBuilder, Row, Value};

use super::position::Position;
use super::settings::{LogKind, TableSettings};
use crate::model::timestamp::Timestamp;

/// How long a connection may take: a session with the PBX waits for it.
const CONNECT_DEADLINE: Duration = Duration::from_secs(5);

/// How long the database may take for one answer: a column without an index in a table of some
/// millions of rows takes seconds.
const ANSWER_DEADLINE: Duration = Duration::from_secs(15);

/// Events that are asked for at once.
const EVENTS_AT_ONCE: usize = 2_000;

/// Records that are read: two weeks of a busy office.
const RECORDS_MAX: usize = 20_000;

/// Calls that began longer ago than this before the time in question are not looked for: the
/// table has an index for the beginning of a call only.
const CALL_LONGEST: Duration = Duration::from_secs(48 * 3600);

/// The largest answer, in bytes; a row is below 4 KiB.
const ANSWER_BYTES_MAX: usize = 64 << 20;

/// A row, its columns by name in small letters.
pub(super) type NamedRow = HashMap<String, String>;

/// See the module.
#[derive(Debug)]
pub(super) struct TableWalk {
    conn: Conn,
    settings: TableSettings,
    kind: LogKind,
    /// The place that was reached (CEL).
    place: Position,
    /// Since when records are wanted (CDR), as the table writes times.
    since: String,
    began_since: String,
    done: bool,
    /// What stood at the place that was kept is not there.
    pub(super) lost: bool,
    /// The table reaches back before the time in question.
    pub(super) reaches_back: bool,
    /// There were more records than are read.
    pub(super) too_many: bool,
}

impl TableWalk {
    /// Finds the place, or where the time in question begins.
    pub(super) async fn begin(
        settings: &TableSettings,
        kind: LogKind,
        place: Option<&Position>,
        since: Timestamp,
        zones: &[TimeZone],
    ) -> io::Result<Self> {
        let mut walk = Self {
            conn: connect(settings).await?,
            settings: settings.clone(),
            kind,
            place: place.cloned().unwrap_or_default(),
            since: written(since, zones),
            began_since: written(since.minus(CALL_LONGEST), zones),
            done: false,
            lost: false,
            reaches_back: kind == LogKind::CdrTable,
            too_many: false,
        };
        if kind == LogKind::CelTable {
            let known = match place {
                Some(place) => walk.stands_there(place).await?,
                None => false,
            };
            walk.lost = !known;
            if !known {
                walk.find_by_time().await?;
            }
        }
        Ok(walk)
    }

    async fn stands_there(&mut self, place: &Position) -> io::Result<bool> {
        if place.offset == 0 {
            return Ok(true);
        }
        let sql = format!(
            "SELECT * FROM `{}` WHERE id = {}",
            self.settings.table, place.offset
        );
        let rows = ask(&mut self.conn, sql).await?;
        Ok(rows.first().is_some_and(|row| place_of(row) == *place))
    }

    async fn find_by_time(&mut self) -> io::Result<()> {
        let sql = format!(
            "SELECT * FROM `{}` WHERE eventtime < '{}' ORDER BY id DESC LIMIT 1",
            self.settings.table, self.since
        );
        let before = ask(&mut self.conn, sql).await?;
        self.reaches_back = !before.is_empty();
        self.place = before.first().map(place_of).unwrap_or_default();
        Ok(())
    }

    /// Returns some more rows; none when there are none for now.
    pub(super) async fn next_rows(&mut self) -> io::Result<Vec<NamedRow>> {
        let table = &self.settings.table;
        if self.kind == LogKind::CdrTable {
            if std::mem::replace(&mut self.done, true) {
                return Ok(Vec::new());
            }
            let sql = format!(
                "SELECT * FROM `{table}` WHERE calldate >= '{}' \
                 AND calldate + INTERVAL duration SECOND >= '{}' \
                 ORDER BY calldate DESC LIMIT {RECORDS_MAX}",
                self.began_since, self.since
            );
            let mut rows = ask(&mut self.conn, sql).await?;
            self.too_many |= rows.len() >= RECORDS_MAX;
            // Those of one second stand in the order in which they were begun.
            rows.sort_by_cached_key(|row| {
                let number = row.get("sequence").and_then(|text| text.parse().ok());
                (row.get("calldate").cloned(), number.unwrap_or(0_u64))
            });
            return Ok(rows);
        }
        let sql = format!(
            "SELECT * FROM `{table}` WHERE id > {} ORDER BY id LIMIT {EVENTS_AT_ONCE}",
            self.place.offset
        );
        let rows = ask(&mut self.conn, sql).await?;
        if let Some(last) = rows.last() {
            self.place = place_of(last);
        }
        Ok(rows)
    }

    /// Begins with the records again, for those that were written meanwhile.
    pub(super) fn again(&mut self) {
        self.done = false;
    }

    /// Returns the place after the last row that was read.
    pub(super) fn position(&self) -> Position {
        self.place.clone()
    }
}

/// Returns the place of the last row of a CEL table; of an empty one the beginning.
pub(super) async fn end_of(settings: &TableSettings) -> io::Result<Position> {
    let mut conn = connect(settings).await?;
    let sql = format!(
        "SELECT * FROM `{}` ORDER BY id DESC LIMIT 1",
        settings.table
    );
    let rows = ask(&mut conn, sql).await?;
    // A goodbye; whether it arrives is all the same.
    let _ = tokio::time::timeout(CONNECT_DEADLINE, conn.disconnect()).await;
    Ok(rows.first().map(place_of).unwrap_or_default())
}

async fn connect(settings: &TableSettings) -> io::Result<Conn> {
    let options = OptsBuilder::default()
        .ip_or_hostname(settings.host.clone())
        .tcp_port(settings.port)
        .user(Some(settings.username.clone()))
        .pass(Some(settings.password.expose().to_owned()))
        .db_name(Some(settings.database.clone()))
        .prefer_socket(false)
        .max_allowed_packet(Some(ANSWER_BYTES_MAX))
        .wait_timeout(Some(60));
    in_time(CONNECT_DEADLINE, Conn::new(options)).await
}

async fn ask(conn: &mut Conn, sql: String) -> io::Result<Vec<NamedRow>> {
    let rows: Vec<Row> = in_time(ANSWER_DEADLINE, conn.query(sql)).await?;
    Ok(rows.into_iter().map(named).collect())
}

async fn in_time<T>(
    deadline: Duration,
    answer: impl Future<Output = Result<T, mysql_async::Error>>,
) -> io::Result<T> {
    match tokio::time::timeout(deadline, answer).await {
        Ok(answer) => answer.map_err(io::Error::other),
        Err(_) => Err(io::Error::new(
            io::ErrorKind::TimedOut,
            "the database does not answer",
        )),
    }
}

fn named(row: Row) -> NamedRow {
    let names = row.columns();
    let names = names.iter().map(|one| one.name_str().to_ascii_lowercase());
    names.zip(row.unwrap().iter().map(text)).collect()
}

/// In answers to plain queries every value is a text.
fn text(value: &Value) -> String {
    match value {
        Value::NULL => String::new(),
        Value::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        other => other.as_sql(true).trim_matches('\'').to_owned(),
    }
}

fn place_of(row: &NamedRow) -> Position {
    let column = |name: &str| row.get(name).map(String::as_str).unwrap_or_default();
    let tail = format!("{} {}", column("uniqueid"), column("eventtime"));
    Position::new(column("id").parse().unwrap_or_default(), tail.as_bytes())
}

/// Writes a moment as the table does. Where it may be in several zones, the earliest is meant.
fn written(at: Timestamp, zones: &[TimeZone]) -> String {
    let at = jiff::Timestamp::from_millisecond(at.as_millis()).unwrap_or_default();
    let local = zones.iter().map(|zone| zone.to_datetime(at)).min();
    local
        .unwrap_or_else(|| TimeZone::UTC.to_datetime(at))
        .strftime("%Y-%m-%d %H:%M:%S")
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_written_as_the_earliest_that_it_may_be() {
        let zones = [TimeZone::get("Europe/Moscow").unwrap(), TimeZone::UTC];
        let at = Timestamp::from_secs(1_795_210_154);
        assert_eq!(written(at, &zones), "2026-11-20 21:29:14");
        assert_eq!(written(at, &zones[..1]), "2026-11-21 00:29:14");
    }

    #[test]
    fn a_place_is_known_by_what_stands_in_its_row() {
        let row = |id: &str, uniqueid: &str| {
            let columns = [
                ("id", id),
                ("uniqueid", uniqueid),
                ("eventtime", "2026-11-20 21:29:14"),
            ];
            place_of(
                &columns
                    .map(|(name, text)| (name.to_owned(), text.to_owned()))
                    .into(),
            )
        };
        assert_eq!(row("7", "1.1").offset, 7);
        assert_eq!(row("7", "1.1"), row("7", "1.1"));
        assert_ne!(row("7", "1.1"), row("7", "1.2"));
    }
}
