//! Whether an account can be reached, asked at once (V-01), and what an account of a CRM is made of.

use std::time::Duration;

use actix_web::{HttpResponse, web};
use serde::Serialize;
use serde_json::json;

use crate::model::outcome::Outcome;

use super::lists::ask;
use super::state::AdminState;

/// What helps where an account cannot be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Remedy {
    /// Let it in again, or type its secrets anew.
    Authorise,
    /// Look at what the CRM says: address, rights, plan.
    LookAtCrm,
    /// Wait: the CRM does not answer at present.
    Wait,
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
    HttpResponse::Ok().json(json!({
        "good": good,
        "name": name,
        "limits": limits,
        "why": why,
        "remedy": remedy,
        "alarm": alarm,
    }))
}

/// Returns what a person types to add an account of each CRM, and where the CRM sends people back to.
pub(super) async fn crms(state: web::Data<AdminState>) -> HttpResponse {
    let overview = state.overview.load_full();
    let items: Vec<_> = overview
        .crms
        .iter()
        .map(|one| {
            let callback = overview.public_url.as_ref();
            let callback = callback.map(|url| format!("{url}/oauth/{}", one.crm));
            json!({ "form": one, "callback": callback })
        })
        .collect();
    HttpResponse::Ok().json(json!({ "items": items }))
}
