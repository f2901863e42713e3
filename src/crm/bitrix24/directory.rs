//! A portal's clients and deals for the directory (`crm/bitrix24.md` §1 paging, §5 local index):
//! everything once by growing ids, many pages to a request, then what was changed since.
//!
//! Deletions are told by the portal's events ([`events`](super::events)) where it has them for us;
//! elsewhere no step is planned by this directory alone, and questions are answered by it.

use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::BitrixAdapter;
use super::command::{Command, result_of};
use super::events::Telling;
use super::facts::{CARD_FIELDS, DEAL_FIELDS, deal_fact};
use super::pool::Unanswered;
use super::wire::{self, Record, list};
use crate::crm::account::classify::Purpose;
use crate::crm::{Changes, Class, Covered, DirectoryReader, Piece, PieceNext};
use crate::model::directory::{DirectoryCard, DirectoryChange, DirectoryDeal};
use crate::model::outcome::Outcome;
use crate::model::plan::{Card, Entity};
use crate::model::timestamp::Timestamp;

/// The lists that are read, in this order: deals name their clients, so they come last.
const LISTS: [(Entity, &str); 4] = [
    (Entity::Contact, "crm.contact.list"),
    (Entity::Company, "crm.company.list"),
    (Entity::Lead, "crm.lead.list"),
    (Entity::Deal, "crm.deal.list"),
];

/// Rows of a page (§1).
const PAGE: usize = 50;

/// Pages of one request: each begins after the last of the one before. A thousand cards with their
/// numbers take the portal a few seconds and us a few hundred kilobytes.
const PAGES: usize = 20;

/// Pages of the first request of a list: most lists of small portals end there, and what follows a
/// short page is read in vain.
const PAGES_FIRST: usize = 2;

/// How much is read again before a mark: clocks differ, and changes show a little late.
const OVERLAP: Duration = Duration::from_secs(60);

/// Where a reading of everything stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Cursor {
    /// Changes since then are read afterwards.
    mark: Timestamp,
    /// Deletions are told since then.
    #[serde(default)]
    gone: bool,
    /// Which list.
    list: usize,
    /// After which id.
    after: i64,
}

/// Since when changes are read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Mark {
    since: Timestamp,
    /// Deletions were told of from the reading of everything on.
    #[serde(default)]
    gone: bool,
    /// Under what name the portal holds the events that are on disk by now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    process: Option<String>,
}

impl DirectoryReader for BitrixAdapter {
    fn everything(&self, cursor: Option<Value>) -> BoxFuture<'_, Outcome<Piece>> {
        async move { outcome(self.piece(cursor).await) }.boxed()
    }

    fn changes(&self, mark: Value, class: Class) -> BoxFuture<'_, Outcome<Changes>> {
        async move { outcome(self.changed(mark, class).await) }.boxed()
    }

    fn anew(&self, cards: Vec<Card>, class: Class) -> BoxFuture<'_, Outcome<Vec<DirectoryChange>>> {
        async move { outcome(self.read_anew(&cards, class).await) }.boxed()
    }
}

fn outcome<T>(read: Result<T, Unanswered>) -> Outcome<T> {
    match read {
        Ok(read) => Outcome::Done(read),
        Err(unanswered) => unanswered.into_outcome(),
    }
}

