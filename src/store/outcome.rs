//! What a communication came to: kept beside its snapshot and moved in the index in the same
//! transaction as the change that caused it.

use redb::ReadableTable;

use super::error::{StoreError, Trouble};
use super::facet::reindex;
use super::ledger_rows::Progress;
use super::query::{JournalOutcome, StoredCommunication};
use super::row::encode;
use super::tables::{Tables, get_text, ledgers_of, skip_unreadable};
use crate::model::ids::CommunicationKey;
use crate::model::timestamp::Timestamp;

/// Writes a communication with its present outcome. `old` is the row that it replaces.
pub(super) fn put_communication(
    tables: &mut Tables<'_>,
    old: Option<&StoredCommunication>,
    mut new: StoredCommunication,
) -> Result<(), Trouble> {
    new.outcome = outcome(tables, &new)?;
    let key = new.snapshot.key.to_string();
    tables
        .communications
        .insert(key.as_str(), encode(&new)?.as_slice())?;
    tables.wrote = true;
    reindex(tables, old, Some(&new))
}

/// Brings the outcome of a communication up to date after its works or ledgers changed.
pub(super) fn refresh_outcome(
    tables: &mut Tables<'_>,
    key: &CommunicationKey,
    at: Timestamp,
) -> Result<(), Trouble> {
    let text = key.to_string();
    let read = get_text(
        &tables.communications,
        "communications",
        &text,
        tables.health,
    );
    let Some(old) = skip_unreadable::<StoredCommunication>(read)? else {
        return Ok(());
    };
    if outcome(tables, &old)? == old.outcome {
        return Ok(());
    }
    let mut new = old.clone();
    new.updated_at = new.updated_at.max(at);
    put_communication(tables, Some(&old), new)
}

/// The gravest of what its works and ledgers say.
fn outcome(tables: &Tables<'_>, stored: &StoredCommunication) -> Result<JournalOutcome, Trouble> {
    let key = &stored.snapshot.key;
    let mut gravest = match stored.not_taken {
        Some(_) => JournalOutcome::NotTaken,
        None => JournalOutcome::Open,
    };
    if tables.has_open_work(key)? {
        gravest = gravest.max(JournalOutcome::Waiting);
    }
    let text = key.to_string();
    for row in tables.ledgers.range(ledgers_of(&text))? {
        let (place, row) = row?;
        let (communication, integration) = place.value();
        let name = format!("{integration} {communication}");
        let said = match tables.health.read::<Progress>("ledgers", name, row.value()) {
            Ok(progress) => progress.outcome(),
            // Nothing goes on from such a ledger: a person must look.
            Err(StoreError::Unreadable { .. }) => JournalOutcome::Dead,
            Err(other) => return Err(other.into()),
        };
        gravest = gravest.max(said);
    }
    Ok(gravest)
}
