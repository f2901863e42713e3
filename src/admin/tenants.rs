//! Companies and what their files list: what there is, and what is added to it (S0-01, S1-01, S1-04).

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::communication::Kind;
use crate::model::explanation::Language;
use crate::model::ids::{AccountId, IntegrationId, TenantId};
use crate::problem::problem;

use super::body::{JsonBody, unreadable, unreadable_as};
use super::edits::{
    InForce, NO_ACCOUNT_WISH, carry_out, lines_are_good, made, refused, shown, typed_are_good,
};
use super::openapi::operation::Operation;
use super::openapi::shapes::{Line, TypedSecretsByName, TypedSettings};
use super::seen::Seen;
use super::state::AdminState;
use super::tenant_files::{
    AccountInFile, Change, IntegrationInFile, NewTenant, Settings, SourceInFile, Take, TakeInFile,
    TypedSecrets,
};

/// A company that is to be.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewTenant")]
pub(super) struct TenantWish {
    /// Its id; the file is named after it.
    tenant: TenantId,
    /// Its name.
    #[schemars(with = "Line")]
    name: String,
    /// IANA, as Europe/Moscow.
    #[schemars(with = "Line")]
    time_zone: String,
    /// ISO 3166.
    #[schemars(with = "Option<Line>")]
    region: Option<String>,
    /// The language of its texts.
    language: Option<Language>,
}

/// An account that is to be.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewAccount {
    /// Its id in the file; it never changes.
    account: AccountId,
    /// One of those of /v1/crms.
    #[schemars(with = "Line")]
    crm: String,
    /// What administrators call it; its own name where none is given.
    #[schemars(with = "Option<Line>")]
    title: Option<String>,
    /// With or without https://.
    #[schemars(with = "Line")]
    address: String,
    #[serde(default)]
    #[schemars(with = "TypedSettings")]
    settings: Settings,
    #[serde(default)]
    #[schemars(with = "TypedSecretsByName")]
    secrets: TypedSecrets,
}

/// An integration that is to be.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewIntegration {
    /// Its id in the file; it never changes.
    integration: IntegrationId,
    /// What administrators call it.
    #[schemars(with = "Option<Line>")]
    title: Option<String>,
    /// The account that it works in.
    account: AccountId,
    /// What it takes.
    #[serde(default)]
    takes: Vec<Take>,
}

/// The companies of all files.
#[derive(Serialize, JsonSchema)]
struct Tenants {
    /// By their ids.
    items: Vec<TenantNamed>,
}

/// A company.
#[derive(Serialize, JsonSchema)]
struct TenantNamed {
    /// Its id.
    tenant: String,
    /// Its name.
    name: Option<String>,
}

/// What a company's file lists.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "WrittenTenant")]
struct Listed {
    /// Its id.
    tenant: TenantId,
    /// Its name.
    name: Option<String>,
    /// Its sources.
    sources: Vec<ListedSource>,
    /// Its accounts.
    accounts: Vec<ListedAccount>,
    /// Its integrations.
    integrations: Vec<ListedIntegration>,
}

/// A source that a company's file lists.
#[derive(Serialize, JsonSchema)]
struct ListedSource {
    /// Its id.
    source: String,
    /// What it is.
    kind: Option<String>,
    /// Its name.
    name: Option<String>,
    /// What it can report; empty where it is not in force.
    kinds: Vec<Kind>,
}

/// An account that a company's file lists.
#[derive(Serialize, JsonSchema)]
struct ListedAccount {
    /// Its id.
    account: String,
    /// Its CRM.
    crm: Option<String>,
    /// Its title.
    title: Option<String>,
    /// Its address.
    address: Option<String>,
}

/// An integration that a company's file lists.
#[derive(Serialize, JsonSchema)]
struct ListedIntegration {
    /// Its id.
    integration: String,
    /// Its title.
    title: Option<String>,
    /// The account that it works in.
    account: Option<String>,
    /// Whether it works, in the file's word.
    activity: String,
    /// What it takes.
    takes: Vec<TakeInFile>,
}

/// A company that was added.
#[derive(Serialize, JsonSchema)]
struct TenantAdded {
    #[serde(flatten)]
    change: InForce,
    /// Its id.
    tenant: TenantId,
}

/// An account that was added.
#[derive(Serialize, JsonSchema)]
struct AccountAdded {
    #[serde(flatten)]
    change: InForce,
    /// Its id.
    account: AccountId,
}