impl BitrixAdapter {
    /// Reads the next piece. A cursor that cannot be read, of another version, begins anew.
    async fn piece(&self, cursor: Option<Value>) -> Result<Piece, Unanswered> {
        let cursor = cursor.and_then(|cursor| serde_json::from_value::<Cursor>(cursor).ok());
        let cursor = match cursor {
            Some(cursor) => cursor,
            None => {
                // Before the first record is read: what is deleted from now on is told.
                let told = self.deletions_told(Class::Background).await?;
                Cursor {
                    mark: self.clock.now(),
                    gone: told != Telling::No,
                    list: 0,
                    after: 0,
                }
            }
        };
        let Some((entity, method)) = LISTS.get(cursor.list).copied() else {
            let mark = write(&Mark {
                since: cursor.mark,
                gone: cursor.gone,
                process: None,
            });
            return Ok(Piece {
                changes: Vec::new(),
                covered: None,
                next: PieceNext::End { mark },
            });
        };
        let pages = match cursor.after {
            0 => PAGES_FIRST,
            _ => PAGES,
        };
        let commands = (0..pages).map(|page| {
            let after = match page.checked_sub(1) {
                None => json!(cursor.after),
                Some(before) => result_of(before, &format!("[{}][ID]", PAGE - 1)),
            };
            Command::new(
                method,
                json!({
                    "filter": { ">ID": after },
                    "order": { "ID": "ASC" },
                    "select": fields(entity),
                    "start": -1,
                }),
            )
        });
        let name = format!("{method} after {}", cursor.after);
        let replies = self
            .client
            .read_all(&name, commands.collect(), Class::Background)
            .await?;
        let (mut changes, mut last, mut more) = (Vec::new(), cursor.after, true);
        for reply in replies {
            let answered = reply.map_err(|refusal| refusal.unanswered(Purpose::Read))?;
            let rows = list(&answered.value, "items");
            let rows = rows.ok_or_else(|| Unanswered::unreadable("a page"))?;
            for row in &rows {
                // What follows a short page refers to nothing and reads from the beginning (§16).
                let Some(id) = row.id().filter(|id| *id > last) else {
                    continue;
                };
                last = id;
                changes.extend(self.change(entity, *row));
            }
            if rows.len() < PAGE {
                more = false;
                break;
            }
        }
        let covered = (last > cursor.after).then(|| Covered {
            entity,
            after: (cursor.after > 0).then(|| cursor.after.to_string()),
            up_to: last.to_string(),
        });
        let next = match more {
            true => Cursor {
                after: last,
                ..cursor
            },
            false => Cursor {
                after: 0,
                list: cursor.list.saturating_add(1),
                ..cursor
            },
        };
        Ok(Piece {
            changes,
            covered,
            next: PieceNext::At(write(&next)),
        })
    }

    /// Reads what was changed since a mark, all sorts in one request.
    async fn changed(&self, mark: Value, class: Class) -> Result<Changes, Unanswered> {
        let begun_at = self.clock.now();
        // A mark of another version: everything is read anew.
        let Ok(mark) = serde_json::from_value::<Mark>(mark) else {
            return Ok(Changes::TooMany);
        };
        let told = self.deletions_told(class).await?;
        match told {
            // A time that nobody watched lies behind.
            Telling::FromNow => return Ok(Changes::TooMany),
            Telling::Still if !mark.gone => return Ok(Changes::TooMany),
            Telling::Still | Telling::No => {}
        }
        let watched = told == Telling::Still;
        let since = wire::time(mark.since.minus(OVERLAP));
        let lists = LISTS.iter().flat_map(|(entity, method)| {
            (0..PAGES / 4).map(|page| {
                Command::new(
                    method,
                    json!({
                        "filter": { ">=DATE_MODIFY": since },
                        "order": { "ID": "ASC" },
                        "select": fields(*entity),
                        "start": page * PAGE,
                    }),
                )
            })
        });
        let mut commands: Vec<Command> = lists.collect();
        let of_lists = commands.len();
        let cleared = mark.process.as_deref();
        if watched {
            commands.extend(self.deletion_commands(cleared));
        }
        let name = format!("changes since {since}");
        let mut replies = self.client.read_all(&name, commands, class).await?;
        let of_events = replies.split_off(of_lists.min(replies.len()));
        let mut changes = Vec::new();
        for (place, reply) in replies.into_iter().enumerate() {
            let answered = reply.map_err(|refusal| refusal.unanswered(Purpose::Read))?;
            let rows = list(&answered.value, "items");
            let rows = rows.ok_or_else(|| Unanswered::unreadable("a page"))?;
            let (pages, page) = (PAGES / 4, place % (PAGES / 4));
            if page + 1 == pages && rows.len() >= PAGE {
                return Ok(Changes::TooMany);
            }
            if let Some((entity, _)) = LISTS.get(place / pages) {
                changes.extend(rows.into_iter().filter_map(|row| self.change(*entity, row)));
            }
        }
        let deletions = match watched {
            true => Some(self.deletions(of_events, cleared)?),
            false => None,
        };
        let mut mark = Mark {
            since: begun_at,
            gone: false,
            process: None,
        };
        let mut gone_told = false;
        if let Some(deletions) = deletions {
            let gone = deletions.cards.into_iter();
            // After what was read: a record may have been deleted just then.
            changes.extend(gone.map(|card| DirectoryChange::Gone { card }));
            (mark.gone, mark.process) = (true, deletions.process);
            gone_told = deletions.is_all;
        }
        Ok(Changes::Read {
            changes,
            heirs: Vec::new(),
            mark: write(&mark),
            gone_told,
        })
    }

