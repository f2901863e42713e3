//! Names and texts of what a request makes (S0-14, V-09), and what the client wrote (S0-12).

use crate::model::details;
use crate::model::explanation::{Reason, TemplateMiss};
use crate::model::phone::Phone;
use crate::rules::names;
use crate::rules::settings::Template;
use crate::rules::template::{Value, Values, one_line};
use crate::rules::variables;

use super::admission::ClientRequest;
use super::client::Client;

/// The longest name of a card. No limit is documented by the CRMs; this passes everywhere.
const NAME_CHARS_MAX: usize = 255;

/// The longest text of a task.
const TASK_CHARS_MAX: usize = 1000;

/// The longest note: several pages.
const NOTE_CHARS_MAX: usize = 10_000;

/// What stands for a client who left nothing.
const NOBODY: &str = "Без контактов";

/// A name or text, and why it is not the template's, where it is not.
pub(super) struct Written {
    pub(super) text: String,
    pub(super) instead: Option<Reason>,
}

/// Returns the name of a new contact.
pub(super) fn contact_name(request: &ClientRequest<'_>, client: &Client<'_>) -> Written {
    let text = Text {
        own: request.settings.contact_name.as_ref(),
        path: "requests.contact_name",
        usual: variables::REQUEST_CONTACT_NAME,
        chars_max: NAME_CHARS_MAX,
    };
    text.write(request, Some(client))
}

/// Returns the name of a new deal.
pub(super) fn deal_name(request: &ClientRequest<'_>, client: &Client<'_>) -> Written {
    let text = Text {
        own: request.settings.deal_name.as_ref(),
        path: "requests.deal_name",
        usual: variables::REQUEST_DEAL_NAME,
        chars_max: NAME_CHARS_MAX,
    };
    text.write(request, Some(client))
}

/// Returns the name of a deal where no template applies (S0-15).
pub(super) fn usual_deal_name(request: &ClientRequest<'_>) -> String {
    let text = Text {
        own: None,
        path: "",
        usual: variables::REQUEST_DEAL_NAME,
        chars_max: NAME_CHARS_MAX,
    };
    text.write(request, None).text
}

/// Returns the text of the task.
pub(super) fn task_text(
    request: &ClientRequest<'_>,
    client: &Client<'_>,
    own: Option<&Template>,
) -> Written {
    let text = Text {
        own,
        path: "requests.task.text",
        usual: variables::REQUEST_TASK,
        chars_max: TASK_CHARS_MAX,
    };
    text.write(request, Some(client))
}

/// Returns what a template of a field gives.
pub(super) fn field_value(
    template: &Template,
    chars_max: usize,
    request: &ClientRequest<'_>,
    client: &Client<'_>,
) -> Result<String, TemplateMiss> {
    template.text(&values(request, Some(client)), chars_max)
}

/// What a text is made from.
struct Text<'a> {
    own: Option<&'a Template>,
    path: &'static str,
    usual: &'static str,
    chars_max: usize,
}

impl Text<'_> {
    /// Fills the administrator's template in, else the usual one.
    fn write(&self, request: &ClientRequest<'_>, client: Option<&Client<'_>>) -> Written {
        let values = values(request, client);
        let mut instead = None;
        if let Some(template) = self.own {
            match template.text(&values, self.chars_max) {
                Ok(text) => return Written { text, instead },
                Err(why) => {
                    let path = self.path.to_owned();
                    instead = Some(Reason::TemplateFailed { path, why });
                }
            }
        }
        let usual = Template(self.usual.to_owned()).text(&values, self.chars_max);
        // A test runs the usual ones on every sample; what is left if that is not enough is still a
        // name.
        Written {
            text: usual.unwrap_or_else(|_| client_label(request)),
            instead,
        }
    }
}

/// Names the client: by name, else number, else e-mail address.
pub(super) fn client_label(request: &ClientRequest<'_>) -> String {
    let name = request.request.name.as_deref();
    let name = name.map(|name| one_line(name, NAME_CHARS_MAX));
    name.filter(|name| !name.is_empty())
        .or_else(|| request.phone().map(Phone::to_string))
        .or_else(|| request.email())
        .unwrap_or_else(|| NOBODY.to_owned())
}

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

/// Returns the values of the variables of requests.
fn values(request: &ClientRequest<'_>, client: Option<&Client<'_>>) -> Values {
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
