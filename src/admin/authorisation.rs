//! Letting accounts in: by a page of the CRM, by a pasted code; and forgetting them.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::crm::{LetIn, NoPage};
use crate::model::ids::{AccountId, TenantId};
use crate::model::secret::Secret;
use crate::model::timestamp::Timestamp;
use crate::problem::problem;

use super::body::{JsonBody, unreadable_as};
use super::openapi::operation::Operation;
use super::openapi::shapes::TypedSecret;
use super::state::{AdminState, Overview};

/// Longest code that is passed on: amoCRM's have about a thousand characters.
const CODE_BYTES_MAX: usize = 8192;

/// What an administrator got from the CRM.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Authorisation {
    /// The authorization code.
    #[schemars(with = "TypedSecret")]
    code: String,
}

/// Whether an account was let in.
#[derive(Serialize, JsonSchema)]
struct Authorised {
    /// It was.
    authorised: bool,
}

/// A page of the CRM at which a person lets an account in.
#[derive(Serialize, JsonSchema)]
struct ConsentPage {
    /// Its address.
    #[schemars(extend("format" = "uri"))]
    link: String,
    /// How long it is good.
    until: Timestamp,
}

/// What came of forgetting.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "CredentialForgotten")]
struct Forgotten {
    /// Something was stored, and is no more.
    forgotten: bool,
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::post(
            "/v1/tenants/{tenant}/accounts/{account}/authorisation",
            "Let an account in by an authorization code",
            authorise,
        )
        .answers::<Authorised>(200, "It is authorised")
        .refuses(404, "There is no such account")
        .refuses(422, "The CRM refuses the code, or the account has none")
        .refuses(502, "The answer was lost: the code may be used up")
        .refuses(503, "The code was not used: try again"),
        Operation::delete(
            "/v1/tenants/{tenant}/accounts/{account}/authorisation",
            "Forget what an account was let in with; also one that is configured no more",
            forget,
        )
        .answers::<Forgotten>(200, "Whether anything was stored")
        .refuses(404, "The path names no account")
        .refuses(503, "The store does not answer"),
        Operation::post(
            "/v1/tenants/{tenant}/accounts/{account}/authorisation/link",
            "Ask for a page of the CRM at which a person lets the account in",
            link,
        )
        .answers::<ConsentPage>(200, "The page, good once and for twenty minutes")
        .refuses(404, "There is no such account")
        .refuses(409, "There is no such page: why, and what to do instead"),
    ]
}

/// Reads which account is meant.
fn account(path: web::Path<(String, String)>) -> Option<(TenantId, AccountId)> {
    let (tenant, account) = path.into_inner();
    Some((tenant.parse().ok()?, account.parse().ok()?))
}

/// Lets an account in by a code.
pub(super) async fn authorise(
    state: web::Data<AdminState>,
    path: web::Path<(String, String)>,
    body: Result<JsonBody<Authorisation>, actix_web::Error>,
) -> HttpResponse {
    let Some((tenant, account)) = account(path) else {
        return super::not_found();
    };
    let code = match body {
        Ok(body) => body.into_inner().code.trim().to_owned(),
        // What was sent is not repeated: it is a secret.
        Err(error) => return unreadable_as(&error, "the body must be {\"code\": \"…\"}"),
    };
    if code.is_empty() || code.len() > CODE_BYTES_MAX || code.contains(char::is_control) {
        return problem(StatusCode::BAD_REQUEST, "this is no authorization code");
    }
    let end = state.consent.authorise(tenant, account, Secret::new(code));
    let (status, text) = match end.await {
        LetIn::Done => return HttpResponse::Ok().json(Authorised { authorised: true }),
        LetIn::NoAccount => return super::not_found(),
        LetIn::Refused(why) => (
            StatusCode::UNPROCESSABLE_ENTITY,
            format!("not authorised: {why}"),
        ),
        LetIn::Later(why) => (
            StatusCode::SERVICE_UNAVAILABLE,
            format!("the code was not used, try again: {why}"),
        ),
        LetIn::Lost(why) => (StatusCode::BAD_GATEWAY, format!("not authorised: {why}")),
    };
    problem(status, &text)
}

/// Returns a page at which a person lets an account in.
pub(super) async fn link(
    state: web::Data<AdminState>,
    path: web::Path<(String, String)>,
) -> HttpResponse {
    let Some((tenant, account)) = account(path) else {
        return super::not_found();
    };
    match state.consent.link(&tenant, &account) {
        Ok(link) => HttpResponse::Ok().json(ConsentPage {
            link: link.url,
            until: link.until,
        }),
        Err(NoPage::NoAccount) => super::not_found(),
        Err(no) => problem(StatusCode::CONFLICT, &no.to_string()),
    }
}

/// Forgets what an account was let in with (S1-02).
pub(super) async fn forget(
    state: web::Data<AdminState>,
    path: web::Path<(String, String)>,
) -> HttpResponse {
    let Some((tenant, account)) = account(path) else {
        return super::not_found();
    };
    match state.consent.forget(tenant, account).await {
        Ok(forgotten) => HttpResponse::Ok().json(Forgotten { forgotten }),
        Err(error) => problem(StatusCode::SERVICE_UNAVAILABLE, &error.to_string()),
    }
}

/// Shows until when credentials are good, and whether a person must act upon one.
pub(super) async fn metrics(overview: &Overview) {
    for account in &overview.accounts {
        let labels = [("account", format!("{}/{}", account.tenant, account.account))];
        let credential = account.adapter.credential().await;
        if let Some(ends_at) = credential.and_then(|credential| credential.ends_at) {
            // Milliseconds of this age are exact in a float.
            let seconds = ends_at.as_millis() as f64 / 1000.0;
            metrics::gauge!("trunkline_credential_ends_at_seconds", &labels).set(seconds);
        }
        let alarm = f64::from(u8::from(account.adapter.alarm().await.is_some()));
        metrics::gauge!("trunkline_credential_alarm", &labels).set(alarm);
    }
}
