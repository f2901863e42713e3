//! What conditions look at in a site request (V-07).

use crate::model::details;
use crate::model::request::SiteRequest;
use crate::rules::filter::{Facets, Parameter};
use crate::rules::settings::RequestParameter;

/// A request, as conditions see it.
pub(in crate::rules) struct RequestFacets<'a>(pub(in crate::rules) &'a SiteRequest);

impl Parameter for RequestParameter {
    fn word(self) -> &'static str {
        match self {
            RequestParameter::Site => "site",
            RequestParameter::Page => "page",
            RequestParameter::Form => "form",
            RequestParameter::FormType => "form_type",
            RequestParameter::Text => "text",
            RequestParameter::Referrer => "referrer",
            RequestParameter::Campaign => "campaign",
            RequestParameter::FirstCampaign => "first_campaign",
            RequestParameter::Source => "source",
            RequestParameter::Group => "group",
            RequestParameter::Tag => "tag",
        }
    }

    fn wrong_value(self, value: &str) -> Option<String> {
        let blank = value.trim().is_empty();
        blank.then(|| "write a value".to_owned())
    }

    fn is_employee(self) -> bool {
        false
    }
}

impl Facets<RequestParameter> for RequestFacets<'_> {
    fn has(&self, parameter: RequestParameter, values: &[String]) -> Option<bool> {
        let request = self.0;
        let detail = |name: &str| request.details.get(name).map(String::as_str);
        let (text, part) = match parameter {
            RequestParameter::Site => (request.site.as_deref().or(detail(details::SITE)), false),
            RequestParameter::Page => (request.page.as_deref().or(detail(details::PAGE)), true),
            RequestParameter::Form => (request.form.as_deref(), false),
            RequestParameter::FormType => (detail(details::FORM_TYPE), false),
            RequestParameter::Text => (request.text.as_deref(), true),
            RequestParameter::Referrer => (detail(details::REFERRER), true),
            RequestParameter::Campaign => (detail(details::CAMPAIGN), false),
            RequestParameter::FirstCampaign => (detail(details::FIRST_CAMPAIGN), false),
            RequestParameter::Source => (detail(details::SOURCE), false),
            RequestParameter::Group => (detail(details::GROUP), false),
            RequestParameter::Tag => {
                let mut tags = request.tags.iter();
                return Some(tags.any(|tag| is_one_of(tag, values, false)));
            }
        };
        Some(text.is_some_and(|text| is_one_of(text, values, part)))
    }
}

/// Says whether a text is one of the values, or contains one.
fn is_one_of(text: &str, values: &[String], part: bool) -> bool {
    let text = text.trim().to_lowercase();
    values.iter().any(|value| {
        let value = value.trim().to_lowercase();
        if part {
            text.contains(&value)
        } else {
            text == value
        }
    })
}
