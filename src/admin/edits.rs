//! Changes of accounts and integrations (S1-02 … S1-04): of the tenant's file, which stays the one
//! place of settings. Who changes something says what was seen before, by the entity tag of the file.

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::model::activity::Activity;
use crate::model::ids::{AccountId, IntegrationId, TenantId};
use crate::model::secret::Secret;
use crate::problem::{problem, problem_with};

use super::body::{JsonBody, stated, unreadable, unreadable_as};
use super::state::AdminState;
use super::tenant_files::{Change, Changed, FileMistake, NoChange, Settings, Take, TypedSecrets};

/// Longest title and address that are taken, in bytes: what is longer is a mistake.
const TEXT_BYTES_MAX: usize = 1024;

/// Longest secret that is taken: a token of OAuth has some two thousand characters.
const SECRET_BYTES_MAX: usize = 8192;

pub(super) type Path = web::Path<(String, String)>;

/// What is to be changed of an account. What is not named stays.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AccountWish {
    /// `null` clears it.
    #[serde(default, deserialize_with = "stated")]
    title: Option<Option<String>>,
    #[serde(default, deserialize_with = "stated")]
    address: Option<String>,
    /// Other settings of its CRM; `null` takes one away.
    #[serde(default, deserialize_with = "stated")]
    settings: Option<Settings>,
    /// Secrets that are typed anew.
    #[serde(default, deserialize_with = "stated")]
    secrets: Option<TypedSecrets>,
}

/// What is to be changed of an integration. What is not named stays.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct IntegrationWish {
    #[serde(default, deserialize_with = "stated")]
    account: Option<AccountId>,
    #[serde(default, deserialize_with = "stated")]
    activity: Option<Activity>,
    /// `null` clears it.
    #[serde(default, deserialize_with = "stated")]
    title: Option<Option<String>>,
    #[serde(default, deserialize_with = "stated")]
    takes: Option<Vec<Take>>,
}

pub(super) async fn account(state: web::Data<AdminState>, path: Path) -> HttpResponse {
    let Some((tenant, account)) = account_in(path) else {
        return super::not_found();
    };
    let found = state.files.account(tenant.clone(), account.clone()).await;
    match found {
        Ok((written, revision)) => shown(
            &revision,
            json!({ "tenant": tenant, "account": account }),
            &written,
        ),
        Err(no) => refused(no),
    }
}

pub(super) async fn integration(state: web::Data<AdminState>, path: Path) -> HttpResponse {
    let Some((tenant, integration)) = integration_in(path) else {
        return super::not_found();
    };
    let found = state
        .files
        .integration(tenant.clone(), integration.clone())
        .await;
    match found {
        Ok((written, revision)) => {
            let ids = json!({ "tenant": tenant, "integration": integration });
            shown(&revision, ids, &written)
        }
        Err(no) => refused(no),
    }
}

pub(super) async fn change_account(
    state: web::Data<AdminState>,
    request: HttpRequest,
    path: Path,
    wish: Result<JsonBody<AccountWish>, actix_web::Error>,
) -> HttpResponse {
    let Some((tenant, account)) = account_in(path) else {
        return super::not_found();
    };
    let AccountWish {
        title,
        address,
        settings,
        secrets,
    } = match wish {
        Ok(wish) => wish.into_inner(),
        // What was sent is not repeated: there may be a secret in it.
        Err(error) => return unreadable_as(&error, NO_ACCOUNT_WISH),
    };
    if title.is_none() && address.is_none() && settings.is_none() && secrets.is_none() {
        let text = "say what is to be changed: title, address, settings, secrets";
        return problem(StatusCode::BAD_REQUEST, text);
    }
    let (settings, secrets) = (settings.unwrap_or_default(), secrets.unwrap_or_default());
    let lines = [title.clone().flatten(), address.clone()];
    if let Err(no) = lines_are_good(lines.iter().flatten()).and(typed_are_good(&settings, &secrets))
    {
        return problem(StatusCode::BAD_REQUEST, &no);
    }
    let change = Change::Account {
        account,
        title,
        address,
        settings,
        secrets,
    };
    match carry_out(&state, &request, tenant, change).await {
        Ok(changed) => done(&changed, json!({})),
        Err(refusal) => refusal,
    }
}