    /// Reads records anew; what is not there any more is gone.
    async fn read_anew(
        &self,
        cards: &[Card],
        class: Class,
    ) -> Result<Vec<DirectoryChange>, Unanswered> {
        let mut found = Vec::new();
        for (entity, method) in LISTS {
            let mut wanted: Vec<(&Card, i64)> = Vec::new();
            for card in cards.iter().filter(|card| card.entity == entity) {
                match card.id.parse() {
                    Ok(id) => wanted.push((card, id)),
                    // What is no number was never an id of this CRM.
                    Err(_) => found.push(DirectoryChange::Gone { card: card.clone() }),
                }
            }
            for some in wanted.chunks(PAGE) {
                let ids: Vec<i64> = some.iter().map(|(_, id)| *id).collect();
                let params = json!({
                    "filter": { "ID": ids }, "select": fields(entity), "order": { "ID": "ASC" },
                });
                let name = format!("{method} {ids:?}");
                let answered = self
                    .client
                    .read(&name, Command::new(method, params), class)
                    .await?;
                let rows = list(&answered.value, "items");
                let rows = rows.ok_or_else(|| Unanswered::unreadable("a page"))?;
                for (card, id) in some {
                    let row = rows.iter().find(|row| row.id() == Some(*id));
                    match row.and_then(|row| self.change(entity, *row)) {
                        Some(change) => found.push(change),
                        None => found.push(DirectoryChange::Gone {
                            card: (*card).clone(),
                        }),
                    }
                }
            }
        }
        Ok(found)
    }

    /// Translates a record.
    fn change(&self, entity: Entity, row: Record<'_>) -> Option<DirectoryChange> {
        let id = row.id()?.to_string();
        let updated_at = row.time("DATE_MODIFY").unwrap_or_default();
        if entity == Entity::Deal {
            let clients = [
                (Entity::Contact, "CONTACT_ID"),
                (Entity::Company, "COMPANY_ID"),
            ];
            let clients = clients.into_iter().filter_map(|(entity, key)| {
                let id = row.number(key).filter(|id| *id > 0)?.to_string();
                Some(Card { entity, id })
            });
            return Some(DirectoryChange::Deal(DirectoryDeal {
                deal: deal_fact(row)?,
                clients: clients.collect(),
                updated_at,
            }));
        }
        Some(DirectoryChange::Card(DirectoryCard {
            card: Card { entity, id },
            name: row.name(),
            phones: row.phones(self.region),
            emails: row.emails(),
            responsible: row.responsible(),
            created_at: row.time("DATE_CREATE").unwrap_or_default(),
            updated_at,
        }))
    }
}

fn fields(entity: Entity) -> &'static [&'static str] {
    match entity {
        Entity::Deal => &DEAL_FIELDS,
        _ => &CARD_FIELDS,
    }
}

fn write<T: Serialize>(value: &T) -> Value {
    // Times and numbers always can be written.
    serde_json::to_value(value).unwrap_or_default()
}
