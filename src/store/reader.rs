//! Reads inside one read transaction: a picture of one moment, which never waits for the writer.

use redb::{
    Key, ReadOnlyTable, ReadTransaction, ReadableTable, TableDefinition, Value as RowValue,
};
use serde_json::Value;

use super::command::{JournalNote, Work, WorkAtHand, WorkId, WorkState};
use super::error::{StoreError, Trouble};
use super::keep::SettingsRow;
use super::ledger_rows::Progress;
use super::left_works::LEFT_WORKS;
use super::quarantine::QUARANTINE;
use super::query::{
    DeadLetter, NoteSearch, SEARCH_ROWS_MAX, StoreFigures, StoredCommunication, StoredNote, Story,
};
use super::row::RowHealth;
use super::tables::{
    ACCOUNTS, CHECKPOINTS, COMMUNICATIONS, CREDENTIALS, DEAD_LETTERS, DECISIONS, LAST, LEDGERS,
    NOTES, NOTES_OF, SETTINGS, SETTINGS_CURRENT, WORKS, WORKS_OF, get_text, ledgers_of, numbers_of,
    rows,
};
use crate::model::ids::{CommunicationKey, IntegrationKey, PortalKey, SourceKey};
use crate::model::ledger::{Ledger, StepState};
use crate::model::plan::{Role, StepKey};
use crate::model::seal::StoreKey;
use crate::model::secret::Secret;

/// The most remarks that one search looks at: with a rare filter it ends within a second.
const NOTE_LOOK_MAX: usize = 50_000;

/// One read transaction.
pub(super) struct Reader<'h> {
    pub(super) txn: ReadTransaction,
    pub(super) health: &'h RowHealth,
}

