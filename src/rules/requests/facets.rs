//! What conditions look at in a site request (V-07).

use crate::model::details;
use crate::model::request::SiteRequest;
use crate::rules::filters::{Comparison, Facets, Parameter, Told};
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
            RequestParameter::SearchQuery => details::SEARCH_QUERY,
            RequestParameter::City => details::CITY,
            RequestParameter::UtmSource => "utm_source",
            RequestParameter::UtmMedium => "utm_medium",
            RequestParameter::UtmCampaign => "utm_campaign",
            RequestParameter::UtmContent => "utm_content",
            RequestParameter::UtmTerm => "utm_term",
        }
    }

    fn comparison(self) -> Comparison {
        match self {
            RequestParameter::Page
            | RequestParameter::Text
            | RequestParameter::Referrer
            | RequestParameter::SearchQuery => Comparison::Part,
            RequestParameter::Site
            | RequestParameter::Form
            | RequestParameter::FormType
            | RequestParameter::Campaign
            | RequestParameter::FirstCampaign
            | RequestParameter::Source
            | RequestParameter::Group
            | RequestParameter::Tag
            | RequestParameter::City
            | RequestParameter::UtmSource
            | RequestParameter::UtmMedium
            | RequestParameter::UtmCampaign
            | RequestParameter::UtmContent
            | RequestParameter::UtmTerm => Comparison::Name,
        }
    }
}

impl Facets<RequestParameter> for RequestFacets<'_> {
    fn told(&self, parameter: RequestParameter) -> Told<'_> {
        let request = self.0;
        let detail = |name: &str| request.details.get(name).map(String::as_str);
        Told::One(match parameter {
            RequestParameter::Site => request.site.as_deref().or(detail(details::SITE)),
            RequestParameter::Page => request.page.as_deref().or(detail(details::PAGE)),
            RequestParameter::Form => request.form.as_deref(),
            RequestParameter::FormType => detail(details::FORM_TYPE),
            RequestParameter::Text => request.text.as_deref(),
            RequestParameter::Referrer => detail(details::REFERRER),
            RequestParameter::Campaign => detail(details::CAMPAIGN),
            RequestParameter::FirstCampaign => detail(details::FIRST_CAMPAIGN),
            RequestParameter::Source => detail(details::SOURCE),
            RequestParameter::Group => detail(details::GROUP),
            RequestParameter::Tag => return Told::Many(&request.tags),
            RequestParameter::SearchQuery
            | RequestParameter::City
            | RequestParameter::UtmSource
            | RequestParameter::UtmMedium
            | RequestParameter::UtmCampaign
            | RequestParameter::UtmContent
            | RequestParameter::UtmTerm => detail(parameter.word()),
        })
    }
}
