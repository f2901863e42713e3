//! What a request says: to templates, to conditions, in a note and in Unsorted.

use std::fmt::Write as _;

use crate::model::plan::UnsortedForm;
use crate::model::request::SiteRequest;

use crate::rules::settings::RequestWhen;
use crate::rules::situation::Situation;
use crate::rules::template::{Value, Values};
use crate::rules::variables;
use crate::rules::written::moment;

/// What a request is called in the CRM.
const EVENT: &str = "Заявка с сайта";

/// Who wrote, where the request does not say.
const NAMELESS: &str = "без контактов";

/// Returns the client's address, lower case.
pub(super) fn email(request: &SiteRequest) -> Option<String> {
    let email = request.email.as_deref()?.trim().to_lowercase();
    (!email.is_empty()).then_some(email)
}

/// Says whether the conditions of a rule hold.
pub(super) fn passes(_: &Situation<'_>, _: &SiteRequest, when: &RequestWhen) -> bool {
    match *when {}
}

/// Returns what stands among the form's other fields under a name.
fn field<'a>(request: &'a SiteRequest, name: &str) -> &'a str {
    request.fields.get(name).map_or("", String::as_str)
}

/// Returns the values of the variables of requests, but for those that the client brings.
pub(super) fn values(situation: &Situation<'_>, request: &SiteRequest) -> Values {
    let some = |text: &Option<String>| text.as_deref().unwrap_or_default().trim().to_owned();
    let (date, time) = moment(request.at, situation.time_zone);
    let values = variables::OF_REQUESTS.iter().map(|variable| {
        let value = match variable.name {
            "client" => client(request),
            "client_phone" => phone(request),
            "client_email" => email(request).unwrap_or_default(),
            "client_name" => some(&request.name),
            "source_name" => situation.source_name.to_owned(),
            "event" => EVENT.to_owned(),
            "text" => some(&request.text),
            "form" => some(&request.form),
            "site" => some(&request.site),
            "page" => some(&request.page),
            "date" => date.clone(),
            "time" => time.clone(),
            // What the client brings is laid over it; the rest stands among the form's fields.
            "contact_name" | "known" => String::new(),
            name => field(request, name).to_owned(),
        };
        (variable.name, Value::Text(value))
    });
    values.collect()
}

fn phone(request: &SiteRequest) -> String {
    let phone = request.phone.as_ref();
    phone.map_or_else(String::new, ToString::to_string)
}

/// Names the client by what is known: name, number, address.
fn client(request: &SiteRequest) -> String {
    let name = request.name.as_deref().unwrap_or_default().trim();
    let (phone, email) = (phone(request), email(request).unwrap_or_default());
    let known = [name, &phone, &email];
    let known = known.into_iter().find(|text| !text.is_empty());
    known.unwrap_or(NAMELESS).to_owned()
}

/// Returns what an unsorted record of the request says.
pub(super) fn form(request: &SiteRequest) -> UnsortedForm {
    let filled = |text: &Option<String>| text.clone().filter(|text| !text.trim().is_empty());
    UnsortedForm::Form {
        name: filled(&request.form).unwrap_or_else(|| EVENT.to_owned()),
        text: filled(&request.text),
        page: filled(&request.page).or_else(|| filled(&request.site)),
    }
}

/// Returns everything that the request says, for people.
pub(super) fn note(situation: &Situation<'_>, request: &SiteRequest) -> String {
    let (date, time) = moment(request.at, situation.time_zone);
    let mut text = format!("{EVENT} ({}), {date} {time}\n", situation.source_name);
    let phone = phone(request);
    let lines = [
        ("Форма", request.form.as_deref()),
        ("Имя", request.name.as_deref()),
        ("Телефон", Some(phone.as_str())),
        ("E-mail", request.email.as_deref()),
        ("Сайт", request.site.as_deref()),
        ("Страница", request.page.as_deref()),
    ];
    let others = request.fields.iter();
    let others = others.map(|(name, value)| (name.as_str(), Some(value.as_str())));
    for (name, value) in lines.into_iter().chain(others) {
        if let Some(value) = value.filter(|value| !value.trim().is_empty()) {
            let _ = writeln!(text, "{}: {}", one_line(name), one_line(value));
        }
    }
    if let Some(words) = request
        .text
        .as_deref()
        .filter(|text| !text.trim().is_empty())
    {
        let _ = write!(text, "\n{words}");
    }
    text
}

/// A value cannot pretend to be the next line.
fn one_line(text: &str) -> String {
    crate::rules::template::one_line(text, usize::MAX)
}