/// An integration that was added.
#[derive(Serialize, JsonSchema)]
struct IntegrationAdded {
    #[serde(flatten)]
    change: InForce,
    /// Its id.
    integration: IntegrationId,
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/v1/tenants", "The companies of all files", list)
            .answers::<Tenants>(200, "The companies")
            .refuses(503, "The files cannot be read now"),
        Operation::post(
            "/v1/tenants",
            "Add a company: a file of its own in tenants.d, and put it into force",
            add,
        )
        .changes_file::<TenantAdded>(201)
        .refuses(409, "There is one of this name, or the daemon may not write the folder"),
        Operation::get(
            "/v1/tenants/{tenant}",
            "What a company's file lists",
            show,
        )
        .answers::<Listed>(200, "The company")
        .shows_etag()
        .refuses(404, "No file is of this company")
        .refuses(503, "The file cannot be read now"),
        Operation::post(
            "/v1/tenants/{tenant}/accounts",
            "Add an account to a company's file, and put it into force",
            add_account,
        )
        .changes_file::<AccountAdded>(201)
        .refuses(404, "No file is of this company"),
        Operation::post(
            "/v1/tenants/{tenant}/integrations",
            "Add an integration to a company's file, and put it into force. It is off until somebody \
             switches it on",
            add_integration,
        )
        .changes_file::<IntegrationAdded>(201)
        .refuses(404, "No file is of this company"),
    ]
}

pub(super) async fn list(state: web::Data<AdminState>) -> HttpResponse {
    match state.files.tenants().await {
        Ok(tenants) => {
            let items = tenants.into_iter().map(|one| TenantNamed {
                tenant: one.id,
                name: one.name,
            });
            HttpResponse::Ok().json(Tenants {
                items: items.collect(),
            })
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
            let sources = written.sources.into_iter();
            let accounts = written.accounts.into_iter();
            let integrations = written.integrations.into_iter();
            let listed = Listed {
                name: written.name,
                sources: sources.map(|one| source(&state, &tenant, one)).collect(),
                accounts: accounts.map(|(id, one)| account(id, one)).collect(),
                integrations: integrations.map(|(id, one)| integration(id, one)).collect(),
                tenant,
            };
            shown(&revision, &listed)
        }
        Err(no) => refused(no),
    }
}

/// Returns a source with what it can report; nothing where it is not in force yet.
fn source(state: &AdminState, tenant: &TenantId, written: SourceInFile) -> ListedSource {
    let overview = state.overview.load();
    let mut sources = overview.sources.iter();
    let found =
        sources.find(|one| one.key.tenant == *tenant && one.key.source.as_str() == written.source);
    ListedSource {
        kinds: found.map(|one| one.kinds.clone()).unwrap_or_default(),
        source: written.source,
        kind: written.kind,
        name: written.name,
    }
}

fn account(id: String, written: AccountInFile) -> ListedAccount {
    ListedAccount {
        account: id,
        crm: written.crm,
        title: written.title,
        address: written.address,
    }
}

fn integration(id: String, written: IntegrationInFile) -> ListedIntegration {
    ListedIntegration {
        integration: id,
        title: written.title,
        account: written.account,
        activity: written.activity,
        takes: written.takes,
    }
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
        Ok(changed) => {
            let added = TenantAdded {
                change: InForce::of(&changed),
                tenant: wish.tenant,
            };
            made(&changed, &added)
        }
        Err(no) => refused(no),
    }
}

/// Adds an account. What is typed as a secret stands sealed in the file, and is shown never.
pub(super) async fn add_account(
    state: web::Data<AdminState>,
    seen: Seen,
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
    match carry_out(&state, seen, tenant, change).await {
        Ok(changed) => {
            let added = AccountAdded {
                change: InForce::of(&changed),
                account: wish.account,
            };
            made(&changed, &added)
        }
        Err(refusal) => refusal,
    }
}

/// Adds an integration. It is off until somebody switches it on (S1-04).
pub(super) async fn add_integration(
    state: web::Data<AdminState>,
    seen: Seen,
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
    match carry_out(&state, seen, tenant, change).await {
        Ok(changed) => {
            let added = IntegrationAdded {
                change: InForce::of(&changed),
                integration: wish.integration,
            };
            made(&changed, &added)
        }
        Err(refusal) => refusal,
    }
}
