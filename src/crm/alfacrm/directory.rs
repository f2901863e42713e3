//! An account's customers for the directory (`crm/alfacrm.md` §1.3, §2, §6): everything once, page
//! by page, then what was changed since.
//!
//! Filters know days only and the order of a list is not documented, so that what was read already
//! is read again; repeating is harmless. Cards of the archive and deleted ones leave. That they all
//! are told nobody promises, so that no step is planned by this directory alone; questions are
//! answered by it.

use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::AlfaAdapter;
use super::client::{List, Unanswered, outcome};
use super::wire::{Row, filter_day};
use crate::crm::{Changes, Class, Covered, DirectoryReader, HookAddress, Piece, PieceNext};
use crate::model::directory::{DirectoryCard, DirectoryChange};
use crate::model::outcome::Outcome;
use crate::model::plan::{Card, Entity};
use crate::model::timestamp::Timestamp;

/// Changes are read from so long before a mark: filters know days, and zones may differ.
const OVERLAP: Duration = Duration::from_secs(24 * 3600);

/// Most pages of changes; more is read as everything is.
const CHANGE_PAGES_MAX: u64 = 25;

/// Most pages of everything: more than any school has pupils.
const PAGES_MAX: u64 = 10_000;

/// Cards that are read by their ids in one request.
const IDS_MAX: usize = 100;

/// A deletion, in the log (§6).
const DELETED: u64 = 3;

/// Where a reading of everything stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Cursor {
    /// Changes since then are read afterwards.
    mark: Timestamp,
    page: u64,
    /// Records of the pages before.
    collected: u64,
    /// How the ids went so far.
    order: Order,
    /// The last id of the page before.
    last: u64,
}

/// In what order a list comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Order {
    Unseen,
    Growing,
    Falling,
    None,
}

/// Since when changes are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Mark {
    since: Timestamp,
}

impl DirectoryReader for AlfaAdapter {
    fn everything(&self, cursor: Option<Value>) -> BoxFuture<'_, Outcome<Piece>> {
        async move { outcome(self.piece(cursor).await) }.boxed()
    }

    fn changes(&self, mark: Value, class: Class) -> BoxFuture<'_, Outcome<Changes>> {
        async move { outcome(self.changed(mark, class).await) }.boxed()
    }

    /// A person enters the address in the CRM's triggers (§7): there is nothing to ask it for.
    fn subscribe(&self, _: HookAddress) -> BoxFuture<'_, Outcome<()>> {
        async { Outcome::Done(()) }.boxed()
    }

    fn anew(&self, cards: Vec<Card>, class: Class) -> BoxFuture<'_, Outcome<Vec<DirectoryChange>>> {
        async move { outcome(self.read_anew(cards, class).await) }.boxed()
    }
}

impl AlfaAdapter {
    /// Reads the next piece. A cursor that cannot be read, of another version, begins anew.
    async fn piece(&self, cursor: Option<Value>) -> Result<Piece, Unanswered> {
        let cursor = cursor.and_then(|cursor| serde_json::from_value::<Cursor>(cursor).ok());
        let cursor = cursor.unwrap_or_else(|| Cursor {
            mark: self.clock.now(),
            page: 0,
            collected: 0,
            order: Order::Unseen,
            last: 0,
        });
        let list = List::new("customer/index", json!({ "is_study": 2, "removed": 0 }));
        let page = self
            .client
            .page(&list, cursor.page, Class::Background)
            .await?;
        let ids: Vec<u64> = page
            .items
            .iter()
            .filter_map(|item| Row(item).id())
            .collect();
        let order = order_of(cursor.order, cursor.last, &ids);
        let collected = cursor.collected.saturating_add(page.items.len() as u64);
        let ended = page.items.is_empty()
            || page.total.is_some_and(|total| collected >= total)
            || cursor.page >= PAGES_MAX;
        let next = match ended {
            true => PieceNext::End {
                mark: write(&Mark { since: cursor.mark }),
            },
            false => PieceNext::At(write(&Cursor {
                page: cursor.page.saturating_add(1),
                collected,
                order,
                last: ids.last().copied().unwrap_or(cursor.last),
                ..cursor
            })),
        };
        Ok(Piece {
            changes: page
                .items
                .iter()
                .filter_map(|item| self.change(item))
                .collect(),
            covered: covered(order, &cursor, &ids, ended),
            next,
        })
    }

