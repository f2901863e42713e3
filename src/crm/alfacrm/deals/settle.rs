//! Which payment of a customer is the first sale and which ones are upsells (`crm/alfacrm.md` §8).
//! What was decided once stays: it is kept with the deals. Pure.
//!
//! A client often becomes one *by* paying, and the two are told within seconds, in either order. So
//! the earliest payment up to the end of the day on which the lead became a client is the first
//! sale; all others are upsells.

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZone;
use serde_json::Value;

use super::choices::DealChoices;
use crate::crm::alfacrm::wire::{Row, record_day};
use crate::model::deal::Sum;
use crate::model::timestamp::Timestamp;

/// Under what the first payment is kept with a lead.
pub(super) const FIRST_PAYMENT: &str = "first_payment";

/// Under what it is kept since when a lead is a client.
pub(super) const CLIENT_SINCE: &str = "client_since";

/// It is a client, and nothing says since when.
pub(super) const UNKNOWN: &str = "unknown";

/// A payment that is income of a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pay {
    pub(super) id: u64,
    pub(super) customer: u64,
    pub(super) branch: Option<u64>,
    pub(super) kind: Option<u64>,
    pub(super) income: Sum,
    pub(super) is_confirmed: bool,
    /// The day of the document, at midnight.
    pub(super) day: Timestamp,
    pub(super) created_at: Timestamp,
    pub(super) updated_at: Timestamp,
}

impl Pay {
    /// Reads a payment; `None` where it is none of a client: a refund, an expense, a salary (§5).
    pub(super) fn read(record: &Value, choices: &DealChoices, zone: &TimeZone) -> Option<Self> {
        let row = Row(record);
        let kind = row.number("pay_type_id");
        let income = Sum::parse(&row.text("income")?)?;
        let is_income = kind.is_some_and(|kind| choices.income_types.contains(&kind));
        if !is_income || income.hundredths() <= 0 {
            return None;
        }
        let day = row.time("document_date", zone);
        let created_at = row.time("created_at", zone).or(day)?;
        Some(Self {
            id: row.id()?,
            customer: row.number("customer_id").filter(|id| *id > 0)?,
            branch: row.number("branch_id"),
            kind,
            income,
            is_confirmed: row.0.get("is_confirmed").is_none_or(Value::is_null)
                || row.flag("is_confirmed"),
            day: day.unwrap_or(created_at),
            created_at,
            updated_at: row.time("updated_at", zone).unwrap_or(created_at),
        })
    }
}

/// What is known of a customer before.
#[derive(Debug, Clone, Default)]
pub(super) struct Before {
    /// What is kept with its lead.
    pub(super) kept: BTreeMap<String, String>,
    /// It was seen as a lead.
    pub(super) was_lead: bool,
    /// Its payments that are upsells already.
    pub(super) upsells: BTreeSet<u64>,
}

impl Before {
    /// Says whether it has still to be found out since when it is a client.
    pub(super) fn asks_since(&self, is_client: bool) -> bool {
        is_client && !self.kept.contains_key(CLIENT_SINCE)
    }
}

/// What its payments are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Settled {
    /// The payment of the first sale.
    pub(super) first: Option<u64>,
    /// The upsells.
    pub(super) upsells: Vec<u64>,
    /// Since when it is a client, where that is known.
    pub(super) client_since: Option<Timestamp>,
    /// What is kept from now on.
    pub(super) kept: BTreeMap<String, String>,
}

/// A customer as it is now.
#[derive(Debug, Clone, Copy)]
pub(super) struct Now {
    pub(super) is_client: bool,
    pub(super) updated_at: Timestamp,
    /// When the log says that it became a client.
    pub(super) told: Option<Timestamp>,
}