/// Takes an account out of the file, and forgets what it was let in with.
pub(super) async fn remove_account(
    state: web::Data<AdminState>,
    request: HttpRequest,
    path: Path,
) -> HttpResponse {
    let Some((tenant, account)) = account_in(path) else {
        return super::not_found();
    };
    let change = Change::RemoveAccount(account.clone());
    let changed = match carry_out(&state, &request, tenant.clone(), change).await {
        Ok(changed) => changed,
        Err(refusal) => return refusal,
    };
    // Last: an account that is still in force would be at a loss without.
    let forgotten = match &changed.not_in_force {
        None => state.consent.forget(tenant, account).await,
        Some(_) => return done(&changed, json!({ "forgotten": false })),
    };
    match forgotten {
        Ok(forgotten) => done(&changed, json!({ "forgotten": forgotten })),
        Err(error) => {
            let text = format!(
                "the account is removed, but what it was let in with is not forgotten: {error}; \
                 trunkline account forget does it"
            );
            problem(StatusCode::SERVICE_UNAVAILABLE, &text)
        }
    }
}

pub(super) async fn change_integration(
    state: web::Data<AdminState>,
    request: HttpRequest,
    path: Path,
    wish: Result<JsonBody<IntegrationWish>, actix_web::Error>,
) -> HttpResponse {
    let Some((tenant, integration)) = integration_in(path) else {
        return super::not_found();
    };
    let IntegrationWish {
        account,
        activity,
        title,
        takes,
    } = match wish {
        Ok(wish) => wish.into_inner(),
        Err(error) => return unreadable(&error),
    };
    if account.is_none() && activity.is_none() && title.is_none() && takes.is_none() {
        let text = "say what is to be changed: account, activity, title, takes";
        return problem(StatusCode::BAD_REQUEST, text);
    }
    if let Err(no) = lines_are_good(title.iter().flatten()) {
        return problem(StatusCode::BAD_REQUEST, &no);
    }
    let change = Change::Integration {
        integration,
        account,
        activity,
        title,
        takes,
    };
    match carry_out(&state, &request, tenant, change).await {
        Ok(changed) => done(&changed, json!({})),
        Err(refusal) => refusal,
    }
}

/// Takes an integration out of the file. What it made stays in the CRM, and in the journal.
pub(super) async fn remove_integration(
    state: web::Data<AdminState>,
    request: HttpRequest,
    path: Path,
) -> HttpResponse {
    let Some((tenant, integration)) = integration_in(path) else {
        return super::not_found();
    };
    let change = Change::RemoveIntegration(integration);
    match carry_out(&state, &request, tenant, change).await {
        Ok(changed) => done(&changed, json!({})),
        Err(refusal) => refusal,
    }
}

/// Says what is wrong with the body of a wish that cannot be read.
pub(super) const NO_ACCOUNT_WISH: &str = "the body cannot be read: title and address are texts, settings \
                                          an object of texts, numbers and switches, secrets an object of \
                                          texts";

/// Says whether every text is one line of a bearable length.
pub(super) fn lines_are_good<'a>(
    lines: impl IntoIterator<Item = &'a String>,
) -> Result<(), String> {
    let is_wrong = |text: &String| text.len() > TEXT_BYTES_MAX || text.contains(char::is_control);
    match lines.into_iter().any(is_wrong) {
        true => Err(format!(
            "title and address are one line each, of {TEXT_BYTES_MAX} bytes at most"
        )),
        false => Ok(()),
    }
}

/// Says whether settings and secrets are what a form holds.
pub(super) fn typed_are_good(settings: &Settings, secrets: &TypedSecrets) -> Result<(), String> {
    for (key, value) in settings {
        let good = match value {
            Value::String(text) => lines_are_good([text]).is_ok(),
            Value::Null | Value::Bool(_) | Value::Number(_) => true,
            Value::Array(_) | Value::Object(_) => false,
        };
        if !good || lines_are_good([key]).is_err() {
            return Err(format!(
                "each of the settings is one line of {TEXT_BYTES_MAX} bytes at most, a number or a switch"
            ));
        }
    }
    for (name, secret) in secrets {
        secret_is_good(name, Some(secret))?;
    }
    Ok(())
}

/// Says whether a secret is what a form holds; `None` takes one away.
pub(super) fn secret_is_good(name: &str, secret: Option<&Secret>) -> Result<(), String> {
    let is_line = |secret: &Secret| {
        let text = secret.expose();
        let is_long_enough = !text.trim().is_empty() && text.len() <= SECRET_BYTES_MAX;
        is_long_enough && !text.contains(char::is_control)
    };
    match secret.is_none_or(is_line) && lines_are_good([&name.to_owned()]).is_ok() {
        true => Ok(()),
        false => Err(format!(
            "each secret is one line of 1 to {SECRET_BYTES_MAX} bytes"
        )),
    }
}

