//! Changes of accounts and integrations (S1-02 … S1-04): of the tenant's file, which stays the one
//! place of settings. Who changes something says what was seen before, by the entity tag of the file.

use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, web};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::model::activity::Activity;
use crate::model::ids::{AccountId, IntegrationId, TenantId};
use crate::model::secret::Secret;
use crate::problem::{problem, problem_with};

use super::body::{JsonBody, stated, unreadable, unreadable_as};
use super::openapi::operation::Operation;
use super::openapi::shapes::{
    LINE_BYTES_MAX, Line, SECRET_BYTES_MAX, TypedSecretsByName, TypedSettings,
};
use super::seen::{NotSeen, Seen};
use super::state::AdminState;
use super::tenant_files::{
    AccountInFile, Change, Changed, FileMistake, IntegrationInFile, NoChange, Settings, Take,
    TypedSecrets,
};

pub(super) type Path = web::Path<(String, String)>;

/// What is to be changed of an account. What is not named stays.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("minProperties" = 1))]
pub(super) struct AccountWish {
    /// null clears it.
    #[serde(default, deserialize_with = "stated")]
    #[schemars(with = "Option<Line>")]
    title: Option<Option<String>>,
    /// With or without https://.
    #[serde(default, deserialize_with = "stated")]
    #[schemars(with = "Line")]
    address: Option<String>,
    #[serde(default, deserialize_with = "stated")]
    #[schemars(with = "TypedSettings")]
    settings: Option<Settings>,
    #[serde(default, deserialize_with = "stated")]
    #[schemars(with = "TypedSecretsByName")]
    secrets: Option<TypedSecrets>,
}

/// What is to be changed of an integration. What is not named stays.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("minProperties" = 1))]
pub(super) struct IntegrationWish {
    /// Another account of its tenant.
    #[serde(default, deserialize_with = "stated")]
    #[schemars(with = "AccountId")]
    account: Option<AccountId>,
    /// Whether it works.
    #[serde(default, deserialize_with = "stated")]
    #[schemars(with = "Activity")]
    activity: Option<Activity>,
    /// null clears it.
    #[serde(default, deserialize_with = "stated")]
    #[schemars(with = "Option<Line>")]
    title: Option<Option<String>>,
    /// All that it takes from now on.
    #[serde(default, deserialize_with = "stated")]
    #[schemars(with = "Vec<Take>")]
    takes: Option<Vec<Take>>,
}

/// An account as its tenant's file says it.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "WrittenAccount")]
struct AccountShown {
    /// Whose file it is.
    tenant: TenantId,
    /// Its id there.
    account: AccountId,
    #[serde(flatten)]
    written: AccountInFile,
}

/// An integration as its tenant's file says it.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "WrittenIntegration")]
struct IntegrationShown {
    /// Whose file it is.
    tenant: TenantId,
    /// Its id there.
    integration: IntegrationId,
    #[serde(flatten)]
    written: IntegrationInFile,
}

/// Whether a change of a company's file is in force.
#[derive(Serialize, JsonSchema)]
pub(super) struct InForce {
    /// It is.
    in_force: bool,
    /// Why it is not in force.
    why: Option<String>,
}

impl InForce {
    /// Says it of a change that was written.
    pub(super) fn of(changed: &Changed) -> Self {
        Self {
            in_force: changed.not_in_force.is_none(),
            why: changed.not_in_force.clone(),
        }
    }
}

/// What came of the removal of an account.
#[derive(Serialize, JsonSchema)]
struct AccountRemoved {
    #[serde(flatten)]
    change: InForce,
    /// What it was let in with was stored, and is no more.
    forgotten: bool,
}

pub(super) fn operations() -> Vec<Operation> {
    let of_account =
        |operation: Operation| operation.refuses(404, "No tenant's file has this account");
    let of_integration =
        |operation: Operation| operation.refuses(404, "No tenant's file has this integration");
    vec![
        of_account(Operation::get(
            "/v1/tenants/{tenant}/accounts/{account}",
            "An account as its tenant's file says it",
            account,
        ))
        .answers::<AccountShown>(200, "The account")
        .shows_etag()
        .refuses(503, "The file cannot be read now"),
        of_account(Operation::patch(
            "/v1/tenants/{tenant}/accounts/{account}",
            "Change or clear the title of an account, change its address or other settings, or type its \
             secrets anew, in its tenant's file, and put it into force",
            change_account,
        ))
        .changes_file::<InForce>(200),
        of_account(Operation::delete(
            "/v1/tenants/{tenant}/accounts/{account}",
            "Take an account in which no integration works out of its tenant's file, and forget what it was \
             let in with",
            remove_account,
        ))
        .changes_file::<AccountRemoved>(200),
        of_integration(Operation::get(
            "/v1/tenants/{tenant}/integrations/{integration}",
            "An integration as its tenant's file says it",
            integration,
        ))
        .answers::<IntegrationShown>(200, "The integration")
        .shows_etag()
        .refuses(503, "The file cannot be read now"),
        of_integration(Operation::patch(
            "/v1/tenants/{tenant}/integrations/{integration}",
            "Switch an integration, or let it work in another account of its tenant, in the tenant's file, \
             and put it into force; its title, and what it takes",
            change_integration,
        ))
        .changes_file::<InForce>(200),
        of_integration(Operation::delete(
            "/v1/tenants/{tenant}/integrations/{integration}",
            "Take an integration out of its tenant's file, with its settings. What it made stays in the CRM \
             and in the journal",
            remove_integration,
        ))
        .changes_file::<InForce>(200),
    ]
}

