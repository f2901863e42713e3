//! Open works of integrations that are not configured any more: taken off the table with a remark,
//! kept beside it for as long as their communication, and put back when the integration returns.

use redb::{ReadableTable, TableDefinition};

use super::command::{JournalNote, Work, WorkId, WorkState};
use super::error::{StoreError, Trouble};
use super::outcome::{put_communication, refresh_outcome};
use super::query::{JournalOutcome, StoredCommunication};
use super::reader::Reader;
use super::row::encode;
use super::tables::{Tables, get_text, numbers_of, skip_unreadable};
use crate::model::ids::{CommunicationKey, IntegrationKey};
use crate::model::timestamp::Timestamp;

/// (Communication, work) -> the work.
pub(super) const LEFT_WORKS: TableDefinition<(&str, u64), &[u8]> =
    TableDefinition::new("left_works");

/// How the journal names it in a remark, and why nobody takes a communication.
const REMOVED: &str = "integration_removed";
const RETURNED: &str = "integration_returned";

/// A change of works that integrations left behind.
#[derive(Debug)]
pub(super) enum LeftCommand {
    /// Their integrations are not configured.
    Leave(Vec<WorkId>, Timestamp),
    /// Their integrations are configured again.
    Return(Vec<Work>, Timestamp),
}

/// Carries a change out; returns how many works it moved.
pub(super) fn apply(tables: &mut Tables<'_>, command: &LeftCommand) -> Result<u64, Trouble> {
    let mut moved = 0;
    match command {
        LeftCommand::Leave(works, at) => {
            for id in works {
                moved += u64::from(leave(tables, *id, *at)?);
            }
        }
        LeftCommand::Return(works, at) => {
            for work in works {
                moved += u64::from(put_back(tables, work, *at)?);
            }
        }
    }
    Ok(moved)
}

fn leave(tables: &mut Tables<'_>, id: WorkId, at: Timestamp) -> Result<bool, Trouble> {
    let work = match tables.work(id) {
        Ok(Some(work)) => work,
        // Closed meanwhile, or in quarantine soon.
        Ok(None) | Err(Trouble::Refused(StoreError::Unreadable { .. })) => return Ok(false),
        Err(other) => return Err(other),
    };
    let communication = work.communication.to_string();
    tables.remove_work(&work)?;
    tables
        .left_works
        .insert((communication.as_str(), id), encode(&work)?.as_slice())?;
    let text = format!(
        "integration {} is not configured any more: work {id} ({}) is ended; it goes on if the \
         integration returns",
        work.integration, work.phase
    );
    tables.put_note(&remark(&work, at, REMOVED, text))?;
    refresh_outcome(tables, &work.communication, at)?;
    let why = not_taken(&work.integration);
    change_not_taken(tables, &work.communication, at, |stored| {
        // Of one that nobody did anything for, the journal says why.
        (stored.outcome == JournalOutcome::Open && stored.not_taken.is_none()).then_some(Some(why))
    })?;
    Ok(true)
}

fn put_back(tables: &mut Tables<'_>, work: &Work, at: Timestamp) -> Result<bool, Trouble> {
    let key = work.communication.to_string();
    let place = (key.as_str(), work.id);
    if tables.left_works.remove(place)?.is_none() {
        return Ok(false);
    }
    tables.wrote = true;
    if tables.communications.get(key.as_str())?.is_none() || tables.works.get(work.id)?.is_some() {
        return Ok(false);
    }
    let state = match work.state {
        // What it waited for then says nothing now.
        WorkState::Undecided { .. } => WorkState::Undecided {
            not_before: None,
            why: None,
            attempts: 0,
        },
        WorkState::Decided { at } => WorkState::Decided { at },
    };
    let work = Work {
        state,
        ..work.clone()
    };
    tables.put_work(&work)?;
    let text = format!(
        "integration {} is configured again: work {} ({}) goes on",
        work.integration, work.id, work.phase
    );
    tables.put_note(&remark(&work, at, RETURNED, text))?;
    let why = not_taken(&work.integration);
    change_not_taken(tables, &work.communication, at, |stored| {
        (stored.not_taken.as_ref() == Some(&why)).then_some(None)
    })?;
    refresh_outcome(tables, &work.communication, at)?;
    Ok(true)
}

fn not_taken(integration: &IntegrationKey) -> String {
    format!("integration {integration} is not configured any more")
}

/// Changes why nobody takes a communication, where a closure says so.
fn change_not_taken(
    tables: &mut Tables<'_>,
    key: &CommunicationKey,
    at: Timestamp,
    change: impl FnOnce(&StoredCommunication) -> Option<Option<String>>,
) -> Result<(), Trouble> {
    let read = get_text(
        &tables.communications,
        "communications",
        &key.to_string(),
        tables.health,
    );
    let Some(old) = skip_unreadable::<StoredCommunication>(read)? else {
        return Ok(());
    };
    let Some(not_taken) = change(&old) else {
        return Ok(());
    };
    let new = StoredCommunication {
        not_taken,
        updated_at: old.updated_at.max(at),
        ..old.clone()
    };
    put_communication(tables, Some(&old), new)
}

fn remark(work: &Work, at: Timestamp, word: &str, text: String) -> JournalNote {
    JournalNote {
        at,
        tenant: Some(work.integration.tenant.clone()),
        source: Some(work.communication.source.clone()),
        integration: Some(work.integration.clone()),
        communication: Some(work.communication.clone()),
        word: word.to_owned(),
        text,
    }
}

/// Removes what is kept of a communication.
pub(super) fn forget(tables: &mut Tables<'_>, communication: &str) -> Result<(), Trouble> {
    let rows = numbers_of(communication);
    tables.left_works.retain_in(rows, |_, _| false)?;
    Ok(())
}

impl Reader<'_> {
    /// Returns the works that integrations left behind, in order of communication.
    pub(super) fn left_works(&self) -> Result<Vec<Work>, Trouble> {
        let Some(table) = self.table_if_made(LEFT_WORKS)? else {
            return Ok(Vec::new());
        };
        let mut works = Vec::new();
        for row in table.iter()? {
            let (place, row) = row?;
            let (communication, id) = place.value();
            let name = format!("{communication} {id}");
            works.extend(self.health.read::<Work>("left_works", name, row.value()));
        }
        Ok(works)
    }
}
