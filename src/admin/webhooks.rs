//! The address at which an integration's CRM reaches us, to be copied into the CRM (S2-42). A secret
//! stands at its end: whoever looks sees it cut, whoever copies it asks for it, and the journal says so.

use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, HeaderValue};
use actix_web::{HttpResponse, web};
use serde_json::json;

use crate::model::ids::IntegrationKey;
use crate::problem::problem;
use crate::store::command::JournalNote;

use super::state::{AdminState, WebhookOverview};

pub(super) async fn show(
    state: web::Data<AdminState>,
    path: web::Path<(String, String)>,
) -> HttpResponse {
    let Some((key, webhook)) = find(&state, &path) else {
        return super::not_found();
    };
    HttpResponse::Ok().json(json!({
        "integration": key,
        "place": webhook.address.map(|address| address.place),
        "why_not": webhook.why_not,
        "asks_for_calls": webhook.asks_for_calls,
    }))
}

pub(super) async fn copy(
    state: web::Data<AdminState>,
    path: web::Path<(String, String)>,
) -> HttpResponse {
    let Some((key, webhook)) = find(&state, &path) else {
        return super::not_found();
    };
    let Some(address) = webhook.address else {
        return problem(StatusCode::CONFLICT, &webhook.why_not.unwrap_or_default());
    };
    let note = JournalNote {
        at: state.clock.now(),
        tenant: Some(key.tenant.clone()),
        source: None,
        integration: Some(key.clone()),
        communication: None,
        word: "webhook_copied".to_owned(),
        text: format!("the address {}… was shown with its secret", address.place),
    };
    if let Err(error) = state.store.note(note).await {
        return problem(StatusCode::SERVICE_UNAVAILABLE, &error.to_string());
    }
    let mut response = HttpResponse::Ok().json(json!({
        "integration": key,
        "address": address.address.expose(),
    }));
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn find(
    state: &AdminState,
    path: &web::Path<(String, String)>,
) -> Option<(IntegrationKey, WebhookOverview)> {
    let (tenant, integration) = (&path.0, &path.1);
    let key: IntegrationKey = format!("{tenant}/{integration}").parse().ok()?;
    let overview = state.overview.load_full();
    let webhook = overview.webhooks.get(&key)?.clone();
    Some((key, webhook))
}
