//! Rows that this build cannot read: listed, shown with their content, put back and given up.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::alarms::Alarm;
use crate::model::ids::IntegrationKey;
use crate::problem::problem;
use crate::store::StoreError;
use crate::store::command::WorkId;
use crate::store::quarantine::{QuarantineId, QuarantinedRow};
use crate::store::query::{SEARCH_ROWS_MAX, StoreFigures};

use super::dead_letters::portal_of;
use super::openapi::operation::Operation;
use super::state::AdminState;

/// Which page of the list.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Query {
    /// Go on after this row of an earlier answer.
    #[schemars(range(max = QuarantineId::MAX))]
    after: Option<QuarantineId>,
}

/// Rows of the store that cannot be read.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "QuarantinePage")]
struct Page {
    /// In order of finding.
    items: Vec<QuarantinedRow>,
    /// After which row the next page goes on, where there is one.
    next: Option<QuarantineId>,
}

/// A row with its content.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "QuarantinedContent")]
struct WithContent<'a> {
    /// What is known of it.
    row: QuarantinedRow,
    /// Byte for byte.
    content_base64: String,
    /// What follows the byte of the version, where it is text.
    content_text: Option<&'a str>,
}

/// A row that stands where it was.
#[derive(Serialize, JsonSchema)]
struct PutBack {
    /// Its number in quarantine.
    id: QuarantineId,
    /// Open works that go on because of it.
    works: usize,
}

pub(super) fn operations() -> Vec<Operation> {
    let of_row = |operation: Operation| {
        operation
            .names::<QuarantineId>("id", "The row's number in quarantine")
            .refuses(404, "There is no such row in quarantine")
            .refuses(503, "The store does not answer")
    };
    vec![
        Operation::get(
            "/v1/store/quarantine",
            "Rows of the store that cannot be read, without their content",
            list,
        )
        .answers::<Page>(200, "The rows, in order of finding")
        .refuses(503, "The store does not answer"),
        of_row(Operation::get(
            "/v1/store/quarantine/{id}",
            "One row with its content: it may hold a client's data",
            show,
        ))
        .answers::<WithContent<'_>>(200, "The row")
        .refuses(409, "The row is damaged in quarantine, too"),
        of_row(Operation::delete(
            "/v1/store/quarantine/{id}",
            "Give a row up for good, with the open work that cannot go on without it",
            give_up,
        ))
        .answers_nothing("It is gone")
        .refuses(409, "The row is damaged in quarantine, too"),
        of_row(Operation::post(
            "/v1/store/quarantine/{id}/put-back",
            "Put a row back that this version reads, and let what waits for it go on",
            put_back,
        ))
        .answers::<PutBack>(200, "It stands where it was")
        .refuses(
            409,
            "This version cannot read it, or another row stands in its place by now",
        ),
    ]
}

pub(super) async fn list(
    state: web::Data<AdminState>,
    query: Result<web::Query<Query>, actix_web::Error>,
) -> HttpResponse {
    let query = match query {
        Ok(query) => query.into_inner(),
        Err(error) => return problem(StatusCode::BAD_REQUEST, &error.to_string()),
    };
    match state.store.quarantine(query.after, SEARCH_ROWS_MAX).await {
        Ok(items) => {
            let next = items.last().filter(|_| items.len() == SEARCH_ROWS_MAX);
            let next = next.map(|last| last.id);
            HttpResponse::Ok().json(Page { items, next })
        }
        Err(error) => refused(&error),
    }
}

/// Shows one row with its content: the only way by which a client's data leaves the quarantine.
pub(super) async fn show(state: web::Data<AdminState>, id: web::Path<String>) -> HttpResponse {
    let Some(id) = number(&id) else {
        return super::not_found();
    };
    match state.store.quarantined(id).await {
        Ok(Some((row, content))) => HttpResponse::Ok().json(WithContent {
            row,
            content_base64: STANDARD.encode(&content),
            content_text: text_of(&content),
        }),
        Ok(None) => refused(&StoreError::NotInQuarantine(id)),
        Err(error) => refused(&error),
    }
}

