//! A plan as short text, one line for each step: for command lines, journals and snapshots of
//! tests. Not meant to be read back.

use std::fmt;

use super::ids::CrmUserId;
use super::plan::{Effect, FieldFill, Plan, PlannedStep, Target, UnsortedForm};

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.steps.is_empty() {
            return writeln!(f, "no steps");
        }
        for (number, step) in self.steps.iter().enumerate() {
            writeln!(f, "{number} {step}")?;
        }
        Ok(())
    }
}

impl fmt::Display for PlannedStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}  [{}]", self.effect, self.role)
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Effect::CreateContact(contact) => {
                write!(f, "create contact  name={:?}", contact.name)?;
                for phone in &contact.phones {
                    write!(f, "  phone={phone}")?;
                }
                for email in &contact.emails {
                    write!(f, "  email={email:?}")?;
                }
                named_user(f, "responsible", contact.responsible.as_ref())?;
                tags(f, &contact.tags)?;
                fields(f, &contact.fields)
            }
            Effect::CreateDeal(deal) => {
                write!(
                    f,
                    "create deal  name={:?}  pipeline={}  stage={}",
                    deal.name, deal.pipeline, deal.stage
                )?;
                target(f, "contact", deal.contact.as_ref())?;
                named_user(f, "responsible", deal.responsible.as_ref())?;
                tags(f, &deal.tags)?;
                fields(f, &deal.fields)
            }
            Effect::CreateUnsorted(unsorted) => {
                write!(f, "create unsorted  pipeline={}", unsorted.pipeline)?;
                match &unsorted.form {
                    UnsortedForm::IncomingCall {
                        talk_s,
                        callee,
                        link,
                    } => {
                        write!(f, "  incoming call  talk={talk_s}s")?;
                        named_user(f, "callee", callee.as_ref())?;
                        named_text(f, "link", link.as_deref())?;
                    }
                    UnsortedForm::Form { name, text, page } => {
                        write!(f, "  form={name:?}")?;
                        named_text(f, "text", text.as_deref())?;
                        named_text(f, "page", page.as_deref())?;
                    }
                }
                write!(
                    f,
                    "  at={}  deal={:?}  contact={:?}",
                    unsorted.at, unsorted.deal_name, unsorted.contact_name
                )?;
                if let Some(phone) = &unsorted.phone {
                    write!(f, "  phone={phone}")?;
                }
                named_text(f, "email", unsorted.email.as_deref())?;
                write!(f, "  source={:?}", unsorted.source_name)?;
                tags(f, &unsorted.tags)
            }
            Effect::RecordCall(record) => {
                write!(f, "record call")?;
                match &record.card {
                    Some(_) => target(f, "card", record.card.as_ref())?,
                    None => write!(f, "  card=by number")?,
                }
                write!(
                    f,
                    "  {:?}  phone={}  {:?}  talk={}s  at={}",
                    record.direction, record.phone, record.status, record.talk_s, record.at
                )?;
                named_user(f, "employee", record.employee.as_ref())?;
                named_text(f, "link", record.link.as_deref())?;
                if let Some(of) = record.line.as_ref().and_then(|line| line.of.as_ref()) {
                    write!(f, "  telephone={of}")?;
                }
                write!(f, "  source={:?}", record.source_name)
            }
            Effect::CreateTask(task) => {
                write!(f, "create task  {:?}", task.text)?;
                target(f, "card", task.card.as_ref())?;
                named_user(f, "responsible", task.responsible.as_ref())?;
                named_text(f, "type", task.task_type.as_deref())?;
                write!(f, "  due={}", task.due)
            }
            Effect::FillFields(fill) => {
                write!(f, "fill fields")?;
                target(f, "card", Some(&fill.card))?;
                fields(f, &fill.fields)
            }
            Effect::CreateLead(lead) => {
                write!(f, "create lead  {:?}", lead.name)?;
                for phone in &lead.phones {
                    write!(f, "  phone={phone}")?;
                }
                named_text(f, "stage", lead.stage.as_deref())?;
                target(f, "contact", lead.contact.as_ref())?;
                named_user(f, "responsible", lead.responsible.as_ref())?;
                fields(f, &lead.fields)
            }
            Effect::LinkRecording(link) => {
                write!(f, "link recording")?;
                target(f, "entry", Some(&link.entry))?;
                if let Some(card) = &link.on {
                    write!(f, "  on={}#{}", card.entity, card.id)?;
                }
                match link.upload {
                    true => write!(f, "  the file itself"),
                    false => named_text(f, "link", Some(&link.link)),
                }
            }
            Effect::HandOver(over) => {
                write!(f, "hand over")?;
                target(f, "card", Some(&over.card))?;
                named_user(f, "responsible", Some(&over.responsible))
            }
            Effect::AwaitContact(contact) => {
                write!(f, "await the crm's contact  phone={}", contact.phone)
            }
            Effect::Notify(notice) => {
                write!(f, "notify  {:?}", notice.text)?;
                target(f, "card", Some(&notice.card))?;
                named_user(f, "user", Some(&notice.user))
            }
            Effect::AddNote(note) => {
                write!(f, "add note")?;
                target(f, "card", Some(&note.card))?;
                named_text(f, "text", Some(&note.text))?;
                write!(f, "  at={}", note.at)
            }
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Known { card } => write!(f, "{}#{}", card.entity, card.id),
            Target::Made { by, entity } => write!(f, "{entity} of [{by}]"),
        }
    }
}

fn target(f: &mut fmt::Formatter<'_>, name: &str, target: Option<&Target>) -> fmt::Result {
    match target {
        Some(target) => write!(f, "  {name}={target}"),
        None => Ok(()),
    }
}

fn named_user(f: &mut fmt::Formatter<'_>, name: &str, user: Option<&CrmUserId>) -> fmt::Result {
    match user {
        Some(user) => write!(f, "  {name}={user}"),
        None => Ok(()),
    }
}

fn named_text(f: &mut fmt::Formatter<'_>, name: &str, text: Option<&str>) -> fmt::Result {
    match text {
        Some(text) => write!(f, "  {name}={text:?}"),
        None => Ok(()),
    }
}

fn fields(f: &mut fmt::Formatter<'_>, fields: &[FieldFill]) -> fmt::Result {
    for field in fields {
        let sign = if field.overwrite { ":=" } else { "?=" };
        write!(f, "  {}{sign}{:?}", field.field, field.value)?;
    }
    Ok(())
}

fn tags(f: &mut fmt::Formatter<'_>, tags: &[String]) -> fmt::Result {
    for tag in tags {
        write!(f, "  tag={tag:?}")?;
    }
    Ok(())
}
