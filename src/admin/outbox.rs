//! Work that is not over.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::model::ids::IntegrationKey;
use crate::model::ledger::{Ledger, LedgerStep};
use crate::problem::{problem, problem_with};
use crate::store::StoreError;
use crate::store::command::Work;

use super::openapi::operation::Operation;
use super::state::AdminState;

/// The most works that one answer holds: each costs a read of its ledger.
const WORKS_MAX: usize = 200;

/// Which works are listed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Query {
    /// Only this integration's (tenant/integration).
    integration: Option<IntegrationKey>,
    /// At most so many.
    #[serde(default = "usual")]
    #[schemars(range(min = 1, max = WORKS_MAX))]
    limit: usize,
}

/// Works of an answer where no other number is asked for.
fn usual() -> usize {
    50
}

/// Work that is not over.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "OutboxRow")]
struct Row {
    #[serde(flatten)]
    work: Work,
    /// The steps that it planned.
    steps: Vec<LedgerStep>,
    /// The ledger cannot be read: the work is set aside.
    unreadable: bool,
}

/// Work that is not over, in order of acceptance.
#[derive(Serialize, JsonSchema)]
struct Outbox {
    /// The first of it.
    items: Vec<Row>,
    /// How much there is in all.
    total: usize,
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get(
            "/v1/outbox",
            "Work that is not over, in order of acceptance",
            list,
        )
        .answers::<Outbox>(200, "The works")
        .refuses(503, "The store does not answer"),
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
    if !(1..=WORKS_MAX).contains(&query.limit) {
        let members = [("parameter", json!("limit"))];
        let text = format!("limit: must be from 1 to {WORKS_MAX}");
        return problem_with(StatusCode::BAD_REQUEST, &text, &members);
    }
    match rows(&state, query).await {
        Ok((items, total)) => HttpResponse::Ok().json(Outbox { items, total }),
        Err(error) => problem(StatusCode::SERVICE_UNAVAILABLE, &error.to_string()),
    }
}

async fn rows(state: &AdminState, query: Query) -> Result<(Vec<Row>, usize), StoreError> {
    let mut works = state.store.open_works().await?;
    if let Some(integration) = &query.integration {
        works.retain(|work| work.integration == *integration);
    }
    let total = works.len();
    works.truncate(query.limit);
    let mut rows = Vec::with_capacity(works.len());
    for mut work in works {
        let ledger = state
            .store
            .ledger(work.integration.clone(), work.communication.clone())
            .await;
        let (ledger, unreadable) = match ledger {
            Ok(ledger) => (ledger, false),
            // The others of the list can be shown all the same.
            Err(StoreError::Unreadable { .. }) => (Ledger::default(), true),
            Err(error) => return Err(error),
        };
        let steps = ledger.steps.into_iter();
        let steps = steps.filter(|step| step.work == work.id).collect();
        state.say_what_it_waits_for(&mut work);
        rows.push(Row {
            work,
            steps,
            unreadable,
        });
    }
    Ok((rows, total))
}
