//! The answer to `cmd=contact`: who calls, and who shall be rung. Whatever is in the way, the VATS
//! is answered in time, if need be with nothing: then the call goes its usual way.

use bytes::Bytes;
use serde_json::{Map, Value};

use super::desk::Desk;
use super::settings::{ItoolabsSettings, Responsible};
use super::wire::form::Contact;
use super::wire::line;
use crate::model::ids::Extension;
use crate::model::question::{Answer, Question};
use crate::pbx::Answerer;

/// Longest name that is shown, in characters: a telephone has a line or two.
const NAME_CHARS_MAX: usize = 100;

/// Answers a question.
pub(super) async fn answer(
    asked: Contact,
    settings: &ItoolabsSettings,
    desk: &Desk,
    answerer: &dyn Answerer,
) -> Bytes {
    let question = Question {
        source: desk.settings.source.clone(),
        caller: asked.phone,
        did: asked.diversion,
        within: Some(settings.contact_within),
    };
    let asking = answerer.answer_source(question);
    let body = match tokio::time::timeout(settings.contact_within, asking).await {
        Ok(Ok(answer)) => body(&answer, |named| responsible(named, settings, desk)),
        Ok(Err(error)) => {
            tracing::warn!(%error, "a question of the phone system has no answer");
            Map::new()
        }
        Err(_) => {
            tracing::warn!("a question of the phone system was not answered in time");
            Map::new()
        }
    };
    Value::Object(body).to_string().into()
}

fn body(answer: &Answer, responsible: impl Fn(&str) -> Option<String>) -> Map<String, Value> {
    let mut body = Map::new();
    let name = answer.client.as_ref();
    if let Some(name) = name.and_then(|client| line(&client.name, NAME_CHARS_MAX)) {
        body.insert("contact_name".to_owned(), Value::String(name));
    }
    let named = answer.extension.as_ref().map(|Extension(named)| named);
    if let Some(responsible) = named.and_then(|named| responsible(named)) {
        body.insert("responsible".to_owned(), Value::String(responsible));
    }
    body
}

/// Says who shall be rung in the words of the VATS. What is not known of the employee is told as
/// the configuration has it: a VATS understands logins, extensions and numbers.
fn responsible(named: &str, settings: &ItoolabsSettings, desk: &Desk) -> Option<String> {
    let people = desk.people();
    let found = |wanted: Responsible| {
        let (login, ext, number) = people.find(named)?;
        match wanted {
            Responsible::Login => Some(login),
            Responsible::Extension => ext,
            Responsible::Number => number,
            Responsible::Nobody => None,
        }
    };
    match settings.responsible {
        Responsible::Nobody => None,
        wanted => Some(found(wanted).unwrap_or(named).to_owned()),
    }
}
