//! Carries out steps: items with the same path share a request, each gets its own outcome.

use serde_json::Value;

use super::AmoAdapter;
use super::client::{ReadError, Written};
use super::map::{self, Item};
use super::replies::{not_mentioned, read_stored, refused};
use super::wire::answers::CardRecord;
use super::wire::bodies::CardChange;
use crate::crm::{Class, StepCommand};
use crate::model::outcome::{Outcome, Rejection, StepResult};
use crate::model::plan::{Card, Effect, FieldFill, FillFields};

/// Most items of one request: permitted are 250, recommended at most 50 (`crm/amocrm.md` §4).
pub(super) const BATCH_MAX: usize = 50;

/// What is said of a record that names nobody because its user was refused.
const USER_REFUSED: &str = "amoCRM refuses the user as responsible (deactivated?): the record was \
                            left to the owner of the token";

/// What is said where every field had its value.
const NOTHING_TO_FILL: &str = "every field is filled already";

type Outcomes = Vec<Option<Outcome<StepResult>>>;

impl AmoAdapter {
    /// Carries out steps of one or several kinds; outcomes in the order of the commands.
    pub(super) async fn execute_all(&self, commands: &[StepCommand]) -> Vec<Outcome<StepResult>> {
        let setup = match self.setup.get(&self.client, Class::Work).await {
            Ok(setup) => setup,
            Err(failure) => {
                return commands
                    .iter()
                    .map(|_| failure.clone().into_outcome())
                    .collect();
            }
        };
        self.note_marks(&setup);
        let mut outcomes: Outcomes = commands.iter().map(|_| None).collect();
        let mut groups: Vec<Vec<(usize, Item)>> = Vec::new();
        for (index, (command, outcome)) in commands.iter().zip(&mut outcomes).enumerate() {
            if let Effect::FillFields(fill) = &command.effect {
                *outcome = Some(self.fill(fill).await);
                continue;
            }
            match map::item(command, &setup) {
                Ok(item) => place(&mut groups, index, item),
                Err(rejection) => *outcome = Some(Outcome::Rejected(rejection)),
            }
        }
        for group in groups {
            self.send_group(&group, &mut outcomes).await;
        }
        outcomes
            .into_iter()
            .map(|outcome| outcome.unwrap_or_else(not_mentioned))
            .collect()
    }

    /// Fills the fields of a card that are empty, or are written at every time. What a person typed
    /// a moment ago is seen, for the card is read first.
    async fn fill(&self, fill: &FillFields) -> Outcome<StepResult> {
        let card = match map::known(&fill.card) {
            Ok(card) => card,
            Err(rejection) => return Outcome::Rejected(rejection),
        };
        let filled = |note: Option<&str>| {
            Outcome::Done(StepResult {
                cards: vec![card.clone()],
                note: note.map(str::to_owned),
                ..StepResult::default()
            })
        };
        let (path, change) = match self.unfilled(card, &fill.fields).await {
            Ok(Some(missing)) => missing,
            Ok(None) => return filled(Some(NOTHING_TO_FILL)),
            Err(unread) => return unread.into_outcome(),
        };
        match self.client.change(&path, &change, Class::Work).await {
            Written::Failed(failure) => failure.into_outcome(),
            Written::Refused(refusal) => Outcome::Rejected(refusal.whole()),
            Written::Stored(_) => filled(None),
        }
    }

    /// Reads a card and says what is still to be written of these fields, and where.
    pub(super) async fn unfilled(
        &self,
        card: &Card,
        fields: &[FieldFill],
    ) -> Result<Option<(String, CardChange)>, ReadError> {
        let path = map::card_path(card).map_err(ReadError::Refused)?;
        let read: Option<CardRecord> = self.client.record(&path, Vec::new(), Class::Work).await?;
        let gone = || Rejection {
            code: "204".to_owned(),
            message: format!("there is no {} {} any more", card.entity, card.id),
        };
        let read = read.filter(|read| !read.is_deleted);
        let read = read.ok_or_else(|| ReadError::Refused(gone()))?;
        let change = map::unfilled(fields, &read).map_err(ReadError::Refused)?;
        Ok(change.map(|change| (path, change)))
    }

    /// Sends items together and writes down the outcome of each. An item that was refused only for
    /// a user whom it names is sent once more without: the call of a client whose manager has left
    /// must not be lost for that. A refused item was not stored (`crm/amocrm.md` §3).
    async fn send_group(&self, group: &[(usize, Item)], outcomes: &mut Outcomes) {
        let nobodys = self.send_once(group, outcomes).await;
        if nobodys.is_empty() {
            return;
        }
        self.send_once(&nobodys, outcomes).await;
        for (index, _) in &nobodys {
            if let Some(Some(Outcome::Done(result))) = outcomes.get_mut(*index) {
                result.note.get_or_insert_with(|| USER_REFUSED.to_owned());
            }
        }
    }

    /// Sends one request; returns what may be sent once more without its users.
    async fn send_once(
        &self,
        group: &[(usize, Item)],
        outcomes: &mut Outcomes,
    ) -> Vec<(usize, Item)> {
        let mut nobodys = Vec::new();
        let Some((_, first)) = group.first() else {
            return nobodys;
        };
        let bodies: Vec<&Value> = group.iter().map(|(_, item)| &item.body).collect();
        let mut write = |index: usize, outcome: Outcome<StepResult>| {
            if let Some(place) = outcomes.get_mut(index) {
                *place = Some(outcome);
            }
        };
        match self.client.write(&first.path, &bodies, Class::Work).await {
            Written::Failed(failure) => {
                for (index, _) in group {
                    write(*index, failure.clone().into_outcome());
                }
            }
            Written::Refused(refusal) => {
                if refusal.says_field_unknown() {
                    self.setup.forget();
                }
                for (index, item) in group {
                    write(*index, refused(&refusal, item, group.len()));
                    if refusal.refuses_only_users(&item.request_id)
                        && let Some(item) = item.without_users()
                    {
                        nobodys.push((*index, item));
                    }
                }
            }
            Written::Stored(body) => {
                let mut stored = match read_stored(first.answer, &body, group) {
                    Ok(stored) => stored,
                    Err(why) => {
                        for (index, _) in group {
                            write(*index, Outcome::Ambiguous { why: why.clone() });
                        }
                        return nobodys;
                    }
                };
                for (index, item) in group {
                    let outcome = stored.remove(&item.request_id);
                    write(*index, outcome.unwrap_or_else(not_mentioned));
                }
            }
        }
        nobodys
    }
}

fn place(groups: &mut Vec<Vec<(usize, Item)>>, index: usize, item: Item) {
    let room = groups.iter_mut().find(|group| {
        group.len() < BATCH_MAX && group.first().is_some_and(|(_, i)| i.path == item.path)
    });
    match room {
        Some(group) => group.push((index, item)),
        None => groups.push(vec![(index, item)]),
    }
}
