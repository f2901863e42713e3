//! Carries out steps. Each is a bundle of its own, all at once: the pool puts them into requests.

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::BitrixAdapter;
use super::client::refuse;
use super::command::Command;
use super::facts::Search;
use super::pool::{Answered, Bundle, Reply, Unanswered};
use super::refusal::{Refusal, Sort};
use super::standing::Behind;
use super::{SETTLES_AFTER, map, opened, telephony, text, wire};
use crate::crm::account::classify::{Failure, Purpose};
use crate::crm::{Class, StepCommand};
use crate::model::ids::CrmUserId;
use crate::model::outcome::{NotAppliedCause, Outcome, Rejection, StepResult};
use crate::model::plan::{
    CallRecord, Card, Effect, Entity, FillFields, HandOver, RecordingLink, Target,
};

/// What is said where somebody else stands in for a user whom the portal does not take.
const USER_REFUSED: &str = "Bitrix24 knows no active user of this id: the call stands under the \
                            user who let us in";

/// How long after a call the portal may not have its statistics yet.
const STATISTICS_WITHIN: std::time::Duration = std::time::Duration::from_secs(60);

/// What came of a call that was offered to the portal's telephony.
pub(super) enum Called {
    Ended(Outcome<StepResult>),
    /// Telephony is closed to us.
    Closed,
    /// It has no such user.
    NoUser(Rejection),
}

impl BitrixAdapter {
    /// Carries out steps; outcomes in the order of the commands.
    pub(super) async fn execute_all(&self, steps: &[StepCommand]) -> Vec<Outcome<StepResult>> {
        join_all(steps.iter().map(|step| self.carry_out(step))).await
    }

    async fn carry_out(&self, step: &StepCommand) -> Outcome<StepResult> {
        let done = match &step.effect {
            Effect::CreateContact(contact) => match map::contact(step, contact) {
                Ok(command) => self.create(step, command, Entity::Contact, &[]).await,
                Err(rejection) => Err(Unanswered::Refused(rejection)),
            },
            Effect::CreateDeal(deal) => match map::deal(step, deal) {
                Ok(command) => self.create(step, command, Entity::Deal, &[]).await,
                Err(rejection) => Err(Unanswered::Refused(rejection)),
            },
            Effect::CreateLead(lead) => match map::lead(step, lead) {
                Ok(command) => self.create(step, command, Entity::Lead, &[]).await,
                Err(rejection) => Err(Unanswered::Refused(rejection)),
            },
            Effect::CreateTask(task) => match map::task(step, task) {
                Ok(command) => {
                    let inside: &[&str] = match task.card {
                        Some(_) => &["id"],
                        None => &["task", "id"],
                    };
                    self.create(step, command, Entity::Task, inside).await
                }
                Err(rejection) => Err(Unanswered::Refused(rejection)),
            },
            Effect::RecordCall(record) => return self.record_call(step, record).await,
            Effect::LinkRecording(link) => self.link_recording(step, link).await,
            Effect::AddNote(note) => match map::note(step, note) {
                Ok(command) => self.create(step, command, Entity::Note, &[]).await,
                Err(rejection) => Err(Unanswered::Refused(rejection)),
            },
            Effect::FillFields(fill) => self.fill(step, fill).await,
            Effect::AwaitContact(_) => Err(Unanswered::Refused(refuse(
                "no_contact_of_its_own",
                "Bitrix24 makes no contact by itself".to_owned(),
            ))),
            Effect::HandOver(over) => self.hand_over(step, over).await,
            Effect::Notify(notice) => self.notify(step, notice).await,
            Effect::CreateUnsorted(_) => Err(Unanswered::Refused(refuse(
                "no_unsorted",
                "Bitrix24 has no unsorted records".to_owned(),
            ))),
        };
        match done {
            Ok(result) => Outcome::Done(result),
            Err(unanswered) => unanswered.into_outcome(),
        }
    }

    /// Sends the commands of a step, which change something.
    pub(super) async fn write(
        &self,
        step: &StepCommand,
        commands: Vec<Command>,
    ) -> Result<Vec<Reply>, Unanswered> {
        let bundle = Bundle {
            name: step.key.marker(),
            commands,
            purpose: Purpose::Write,
            class: Class::Work,
        };
        self.client.ask(bundle).await
    }

