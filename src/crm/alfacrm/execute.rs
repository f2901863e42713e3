//! Carries out steps. The CRM takes one to a request; those of many clients are on their way at
//! once, as fast as the account's budget lets them.

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::AlfaAdapter;
use super::client::{List, Unanswered, of_customer, senseless, unclear};
use super::refusal::Refusal;
use super::wire::Row;
use super::{map, text};
use crate::crm::account::classify::Failure;
use crate::crm::{Class, StepCommand};
use crate::model::ids::CrmUserId;
use crate::model::outcome::{Outcome, StepResult};
use crate::model::plan::{
    CallRecord, Card, Effect, Entity, FillFields, HandOver, NewContact, NewNote, NewTask,
    RecordingLink,
};

/// A comment, as opposed to what the CRM itself writes (§4).
const COMMENT: u8 = 1;

/// Most pages of a customer's comments: twenty thousand of them.
const COMMENT_PAGES_MAX: u64 = 100;

/// What is said where the CRM has no card for a call.
const NOTHING_TO_LOG_ON: &str = "AlfaCRM has no card with this number: nothing to log on";

/// What is said where a comment stands under another user than it should.
const USER_REFUSED: &str = "AlfaCRM does not take this user: the comment stands under the profile \
                            that lets us in";

impl From<Refusal> for Unanswered {
    fn from(refusal: Refusal) -> Self {
        Unanswered::Refused(refusal)
    }
}

impl AlfaAdapter {
    /// Carries out steps; outcomes in the order of the commands.
    pub(super) async fn execute_all(&self, steps: &[StepCommand]) -> Vec<Outcome<StepResult>> {
        join_all(steps.iter().map(|step| self.carry_out(step))).await
    }

    async fn carry_out(&self, step: &StepCommand) -> Outcome<StepResult> {
        let done = match &step.effect {
            Effect::CreateContact(contact) => self.make_customer(step, contact).await,
            Effect::CreateTask(task) => self.make_task(step, task).await,
            Effect::RecordCall(record) => self.log_call(step, record).await,
            Effect::LinkRecording(link) => self.link_recording(step, link).await,
            Effect::AddNote(note) => self.add_note(step, note).await,
            Effect::FillFields(fill) => self.fill(fill).await,
            Effect::HandOver(over) => self.hand_over(over).await,
            Effect::CreateDeal(_)
            | Effect::CreateLead(_)
            | Effect::CreateUnsorted(_)
            | Effect::AwaitContact(_)
            | Effect::Notify(_) => {
                let text =
                    "in AlfaCRM a card is lead and client in one: there is nothing beside it";
                Err(map::refuse("not_there", text.to_owned()).into())
            }
        };
        match done {
            Ok(result) => Outcome::Done(result),
            Err(unanswered) => unanswered.into_outcome(),
        }
    }

    /// Makes a lead. What it can do without is left out where the CRM refuses it by name (§1.4).
    async fn make_customer(
        &self,
        step: &StepCommand,
        contact: &NewContact,
    ) -> Result<StepResult, Unanswered> {
        let field = self.marker_field(Class::Work).await?;
        let mut body = map::customer(&self.settings, step, contact, field.as_deref())?;
        let path = "customer/create";
        let (made, note) = match self.client.write(path, Vec::new(), &body).await {
            Err(Unanswered::Refused(refusal)) => match map::without_refused(&mut body, &refusal) {
                Some(note) => {
                    if field.is_some_and(|field| body.get(&field).is_none()) {
                        // Our own field is gone: the mark must not be.
                        let note = Row(&body).text("note").unwrap_or_default();
                        body["note"] = json!(format!("{note}\n{}", text::mark(&step.key)).trim());
                        self.unmark().await;
                    }
                    (
                        self.client.write(path, Vec::new(), &body).await?,
                        Some(note),
                    )
                }
                None => return Err(refusal.into()),
            },
            written => (written?, None),
        };
        Ok(StepResult {
            note,
            ..made_record(Entity::Contact, &made)?
        })
    }

    async fn make_task(
        &self,
        step: &StepCommand,
        task: &NewTask,
    ) -> Result<StepResult, Unanswered> {
        let mut body = map::task(&self.settings, step, task)?;
        let path = "task/create";
        let (made, note) = match self.client.write(path, Vec::new(), &body).await {
            Err(Unanswered::Refused(refusal)) if names(&refusal, "assigned_ids") => {
                let Some(own) = self.own_user().await? else {
                    return Err(refusal.into());
                };
                body["assigned_ids"] = json!([own]);
                let note = "AlfaCRM does not take this user: the task is of the profile that lets \
                            us in";
                let made = self.client.write(path, Vec::new(), &body).await?;
                (made, Some(note.to_owned()))
            }
            written => (written?, None),
        };
        Ok(StepResult {
            note,
            ..made_record(Entity::Task, &made)?
        })
    }

