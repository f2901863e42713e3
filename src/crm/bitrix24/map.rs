//! Steps in the portal's terms. Pure.
//!
//! The marker of the step's key travels with everything (`crm/bitrix24.md` §9): as `ORIGIN_ID` of
//! cards and activities, as `EXTERNAL_CALL_ID` of calls, as `XML_ID` of tasks, and in the text of a
//! todo, which has no place for it.

use serde_json::{Value, json};

use super::client::refuse;
use super::command::Command;
use super::{text, wire};
use crate::crm::StepCommand;
use crate::model::communication::{Kind, Phase};
use crate::model::ids::CrmUserId;
use crate::model::outcome::Rejection;
use crate::model::phone::Phone;
use crate::model::plan::{
    Card, Entity, FieldFill, NewContact, NewDeal, NewLead, NewNote, NewTask, Target,
};

/// Our name as the origin of records.
pub(super) const ORIGINATOR: &str = "trunkline";

/// Says where the client comes from (§6, sources).
fn source(command: &StepCommand) -> &'static str {
    match command.kind {
        Some(Kind::Chat) => return "WEB",
        Some(Kind::Request) => return "WEBFORM",
        Some(Kind::Call) | None => {}
    }
    match command.phase {
        Phase::Received => "WEBFORM",
        Phase::Started | Phase::Accepted | Phase::Tagged | Phase::Message | Phase::Continued => {
            "WEB"
        }
        Phase::Ringing | Phase::Answered | Phase::Ended | Phase::RecordingReady => "CALL",
    }
}

/// Returns the record that a target names.
pub(super) fn known(target: &Target) -> Result<&Card, Rejection> {
    match target {
        Target::Known { card } => Ok(card),
        Target::Made { by, .. } => Err(refuse(
            "unresolved_target",
            format!("the result of step {by} was not filled in"),
        )),
    }
}

/// Reads an id of the portal.
pub(super) fn id(what: &str, text: &str) -> Result<i64, Rejection> {
    let id = text.parse().ok().filter(|id: &i64| *id >= 0);
    id.ok_or_else(|| {
        refuse(
            "bad_id",
            format!("{text:?} is no id of a {what} in Bitrix24"),
        )
    })
}

/// Returns the portal's number of a sort of cards (§6).
pub(super) fn type_id(entity: Entity) -> Option<i64> {
    match entity {
        Entity::Lead => Some(1),
        Entity::Deal => Some(2),
        Entity::Contact => Some(3),
        Entity::Company => Some(4),
        Entity::Unsorted
        | Entity::Task
        | Entity::CallRecord
        | Entity::Note
        | Entity::Fields
        | Entity::Notice => None,
    }
}

/// Returns a card's sort and id as activities name their owner.
pub(super) fn owner(card: &Card) -> Result<(i64, i64), Rejection> {
    let kind = type_id(card.entity).ok_or_else(|| {
        refuse(
            "no_such_card",
            format!("Bitrix24 hangs nothing on a {}", card.entity),
        )
    })?;
    Ok((kind, id("card", &card.id)?))
}

/// Returns a user's id.
pub(super) fn user(user: Option<&CrmUserId>) -> Result<Option<i64>, Rejection> {
    user.map(|user| id("user", &user.0)).transpose()
}

/// Writes a contact.
pub(super) fn contact(command: &StepCommand, contact: &NewContact) -> Result<Command, Rejection> {
    let fields = json!({
        "NAME": contact.name,
        "PHONE": phones(&contact.phones),
        "EMAIL": emails(&contact.emails),
        "ASSIGNED_BY_ID": user(contact.responsible.as_ref())?,
        "OPENED": "Y",
        "SOURCE_ID": source(command),
        "SOURCE_DESCRIPTION": tags(&contact.tags),
        "ORIGINATOR_ID": ORIGINATOR,
        "ORIGIN_ID": command.key.marker(),
    });
    Ok(create("crm.contact.add", with(fields, &contact.fields)))
}

/// Writes a deal.
pub(super) fn deal(command: &StepCommand, deal: &NewDeal) -> Result<Command, Rejection> {
    let (mut contacts, mut company) = (None, None);
    if let Some(target) = &deal.contact {
        let card = known(target)?;
        let id = id("client", &card.id)?;
        match card.entity {
            Entity::Contact => contacts = Some([id]),
            Entity::Company => company = Some(id),
            other => {
                let message = format!("a deal's client cannot be a {other}");
                return Err(refuse("no_such_card", message));
            }
        }
    }
    let fields = json!({
        "TITLE": deal.name,
        "CATEGORY_ID": id("pipeline", &deal.pipeline)?,
        "STAGE_ID": deal.stage,
        "ASSIGNED_BY_ID": user(deal.responsible.as_ref())?,
        "CONTACT_IDS": contacts,
        "COMPANY_ID": company,
        "OPENED": "Y",
        "SOURCE_ID": source(command),
        "SOURCE_DESCRIPTION": tags(&deal.tags),
        "ORIGINATOR_ID": ORIGINATOR,
        "ORIGIN_ID": command.key.marker(),
    });
    Ok(create("crm.deal.add", with(fields, &deal.fields)))
}

