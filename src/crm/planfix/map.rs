//! Steps in Planfix's terms. Pure.
//!
//! A deal is a task made from an object (`crm/planfix.md` §4): its pipeline is the object, its stage
//! the status. Our key stands in the key field of contacts and tasks, and at the end of comments.

use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::refusal::refuse;
use super::setup::Setup;
use super::text;
use super::wire::written;
use crate::crm::StepCommand;
use crate::model::field::FieldValue;
use crate::model::ids::CrmUserId;
use crate::model::outcome::Rejection;
use crate::model::plan::{Card, Entity, FieldFill, NewContact, NewDeal, NewNote, NewTask, Target};
use crate::model::timestamp::Timestamp;

/// Characters of the key in a name.
const TOKEN_CHARS: usize = 8;

/// A record to be made.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Make {
    pub(super) path: &'static str,
    pub(super) body: Value,
    /// The template, by which is known whether the key is kept; with the sort of record.
    pub(super) template: String,
    /// The field that keeps the key.
    pub(super) key_field: Option<i64>,
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

/// Reads an id of Planfix.
pub(super) fn id(what: &str, text: &str) -> Result<i64, Rejection> {
    let id = text.parse().ok().filter(|id: &i64| *id >= 0);
    id.ok_or_else(|| {
        refuse(
            "bad_id",
            format!("{text:?} is no number of a {what} in Planfix"),
        )
    })
}

fn user(user: &CrmUserId) -> Result<Value, Rejection> {
    let id = id("user", &user.0)?;
    Ok(json!({ "users": [{ "id": format!("user:{id}") }], "groups": [] }))
}

/// Returns the end of a step's key that stands in the name of a task whose template may swallow
/// the key field.
pub(super) fn token(step: &StepCommand) -> String {
    let marker = step.key.marker();
    let from = marker.len().saturating_sub(TOKEN_CHARS);
    format!("#{}", marker.get(from..).unwrap_or(&marker))
}

/// Says whether the key field of a template keeps what is written.
pub(super) fn keeps_key(setup: &Setup, field: Option<i64>, template: &str) -> bool {
    field.is_some() && setup.proved.contains(template)
}

pub(super) fn contact_template(template: Option<i64>) -> String {
    format!("contact:{}", template.unwrap_or_default())
}

pub(super) fn task_template(template: Option<i64>) -> String {
    format!("task:{}", template.unwrap_or_default())
}

/// Writes a contact.
pub(super) fn contact(
    step: &StepCommand,
    contact: &NewContact,
    template: Option<i64>,
    setup: &Setup,
) -> Result<Make, Rejection> {
    let phones: Vec<Value> = contact
        .phones
        .iter()
        .map(|phone| json!({ "number": phone.digits(), "type": 1 }))
        .collect();
    let name = match text::name(&contact.name) {
        // An empty name is refused (2006).
        name if name.is_empty() => contact.phones.first().map_or_else(
            || {
                contact
                    .emails
                    .first()
                    .cloned()
                    .unwrap_or_else(|| "?".to_owned())
            },
            |p| p.as_str().to_owned(),
        ),
        name => name,
    };
    let mut body = json!({ "name": name, "phones": phones });
    if let Some(email) = contact.emails.first() {
        body["email"] = json!(email);
    }
    if let Some(responsible) = &contact.responsible {
        body["supervisors"] = user(responsible)?;
    }
    if let Some(template) = template {
        // Older accounts know the second name of it (§13).
        body["template"] = json!({ "id": template });
        body["templateId"] = json!(template);
    }
    fields(&mut body, &contact.fields, step, setup.contact_key, setup)?;
    Ok(Make {
        path: "/contact/",
        body,
        template: contact_template(template),
        key_field: setup.contact_key,
    })
}

/// Writes a deal: a task of an object.
pub(super) fn deal(step: &StepCommand, deal: &NewDeal, setup: &Setup) -> Result<Make, Rejection> {
    let object = id("task object", &deal.pipeline)?;
    let template = task_template(Some(object));
    let mut body = json!({
        "template": { "id": object },
        "name": task_name(step, &text::name(&deal.name), &template, setup),
    });
    if !deal.stage.is_empty() {
        body["status"] = json!({ "id": id("status", &deal.stage)? });
    }
    if let Some(target) = &deal.contact {
        body["counterparty"] = counterparty(known(target)?)?;
    }
    if let Some(responsible) = &deal.responsible {
        body["assignees"] = user(responsible)?;
    }
    fields(&mut body, &deal.fields, step, setup.task_key, setup)?;
    Ok(Make {
        path: "/task/",
        body,
        template,
        key_field: setup.task_key,
    })
}