    async fn log_call(
        &self,
        step: &StepCommand,
        record: &CallRecord,
    ) -> Result<StepResult, Unanswered> {
        let on = match &record.card {
            Some(target) => Some(map::known(target)?.clone()),
            None => self.card_of(&record.phone).await?,
        };
        let Some(on) = on else {
            return Ok(StepResult {
                note: Some(NOTHING_TO_LOG_ON.to_owned()),
                ..StepResult::default()
            });
        };
        let customer = map::customer_id(&on)?;
        let mark = text::mark(&step.key);
        let comment = text::call(record, &self.settings.zone, &mark);
        let (made, note) = self
            .comment(customer, &comment, record.employee.as_ref())
            .await?;
        let mut result = made_record(Entity::CallRecord, &made)?;
        result.cards.push(on);
        Ok(StepResult { note, ..result })
    }

    /// Writes a comment on a card, under a user where the CRM knows them.
    async fn comment(
        &self,
        customer: u64,
        comment: &str,
        user: Option<&CrmUserId>,
    ) -> Result<(Value, Option<String>), Unanswered> {
        let path = "communication/create";
        let own = self.own_user().await?;
        let user = user.map(map::user_id).transpose()?;
        let mut body = json!({ "type_id": COMMENT, "comment": comment });
        if let Some(author) = user.or(own) {
            body["user_id"] = json!(author);
        }
        match self.client.write(path, of_customer(customer), &body).await {
            Err(Unanswered::Refused(refusal)) if user.is_some() && names(&refusal, "user_id") => {
                match own {
                    Some(own) => body["user_id"] = json!(own),
                    None => drop(body.as_object_mut().and_then(|body| body.remove("user_id"))),
                }
                let made = self
                    .client
                    .write(path, of_customer(customer), &body)
                    .await?;
                Ok((made, Some(USER_REFUSED.to_owned())))
            }
            written => Ok((written?, None)),
        }
    }

    /// Puts the recording's address into the comment of the call; into a comment of its own where
    /// comments cannot be changed, or that one is gone.
    async fn link_recording(
        &self,
        step: &StepCommand,
        link: &RecordingLink,
    ) -> Result<StepResult, Unanswered> {
        let (entry, customer) = places(link)?;
        let comments = self.comments(customer).await?;
        if comments.iter().any(|one| says(one, &link.link)) {
            return Ok(made(Entity::CallRecord, &entry.to_string()));
        }
        if let Some(text) = find(&comments, entry).and_then(|one| Row(one).text("comment")) {
            let mut key = step.key.clone();
            key.role = link.by.clone();
            let text = text::with_recording(&text, &link.link, &text::mark(&key));
            let body = json!({ "type_id": COMMENT, "comment": text });
            let path = "communication/update";
            let written = self
                .client
                .update(path, entry, of_customer(customer), &body)
                .await;
            match written {
                Ok(_) => return Ok(made(Entity::CallRecord, &entry.to_string())),
                Err(Unanswered::Refused(_)) => {}
                Err(unanswered) => return Err(unanswered),
            }
        }
        let text = format!("{}\n{}", link.text.trim(), text::mark(&step.key));
        let (written, _) = self
            .comment(customer, &text, link.record.employee.as_ref())
            .await?;
        made_record(Entity::Note, &written)
    }

    /// Writes a note, in several comments where it is long: those that are there already stay.
    async fn add_note(&self, step: &StepCommand, note: &NewNote) -> Result<StepResult, Unanswered> {
        let customer = map::customer_id(map::known(&note.card)?)?;
        let parts = text::parts(&note.text, &step.key);
        let there = match parts.len() {
            1 => Vec::new(),
            _ => self.comments(customer).await?,
        };
        let mut cards = Vec::new();
        for (at, part) in parts.iter().enumerate() {
            let mark = text::part_mark(&step.key, at + 1, parts.len());
            if let Some(known) = there.iter().find(|one| says(one, &mark)) {
                cards.extend(
                    Row(known)
                        .id()
                        .map(|id| card(Entity::Note, &id.to_string())),
                );
                continue;
            }
            let (written, _) = match self.comment(customer, part, None).await {
                // A part may stand there already: that nothing was done is not known any more.
                Err(Unanswered::Refused(refusal)) if !cards.is_empty() => {
                    return Err(refusal.into());
                }
                Err(Unanswered::Failed(Failure::NotApplied(not))) if !cards.is_empty() => {
                    return Err(unclear(format!("a part of the note stands: {}", not.why)));
                }
                written => written?,
            };
            cards.extend(made_record(Entity::Note, &written)?.cards);
        }
        Ok(StepResult {
            cards,
            ..StepResult::default()
        })
    }

