//! What an integration does: its settings as one JSON object, shown with the tag of their file and
//! replaced as a whole. In the file only what differs is written anew.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use serde_json::json;

use super::body::{JsonBody, unreadable};
use super::edits::{Path, carry_out, done, integration_in, refused, shown};
use super::state::AdminState;
use super::tenant_files::{Change, Settings};

/// What an integration is to do.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wish {
    settings: Settings,
}

pub(super) async fn show(state: web::Data<AdminState>, path: Path) -> HttpResponse {
    let Some((tenant, integration)) = integration_in(path) else {
        return super::not_found();
    };
    let found = state.files.settings(tenant.clone(), integration.clone());
    match found.await {
        Ok((settings, place, revision)) => {
            let ids = json!({ "tenant": tenant, "integration": integration });
            // Mistakes name values by their way through the file.
            let path = format!("integrations[{place}].settings");
            shown(
                &revision,
                ids,
                &json!({ "path": path, "settings": settings }),
            )
        }
        Err(no) => refused(no),
    }
}

pub(super) async fn replace(
    state: web::Data<AdminState>,
    request: HttpRequest,
    path: Path,
    wish: Result<JsonBody<Wish>, actix_web::Error>,
) -> HttpResponse {
    let Some((tenant, integration)) = integration_in(path) else {
        return super::not_found();
    };
    let settings = match wish {
        Ok(wish) => wish.into_inner().settings,
        Err(error) => return unreadable(&error),
    };
    let change = Change::Settings {
        integration,
        settings,
    };
    match carry_out(&state, &request, tenant, change).await {
        Ok(changed) => done(&changed, json!({})),
        Err(refusal) => refusal,
    }
}
