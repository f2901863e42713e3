//! The audit feed (`crm/amocrm.md` §13).

use serde_json::Value;

use super::client::{Client, ReadError, query};
use super::wire::answers::AuditEvent;
use crate::crm::Class;

/// Most events of one page (§4), and most pages of them.
const PAGE_MAX: usize = 100;
const PAGES_MAX: u32 = 200;

/// Reads the events of some kinds since a time (Unix seconds), the oldest first; `None` where the
/// feed holds too many. `narrower` is added to the query.
pub(super) async fn events(
    client: &Client,
    class: Class,
    since: i64,
    kinds: &[&str],
    narrower: &[(&str, &str)],
) -> Result<Option<Vec<AuditEvent>>, ReadError> {
    let mut all = Vec::new();
    for number in 1..=PAGES_MAX {
        let mut pairs = query(&[
            ("filter[created_at][from]", &since.to_string()),
            ("limit", &PAGE_MAX.to_string()),
            ("page", &number.to_string()),
        ]);
        pairs.extend(query(narrower));
        let kinds_wanted = kinds.iter();
        pairs.extend(kinds_wanted.map(|kind| ("filter[type][]".to_owned(), (*kind).to_owned())));
        let page = client
            .page::<AuditEvent>("/api/v4/events", "events", pairs, class)
            .await?;
        let over = page.items.is_empty() || (page.items.len() < PAGE_MAX && !page.more);
        // Where the filter is not heeded, the order of the feed still ends the reading.
        let reached = page
            .items
            .last()
            .is_some_and(|last| last.created_at < since);
        let wanted =
            |event: &AuditEvent| event.created_at >= since && kinds.contains(&event.kind.as_str());
        all.extend(page.items.into_iter().filter(wanted));
        if over || reached {
            all.sort_by_key(|event| event.created_at);
            return Ok(Some(all));
        }
    }
    Ok(None)
}

/// Returns the deals that an event's value speaks of: `{"type": "lead", "id": …}`, however deep.
pub(super) fn deals_in(value: &Value) -> Vec<i64> {
    match value {
        Value::Array(items) => items.iter().flat_map(deals_in).collect(),
        Value::Object(fields) => {
            let of_deal = fields
                .get("type")
                .and_then(Value::as_str)
                .is_some_and(|kind| matches!(kind, "lead" | "leads"));
            let id = fields.get("id").and_then(Value::as_i64);
            let own = id.filter(|_| of_deal);
            own.into_iter()
                .chain(fields.values().flat_map(deals_in))
                .collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    }
}