    /// Reads what was changed since a mark: cards that are worked with, those that went to the
    /// archive, and those that are no more.
    async fn changed(&self, mark: Value, class: Class) -> Result<Changes, Unanswered> {
        let begun_at = self.clock.now();
        // A mark of another version: everything is read anew.
        let Ok(mark) = serde_json::from_value::<Mark>(mark) else {
            return Ok(Changes::TooMany);
        };
        let since = filter_day(mark.since.minus(OVERLAP), &self.settings.zone);
        // Of two lists that a card moves between while they are read, the later one is right.
        let mut changes = Vec::new();
        for removed in [2, 0] {
            let filters = json!({ "is_study": 2, "removed": removed, "updated_at_from": since });
            let list = List::new("customer/index", filters);
            let Some(rows) = self.client.all(&list, CHANGE_PAGES_MAX, class).await? else {
                return Ok(Changes::TooMany);
            };
            changes.extend(rows.iter().filter_map(|row| match removed {
                0 => self.change(row),
                _ => Some(gone(Row(row).id()?)),
            }));
        }
        changes.extend(self.deleted(&since, begun_at, class).await?);
        Ok(Changes::Read {
            changes,
            heirs: Vec::new(),
            mark: write(&Mark { since: begun_at }),
            gone_told: false,
        })
    }

    /// Reads which customers were deleted, where the role may see the log. One that was restored
    /// since is asked about by id.
    async fn deleted(
        &self,
        since: &str,
        now: Timestamp,
        class: Class,
    ) -> Result<Vec<DirectoryChange>, Unanswered> {
        let until = filter_day(now.plus(OVERLAP), &self.settings.zone);
        let filters = json!({
            "entity": "Customer", "event": DELETED, "date_from": since, "date_to": until,
        });
        let list = List::new("log/index", filters);
        let read = match self.client.all(&list, CHANGE_PAGES_MAX, class).await {
            Ok(read) => read.unwrap_or_default(),
            // Without the log they leave at the next reading of everything.
            Err(Unanswered::Barred(_) | Unanswered::Refused(_)) => return Ok(Vec::new()),
            Err(failed) => return Err(failed),
        };
        let of_customer = |entry: &&Value| {
            let row = Row(entry);
            row.number("event") == Some(DELETED)
                && row.text("entity").is_none_or(|entity| entity == "Customer")
        };
        let ids = read
            .iter()
            .filter(of_customer)
            .filter_map(|entry| Row(entry).number("entity_id"));
        let mut ids: Vec<u64> = ids.collect();
        ids.sort_unstable();
        ids.dedup();
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let cards = ids.iter().map(|id| card(*id)).collect();
        self.read_anew(cards, class).await
    }

    /// Reads cards anew; what is not there any more, or stands in the archive, is gone.
    async fn read_anew(
        &self,
        cards: Vec<Card>,
        class: Class,
    ) -> Result<Vec<DirectoryChange>, Unanswered> {
        let mut told = Vec::new();
        for some in cards.chunks(IDS_MAX) {
            let ids: Vec<u64> = some
                .iter()
                .filter_map(|card| card.id.parse().ok())
                .collect();
            let found = match ids.is_empty() {
                true => Vec::new(),
                false => self.by_ids(&ids, 0, class).await?,
            };
            for wanted in some {
                let is_it = |row: &&Value| {
                    wanted.entity == Entity::Contact
                        && Row(row).id().is_some_and(|id| id.to_string() == wanted.id)
                };
                let change = found.iter().find(is_it).and_then(|row| self.change(row));
                told.push(change.unwrap_or_else(|| DirectoryChange::Gone {
                    card: wanted.clone(),
                }));
            }
        }
        Ok(told)
    }

    /// Translates a customer.
    fn change(&self, record: &Value) -> Option<DirectoryChange> {
        let row = Row(record);
        let fact = row.fact(&self.settings.zone)?;
        Some(DirectoryChange::Card(DirectoryCard {
            card: card(row.id()?),
            name: fact.name,
            phones: row.phones(),
            emails: row.emails(),
            responsible: fact.responsible,
            created_at: fact.created_at,
            updated_at: fact.updated_at,
        }))
    }
}

