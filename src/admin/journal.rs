//! Searching the journal.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::model::call::{CallResult, Direction, MissReason};
use crate::model::communication::{Body, Kind, Phase};
use crate::model::ids::{CommunicationKey, TenantId};
use crate::model::phone::{Phone, Region};
use crate::model::timestamp::Timestamp;
use crate::problem::{problem, problem_with};
use crate::store::StoreError;
use crate::store::query::{
    JournalOutcome, JournalSearch, NoteSearch, SEARCH_ROWS_MAX, StoredCommunication, StoredNote,
};

use super::openapi::operation::Operation;
use super::state::AdminState;

/// Communications of a page where no other number is asked for.
const LINES: usize = 50;

/// What is looked for; every given part must match.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Query {
    /// Only this tenant.
    #[schemars(with = "Option<TenantId>")]
    tenant: Option<String>,
    /// Only this client's number, in any form.
    phone: Option<String>,
    /// Began at or after this time.
    #[schemars(with = "Option<Timestamp>")]
    from: Option<String>,
    /// Began before this time.
    #[schemars(with = "Option<Timestamp>")]
    until: Option<String>,
    /// Came to this.
    outcome: Option<JournalOutcome>,
    /// Only this kind.
    kind: Option<Kind>,
    /// Goes on after this communication of an earlier page.
    #[schemars(with = "Option<CommunicationKey>")]
    after: Option<String>,
    /// At most so many.
    #[schemars(range(min = 1, max = SEARCH_ROWS_MAX), extend("default" = LINES))]
    limit: Option<usize>,
}

/// One line of the journal.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "JournalLine")]
pub(super) struct Line {
    /// The communication.
    key: CommunicationKey,
    /// What it is.
    kind: Kind,
    /// How far it has got.
    phase: Phase,
    /// When it began.
    started_at: Timestamp,
    /// When it was first accepted.
    accepted_at: Timestamp,
    /// What it came to.
    outcome: JournalOutcome,
    /// The client, by number or another address.
    client: Option<String>,
    /// What happened, in a few words.
    summary: String,
}

/// A page of the journal.
#[derive(Serialize, JsonSchema)]
struct JournalPage {
    /// Newest first.
    items: Vec<Line>,
    /// After which communication the next page goes on, where there is one.
    next: Option<CommunicationKey>,
}

/// Remarks that belong to no communication.
#[derive(Serialize, JsonSchema)]
struct Notes {
    /// Newest first.
    items: Vec<StoredNote>,
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get(
            "/v1/journal",
            "Search communications by phone, time, outcome, kind; newest first",
            search,
        )
        .answers::<JournalPage>(200, "A page")
        .refuses(503, "The store does not answer"),
        Operation::get(
            "/v1/journal/notes",
            "Remarks that belong to no communication: blind intervals, restarts, reloads",
            notes,
        )
        .answers::<Notes>(200, "The newest hundred")
        .refuses(503, "The store does not answer"),
    ]
}

pub(super) fn line(stored: &StoredCommunication) -> Line {
    let body = &stored.snapshot.body;
    Line {
        key: stored.snapshot.key.clone(),
        kind: body.kind(),
        phase: body.phase(),
        started_at: body.started_at(),
        accepted_at: stored.accepted_at,
        outcome: stored.outcome,
        client: client(body),
        summary: summary(body),
    }
}

fn client(body: &Body) -> Option<String> {
    match body {
        Body::Call { call } => Some(call.client.to_string()),
        Body::Chat { .. } | Body::Request { .. } => {
            body.addresses().first().map(ToString::to_string)
        }
    }
}

fn summary(body: &Body) -> String {
    match body {
        Body::Call { call } => {
            let who: Vec<&str> = call
                .talkers
                .iter()
                .map(|talker| talker.0.as_str())
                .collect();
            format!(
                "{} {}, talk {} s{}{}",
                direction(call.direction),
                came_to(call.result),
                call.talking_ms / 1000,
                if who.is_empty() { "" } else { " with " },
                who.join(", ")
            )
        }
        Body::Chat { chat } => format!("{} message(s) by {}", chat.messages.len(), chat.channel),
        Body::Request { request } => request.form.clone().unwrap_or_default(),
    }
}