    /// Fills the fields of a card that are empty, or that are always told anew.
    async fn fill(&self, fill: &FillFields) -> Result<StepResult, Unanswered> {
        let card = map::known(&fill.card)?;
        let id = map::customer_id(card)?;
        let wanted = self.unfilled(id, fill).await?;
        if wanted.as_object().is_some_and(|fields| !fields.is_empty()) {
            self.client
                .update("customer/update", id, Vec::new(), &wanted)
                .await?;
        }
        Ok(made(Entity::Fields, &card.id))
    }

    /// Returns the fields that are not as they should be.
    pub(super) async fn unfilled(
        &self,
        customer: u64,
        fill: &FillFields,
    ) -> Result<Value, Unanswered> {
        let present = self.customer(customer, Class::Work).await?;
        let present = present.ok_or_else(|| {
            map::refuse("gone", format!("customer {customer} is not there any more"))
        })?;
        let mut wanted = map::fields(&fill.fields)?;
        for one in &fill.fields {
            let key = map::field(one)?;
            let there = Row(&present).texts(&key).join(", ");
            let as_it_should = wanted.get(&key).is_some_and(|value| {
                let value = json!({ "": value });
                Row(&value).texts("").join(", ") == there
            });
            if as_it_should || (!there.is_empty() && !one.overwrite) {
                wanted.remove(&key);
            }
        }
        Ok(Value::Object(wanted))
    }

    async fn hand_over(&self, over: &HandOver) -> Result<StepResult, Unanswered> {
        let card = map::known(&over.card)?;
        let id = map::customer_id(card)?;
        let body = json!({ "assigned_id": map::user_id(&over.responsible)? });
        self.client
            .update("customer/update", id, Vec::new(), &body)
            .await?;
        Ok(made(Entity::Contact, &card.id))
    }

    /// Returns the comments of a card.
    pub(super) async fn comments(&self, customer: u64) -> Result<Vec<Value>, Unanswered> {
        let list = List::comments(customer);
        let read = self
            .client
            .all(&list, COMMENT_PAGES_MAX, Class::Work)
            .await?;
        read.ok_or_else(|| {
            senseless(format!(
                "customer {customer} has too many comments to be read"
            ))
        })
    }
}

/// Returns the comment of a call and the customer on whose card it stands.
pub(super) fn places(link: &RecordingLink) -> Result<(u64, u64), Refusal> {
    let entry = &map::known(&link.entry)?.id;
    let number = entry.parse().ok();
    let number = number.ok_or_else(|| map::refuse("card", format!("{entry} is no comment")))?;
    let on = link.on.as_ref();
    let on = on.ok_or_else(|| map::refuse("card", format!("comment {entry} stands nowhere")))?;
    Ok((number, map::customer_id(on)?))
}

/// Says whether a comment or task holds a text.
pub(super) fn says(record: &Value, text: &str) -> bool {
    let row = Row(record);
    let texts = [row.text("comment"), row.text("text")];
    texts.into_iter().flatten().any(|own| own.contains(text))
}

fn find(records: &[Value], id: u64) -> Option<&Value> {
    records.iter().find(|one| Row(one).id() == Some(id))
}

fn names(refusal: &Refusal, field: &str) -> bool {
    refusal.fields.iter().any(|one| one == field)
}

fn card(entity: Entity, id: &str) -> Card {
    Card {
        entity,
        id: id.to_owned(),
    }
}

/// Returns the result of a step that made one record.
pub(super) fn made(entity: Entity, id: &str) -> StepResult {
    StepResult {
        cards: vec![card(entity, id)],
        ..StepResult::default()
    }
}

fn made_record(entity: Entity, record: &Value) -> Result<StepResult, Unanswered> {
    let id = Row(record).id();
    let id = id.ok_or_else(|| unclear("an answer without an id".to_owned()))?;
    Ok(made(entity, &id.to_string()))
}