    /// Sends the one command of a step.
    pub(super) async fn write_one(
        &self,
        step: &StepCommand,
        command: Command,
    ) -> Result<Answered, Unanswered> {
        let reply = self.write(step, vec![command]).await?.into_iter().next();
        let reply = reply.ok_or_else(|| unclear("no answer"))?;
        reply.map_err(|refusal| refusal.unanswered(Purpose::Write))
    }

    async fn create(
        &self,
        step: &StepCommand,
        command: Command,
        entity: Entity,
        inside: &[&str],
    ) -> Result<StepResult, Unanswered> {
        let answered = self.write_one(step, command).await?;
        let id = wire::made_id(&answered.value, inside);
        let id = id.ok_or_else(|| unclear("an answer without an id"))?;
        Ok(made(entity, &id.to_string()))
    }

    async fn record_call(&self, step: &StepCommand, record: &CallRecord) -> Outcome<StepResult> {
        let logged = match self.log_call(step, record).await {
            Outcome::Done(logged) => logged,
            other => return other,
        };
        match self.complete(step, record, logged).await {
            Ok(result) => Outcome::Done(result),
            Err(incomplete) => {
                let why = incomplete.words();
                Outcome::Ambiguous {
                    why: format!("the call is there, what belongs to it is not: {why}"),
                }
            }
        }
    }

    /// Does what belongs to a call that is logged.
    async fn complete(
        &self,
        step: &StepCommand,
        record: &CallRecord,
        logged: StepResult,
    ) -> Result<StepResult, Unanswered> {
        let standing = self.put_on_card(step, record, logged).await?;
        self.settle(step, record, &standing.cards).await?;
        Ok(standing)
    }

    async fn log_call(&self, step: &StepCommand, record: &CallRecord) -> Outcome<StepResult> {
        let own_user = match self.client.own_user().await {
            Ok(user) => user.map(CrmUserId),
            Err(unanswered) => return unanswered.into_outcome(),
        };
        let user = record.employee.as_ref().or(own_user.as_ref());
        if let Some(entry) = opened::entry_of(record)
            && !self.is_telephony_closed()
        {
            // Whose call it was may have left meanwhile: who let us in stands in.
            for user in [user, own_user.as_ref()] {
                match self.end_opened(step, record, user, &entry).await {
                    Ok(Some(result)) => return Outcome::Done(result),
                    Ok(None) => {}
                    Err(unanswered) => return unanswered.into_outcome(),
                }
            }
            // The portal has forgotten it: it is registered as any other.
        }
        if !self.is_telephony_closed() {
            match self.logged_before(step, record).await {
                Ok(Some(found)) => return Outcome::Done(found),
                Ok(None) => {}
                Err(unanswered) => return unanswered.into_outcome(),
            }
            match self.telephony_call(step, record, user).await {
                Called::Ended(outcome) => return outcome,
                Called::NoUser(rejection) => {
                    let instead = own_user.as_ref().filter(|own| Some(*own) != user);
                    let Some(instead) = instead else {
                        return Outcome::Rejected(rejection);
                    };
                    let unshown = CallRecord {
                        shown_to: None,
                        ..record.clone()
                    };
                    return match self.telephony_call(step, &unshown, Some(instead)).await {
                        Called::Ended(Outcome::Done(mut result)) => {
                            result.note.get_or_insert_with(|| USER_REFUSED.to_owned());
                            Outcome::Done(result)
                        }
                        Called::Ended(outcome) => outcome,
                        Called::Closed | Called::NoUser(_) => Outcome::Rejected(rejection),
                    };
                }
                Called::Closed => self.close_telephony().await,
            }
        }
        match self.activity_call(step, record, user).await {
            Ok(result) => Outcome::Done(result),
            Err(unanswered) => unanswered.into_outcome(),
        }
    }

