//! Looks whether the effect of a step that was sent exists (`crm/bitrix24.md` §9):
//!
//! | step | where | by what |
//! |---|---|---|
//! | contact, deal, lead | the entity's list | `ORIGINATOR_ID` and `ORIGIN_ID`; the lowest id |
//! | call | the call statistics | `EXTERNAL_CALL_ID`; without telephony: activities by `ORIGIN_ID` |
//! | activity for a call on no card | the activities of the card | `ORIGIN_ID` |
//! | task on a card | the todos of the card | our marker in the description |
//! | task of its own | tasks | `XML_ID` |
//! | fields | the card | their values |
//! | card handed over | the card | who answers for it |
//! | notice | nowhere: it is repeated, which replaces it by its `TAG` |
//! | note | the comments of the card | our marker in the text |
//! | recording | nowhere: it is repeated, which replaces it; without telephony: comments | the address |
//!
//! A filter that a portal does not know is ignored by it without a word: every hit is compared with
//! what was looked for.

use serde_json::{Value, json};

use super::BitrixAdapter;
use super::command::Command;
use super::execute::{comment_place, made};
use super::pool::Unanswered;
use super::wire::{Record, list};
use super::{map, opened, standing, telephony};
use crate::crm::{Class, StepCommand};
use crate::model::outcome::{Look, Outcome, StepResult};
use crate::model::plan::{
    CallRecord, Effect, Entity, FillFields, HandOver, NewNote, NewTask, RecordingLink,
};

impl BitrixAdapter {
    /// Looks for the effect of a command.
    pub(super) async fn look_for(&self, step: &StepCommand) -> Outcome<Look> {
        let looked = match &step.effect {
            Effect::CreateContact(_) => self.card(step, "crm.contact.list", Entity::Contact).await,
            Effect::CreateDeal(_) => self.card(step, "crm.deal.list", Entity::Deal).await,
            Effect::CreateLead(_) => self.card(step, "crm.lead.list", Entity::Lead).await,
            Effect::RecordCall(record) => match self.call(step, record).await {
                Ok(Look::Found(result)) => self.whole_call(step, record, result).await,
                other => other,
            },
            Effect::CreateTask(task) => self.task(step, task).await,
            Effect::FillFields(fill) => self.fields(fill).await,
            Effect::LinkRecording(link) => self.recording(link).await,
            Effect::AddNote(note) => self.note(step, note).await,
            Effect::HandOver(over) => self.handed_over(over).await,
            // The same notice once more replaces itself; the others are never sent.
            Effect::Notify(_) | Effect::CreateUnsorted(_) | Effect::AwaitContact(_) => {
                Ok(Look::Absent)
            }
        };
        match looked {
            Ok(look) => Outcome::Done(look),
            // What we refuse to send has no effect; what the portal refuses to show may have one.
            Err(Unanswered::Refused(rejection)) if rejection.code == "bad_id" => {
                Outcome::Done(Look::Absent)
            }
            Err(unanswered) => unanswered.into_outcome(),
        }
    }

    async fn card(
        &self,
        step: &StepCommand,
        method: &'static str,
        entity: Entity,
    ) -> Result<Look, Unanswered> {
        let marker = step.key.marker();
        let params = json!({
            "filter": { "=ORIGINATOR_ID": map::ORIGINATOR, "=ORIGIN_ID": marker },
            "select": ["ID", "ORIGIN_ID"],
            "order": { "ID": "ASC" },
        });
        let rows = self
            .rows(step, Command::new(method, params), "items")
            .await?;
        let own = rows
            .iter()
            .map(Record)
            .filter(|row| row.text("ORIGIN_ID").as_ref() == Some(&marker));
        let lowest = own.filter_map(Record::id).min();
        Ok(found(lowest.map(|id| made(entity, &id.to_string()))))
    }

