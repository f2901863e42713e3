//! Steps in amoCRM's terms. Pure.
//!
//! The marker of the step's key travels with everything: in the marker field of contacts and
//! leads, as `source_uid` of unsorted records, as `uniq` of calls. A task has no place for a key
//! that people would not see; it is found by its text and due time, which are the same at every
//! repeat. `created_at` is sent with all of them and is the same at every repeat, too.

use serde::Serialize;
use serde_json::Value as Json;

use super::recording;
use super::setup::Setup;
use super::wire::bodies::{
    Call, CallNote, CallParams, Contact, Field, FormMetadata, Lead, LeadEmbedded, Party, Reference,
    Scalar, SipMetadata, Tag, TagList, Task, TextNote, TextParams, Unsorted, UnsortedCard,
    UnsortedEmbedded, UnsortedMetadata, Value,
};
use super::wire::refusal::USER_KEYS;
use crate::crm::StepCommand;
use crate::model::call::Direction;
use crate::model::ids::CrmUserId;
use crate::model::outcome::Rejection;
use crate::model::phone::Phone;
use crate::model::plan::{
    CallRecord, CallStatus, Card, Effect, Entity, FieldFill, NewContact, NewDeal, NewTask,
    NewUnsorted, Target, UnsortedForm,
};

/// Follow-up, "get in touch": the same id in every account (`crm/amocrm.md` §6).
const TASK_TYPE_FOLLOW_UP: i64 = 1;

/// The name of our service in unsorted calls.
const SERVICE_CODE: &str = "trunkline";

/// Longest name of a form that we send: no limit is documented, and texts of this length pass in
/// all of amoCRM's names.
const FORM_NAME_CHARS_MAX: usize = 255;

/// What stands for the number of a caller who hides it, where the API demands one.
const NO_NUMBER: &str = "anonymous";

/// Where fields stand in a body.
const FIELDS: &str = "custom_fields_values";

/// What the answer to a request is a list of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    Contacts,
    Leads,
    Unsorted,
    /// Notes on cards of this sort.
    Notes(Entity),
    /// Ordinary notes on cards of this sort.
    TextNotes(Entity),
    Calls,
    Tasks,
}

/// What a request does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    /// POST.
    Make,
    /// PATCH.
    Change,
}

/// One item of a request.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Item {
    pub(super) verb: Verb,
    /// Where it goes; items with the same path may share a request.
    pub(super) path: String,
    pub(super) answer: Answer,
    /// The item's own name in the answer.
    pub(super) request_id: String,
    pub(super) body: Json,
    /// What is sent where this one is refused.
    pub(super) instead: Option<Box<Item>>,
    /// How many additional fields of the administrator's stand last in the body.
    pub(super) additional: usize,
}

impl Item {
    /// Says whether the field at a place of the body is one of the administrator's.
    pub(super) fn is_additional(&self, place: usize) -> bool {
        let count = match self.body.get(FIELDS) {
            Some(Json::Array(fields)) => fields.len(),
            Some(_) | None => 0,
        };
        place < count && place >= count.saturating_sub(self.additional)
    }

    /// Takes out the users that it names; returns whether it named any. The record is then the
    /// token's user's.
    pub(super) fn drop_users(&mut self) -> bool {
        let mut removed = false;
        if let Json::Object(body) = &mut self.body {
            for key in USER_KEYS {
                removed |= body.remove(key).is_some();
            }
            if let Some(Json::Object(params)) = body.get_mut("params") {
                for key in USER_KEYS {
                    removed |= params.remove(key).is_some();
                }
            }
        }
        removed
    }

    /// Takes out the fields at these places of the body.
    pub(super) fn drop_fields(&mut self, places: &[usize]) {
        let Some(Json::Array(fields)) = self.body.get_mut(FIELDS) else {
            return;
        };
        let all = std::mem::take(fields).into_iter().enumerate();
        let kept = all.filter(|(place, _)| !places.contains(place));
        fields.extend(kept.map(|(_, field)| field));
        self.additional = self.additional.saturating_sub(places.len());
    }
}