    /// Finds a call that an earlier try of the step may have logged: registered again it would be a
    /// second one. Before a step is tried again after an unclear answer, that answer is settled.
    async fn logged_before(
        &self,
        step: &StepCommand,
        record: &CallRecord,
    ) -> Result<Option<StepResult>, Unanswered> {
        let now = self.clock.now();
        // A clock that was set back says nothing about what was sent before.
        let is_first = step.first_sent_at <= now && now.since(step.first_sent_at) < SETTLES_AFTER;
        if is_first {
            return Ok(None);
        }
        match self.telephony_entry(step, record).await {
            // The statistics are closed to us: whether it was sent before, `look` has decided.
            Err(Unanswered::Refused(_)) => Ok(None),
            found => found,
        }
    }

    /// Registers and finishes a call in one request.
    async fn telephony_call(
        &self,
        step: &StepCommand,
        record: &CallRecord,
        user: Option<&CrmUserId>,
    ) -> Called {
        let commands = match telephony::call(step, record, user, self.telling) {
            Ok(commands) => commands,
            Err(rejection) => return Called::Ended(Outcome::Rejected(rejection)),
        };
        let replies = match self.write(step, commands).await {
            Ok(replies) => replies,
            Err(unanswered) => return Called::Ended(unanswered.into_outcome()),
        };
        let mut replies = replies.into_iter();
        let (Some(registered), Some(finished)) = (replies.next(), replies.next()) else {
            return Called::Ended(unclear("no answer").into_outcome());
        };
        let registered = match registered {
            Ok(answered) => answered.value,
            Err(refusal) if is_closed(&refusal) => return Called::Closed,
            Err(refusal) => return refused_call(&refusal),
        };
        let Some(entry) = wire::Record(&registered).text("CALL_ID") else {
            return Called::Ended(unclear("a registration without CALL_ID").into_outcome());
        };
        match finished {
            Ok(answered) => Called::Ended(Outcome::Done(StepResult {
                cards: telephony::cards(&entry, &answered.value),
                ..StepResult::default()
            })),
            // Somebody finished it before us, perhaps we ourselves: the statistics know.
            Err(refusal) if refusal.says("Call is not found (") => {
                Called::Ended(unclear(&refusal.text).into_outcome())
            }
            Err(refusal) => refused_call(&refusal),
        }
    }

    /// Writes a call as an activity where telephony is closed to us.
    async fn activity_call(
        &self,
        step: &StepCommand,
        record: &CallRecord,
        user: Option<&CrmUserId>,
    ) -> Result<StepResult, Unanswered> {
        let on = record.card.as_ref().map(map::known).transpose();
        let on = on.map_err(Unanswered::Refused)?;
        let found = match on {
            Some(card) => self.client_behind(card, record).await?,
            None => {
                let client = self.client_of(record).await?;
                client.map(|client| (client, Behind::ByNumber))
            }
        };
        let Some((client, behind)) = found else {
            return Ok(StepResult {
                note: Some("Bitrix24 has no card with this number: nothing to log on".to_owned()),
                ..StepResult::default()
            });
        };
        let on = on.filter(|_| behind == Behind::Own).unwrap_or(&client);
        let command = telephony::activity(step, record, on, &client, user);
        let command = command.map_err(Unanswered::Refused)?;
        let mut result = self.create(step, command, Entity::CallRecord, &[]).await?;
        result.cards.push(on.clone());
        Ok(result)
    }

    /// Finds the client of a call by the number.
    pub(super) async fn client_of(&self, record: &CallRecord) -> Result<Option<Card>, Unanswered> {
        let search = Search {
            client: &self.client,
            region: self.region,
            leads: true,
            class: Class::Work,
        };
        let hits = search
            .hits(std::slice::from_ref(&record.phone), &[])
            .await?;
        let first = [
            (Entity::Contact, hits.contacts.first()),
            (Entity::Company, hits.companies.first()),
            (Entity::Lead, hits.leads.first()),
        ];
        let found = first
            .into_iter()
            .find_map(|(entity, id)| Some((entity, id?.to_string())));
        Ok(found.map(|(entity, id)| Card { entity, id }))
    }