/// Decides.
pub(super) fn settle(now: Now, before: &Before, pays: &[Pay], zone: &TimeZone) -> Settled {
    let mut kept = before.kept.clone();
    if before.asks_since(now.is_client) {
        // Without the log: when it was changed last before it was seen as a client.
        let seen = before.was_lead.then_some(now.updated_at);
        let since = now.told.or(seen).map(|at| at.to_string());
        kept.insert(
            CLIENT_SINCE.to_owned(),
            since.unwrap_or_else(|| UNKNOWN.to_owned()),
        );
    }
    let since = kept.get(CLIENT_SINCE);
    let was_client = since.is_some();
    let client_since = since.and_then(|text| Timestamp::parse(text).ok());
    let is_in_time = |pay: &&Pay| match client_since {
        Some(since) => record_day(pay.day, zone) <= record_day(since, zone),
        None => true,
    };
    let of_before = kept.get(FIRST_PAYMENT).and_then(|id| id.parse().ok());
    let of_before = of_before.filter(|id: &u64| pays.iter().any(|pay| pay.id == *id));
    let first = of_before.or_else(|| {
        let free = pays.iter().filter(|pay| !before.upsells.contains(&pay.id));
        let earliest = free
            .filter(is_in_time)
            .min_by_key(|pay| (record_day(pay.day, zone), pay.created_at, pay.id));
        earliest.map(|pay| pay.id)
    });
    match first {
        Some(first) => kept.insert(FIRST_PAYMENT.to_owned(), first.to_string()),
        None => kept.remove(FIRST_PAYMENT),
    };
    let others = pays.iter().map(|pay| pay.id);
    Settled {
        first,
        // One who goes back to the leads has bought all the same.
        upsells: match was_client {
            true => others.filter(|id| Some(*id) != first).collect(),
            false => Vec::new(),
        },
        client_since,
        kept,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).expect("a time")
    }

    fn pay(id: u64, day: &str) -> Pay {
        let record = json!({
            "id": id, "customer_id": "145", "pay_type_id": "1", "income": "100.00",
            "document_date": day, "created_at": format!("{day} 12:00:00"),
        });
        Pay::read(&record, &DealChoices::default(), &TimeZone::UTC).expect("an income")
    }

    fn lead() -> Now {
        Now {
            is_client: false,
            updated_at: at("2026-11-20T09:00:00Z"),
            told: None,
        }
    }

    fn client(told: Option<&str>) -> Now {
        Now {
            is_client: true,
            told: told.map(at),
            ..lead()
        }
    }

    fn settled(now: Now, before: &Before, pays: &[Pay]) -> Settled {
        settle(now, before, pays, &TimeZone::UTC)
    }

    /// What is known after a reading.
    fn after(settled: &Settled, is_client: bool) -> Before {
        Before {
            kept: settled.kept.clone(),
            was_lead: !is_client,
            upsells: settled.upsells.iter().copied().collect(),
        }
    }

    #[test]
    fn s4_15_the_first_payment_is_the_first_sale_and_what_follows_is_an_upsell() {
        let told = Some("2026-11-20T09:00:00Z");
        let pays = [
            pay(3, "2026-11-21"),
            pay(2, "2026-11-20"),
            pay(1, "2026-11-20"),
        ];
        let read = settled(client(told), &Before::default(), &pays);
        assert_eq!((read.first, &*read.upsells), (Some(1), &[3, 2][..]));
        assert_eq!(read.client_since, told.map(at));
        // A client who paid for the first time on a later day bought without a first sale's sum.
        let late = settled(client(told), &Before::default(), &pays[..1]);
        assert_eq!((late.first, &*late.upsells), (None, &[3][..]));
        // Whose beginning nobody knows: the earliest.
        let old = settled(client(None), &Before::default(), &pays[..1]);
        assert_eq!((old.first, old.upsells.len()), (Some(3), 0));
        assert_eq!(old.kept[CLIENT_SINCE], UNKNOWN);
    }

    #[test]
    fn s4_15_a_lead_has_no_upsells_until_it_is_a_client() {
        let pays = [pay(1, "2026-11-18"), pay(2, "2026-11-19")];
        let read = settled(lead(), &Before::default(), &pays);
        assert_eq!((read.first, read.upsells.len()), (Some(1), 0));
        let then = settled(
            client(Some("2026-11-20T09:00:00Z")),
            &after(&read, false),
            &pays,
        );
        assert_eq!((then.first, &*then.upsells), (Some(1), &[2][..]));
        // Back among the leads: what was bought was bought.
        let back = settled(lead(), &after(&then, true), &pays);
        assert_eq!((back.first, &*back.upsells), (Some(1), &[2][..]));
    }

    #[test]
    fn s4_15_what_was_decided_once_never_flips() {
        let told = Some("2026-11-20T09:00:00Z");
        let first = settled(client(told), &Before::default(), &[pay(5, "2026-11-20")]);
        // An earlier one is entered afterwards.
        let pays = [pay(5, "2026-11-20"), pay(6, "2026-11-10")];
        let then = settled(client(None), &after(&first, true), &pays);
        assert_eq!((then.first, &*then.upsells), (Some(5), &[6][..]));
        assert_eq!(then.client_since, told.map(at));
        // The first one is deleted: an upsell stays one.
        let gone = settled(client(None), &after(&then, true), &pays[1..]);
        assert_eq!((gone.first, &*gone.upsells), (None, &[6][..]));
        assert!(!gone.kept.contains_key(FIRST_PAYMENT));
    }

    #[test]
    fn s4_15_the_payment_and_the_change_of_the_card_come_in_either_order() {
        let told = Some("2026-11-20T09:00:00Z");
        let pays = [pay(1, "2026-11-20")];
        let card_first = settled(client(told), &Before::default(), &[]);
        let card_first = settled(client(None), &after(&card_first, true), &pays);
        let pay_first = settled(lead(), &Before::default(), &pays);
        let pay_first = settled(client(told), &after(&pay_first, false), &pays);
        assert_eq!(card_first, pay_first);
        assert_eq!(card_first.first, Some(1));
        // Without a log the change is as old as the card's last one.
        let seen = settled(lead(), &Before::default(), &[]);
        let seen = settled(client(None), &after(&seen, false), &pays);
        assert_eq!(seen.client_since, Some(lead().updated_at));
    }

    #[test]
    fn s4_14_only_income_of_clients_is_a_payment() {
        let good = json!({"id": "9", "customer_id": 145, "pay_type_id": 1, "income": 10,
            "document_date": "20.11.2026"});
        let read = |change: Value| {
            let mut record = good.clone();
            for (key, value) in change.as_object().expect("a table") {
                record[key] = value.clone();
            }
            Pay::read(&record, &DealChoices::default(), &TimeZone::UTC)
        };
        let plain = read(json!({})).expect("a payment");
        assert!(plain.is_confirmed, "a field that is absent says nothing");
        assert!(
            !read(json!({"is_confirmed": "0"}))
                .expect("one")
                .is_confirmed
        );
        assert!(
            read(json!({"is_confirmed": null}))
                .expect("one")
                .is_confirmed
        );
        for other in [
            json!({"income": "-10"}),
            json!({"income": 0}),
            json!({"income": ""}),
            json!({"pay_type_id": 4}),
            json!({"customer_id": ""}),
            json!({"id": null}),
            json!({"document_date": "soon"}),
        ] {
            assert_eq!(read(other.clone()), None, "{other}");
        }
    }
}
