//! CRM accounts: what they are called, how they stand, and what a person wants of their doors.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::crm::account::status::block_row;
use crate::model::ids::PortalKey;
use crate::problem::problem;
use crate::store::StoreError;
use crate::store::command::JournalNote;

use super::body::{JsonBody, unreadable};
use super::state::AdminState;

pub(super) async fn list(state: web::Data<AdminState>) -> HttpResponse {
    let overview = state.overview.load_full();
    let mut items = Vec::new();
    for account in &overview.accounts {
        items.push(json!({
            "tenant": account.tenant,
            "account": account.account,
            "portal": account.portal,
            "crm": account.shown.crm,
            "title": account.shown.title,
            "address": account.shown.address,
            "credential": account.adapter.credential().await,
            "alarm": account.adapter.alarm().await,
            "day_quota": account.adapter.day_quota(),
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
    wanted: Result<JsonBody<Wanted>, actix_web::Error>,
) -> HttpResponse {
    let wanted = match wanted {
        Ok(wanted) => wanted.into_inner(),
        Err(error) => return unreadable(&error),
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
        state.handles.stir(&integration.key);
    }
}