/// Writes a lead.
pub(super) fn lead(command: &StepCommand, lead: &NewLead) -> Result<Command, Rejection> {
    // With a contact it is the lead of a client who comes again.
    let contact = lead.contact.as_ref().map(known).transpose()?;
    let contact = contact.map(|card| id("contact", &card.id)).transpose()?;
    let fields = json!({
        "TITLE": lead.name,
        "NAME": lead.client,
        "PHONE": phones(&lead.phones),
        "EMAIL": emails(&lead.emails),
        "CONTACT_ID": contact,
        "STATUS_ID": lead.stage,
        "ASSIGNED_BY_ID": user(lead.responsible.as_ref())?,
        "OPENED": "Y",
        "SOURCE_ID": source(command),
        "SOURCE_DESCRIPTION": tags(&lead.tags),
        "ORIGINATOR_ID": ORIGINATOR,
        "ORIGIN_ID": command.key.marker(),
    });
    Ok(create("crm.lead.add", with(fields, &lead.fields)))
}

/// Adds additional fields.
fn with(mut record: Value, fields: &[FieldFill]) -> Value {
    if let Value::Object(record) = &mut record {
        let fields = fields.iter();
        record.extend(fields.map(|fill| (fill.field.clone(), json!(fill.value))));
    }
    record
}

/// Names the sort of card in whose timeline a comment stands.
pub(super) fn timeline_of(entity: Entity) -> Option<&'static str> {
    match entity {
        Entity::Contact => Some("contact"),
        Entity::Company => Some("company"),
        Entity::Deal => Some("deal"),
        Entity::Lead => Some("lead"),
        Entity::Unsorted
        | Entity::Task
        | Entity::CallRecord
        | Entity::Note
        | Entity::Fields
        | Entity::Notice => None,
    }
}

/// Writes a note: a comment in the card's timeline, with our marker below.
pub(super) fn note(command: &StepCommand, note: &NewNote) -> Result<Command, Rejection> {
    let (kind, id) = note_place(note)?;
    let marker = command.key.marker();
    let params = json!({ "fields": {
        "ENTITY_ID": id,
        "ENTITY_TYPE": kind,
        "COMMENT": format!("{}\n\n#{marker}", text::bb(&note.text)),
    }});
    Ok(Command::new("crm.timeline.comment.add", params))
}

/// Returns the card of a note as timelines name it.
pub(super) fn note_place(note: &NewNote) -> Result<(&'static str, i64), Rejection> {
    let card = known(&note.card)?;
    let kind = timeline_of(card.entity).ok_or_else(|| {
        let message = format!("a {} has no timeline for a note", card.entity);
        refuse("no_such_card", message)
    })?;
    Ok((kind, id("card", &card.id)?))
}

/// Writes a task: on a card what operators work through there, else one of its own.
pub(super) fn task(command: &StepCommand, task: &NewTask) -> Result<Command, Rejection> {
    let marker = command.key.marker();
    let user = user(task.responsible.as_ref())?;
    let due = wire::time(task.due);
    let described = format!("{}\n\n#{marker}", text::bb(&task.text));
    let Some(target) = &task.card else {
        let fields = json!({
            "TITLE": text::title(&task.text),
            "DESCRIPTION": described,
            "RESPONSIBLE_ID": user,
            "DEADLINE": due,
            "XML_ID": marker,
        });
        return Ok(Command::new("tasks.task.add", json!({ "fields": fields })));
    };
    let (owner_type, owner) = owner(known(target)?)?;
    let params = json!({
        "ownerTypeId": owner_type,
        "ownerId": owner,
        "deadline": due,
        "title": text::title(&task.text),
        "description": described,
        "responsibleId": user,
    });
    Ok(Command::new("crm.activity.todo.add", params))
}

fn phones(phones: &[Phone]) -> Vec<Value> {
    phones.iter().map(|phone| multi(phone.as_str())).collect()
}

/// One that is no address would have the whole record refused (§6).
fn emails(emails: &[String]) -> Vec<Value> {
    let emails = emails.iter().filter(|email| is_email(email));
    emails.map(|email| multi(email)).collect()
}

fn multi(text: &str) -> Value {
    json!({ "VALUE": text, "VALUE_TYPE": "WORK" })
}

fn create(method: &'static str, fields: Value) -> Command {
    let params = json!({ "fields": fields, "params": { "REGISTER_SONET_EVENT": "Y" } });
    Command::new(method, params)
}

/// Cards have no tags in the portal: they stand in the description of the source.
fn tags(tags: &[String]) -> Option<String> {
    (!tags.is_empty()).then(|| tags.join(", "))
}

fn is_email(text: &str) -> bool {
    let Some((name, domain)) = text.split_once('@') else {
        return false;
    };
    let plain = !text.contains(char::is_whitespace) && !domain.contains('@');
    plain && !name.is_empty() && domain.contains('.') && !domain.ends_with('.')
}
