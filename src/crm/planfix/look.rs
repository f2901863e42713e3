//! Looks whether the effect of a step exists (`crm/planfix.md` §10): contacts and tasks by the key
//! field, or by the end of the key in a task's name where the field may be swallowed; comments by
//! the key at their end; fields by reading the card.
//!
//! Whether a call's last event arrived cannot be known: Planfix shows its data tags without our
//! name of the call.

use serde_json::json;

use super::PlanfixAdapter;
use super::client::Unanswered;
use super::execute::made;
use super::map;
use super::wire::{Record, rows};
use crate::crm::{Class, StepCommand};
use crate::model::outcome::{Look, Outcome, StepResult};
use crate::model::plan::{Effect, Entity, FillFields, NewContact, NewNote};

impl PlanfixAdapter {
    pub(super) async fn look_for(&self, step: &StepCommand) -> Outcome<Look> {
        let looked = match &step.effect {
            Effect::CreateContact(contact) => self.contact_made(step, contact).await,
            Effect::CreateDeal(deal) => {
                let object = deal.pipeline.parse().ok();
                self.task_made(step, object, Entity::Deal).await
            }
            Effect::CreateTask(task) => {
                let object = task.task_type.as_ref().and_then(|id| id.parse().ok());
                self.task_made(step, object, Entity::Task).await
            }
            Effect::RecordCall(_) => Ok(Look::Undecidable),
            Effect::AwaitContact(awaited) => {
                let found = self.made_by_planfix(awaited).await;
                found.map(|card| found_or_absent(card.map(|card| made(card.entity, &card.id))))
            }
            Effect::FillFields(fill) => self.fields_filled(fill).await,
            Effect::AddNote(note) => self.comment_made(step, note).await,
            // The same recording once more replaces itself; the others are never sent.
            Effect::LinkRecording(_)
            | Effect::CreateUnsorted(_)
            | Effect::CreateLead(_)
            | Effect::HandOver(_)
            | Effect::Notify(_) => Ok(Look::Absent),
        };
        match looked {
            Ok(look) => Outcome::Done(look),
            // What we refuse to send has no effect; what Planfix refuses to show may have one.
            Err(Unanswered::Unsendable(_)) => Outcome::Done(Look::Absent),
            Err(unanswered) => unanswered.into_outcome(),
        }
    }

    async fn contact_made(
        &self,
        step: &StepCommand,
        contact: &NewContact,
    ) -> Result<Look, Unanswered> {
        let setup = self.setup.ready(&self.client, Class::Work).await?;
        let marker = step.key.marker();
        let own = contact.template.as_ref().and_then(|own| own.parse().ok());
        let template = map::contact_template(own.or(self.contact_template));
        if let Some(field) = setup.contact_key {
            let filter = json!([{
                "type": 4101, "field": field, "operator": "equal", "value": marker,
            }]);
            let found = self.contacts(filter, false, Class::Work).await?;
            if let Some(id) = found.iter().find_map(|row| Record(row).id()) {
                self.setup.proved(template, true).await?;
                return Ok(found_or_absent(Some(made(
                    Entity::Contact,
                    &id.to_string(),
                ))));
            }
        }
        if map::keeps_key(&setup, setup.contact_key, &template) {
            return Ok(Look::Absent);
        }
        // Without a key that surely is kept, one with the number counts as made.
        for phone in &contact.phones {
            let found = self.by_phone(phone, false, Class::Work).await?;
            let newest = found.iter().filter_map(|row| Record(row).id()).max();
            if let Some(id) = newest {
                return Ok(found_or_absent(Some(made(
                    Entity::Contact,
                    &id.to_string(),
                ))));
            }
        }
        Ok(Look::Absent)
    }

    async fn task_made(
        &self,
        step: &StepCommand,
        object: Option<i64>,
        entity: Entity,
    ) -> Result<Look, Unanswered> {
        let setup = self.setup.ready(&self.client, Class::Work).await?;
        let template = map::task_template(object);
        let filter = match (
            map::keeps_key(&setup, setup.task_key, &template),
            setup.task_key,
        ) {
            (true, Some(field)) => json!([{
                "type": 101, "field": field, "operator": "equal", "value": step.key.marker(),
            }]),
            // The name carries the end of the key.
            (_, _) => json!([{ "type": 8, "operator": "equal", "value": map::token(step) }]),
        };
        let fields = match setup.task_key {
            Some(field) => format!("id,name,isDeleted,{field}"),
            None => "id,name,isDeleted".to_owned(),
        };
        let found = self.tasks(filter, &fields, Class::Work).await?;
        let id = found.iter().find_map(|row| Record(row).id());
        if let (Some(field), Some(row)) = (setup.task_key, found.first()) {
            let kept = Record(row).custom(field).is_some();
            self.setup.proved(template, kept).await?;
        }
        Ok(found_or_absent(id.map(|id| made(entity, &id.to_string()))))
    }

    async fn fields_filled(&self, fill: &FillFields) -> Result<Look, Unanswered> {
        let card = map::known(&fill.card)?;
        let unfilled = self.unfilled(card, fill).await?;
        let filled = unfilled.is_empty().then(|| made(Entity::Fields, &card.id));
        Ok(found_or_absent(filled))
    }

    async fn comment_made(&self, step: &StepCommand, note: &NewNote) -> Result<Look, Unanswered> {
        let path = format!("{}list", map::comments_of(map::known(&note.card)?)?);
        let body = json!({
            "offset": 0, "pageSize": 50, "fields": "id,dateTime,description",
            "typeList": "Comments", "resultOrder": "Desc",
        });
        let answer = self.client.list(&path, body, Class::Work).await?;
        let list = rows(&answer, "comments").ok_or_else(|| Unanswered::unreadable("comments"))?;
        let marker = step.key.marker();
        let own = list.into_iter().find(|row| {
            let text = row.text("description");
            text.is_some_and(|text| text.contains(&marker))
        });
        let id = own.and_then(Record::id);
        Ok(found_or_absent(
            id.map(|id| made(Entity::Note, &id.to_string())),
        ))
    }
}

fn found_or_absent(result: Option<StepResult>) -> Look {
    match result {
        Some(result) => Look::Found(StepResult {
            adopted: true,
            ..result
        }),
        None => Look::Absent,
    }
}
