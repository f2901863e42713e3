//! The metadata of unsorted records: what a call and what a site form must tell about themselves
//! (crm/amocrm.md §10).

use serde_json::{Map, Value, json};

use super::review::{Object, Review};

/// Reads the metadata of a record.
pub(super) fn read_metadata(
    category: &str,
    object: &Object<'_>,
    review: &mut Review,
) -> Map<String, Value> {
    let (required, optional): (&[&str], &[&str]) = match category {
        "sip" => (
            &[
                "uniq",
                "duration",
                "service_code",
                "link",
                "phone",
                "called_at",
            ],
            &[
                "from",
                "call_responsible",
                "is_call_event_needed",
                "category",
            ],
        ),
        _ => (
            &["form_id", "form_name", "form_page", "form_sent_at"],
            &["ip", "referer", "form_type", "visitor_uid", "category"],
        ),
    };
    let known: Vec<&str> = required.iter().chain(optional).copied().collect();
    object.known(&format!("metadata of {category}"), &known, review);
    if category == "sip" {
        object.require(required, review);
    }
    let mut stored = Map::new();
    for key in known
        .into_iter()
        .filter(|key| object.has(key) && *key != "category")
    {
        // The callee may be unknown (§10).
        if key == "call_responsible" && object.is_null(key) {
            continue;
        }
        let read = match key {
            "duration" | "called_at" | "form_sent_at" => {
                object.integer(key, review).map(|n| json!(n))
            }
            "is_call_event_needed" => object.flag(key, review).map(|f| json!(f)),
            "from" | "form_id" | "call_responsible" => {
                let given = object.raw(key).filter(|v| v.is_u64() || v.is_string());
                if given.is_none() {
                    object.text(key, review);
                }
                given.cloned()
            }
            _ => object.text(key, review).map(|t| json!(t)),
        };
        read.and_then(|value| stored.insert(key.to_owned(), value));
    }
    stored
}
