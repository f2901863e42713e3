//! Acceptance: snapshots, works, checkpoint and remarks of a source in one transaction.

use redb::ReadableTable;

use super::command::{Accept, Acceptance, Accepted, JournalNote, Route, Work, WorkId, WorkState};
use super::error::{StoreError, Trouble};
use super::outcome::put_communication;
use super::quarantine;
use super::query::{JournalOutcome, StoredCommunication};
use super::recordings;
use super::tables::{Counter, Tables, get_text, put_text, skip_unreadable};
use crate::model::communication::{Address, Snapshot};
use crate::model::ids::{CommunicationKey, IntegrationKey};
use crate::model::timestamp::Timestamp;

/// Carries out [`Accept`].
pub(super) fn accept(tables: &mut Tables<'_>, command: &Accept) -> Result<Vec<Accepted>, Trouble> {
    for acceptance in &command.acceptances {
        let key = &acceptance.snapshot.key;
        if key.source != command.source {
            return Err(Trouble::Refused(StoreError::WrongSource {
                source_key: command.source.clone(),
                key: key.clone(),
            }));
        }
    }
    let accepted = command
        .acceptances
        .iter()
        .map(|acceptance| take(tables, acceptance, command.now))
        .collect::<Result<Vec<_>, _>>()?;
    if let Some(checkpoint) = &command.checkpoint {
        let key = command.source.to_string();
        put_text(&mut tables.checkpoints, &key, checkpoint)?;
        tables.wrote = true;
    }
    for recording in &command.recordings {
        // A picture that is older than the stored one names no files that are to be looked for.
        let by = command.acceptances.iter().zip(&accepted);
        let is_stale = by
            .filter(|(one, _)| one.snapshot.key == recording.communication)
            .all(|(_, outcome)| *outcome == Accepted::Stale);
        if !is_stale {
            recordings::look_for(tables, recording)?;
        }
    }
    for note in &command.notes {
        tables.put_note(note)?;
    }
    Ok(accepted)
}

fn take(
    tables: &mut Tables<'_>,
    acceptance: &Acceptance,
    now: Timestamp,
) -> Result<Accepted, Trouble> {
    let snapshot = &acceptance.snapshot;
    let key = snapshot.key.to_string();
    let read = get_text(
        &tables.communications,
        "communications",
        &key,
        tables.health,
    );
    // A full snapshot takes the place of a row that cannot be read.
    if let Err(Trouble::Refused(StoreError::Unreadable { .. })) = &read {
        quarantine::keep_replaced(tables, &snapshot.key, now)?;
    }
    let old: Option<StoredCommunication> = skip_unreadable(read)?;
    if let Some(old) = &old {
        if snapshot.revision == old.snapshot.revision {
            return Ok(Accepted::Repeat);
        }
        if snapshot.revision < old.snapshot.revision {
            return Ok(Accepted::Stale);
        }
    }
    let gained = add_addresses(tables, snapshot)?;
    let works = make_works(tables, acceptance, now)?;
    note_not_taken(tables, acceptance, old.as_ref(), now)?;
    let new = StoredCommunication {
        snapshot: snapshot.clone(),
        accepted_at: old.as_ref().map_or(now, |old| old.accepted_at),
        updated_at: now,
        outcome: JournalOutcome::Open,
        not_taken: acceptance.not_taken.clone(),
    };
    put_communication(tables, old.as_ref(), new)?;
    Ok(Accepted::Stored { works, gained })
}

/// Makes the works that were never made before.
fn make_works(
    tables: &mut Tables<'_>,
    acceptance: &Acceptance,
    now: Timestamp,
) -> Result<Vec<(IntegrationKey, WorkId)>, Trouble> {
    let snapshot = &acceptance.snapshot;
    let mut made = Vec::new();
    for route in &acceptance.routes {
        made.extend(make_work(tables, snapshot, route, now)?);
    }
    Ok(made)
}

/// Makes the work of a route, unless it was made before.
pub(super) fn make_work(
    tables: &mut Tables<'_>,
    snapshot: &Snapshot,
    route: &Route,
    now: Timestamp,
) -> Result<Option<(IntegrationKey, WorkId)>, Trouble> {
    let (communication, integration) = (snapshot.key.to_string(), route.integration.to_string());
    if let Some(earlier) = route.phase.only_after() {
        let earlier = earlier.to_string();
        let before = (
            communication.as_str(),
            integration.as_str(),
            earlier.as_str(),
        );
        if tables.work_unique.get(before)?.is_none() {
            return Ok(None);
        }
    }
    let phase = match snapshot.body.turn(route.phase) {
        Some(turn) => format!("{}#{turn}", route.phase),
        None => route.phase.to_string(),
    };
    let unique = (communication.as_str(), integration.as_str(), phase.as_str());
    if tables.work_unique.get(unique)?.is_some() {
        return Ok(None);
    }
    let id = tables.next(Counter::Work)?;
    tables.work_unique.insert(unique, id)?;
    tables.put_work(&Work {
        id,
        integration: route.integration.clone(),
        portal: route.portal.clone(),
        communication: snapshot.key.clone(),
        kind: Some(snapshot.body.kind()),
        phase: route.phase,
        addresses: distinct(snapshot.body.addresses()),
        accepted_at: now,
        state: WorkState::Undecided {
            not_before: None,
            why: None,
            attempts: 0,
        },
    })?;
    Ok(Some((route.integration.clone(), id)))
}

/// Puts the undecided works of a communication into the lanes that it has gained; returns those
/// that were moved.
fn add_addresses(
    tables: &mut Tables<'_>,
    snapshot: &Snapshot,
) -> Result<Vec<(IntegrationKey, WorkId)>, Trouble> {
    let mut gained = Vec::new();
    let addresses = snapshot.body.addresses();
    for mut work in tables.works_of(&snapshot.key)? {
        let WorkState::Undecided { .. } = work.state else {
            continue;
        };
        let before = work.addresses.len();
        work.addresses.extend(addresses.iter().cloned());
        work.addresses = distinct(work.addresses);
        if work.addresses.len() != before {
            tables.put_work(&work)?;
            gained.push((work.integration, work.id));
        }
    }
    Ok(gained)
}

fn distinct(addresses: Vec<Address>) -> Vec<Address> {
    let mut kept: Vec<Address> = Vec::with_capacity(addresses.len());
    for address in addresses {
        if !kept.contains(&address) {
            kept.push(address);
        }
    }
    kept
}

/// Remarks that nobody takes a communication: once for a reason, not at every revision.
fn note_not_taken(
    tables: &mut Tables<'_>,
    acceptance: &Acceptance,
    old: Option<&StoredCommunication>,
    now: Timestamp,
) -> Result<(), Trouble> {
    let Some(why) = &acceptance.not_taken else {
        return Ok(());
    };
    if old.and_then(|old| old.not_taken.as_ref()) == Some(why) {
        return Ok(());
    }
    tables.put_note(&remark(&acceptance.snapshot.key, now, "not_taken", why))?;
    Ok(())
}

fn remark(key: &CommunicationKey, at: Timestamp, word: &str, text: &str) -> JournalNote {
    JournalNote {
        at,
        tenant: Some(key.tenant().clone()),
        source: Some(key.source.clone()),
        integration: None,
        communication: Some(key.clone()),
        word: word.to_owned(),
        text: text.to_owned(),
    }
}
