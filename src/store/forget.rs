//! Forgetting a client: everything of every communication that would tell who it was, but not that
//! there was one. Were the row removed, a source that reports it again would make it anew.

use redb::ReadableTable;

use super::command::{ForgetReport, JournalNote, KeptBecause};
use super::error::{StoreError, Trouble};
use super::facet::{of_phone, phones};
use super::left_works;
use super::outcome::put_communication;
use super::passing;
use super::quarantine::{self, QuarantineId};
use super::query::{NoteId, StoredCommunication};
use super::reader::Reader;
use super::recordings;
use super::tables::{
    CHECKPOINTS, JOURNAL_INDEX, LAST, NOTES, Tables, get_text, ledgers_of, numbers_of,
    skip_unreadable,
};
use crate::model::communication::Body;
use crate::model::ids::CommunicationKey;
use crate::model::phone::Phone;
use crate::model::timestamp::Timestamp;

/// The most communications that one order looks at; who called oftener is forgotten by several.
const LOOK_MAX: usize = 10_000;

/// What is not over may go on after so long a silence only by mistake, in milliseconds.
const SILENT_FOR: i64 = 86_400_000;

/// Digits of a number by which remarks are searched: however its beginning is written.
const DIGITS: usize = 10;

/// What the journal says of such a communication.
const WHY: &str = "the client was forgotten";

/// What an order is about.
#[derive(Debug)]
pub(super) struct ForgetList {
    at: Timestamp,
    phone: Phone,
    communications: Vec<CommunicationKey>,
    notes: Vec<NoteId>,
    /// Rows in quarantine.
    quarantine: Vec<QuarantineId>,
    /// Sources in whose own memory the number stands.
    checkpoints: Vec<String>,
    more: bool,
}

impl ForgetList {
    /// Cuts the list into pieces of which each is a short transaction.
    pub(super) fn pieces(mut self, rows_max: usize) -> Vec<Self> {
        let mut pieces = Vec::new();
        loop {
            let left = self
                .communications
                .split_off(self.communications.len().min(rows_max));
            let notes = self.notes.split_off(self.notes.len().min(rows_max));
            let next = Self {
                communications: left,
                notes,
                quarantine: Vec::new(),
                checkpoints: Vec::new(),
                phone: self.phone.clone(),
                ..self
            };
            pieces.push(self);
            if next.communications.is_empty() && next.notes.is_empty() {
                return pieces;
            }
            self = next;
        }
    }
}

/// Looks for everything that has the number.
pub(super) fn candidates(
    reader: &Reader<'_>,
    phone: &Phone,
    at: Timestamp,
) -> Result<ForgetList, Trouble> {
    let facet = of_phone(phone);
    let range = (facet.as_str(), i64::MIN, "")..=(facet.as_str(), i64::MAX, LAST);
    let mut list = ForgetList {
        at,
        phone: phone.clone(),
        communications: Vec::new(),
        notes: Vec::new(),
        quarantine: Vec::new(),
        checkpoints: Vec::new(),
        more: false,
    };
    for row in reader.table(JOURNAL_INDEX)?.range(range)? {
        if list.communications.len() >= LOOK_MAX {
            list.more = true;
            break;
        }
        let (place, _) = row?;
        let (_, _, key) = place.value();
        list.communications.extend(key.parse::<CommunicationKey>());
    }
    let digits = digits_of(phone);
    for row in reader.table(NOTES)?.iter()? {
        let (id, row) = row?;
        if has(row.value(), &digits) {
            list.notes.push(id.value());
        }
    }
    for row in reader.table(CHECKPOINTS)?.iter()? {
        let (source, row) = row?;
        if has(row.value(), &digits) {
            list.checkpoints.push(source.value().to_owned());
        }
    }
    let has_number = |row: &[u8]| has(row, &digits);
    list.quarantine = quarantine::rows_about(reader, &list.communications, has_number)?;
    Ok(list)
}

/// Returns the last digits of a number.
fn digits_of(phone: &Phone) -> Vec<u8> {
    let digits = phone.as_str().trim_start_matches('+').as_bytes();
    let from = digits.len().saturating_sub(DIGITS);
    digits.get(from..).unwrap_or(digits).to_vec()
}

fn has(row: &[u8], digits: &[u8]) -> bool {
    row.windows(digits.len()).any(|part| part == digits)
}

