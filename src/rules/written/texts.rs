//! Names and texts from templates, and tags (S0-14, S0-18, S0-19, V-09, V-11).

use jiff::tz::TimeZone;

use crate::model::explanation::Reason;
use crate::model::timestamp::Timestamp;
use crate::rules::settings::Template;
use crate::rules::template::{Value, Values, one_line};

use super::Written;
use super::client::Client;

/// The longest name of a card. No limit is documented by the CRMs; this passes everywhere.
const NAME_CHARS_MAX: usize = 255;

/// The longest text of a task.
const TASK_CHARS_MAX: usize = 1000;

/// The longest tag.
const TAG_CHARS_MAX: usize = 100;

/// What is left where even the usual template gives nothing.
const NAMELESS: &str = "Клиент";

/// A name or text, and why it is not the template's, where it is not.
pub(super) struct FilledIn {
    pub(super) text: String,
    pub(super) instead: Option<Reason>,
}

/// Returns the name of a new contact.
pub(super) fn contact_name(written: &Written<'_>, client: &Client<'_>) -> FilledIn {
    let own = written.options.contact_name;
    let own = own.map(|template| ("contact_name", template));
    let usual = written.usual.contact_name;
    fill_in(written, Some(client), own, usual, NAME_CHARS_MAX)
}

/// Returns the name of a new deal.
pub(super) fn deal_name(written: &Written<'_>, client: &Client<'_>) -> FilledIn {
    let own = written.options.deal_name;
    let own = own.map(|template| ("deal_name", template));
    let usual = written.usual.deal_name;
    fill_in(written, Some(client), own, usual, NAME_CHARS_MAX)
}

/// Returns the text of the task.
pub(super) fn task_text(
    own: Option<&Template>,
    written: &Written<'_>,
    client: &Client<'_>,
) -> FilledIn {
    let own = own.map(|template| ("task.text", template));
    let usual = written.usual.task_text;
    fill_in(written, Some(client), own, usual, TASK_CHARS_MAX)
}

/// Returns the name of the contact in an unsorted record.
pub(super) fn usual_contact_name(written: &Written<'_>) -> String {
    let usual = written.usual.contact_name;
    fill_in(written, None, None, usual, NAME_CHARS_MAX).text
}

/// Returns the name of the deal in an unsorted record.
pub(super) fn usual_deal_name(written: &Written<'_>) -> String {
    let usual = written.usual.deal_name;
    fill_in(written, None, None, usual, NAME_CHARS_MAX).text
}

/// Fills the administrator's template in, else the usual one.
fn fill_in(
    written: &Written<'_>,
    client: Option<&Client<'_>>,
    own: Option<(&str, &Template)>,
    usual: &str,
    chars_max: usize,
) -> FilledIn {
    let mut values = written.values.clone();
    let contact = client.and_then(|client| client.contact);
    let contact = contact.map_or("", |contact| contact.name.as_str());
    values.insert("contact_name", Value::Text(contact.to_owned()));
    let known = client.is_some_and(|client| client.known);
    values.insert("known", Value::Flag(known));
    let mut instead = None;
    if let Some((key, template)) = own {
        match template.text(&values, chars_max) {
            Ok(text) => return FilledIn { text, instead },
            Err(why) => {
                let path = format!("{}.{key}", written.options.path);
                instead = Some(Reason::TemplateFailed { path, why });
            }
        }
    }
    let text = Template(usual.to_owned()).text(&values, chars_max);
    FilledIn {
        // A test runs the usual ones on every sample.
        text: text.unwrap_or_else(|_| NAMELESS.to_owned()),
        instead,
    }
}

/// Returns the tags of new records.
pub(super) fn tags(written: &Written<'_>) -> Vec<String> {
    let settings = written.options.tags;
    if !settings.on {
        return Vec::new();
    }
    let chosen = settings
        .choose
        .iter()
        .filter_map(|tag| text_of(&written.values, tag.variable()));
    let mut tags: Vec<String> = Vec::new();
    for tag in chosen.chain(settings.list.iter().map(String::as_str)) {
        let tag = one_line(tag, TAG_CHARS_MAX);
        if !tag.is_empty() && !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    tags
}

fn text_of<'a>(values: &'a Values, name: &str) -> Option<&'a str> {
    match values.get(name)? {
        Value::Text(text) => Some(text),
        Value::Flag(_) | Value::Number(_) => None,
    }
}

/// Returns day and time of day in the company's zone; empty for a time that no calendar has.
pub(in crate::rules) fn moment(at: Timestamp, zone: &TimeZone) -> (String, String) {
    crate::rules::calls::texts::moment(at, zone)
}