    /// Has the portal fetch a recording; beside an activity its address is told in a comment.
    async fn link_recording(
        &self,
        step: &StepCommand,
        link: &RecordingLink,
    ) -> Result<StepResult, Unanswered> {
        let entry = map::known(&link.entry).map_err(Unanswered::Refused)?;
        if telephony::is_telephony(&entry.id) {
            let attached = match link.upload {
                true => self.upload_recording(step, link, &entry.id).await?,
                false => self.attach_recording(step, link, &entry.id).await?,
            };
            // All of it is repeated where this fails, which changes nothing.
            return match self.tell_of_recording(step, link).await {
                Ok(()) => Ok(attached),
                Err(Unanswered::Refused(rejection)) => {
                    tracing::warn!(
                        code = rejection.code,
                        "a recording stands beside no activity"
                    );
                    Ok(attached)
                }
                Err(other) => Err(other),
            };
        }
        if link.upload {
            let message = "telephony is closed to us, and a recording beside an activity is told by \
                           its address only: set public_url";
            return Err(Unanswered::Refused(refuse(
                "no_address",
                message.to_owned(),
            )));
        }
        let on = comment_place(link).map_err(Unanswered::Refused)?;
        let params = json!({ "fields": {
            "ENTITY_ID": on.id, "ENTITY_TYPE": on.kind, "COMMENT": text::bb(&link.text),
        }});
        let command = Command::new("crm.timeline.comment.add", params);
        let mut result = self.create(step, command, Entity::Note, &[]).await?;
        result.cards.push(entry.clone());
        Ok(result)
    }

    /// Has the portal fetch a recording by its address.
    async fn attach_recording(
        &self,
        step: &StepCommand,
        link: &RecordingLink,
        entry: &str,
    ) -> Result<StepResult, Unanswered> {
        let params = json!({ "CALL_ID": entry, "RECORD_URL": link.link });
        let command = Command::new("telephony.externalCall.attachRecord", params);
        let reply = self.write(step, vec![command]).await?.into_iter().next();
        match reply {
            Some(Ok(_)) => Ok(made(Entity::CallRecord, entry)),
            Some(Err(refusal)) => Err(unfinished(&refusal, Purpose::Write)),
            None => Err(unclear("no answer")),
        }
    }

    /// Fills the fields of a card that are empty, or that are always told anew.
    async fn fill(&self, step: &StepCommand, fill: &FillFields) -> Result<StepResult, Unanswered> {
        let card = map::known(&fill.card).map_err(Unanswered::Refused)?;
        let wanted = self.unfilled(card, fill).await?;
        if wanted.as_object().is_some_and(|fields| !fields.is_empty()) {
            let methods = methods(card.entity).map_err(Unanswered::Refused)?;
            let id = map::id("card", &card.id).map_err(Unanswered::Refused)?;
            let params = json!({ "id": id, "fields": wanted });
            self.write_one(step, Command::new(methods.update, params))
                .await?;
        }
        Ok(made(Entity::Fields, &card.id))
    }

    /// Makes somebody the responsible of a card.
    async fn hand_over(
        &self,
        step: &StepCommand,
        over: &HandOver,
    ) -> Result<StepResult, Unanswered> {
        let prepared = || -> Result<(Command, Card), Rejection> {
            let card = map::known(&over.card)?;
            let params = json!({
                "id": map::id("card", &card.id)?,
                "fields": { "ASSIGNED_BY_ID": map::user(Some(&over.responsible))? },
            });
            let command = Command::new(methods(card.entity)?.update, params);
            Ok((command, card.clone()))
        };
        let (command, card) = prepared().map_err(Unanswered::Refused)?;
        self.write_one(step, command).await?;
        Ok(made(card.entity, &card.id))
    }

    /// Says whether a card has the responsible that it was to have.
    pub(super) async fn is_handed_over(&self, over: &HandOver) -> Result<bool, Unanswered> {
        let card = map::known(&over.card).map_err(Unanswered::Refused)?;
        let present = self.present(card).await?;
        Ok(wire::Record(&present).responsible().as_ref() == Some(&over.responsible))
    }

    /// Reads a card.
    pub(super) async fn present(&self, card: &Card) -> Result<Value, Unanswered> {
        let methods = methods(card.entity).map_err(Unanswered::Refused)?;
        let id = map::id("card", &card.id).map_err(Unanswered::Refused)?;
        let name = format!("{} {id}", methods.get);
        let get = Command::new(methods.get, json!({ "id": id }));
        Ok(self.client.read(&name, get, Class::Work).await?.value)
    }

