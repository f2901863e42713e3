//! What the client wrote (S0-12), and what templates of requests may say (S0-14).

use crate::model::details;
use crate::model::explanation::TemplateMiss;
use crate::model::facts::Facts;
use crate::model::phone::Phone;
use crate::model::request::SiteRequest;
use crate::rules::draft::Draft;
use crate::rules::names;
use crate::rules::settings::Template;
use crate::rules::situation::Situation;
use crate::rules::template::{Value, Values, one_line};
use crate::rules::variables;
use crate::rules::written::Written;
use crate::rules::written::client::Client;
use crate::rules::written::texts::{NAME_CHARS_MAX, NOTE_CHARS_MAX, client_label};

use super::admission::ClientRequest;

/// Names the form, as a record in Unsorted shows it.
pub(super) fn form_name(request: &ClientRequest<'_>) -> String {
    let form = request.request.form.as_deref().unwrap_or_default();
    let form = one_line(form, NAME_CHARS_MAX);
    if form.is_empty() {
        "Заявка с сайта".to_owned()
    } else {
        form
    }
}

/// Writes what the client wrote on one line.
pub(super) fn form_text(text: &str) -> String {
    one_line(text, NOTE_CHARS_MAX)
}

/// Writes everything that the request says, a line each.
pub(super) fn content(request: &ClientRequest<'_>) -> String {
    let what = request.request;
    let (date, time) = names::moment(what.at, request.situation.time_zone);
    let phone = request.phone().map(Phone::to_string);
    let email = request.email();
    let known = [
        ("Имя", what.name.as_deref()),
        ("Телефон", phone.as_deref()),
        ("Почта", email.as_deref()),
        ("Форма", what.form.as_deref()),
        ("Сайт", what.site.as_deref()),
        ("Страница", what.page.as_deref()),
    ];
    let mut lines = vec![format!("Заявка с сайта, {date} {time}")];
    let mut line = |label: &str, text: &str| {
        let text = one_line(text, NOTE_CHARS_MAX);
        if !text.is_empty() {
            lines.push(format!("{}: {text}", one_line(label, NAME_CHARS_MAX)));
        }
    };
    for (label, text) in known {
        line(label, text.unwrap_or_default());
    }
    for (name, value) in &what.fields {
        line(name, value);
    }
    let words = what.text.as_deref().unwrap_or_default();
    for words in words.lines().map(|words| one_line(words, NOTE_CHARS_MAX)) {
        if !words.is_empty() {
            lines.push(words);
        }
    }
    cut(lines.join("\n"))
}

fn cut(text: String) -> String {
    if text.chars().count() <= NOTE_CHARS_MAX {
        return text;
    }
    let kept: String = text.chars().take(NOTE_CHARS_MAX - 1).collect();
    format!("{}…", kept.trim_end())
}

/// Returns what a template gives for a request as the CRM's facts have its client, whatever is made
/// of such requests; `None` = nothing is set for requests.
pub(in crate::rules) fn preview(
    template: &Template,
    chars_max: usize,
    situation: &Situation<'_>,
    request: &SiteRequest,
    facts: &Facts,
) -> Option<Result<String, TemplateMiss>> {
    let settings = situation.settings.requests.as_ref()?;
    let request = ClientRequest {
        situation,
        request,
        settings,
    };
    let client = Client::find(&request, facts, &mut Draft::new(situation));
    Some(template.text(&values(&request, Some(&client)), chars_max))
}

/// Returns the values of the variables of requests.
pub(super) fn values(request: &ClientRequest<'_>, client: Option<&Client<'_>>) -> Values {
    let what = request.request;
    let text = |text: Option<&str>| Value::Text(text.unwrap_or_default().to_owned());
    let detail = |name: &str| what.details.get(name).map(String::as_str);
    let (date, time) = names::moment(what.at, request.situation.time_zone);
    let contact = client.and_then(|client| client.contact);
    let values = variables::OF_REQUESTS.iter().map(|variable| {
        let value = match variable.name {
            "client" => Value::Text(client_label(request)),
            "client_name" => text(what.name.as_deref()),
            "client_phone" => {
                Value::Text(request.phone().map(Phone::to_string).unwrap_or_default())
            }
            "client_email" => Value::Text(request.email().unwrap_or_default()),
            "contact_name" => text(contact.map(|contact| contact.name.as_str())),
            "source_name" => text(Some(request.situation.source_name)),
            "known" => Value::Flag(client.is_some_and(|client| client.known)),
            "form" => text(what.form.as_deref()),
            "form_type" => text(detail(details::FORM_TYPE)),
            "site" => text(what.site.as_deref().or(detail(details::SITE))),
            "page" => text(what.page.as_deref().or(detail(details::PAGE))),
            "text" => text(what.text.as_deref()),
            "campaign" => text(detail(details::CAMPAIGN)),
            "source" => text(detail(details::SOURCE)),
            "date" => Value::Text(date.clone()),
            "time" => Value::Text(time.clone()),
            // The test beside the table finds a name that is missing here.
            _ => Value::Text(String::new()),
        };
        (variable.name, value)
    });
    values.collect()
}
