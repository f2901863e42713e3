//! Companies and what their files list: what there is, and what is added to it (S0-01, S1-01, S1-04).

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::model::explanation::Language;
use crate::model::ids::{AccountId, IntegrationId, TenantId};
use crate::problem::problem;

use super::body::{JsonBody, unreadable, unreadable_as};
use super::edits::{
    NO_ACCOUNT_WISH, carry_out, lines_are_good, made, refused, shown, typed_are_good,
};
use super::state::AdminState;
use super::tenant_files::{
    AccountInFile, Change, IntegrationInFile, NewTenant, Settings, SourceInFile, Take, TypedSecrets,
};

/// A company that is to be.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TenantWish {
    tenant: TenantId,
    name: String,
    time_zone: String,
    region: Option<String>,
    language: Option<Language>,
}

/// An account that is to be.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewAccount {
    account: AccountId,
    crm: String,
    title: Option<String>,
    address: String,
    #[serde(default)]
    settings: Settings,
    #[serde(default)]
    secrets: TypedSecrets,
}

/// An integration that is to be.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewIntegration {
    integration: IntegrationId,
    title: Option<String>,
    account: AccountId,
    #[serde(default)]
    takes: Vec<Take>,
}

pub(super) async fn list(state: web::Data<AdminState>) -> HttpResponse {
    match state.files.tenants().await {
        Ok(tenants) => {
            let items = tenants
                .into_iter()
                .map(|one| json!({ "tenant": one.id, "name": one.name }));
            HttpResponse::Ok().json(json!({ "items": items.collect::<Vec<_>>() }))
        }
        Err(no) => refused(no),
    }
}

pub(super) async fn show(state: web::Data<AdminState>, path: web::Path<String>) -> HttpResponse {
    let Ok(tenant) = path.parse::<TenantId>() else {
        return super::not_found();
    };
    match state.files.tenant(tenant.clone()).await {
        Ok((written, revision)) => {
            let sources = written.sources.iter();
            let accounts = written.accounts.iter();
            let integrations = written.integrations.iter();
            let body = json!({
                "tenant": tenant,
                "name": written.name,
                "sources": sources.map(|one| source(&state, &tenant, one)).collect::<Vec<_>>(),
                "accounts": accounts.map(|(id, one)| account(id, one)).collect::<Vec<_>>(),
                "integrations": integrations
                    .map(|(id, one)| integration(id, one))
                    .collect::<Vec<_>>(),
            });
            shown(&revision, body, &json!({}))
        }
        Err(no) => refused(no),
    }
}

/// Returns a source with what it can report; nothing where it is not in force yet.
fn source(state: &AdminState, tenant: &TenantId, written: &SourceInFile) -> Value {
    let overview = state.overview.load();
    let mut sources = overview.sources.iter();
    let found =
        sources.find(|one| one.key.tenant == *tenant && one.key.source.as_str() == written.source);
    json!({
        "source": written.source,
        "kind": written.kind,
        "name": written.name,
        "kinds": found.map(|one| one.kinds.clone()).unwrap_or_default(),
    })
}

fn account(id: &str, written: &AccountInFile) -> Value {
    json!({
        "account": id,
        "crm": written.crm,
        "title": written.title,
        "address": written.address,
    })
}

fn integration(id: &str, written: &IntegrationInFile) -> Value {
    json!({
        "integration": id,
        "title": written.title,
        "account": written.account,
        "activity": written.activity,
        "takes": written.takes,
    })
}

/// Adds a company: a file of its own.
pub(super) async fn add(
    state: web::Data<AdminState>,
    wish: Result<JsonBody<TenantWish>, actix_web::Error>,
) -> HttpResponse {
    let wish = match wish {
        Ok(wish) => wish.into_inner(),
        Err(error) => return unreadable(&error),
    };
    let lines = [
        Some(&wish.name),
        Some(&wish.time_zone),
        wish.region.as_ref(),
    ];
    if let Err(no) = lines_are_good(lines.into_iter().flatten()) {
        return problem(StatusCode::BAD_REQUEST, &no);
    }
    let language = wish.language.map(|language| match language {
        Language::Ru => "ru",
        Language::En => "en",
    });
    let new = NewTenant {
        id: wish.tenant.clone(),
        name: wish.name,
        time_zone: wish.time_zone,
        region: wish.region,
        language: language.map(str::to_owned),
    };
    match state.files.add_tenant(new).await {
        Ok(changed) => made(&changed, json!({ "tenant": wish.tenant })),
        Err(no) => refused(no),
    }
}

/// Adds an account. What is typed as a secret stands sealed in the file, and is shown never.
pub(super) async fn add_account(
    state: web::Data<AdminState>,
    request: HttpRequest,
    path: web::Path<String>,
    wish: Result<JsonBody<NewAccount>, actix_web::Error>,
) -> HttpResponse {
    let Ok(tenant) = path.parse::<TenantId>() else {
        return super::not_found();
    };
    let wish = match wish {
        Ok(wish) => wish.into_inner(),
        // What was sent is not repeated: there may be a secret in it.
        Err(error) => {
            let text = format!("account, crm and address are needed; {NO_ACCOUNT_WISH}");
            return unreadable_as(&error, &text);
        }
    };
    let lines = [Some(&wish.address), wish.title.as_ref(), Some(&wish.crm)];
    let good = lines_are_good(lines.into_iter().flatten())
        .and(typed_are_good(&wish.settings, &wish.secrets));
    if let Err(no) = good {
        return problem(StatusCode::BAD_REQUEST, &no);
    }
    let change = Change::AddAccount {
        account: wish.account.clone(),
        crm: wish.crm,
        title: wish.title,
        address: wish.address,
        settings: wish.settings,
        secrets: wish.secrets,
    };
    match carry_out(&state, &request, tenant, change).await {
        Ok(changed) => made(&changed, json!({ "account": wish.account })),
        Err(refusal) => refusal,
    }
}

/// Adds an integration. It is off until somebody switches it on (S1-04).
pub(super) async fn add_integration(
    state: web::Data<AdminState>,
    request: HttpRequest,
    path: web::Path<String>,
    wish: Result<JsonBody<NewIntegration>, actix_web::Error>,
) -> HttpResponse {
    let Ok(tenant) = path.parse::<TenantId>() else {
        return super::not_found();
    };
    let wish = match wish {
        Ok(wish) => wish.into_inner(),
        Err(error) => return unreadable(&error),
    };
    if let Err(no) = lines_are_good(wish.title.iter()) {
        return problem(StatusCode::BAD_REQUEST, &no);
    }
    let change = Change::AddIntegration {
        integration: wish.integration.clone(),
        title: wish.title,
        account: wish.account,
        takes: wish.takes,
    };
    match carry_out(&state, &request, tenant, change).await {
        Ok(changed) => made(&changed, json!({ "integration": wish.integration })),
        Err(refusal) => refusal,
    }
}
