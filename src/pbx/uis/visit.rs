//! What every report tells of the visit that a communication came from (`pbx/uis.md` §4.1, §4.3,
//! §4.4), under the names that sources share.

use std::collections::BTreeMap;

use super::row::Row;
use crate::model::details;

/// Fields of a report, and our names for them.
const FIELDS: [(&str, &str); 15] = [
    ("site_domain_name", details::SITE),
    ("communication_page_url", details::PAGE),
    ("communication_number", details::COMMUNICATION_NUMBER),
    ("campaign_name", details::CAMPAIGN),
    ("visitor_first_campaign_name", details::FIRST_CAMPAIGN),
    ("source_name", details::SOURCE),
    ("channel", details::CHANNEL),
    ("search_query", details::SEARCH_QUERY),
    ("referrer", details::REFERRER),
    ("entrance_page", details::ENTRANCE_PAGE),
    ("visitor_city", details::CITY),
    ("ext_id", "ext_id"),
    ("gclid", "gclid"),
    ("yclid", "yclid"),
    ("ym_client_id", "ym_client_id"),
];

/// Returns the fields to be asked for.
pub(super) fn fields() -> impl Iterator<Item = &'static str> {
    let own = FIELDS.iter().map(|(field, _)| *field);
    own.chain(details::UTM).chain(["attributes", "tags"])
}

/// Reads what is known.
pub(super) fn details(row: Row<'_>) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let same = details::UTM.iter().map(|name| (*name, *name));
    for (field, name) in FIELDS.into_iter().chain(same) {
        if let Some(text) = row.line(field) {
            found.insert(name.to_owned(), text);
        }
    }
    let attributes = row.lines("attributes");
    if !attributes.is_empty() {
        found.insert("attributes".to_owned(), attributes.join(", "));
    }
    found
}

/// Reads the marks: a report lists them as objects, a notification as words.
pub(super) fn tags(row: Row<'_>) -> Vec<String> {
    let mut tags: Vec<String> = row
        .rows("tags")
        .iter()
        .filter_map(|tag| tag.line("tag_name").or_else(|| tag.line("name")))
        .collect();
    if tags.is_empty() {
        tags = row.lines("tags");
    }
    let mut seen = std::collections::BTreeSet::new();
    tags.retain(|tag| seen.insert(tag.clone()));
    tags
}