/// Carries a piece of an order out.
pub(super) fn forget(tables: &mut Tables<'_>, list: &ForgetList) -> Result<ForgetReport, Trouble> {
    let mut report = ForgetReport {
        checkpoints: list.checkpoints.clone(),
        more: list.more,
        ..ForgetReport::default()
    };
    for key in &list.communications {
        forget_one(tables, key, list, &mut report)?;
    }
    for id in &list.notes {
        let owner = match tables.notes.get(*id)? {
            Some(row) => {
                let read = tables.health.read::<JournalNote>("notes", id, row.value());
                match read {
                    Ok(note) => note.communication,
                    Err(StoreError::Unreadable { .. }) => None,
                    Err(other) => return Err(other.into()),
                }
            }
            None => continue,
        };
        if let Some(owner) = owner {
            if report.kept.iter().any(|(kept, _)| *kept == owner) {
                continue;
            }
            tables.notes_of.remove((owner.to_string().as_str(), *id))?;
        }
        tables.notes.remove(*id)?;
        tables.wrote = true;
        report.notes += 1;
    }
    report.quarantined = quarantine::forget(tables, &list.quarantine, list.at)?;
    Ok(report)
}

fn forget_one(
    tables: &mut Tables<'_>,
    key: &CommunicationKey,
    list: &ForgetList,
    report: &mut ForgetReport,
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
    // Since it was found, its source may have told of another client.
    if !phones(&old).any(|phone| phone == list.phone) {
        return Ok(());
    }
    let kept = if tables.has_open_work(key)? {
        Some(KeptBecause::Waits)
    } else if goes_on(&old, list.at) {
        Some(KeptBecause::GoesOn)
    } else {
        None
    };
    if let Some(why) = kept {
        report.kept.push((key.clone(), why));
        return Ok(());
    }
    report.files.extend(recordings::kept_file(tables, key)?);
    recordings::forget(tables, key)?;
    left_works::forget(tables, &text)?;
    forget_ledgers(tables, &text)?;
    let notes = tables
        .notes_of
        .range(numbers_of(&text))?
        .map(|row| row.map(|(place, _)| place.value().1))
        .collect::<Result<Vec<_>, _>>()?;
    for id in notes {
        tables.notes.remove(id)?;
    }
    tables.notes_of.retain_in(numbers_of(&text), |_, _| false)?;
    let new = StoredCommunication {
        snapshot: old.snapshot.without_client(),
        updated_at: old.updated_at.max(list.at),
        not_taken: Some(WHY.to_owned()),
        ..old.clone()
    };
    put_communication(tables, Some(&old), new)?;
    report.sources.insert(key.source.clone());
    report.communications += 1;
    Ok(())
}

/// Removes what integrations decided and did, and its dead letters. That a phase was worked on is
/// kept, so that it is not worked on again.
pub(super) fn forget_ledgers(tables: &mut Tables<'_>, communication: &str) -> Result<(), Trouble> {
    let integrations = tables
        .ledgers
        .range(ledgers_of(communication))?
        .map(|row| row.map(|(place, _)| place.value().1.to_owned()))
        .collect::<Result<Vec<String>, _>>()?;
    for integration in integrations {
        let dead =
            (integration.as_str(), communication, "")..=(integration.as_str(), communication, LAST);
        tables.dead_letters.retain_in(dead, |_, ()| false)?;
    }
    passing::forget(tables, communication)?;
    tables
        .ledgers
        .retain_in(ledgers_of(communication), |_, _| false)?;
    tables
        .decisions
        .retain_in(ledgers_of(communication), |_, _| false)?;
    Ok(())
}

/// Says whether more is to be expected of a communication.
fn goes_on(stored: &StoredCommunication, now: Timestamp) -> bool {
    let over = match &stored.snapshot.body {
        Body::Call { call } => call.is_over(),
        Body::Chat { chat } => chat.is_over(),
        Body::Request { .. } => true,
    };
    let silent_for = now
        .as_millis()
        .saturating_sub(stored.updated_at.as_millis());
    !over && silent_for < SILENT_FOR
}

impl ForgetReport {
    /// Adds what a further piece came to.
    pub(super) fn add(&mut self, piece: Self) {
        self.communications += piece.communications;
        self.notes += piece.notes;
        self.quarantined += piece.quarantined;
        self.sources.extend(piece.sources);
        self.kept.extend(piece.kept);
        self.files.extend(piece.files);
        self.checkpoints.extend(piece.checkpoints);
        self.more |= piece.more;
    }
}