fn direction(direction: Direction) -> &'static str {
    match direction {
        Direction::Incoming => "incoming",
        Direction::Outgoing => "outgoing",
        Direction::Internal => "internal",
    }
}

fn came_to(result: CallResult) -> String {
    match result {
        CallResult::Open => "not over".to_owned(),
        CallResult::Answered => "answered".to_owned(),
        CallResult::Missed { reason } => format!("missed ({})", why_missed(reason)),
        CallResult::EmployeeNotReached { reason } => {
            format!("employee not reached ({})", why_missed(reason))
        }
    }
}

fn why_missed(reason: MissReason) -> &'static str {
    match reason {
        MissReason::NoAnswer => "no answer",
        MissReason::Busy => "busy",
        MissReason::Declined => "declined",
        MissReason::CallerGaveUp => "the caller gave up",
        MissReason::AbandonedInQueue => "the caller left the queue",
        MissReason::NobodyRung => "nobody was rung",
        MissReason::Failed => "the call failed",
    }
}

pub(super) async fn search(
    state: web::Data<AdminState>,
    query: Result<web::Query<Query>, actix_web::Error>,
) -> HttpResponse {
    let search = match query.map(web::Query::into_inner).map(read) {
        Ok(Ok(search)) => search,
        Ok(Err((parameter, why))) => {
            let members = [("parameter", json!(parameter))];
            return problem_with(StatusCode::BAD_REQUEST, &why, &members);
        }
        Err(error) => return problem(StatusCode::BAD_REQUEST, &error.to_string()),
    };
    match state.store.search_page(search).await {
        Ok(page) => {
            let items = page.found.iter().map(line).collect();
            HttpResponse::Ok().json(JournalPage {
                items,
                next: page.next,
            })
        }
        // The caller named it: it is forgotten by now, or never was.
        Err(error @ StoreError::NoCommunication(_)) => {
            let members = [("parameter", json!("after"))];
            problem_with(StatusCode::BAD_REQUEST, &error.to_string(), &members)
        }
        Err(error) => problem(StatusCode::SERVICE_UNAVAILABLE, &error.to_string()),
    }
}

fn read(query: Query) -> Result<JournalSearch, (&'static str, String)> {
    let time = |name: &'static str, text: Option<String>| match text {
        Some(text) => Timestamp::parse(&text)
            .map(Some)
            .map_err(|e| (name, e.to_string())),
        None => Ok(None),
    };
    let tenant = match query.tenant {
        Some(text) => Some(
            text.parse::<TenantId>()
                .map_err(|error| ("tenant", error.to_string()))?,
        ),
        None => None,
    };
    let phone = match query.phone {
        Some(text) => Some(
            Phone::parse(&text, Region::default()).map_err(|error| ("phone", error.to_string()))?,
        ),
        None => None,
    };
    let after = match query.after {
        Some(text) => Some(
            text.parse::<CommunicationKey>()
                .map_err(|error| ("after", error.to_string()))?,
        ),
        None => None,
    };
    let limit = query.limit.unwrap_or(LINES);
    if !(1..=SEARCH_ROWS_MAX).contains(&limit) {
        return Err(("limit", format!("must be from 1 to {SEARCH_ROWS_MAX}")));
    }
    Ok(JournalSearch {
        tenant,
        phone,
        from: time("from", query.from)?,
        until: time("until", query.until)?,
        outcome: query.outcome,
        kind: query.kind,
        after,
        limit,
    })
}

/// Remarks of one answer.
const NOTES_MAX: usize = 100;

/// Remarks that belong to no communication: blind intervals, restarts, changes of settings.
pub(super) async fn notes(state: web::Data<AdminState>) -> HttpResponse {
    let search = NoteSearch {
        limit: NOTES_MAX,
        ..NoteSearch::default()
    };
    match state.store.notes(search).await {
        Ok(items) => HttpResponse::Ok().json(Notes { items }),
        Err(error) => problem(StatusCode::SERVICE_UNAVAILABLE, &error.to_string()),
    }
}
