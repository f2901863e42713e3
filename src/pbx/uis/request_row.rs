//! A site request as `get.offline_messages_report` tells it (`pbx/uis.md` §4.4). Pure.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use serde_json::{Map, Value};

use super::notification::{RequestWords, is_id};
use super::row::Row;
use super::{local_time, number, visit};
use crate::model::details;
use crate::model::number_rules::NumberRules;
use crate::model::request::SiteRequest;
use crate::model::timestamp::Timestamp;

/// What is asked for besides the visit.
const FIELDS: [&str; 14] = [
    "id",
    "communication_id",
    "date_time",
    "text",
    "status",
    "form_type",
    "form_name",
    "properties",
    "visitor_name",
    "visitor_phone_number",
    "visitor_email",
    "group_name",
    "employee_full_name",
    "is_agree_to_mailing",
];

/// Fields of a form that are kept: more than any form asks.
const PROPERTIES_MAX: usize = 100;

/// Returns the fields to be asked for.
pub(super) fn fields() -> Vec<&'static str> {
    FIELDS.into_iter().chain(visit::fields()).collect()
}

/// A request that was understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RequestRow {
    /// The request.
    pub(super) id: String,
    /// By what notifications name it.
    pub(super) communication: Option<String>,
    /// Its picture.
    pub(super) request: SiteRequest,
}

/// Reads a row; `None` where it has no id or no time.
pub(super) fn read(
    object: &Map<String, Value>,
    numbers: &NumberRules,
    zone: &TimeZone,
) -> Option<RequestRow> {
    let row = Row::new(object);
    let id = row.line("id").filter(|id| is_id(id))?;
    let at = local_time::read(&row.line("date_time")?, zone)?;
    let words = RequestWords {
        name: row.line("visitor_name"),
        phone: row.line("visitor_phone_number"),
        email: row.line("visitor_email"),
        text: row.text("text"),
        site: row.line("site_domain_name"),
        page: row.line("communication_page_url"),
        form: row.line("form_name").or_else(|| row.line("form_type")),
    };
    let mut told = visit::details(row);
    let own = [
        (details::FORM_TYPE, row.line("form_type")),
        (details::GROUP, row.line("group_name")),
        ("employee_name", row.line("employee_full_name")),
    ];
    told.extend(
        own.into_iter()
            .filter_map(|(key, text)| Some((key.to_owned(), text?))),
    );
    let mut request = picture(&words, at, numbers);
    request.fields.extend(properties(object.get("properties")));
    request.tags = visit::tags(row);
    request.details = told;
    Some(RequestRow {
        id,
        communication: row.line("communication_id"),
        request,
    })
}

/// Makes a picture of what is said alone.
pub(super) fn picture(words: &RequestWords, at: Timestamp, numbers: &NumberRules) -> SiteRequest {
    let mut fields = BTreeMap::new();
    let phone = words.phone.as_deref();
    let read = phone.and_then(|text| number::visitor(numbers, text));
    // A client's slip of the pen must not cost the request; a person can still read it.
    if let (Some(text), None) = (phone, &read) {
        fields.insert("phone".to_owned(), text.to_owned());
    }
    let email = words.email.clone().filter(|text| number::is_email(text));
    if let (Some(text), None) = (&words.email, &email) {
        fields.insert("email".to_owned(), text.clone());
    }
    SiteRequest {
        at,
        name: words.name.clone(),
        phone: read,
        email,
        text: words.text.clone(),
        form: words.form.clone(),
        site: words.site.clone(),
        page: words.page.clone(),
        fields,
        tags: Vec::new(),
        details: BTreeMap::new(),
    }
}

/// Reads the form's own fields, whether they come as an object or as a list of names and values.
fn properties(value: Option<&Value>) -> BTreeMap<String, String> {
    match value {
        Some(Value::Object(object)) => {
            let row = Row::new(object);
            let keys = object.keys().take(PROPERTIES_MAX);
            keys.filter_map(|key| Some((key.clone(), row.text(key)?)))
                .collect()
        }
        Some(Value::Array(values)) => {
            let pair = |value: &Value| {
                let row = Row::of(value)?;
                let name = row.line("property_name").or_else(|| row.line("name"))?;
                let text = row.text("property_value").or_else(|| row.text("value"))?;
                Some((name, text))
            };
            values
                .iter()
                .take(PROPERTIES_MAX)
                .filter_map(pair)
                .collect()
        }
        Some(_) | None => BTreeMap::new(),
    }
}