/// Returns what a person can read of a row: all of it behind the byte of its version.
fn text_of(content: &[u8]) -> Option<&str> {
    content
        .get(1..)
        .and_then(|rest| std::str::from_utf8(rest).ok())
}

pub(super) async fn put_back(state: web::Data<AdminState>, id: web::Path<String>) -> HttpResponse {
    let Some(id) = number(&id) else {
        return super::not_found();
    };
    let now = state.clock.now();
    match state.store.put_back(id, now).await {
        Ok(done) => {
            let works = done.works.len();
            wake_works(&state, done.works).await;
            HttpResponse::Ok().json(PutBack { id, works })
        }
        Err(error) => refused(&error),
    }
}

pub(super) async fn give_up(state: web::Data<AdminState>, id: web::Path<String>) -> HttpResponse {
    let Some(id) = number(&id) else {
        return super::not_found();
    };
    let now = state.clock.now();
    match state.store.drop_quarantined(id, now).await {
        Ok(_) => HttpResponse::NoContent().finish(),
        Err(error) => refused(&error),
    }
}

fn number(text: &str) -> Option<QuarantineId> {
    text.parse().ok()
}

fn refused(error: &StoreError) -> HttpResponse {
    let status = match error {
        StoreError::NotInQuarantine(_) => StatusCode::NOT_FOUND,
        StoreError::StillUnreadable { .. }
        | StoreError::PlaceTaken { .. }
        | StoreError::Unreadable { .. } => StatusCode::CONFLICT,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    };
    problem(status, &error.to_string())
}

/// Has works go on that waited for a row: they enter their lanes and are begun when they head them.
/// Those of integrations that are not configured wait for these to return.
pub async fn wake_works(state: &AdminState, works: Vec<(IntegrationKey, WorkId)>) {
    let mut woken = Vec::new();
    for (integration, id) in works {
        let Some(portal) = portal_of(state, &integration) else {
            continue;
        };
        if let Ok(Some(work)) = state.store.work(id).await {
            let mut lanes = portal.lanes();
            woken.extend(lanes.insert(id, &work.integration, &work.addresses));
        }
        woken.push((integration, id));
    }
    state.handles.wake(woken);
}

/// Returns the alarm about rows that cannot be read: what it is about, and what to do.
///
/// # Errors
/// The store cannot be read.
pub(super) async fn alarm(
    state: &AdminState,
    figures: &StoreFigures,
) -> Result<Option<Alarm>, StoreError> {
    if figures.unreadable_rows == 0 && figures.quarantined_rows == 0 {
        return Ok(None);
    }
    let mut parts = Vec::new();
    if figures.quarantined_rows > 0 {
        let summary = state.store.quarantine_summary().await?;
        let tables: Vec<String> = summary
            .tables
            .iter()
            .map(|(table, rows)| format!("{table}: {rows}"))
            .collect();
        parts.push(format!(
            "{} row(s) cannot be read and are in quarantine ({}); the daemon goes on without them: \
             trunkline store quarantine list",
            figures.quarantined_rows,
            tables.join(", ")
        ));
        if summary.readable > 0 {
            parts.push(format!(
                "{} of them can be read by this version: trunkline store quarantine put-back",
                summary.readable
            ));
        }
    }
    if figures.unreadable_rows > 0 {
        parts.push(format!(
            "{} row(s) were met that cannot be read; the log names them",
            figures.unreadable_rows
        ));
    }
    Ok(Some(Alarm {
        word: "unreadable_rows".to_owned(),
        what: "store".to_owned(),
        text: parts.join("; "),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_person_can_read_of_a_row_is_shown_and_nothing_else_is_made_up() {
        assert_eq!(text_of(b"\x01{\"a\":1}"), Some("{\"a\":1}"));
        assert_eq!(text_of(b"\x01\xff"), None);
        assert_eq!(text_of(b""), None);
    }
}
