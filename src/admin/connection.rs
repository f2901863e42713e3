//! Whether an account can be reached, asked at once (V-01), and what an account of a CRM is made of.

use std::time::Duration;

use actix_web::{HttpResponse, web};
use schemars::JsonSchema;
use serde::Serialize;

use crate::model::outcome::Outcome;

use super::lists::ask;
use super::openapi::operation::Operation;
use super::state::{AdminState, CrmOverview};

/// What helps where an account cannot be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Remedy {
    /// Let it in again, or type its secrets anew.
    Authorise,
    /// Look at what the CRM says: address, rights, plan.
    LookAtCrm,
    /// Wait: the CRM does not answer at present.
    Wait,
}

/// Whether the CRM lets an account in.
#[derive(Serialize, JsonSchema)]
struct Connection {
    /// It does.
    good: bool,
    /// What the CRM calls the account.
    name: Option<String>,
    /// What does not work there, and why.
    limits: Vec<String>,
    /// Why not.
    why: Option<String>,
    /// What helps.
    remedy: Option<Remedy>,
    /// What a person must do about the credential.
    alarm: Option<String>,
}

/// The CRMs of this build.
#[derive(Serialize, JsonSchema)]
struct Crms {
    /// In the order of the registry.
    items: Vec<Crm>,
}

/// A CRM that accounts can be added of.
#[derive(Serialize, JsonSchema)]
struct Crm {
    /// What a person types.
    form: CrmOverview,
    /// Where the CRM sends people back to; null where the outside does not reach us.
    callback: Option<String>,
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::post(
            "/v1/tenants/{tenant}/accounts/{account}/connection",
            "Ask the CRM now whether it lets the account in",
            check,
        )
        .answers::<Connection>(200, "What came of it")
        .refuses(404, "No such account is in force"),
        Operation::get(
            "/v1/crms",
            "The CRMs of this build, with what a person types to add an account of each",
            crms,
        )
        .answers::<Crms>(200, "The CRMs"),
    ]
}

/// Asks the CRM now, whatever was known before.
pub(super) async fn check(
    state: web::Data<AdminState>,
    path: web::Path<(String, String)>,
) -> HttpResponse {
    let (tenant, account) = path.into_inner();
    let overview = state.overview.load_full();
    let Some(found) = overview.account(&tenant, &account) else {
        return super::not_found();
    };
    let (good, name, limits, why, remedy) = match ask(&state, found, Duration::ZERO).await {
        Ok(Outcome::Done(described)) => {
            let account = &described.account;
            (
                true,
                Some(account.name.clone()),
                account.limits.clone(),
                None,
                None,
            )
        }
        Ok(Outcome::AuthExpired { why }) => {
            (false, None, Vec::new(), Some(why), Some(Remedy::Authorise))
        }
        Ok(Outcome::Rejected(rejection)) => {
            let why = format!("{}: {}", rejection.code, rejection.message);
            (false, None, Vec::new(), Some(why), Some(Remedy::LookAtCrm))
        }
        Ok(Outcome::NotApplied(not_applied)) => (
            false,
            None,
            Vec::new(),
            Some(not_applied.why),
            Some(Remedy::Wait),
        ),
        Ok(Outcome::Ambiguous { why }) | Err(why) => {
            (false, None, Vec::new(), Some(why), Some(Remedy::Wait))
        }
    };
    // What a person must do about the credential stands even where the CRM answered.
    let alarm = found.adapter.alarm().await;
    let remedy = match (&alarm, remedy) {
        (Some(_), Some(_)) => Some(Remedy::Authorise),
        (_, remedy) => remedy,
    };
    HttpResponse::Ok().json(Connection {
        good,
        name,
        limits,
        why,
        remedy,
        alarm,
    })
}

/// Returns what a person types to add an account of each CRM, and where the CRM sends people back to.
pub(super) async fn crms(state: web::Data<AdminState>) -> HttpResponse {
    let overview = state.overview.load_full();
    let items = overview
        .crms
        .iter()
        .map(|one| {
            let callback = overview.public_url.as_ref();
            let callback = callback.map(|url| format!("{url}/oauth/{}", one.crm));
            Crm {
                form: *one,
                callback,
            }
        })
        .collect();
    HttpResponse::Ok().json(Crms { items })
}
