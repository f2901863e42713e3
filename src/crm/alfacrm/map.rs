//! Steps in AlfaCRM's terms (`crm/alfacrm.md` §2, §4). Pure.

use serde_json::{Map, Value, json};

use super::refusal::Refusal;
use super::settings::{AlfaSettings, field_key};
use super::text;
use super::wire::{moment, record_day};
use crate::crm::StepCommand;
use crate::model::field::FieldValue;
use crate::model::ids::CrmUserId;
use crate::model::plan::{Card, Entity, FieldFill, NewContact, NewTask, Target};

/// A person (§2): nothing tells us otherwise of who calls.
const PERSON: u8 = 1;

/// The middle of the scale (§13).
const PRIORITY: u8 = 2;

/// Longest name that some accounts take (§13).
pub(super) const NAME_CHARS_MAX: usize = 50;

/// Fields of every customer that are no additional ones, by the CRM's name and people's.
pub(super) const ORDINARY: [(&str, &str); 2] =
    [("legal_name", "Заказчик"), ("dob", "Дата рождения")];

/// What a customer is made of that an account may refuse and can be done without: the record is
/// worth more than they.
pub(super) const DISPENSABLE: [&str; 4] =
    ["email", "assigned_id", "lead_status_id", "lead_source_id"];

/// Returns the body by which a lead is made. The mark goes into the field of ours where that is
/// there, else into the note.
pub(super) fn customer(
    settings: &AlfaSettings,
    step: &StepCommand,
    contact: &NewContact,
    marker_field: Option<&str>,
) -> Result<Value, Refusal> {
    let mut body = json!({
        "name": contact.name,
        "legal_type": PERSON,
        "is_study": 0,
        "branch_ids": [settings.branch],
    });
    if !contact.phones.is_empty() {
        body["phone"] = contact
            .phones
            .iter()
            .map(|phone| json!(phone.as_str()))
            .collect();
    }
    if !contact.emails.is_empty() {
        body["email"] = json!(contact.emails);
    }
    if let Some(user) = &contact.responsible {
        body["assigned_id"] = json!(user_id(user)?);
    }
    let places = [
        ("lead_status_id", settings.lead_status),
        ("lead_source_id", settings.lead_source),
    ];
    for (key, id) in places {
        if let Some(id) = id {
            body[key] = json!(id);
        }
    }
    let mut note = Vec::new();
    if !contact.tags.is_empty() {
        // Cards have no tags there.
        note.push(format!("Теги: {}", contact.tags.join(", ")));
    }
    match marker_field {
        Some(field) => body[field] = json!(step.key.marker()),
        None => note.push(text::mark(&step.key)),
    }
    if !note.is_empty() {
        body["note"] = json!(note.join("\n"));
    }
    for (field, value) in fields(&contact.fields)? {
        body[field] = value;
    }
    Ok(body)
}

/// Returns additional fields as the CRM writes them.
pub(super) fn fields(fills: &[FieldFill]) -> Result<Map<String, Value>, Refusal> {
    let mut body = Map::new();
    for fill in fills {
        body.insert(field(fill)?, value(fill));
    }
    Ok(body)
}

/// Returns the CRM's name of a field.
pub(super) fn field(fill: &FieldFill) -> Result<String, Refusal> {
    if ORDINARY.iter().any(|(key, _)| *key == fill.field) {
        return Ok(fill.field.clone());
    }
    field_key(&fill.field).ok_or_else(|| {
        let name = &fill.field;
        refuse(
            "field",
            format!("{name:?} is no code of an additional field"),
        )
    })
}

fn value(fill: &FieldFill) -> Value {
    match &fill.typed {
        Some(FieldValue::Tick { on }) => json!(u8::from(*on)),
        Some(FieldValue::Choices { ids }) => json!(ids),
        Some(FieldValue::Moment { .. }) | None => json!(fill.value),
    }
}

/// Returns the body by which a task is made. A task has a day and no time there, so that the time
/// stands in the text.
pub(super) fn task(
    settings: &AlfaSettings,
    step: &StepCommand,
    task: &NewTask,
) -> Result<Value, Refusal> {
    let due = moment(task.due, &settings.zone);
    let text = format!(
        "{}\nСрок: {due}\n{}",
        task.text.trim(),
        text::mark(&step.key)
    );
    let mut body = json!({
        "title": text::title(&task.text),
        "text": text,
        "branch_ids": [settings.branch],
        "due_date": record_day(task.due, &settings.zone),
        "priority": PRIORITY,
        "is_notify": 1,
        "is_private": 0,
        "is_done": 0,
    });
    if let Some(target) = &task.card {
        body["customer_ids"] = json!([customer_id(known(target)?)?]);
    }
    if let Some(user) = &task.responsible {
        body["assigned_ids"] = json!([user_id(user)?]);
    }
    Ok(body)
}

/// Returns the record that a step acts on. The integration has put it there.
pub(super) fn known(target: &Target) -> Result<&Card, Refusal> {
    match target {
        Target::Known { card } => Ok(card),
        Target::Made { by, .. } => Err(refuse("card", format!("what {by} makes is not known yet"))),
    }
}

/// Returns the id of a customer's card.
pub(super) fn customer_id(card: &Card) -> Result<u64, Refusal> {
    let id = card.id.parse().ok().filter(|id| *id > 0);
    match (card.entity, id) {
        (Entity::Contact, Some(id)) => Ok(id),
        (entity, _) => Err(refuse(
            "card",
            format!("{entity} {} is no customer of AlfaCRM", card.id),
        )),
    }
}

/// Returns the id of a user.
pub(super) fn user_id(user: &CrmUserId) -> Result<u64, Refusal> {
    let id = user.0.trim().parse().ok().filter(|id| *id > 0);
    id.ok_or_else(|| refuse("user", format!("{user} is no id of a user of AlfaCRM")))
}

/// The refusal of what we cannot put into the CRM's terms.
pub(super) fn refuse(code: &str, message: String) -> Refusal {
    Refusal {
        code: code.to_owned(),
        message,
        fields: Vec::new(),
    }
}

/// Takes from the body of a customer what was refused and can be done without; says what, or that
/// there is nothing of the kind.
pub(super) fn without_refused(body: &mut Value, refusal: &Refusal) -> Option<String> {
    let object = body.as_object_mut()?;
    let mut left_out = Vec::new();
    for field in &refusal.fields {
        let is_name = field == "name";
        let custom = field.starts_with(super::settings::CUSTOM);
        if is_name {
            let name = object.get("name").and_then(Value::as_str)?;
            if name.chars().count() <= NAME_CHARS_MAX {
                return None;
            }
            let short = text::cut(name, NAME_CHARS_MAX);
            object.insert("name".to_owned(), json!(short));
            left_out.push("a part of the name".to_owned());
        } else if (custom || DISPENSABLE.contains(&field.as_str()))
            && object.remove(field).is_some()
        {
            left_out.push(field.clone());
        } else {
            return None;
        }
    }
    (!left_out.is_empty()).then(|| {
        format!(
            "made without {}, which AlfaCRM refused: {}",
            left_out.join(", "),
            refusal.message
        )
    })
}
