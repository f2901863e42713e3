//! CRM accounts: how they let us in, and what a person wants of their doors.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::crm::account::status::block_row;
use crate::model::ids::{AccountId, PortalKey, TenantId};
use crate::model::outcome::Outcome;
use crate::model::secret::Secret;
use crate::problem::problem;
use crate::store::StoreError;
use crate::store::command::JournalNote;

use super::state::AdminState;

/// Longest code that is passed on: amoCRM's have about a thousand characters.
const CODE_BYTES_MAX: usize = 8192;

pub(super) async fn list(state: web::Data<AdminState>) -> HttpResponse {
    let overview = state.overview.load_full();
    let mut items = Vec::new();
    for account in &overview.accounts {
        items.push(json!({
            "tenant": account.tenant,
            "account": account.account,
            "portal": account.portal,
            "alarm": account.adapter.alarm().await,
        }));
    }
    HttpResponse::Ok().json(json!({ "items": items }))
}

/// The account to be resumed.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    portal: PortalKey,
}

/// Lets requests go to an account again that its CRM had blocked. On disk before the door opens:
/// a restart in between must not forget a person's word.
pub(super) async fn resume(
    state: web::Data<AdminState>,
    wanted: Result<web::Json<Wanted>, actix_web::Error>,
) -> HttpResponse {
    let wanted = match wanted {
        Ok(wanted) => wanted.into_inner(),
        Err(error) => return problem(StatusCode::BAD_REQUEST, &error.to_string()),
    };
    let overview = state.overview.load_full();
    let mut portals = overview.portals.iter();
    let Some(portal) = portals.find(|portal| portal.key == wanted.portal) else {
        return problem(StatusCode::NOT_FOUND, "there is no such account");
    };
    let Some(held) = portal.http.blocked() else {
        return HttpResponse::Ok().json(json!({ "resumed": false }));
    };
    match forget(&state, &wanted.portal, &held.why).await {
        Ok(()) => {
            portal.http.unblock();
            tell_integrations(&state, &wanted.portal);
            HttpResponse::Ok().json(json!({ "resumed": true }))
        }
        Err(error) => problem(StatusCode::SERVICE_UNAVAILABLE, &error.to_string()),
    }
}

async fn forget(state: &AdminState, portal: &PortalKey, why: &str) -> Result<(), StoreError> {
    let row = block_row(portal);
    state.store.put_account(row, Value::Null).await?;
    let note = JournalNote {
        at: state.clock.now(),
        tenant: None,
        source: None,
        integration: None,
        communication: None,
        word: "resumed_by_person".to_owned(),
        text: format!("{portal}: {why}"),
    };
    state.store.note(note).await
}

/// Tells the integrations of a portal that what held them up is mended.
fn tell_integrations(state: &AdminState, portal: &PortalKey) {
    let overview = state.overview.load_full();
    for integration in overview
        .integrations
        .iter()
        .filter(|one| one.portal == *portal)
    {
        state.handles.mended(&integration.key);
    }
}

/// What an administrator got from the CRM.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Authorisation {
    code: String,
}

pub(super) async fn authorise(
    state: web::Data<AdminState>,
    path: web::Path<(String, String)>,
    body: Result<web::Json<Authorisation>, actix_web::Error>,
) -> HttpResponse {
    let (tenant, account) = path.into_inner();
    let (Ok(tenant), Ok(account)) = (tenant.parse::<TenantId>(), account.parse::<AccountId>())
    else {
        return super::not_found();
    };
    let overview = state.overview.load_full();
    let mut accounts = overview.accounts.iter();
    let Some(found) = accounts.find(|one| one.tenant == tenant && one.account == account) else {
        return super::not_found();
    };
    let code = match body {
        Ok(body) => body.into_inner().code.trim().to_owned(),
        // What was sent is not repeated: it is a secret.
        Err(_) => {
            return problem(
                StatusCode::BAD_REQUEST,
                "the body must be {\"code\": \"…\"}",
            );
        }
    };
    if code.is_empty() || code.len() > CODE_BYTES_MAX || code.contains(char::is_control) {
        return problem(StatusCode::BAD_REQUEST, "this is no authorization code");
    }
    let (status, text) = match found.adapter.authorise(Secret::new(code)).await {
        Outcome::Done(()) => (StatusCode::OK, "authorised anew".to_owned()),
        Outcome::Rejected(rejection) => (
            StatusCode::UNPROCESSABLE_ENTITY,
            format!("not authorised: {}", rejection.message),
        ),
        Outcome::NotApplied(not_applied) => (
            StatusCode::SERVICE_UNAVAILABLE,
            format!("the code was not used, try again: {}", not_applied.why),
        ),
        Outcome::Ambiguous { why } | Outcome::AuthExpired { why } => {
            (StatusCode::BAD_GATEWAY, format!("not authorised: {why}"))
        }
    };
    let note = JournalNote {
        at: state.clock.now(),
        tenant: Some(tenant),
        source: None,
        integration: None,
        communication: None,
        word: "authorisation".to_owned(),
        text: format!("account {account}: {text}"),
    };
    if let Err(error) = state.store.note(note).await {
        tracing::error!(%error, "journal");
    }
    if status == StatusCode::OK {
        tell_integrations(&state, &found.portal);
    }
    match status {
        StatusCode::OK => HttpResponse::Ok().json(json!({ "authorised": true })),
        status => problem(status, &text),
    }
}
