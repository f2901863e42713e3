//! Looks whether the effect of a step exists (`crm/alfacrm.md` §9): the CRM keeps no key of ours, so
//! that our mark is looked for where the step would have put it.

use std::time::Duration;

use serde_json::{Value, json};

use super::AlfaAdapter;
use super::client::{List, Unanswered};
use super::execute::{made, places, says};
use super::wire::{Row, filter_day};
use super::{map, text};
use crate::crm::{Class, StepCommand};
use crate::model::outcome::{Look, StepResult};
use crate::model::plan::{Card, Effect, Entity, NewContact, NewNote, NewTask, RecordingLink};

/// Most pages of one day's new customers.
const CUSTOMER_PAGES_MAX: u64 = 50;

/// Most pages of tasks: ten thousand of them.
const TASK_PAGES_MAX: u64 = 50;

/// Records made so long before a step was sent are looked at, too: clocks differ.
const OVERLAP: Duration = Duration::from_secs(3600);

impl AlfaAdapter {
    pub(super) async fn find_effect(&self, step: &StepCommand) -> Result<Look, Unanswered> {
        match &step.effect {
            Effect::CreateContact(contact) => self.find_customer(step, contact).await,
            Effect::CreateTask(task) => self.find_task(step, task).await,
            Effect::RecordCall(record) => {
                let on = match &record.card {
                    Some(target) => Some(map::known(target)?.clone()),
                    None => self.card_of(&record.phone).await?,
                };
                let Some(on) = on else {
                    return Ok(Look::Absent);
                };
                let comments = self.comments(map::customer_id(&on)?).await?;
                let found = marked(&comments, Entity::CallRecord, &text::mark(&step.key));
                Ok(found.map_or(Look::Absent, |mut result| {
                    result.cards.push(on);
                    Look::Found(result)
                }))
            }
            Effect::LinkRecording(link) => self.find_recording(link).await,
            Effect::AddNote(note) => self.find_note(step, note).await,
            Effect::FillFields(fill) => {
                let card = map::known(&fill.card)?;
                let wanted = self.unfilled(map::customer_id(card)?, fill).await?;
                let is_done = wanted.as_object().is_none_or(|fields| fields.is_empty());
                Ok(found_if(is_done, || made(Entity::Fields, &card.id)))
            }
            Effect::HandOver(over) => {
                let card = map::known(&over.card)?;
                let present = self.customer(map::customer_id(card)?, Class::Work).await?;
                let owner = present.as_ref().and_then(|one| Row(one).responsible());
                let is_done = owner.as_ref() == Some(&over.responsible);
                Ok(found_if(is_done, || made(Entity::Contact, &card.id)))
            }
            // Never sent.
            Effect::CreateDeal(_)
            | Effect::CreateLead(_)
            | Effect::CreateUnsorted(_)
            | Effect::AwaitContact(_)
            | Effect::Notify(_) => Ok(Look::Absent),
        }
    }

    /// Looks for a lead of ours: by its numbers, or among those made since it was sent.
    async fn find_customer(
        &self,
        step: &StepCommand,
        contact: &NewContact,
    ) -> Result<Look, Unanswered> {
        let mark = step.key.marker();
        let mut found = Vec::new();
        for phone in &contact.phones {
            found.extend(self.with_phone(phone, true, Class::Work).await?);
        }
        if contact.phones.is_empty() {
            let since = step.first_sent_at.minus(OVERLAP);
            let since = filter_day(since, &self.settings.zone);
            let filters = json!({ "is_study": 2, "removed": 1, "created_at_from": since });
            let list = List::new("customer/index", filters);
            let read = self
                .client
                .all(&list, CUSTOMER_PAGES_MAX, Class::Work)
                .await?;
            match read {
                Some(read) => found = read,
                None => return Ok(Look::Undecidable),
            }
        }
        let field = self.settings.marker_field.as_deref();
        let is_ours = |one: &&Value| {
            let row = Row(one);
            let places = [field.and_then(|field| row.text(field)), row.text("note")];
            places
                .into_iter()
                .flatten()
                .any(|text| text.contains(&mark))
        };
        let id = found.iter().find(is_ours).and_then(|one| Row(one).id());
        Ok(id.map_or(Look::Absent, |id| {
            adopted(made(Entity::Contact, &id.to_string()))
        }))
    }

    /// Looks for a task of ours. Which filters tasks have nobody says: all are read.
    async fn find_task(&self, step: &StepCommand, task: &NewTask) -> Result<Look, Unanswered> {
        // A hint, which is ignored where it is unknown.
        let hint = match task.card.as_ref().map(map::known).transpose()? {
            Some(card) => json!({ "customer_ids": [map::customer_id(card)?] }),
            None => json!({}),
        };
        let list = List::new("task/index", hint);
        let read = self.client.all(&list, TASK_PAGES_MAX, Class::Work).await?;
        let Some(tasks) = read else {
            return Ok(Look::Undecidable);
        };
        let found = marked(&tasks, Entity::Task, &text::mark(&step.key));
        Ok(found.map_or(Look::Absent, Look::Found))
    }

    async fn find_recording(&self, link: &RecordingLink) -> Result<Look, Unanswered> {
        let (entry, customer) = places(link)?;
        let comments = self.comments(customer).await?;
        let there = comments.iter().any(|one| says(one, &link.link));
        Ok(found_if(there, || {
            made(Entity::CallRecord, &entry.to_string())
        }))
    }

    /// A note is there when all of its parts are; executed again, it makes those that are missing.
    async fn find_note(&self, step: &StepCommand, note: &NewNote) -> Result<Look, Unanswered> {
        let comments = self
            .comments(map::customer_id(map::known(&note.card)?)?)
            .await?;
        let parts = text::parts(&note.text, &step.key).len();
        let mut cards: Vec<Card> = Vec::new();
        for part in 1..=parts {
            let mark = text::part_mark(&step.key, part, parts);
            match marked(&comments, Entity::Note, &mark) {
                Some(found) => cards.extend(found.cards),
                None => return Ok(Look::Absent),
            }
        }
        Ok(adopted(StepResult {
            cards,
            ..StepResult::default()
        }))
    }
}

/// Finds the comment or task that bears a mark.
fn marked(records: &[Value], entity: Entity, mark: &str) -> Option<StepResult> {
    let found = records.iter().find(|one| says(one, mark))?;
    let id = Row(found).id()?;
    Some(StepResult {
        adopted: true,
        ..made(entity, &id.to_string())
    })
}

fn adopted(result: StepResult) -> Look {
    Look::Found(StepResult {
        adopted: true,
        ..result
    })
}

fn found_if(is_there: bool, result: impl FnOnce() -> StepResult) -> Look {
    match is_there {
        true => adopted(result()),
        false => Look::Absent,
    }
}
