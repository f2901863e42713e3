//! Reads what changed: first which customers that is about, from the lists of cards and payments of
//! every branch, then these customers some at a time; with the last of them what the log tells.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::read::is_unchanged;
use super::{CLASS, Of, lead_id, of, pay_id};
use crate::crm::alfacrm::AlfaAdapter;
use crate::crm::alfacrm::client::{List, Unanswered, senseless};
use crate::crm::alfacrm::refusal::Refusal;
use crate::crm::alfacrm::wire::{Row, filter_day};
use crate::crm::{DealPiece, DealRecords, DealsNext, DealsSince, DealsWanted};
use crate::model::timestamp::Timestamp;

/// Filters know days, and zones may differ.
const OVERLAP: Duration = Duration::from_secs(24 * 3600);

/// Customers of one piece; each costs a request for its payments in each branch.
const CUSTOMERS_AT_A_TIME: usize = 20;

/// Most pages of one list of changes.
const PAGES_MAX: u64 = 500;

/// A mark of another version is taken for one of so long ago.
const UNREADABLE_MARK: Duration = Duration::from_secs(24 * 3600);

/// Where a reading stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Cursor {
    since: Timestamp,
    /// Where the next reading begins.
    next: Timestamp,
    /// The role may see the log.
    log_open: bool,
    /// The customers that are still to be read.
    customers: Vec<u64>,
}

impl AlfaAdapter {
    /// Reads the next piece.
    pub(super) async fn deal_piece(
        &self,
        since: DealsSince,
        wanted: &DealsWanted,
    ) -> Result<DealPiece, Unanswered> {
        let now = self.clock.now();
        let mut cursor = match since {
            DealsSince::Time(since) => self.begun(since, now, None).await?,
            DealsSince::Mark(mark) => {
                let mark = serde_json::from_value(mark).ok();
                let since = mark.unwrap_or_else(|| now.minus(UNREADABLE_MARK));
                self.begun(since, now, Some(wanted)).await?
            }
            DealsSince::Cursor(cursor) => serde_json::from_value(cursor).map_err(|_| {
                Unanswered::Refused(Refusal::of_status(
                    400,
                    b"the reading cannot go on where it was",
                ))
            })?,
        };
        let rest = cursor
            .customers
            .split_off(cursor.customers.len().min(CUSTOMERS_AT_A_TIME));
        let some = std::mem::replace(&mut cursor.customers, rest);
        let some: BTreeSet<u64> = some.into_iter().collect();
        if !cursor.customers.is_empty() {
            // The log's moves come with the last of them, when all deals are there.
            let records = self.deals_of(&some, wanted, cursor.log_open).await?;
            return Ok(DealPiece {
                records,
                next: DealsNext::At(serde_json::to_value(&cursor).unwrap_or_default()),
            });
        }
        let records = self.last_deals(some, &cursor, wanted).await?;
        let mark = serde_json::to_value(cursor.next).unwrap_or_default();
        Ok(DealPiece {
            records,
            next: DealsNext::End(mark),
        })
    }

    /// Finds whom a reading is about. With a mark, whoever is known as they are is passed over.
    async fn begun(
        &self,
        since: Timestamp,
        now: Timestamp,
        known: Option<&DealsWanted>,
    ) -> Result<Cursor, Unanswered> {
        let reference = self.reference().await?;
        let zone = &self.settings.zone;
        let from = since.minus(OVERLAP);
        let day = filter_day(from, zone);
        let mut customers = BTreeSet::new();
        for branch in &reference.branches {
            for removed in [2, 0] {
                let filters = json!({ "is_study": 2, "removed": removed, "updated_at_from": day });
                let rows = self.changed_in(*branch, "customer/index", filters).await?;
                let rows = match (known, removed) {
                    // Nobody says whether going to the archive is a change of the card.
                    (Some(wanted), 0) => self.unknown(rows, wanted, lead_id).await?,
                    _ => rows,
                };
                customers.extend(rows.iter().filter_map(|row| Row(row).id()));
            }
            for filter in ["created_at_from", "updated_at_from"] {
                let mut filters = json!({});
                filters[filter] = json!(day);
                let rows = self.changed_in(*branch, "pay/index", filters).await?;
                let rows: Vec<Value> = rows
                    .into_iter()
                    .filter(|row| {
                        let at = Row(row).time("updated_at", zone);
                        let at = at.or_else(|| Row(row).time("created_at", zone));
                        at.is_none_or(|at| at >= from.minus(OVERLAP))
                    })
                    .collect();
                let rows = match known {
                    Some(wanted) => self.unknown(rows, wanted, pay_id).await?,
                    None => rows,
                };
                let of_rows = rows.iter().filter_map(|row| Row(row).number("customer_id"));
                customers.extend(of_rows.filter(|id| *id > 0));
            }
        }
        Ok(Cursor {
            since,
            next: now,
            log_open: self.may_see_log(&day).await?,
            customers: customers.into_iter().collect(),
        })
    }

