//! Reads which leads changed, newest first and page by page, down to a mark; with the last page,
//! what the audit feed tells since then. List filters are a paid option that is ignored in silence
//! (§5), so nothing here relies on one.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tracing::warn;

use super::CLASS;
use super::record::stage_move;
use crate::crm::amocrm::client::{ReadError, query};
use crate::crm::amocrm::directory::{PAGE_MAX, Reading};
use crate::crm::amocrm::feed;
use crate::crm::amocrm::wire::answers::{AuditEvent, CardRecord};
use crate::crm::{DealPiece, DealRecords, DealsNext, DealsSince};
use crate::model::outcome::Rejection;
use crate::model::timestamp::Timestamp;

/// What was changed this long before a mark is read again: a lead may be shown in its list a little
/// after the time that it carries.
const OVERLAP: Duration = Duration::from_secs(120);

/// The same where an answer does not say what time it is there, and our own clock must do.
const OVERLAP_OF_OWN_CLOCK: Duration = Duration::from_secs(900);

/// Most pages of one reading: a million leads. Where there are more, the mark is beyond help.
const PAGES_MAX: u32 = 4_000;

/// Readings that other people's deletions shifted meanwhile.
const READINGS_MAX: u32 = 3;

/// Most leads that events have read one by one.
const ANEW_MAX: usize = 500;

/// How far back the moves of single leads are read; those before are known, or come with the next
/// reading of what changed.
const MOVES_BACK: Duration = Duration::from_secs(24 * 3600);

/// Ids that one filter of the feed takes (§13).
const FEED_IDS_MAX: usize = 10;

const MOVED: &str = "lead_status_changed";
const DELETED: &str = "lead_deleted";

/// Events of leads that the list may not show.
const EVENTS: [&str; 6] = [
    MOVED,
    DELETED,
    "lead_restored",
    "entity_merged",
    "entity_linked",
    "entity_unlinked",
];

/// Where a reading stands; all times by the account's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Cursor {
    /// What changed at or after this is read.
    since: i64,
    /// Where the next reading begins; known from the first page on.
    next: Option<i64>,
    page: u32,
    reading: u32,
}

/// Reads the next piece.
pub(super) async fn piece(
    reading: &Reading<'_>,
    since: DealsSince,
) -> Result<DealPiece, ReadError> {
    let begin = |since| Cursor {
        since,
        next: None,
        page: 1,
        reading: 1,
    };
    let now = reading.clock.now();
    let mut cursor = match since {
        DealsSince::Time(at) => begin(at.as_secs()),
        DealsSince::Mark(mark) => begin(read_mark(&mark).unwrap_or(now.as_secs())),
        DealsSince::Cursor(cursor) => match serde_json::from_value(cursor) {
            Ok(cursor) => cursor,
            Err(_) => {
                return Err(refused(
                    "bad_cursor",
                    "the reading cannot go on where it was",
                ));
            }
        },
    };
    let pairs = query(&[
        ("with", "contacts,source"),
        ("order[updated_at]", "desc"),
        ("limit", &PAGE_MAX.to_string()),
        ("page", &cursor.page.to_string()),
    ]);
    let (page, date) = reading
        .client
        .dated_page::<CardRecord>("/api/v4/leads", "leads", pairs, CLASS)
        .await?;
    let next = *cursor.next.get_or_insert_with(|| mark_at(now, date));
    if !page.items.is_sorted_by(|a, b| a.updated_at >= b.updated_at) {
        let message = "amoCRM does not put leads in the order of their changes";
        return Err(refused("order_ignored", message));
    }
    let over = page.items.len() < PAGE_MAX && !page.more || page.items.is_empty();
    let reached = page
        .items
        .last()
        .is_none_or(|last| last.updated_at < cursor.since);
    let mut leads = page.items;
    leads.retain(|lead| lead.updated_at >= cursor.since);
    let mut records = sorted_out(reading, leads).await?;
    if !(over || reached || cursor.page >= PAGES_MAX) {
        cursor.page += 1;
        records.moves_told = true;
        return Ok(piece_at(records, cursor));
    }
    let Some(events) = told(reading, cursor.since, &[]).await? else {
        return Ok(DealPiece {
            records,
            next: DealsNext::End(mark(next)),
        });
    };
    // What is deleted while later pages are read moves those behind it to pages that are read
    // already.
    let mut recent = events.iter().filter(|event| event.created_at >= next);
    let shifted = cursor.page > 1 && recent.any(|event| event.kind == DELETED);
    add_events(reading, &mut records, &events).await?;
    if shifted && cursor.reading < READINGS_MAX {
        cursor.page = 1;
        cursor.reading += 1;
        return Ok(piece_at(records, cursor));
    }
    Ok(DealPiece {
        records,
        next: DealsNext::End(mark(next)),
    })
}

