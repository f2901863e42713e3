//! Reads what changed since a mark: the lists by their time of change, and the audit feed for what
//! a list cannot show, such as deletions (`crm/amocrm.md` §5, §13).
//!
//! List filters are a paid option that is ignored in silence where it is not paid for, so nothing
//! here relies on one; only the order does the work.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tracing::warn;

use super::{LISTS, PAGE_MAX, Reading, list_of, picture};
use crate::crm::Changes;
use crate::crm::amocrm::client::{ReadError, query};
use crate::crm::amocrm::feed;
use crate::crm::amocrm::wire::answers::{AuditEvent, CardRecord};
use crate::model::directory::DirectoryChange;
use crate::model::outcome::Rejection;
use crate::model::plan::{Card, Entity};
use crate::model::timestamp::Timestamp;

/// What was changed this long before a mark is read again: a record may be shown in its list a
/// little after the time that it carries.
const OVERLAP: Duration = Duration::from_secs(120);

/// The same where an answer does not say what time it is there, and our own clock must do.
const OVERLAP_OF_OWN_CLOCK: Duration = Duration::from_secs(900);

/// Most records of the first page: mostly nothing has changed, and a record takes a kilobyte or two.
const GLANCE: usize = 25;

/// Most pages of one list. Where more has changed, reading everything costs less.
const PAGES_MAX: u32 = 40;

/// Most records that are read one by one.
const RECORDS_MAX: usize = 200;

/// Readings of lists that other people's deletions shifted meanwhile.
const READINGS_MAX: u32 = 3;

/// Events that tell what the lists do not show; documented ones first, then those that their names
/// suggest.
const EVENTS_DOCUMENTED: [&str; 8] = [
    "contact_deleted",
    "lead_deleted",
    "lead_restored",
    "entity_merged",
    "entity_linked",
    "entity_unlinked",
    "contact_added",
    "lead_added",
];
const EVENTS_SUGGESTED: [&str; 4] = [
    "company_added",
    "company_deleted",
    "company_restored",
    "contact_restored",
];

/// Since when changes are to be read, by the account's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Mark {
    since: i64,
}

impl Mark {
    /// Returns the mark of what is read from now on.
    pub(super) fn at(now: Timestamp, date: Option<Timestamp>) -> Self {
        let since = match date {
            Some(date) => date.minus(OVERLAP),
            None => now.minus(OVERLAP_OF_OWN_CLOCK),
        };
        Self {
            since: since.as_secs(),
        }
    }

    /// Returns it as it is stored.
    pub(super) fn value(self) -> Value {
        // One number: it always turns into JSON.
        serde_json::to_value(self).unwrap_or_default()
    }
}

/// Which events the account tells us; found out by asking.
#[derive(Debug, Default)]
pub(in crate::crm::amocrm) struct Told(AtomicU8);

const ALL: u8 = 0;
const DOCUMENTED: u8 = 1;
const NONE: u8 = 2;

/// What one reading of a list brought.
struct Listed {
    records: Vec<CardRecord>,
    /// It took several pages.
    paged: bool,
}

/// Reads what changed.
pub(super) async fn since(
    reading: &Reading<'_>,
    mark: &Value,
    told: &Told,
) -> Result<Changes, ReadError> {
    let Ok(mark) = serde_json::from_value::<Mark>(mark.clone()) else {
        return Ok(Changes::TooMany);
    };
    let begun_at = reading.clock.now();
    let mut next = None;
    let mut events = None;
    let mut records = Vec::new();
    for attempt in 1..=READINGS_MAX {
        records.clear();
        let mut paged = false;
        for entity in LISTS {
            let Some(name) = list_of(entity) else {
                continue;
            };
            match changed(reading, name, mark.since, &mut next, begun_at).await? {
                Some(listed) => {
                    paged |= listed.paged;
                    records.extend(listed.records.into_iter().map(|record| (entity, record)));
                }
                None => return Ok(Changes::TooMany),
            }
        }
        let Some(read) = read_events(reading, mark.since, told).await? else {
            return Ok(Changes::TooMany);
        };
        // What is deleted while later pages are read moves those behind it to pages that are read
        // already.
        let shifted = paged && next.is_some_and(|next: Mark| read.deleted_since(next.since));
        events = Some(read);
        if !shifted || attempt == READINGS_MAX {
            break;
        }
    }
    let events = events.unwrap_or(Events {
        list: Vec::new(),
        told: false,
    });
    let next = next.unwrap_or_else(|| Mark::at(begun_at, None));
    assemble(reading, records, events, next).await
}

