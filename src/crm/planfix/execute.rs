//! Carries out steps.

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::PlanfixAdapter;
use super::client::Unanswered;
use super::map::{self, Make};
use super::refusal::{EMAIL, refuse};
use super::settings::WithoutContact;
use super::telephony::{self, Event, Manner};
use super::wire::Record;
use crate::crm::account::classify::{Failure, Purpose};
use crate::crm::{Class, StepCommand};
use crate::model::outcome::{NotAppliedCause, Outcome, StepResult};
use crate::model::plan::{
    AwaitContact, CallRecord, Card, Effect, Entity, FillFields, NewNote, RecordingLink,
};

/// How long after a look the contact that Planfix makes is looked for again.
const LOOK_AGAIN: std::time::Duration = std::time::Duration::from_secs(3);

/// What is said where the contact did not come.
const NO_CONTACT_CAME: &str = "Planfix made no contact of the caller in time: what hangs on it goes \
                               on without";

impl PlanfixAdapter {
    /// Carries out steps; outcomes in the order of the commands.
    pub(super) async fn execute_all(&self, steps: &[StepCommand]) -> Vec<Outcome<StepResult>> {
        join_all(steps.iter().map(|step| async move {
            match self.carry_out(step).await {
                Ok(result) => Outcome::Done(result),
                Err(unanswered) => unanswered.into_outcome(),
            }
        }))
        .await
    }

    async fn carry_out(&self, step: &StepCommand) -> Result<StepResult, Unanswered> {
        match &step.effect {
            Effect::CreateContact(contact) => {
                let setup = self.setup.ready(&self.client, Class::Work).await?;
                let own = contact.template.as_ref();
                let own = own
                    .map(|own| map::id("contact template", own))
                    .transpose()?;
                let template = own.or(self.contact_template);
                let make = map::contact(step, contact, template, &setup)?;
                let without_email = || {
                    let mut make = make.clone();
                    make.body.as_object_mut().map(|body| body.remove("email"));
                    make
                };
                match self.create(step, &make, Entity::Contact).await {
                    // The address is none, or another's: the client is worth more than it.
                    Err(refused) if refused.is_code(&EMAIL) => {
                        let mut result =
                            self.create(step, &without_email(), Entity::Contact).await?;
                        result.note =
                            Some("Planfix took the contact without its e-mail".to_owned());
                        Ok(result)
                    }
                    other => other,
                }
            }
            Effect::CreateDeal(deal) => {
                let setup = self.setup.ready(&self.client, Class::Work).await?;
                let make = map::deal(step, deal, &setup)?;
                self.create(step, &make, Entity::Deal).await
            }
            Effect::CreateTask(task) => {
                let setup = self.setup.ready(&self.client, Class::Work).await?;
                let make = map::task(step, task, &self.zone, &setup)?;
                self.create(step, &make, Entity::Task).await
            }
            Effect::RecordCall(record) => self.record_call(step, record).await,
            Effect::LinkRecording(link) => self.link_recording(link).await,
            Effect::AwaitContact(awaited) => self.await_contact(step, awaited).await,
            Effect::FillFields(fill) => self.fill(fill).await,
            Effect::AddNote(note) => self.comment(step, note).await,
            Effect::CreateUnsorted(_)
            | Effect::CreateLead(_)
            | Effect::HandOver(_)
            | Effect::Notify(_) => {
                let message = format!("Planfix has no {:?}", step.effect.kind());
                Err(refuse("not_offered", message).into())
            }
        }
    }

    async fn create(
        &self,
        step: &StepCommand,
        make: &Make,
        entity: Entity,
    ) -> Result<StepResult, Unanswered> {
        let answer = self
            .client
            .write(make.path.to_owned(), make.body.clone())
            .await?;
        let id = Record(&answer).id();
        let id = id.ok_or_else(|| Unanswered::unclear("an answer without an id"))?;
        self.prove(step, make, id).await;
        Ok(made(entity, &id.to_string()))
    }

    /// Reads the first record of a template back: whether the key is kept decides how later ones
    /// are found again. What fails here is tried with the next record.
    async fn prove(&self, step: &StepCommand, make: &Make, id: i64) {
        let (Some(field), Some(setup)) = (make.key_field, self.setup.present()) else {
            return;
        };
        let is_lost = setup.swallowed.contains(&make.template);
        if setup.proved.contains(&make.template)
            || (is_lost && !self.setup.is_tried_again(&make.template))
        {
            return;
        }
        let path = format!("{}{id}", make.path);
        let Ok(answer) = self
            .client
            .get(path, &format!("id,{field}"), Class::Work)
            .await
        else {
            return;
        };
        let inside = answer.get("contact").or_else(|| answer.get("task"));
        let Some(row) = inside else { return };
        let kept = Record(row).custom(field).and_then(Value::as_str);
        let kept = kept == Some(step.key.marker().as_str());
        if !kept {
            tracing::warn!(
                account = self.host,
                template = make.template,
                "the key field is not attached to the template: what is written to it is lost"
            );
        }
        if self
            .setup
            .proved(make.template.clone(), kept)
            .await
            .is_err()
        {
            tracing::warn!(account = self.host, "that could not be written down");
        }
    }