/// Writes a step as an item of a request; refuses what amoCRM has no word for.
pub(super) fn item(command: &StepCommand, setup: &Setup) -> Result<Item, Rejection> {
    let marker = command.key.marker();
    let at = command.first_sent_at.as_secs();
    let (path, answer, body) = match &command.effect {
        Effect::CreateContact(contact) => (
            "/api/v4/contacts".to_owned(),
            Answer::Contacts,
            json(&contact_body(contact, &marker, at, setup)?),
        ),
        Effect::CreateDeal(deal) => (
            "/api/v4/leads".to_owned(),
            Answer::Leads,
            json(&lead_body(deal, &marker, at, setup)?),
        ),
        Effect::CreateUnsorted(unsorted) => (
            format!("/api/v4/leads/unsorted/{}", category(&unsorted.form)),
            Answer::Unsorted,
            json(&unsorted_body(unsorted, &marker, setup)?),
        ),
        Effect::RecordCall(record) => match &record.card {
            Some(target) => {
                let card = known(target)?;
                let path = format!("/api/v4/{}/notes", entity_path(card.entity)?);
                let body = call_note(&RecordedCall {
                    record,
                    card,
                    marker: &marker,
                    link: record.link.as_deref(),
                });
                (path, Answer::Notes(card.entity), body)
            }
            None => (
                "/api/v4/calls".to_owned(),
                Answer::Calls,
                json(&call_body(record, &marker)?),
            ),
        },
        Effect::CreateTask(task) => (
            "/api/v4/tasks".to_owned(),
            Answer::Tasks,
            json(&task_body(task, &marker, at)?),
        ),
        // What is missing shows only when the card is read: it goes its own way.
        Effect::FillFields(_) | Effect::HandOver(_) | Effect::AwaitContact(_) => {
            let message = "this is done card by card".to_owned();
            return Err(refuse("not_an_item", message));
        }
        Effect::LinkRecording(link) => return recording::item(command, link),
        Effect::AddNote(note) => {
            let card = known(&note.card)?;
            let path = format!("/api/v4/{}/notes", entity_path(card.entity)?);
            let body = json(&TextNote {
                entity_id: id("card", &card.id)?,
                note_type: "common",
                params: TextParams {
                    text: note.text.clone(),
                },
                created_at: note.at.as_secs(),
                request_id: marker.clone(),
            });
            (path, Answer::TextNotes(card.entity), body)
        }
        Effect::Notify(_) => {
            let message = "users of amoCRM are not told of cards".to_owned();
            return Err(refuse("no_notices", message));
        }
        Effect::CreateLead(_) => {
            let message = "amoCRM has no leads beside deals".to_owned();
            return Err(refuse("no_leads", message));
        }
    };
    Ok(Item {
        verb: Verb::Make,
        path,
        answer,
        request_id: marker,
        body: body?,
        instead: None,
        additional: command.effect.fields().len(),
    })
}

/// Returns what tells requests for effects of one kind apart: their path.
pub(super) fn request_sort(effect: &Effect) -> &'static str {
    match effect {
        Effect::CreateContact(_)
        | Effect::CreateDeal(_)
        | Effect::CreateTask(_)
        | Effect::CreateLead(_)
        | Effect::FillFields(_)
        | Effect::HandOver(_)
        | Effect::AwaitContact(_)
        | Effect::Notify(_) => "",
        Effect::CreateUnsorted(unsorted) => category(&unsorted.form),
        Effect::RecordCall(record) => match &record.card {
            Some(Target::Known { card }) => entity_path(card.entity).unwrap_or_default(),
            Some(Target::Made { .. }) => "",
            None => "calls",
        },
        Effect::LinkRecording(link) => recording::request_sort(link),
        Effect::AddNote(note) => match &note.card {
            Target::Known { card } => entity_path(card.entity).unwrap_or_default(),
            Target::Made { .. } => "",
        },
    }
}

/// Returns the category of an unsorted record.
pub(super) fn category(form: &UnsortedForm) -> &'static str {
    match form {
        UnsortedForm::IncomingCall { .. } => "sip",
        UnsortedForm::Form { .. } => "forms",
    }
}

