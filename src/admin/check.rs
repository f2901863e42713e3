//! Holds settings against the CRM (V-12): those in force, or a tenant's file before it is.

use actix_web::{HttpResponse, web};
use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::crm::AccountDescription;
use crate::model::ids::{IntegrationKey, PortalKey, TenantId};
use crate::model::mistake::Mistake;
use crate::model::timestamp::Timestamp;
use crate::rehearsal::Candidate;

use super::body::{JsonBody, unreadable};
use super::lists::{Seen, see};
use super::openapi::operation::Operation;
use super::rehearsal::{File, read};
use super::state::{AdminState, Overview};

/// What is to be checked.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "CheckWish")]
pub(super) struct Wish {
    /// A company's file that is not in force; without it the settings in force are checked.
    settings: Option<File>,
    /// Only this company.
    tenant: Option<TenantId>,
}

/// What the CRM does not have of what the settings name.
#[derive(Serialize, JsonSchema)]
struct Check {
    /// No mistake was found.
    ok: bool,
    /// The integrations that were looked at.
    integrations: Vec<CheckedIntegration>,
}

/// What was found of one integration.
#[derive(Serialize, JsonSchema)]
struct CheckedIntegration {
    /// Which.
    integration: IntegrationKey,
    /// Its portal.
    portal: PortalKey,
    /// It could be held against the CRM.
    checked: bool,
    /// When the CRM said what it has.
    as_of: Option<Timestamp>,
    /// The CRM said so just now.
    fresh: bool,
    /// Why it could not be checked, or is not fresh.
    why_not: Option<String>,
    /// What is wrong.
    mistakes: Vec<SettingMistake>,
    /// What the CRM does not list: what the settings name of that is not checked.
    not_listed: Vec<&'static str>,
}

/// A mistake in the settings.
#[derive(Serialize, JsonSchema)]
struct SettingMistake {
    /// The way to the setting.
    path: String,
    /// What is wrong.
    message: String,
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::post(
            "/v1/check",
            "Hold settings against the CRM: those in force, or a tenant's file that is not. Nothing is changed",
            check,
        )
        .answers::<Check>(200, "What the CRM does not have of what the settings name")
        .refuses(400, "The file is wrong by itself; mistakes names everything")
        .refuses(503, "The settings cannot be read now"),
    ]
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
    let mut integrations = Vec::new();
    for candidate in &candidates {
        integrations.push(report(&state, &overview, candidate).await);
    }
    HttpResponse::Ok().json(Check {
        ok: integrations.iter().all(|one| one.mistakes.is_empty()),
        integrations,
    })
}

/// Checks one integration.
async fn report(
    state: &AdminState,
    overview: &Overview,
    candidate: &Candidate,
) -> CheckedIntegration {
    let mut accounts = overview.accounts.iter();
    let seen = match accounts.find(|account| account.portal == candidate.portal) {
        Some(account) => see(state, account).await,
        None => Err("no account in force opens this portal: it cannot be asked".to_owned()),
    };
    let Seen { described, stale } = match seen {
        Ok(seen) => seen,
        Err(why) => {
            return CheckedIntegration {
                integration: candidate.integration.clone(),
                portal: candidate.portal.clone(),
                checked: false,
                as_of: None,
                fresh: false,
                why_not: Some(why),
                mistakes: Vec::new(),
                not_listed: Vec::new(),
            };
        }
    };
    let mistakes = mistakes(candidate, &described.account).into_iter();
    CheckedIntegration {
        integration: candidate.integration.clone(),
        portal: candidate.portal.clone(),
        checked: true,
        as_of: Some(described.as_of),
        fresh: stale.is_none(),
        why_not: stale,
        mistakes: mistakes
            .map(|mistake| SettingMistake {
                path: mistake.path.join("."),
                message: mistake.message,
            })
            .collect(),
        not_listed: described.account.unlisted(),
    }
}

/// Names what the settings of an integration name and the account does not have.
pub(super) fn mistakes(candidate: &Candidate, account: &AccountDescription) -> Vec<Mistake> {
    let basis = &candidate.basis;
    let zone = TimeZone::get(&basis.time_zone).unwrap_or(TimeZone::UTC);
    account.mistakes(&basis.settings.named_in_crm(), &zone)
}