    pub(super) fn manner(&self) -> Manner<'_> {
        Manner {
            zone: &self.zone,
            call_time_field: self.call_time_field.as_deref(),
            missed_extension: self.missed_extension.as_deref(),
        }
    }

    /// Tells telephony a call. Until the last event nothing is done that a repetition would double,
    /// so that only the doubt about that one is a doubt about the step.
    async fn record_call(
        &self,
        step: &StepCommand,
        record: &CallRecord,
    ) -> Result<StepResult, Unanswered> {
        let callid = step.key.marker();
        let (events, last) = telephony::call(&callid, record, &self.manner());
        for event in &events {
            self.tell(event, Class::Work).await.map_err(harmless)?;
        }
        self.tell(&last, Class::Work).await?;
        Ok(made(Entity::CallRecord, &callid))
    }

    pub(super) async fn tell(&self, event: &Event, class: Class) -> Result<Value, Unanswered> {
        let pairs: Vec<(&str, &str)> = event
            .iter()
            .map(|(k, v)| (k.as_str(), v.as_str()))
            .collect();
        self.client.call(&pairs, Purpose::Write, class).await
    }

    /// The same recording once more replaces itself.
    async fn link_recording(&self, link: &RecordingLink) -> Result<StepResult, Unanswered> {
        let entry = map::known(&link.entry)?;
        let event = telephony::recording(&entry.id, &link.link);
        self.tell(&event, Class::Work).await?;
        Ok(made(Entity::CallRecord, &entry.id))
    }

    /// Finds the contact that Planfix makes from the call's events.
    async fn await_contact(
        &self,
        step: &StepCommand,
        awaited: &AwaitContact,
    ) -> Result<StepResult, Unanswered> {
        if let Some(card) = self.made_by_planfix(awaited).await? {
            return Ok(StepResult {
                cards: vec![card],
                ..StepResult::default()
            });
        }
        let waited = self.clock.now().since(step.first_sent_at);
        if waited < self.contact_wait {
            let left = self.contact_wait.saturating_sub(waited);
            let why = "Planfix has not made the caller's contact yet".to_owned();
            return Err(Unanswered::Failed(Failure::not_applied(
                NotAppliedCause::Failed,
                why,
                Some(left.min(LOOK_AGAIN)),
            )));
        }
        match self.without_contact {
            WithoutContact::GoOn => Ok(StepResult {
                note: Some(NO_CONTACT_CAME.to_owned()),
                ..StepResult::default()
            }),
            WithoutContact::GiveUp => {
                let seconds = self.contact_wait.as_secs();
                let message = format!("Planfix made no contact of the caller in {seconds} s");
                Err(refuse("no_contact", message).into())
            }
        }
    }

    pub(super) async fn made_by_planfix(
        &self,
        awaited: &AwaitContact,
    ) -> Result<Option<Card>, Unanswered> {
        let found = self.by_phone(&awaited.phone, false, Class::Work).await?;
        // The earliest: always the same, whatever is made beside it.
        let id = found.iter().filter_map(|row| Record(row).id()).min();
        Ok(id.map(|id| Card {
            entity: Entity::Contact,
            id: id.to_string(),
        }))
    }

    async fn fill(&self, fill: &FillFields) -> Result<StepResult, Unanswered> {
        let card = map::known(&fill.card)?;
        let data = self.unfilled(card, fill).await?;
        if !data.is_empty() {
            let path = format!("/{}/{}", section(card)?, map::id("card", &card.id)?);
            // An update is the same twice; one that is queued (202) will happen.
            self.client
                .write(path, json!({ "customFieldData": data }))
                .await?;
        }
        Ok(made(Entity::Fields, &card.id))
    }

    /// Returns what of the fields is to be written: what a person typed stays.
    pub(super) async fn unfilled(
        &self,
        card: &Card,
        fill: &FillFields,
    ) -> Result<Vec<Value>, Unanswered> {
        let setup = self.setup.ready(&self.client, Class::Work).await?;
        let section = section(card)?;
        let path = format!("/{section}/{}", map::id("card", &card.id)?);
        let ids: Vec<&str> = fill.fields.iter().map(|one| one.field.as_str()).collect();
        let fields = format!("id,{}", ids.join(","));
        let answer = self.client.get(path, &fields, Class::Work).await?;
        let row = answer
            .get(section)
            .ok_or_else(|| Unanswered::unreadable("a card"))?;
        let mut data = Vec::new();
        for one in &fill.fields {
            let wanted = map::field(one, &setup)?;
            let present = Record(row).custom(map::id("field", &one.field)?);
            let is_empty = present.is_none_or(|value| match value {
                Value::Null => true,
                Value::String(text) => text.is_empty(),
                Value::Array(items) => items.is_empty(),
                Value::Bool(_) | Value::Number(_) | Value::Object(_) => false,
            });
            let differs = present != wanted.get("value");
            if is_empty || (one.overwrite && differs) {
                data.push(wanted);
            }
        }
        Ok(data)
    }

    async fn comment(&self, step: &StepCommand, note: &NewNote) -> Result<StepResult, Unanswered> {
        let path = map::comments_of(map::known(&note.card)?)?;
        let answer = self.client.write(path, map::comment(step, note)).await?;
        let id = Record(&answer).id();
        let id = id.ok_or_else(|| Unanswered::unclear("an answer without an id"))?;
        Ok(made(Entity::Note, &id.to_string()))
    }
}

fn section(card: &Card) -> Result<&'static str, Unanswered> {
    match card.entity {
        Entity::Contact | Entity::Company => Ok("contact"),
        Entity::Deal | Entity::Task => Ok("task"),
        other => Err(refuse("bad_card", format!("no fields on a {other} in Planfix")).into()),
    }
}

/// The result of a step that made one record.
pub(super) fn made(entity: Entity, id: &str) -> StepResult {
    StepResult {
        cards: vec![Card {
            entity,
            id: id.to_owned(),
        }],
        ..StepResult::default()
    }
}

/// What comes twice and is the same: its doubt is none.
fn harmless(unanswered: Unanswered) -> Unanswered {
    match unanswered {
        Unanswered::Failed(Failure::Ambiguous { why }) => {
            Unanswered::Failed(Failure::not_applied(NotAppliedCause::Failed, why, None))
        }
        other => other,
    }
}