/// Returns the path of the cards of a sort.
pub(super) fn entity_path(entity: Entity) -> Result<&'static str, Rejection> {
    match entity {
        Entity::Contact => Ok("contacts"),
        Entity::Company => Ok("companies"),
        Entity::Deal => Ok("leads"),
        Entity::Lead
        | Entity::Unsorted
        | Entity::Task
        | Entity::CallRecord
        | Entity::Note
        | Entity::Fields
        | Entity::Notice => Err(refuse(
            "no_such_card",
            format!("amoCRM hangs nothing on a {entity}"),
        )),
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

/// Reads an id of the CRM.
pub(super) fn id(what: &str, text: &str) -> Result<i64, Rejection> {
    text.parse()
        .map_err(|_| refuse("bad_id", format!("{text:?} is no id of a {what} in amoCRM")))
}

fn contact_body(
    contact: &NewContact,
    marker: &str,
    at: i64,
    setup: &Setup,
) -> Result<Contact, Rejection> {
    let mut fields = Vec::new();
    fields.extend(multitext("PHONE", contact.phones.iter().map(Phone::as_str)));
    fields.extend(multitext(
        "EMAIL",
        contact.emails.iter().map(String::as_str),
    ));
    fields.extend(marker_field(setup.marker_contacts, marker));
    additional(&contact.fields, &mut fields)?;
    Ok(Contact {
        name: contact.name.clone(),
        responsible_user_id: user(contact.responsible.as_ref())?,
        created_by: 0,
        created_at: at,
        custom_fields_values: fields,
        tags_to_add: tags(&contact.tags),
        request_id: marker.to_owned(),
    })
}

fn lead_body(deal: &NewDeal, marker: &str, at: i64, setup: &Setup) -> Result<Lead, Rejection> {
    let embedded = match &deal.contact {
        None => None,
        Some(target) => {
            let card = known(target)?;
            if card.entity != Entity::Contact {
                let message = format!("a deal's contact cannot be a {}", card.entity);
                return Err(refuse("no_such_card", message));
            }
            Some(LeadEmbedded {
                contacts: vec![Reference {
                    id: id("contact", &card.id)?,
                    is_main: Some(true),
                }],
            })
        }
    };
    let mut fields: Vec<Field> = marker_field(setup.marker_leads, marker)
        .into_iter()
        .collect();
    additional(&deal.fields, &mut fields)?;
    Ok(Lead {
        name: deal.name.clone(),
        pipeline_id: id("pipeline", &deal.pipeline)?,
        status_id: id("stage", &deal.stage)?,
        responsible_user_id: user(deal.responsible.as_ref())?,
        created_by: 0,
        created_at: at,
        custom_fields_values: fields,
        tags_to_add: tags(&deal.tags),
        embedded,
        request_id: marker.to_owned(),
    })
}

fn unsorted_body(
    unsorted: &NewUnsorted,
    marker: &str,
    setup: &Setup,
) -> Result<Unsorted, Rejection> {
    let at = unsorted.at.as_secs();
    let tag_list = || {
        let tags = tags(&unsorted.tags);
        (!tags.is_empty()).then_some(TagList { tags })
    };
    let mut contact_fields = Vec::new();
    contact_fields.extend(multitext("PHONE", unsorted.phone.iter().map(Phone::as_str)));
    contact_fields.extend(multitext(
        "EMAIL",
        unsorted.email.iter().map(String::as_str),
    ));
    contact_fields.extend(marker_field(setup.marker_contacts, marker));
    let metadata = match &unsorted.form {
        UnsortedForm::IncomingCall {
            talk_s,
            callee,
            link,
        } => {
            // The list and the accepted card read `phone` and `from` differently: the caller's
            // number stands in both (§10).
            let phone = unsorted.phone.as_ref().map_or(NO_NUMBER, Phone::digits);
            UnsortedMetadata::Sip(SipMetadata {
                uniq: marker.to_owned(),
                duration: *talk_s,
                service_code: SERVICE_CODE,
                link: link.clone().unwrap_or_default(),
                phone: phone.to_owned(),
                called_at: at,
                from: phone.to_owned(),
                call_responsible: match user(callee.as_ref())? {
                    Some(user) => Party::User(user),
                    None => Party::Name(unsorted.source_name.clone()),
                },
                is_call_event_needed: true,
            })
        }
        UnsortedForm::Form { name, text, page } => UnsortedMetadata::Form(FormMetadata {
            form_id: SERVICE_CODE.to_owned(),
            form_name: form_name(name, text.as_deref()),
            form_page: page.clone().unwrap_or_else(|| unsorted.source_name.clone()),
            form_sent_at: at,
        }),
    };
    Ok(Unsorted {
        request_id: marker.to_owned(),
        source_name: unsorted.source_name.clone(),
        source_uid: marker.to_owned(),
        pipeline_id: id("pipeline", &unsorted.pipeline)?,
        created_at: at,
        embedded: UnsortedEmbedded {
            leads: vec![UnsortedCard {
                name: unsorted.deal_name.clone(),
                custom_fields_values: marker_field(setup.marker_leads, marker)
                    .into_iter()
                    .collect(),
                embedded: tag_list(),
            }],
            contacts: vec![UnsortedCard {
                name: unsorted.contact_name.clone(),
                custom_fields_values: contact_fields,
                embedded: tag_list(),
            }],
        },
        metadata,
    })
}

/// Joins a form's name with what it says. The record has no other place for the text; a note on
/// its lead would be a second request, and whether it was made could not be seen afterwards,
/// because the cards of a waiting record are not listed (§10).
fn form_name(name: &str, text: Option<&str>) -> String {
    let whole = match text {
        Some(text) if !text.is_empty() => format!("{name}: {text}"),
        Some(_) | None => return name.to_owned(),
    };
    if whole.chars().count() <= FORM_NAME_CHARS_MAX {
        return whole;
    }
    let kept: String = whole.chars().take(FORM_NAME_CHARS_MAX - 1).collect();
    format!("{kept}…")
}

fn call_body(record: &CallRecord, marker: &str) -> Result<Call, Rejection> {
    let employee = user(record.employee.as_ref())?;
    Ok(Call {
        direction: match direction(record)? {
            Way::In => "inbound",
            Way::Out => "outbound",
        },
        uniq: marker.to_owned(),
        duration: record.talk_s,
        source: record.source_name.clone(),
        link: record.link.clone(),
        phone: record.phone.to_string(),
        call_status: status_code(record.status),
        call_responsible: employee,
        responsible_user_id: employee,
        created_by: employee,
        created_at: record.at.as_secs(),
        request_id: marker.to_owned(),
    })
}

/// A call that stands on a card, or shall.
pub(super) struct RecordedCall<'a> {
    pub(super) record: &'a CallRecord,
    pub(super) card: &'a Card,
    pub(super) marker: &'a str,
    pub(super) link: Option<&'a str>,
}

