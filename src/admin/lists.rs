//! What an account is made of, fresh from its CRM (V-12): pipelines with stages, users, additional
//! fields, sorts of tasks. The CRM is asked when somebody looks, with a short memory.

use std::sync::Arc;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use schemars::JsonSchema;
use serde::Serialize;

use crate::crm::account::status::description_row;
use crate::crm::{CrmUser, DescribedAccount, Pipeline, TaskType};
use crate::model::field::CrmField;
use crate::model::outcome::Outcome;
use crate::model::timestamp::Timestamp;
use crate::problem::problem;

use super::openapi::operation::Operation;
use super::state::{AccountOverview, AdminState};

/// How old a list may be: pages ask for it several times in a row.
const FRESH_FOR: Duration = Duration::from_secs(30);

/// How long somebody who looks waits for the CRM: less than a command line does. A CRM that takes one
/// request a second has some twenty of them for a whole description.
const ANSWER_WITHIN: Duration = Duration::from_secs(60);

/// What is known of an account, and why that is not fresh.
pub(super) struct Seen {
    pub(super) described: Arc<DescribedAccount>,
    /// Why it is an older one; `None` = the CRM said so just now.
    pub(super) stale: Option<String>,
}

/// What an account is made of.
#[derive(Serialize, JsonSchema)]
struct Lists<'a> {
    /// When the CRM said so.
    as_of: Timestamp,
    /// The CRM said so just now.
    fresh: bool,
    /// Why not.
    why_not: Option<String>,
    /// What the CRM calls the account.
    id: &'a str,
    /// Its name.
    name: &'a str,
    /// Its time zone (IANA), where the CRM says.
    time_zone: Option<&'a str>,
    /// Its pipelines.
    pipelines: &'a [Pipeline],
    /// Its users.
    users: &'a [CrmUser],
    /// Its additional fields.
    fields: &'a [CrmField],
    /// Its sorts of tasks, where the CRM has several.
    task_types: &'a [TaskType],
    /// What does not work there, and why.
    limits: &'a [String],
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get(
            "/v1/tenants/{tenant}/accounts/{account}/lists",
            "What the account is made of, from its CRM: pipelines with stages, users, additional fields, \
             sorts of tasks. Asked when somebody looks, at most once in 30 seconds",
            show,
        )
        .answers::<Lists<'_>>(
            200,
            "The lists; where the CRM does not answer, those that were read last",
        )
        .refuses(404, "There is no such account")
        .refuses(503, "The account was never read, and its CRM does not answer"),
    ]
}

pub(super) async fn show(
    state: web::Data<AdminState>,
    path: web::Path<(String, String)>,
) -> HttpResponse {
    let (tenant, account) = path.into_inner();
    let overview = state.overview.load_full();
    let Some(found) = overview.account(&tenant, &account) else {
        return super::not_found();
    };
    let Seen { described, stale } = match see(&state, found).await {
        Ok(seen) => seen,
        Err(why) => {
            let why = format!("the account was never read, and cannot be now: {why}");
            return problem(StatusCode::SERVICE_UNAVAILABLE, &why);
        }
    };
    let account = &described.account;
    HttpResponse::Ok().json(Lists {
        as_of: described.as_of,
        fresh: stale.is_none(),
        why_not: stale,
        id: &account.id,
        name: &account.name,
        time_zone: account.time_zone.as_deref(),
        pipelines: &account.pipelines,
        users: &account.users,
        fields: &account.fields,
        task_types: &account.task_types,
        limits: &account.limits,
    })
}

/// Asks the CRM what an account is made of; what was known before stands where it does not answer.
///
/// # Errors
/// Says why the CRM did not answer, where nothing was known before.
pub(super) async fn see(state: &AdminState, account: &AccountOverview) -> Result<Seen, String> {
    let why = match ask(state, account, FRESH_FOR).await {
        Ok(Outcome::Done(described)) => {
            return Ok(Seen {
                described,
                stale: None,
            });
        }
        Ok(Outcome::NotApplied(not_applied)) => not_applied.why,
        Ok(Outcome::Ambiguous { why } | Outcome::AuthExpired { why }) => why,
        Ok(Outcome::Rejected(rejection)) => format!("{}: {}", rejection.code, rejection.message),
        Err(why) => why,
    };
    match account.book.known() {
        Some(described) => Ok(Seen {
            described,
            stale: Some(why),
        }),
        None => Err(why),
    }
}

/// Asks the CRM what an account is made of, unless it was asked within `fresh_for`.
///
/// # Errors
/// Says why no answer came in time.
pub(super) async fn ask(
    state: &AdminState,
    account: &AccountOverview,
    fresh_for: Duration,
) -> Result<Outcome<Arc<DescribedAccount>>, String> {
    let before = account.book.known();
    let (book, adapter) = (Arc::clone(&account.book), Arc::clone(&account.adapter));
    let (clock, store) = (Arc::clone(&state.clock), state.store.clone());
    let row = description_row(&account.portal);
    let is_new = move |read: &DescribedAccount| before.is_none_or(|old| old.as_of < read.as_of);
    // A task of its own: who looks may go away in the middle of what is set up there.
    let reading = tokio::spawn(async move {
        let read = book.read(&*adapter, &*clock, fresh_for).await;
        if let Outcome::Done(described) = &read
            && is_new(described)
            && let Ok(value) = serde_json::to_value(&**described)
            && let Err(error) = store.put_account(row, value).await
        {
            tracing::warn!(%error, "account description not kept");
        }
        read
    });
    match tokio::time::timeout(ANSWER_WITHIN, reading).await {
        Ok(Ok(outcome)) => Ok(outcome),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!(
            "the CRM did not answer within {} s",
            ANSWER_WITHIN.as_secs()
        )),
    }
}
