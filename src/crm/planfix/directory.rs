//! An account's clients for the directory (`crm/planfix.md` §11): everything once, page by page, then
//! what was changed since, by the minute. People and companies are lists of their own.
//!
//! That a contact was deleted shows only where the lists still name it, so that no step is planned
//! by this directory alone; questions are answered by it.

use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::PlanfixAdapter;
use super::client::Unanswered;
use super::wire::{CONTACT_FIELDS, Record, minute, rows};
use crate::crm::{Changes, Class, DirectoryReader, Piece, PieceNext};
use crate::model::directory::{DirectoryCard, DirectoryChange};
use crate::model::outcome::Outcome;
use crate::model::plan::{Card, Entity};
use crate::model::timestamp::Timestamp;

/// Rows of a page (§2).
const PAGE: usize = 100;

/// Pages of changes of one list; more are read as everything.
const PAGES_MAX: usize = 20;

/// How much is read again before a mark: clocks differ, filters go by the minute.
const OVERLAP: Duration = Duration::from_secs(120);

/// Filters of changes end so far ahead: whoever's clock is ahead of ours is not left out.
const AHEAD: Duration = Duration::from_secs(2 * 24 * 3600);

/// Where a reading of everything stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Cursor {
    /// Changes since then are read afterwards.
    mark: Timestamp,
    companies: bool,
    offset: usize,
}

/// Since when changes are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Mark {
    since: Timestamp,
}

impl DirectoryReader for PlanfixAdapter {
    fn everything(&self, cursor: Option<Value>) -> BoxFuture<'_, Outcome<Piece>> {
        async move { outcome(self.piece(cursor).await) }.boxed()
    }

    fn changes(&self, mark: Value, class: Class) -> BoxFuture<'_, Outcome<Changes>> {
        async move { outcome(self.changed(mark, class).await) }.boxed()
    }

    fn anew(&self, cards: Vec<Card>, class: Class) -> BoxFuture<'_, Outcome<Vec<DirectoryChange>>> {
        async move { outcome(self.read_anew(cards, class).await) }.boxed()
    }
}

fn outcome<T>(read: Result<T, Unanswered>) -> Outcome<T> {
    match read {
        Ok(read) => Outcome::Done(read),
        Err(unanswered) => unanswered.into_outcome(),
    }
}

impl PlanfixAdapter {
    /// Reads the next page. A cursor that cannot be read, of another version, begins anew.
    async fn piece(&self, cursor: Option<Value>) -> Result<Piece, Unanswered> {
        let cursor = cursor.and_then(|cursor| serde_json::from_value::<Cursor>(cursor).ok());
        let cursor = cursor.unwrap_or_else(|| Cursor {
            mark: self.clock.now(),
            companies: false,
            offset: 0,
        });
        let class = Class::Background;
        let (changes, full) = self
            .page(cursor.companies, cursor.offset, json!([]), class)
            .await?;
        let next = match (full, cursor.companies) {
            (true, _) => Some(Cursor {
                offset: cursor.offset.saturating_add(PAGE),
                ..cursor
            }),
            (false, false) => Some(Cursor {
                companies: true,
                offset: 0,
                ..cursor
            }),
            (false, true) => None,
        };
        Ok(Piece {
            changes,
            // Nobody says in which order pages come.
            covered: None,
            next: match next {
                Some(next) => PieceNext::At(write(&next)),
                None => PieceNext::End {
                    mark: write(&Mark { since: cursor.mark }),
                },
            },
        })
    }

    async fn changed(&self, mark: Value, class: Class) -> Result<Changes, Unanswered> {
        let begun_at = self.clock.now();
        // A mark of another version: everything is read anew.
        let Ok(mark) = serde_json::from_value::<Mark>(mark) else {
            return Ok(Changes::TooMany);
        };
        let value = json!({
            "dateType": "otherRange_withTime",
            "dateFrom": minute(mark.since.minus(OVERLAP), &self.zone),
            "dateTo": minute(begun_at.plus(AHEAD), &self.zone),
        });
        let filter = json!([{ "type": 38, "operator": "equal", "value": value }]);
        let mut changes = Vec::new();
        for companies in [false, true] {
            for page in 0.. {
                if page >= PAGES_MAX {
                    return Ok(Changes::TooMany);
                }
                let offset = page * PAGE;
                let (more, full) = self.page(companies, offset, filter.clone(), class).await?;
                changes.extend(more);
                if !full {
                    break;
                }
            }
        }
        Ok(Changes::Read {
            changes,
            heirs: Vec::new(),
            mark: write(&Mark { since: begun_at }),
            gone_told: false,
        })
    }

    /// Reads a page; says whether it was full.
    async fn page(
        &self,
        companies: bool,
        offset: usize,
        filters: Value,
        class: Class,
    ) -> Result<(Vec<DirectoryChange>, bool), Unanswered> {
        let body = json!({
            "offset": offset, "pageSize": PAGE, "isCompany": companies,
            "filters": filters, "fields": CONTACT_FIELDS,
        });
        let answer = self.client.list("/contact/list", body, class).await?;
        let list = rows(&answer, "contacts").ok_or_else(|| Unanswered::unreadable("a page"))?;
        let full = list.len() >= PAGE;
        let kept = list
            .into_iter()
            .filter(|row| row.flag("isCompany") == companies);
        Ok((kept.filter_map(|row| self.change(row)).collect(), full))
    }

    /// Reads contacts anew, one by one; what is not there any more is gone.
    async fn read_anew(
        &self,
        cards: Vec<Card>,
        class: Class,
    ) -> Result<Vec<DirectoryChange>, Unanswered> {
        let mut found = Vec::new();
        for card in cards {
            let row = match card.entity {
                Entity::Contact | Entity::Company => self.contact_row(&card.id, class).await?,
                // Nothing else is kept.
                _ => None,
            };
            let change = row.as_ref().and_then(|row| self.change(Record(row)));
            found.push(change.unwrap_or(DirectoryChange::Gone { card }));
        }
        Ok(found)
    }

    fn change(&self, row: Record<'_>) -> Option<DirectoryChange> {
        let card = Card {
            entity: match row.flag("isCompany") {
                true => Entity::Company,
                false => Entity::Contact,
            },
            id: row.id()?.to_string(),
        };
        if row.flag("isDeleted") {
            return Some(DirectoryChange::Gone { card });
        }
        Some(DirectoryChange::Card(DirectoryCard {
            card,
            name: row.name(),
            phones: row.phones(),
            emails: row.emails(),
            responsible: row.first_user("supervisors"),
            created_at: row.time("createdDate", &self.zone).unwrap_or_default(),
            updated_at: row.time("dateOfLastUpdate", &self.zone).unwrap_or_default(),
        }))
    }
}

fn write<T: Serialize>(value: &T) -> Value {
    // Times and numbers always can be written.
    serde_json::to_value(value).unwrap_or_default()
}
