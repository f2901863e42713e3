//! Holds settings against the CRM (V-12): those in force, or a tenant's file before it is.

use actix_web::{HttpResponse, web};
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::crm::AccountDescription;
use crate::model::ids::TenantId;
use crate::model::mistake::Mistake;
use crate::rehearsal::Candidate;

use super::body::{JsonBody, unreadable};
use super::lists::{Seen, see};
use super::rehearsal::{File, read};
use super::state::{AdminState, Overview};

/// What is to be checked.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wish {
    /// A tenant's file; without it, the settings in force.
    settings: Option<File>,
    /// Only this tenant's.
    tenant: Option<TenantId>,
}

pub(super) async fn check(
    state: web::Data<AdminState>,
    wish: Result<JsonBody<Wish>, actix_web::Error>,
) -> HttpResponse {
    let wish = match wish {
        Ok(wish) => wish.into_inner(),
        Err(error) => return unreadable(&error),
    };
    let overview = state.overview.load_full();
    let mut candidates = match wish.settings {
        None => overview.settings.clone(),
        Some(File { name, text }) => match read(&state, name, text).await {
            Ok(draft) => draft.settings,
            Err(refusal) => return refusal,
        },
    };
    if let Some(tenant) = &wish.tenant {
        candidates.retain(|one| one.integration.tenant == *tenant);
    }
    let mut wrong = 0_usize;
    let mut reports = Vec::new();
    for candidate in &candidates {
        let (report, mistakes) = report(&state, &overview, candidate).await;
        wrong = wrong.saturating_add(mistakes);
        reports.push(report);
    }
    HttpResponse::Ok().json(json!({ "ok": wrong == 0, "integrations": reports }))
}

/// Checks one integration; returns what is told of it, and how many mistakes it has.
async fn report(state: &AdminState, overview: &Overview, candidate: &Candidate) -> (Value, usize) {
    let mut accounts = overview.accounts.iter();
    let seen = match accounts.find(|account| account.portal == candidate.portal) {
        Some(account) => see(state, account).await,
        None => Err("no account in force opens this portal: it cannot be asked".to_owned()),
    };
    let Seen { described, stale } = match seen {
        Ok(seen) => seen,
        Err(why) => {
            let told = json!({
                "integration": candidate.integration, "portal": candidate.portal,
                "checked": false, "as_of": null, "fresh": false, "why_not": why,
                "mistakes": [], "not_listed": [],
            });
            return (told, 0);
        }
    };
    let mistakes = mistakes(candidate, &described.account);
    let texts: Vec<Value> = mistakes
        .iter()
        .map(|mistake| json!({ "path": mistake.path.join("."), "message": mistake.message }))
        .collect();
    let told = json!({
        "integration": candidate.integration, "portal": candidate.portal,
        "checked": true, "as_of": described.as_of, "fresh": stale.is_none(), "why_not": stale,
        "mistakes": texts, "not_listed": described.account.unlisted(),
    });
    (told, mistakes.len())
}

/// Names what the settings of an integration name and the account does not have.
pub(super) fn mistakes(candidate: &Candidate, account: &AccountDescription) -> Vec<Mistake> {
    let basis = &candidate.basis;
    let zone = TimeZone::get(&basis.time_zone).unwrap_or(TimeZone::UTC);
    account.mistakes(&basis.settings.named_in_crm(), &zone)
}
