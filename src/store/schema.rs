//! The schema's number, the check of the key and the time of making: looked at before anything
//! else is read, written once.

use redb::{Database, ReadableDatabase, TableError};
use serde::{Deserialize, Serialize};

use super::error::{OpenError, Trouble};
use super::row::RowHealth;
use super::tables::{META, Tables, get_text, put_text};
use crate::model::seal::StoreKey;
use crate::model::secret::Secret;
use crate::model::timestamp::Timestamp;

/// The schema that this version writes, and the highest that it reads.
const SCHEMA: u64 = 1;

/// The row of the schema's number: decimal digits and nothing else, in every version, so that
/// the oldest binary can read the newest store's.
const SCHEMA_ROW: &str = "schema";

/// The row that only the right key opens.
const KEY_CHECK_ROW: &str = "key_check";
const KEY_CHECK_TEXT: &str = "trunkline store";

/// The row with the time of making.
const MADE_ROW: &str = "made";

#[derive(Debug, Serialize, Deserialize)]
struct Made {
    at: Timestamp,
}

/// Checks an existing store, or makes a new one; returns when it was made.
pub(super) fn prepare(
    database: &Database,
    key: &StoreKey,
    health: &RowHealth,
    now: Timestamp,
) -> Result<Timestamp, OpenError> {
    match schema_of(database)? {
        None => make(database, key, health, now),
        Some(SCHEMA) => check(database, key, health),
        Some(found) if found > SCHEMA => Err(OpenError::Newer {
            found,
            known: SCHEMA,
        }),
        Some(found) => Err(damaged(format!("there never was a schema {found}"))),
    }
}

fn damaged(error: impl ToString) -> OpenError {
    OpenError::Damaged(error.to_string())
}

impl From<Trouble> for OpenError {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Refused(error) => damaged(error),
            Trouble::Fatal(why) => damaged(why),
        }
    }
}

/// Returns the schema's number; `None` for a store that is still empty.
fn schema_of(database: &Database) -> Result<Option<u64>, OpenError> {
    let txn = database.begin_read().map_err(damaged)?;
    let meta = match txn.open_table(META) {
        Ok(meta) => meta,
        Err(TableError::TableDoesNotExist(_)) => {
            return match txn.list_tables().map_err(damaged)?.next() {
                Some(_) => Err(damaged("it holds tables but no schema")),
                None => Ok(None),
            };
        }
        Err(error) => return Err(damaged(error)),
    };
    let Some(row) = meta.get(SCHEMA_ROW).map_err(damaged)? else {
        return Err(damaged("its schema has no number"));
    };
    let text = std::str::from_utf8(row.value()).map_err(damaged)?;
    text.parse().map(Some).map_err(damaged)
}

/// Makes all tables of a new store in one transaction.
fn make(
    database: &Database,
    key: &StoreKey,
    health: &RowHealth,
    now: Timestamp,
) -> Result<Timestamp, OpenError> {
    let txn = database.begin_write().map_err(damaged)?;
    let mut tables = Tables::open(&txn, health)?;
    let text = Secret::new(KEY_CHECK_TEXT.to_owned());
    let sealed = key.seal("meta", KEY_CHECK_ROW, &text);
    let meta = &mut tables.meta;
    meta.insert(KEY_CHECK_ROW, sealed.as_slice())
        .map_err(damaged)?;
    meta.insert(SCHEMA_ROW, SCHEMA.to_string().as_bytes())
        .map_err(damaged)?;
    put_text(meta, MADE_ROW, &Made { at: now })?;
    drop(tables);
    txn.commit().map_err(damaged)?;
    Ok(now)
}

/// Reads only: opening an existing store writes nothing.
fn check(database: &Database, key: &StoreKey, health: &RowHealth) -> Result<Timestamp, OpenError> {
    let txn = database.begin_read().map_err(damaged)?;
    let meta = txn.open_table(META).map_err(damaged)?;
    let sealed = meta.get(KEY_CHECK_ROW).map_err(damaged)?;
    let opened = sealed.and_then(|row| key.open("meta", KEY_CHECK_ROW, row.value()));
    match opened {
        Some(text) if text.expose() == KEY_CHECK_TEXT => {}
        Some(_) | None => return Err(OpenError::WrongKey),
    }
    let made: Option<Made> = get_text(&meta, "meta", MADE_ROW, health)?;
    made.map(|made| made.at)
        .ok_or_else(|| damaged("its time of making is missing"))
}