impl Reader<'_> {
    pub(super) fn table<K: Key + 'static, V: RowValue + 'static>(
        &self,
        definition: TableDefinition<'_, K, V>,
    ) -> Result<ReadOnlyTable<K, V>, Trouble> {
        Ok(self.txn.open_table(definition)?)
    }

    pub(super) fn open_works(&self) -> Result<Vec<Work>, Trouble> {
        let mut works = Vec::new();
        for row in self.table(WORKS)?.iter()? {
            let (id, row) = row?;
            // Counted and logged by the health; the others go on.
            works.extend(self.health.read::<Work>("works", id.value(), row.value()));
        }
        Ok(works)
    }

    pub(super) fn work(&self, id: WorkId) -> Result<Option<Work>, Trouble> {
        match self.table(WORKS)?.get(id)? {
            Some(row) => Ok(Some(self.health.read("works", id, row.value())?)),
            None => Ok(None),
        }
    }

    pub(super) fn work_at_hand(&self, id: WorkId) -> Result<Option<WorkAtHand>, Trouble> {
        let Some(work) = self.work(id)? else {
            return Ok(None);
        };
        let is_decided = matches!(work.state, WorkState::Decided { .. });
        Ok(Some(WorkAtHand {
            stored: match is_decided {
                true => None,
                false => self.communication(&work.communication)?,
            },
            ledger: self.ledger(&work.integration, &work.communication)?,
            work,
        }))
    }

    pub(super) fn communication(
        &self,
        key: &CommunicationKey,
    ) -> Result<Option<StoredCommunication>, Trouble> {
        let table = self.table(COMMUNICATIONS)?;
        get_text(&table, "communications", &key.to_string(), self.health)
    }

    pub(super) fn ledger(
        &self,
        integration: &IntegrationKey,
        communication: &CommunicationKey,
    ) -> Result<Ledger, Trouble> {
        self.ledger_by_text(&integration.to_string(), &communication.to_string())
    }

    fn ledger_by_text(&self, integration: &str, communication: &str) -> Result<Ledger, Trouble> {
        let place = (communication, integration);
        let Some(row) = self.table(LEDGERS)?.get(place)? else {
            return Ok(Ledger::default());
        };
        let name = format!("{integration} {communication}");
        let progress: Progress = self.health.read("ledgers", &name, row.value())?;
        let table = self.table_if_made(DECISIONS)?;
        let row = table.map(|table| table.get(place)).transpose()?.flatten();
        let decisions = row.map(|row| self.health.read("decisions", name, row.value()));
        Ok(progress.with(decisions.transpose()?))
    }

    pub(super) fn story(&self, key: &CommunicationKey) -> Result<Option<Story>, Trouble> {
        let Some(communication) = self.communication(key)? else {
            return Ok(None);
        };
        let text = key.to_string();
        let mut story = Story {
            communication,
            ledgers: Vec::new(),
            works: Vec::new(),
            notes: Vec::new(),
            recording: self.recording(key).unwrap_or_default(),
        };
        for row in self.table(LEDGERS)?.range(ledgers_of(&text))? {
            let integration = row?.0.value().1.to_owned();
            // Counted and logged by the health; the others are told.
            match (
                integration.parse(),
                self.ledger_by_text(&integration, &text),
            ) {
                (Ok(integration), Ok(ledger)) => story.ledgers.push((integration, ledger)),
                (_, Err(fatal @ Trouble::Fatal(_))) => return Err(fatal),
                (Err(_), _) | (_, Err(Trouble::Refused(_))) => {}
            }
        }
        let works = self.table(WORKS)?;
        for row in self.table(WORKS_OF)?.range(numbers_of(&text))? {
            let (_, id) = row?.0.value();
            if let Some(row) = works.get(id)? {
                story
                    .works
                    .extend(self.health.read::<Work>("works", id, row.value()));
            }
        }
        let notes = self.table(NOTES)?;
        for row in self.table(NOTES_OF)?.range(numbers_of(&text))? {
            let (_, id) = row?.0.value();
            if let Some(row) = notes.get(id)? {
                let read = self.health.read::<JournalNote>("notes", id, row.value());
                story.notes.extend(read);
            }
        }
        Ok(Some(story))
    }

    /// Lists dead letters in order of integration, communication and role.
    pub(super) fn dead_letters(
        &self,
        only: Option<&IntegrationKey>,
        after: Option<&StepKey>,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, Trouble> {
        let only = only.map(ToString::to_string);
        let after = after.map(|key| {
            let communication = key.communication.to_string();
            (
                key.integration.to_string(),
                communication,
                key.role.0.clone(),
            )
        });
        let first = only.clone().unwrap_or_default();
        let start = match &after {
            Some((i, c, r)) => (i.as_str(), c.as_str(), r.as_str()).max((first.as_str(), "", "")),
            None => (first.as_str(), "", ""),
        };
        let end = (only.as_deref().unwrap_or(LAST), LAST, LAST);
        let mut found = Vec::new();
        if start > end {
            return Ok(found);
        }
        for row in self.table(DEAD_LETTERS)?.range(start..=end)? {
            if found.len() >= limit.min(SEARCH_ROWS_MAX) {
                break;
            }
            let (place, _) = row?;
            let (integration, communication, role) = place.value();
            if after.as_ref().is_some_and(|(i, c, r)| {
                (integration, communication, role) == (i.as_str(), c.as_str(), r.as_str())
            }) {
                continue;
            }
            found.extend(self.dead_letter(integration, communication, role)?);
        }
        Ok(found)
    }

    fn dead_letter(
        &self,
        integration: &str,
        communication: &str,
        role: &str,
    ) -> Result<Option<DeadLetter>, Trouble> {
        let ledger = match self.ledger_by_text(integration, communication) {
            Ok(ledger) => ledger,
            Err(Trouble::Refused(_)) => return Ok(None),
            Err(fatal) => return Err(fatal),
        };
        let role = Role::new(role);
        let (Ok(integration), Ok(communication)) = (integration.parse(), communication.parse())
        else {
            return Ok(None);
        };
        Ok(ledger.step(&role).and_then(|step| match &step.state {
            StepState::Dead { at, reason } => Some(DeadLetter {
                integration,
                communication,
                role: role.clone(),
                effect: step.effect.clone(),
                at: *at,
                reason: reason.clone(),
            }),
            StepState::Pending
            | StepState::InFlight { .. }
            | StepState::Done { .. }
            | StepState::Waiting { .. }
            | StepState::Dropped { .. }
            | StepState::Expired { .. } => None,
        }))
    }

    /// Lists remarks, newest first.
    pub(super) fn notes(&self, search: &NoteSearch) -> Result<Vec<StoredNote>, Trouble> {
        let notes = self.table(NOTES)?;
        let below = search.after.unwrap_or(u64::MAX);
        let mut found = Vec::new();
        let mut take = |id: u64, row: &[u8]| {
            let read = self.health.read::<JournalNote>("notes", id, row);
            found.extend(
                read.ok()
                    .filter(|note| matches(search, note))
                    .map(|note| StoredNote { id, note }),
            );
            found.len() < search.limit.min(SEARCH_ROWS_MAX)
        };
        if search.limit == 0 {
            return Ok(found);
        }
        match &search.communication {
            Some(key) => {
                let text = key.to_string();
                let range = (text.as_str(), 0)..(text.as_str(), below);
                for row in self.table(NOTES_OF)?.range(range)?.rev() {
                    let (_, id) = row?.0.value();
                    if let Some(row) = notes.get(id)?
                        && !take(id, row.value())
                    {
                        break;
                    }
                }
            }
            None => {
                for row in notes.range(..below)?.rev().take(NOTE_LOOK_MAX) {
                    let (id, row) = row?;
                    if !take(id.value(), row.value()) {
                        break;
                    }
                }
            }
        }
        Ok(found)
    }

    pub(super) fn settings(
        &self,
        key: &IntegrationKey,
        revision: Option<u64>,
    ) -> Result<Option<(u64, Value)>, Trouble> {
        let key = key.to_string();
        let revision = match revision {
            Some(revision) => revision,
            None => match self.table(SETTINGS_CURRENT)?.get(key.as_str())? {
                Some(current) => current.value(),
                None => return Ok(None),
            },
        };
        match self.table(SETTINGS)?.get((key.as_str(), revision))? {
            Some(row) => {
                let name = format!("{key} {revision}");
                let row: SettingsRow = self.health.read("settings", name, row.value())?;
                Ok(Some((revision, row.settings)))
            }
            None => Ok(None),
        }
    }

    pub(super) fn checkpoint(&self, key: &SourceKey) -> Result<Option<Value>, Trouble> {
        let table = self.table(CHECKPOINTS)?;
        get_text(&table, "checkpoints", &key.to_string(), self.health)
    }

    pub(super) fn account(&self, key: &PortalKey) -> Result<Option<Value>, Trouble> {
        get_text(
            &self.table(ACCOUNTS)?,
            "accounts",
            key.as_str(),
            self.health,
        )
    }

    pub(super) fn credential(&self, name: &str, key: &StoreKey) -> Result<Option<Secret>, Trouble> {
        match self.table(CREDENTIALS)?.get(name)? {
            Some(row) => match key.open("credentials", name, row.value()) {
                Some(secret) => Ok(Some(secret)),
                None => Err(Trouble::Refused(StoreError::WrongKey {
                    name: name.to_owned(),
                })),
            },
            None => Ok(None),
        }
    }

    /// Counts the rows; the rest of the figures is the caller's.
    pub(super) fn figures(&self) -> Result<StoreFigures, Trouble> {
        Ok(StoreFigures {
            communications: rows(&self.table(COMMUNICATIONS)?)?,
            open_works: rows(&self.table(WORKS)?)?,
            dead_letters: rows(&self.table(DEAD_LETTERS)?)?,
            left_works: match self.table_if_made(LEFT_WORKS)? {
                Some(table) => rows(&table)?,
                None => 0,
            },
            quarantined_rows: match self.table_if_made(QUARANTINE)? {
                Some(table) => rows(&table)?,
                None => 0,
            },
            ..StoreFigures::default()
        })
    }
}

fn matches(search: &NoteSearch, note: &JournalNote) -> bool {
    fn same<T: PartialEq>(wanted: &Option<T>, found: &Option<T>) -> bool {
        wanted.is_none() || wanted == found
    }
    same(&search.tenant, &note.tenant)
        && same(&search.source, &note.source)
        && same(&search.integration, &note.integration)
        && same(&search.communication, &note.communication)
        && search.word.as_ref().is_none_or(|word| *word == note.word)
}