/// Writes the note of a call.
pub(super) fn call_note(call: &RecordedCall<'_>) -> Result<Json, Rejection> {
    let RecordedCall {
        record,
        card,
        marker,
        link,
    } = call;
    // The analytics of amoCRM count a call only where author and responsible are one (§11).
    let employee = user(record.employee.as_ref())?;
    json(&CallNote {
        entity_id: id("card", &card.id)?,
        note_type: match direction(record)? {
            Way::In => "call_in",
            Way::Out => "call_out",
        },
        params: CallParams {
            uniq: (*marker).to_owned(),
            duration: record.talk_s,
            source: record.source_name.clone(),
            link: link.unwrap_or_default().to_owned(),
            phone: record.phone.to_string(),
            call_status: status_code(record.status),
            call_responsible: employee,
        },
        responsible_user_id: employee,
        created_by: employee,
        created_at: record.at.as_secs(),
        request_id: (*marker).to_owned(),
    })
}

fn task_body(task: &NewTask, marker: &str, at: i64) -> Result<Task, Rejection> {
    let (entity_id, entity_type) = match &task.card {
        None => (None, None),
        Some(target) => {
            let card = known(target)?;
            let path = entity_path(card.entity)?;
            (Some(id("card", &card.id)?), Some(path))
        }
    };
    Ok(Task {
        text: task.text.clone(),
        complete_till: task.due.as_secs(),
        entity_id,
        entity_type,
        task_type_id: match &task.task_type {
            Some(task_type) => id("task type", task_type)?,
            None => TASK_TYPE_FOLLOW_UP,
        },
        responsible_user_id: user(task.responsible.as_ref())?,
        created_at: at,
        request_id: marker.to_owned(),
    })
}

enum Way {
    In,
    Out,
}

fn direction(record: &CallRecord) -> Result<Way, Rejection> {
    match record.direction {
        Direction::Incoming => Ok(Way::In),
        Direction::Outgoing => Ok(Way::Out),
        Direction::Internal => Err(refuse(
            "internal_call",
            "an internal call has no client to log it on".to_owned(),
        )),
    }
}

fn status_code(status: CallStatus) -> u8 {
    match status {
        CallStatus::Talked => 4,
        CallStatus::WrongNumber => 5,
        CallStatus::NoAnswer => 6,
        CallStatus::Busy => 7,
    }
}

fn user(user: Option<&CrmUserId>) -> Result<Option<i64>, Rejection> {
    user.map(|user| id("user", &user.0)).transpose()
}

fn tags(names: &[String]) -> Vec<Tag> {
    names
        .iter()
        .map(|name| Tag { name: name.clone() })
        .collect()
}

fn multitext<'a>(field_code: &'static str, texts: impl Iterator<Item = &'a str>) -> Option<Field> {
    let values: Vec<Value> = texts
        .map(|text| Value {
            enum_code: Some("WORK"),
            ..Value::of(Scalar::Text(text.to_owned()))
        })
        .collect();
    (!values.is_empty()).then_some(Field {
        field_id: None,
        field_code: Some(field_code.to_owned()),
        values,
    })
}

/// Adds additional fields behind our own.
fn additional(fills: &[FieldFill], fields: &mut Vec<Field>) -> Result<(), Rejection> {
    for fill in fills {
        fields.push(super::fields::field(fill)?);
    }
    Ok(())
}

fn marker_field(field_id: Option<i64>, marker: &str) -> Option<Field> {
    field_id.map(|field_id| Field {
        field_id: Some(field_id),
        field_code: None,
        values: vec![Value::of(Scalar::Text(marker.to_owned()))],
    })
}

fn json<T: Serialize>(body: &T) -> Result<Json, Rejection> {
    serde_json::to_value(body).map_err(|error| refuse("unwritable", error.to_string()))
}

fn refuse(code: &str, message: String) -> Rejection {
    Rejection {
        code: code.to_owned(),
        message,
    }
}
