//! CRM accounts and how they let us in.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use serde::Deserialize;
use serde_json::json;

use crate::model::ids::{AccountId, TenantId};
use crate::model::outcome::Outcome;
use crate::model::secret::Secret;
use crate::problem::problem;
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
        let integrations = overview.integrations.iter();
        for integration in integrations.filter(|one| one.portal == found.portal) {
            state.handles.mended(&integration.key);
        }
    }
    match status {
        StatusCode::OK => HttpResponse::Ok().json(json!({ "authorised": true })),
        status => problem(status, &text),
    }
}
