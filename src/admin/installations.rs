//! Portals that ask to be let in by having installed an application (S3-01): listed, accepted for an
//! account, refused.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::alarms::Alarm;
use crate::crm::{Installation, LetIn};
use crate::model::ids::{AccountId, TenantId};
use crate::problem::problem;

use super::body::{JsonBody, unreadable};
use super::openapi::operation::Operation;
use super::state::AdminState;

/// For which account one is accepted.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Acceptance {
    /// Whose.
    tenant: TenantId,
    /// Its id in the company's file.
    account: AccountId,
}

/// The portals that ask to be let in.
#[derive(Serialize, JsonSchema)]
struct Installations {
    /// Those that wait.
    items: Vec<Installation>,
}

/// Whether an installation was accepted.
#[derive(Serialize, JsonSchema)]
struct Accepted {
    /// It was.
    accepted: bool,
}

/// Whether an installation was refused.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "InstallationRefused")]
struct Refused {
    /// It was.
    refused: bool,
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get(
            "/v1/installations",
            "List the portals that ask to be let in because somebody installed an application there",
            list,
        )
        .answers::<Installations>(200, "Those that wait")
        .refuses(503, "The store cannot be read"),
        Operation::post(
            "/v1/installations/{id}/accept",
            "Let an account in by what a portal brought that installed an application",
            accept,
        )
        .names::<String>("id", "The installation, as the list names it")
        .answers::<Accepted>(200, "The account is let in")
        .refuses(
            404,
            "There is no such installation, or no such account of its CRM",
        )
        .refuses(
            422,
            "The account is of another portal or application: what to write",
        )
        .refuses(502, "The tokens could not be stored")
        .refuses(503, "Nothing has changed: try again"),
        Operation::delete(
            "/v1/installations/{id}",
            "Forget what a portal brought that installed an application",
            refuse,
        )
        .names::<String>("id", "The installation, as the list names it")
        .answers::<Refused>(200, "It is forgotten")
        .refuses(404, "There is no such installation")
        .refuses(503, "The store cannot be written"),
    ]
}

/// Lists those that wait.
pub(super) async fn list(state: web::Data<AdminState>) -> HttpResponse {
    match state.installations.waiting().await {
        Ok(items) => HttpResponse::Ok().json(Installations { items }),
        Err(error) => problem(StatusCode::SERVICE_UNAVAILABLE, &error.to_string()),
    }
}

/// Makes an account's credential of one.
pub(super) async fn accept(
    state: web::Data<AdminState>,
    path: web::Path<String>,
    body: Result<JsonBody<Acceptance>, actix_web::Error>,
) -> HttpResponse {
    let wanted = match body {
        Ok(body) => body.into_inner(),
        Err(error) => return unreadable(&error),
    };
    let desk = &state.installations;
    let end = desk.accept(path.into_inner(), wanted.tenant, wanted.account);
    let (status, text) = match end.await {
        Ok(Some(LetIn::Done)) => return HttpResponse::Ok().json(Accepted { accepted: true }),
        Ok(None) => return super::not_found(),
        Ok(Some(LetIn::NoAccount)) => (
            StatusCode::NOT_FOUND,
            "there is no such account of this CRM".to_owned(),
        ),
        Ok(Some(LetIn::Refused(why))) => (
            StatusCode::UNPROCESSABLE_ENTITY,
            format!("not accepted: {why}"),
        ),
        Ok(Some(LetIn::Later(why))) => (
            StatusCode::SERVICE_UNAVAILABLE,
            format!("nothing has changed, try again: {why}"),
        ),
        Ok(Some(LetIn::Lost(why))) => (StatusCode::BAD_GATEWAY, format!("not accepted: {why}")),
        Err(error) => (StatusCode::SERVICE_UNAVAILABLE, error.to_string()),
    };
    problem(status, &text)
}

/// Forgets one.
pub(super) async fn refuse(state: web::Data<AdminState>, path: web::Path<String>) -> HttpResponse {
    match state.installations.refuse(path.into_inner()).await {
        Ok(true) => HttpResponse::Ok().json(Refused { refused: true }),
        Ok(false) => super::not_found(),
        Err(error) => problem(StatusCode::SERVICE_UNAVAILABLE, &error.to_string()),
    }
}

/// Returns an alarm for each that waits: a person must decide.
pub(super) async fn alarms(state: &AdminState) -> Vec<Alarm> {
    let Ok(waiting) = state.installations.waiting().await else {
        return Vec::new();
    };
    let alarm = |one: Installation| {
        let by = one.installed_by.map(|name| format!(" by {name}"));
        let account = one.accounts.first();
        let account = account.map_or("TENANT/ACCOUNT", String::as_str);
        Alarm {
            word: "installation".to_owned(),
            what: format!("portal {}", one.portal),
            text: format!(
                "application {} was installed there{}: trunkline account accept {} {account}, or \
                 trunkline account refuse {}; forgotten at {}",
                one.application,
                by.unwrap_or_default(),
                one.id,
                one.id,
                one.until
            ),
        }
    };
    waiting.into_iter().map(alarm).collect()
}