    async fn call(&self, step: &StepCommand, record: &CallRecord) -> Result<Look, Unanswered> {
        if !self.is_telephony_closed() {
            return match self.telephony_entry(step, record).await {
                Ok(result) => Ok(found(result)),
                // The statistics may be closed to us where the calls are not.
                Err(Unanswered::Refused(rejection)) => {
                    tracing::warn!(
                        code = rejection.code,
                        "the call statistics are closed to us"
                    );
                    Ok(Look::Undecidable)
                }
                Err(other) => Err(other),
            };
        }
        let marker = step.key.marker();
        let params = json!({
            "filter": { "ORIGINATOR_ID": map::ORIGINATOR, "ORIGIN_ID": marker },
            "select": ["ID", "ORIGIN_ID"],
            "order": { "ID": "DESC" },
        });
        let rows = self
            .rows(step, Command::new("crm.activity.list", params), "items")
            .await?;
        let own = rows
            .iter()
            .map(Record)
            .find(|row| row.text("ORIGIN_ID").as_ref() == Some(&marker));
        let entry = own.and_then(Record::id);
        Ok(found(entry.map(|id| {
            let mut result = made(Entity::CallRecord, &id.to_string());
            result.cards.extend(
                record
                    .card
                    .iter()
                    .filter_map(|card| map::known(card).ok())
                    .cloned(),
            );
            result
        })))
    }

    /// Looks for what belongs to a call that was found: it is there when it stands on its card, and
    /// whom it answered is not left to be called back.
    async fn whole_call(
        &self,
        step: &StepCommand,
        record: &CallRecord,
        found: StepResult,
    ) -> Result<Look, Unanswered> {
        let whole = match standing::wanted(record, &found) {
            None => Some(found),
            Some(card) => match self.found_standing(step, record, card, &found).await {
                Ok(whole) => whole,
                // Activities may be closed to us where the calls are not.
                Err(Unanswered::Refused(rejection)) => {
                    tracing::warn!(code = rejection.code, "activities are closed to us");
                    Some(found)
                }
                Err(other) => return Err(other),
            },
        };
        let Some(whole) = whole else {
            return Ok(Look::Absent);
        };
        self.settle(step, record, &whole.cards).await?;
        Ok(Look::Found(whole))
    }

    /// Finds a call that is over: by the portal's own name where it stood there before, else by ours.
    pub(super) async fn telephony_entry(
        &self,
        step: &StepCommand,
        record: &CallRecord,
    ) -> Result<Option<StepResult>, Unanswered> {
        if let Some(entry) = opened::entry_of(record)
            && let Some(result) = self.ended_call(step, &entry).await?
        {
            return Ok(Some(result));
        }
        let marker = step.key.marker();
        let row = self
            .in_statistics(step, "EXTERNAL_CALL_ID", &marker)
            .await?;
        Ok(row.and_then(|row| {
            let entry = Record(&row).text("CALL_ID")?;
            Some(StepResult {
                cards: telephony::cards(&entry, &row),
                ..StepResult::default()
            })
        }))
    }

    async fn task(&self, step: &StepCommand, task: &NewTask) -> Result<Look, Unanswered> {
        let marker = step.key.marker();
        let Some(target) = &task.card else {
            let params = json!({ "filter": { "XML_ID": marker }, "select": ["ID", "XML_ID"] });
            let rows = self
                .rows(step, Command::new("tasks.task.list", params), "tasks")
                .await?;
            let own = rows.iter().map(Record).find(|row| {
                let xml_id = row.text("xmlId").or_else(|| row.text("XML_ID"));
                xml_id.as_ref() == Some(&marker)
            });
            let id = own.and_then(|row| row.text("id").or_else(|| row.text("ID")));
            return Ok(found(id.map(|id| made(Entity::Task, &id))));
        };
        let owner = map::known(target)
            .and_then(map::owner)
            .map_err(Unanswered::Refused)?;
        let params = json!({
            "filter": {
                "OWNER_TYPE_ID": owner.0, "OWNER_ID": owner.1, "PROVIDER_ID": "CRM_TODO",
            },
            "select": ["ID", "DESCRIPTION"],
            "order": { "ID": "DESC" },
        });
        let rows = self
            .rows(step, Command::new("crm.activity.list", params), "items")
            .await?;
        let own = rows.iter().map(Record).find(|row| {
            row.text("DESCRIPTION")
                .is_some_and(|text| text.contains(&marker))
        });
        let id = own.and_then(Record::id);
        Ok(found(id.map(|id| made(Entity::Task, &id.to_string()))))
    }