    /// Returns the fields that are not as they should be.
    pub(super) async fn unfilled(
        &self,
        card: &Card,
        fill: &FillFields,
    ) -> Result<Value, Unanswered> {
        let present = self.present(card).await?;
        let present = wire::Record(&present);
        let mut wanted = serde_json::Map::new();
        for one in &fill.fields {
            let there = present.text(&one.field);
            let stays = match &there {
                Some(there) => !one.overwrite || *there == one.value,
                None => false,
            };
            if !stays {
                wanted.insert(one.field.clone(), json!(one.value));
            }
        }
        Ok(Value::Object(wanted))
    }
}

/// Says what a refused recording means: a call that is not finished there yet is waited for.
pub(super) fn unfinished(refusal: &Refusal, purpose: Purpose) -> Unanswered {
    if !refusal.says("Call is not found in the statistic table") {
        return refusal.unanswered(purpose);
    }
    let why = format!("the portal does not have the call yet: {}", refusal.text);
    let failed = Failure::not_applied(NotAppliedCause::Failed, why, Some(STATISTICS_WITHIN));
    Unanswered::Failed(failed)
}

/// Says whether telephony as such is refused to us, whatever the call.
pub(super) fn is_closed(refusal: &Refusal) -> bool {
    matches!(
        refusal.code.as_str(),
        "WRONG_AUTH_TYPE" | "INSUFFICIENT_SCOPE" | "ERROR_METHOD_NOT_FOUND" | "ACCESS_DENIED"
    )
}

pub(super) fn refused_call(refusal: &Refusal) -> Called {
    let no_user = refusal.says("User is not found or is not active")
        || refusal.says("USER_ID or USER_PHONE_INNER should be set");
    match refusal.sort() {
        Sort::Final if no_user => Called::NoUser(refusal.rejection()),
        _ => Called::Ended(refusal.unanswered(Purpose::Write).into_outcome()),
    }
}

pub(super) fn unclear(what: &str) -> Unanswered {
    Unanswered::Failed(Failure::Ambiguous {
        why: format!("the portal's answer does not say what it made: {what}"),
    })
}

/// Where a comment is written.
pub(super) struct CommentPlace {
    pub(super) kind: &'static str,
    pub(super) id: i64,
}

/// Returns the card beside whose call a recording is told of.
pub(super) fn comment_place(link: &RecordingLink) -> Result<CommentPlace, Rejection> {
    let wished = match &link.record.card {
        Some(Target::Known { card }) => Some(card),
        Some(Target::Made { .. }) | None => None,
    };
    let on = link.on.as_ref().or(wished);
    let found = on.and_then(|card| Some((map::timeline_of(card.entity)?, card)));
    let (kind, card) =
        found.ok_or_else(|| refuse("no_such_card", "the call stands on no card".to_owned()))?;
    let id = map::id("card", &card.id)?;
    Ok(CommentPlace { kind, id })
}

/// How cards of a sort are read and changed.
struct Methods {
    get: &'static str,
    update: &'static str,
}

fn methods(entity: Entity) -> Result<Methods, Rejection> {
    let (get, update) = match entity {
        Entity::Contact => ("crm.contact.get", "crm.contact.update"),
        Entity::Company => ("crm.company.get", "crm.company.update"),
        Entity::Deal => ("crm.deal.get", "crm.deal.update"),
        Entity::Lead => ("crm.lead.get", "crm.lead.update"),
        Entity::Unsorted
        | Entity::Task
        | Entity::CallRecord
        | Entity::Note
        | Entity::Fields
        | Entity::Notice => {
            let message = format!("a {entity} has no fields to be filled");
            return Err(refuse("no_such_card", message));
        }
    };
    Ok(Methods { get, update })
}

/// Returns the result of a step that made one record.
pub(super) fn made(entity: Entity, id: &str) -> StepResult {
    StepResult {
        cards: vec![Card {
            entity,
            id: id.to_owned(),
        }],
        ..StepResult::default()
    }
}