    /// Reads a list of changes. The filters of payments by days are not all documented; where one is
    /// ignored, the first page shows it by what is older, and the rest is left out.
    async fn changed_in(
        &self,
        branch: u64,
        path: &'static str,
        filters: Value,
    ) -> Result<Vec<Value>, Unanswered> {
        let day = filters
            .get("updated_at_from")
            .or_else(|| filters.get("created_at_from"))
            .and_then(Value::as_str)
            .and_then(|day| crate::crm::alfacrm::wire::time(day, &self.settings.zone));
        let list = List::new(path, filters).in_branch(branch);
        let first = match self.client.page(&list, 0, CLASS).await {
            Ok(page) => page,
            Err(Unanswered::Barred(why)) if branch != self.settings.branch => {
                tracing::warn!(branch, why, "deals of a branch are not read");
                return Ok(Vec::new());
            }
            Err(other) => return Err(other),
        };
        let is_older = |row: &Value| {
            let at = |key| Row(row).time(key, &self.settings.zone);
            let newest = at("updated_at").max(at("created_at"));
            day.is_some_and(|day| newest.is_some_and(|at| at < day))
        };
        let is_whole = first
            .total
            .is_some_and(|total| total <= first.items.len() as u64);
        if is_whole || first.items.is_empty() || first.items.iter().any(is_older) {
            return Ok(first.items);
        }
        let all = self.client.all(&list, PAGES_MAX, CLASS).await?;
        all.ok_or_else(|| senseless(format!("{path} in branch {branch} is too long")))
    }

    /// Leaves out what is kept as it is.
    async fn unknown(
        &self,
        mut rows: Vec<Value>,
        wanted: &DealsWanted,
        deal: fn(u64) -> String,
    ) -> Result<Vec<Value>, Unanswered> {
        let ids = rows.iter().filter_map(|row| Row(row).id()).map(deal);
        let known = wanted.known.known(ids.collect()).await.map_err(senseless)?;
        rows.retain(|row| {
            let known = Row(row).id().and_then(|id| known.get(&deal(id)));
            !known.is_some_and(|known| is_unchanged(Row(row), known, &self.settings.zone))
        });
        Ok(rows)
    }

    /// Reads the last customers of a reading, and what the log tells of its time.
    async fn last_deals(
        &self,
        mut some: BTreeSet<u64>,
        cursor: &Cursor,
        wanted: &DealsWanted,
    ) -> Result<DealRecords, Unanswered> {
        let reference = self.reference().await?;
        let until = self.clock.now().plus(OVERLAP);
        let since = cursor.since.minus(OVERLAP);
        let log = match cursor.log_open {
            true => self.log_since(since, until, &reference.branches).await?,
            false => None,
        };
        let Some(log) = log else {
            return self.deals_of(&some, wanted, false).await;
        };
        some.extend(&log.customers_of_deleted);
        let mut pays = Vec::new();
        for gone in log.gone() {
            match gone {
                // One that was restored since is read.
                Of::Customer(customer) => drop(some.insert(customer)),
                Of::Pay(pay) => pays.push(pay),
            }
        }
        let mut records = self.deals_of(&some, wanted, true).await?;
        if !pays.is_empty() {
            let there = self.customers_of_pays(&pays).await?;
            let gone = pays.iter().filter(|pay| !there.contains_key(pay));
            records.gone.extend(gone.map(|pay| pay_id(*pay)));
        }
        records.moves.extend(log.moves);
        Ok(records)
    }

    /// Reads single deals: with a payment, everything of its customer.
    pub(super) async fn deals_anew(
        &self,
        ids: Vec<String>,
        wanted: &DealsWanted,
    ) -> Result<DealRecords, Unanswered> {
        let (mut customers, mut pays, mut gone) = (BTreeSet::new(), Vec::new(), Vec::new());
        for id in ids {
            match of(&id) {
                Some(Of::Customer(customer)) => drop(customers.insert(customer)),
                Some(Of::Pay(pay)) => pays.push(pay),
                None => gone.push(id),
            }
        }
        if !pays.is_empty() {
            let found = self.customers_of_pays(&pays).await?;
            customers.extend(found.values().flatten());
            // One of nobody is no deal, or not any more.
            let of_nobody = |pay: &&u64| found.get(pay).is_none_or(Option::is_none);
            gone.extend(pays.iter().filter(of_nobody).map(|pay| pay_id(*pay)));
        }
        let reference = self.reference().await?;
        let (mut moves, mut log_open) = (Vec::new(), true);
        for customer in &customers {
            match self.log_of(*customer, &reference.branches).await? {
                Some(log) => moves.extend(log.moves),
                None => {
                    log_open = false;
                    break;
                }
            }
        }
        let mut records = self.deals_of(&customers, wanted, log_open).await?;
        records.gone.extend(gone);
        if log_open {
            records.moves.extend(moves);
        }
        Ok(records)
    }
}
