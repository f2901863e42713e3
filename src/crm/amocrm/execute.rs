//! Carries out steps: items with the same path share a request, each gets its own outcome.

use serde_json::Value;

use super::AmoAdapter;
use super::client::Written;
use super::map::{self, Item, Verb};
use super::replies::{lacks_marker_field, mended, not_mentioned, read_stored, refused};
use crate::crm::{Class, StepCommand};
use crate::model::outcome::{Outcome, StepResult};
use crate::model::plan::Effect;

/// Most items of one request: permitted are 250, recommended at most 50 (`crm/amocrm.md` §4).
pub(super) const BATCH_MAX: usize = 50;

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
            if let Effect::HandOver(over) = &command.effect {
                *outcome = Some(self.hand_over(over).await);
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

    /// Sends items together and writes down the outcome of each. An item that was refused only for
    /// a user whom it names, or for additional fields, is sent once more without: the call of a
    /// client whose manager has left must not be lost for that. A refused item was not stored
    /// (`crm/amocrm.md` §3).
    async fn send_group(&self, group: &[(usize, Item)], outcomes: &mut Outcomes) {
        let mended = self.send_once(group, outcomes).await;
        self.send_instead(group, outcomes).await;
        if mended.is_empty() {
            return;
        }
        let (items, said): (Vec<(usize, Item)>, Vec<String>) = mended.into_iter().unzip();
        self.send_once(&items, outcomes).await;
        for ((index, _), said) in items.iter().zip(said) {
            if let Some(Some(Outcome::Done(result))) = outcomes.get_mut(*index) {
                result.note.get_or_insert(said);
            }
        }
    }

    /// Sends what stands in for items that were refused, where something does.
    async fn send_instead(&self, group: &[(usize, Item)], outcomes: &mut Outcomes) {
        let refused =
            |index: usize| matches!(outcomes.get(index), Some(Some(Outcome::Rejected(_))));
        let others: Vec<(usize, Item)> = group
            .iter()
            .filter(|(index, _)| refused(*index))
            .filter_map(|(index, item)| Some((*index, Item::clone(item.instead.as_deref()?))))
            .collect();
        if !others.is_empty() {
            self.send_once(&others, outcomes).await;
        }
    }

    /// Sends one request; returns what may be sent once more without what was refused of it, and
    /// what is to be said then.
    async fn send_once(
        &self,
        group: &[(usize, Item)],
        outcomes: &mut Outcomes,
    ) -> Vec<((usize, Item), String)> {
        let mut again = Vec::new();
        let Some((_, first)) = group.first() else {
            return again;
        };
        let bodies: Vec<&Value> = group.iter().map(|(_, item)| &item.body).collect();
        let mut write = |index: usize, outcome: Outcome<StepResult>| {
            if let Some(place) = outcomes.get_mut(index) {
                *place = Some(outcome);
            }
        };
        let written = match first.verb {
            Verb::Make => self.client.write(&first.path, &bodies, Class::Work).await,
            Verb::Change => self.client.change(&first.path, &bodies, Class::Work).await,
        };
        match written {
            Written::Failed(failure) => {
                for (index, _) in group {
                    write(*index, failure.clone().into_outcome());
                }
            }
            Written::Refused(refusal) => {
                for (index, item) in group {
                    if lacks_marker_field(&refusal, item, group.len()) {
                        self.setup.forget();
                    }
                    write(*index, refused(&refusal, item, group.len()));
                    let rest = mended(&refusal, item, group.len());
                    again.extend(rest.map(|(item, said)| ((*index, item), said)));
                }
            }
            Written::Stored(body) => {
                let mut stored = match read_stored(first.answer, &body, group) {
                    Ok(stored) => stored,
                    Err(why) => {
                        for (index, _) in group {
                            write(*index, Outcome::Ambiguous { why: why.clone() });
                        }
                        return again;
                    }
                };
                for (index, item) in group {
                    let outcome = stored.remove(&item.request_id);
                    write(*index, outcome.unwrap_or_else(not_mentioned));
                }
            }
        }
        again
    }
}

fn place(groups: &mut Vec<Vec<(usize, Item)>>, index: usize, item: Item) {
    let room = groups.iter_mut().find(|group| {
        let alike = |(_, first): &(usize, Item)| first.path == item.path && first.verb == item.verb;
        group.len() < BATCH_MAX && group.first().is_some_and(alike)
    });
    match room {
        Some(group) => group.push((index, item)),
        None => groups.push(vec![(index, item)]),
    }
}