/// Reads single leads anew.
pub(super) async fn anew(
    reading: &Reading<'_>,
    ids: Vec<String>,
) -> Result<DealRecords, ReadError> {
    // What is no number was never an id of this CRM.
    let (numbers, others): (Vec<_>, Vec<_>) = ids
        .into_iter()
        .map(|id| id.parse::<i64>().map_err(|_| id))
        .partition(Result::is_ok);
    let numbers: BTreeSet<i64> = numbers.into_iter().flatten().collect();
    let mut records = by_ids(reading, &numbers).await?;
    records
        .gone
        .extend(others.into_iter().filter_map(Result::err));
    records.moves_told = true;
    let since = reading.clock.now().minus(MOVES_BACK).as_secs();
    let numbers: Vec<i64> = numbers.into_iter().collect();
    for some in numbers.chunks(FEED_IDS_MAX) {
        let ids: Vec<String> = some.iter().map(i64::to_string).collect();
        let mut narrower = vec![("filter[entity][]", "lead")];
        narrower.extend(ids.iter().map(|id| ("filter[entity_id][]", id.as_str())));
        match told(reading, since, &narrower).await? {
            Some(events) => records.moves.extend(moves_of(&events)),
            None => records.moves_told = false,
        }
    }
    Ok(records)
}

fn piece_at(records: DealRecords, cursor: Cursor) -> DealPiece {
    DealPiece {
        records,
        // Plain numbers: they always turn into JSON.
        next: DealsNext::At(serde_json::to_value(cursor).unwrap_or_default()),
    }
}

fn mark(since: i64) -> Value {
    since.into()
}

fn read_mark(mark: &Value) -> Option<i64> {
    mark.as_i64()
}

/// Returns the mark of what changes from now on.
fn mark_at(now: Timestamp, date: Option<Timestamp>) -> i64 {
    match date {
        Some(date) => date.minus(OVERLAP).as_secs(),
        None => now.minus(OVERLAP_OF_OWN_CLOCK).as_secs(),
    }
}

fn refused(code: &str, message: &str) -> ReadError {
    ReadError::Refused(Rejection {
        code: code.to_owned(),
        message: message.to_owned(),
    })
}

/// Reads the feed; `None` where the account does not let us, or it holds too much.
async fn told(
    reading: &Reading<'_>,
    since: i64,
    narrower: &[(&str, &str)],
) -> Result<Option<Vec<AuditEvent>>, ReadError> {
    match feed::events(reading.client, CLASS, since, &EVENTS, narrower).await {
        Ok(events) => Ok(events),
        Err(ReadError::Refused(rejection)) => {
            warn!(
                why = rejection.message,
                "amoCRM does not tell what happened to leads"
            );
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

fn moves_of(events: &[AuditEvent]) -> impl Iterator<Item = crate::model::deal::StageMove> + '_ {
    let moved = events.iter().filter(|event| event.kind == MOVED);
    moved.filter_map(stage_move)
}

/// Adds what the feed tells: moves, and leads that the list did not show as they are now.
async fn add_events(
    reading: &Reading<'_>,
    records: &mut DealRecords,
    events: &[AuditEvent],
) -> Result<(), ReadError> {
    records.moves_told = true;
    records.moves.extend(moves_of(events));
    let mut suspects: BTreeSet<i64> = BTreeSet::new();
    for event in events.iter().filter(|event| event.kind != MOVED) {
        if matches!(event.entity_type.as_deref(), Some("lead" | "leads")) {
            suspects.insert(event.entity_id);
        }
        suspects.extend(feed::deals_in(&event.value_after));
        suspects.extend(feed::deals_in(&event.value_before));
    }
    if suspects.len() > ANEW_MAX {
        warn!(
            leads = suspects.len(),
            "more leads than are read one by one were linked or deleted"
        );
        // The newest: the others come when they change, or are asked for.
        suspects = suspects.into_iter().rev().take(ANEW_MAX).collect();
    }
    let again = by_ids(reading, &suspects).await?;
    let read: BTreeSet<&str> = again.deals.iter().map(|deal| deal.id.as_str()).collect();
    let gone = |id: &str| again.gone.iter().any(|other| other == id);
    records
        .deals
        .retain(|deal| !read.contains(deal.id.as_str()) && !gone(&deal.id));
    records.deals.extend(again.deals);
    records.gone.extend(again.gone);
    Ok(())
}

async fn by_ids(reading: &Reading<'_>, ids: &BTreeSet<i64>) -> Result<DealRecords, ReadError> {
    let found = reading.by_ids("leads", "contacts,source", ids).await?;
    let missing = ids.iter().filter(|id| !found.contains_key(id));
    let missing: Vec<String> = missing.map(i64::to_string).collect();
    let mut records = sorted_out(reading, found.into_values().collect()).await?;
    records.gone.extend(missing);
    Ok(records)
}

/// Tells leads from those in the bin.
async fn sorted_out(
    reading: &Reading<'_>,
    leads: Vec<CardRecord>,
) -> Result<DealRecords, ReadError> {
    let (gone, leads): (Vec<_>, Vec<_>) = leads.into_iter().partition(|lead| lead.is_deleted);
    Ok(DealRecords {
        deals: reading.deals_of(&leads).await?,
        gone: gone.iter().map(|lead| lead.id.to_string()).collect(),
        ..DealRecords::default()
    })
}