    async fn fields(&self, fill: &FillFields) -> Result<Look, Unanswered> {
        let card = map::known(&fill.card).map_err(Unanswered::Refused)?;
        let unfilled = self.unfilled(card, fill).await?;
        let filled = unfilled.as_object().is_some_and(serde_json::Map::is_empty);
        Ok(found(filled.then(|| made(Entity::Fields, &card.id))))
    }

    async fn handed_over(&self, over: &HandOver) -> Result<Look, Unanswered> {
        let handed = self.is_handed_over(over).await?;
        let card = map::known(&over.card).map_err(Unanswered::Refused)?;
        Ok(found(handed.then(|| made(card.entity, &card.id))))
    }

    async fn note(&self, step: &StepCommand, note: &NewNote) -> Result<Look, Unanswered> {
        let (kind, id) = map::note_place(note).map_err(Unanswered::Refused)?;
        let marker = step.key.marker();
        self.comment(kind, id, &marker).await
    }

    async fn recording(&self, link: &RecordingLink) -> Result<Look, Unanswered> {
        let entry = map::known(&link.entry).map_err(Unanswered::Refused)?;
        if telephony::is_telephony(&entry.id) {
            // The same recording once more replaces itself.
            return Ok(Look::Absent);
        }
        let on = comment_place(link).map_err(Unanswered::Refused)?;
        self.comment(on.kind, on.id, &link.link).await
    }

    /// Looks for a comment of a card that holds a text.
    async fn comment(&self, kind: &str, id: i64, text: &str) -> Result<Look, Unanswered> {
        let params = json!({
            "filter": { "ENTITY_ID": id, "ENTITY_TYPE": kind },
            "select": ["ID", "COMMENT"],
            "order": { "ID": "DESC" },
        });
        let command = Command::new("crm.timeline.comment.list", params);
        let name = format!("comments {kind} {id}");
        let answered = self.client.read(&name, command, Class::Work).await?;
        let rows =
            list(&answered.value, "items").ok_or_else(|| Unanswered::unreadable("comments"))?;
        let own = rows.into_iter().find(|row| {
            row.text("COMMENT")
                .is_some_and(|comment| comment.contains(text))
        });
        let id = own.and_then(Record::id);
        Ok(found(id.map(|id| made(Entity::Note, &id.to_string()))))
    }

    pub(super) async fn rows(
        &self,
        step: &StepCommand,
        command: Command,
        name: &str,
    ) -> Result<Vec<Value>, Unanswered> {
        let marker = step.key.marker();
        self.named_rows(&marker, command, name).await
    }

    /// Reads the activities that a question about the step with this marker is answered with.
    pub(super) async fn rows_for(
        &self,
        marker: &str,
        command: Command,
    ) -> Result<Vec<Value>, Unanswered> {
        self.named_rows(marker, command, "items").await
    }

    async fn named_rows(
        &self,
        marker: &str,
        command: Command,
        name: &str,
    ) -> Result<Vec<Value>, Unanswered> {
        let asked = format!("look {marker}");
        let answered = self.client.read(&asked, command, Class::Work).await?;
        let rows = list(&answered.value, name).ok_or_else(|| Unanswered::unreadable("a list"))?;
        Ok(rows.into_iter().map(|row| row.0.clone()).collect())
    }
}

fn found(result: Option<StepResult>) -> Look {
    match result {
        Some(result) => Look::Found(StepResult {
            adopted: true,
            ..result
        }),
        None => Look::Absent,
    }
}
