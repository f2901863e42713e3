//! The address at which an integration's CRM reaches us, to be copied into the CRM (S2-42). A secret
//! stands at its end: whoever looks sees it cut, whoever copies it asks for it, and the journal says so.

use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, HeaderValue};
use actix_web::{HttpResponse, web};
use schemars::JsonSchema;
use serde::Serialize;

use crate::model::ids::IntegrationKey;
use crate::problem::problem;
use crate::store::command::JournalNote;

use super::openapi::operation::Operation;
use super::state::{AdminState, WebhookOverview};

/// The address at which a CRM reaches this box, without its secret.
#[derive(Serialize, JsonSchema)]
struct Webhook {
    /// Whose CRM.
    integration: IntegrationKey,
    /// The address but for the secret at its end; null = there is none.
    place: Option<String>,
    /// Why there is none.
    why_not: Option<String>,
    /// The CRM asks for calls by click there.
    asks_for_calls: bool,
}

/// The same with its secret.
#[derive(Serialize, JsonSchema)]
struct WebhookAddress<'a> {
    /// Whose CRM.
    integration: &'a IntegrationKey,
    /// The whole address.
    #[schemars(extend("format" = "uri"))]
    address: &'a str,
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get(
            "/v1/tenants/{tenant}/integrations/{integration}/webhook",
            "The address at which the CRM reaches this box, its secret cut",
            show,
        )
        .answers::<Webhook>(200, "The address")
        .refuses(404, "There is no such integration"),
        Operation::post(
            "/v1/tenants/{tenant}/integrations/{integration}/webhook",
            "The same with its secret, to be copied into the CRM; the journal takes note of it",
            copy,
        )
        .answers::<WebhookAddress<'_>>(200, "The address")
        .refuses(404, "There is no such integration")
        .refuses(409, "There is no address; the detail says why")
        .refuses(503, "The journal takes nothing now"),
    ]
}

pub(super) async fn show(
    state: web::Data<AdminState>,
    path: web::Path<(String, String)>,
) -> HttpResponse {
    let Some((key, webhook)) = find(&state, &path) else {
        return super::not_found();
    };
    HttpResponse::Ok().json(Webhook {
        integration: key,
        place: webhook.address.map(|address| address.place),
        why_not: webhook.why_not,
        asks_for_calls: webhook.asks_for_calls,
    })
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
    let mut response = HttpResponse::Ok().json(WebhookAddress {
        integration: &key,
        address: address.address.expose(),
    });
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
