//! Names and texts of what a call makes, and its tags (V-09, S1-21).

use crate::model::call::{Call, CallResult, MissReason};
use crate::model::details::UTM;
use crate::model::explanation::{Reason, Side, TemplateMiss};
use crate::model::facts::Facts;
use crate::model::ids::Extension;
use crate::rules::draft::Draft;
use crate::rules::names;
use crate::rules::settings::Template;
use crate::rules::situation::Situation;
use crate::rules::template::{Value, Values};
use crate::rules::variables;

use super::admission::ClientCall;
use super::client::Client;
use super::people;

/// The longest name of a card. No limit is documented by the CRMs; this passes everywhere.
const NAME_CHARS_MAX: usize = 255;

/// The longest text of a task.
const TASK_CHARS_MAX: usize = 1000;

/// A name or text, and why it is not the template's, where it is not.
pub(super) struct Written {
    pub(super) text: String,
    pub(super) instead: Option<Reason>,
}

/// Returns the name of a new contact.
pub(super) fn contact_name(call: &ClientCall<'_>, client: &Client<'_>) -> Written {
    let own = call.direction().contact_name.as_ref();
    let text = Text {
        own: own.map(|template| ("contact_name".to_owned(), template)),
        usual: variables::CONTACT_NAME,
        chars_max: NAME_CHARS_MAX,
    };
    text.write(call, client)
}

/// Returns the name of a new deal.
pub(super) fn deal_name(call: &ClientCall<'_>, client: &Client<'_>) -> Written {
    let direction = call.direction();
    let of_missed = direction.missed_deal_name.as_ref();
    let of_missed = of_missed.filter(|_| !call.call.is_answered());
    let own = match of_missed {
        Some(template) => Some(("missed_deal_name", template)),
        None => direction.deal_name.as_ref().map(|own| ("deal_name", own)),
    };
    let text = Text {
        own: own.map(|(key, template)| (key.to_owned(), template)),
        usual: variables::DEAL_NAME,
        chars_max: NAME_CHARS_MAX,
    };
    text.write(call, client)
}

/// Returns the text of a task, whose settings stand under `key`.
pub(super) fn task_text(
    own: Option<&Template>,
    key: &str,
    call: &ClientCall<'_>,
    client: &Client<'_>,
) -> Written {
    let text = Text {
        own: own.map(|template| (format!("{key}.text"), template)),
        usual: variables::task_text(call.side, call.call.is_answered()),
        chars_max: TASK_CHARS_MAX,
    };
    text.write(call, client)
}

/// Returns what a template of a field gives.
pub(super) fn field_value(
    template: &Template,
    chars_max: usize,
    call: &ClientCall<'_>,
    client: &Client<'_>,
) -> Result<String, TemplateMiss> {
    template.text(&values(call, client), chars_max)
}

/// Returns what a template gives for a call as the CRM's facts have its client, whatever is made of
/// such calls; `None` = no client with a number called.
pub(in crate::rules) fn preview(
    template: &Template,
    chars_max: usize,
    situation: &Situation<'_>,
    call: &Call,
    facts: &Facts,
) -> Option<Result<String, TemplateMiss>> {
    let call = ClientCall {
        situation,
        call,
        settings: situation.settings.calls.as_ref()?,
        side: Side::of(call.direction)?,
        phone: call.client.phone()?,
    };
    let client = Client::find(&call, facts, &mut Draft::new(situation));
    Some(template.text(&values(&call, &client), chars_max))
}

/// What a text is made from.
struct Text<'a> {
    /// The administrator's template, with its key.
    own: Option<(String, &'a Template)>,
    /// The template of everybody else.
    usual: &'static str,
    chars_max: usize,
}

impl Text<'_> {
    /// Fills the administrator's template in, else the usual one.
    fn write(&self, call: &ClientCall<'_>, client: &Client<'_>) -> Written {
        let values = values(call, client);
        let mut instead = None;
        if let Some((key, template)) = &self.own {
            match template.text(&values, self.chars_max) {
                Ok(text) => return Written { text, instead },
                Err(why) => {
                    let path = format!("{}.{key}", call.side.path());
                    instead = Some(Reason::TemplateFailed { path, why });
                }
            }
        }
        let usual = Template(self.usual.to_owned()).text(&values, self.chars_max);
        Written {
            // A test runs the usual ones on every sample; what is left if that is not enough is
            // still a name.
            text: usual.unwrap_or_else(|_| names::deal(call.side, call.call, call.phone)),
            instead,
        }
    }
}

/// Returns the tags of new records.
pub(super) fn tags(call: &ClientCall<'_>) -> Vec<String> {
    let settings = &call.settings.tags;
    crate::rules::tags::of(settings, Some(call.phone), call.situation.source_name)
}

/// Returns the values of the variables of calls.
fn values(call: &ClientCall<'_>, client: &Client<'_>) -> Values {
    let what = call.call;
    let text = |text: Option<&str>| Value::Text(text.unwrap_or_default().to_owned());
    let (employee, extension) = people::shown(call);
    let (date, time) = names::moment(what.started_at, call.situation.time_zone);
    let contact = client.contact.map(|contact| contact.name.as_str());
    let event = names::event(call.side, what);
    let values = variables::OF_CALLS.iter().map(|variable| {
        let value = match variable.name {
            "client_phone" => Value::Text(call.phone.to_string()),
            "client_name" => text(what.client_name.as_deref()),
            "contact_name" => text(contact),
            "our_number" => text(what.our_number.as_deref()),
            "source_name" => text(Some(call.situation.source_name)),
            "event" => text(Some(event)),
            "incoming" => Value::Flag(call.side == Side::Incoming),
            "answered" => Value::Flag(what.is_answered()),
            "known" => Value::Flag(client.known),
            "employee_name" => text(employee),
            "extension" => text(extension.map(|Extension(text)| text.as_str())),
            "queue" => text(what.queues.last().map(String::as_str)),
            "date" => Value::Text(date.clone()),
            "time" => Value::Text(time.clone()),
            "talk" => Value::Text(minutes(call.talk_s())),
            "talk_s" => Value::Number(call.talk_s()),
            "wait_s" => Value::Number(what.waiting_ms / 1000),
            "miss_reason" => text(missed(what.result)),
            mark if UTM.contains(&mark) => text(what.details.get(mark).map(String::as_str)),
            // The test beside the table finds a name that is missing here.
            _ => Value::Text(String::new()),
        };
        (variable.name, value)
    });
    values.collect()
}

fn minutes(seconds: u64) -> String {
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

fn missed(result: CallResult) -> Option<&'static str> {
    let reason = match result {
        CallResult::Answered | CallResult::Open => return None,
        CallResult::Missed { reason } | CallResult::EmployeeNotReached { reason } => reason,
    };
    Some(match reason {
        MissReason::NoAnswer => "нет ответа",
        MissReason::Busy => "занято",
        MissReason::Declined => "вызов отклонён",
        MissReason::CallerGaveUp => "клиент не дождался ответа",
        MissReason::AbandonedInQueue => "клиент не дождался в очереди",
        MissReason::NobodyRung => "звонить было некому",
        MissReason::Failed => "вызов не прошёл",
    })
}
