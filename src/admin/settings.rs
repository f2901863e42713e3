//! What an integration does: its settings as one JSON object, shown with the tag of their file and
//! replaced as a whole. In the file only what differs is written anew.

use actix_web::{HttpResponse, web};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::ids::{IntegrationId, TenantId};

use super::body::{JsonBody, unreadable};
use super::edits::{InForce, Path, carry_out, done, integration_in, refused, shown};
use super::openapi::operation::Operation;
use super::seen::Seen;
use super::state::AdminState;
use super::tenant_files::{Change, Settings};

/// What an integration is to do.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "SettingsWish")]
pub(super) struct Wish {
    /// All of them.
    settings: Settings,
}

/// What an integration does.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "WrittenSettings")]
struct Shown {
    /// Whose file it is.
    tenant: TenantId,
    /// The integration's id there.
    integration: IntegrationId,
    /// The way to the settings in the file, with which the ways of mistakes begin.
    path: String,
    /// As docs/settings.md says; a date is a text.
    settings: Settings,
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get(
            "/v1/tenants/{tenant}/integrations/{integration}/settings",
            "What an integration does: its settings as its tenant's file says them",
            show,
        )
        .answers::<Shown>(200, "The settings")
        .shows_etag()
        .refuses(404, "No tenant's file has this integration")
        .refuses(503, "The file cannot be read now"),
        Operation::put(
            "/v1/tenants/{tenant}/integrations/{integration}/settings",
            "Replace the settings of an integration in its tenant's file, and put them into force; what does \
             not differ stays as it is written",
            replace,
        )
        .changes_file::<InForce>(200)
        .refuses(404, "No tenant's file has this integration"),
    ]
}

pub(super) async fn show(state: web::Data<AdminState>, path: Path) -> HttpResponse {
    let Some((tenant, integration)) = integration_in(path) else {
        return super::not_found();
    };
    let found = state.files.settings(tenant.clone(), integration.clone());
    match found.await {
        Ok((settings, place, revision)) => {
            let told = Shown {
                tenant,
                integration,
                // Mistakes name values by their way through the file.
                path: format!("integrations[{place}].settings"),
                settings,
            };
            shown(&revision, &told)
        }
        Err(no) => refused(no),
    }
}

pub(super) async fn replace(
    state: web::Data<AdminState>,
    seen: Seen,
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
    match carry_out(&state, seen, tenant, change).await {
        Ok(changed) => done(&changed),
        Err(refusal) => refusal,
    }
}