/// Writes a task about a client or a deal.
pub(super) fn task(
    step: &StepCommand,
    task: &NewTask,
    zone: &TimeZone,
    setup: &Setup,
) -> Result<Make, Rejection> {
    let object = task
        .task_type
        .as_ref()
        .map(|object| id("task object", object));
    let object = object.transpose()?;
    let template = task_template(object);
    let mut body = json!({
        "name": task_name(step, &text::name(&task.text), &template, setup),
        "description": text::html(&task.text),
        "endDateTime": {
            "date": written(task.due, zone, "%d-%m-%Y"),
            "time": written(task.due, zone, "%H:%M"),
        },
    });
    if let Some(object) = object {
        body["template"] = json!({ "id": object });
    }
    if let Some(target) = &task.card {
        let card = known(target)?;
        match card.entity {
            Entity::Deal | Entity::Task => {
                body["parent"] = json!({ "id": id("task", &card.id)? });
            }
            _ => body["counterparty"] = counterparty(card)?,
        }
    }
    if let Some(responsible) = &task.responsible {
        body["assignees"] = user(responsible)?;
    }
    fields(&mut body, &[], step, setup.task_key, setup)?;
    Ok(Make {
        path: "/task/",
        body,
        template,
        key_field: setup.task_key,
    })
}

fn counterparty(card: &Card) -> Result<Value, Rejection> {
    match card.entity {
        Entity::Contact | Entity::Company => {
            Ok(json!({ "id": format!("contact:{}", id("contact", &card.id)?) }))
        }
        other => Err(refuse(
            "bad_card",
            format!("no task of a {other} in Planfix"),
        )),
    }
}

/// Returns a task's name; where the key may be swallowed, it stands in the name.
fn task_name(step: &StepCommand, name: &str, template: &str, setup: &Setup) -> String {
    match keeps_key(setup, setup.task_key, template) {
        true => name.to_owned(),
        false => format!("{name} {}", token(step)),
    }
}

fn fields(
    body: &mut Value,
    fills: &[FieldFill],
    step: &StepCommand,
    key_field: Option<i64>,
    setup: &Setup,
) -> Result<(), Rejection> {
    let mut data = Vec::new();
    for fill in fills {
        data.push(field(fill, setup)?);
    }
    if let Some(key) = key_field {
        data.push(json!({ "field": { "id": key }, "value": step.key.marker() }));
    }
    if !data.is_empty() {
        body["customFieldData"] = json!(data);
    }
    Ok(())
}

/// Writes an additional field.
pub(super) fn field(fill: &FieldFill, setup: &Setup) -> Result<Value, Rejection> {
    let id = id("field", &fill.field)?;
    let number = || fill.value.replace(',', ".").trim().parse::<f64>().ok();
    let value = match (&fill.typed, setup.types.get(&id)) {
        (Some(FieldValue::Tick { on }), _) => json!(on),
        (Some(FieldValue::Moment { secs }), kind) => moment(Timestamp::from_secs(*secs), kind),
        // A number is sent as one, without a fraction where it has none.
        (_, Some(1)) => match number() {
            Some(number) if number.fract() == 0.0 && number.abs() < 1e15 => json!(number as i64),
            Some(number) => json!(number),
            None => {
                let message = format!("{:?} is no number for field {id}", fill.value);
                return Err(refuse("bad_value", message));
            }
        },
        (Some(FieldValue::Choices { .. }) | None, _) => json!(fill.value),
    };
    Ok(json!({ "field": { "id": id }, "value": value }))
}

/// A day, or a day with its minute; moments of a day were counted in the company's zone already.
fn moment(at: Timestamp, kind: Option<&i64>) -> Value {
    let date = written(at, &TimeZone::UTC, "%d-%m-%Y");
    match kind {
        Some(5) => json!({ "date": date, "time": written(at, &TimeZone::UTC, "%H:%M") }),
        _ => json!({ "date": date }),
    }
}

/// Returns where the comments of a card are.
pub(super) fn comments_of(card: &Card) -> Result<String, Rejection> {
    let section = match card.entity {
        Entity::Contact | Entity::Company => "contact",
        Entity::Deal | Entity::Task => "task",
        other => {
            return Err(refuse(
                "bad_card",
                format!("no comments on a {other} in Planfix"),
            ));
        }
    };
    Ok(format!("/{section}/{}/comments/", id("card", &card.id)?))
}

/// Writes a comment, with the key at its end.
pub(super) fn comment(step: &StepCommand, note: &NewNote) -> Value {
    let text = format!("{}<br>{}", text::html(&note.text), step.key.marker());
    json!({ "description": text, "type": "Comment" })
}