/// Says in what order the ids of a page, after those before, come.
fn order_of(before: Order, last: u64, ids: &[u64]) -> Order {
    let all: Vec<u64> = match before {
        Order::Unseen => ids.to_vec(),
        Order::Growing | Order::Falling | Order::None => {
            std::iter::once(last).chain(ids.iter().copied()).collect()
        }
    };
    let keeps = |holds: fn(u64, u64) -> bool| {
        all.windows(2).all(|two| match two {
            [a, b] => holds(*a, *b),
            _ => true,
        })
    };
    match before {
        Order::Unseen | Order::Growing if keeps(|a, b| a < b) => Order::Growing,
        Order::Unseen | Order::Falling if keeps(|a, b| a > b) => Order::Falling,
        Order::Unseen | Order::Growing | Order::Falling | Order::None => Order::None,
    }
}

/// Says of which ids a page holds all that there are, where ids come in order: who is not told in
/// that range is asked about one by one.
fn covered(order: Order, cursor: &Cursor, ids: &[u64], ended: bool) -> Option<Covered> {
    let (first, last) = (*ids.first()?, *ids.last()?);
    let (after, up_to) = match order {
        Order::Growing => (cursor.last, last),
        Order::Falling => {
            let before = match cursor.page {
                0 => first,
                _ => cursor.last.saturating_sub(1),
            };
            let after = if ended { 0 } else { last.saturating_sub(1) };
            (after, before)
        }
        Order::Unseen | Order::None => return None,
    };
    Some(Covered {
        entity: Entity::Contact,
        after: (after > 0).then(|| after.to_string()),
        up_to: up_to.to_string(),
    })
}

fn card(id: u64) -> Card {
    Card {
        entity: Entity::Contact,
        id: id.to_string(),
    }
}

fn gone(id: u64) -> DirectoryChange {
    DirectoryChange::Gone { card: card(id) }
}

fn write<T: Serialize>(value: &T) -> Value {
    // Times and numbers always can be written.
    serde_json::to_value(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cursor(page: u64, order: Order, last: u64) -> Cursor {
        Cursor {
            mark: Timestamp::from_secs(0),
            page,
            collected: 0,
            order,
            last,
        }
    }

    fn range(order: Order, cursor: &Cursor, ids: &[u64], ended: bool) -> Option<(String, String)> {
        let covered = covered(order, cursor, ids, ended)?;
        Some((covered.after.unwrap_or_default(), covered.up_to))
    }

    #[test]
    fn the_order_of_a_list_is_what_its_pages_show() {
        assert_eq!(order_of(Order::Unseen, 0, &[1, 2, 9]), Order::Growing);
        assert_eq!(order_of(Order::Unseen, 0, &[9, 2, 1]), Order::Falling);
        assert_eq!(order_of(Order::Unseen, 0, &[1, 9, 2]), Order::None);
        assert_eq!(order_of(Order::Growing, 9, &[10, 12]), Order::Growing);
        assert_eq!(order_of(Order::Growing, 9, &[8, 12]), Order::None);
        assert_eq!(order_of(Order::Falling, 9, &[8, 1]), Order::Falling);
        assert_eq!(order_of(Order::None, 9, &[10, 12]), Order::None);
    }

    #[test]
    fn pages_in_order_cover_everything_between_them() {
        let of = |from: &str, to: &str| Some((from.to_owned(), to.to_owned()));
        let (up, down) = (Order::Growing, Order::Falling);
        let first = cursor(0, Order::Unseen, 0);
        assert_eq!(range(up, &first, &[3, 7], false), of("", "7"));
        assert_eq!(range(up, &cursor(1, up, 7), &[9, 12], true), of("7", "12"));
        assert_eq!(range(down, &first, &[12, 9], false), of("8", "12"));
        assert_eq!(range(down, &cursor(1, down, 9), &[7, 3], true), of("", "8"));
        assert_eq!(range(Order::None, &first, &[3, 1, 2], true), None);
    }
}
