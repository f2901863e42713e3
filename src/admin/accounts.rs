//! CRM accounts: what they are called, how they stand, and what a person wants of their doors.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::crm::account::status::block_row;
use crate::crm::{CredentialState, DayQuota};
use crate::model::ids::{AccountId, PortalKey, TenantId};
use crate::problem::problem;
use crate::store::StoreError;
use crate::store::command::JournalNote;

use super::body::{JsonBody, unreadable};
use super::openapi::operation::Operation;
use super::state::{AccountShown, AdminState};

/// The CRM accounts.
#[derive(Serialize, JsonSchema)]
struct Accounts {
    /// Those that are in force.
    items: Vec<Account>,
}

/// A CRM account.
#[derive(Serialize, JsonSchema)]
struct Account {
    /// Whose.
    tenant: TenantId,
    /// Its id there.
    account: AccountId,
    /// Its portal.
    portal: PortalKey,
    #[serde(flatten)]
    shown: AccountShown,
    /// How the account is let in.
    credential: Option<CredentialState>,
    /// What a person must do about the credential.
    alarm: Option<String>,
    /// What is left of the day's requests, where the CRM counts them by the day.
    day_quota: Option<DayQuota>,
}

/// Whether an account's requests go again.
#[derive(Serialize, JsonSchema)]
struct Resumed {
    /// It was blocked, and is no more.
    resumed: bool,
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get(
            "/v1/accounts",
            "CRM accounts, and what a person must do about their credentials",
            list,
        )
        .answers::<Accounts>(200, "The accounts"),
        Operation::post(
            "/v1/accounts/resume",
            "Let requests go again to an account that its CRM had blocked",
            resume,
        )
        .answers::<Resumed>(200, "Whether it was blocked")
        .refuses(404, "There is no such account")
        .refuses(503, "The store does not answer"),
    ]
}

pub(super) async fn list(state: web::Data<AdminState>) -> HttpResponse {
    let overview = state.overview.load_full();
    let mut items = Vec::new();
    for account in &overview.accounts {
        items.push(Account {
            tenant: account.tenant.clone(),
            account: account.account.clone(),
            portal: account.portal.clone(),
            shown: account.shown.clone(),
            credential: account.adapter.credential().await,
            alarm: account.adapter.alarm().await,
            day_quota: account.adapter.day_quota(),
        });
    }
    HttpResponse::Ok().json(Accounts { items })
}

/// The account to be resumed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "AccountResumed")]
pub(super) struct Wanted {
    /// The account's portal, as the alarm names it.
    portal: PortalKey,
}

/// Lets requests go to an account again that its CRM had blocked. On disk before the door opens:
/// a restart in between must not forget a person's word.
pub(super) async fn resume(
    state: web::Data<AdminState>,
    wanted: Result<JsonBody<Wanted>, actix_web::Error>,
) -> HttpResponse {
    let wanted = match wanted {
        Ok(wanted) => wanted.into_inner(),
        Err(error) => return unreadable(&error),
    };
    let overview = state.overview.load_full();
    let mut portals = overview.portals.iter();
    let Some(portal) = portals.find(|portal| portal.key == wanted.portal) else {
        return problem(StatusCode::NOT_FOUND, "there is no such account");
    };
    let Some(held) = portal.http.blocked() else {
        return HttpResponse::Ok().json(Resumed { resumed: false });
    };
    match forget(&state, &wanted.portal, &held.why).await {
        Ok(()) => {
            portal.http.unblock();
            tell_integrations(&state, &wanted.portal);
            HttpResponse::Ok().json(Resumed { resumed: true })
        }
        Err(error) => problem(StatusCode::SERVICE_UNAVAILABLE, &error.to_string()),
    }
}

async fn forget(state: &AdminState, portal: &PortalKey, why: &str) -> Result<(), StoreError> {
    let row = block_row(portal);
    state.store.put_account(row, Value::Null).await?;
    let note = JournalNote {
        at: state.clock.now(),
        tenant: None,
        source: None,
        integration: None,
        communication: None,
        word: "resumed_by_person".to_owned(),
        text: format!("{portal}: {why}"),
    };
    state.store.note(note).await
}

/// Tells the integrations of a portal that what held them up is mended.
fn tell_integrations(state: &AdminState, portal: &PortalKey) {
    let overview = state.overview.load_full();
    for integration in overview
        .integrations
        .iter()
        .filter(|one| one.portal == *portal)
    {
        state.handles.stir(&integration.key);
    }
}