fn account_in(path: Path) -> Option<(TenantId, AccountId)> {
    let (tenant, account) = path.into_inner();
    Some((tenant.parse().ok()?, account.parse().ok()?))
}

pub(super) fn integration_in(path: Path) -> Option<(TenantId, IntegrationId)> {
    let (tenant, integration) = path.into_inner();
    Some((tenant.parse().ok()?, integration.parse().ok()?))
}

pub(super) async fn carry_out(
    state: &AdminState,
    request: &HttpRequest,
    tenant: TenantId,
    change: Change,
) -> Result<Changed, HttpResponse> {
    let seen = seen(request).map_err(|no| problem(no.status(), no.text()))?;
    state
        .files
        .change(tenant, change, seen)
        .await
        .map_err(refused)
}

/// Why it is not known what was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum NotSeen {
    /// There is no If-Match.
    Missing,
    /// It is no single strong tag.
    Unreadable,
}

impl NotSeen {
    fn status(self) -> StatusCode {
        match self {
            NotSeen::Missing => StatusCode::PRECONDITION_REQUIRED,
            NotSeen::Unreadable => StatusCode::BAD_REQUEST,
        }
    }

    fn text(self) -> &'static str {
        match self {
            NotSeen::Missing => {
                "send the ETag that you were shown as If-Match, so that no other change is lost"
            }
            NotSeen::Unreadable => "If-Match must be the one ETag that you were shown",
        }
    }
}

/// Reads which revision was seen by whoever wants the change.
fn seen(request: &HttpRequest) -> Result<String, NotSeen> {
    let tag = request.headers().get(header::IF_MATCH);
    let tag = tag.ok_or(NotSeen::Missing)?;
    let tag = tag.to_str().unwrap_or_default().trim();
    let bare = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"'));
    match bare {
        Some(bare) if !bare.is_empty() && !bare.contains('"') => Ok(bare.to_owned()),
        _ => Err(NotSeen::Unreadable),
    }
}

pub(super) fn shown(revision: &str, ids: Value, written: &impl serde::Serialize) -> HttpResponse {
    let mut body = ids;
    let written = serde_json::to_value(written).unwrap_or_default();
    if let (Some(body), Value::Object(written)) = (body.as_object_mut(), written) {
        body.extend(written);
    }
    HttpResponse::Ok()
        .insert_header((header::ETAG, format!("\"{revision}\"")))
        .json(body)
}

/// Tells of a change, made where nothing was before.
pub(super) fn made(changed: &Changed, more: Value) -> HttpResponse {
    told(changed, more, StatusCode::CREATED)
}

pub(super) fn done(changed: &Changed, more: Value) -> HttpResponse {
    told(changed, more, StatusCode::OK)
}

fn told(changed: &Changed, more: Value, in_force: StatusCode) -> HttpResponse {
    let mut body =
        json!({ "in_force": changed.not_in_force.is_none(), "why": changed.not_in_force });
    if let (Some(body), Value::Object(more)) = (body.as_object_mut(), more) {
        body.extend(more);
    }
    let mut answer = match changed.not_in_force {
        None => HttpResponse::build(in_force),
        Some(_) => HttpResponse::Accepted(),
    };
    answer
        .insert_header((header::ETAG, format!("\"{}\"", changed.revision)))
        .json(body)
}

fn texts(mistakes: &[FileMistake]) -> Value {
    mistakes
        .iter()
        .map(|one| Value::from(one.text.as_str()))
        .collect()
}

pub(super) fn refused(no: NoChange) -> HttpResponse {
    match no {
        NoChange::Absent => super::not_found(),
        NoChange::Stale(revision) => problem_with(
            StatusCode::PRECONDITION_FAILED,
            "the file was changed meanwhile: look at it again, then repeat the change",
            &[("revision", json!(revision))],
        ),
        NoChange::Mistakes(mistakes) => problem_with(
            StatusCode::UNPROCESSABLE_ENTITY,
            "the configuration would be wrong: nothing was changed",
            &[("mistakes", texts(&mistakes)), ("places", json!(mistakes))],
        ),
        NoChange::InTheWay(why) => problem(StatusCode::CONFLICT, &why),
        NoChange::Later(why) => problem(StatusCode::SERVICE_UNAVAILABLE, &why),
    }
}
