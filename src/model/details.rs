//! The names under which sources tell what else they know of a communication: where the visitor came
//! from, what way a call took. A source uses a name of this list for what it means, and names of its
//! own for the rest.

/// The advertising campaign that brought the client.
pub const CAMPAIGN: &str = "campaign";
/// The campaign of the client's first visit.
pub const FIRST_CAMPAIGN: &str = "first_campaign";
/// Where the client came from, as the source sorts it.
pub const SOURCE: &str = "source";
/// The sort of traffic.
pub const CHANNEL: &str = "channel";
/// The site.
pub const SITE: &str = "site";
/// The page on which the client called, wrote or filled in the form.
pub const PAGE: &str = "page";
/// The page from which the client came to the site.
pub const REFERRER: &str = "referrer";
/// The page on which the visit began.
pub const ENTRANCE_PAGE: &str = "entrance_page";
/// What the client had searched for.
pub const SEARCH_QUERY: &str = "search_query";
/// The city of the visitor.
pub const CITY: &str = "city";
/// Marks of the advertisement's address.
pub const UTM: [&str; 5] = [
    "utm_source",
    "utm_medium",
    "utm_campaign",
    "utm_content",
    "utm_term",
];
/// The scenario of the phone system that the call took.
pub const SCENARIO: &str = "scenario";
/// The last step of the scenario.
pub const LAST_OPERATION: &str = "last_operation";
/// The department that the client chose.
pub const GROUP: &str = "group";
/// Why a chat ended, in words for people.
pub const END_REASON: &str = "end_reason";
/// The sort of form.
pub const FORM_TYPE: &str = "form_type";
/// How often this client has been in touch, this time included; `1` = for the first time.
pub const COMMUNICATION_NUMBER: &str = "communication_number";
