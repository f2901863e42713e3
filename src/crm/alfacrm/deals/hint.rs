//! What a webhook of a branch is about (`crm/alfacrm.md` §7): a customer, or a payment and whose.
//! Types are loose, and an empty map comes as a list. Pure.

use serde_json::Value;

use crate::crm::alfacrm::wire::Row;

/// Returns the deals that a body may be about.
pub(in crate::crm::alfacrm) fn hints(body: &[u8]) -> Vec<String> {
    let Ok(told) = serde_json::from_slice::<Value>(body) else {
        return Vec::new();
    };
    let row = Row(&told);
    let Some(id) = row.number("entity_id").filter(|id| *id > 0) else {
        return Vec::new();
    };
    match entity(row).as_deref() {
        Some("Customer") => vec![super::lead_id(id)],
        Some("Pay") => {
            let mut hints = vec![super::pay_id(id)];
            // A payment that was deleted says nothing any more, and its client's first sale may be
            // another.
            for fields in ["fields_new", "fields_old", "fields_rel"] {
                let customer = told.get(fields).map(Row);
                let customer = customer.and_then(|fields| fields.number("customer_id"));
                if let Some(customer) = customer.filter(|id| *id > 0) {
                    let lead = super::lead_id(customer);
                    if !hints.contains(&lead) {
                        hints.push(lead);
                    }
                }
            }
            hints
        }
        Some(_) | None => Vec::new(),
    }
}

/// Says whether a body is about something else than a customer.
pub(in crate::crm::alfacrm) fn is_of_others(body: &[u8]) -> bool {
    let told = serde_json::from_slice::<Value>(body);
    let told = told.ok().and_then(|told| entity(Row(&told)));
    told.is_some_and(|entity| entity != "Customer")
}

fn entity(row: Row<'_>) -> Option<String> {
    row.text("entity")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn s4_16_both_triggers_name_what_they_are_about() {
        for (body, wanted) in [
            (
                r#"{"branch_id":2,"event":"update","entity":"Customer","entity_id":145,"fields_old":[],"fields_new":[]}"#,
                vec!["lead:145"],
            ),
            // As it was seen in real traffic (§7).
            (
                r#"{"branch_id":2,"event":"create","entity":"Pay","entity_id":189,"fields_old":[],
                    "fields_new":{"customer_id":"145","income":"10","confirmed":true},"fields_rel":""}"#,
                vec!["pay:189", "lead:145"],
            ),
            (
                r#"{"event":"update","entity":"Pay","entity_id":"189","fields_old":{"customer_id":"145"},
                    "fields_new":{"customer_id":"146"}}"#,
                vec!["pay:189", "lead:146", "lead:145"],
            ),
            (
                r#"{"event":"update","entity":"Lesson","entity_id":3}"#,
                vec![],
            ),
            (r#"{"event":"update","entity":"Customer"}"#, vec![]),
            (r#"{"entity":"Customer","entity_id":0}"#, vec![]),
            ("entity=Customer&entity_id=5", vec![]),
            ("", vec![]),
        ] {
            assert_eq!(hints(body.as_bytes()), wanted, "{body}");
        }
        assert!(is_of_others(br#"{"entity":"Pay","entity_id":1}"#));
        assert!(!is_of_others(br#"{"entity":"Customer","entity_id":1}"#));
        assert!(!is_of_others(b"what"));
    }

    proptest! {
        #[test]
        fn no_body_makes_it_panic(body in proptest::collection::vec(any::<u8>(), 0..300)) {
            drop(hints(&body));
            let _ = is_of_others(&body);
        }
    }
}