pub(super) async fn account(state: web::Data<AdminState>, path: Path) -> HttpResponse {
    let Some((tenant, account)) = account_in(path) else {
        return super::not_found();
    };
    let found = state.files.account(tenant.clone(), account.clone()).await;
    match found {
        Ok((written, revision)) => {
            let told = AccountShown {
                tenant,
                account,
                written,
            };
            shown(&revision, &told)
        }
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
            let told = IntegrationShown {
                tenant,
                integration,
                written,
            };
            shown(&revision, &told)
        }
        Err(no) => refused(no),
    }
}

pub(super) async fn change_account(
    state: web::Data<AdminState>,
    seen: Seen,
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
    match carry_out(&state, seen, tenant, change).await {
        Ok(changed) => done(&changed),
        Err(refusal) => refusal,
    }
}

/// Takes an account out of the file, and forgets what it was let in with.
pub(super) async fn remove_account(
    state: web::Data<AdminState>,
    seen: Seen,
    path: Path,
) -> HttpResponse {
    let Some((tenant, account)) = account_in(path) else {
        return super::not_found();
    };
    let change = Change::RemoveAccount(account.clone());
    let changed = match carry_out(&state, seen, tenant.clone(), change).await {
        Ok(changed) => changed,
        Err(refusal) => return refusal,
    };
    // Last: an account that is still in force would be at a loss without.
    let forgotten = match &changed.not_in_force {
        None => state.consent.forget(tenant, account).await,
        Some(_) => Ok(false),
    };
    match forgotten {
        Ok(forgotten) => {
            let removed = AccountRemoved {
                change: InForce::of(&changed),
                forgotten,
            };
            told(&changed, StatusCode::OK, &removed)
        }
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
    seen: Seen,
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
    match carry_out(&state, seen, tenant, change).await {
        Ok(changed) => done(&changed),
        Err(refusal) => refusal,
    }
}

/// Takes an integration out of the file. What it made stays in the CRM, and in the journal.
pub(super) async fn remove_integration(
    state: web::Data<AdminState>,
    seen: Seen,
    path: Path,
) -> HttpResponse {
    let Some((tenant, integration)) = integration_in(path) else {
        return super::not_found();
    };
    let change = Change::RemoveIntegration(integration);
    match carry_out(&state, seen, tenant, change).await {
        Ok(changed) => done(&changed),
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
    let is_wrong = |text: &String| text.len() > LINE_BYTES_MAX || text.contains(char::is_control);
    match lines.into_iter().any(is_wrong) {
        true => Err(format!(
            "title and address are one line each, of {LINE_BYTES_MAX} bytes at most"
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
                "each of the settings is one line of {LINE_BYTES_MAX} bytes at most, a number or a switch"
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
    seen: Seen,
    tenant: TenantId,
    change: Change,
) -> Result<Changed, HttpResponse> {
    let seen = seen.revision().map_err(NotSeen::answer)?;
    state
        .files
        .change(tenant, change, seen)
        .await
        .map_err(refused)
}

/// Shows what a company's file says, and in which state it is.
pub(super) fn shown(revision: &str, written: &impl Serialize) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::ETAG, format!("\"{revision}\"")))
        .json(written)
}

/// Tells of a change.
pub(super) fn done(changed: &Changed) -> HttpResponse {
    told(changed, StatusCode::OK, &InForce::of(changed))
}

/// Tells of a change that made something where nothing was before.
pub(super) fn made(changed: &Changed, body: &impl Serialize) -> HttpResponse {
    told(changed, StatusCode::CREATED, body)
}

fn told(changed: &Changed, in_force: StatusCode, body: &impl Serialize) -> HttpResponse {
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