async fn assemble(
    reading: &Reading<'_>,
    records: Vec<(Entity, CardRecord)>,
    events: Events,
    next: Mark,
) -> Result<Changes, ReadError> {
    let read: HashSet<Card> = records
        .iter()
        .map(|(entity, record)| card(*entity, record.id))
        .collect();
    let mut changes: Vec<DirectoryChange> = records
        .iter()
        .map(|(entity, record)| picture::change(*entity, record, reading.setup))
        .collect();
    let gone_told = events.told;
    let wanted = Wanted::of(&events.list, &read);
    if wanted.anew.len() > RECORDS_MAX {
        return Ok(Changes::TooMany);
    }
    changes.extend(
        wanted
            .gone
            .into_iter()
            .map(|card| DirectoryChange::Gone { card }),
    );
    for card in &wanted.anew {
        changes.extend(reading.record(card).await?);
    }
    Ok(Changes::Read {
        changes,
        heirs: wanted.heirs,
        mark: next.value(),
        gone_told,
    })
}

fn card(entity: Entity, id: i64) -> Card {
    Card {
        entity,
        id: id.to_string(),
    }
}

/// Reads the records of a list that changed; `None` where they are too many.
async fn changed(
    reading: &Reading<'_>,
    name: &str,
    since: i64,
    next: &mut Option<Mark>,
    begun_at: Timestamp,
) -> Result<Option<Listed>, ReadError> {
    let path = format!("/api/v4/{name}");
    let mut number = 1;
    let mut limit = GLANCE;
    let mut records: Vec<CardRecord> = Vec::new();
    loop {
        let pairs = query(&[
            ("with", "contacts"),
            ("order[updated_at]", "desc"),
            ("limit", &limit.to_string()),
            ("page", &number.to_string()),
        ]);
        let (page, date) = reading
            .client
            .dated_page::<CardRecord>(&path, name, pairs, reading.class)
            .await?;
        next.get_or_insert_with(|| Mark::at(begun_at, date));
        if !page.items.is_sorted_by(|a, b| a.updated_at >= b.updated_at) {
            return Err(ReadError::Refused(Rejection {
                code: "order_ignored".to_owned(),
                message: format!("amoCRM does not put {name} in the order of their changes"),
            }));
        }
        let over = page.items.len() < limit && !page.more;
        let reached = page.items.last().is_none_or(|last| last.updated_at < since);
        if limit == GLANCE && !over && !reached {
            limit = PAGE_MAX;
            continue;
        }
        records.extend(page.items.into_iter().filter(|r| r.updated_at >= since));
        if over || reached {
            let paged = number > 1;
            return Ok(Some(Listed { records, paged }));
        }
        if number >= PAGES_MAX {
            return Ok(None);
        }
        number += 1;
    }
}

/// What the audit feed says.
struct Events {
    /// The oldest first.
    list: Vec<AuditEvent>,
    /// The account lets us read it.
    told: bool,
}

impl Events {
    fn deleted_since(&self, since: i64) -> bool {
        let mut recent = self.list.iter().filter(|event| event.created_at >= since);
        recent.any(|event| event.kind.ends_with("_deleted"))
    }
}

/// Reads the audit feed; `None` where it holds too much.
async fn read_events(
    reading: &Reading<'_>,
    since: i64,
    told: &Told,
) -> Result<Option<Events>, ReadError> {
    loop {
        let level = told.0.load(Ordering::Relaxed);
        let suggested: &[&str] = match level {
            ALL => &EVENTS_SUGGESTED,
            DOCUMENTED => &[],
            _ => {
                return Ok(Some(Events {
                    list: Vec::new(),
                    told: false,
                }));
            }
        };
        let kinds: Vec<&str> = EVENTS_DOCUMENTED.iter().chain(suggested).copied().collect();
        match feed::events(reading.client, reading.class, since, &kinds, &[]).await {
            Ok(list) => return Ok(list.map(|list| Events { list, told: true })),
            Err(ReadError::Refused(rejection)) => {
                let why = rejection.message;
                warn!(why, level, "amoCRM does not tell these events");
                let next = if level == ALL { DOCUMENTED } else { NONE };
                told.0.store(next, Ordering::Relaxed);
            }
            Err(error) => return Err(error),
        }
    }
}

/// What follows from events.
#[derive(Debug, Default, PartialEq)]
struct Wanted {
    gone: Vec<Card>,
    anew: Vec<Card>,
    heirs: Vec<Card>,
}

impl Wanted {
    /// `read` was just read from the lists.
    fn of(events: &[AuditEvent], read: &HashSet<Card>) -> Self {
        let mut wanted = Self::default();
        for event in events {
            let entity = match event.entity_type.as_deref() {
                Some("contact" | "contacts") => Entity::Contact,
                Some("company" | "companies") => Entity::Company,
                Some("lead" | "leads") => Entity::Deal,
                _ => continue,
            };
            let card = card(entity, event.entity_id);
            match event.kind.as_str() {
                kind if kind.ends_with("_deleted") => {
                    wanted.anew.retain(|other| *other != card);
                    if read.contains(&card) {
                        // Its list was read before or after; the record itself knows.
                        wanted.read_anew(card);
                    } else if !wanted.gone.contains(&card) {
                        wanted.gone.push(card);
                    }
                }
                "entity_linked" | "entity_unlinked" => {
                    let mut deals = feed::deals_in(&event.value_after);
                    deals.extend(feed::deals_in(&event.value_before));
                    if entity == Entity::Deal {
                        deals.push(event.entity_id);
                    }
                    for id in deals {
                        let deal = self::card(Entity::Deal, id);
                        if !read.contains(&deal) {
                            wanted.read_anew(deal);
                        }
                    }
                }
                kind => {
                    if kind == "entity_merged" && entity != Entity::Deal {
                        wanted.heirs.retain(|heir| *heir != card);
                        wanted.heirs.push(card.clone());
                    }
                    if !read.contains(&card) {
                        wanted.read_anew(card);
                    }
                }
            }
        }
        wanted
    }

    fn read_anew(&mut self, card: Card) {
        self.gone.retain(|other| *other != card);
        if !self.anew.contains(&card) {
            self.anew.push(card);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event(kind: &str, entity: &str, id: i64, after: Value) -> AuditEvent {
        let value = json!({
            "id": "x", "type": kind, "entity_type": entity, "entity_id": id,
            "created_at": 1, "value_after": after,
        });
        serde_json::from_value(value).expect("an event")
    }

    #[test]
    fn events_say_what_the_lists_did_not_show() {
        let events = [
            event("contact_deleted", "contact", 1, json!([])),
            event("contact_deleted", "contact", 2, json!([])),
            event("entity_merged", "contact", 3, json!([])),
            event("lead_restored", "lead", 4, json!([])),
            event(
                "entity_linked",
                "contact",
                5,
                json!([{"link": {"entity": {"type": "lead", "id": 6}}}]),
            ),
            event("entity_linked", "lead", 7, json!([])),
            event("lead_added", "lead", 8, json!([])),
            event("lead_deleted", "lead", 9, json!([])),
            event("lead_restored", "lead", 9, json!([])),
            event("task_added", "task", 10, json!([])),
        ];
        // Contact 2, contact 3 and deal 8 were read from their lists.
        let read = [
            card(Entity::Contact, 2),
            card(Entity::Contact, 3),
            card(Entity::Deal, 8),
        ];
        let wanted = Wanted::of(&events, &read.into_iter().collect());
        assert_eq!(wanted.gone, [card(Entity::Contact, 1)]);
        assert_eq!(wanted.heirs, [card(Entity::Contact, 3)]);
        let anew = [
            card(Entity::Contact, 2),
            card(Entity::Deal, 4),
            card(Entity::Deal, 6),
            card(Entity::Deal, 7),
            card(Entity::Deal, 9),
        ];
        assert_eq!(wanted.anew, anew);
    }

    #[test]
    fn a_mark_goes_by_the_accounts_clock_with_an_overlap() {
        let now = Timestamp::from_secs(10_000);
        let date = Timestamp::from_secs(50_000);
        assert_eq!(Mark::at(now, Some(date)).since, 50_000 - 120);
        assert_eq!(Mark::at(now, None).since, 10_000 - 900);
    }
}
