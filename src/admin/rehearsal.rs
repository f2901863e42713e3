//! Rehearsal: what settings would have made of recorded communications. Reads only.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::json;

use crate::model::explanation::Language;
use crate::model::ids::{IntegrationKey, TenantId};
use crate::model::timestamp::Timestamp;
use crate::problem::{problem, problem_with};

use super::body::{JsonBody, unreadable};
use super::openapi::operation::Operation;
use super::rehearsal_report::{Against, Bounds, Pair, Report, report};
use super::state::{AdminState, Draft, Overview};

/// Communications of one integration, where the wish names no number.
const LAST_DEFAULT: usize = 200;

/// The most communications of one integration: one answer is held in memory.
const LAST_MAX: usize = 1000;

/// The most communications of one answer over all integrations.
const ALL_MAX: usize = 5000;

/// What is to be rehearsed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "RehearsalWish")]
pub(super) struct Wish {
    /// A tenant's file that is not in force, read as if it lay beside the others; without it the settings
    /// in force are compared with what was decided then.
    settings: Option<File>,
    /// Only this integration: tenant/integration.
    integration: Option<IntegrationKey>,
    /// Only this tenant.
    tenant: Option<TenantId>,
    /// Only what began at or after this time.
    #[schemars(with = "Option<Timestamp>")]
    since: Option<String>,
    /// The newest of each integration.
    #[serde(default, deserialize_with = "last")]
    #[schemars(range(min = 1, max = LAST_MAX), extend("default" = LAST_DEFAULT))]
    last: Option<usize>,
    /// Tell those that come to the same as well.
    #[serde(default)]
    all: bool,
    /// The language of reasons.
    lang: Option<Language>,
}

/// What settings would have made of recorded communications.
#[derive(Serialize, JsonSchema)]
struct Rehearsal {
    /// With what the outcome is compared.
    compared_with: Against,
    /// What differs.
    integrations: Vec<Report>,
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::post(
            "/v1/rehearsal",
            "Say what settings would have made of recorded communications. Nothing is sent or changed",
            rehearse,
        )
        .answers::<Rehearsal>(200, "What differs")
        .refuses(
            400,
            "The request cannot be read, or the settings have mistakes: then `mistakes` names every one",
        )
        .refuses(404, "There is no such tenant or integration")
        .refuses(503, "The store does not answer"),
    ]
}

/// Reads how many; a JSON number is whole with a fraction of nothing, too.
fn last<'de, D: Deserializer<'de>>(value: D) -> Result<Option<usize>, D::Error> {
    let wrong = || D::Error::custom(format!("last is a whole number from 1 to {LAST_MAX}"));
    match Option::<f64>::deserialize(value)? {
        None => Ok(None),
        Some(number) if number.fract() == 0.0 && (1.0..=LAST_MAX as f64).contains(&number) => {
            Ok(Some(number as usize))
        }
        Some(_) => Err(wrong()),
    }
}

/// A tenant's file.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "TenantFile")]
pub(super) struct File {
    /// Its name.
    pub(super) name: String,
    /// What stands in it.
    pub(super) text: String,
}

pub(super) async fn rehearse(
    state: web::Data<AdminState>,
    wish: Result<JsonBody<Wish>, actix_web::Error>,
) -> HttpResponse {
    let wish = match wish {
        Ok(wish) => wish.into_inner(),
        Err(error) => return unreadable(&error),
    };
    let since = match wish.since.as_deref().map(Timestamp::parse).transpose() {
        Ok(since) => since,
        Err(error) => {
            let members = [("parameter", json!("since"))];
            return problem_with(StatusCode::BAD_REQUEST, &error.to_string(), &members);
        }
    };
    let overview = state.overview.load_full();
    let draft = match wish.settings {
        None => None,
        Some(File { name, text }) => match read(&state, name, text).await {
            Ok(draft) => Some(draft),
            Err(refusal) => return refusal,
        },
    };
    let against = match draft {
        Some(_) => Against::SettingsInForce,
        None => Against::Decisions,
    };
    if let Some(draft) = &draft
        && !overview
            .sources
            .iter()
            .any(|one| one.key.tenant == draft.tenant)
    {
        let why = format!(
            "tenant {} is not in force: nothing is recorded of it",
            draft.tenant
        );
        return problem(StatusCode::NOT_FOUND, &why);
    }
    let pairs: Vec<Pair<'_>> = pairs(&overview, draft.as_ref())
        .into_iter()
        .filter(|pair| {
            let key = pair.integration;
            wish.integration.as_ref().is_none_or(|wanted| wanted == key)
                && wish
                    .tenant
                    .as_ref()
                    .is_none_or(|wanted| *wanted == key.tenant)
        })
        .collect();
    if pairs.is_empty() {
        return problem(StatusCode::NOT_FOUND, "there is no such integration");
    }
    let bounds = Bounds {
        since,
        last: wish.last.unwrap_or(LAST_DEFAULT),
        all: wish.all,
        language: wish.lang.unwrap_or(state.language),
    };
    let mut reports: Vec<Report> = Vec::new();
    let mut left = ALL_MAX;
    for pair in &pairs {
        let bounds = Bounds {
            last: bounds.last.min(left),
            ..bounds
        };
        match report(&state, &overview, pair, against, bounds).await {
            Ok(report) => {
                left = left.saturating_sub(report.counts.communications);
                reports.push(report);
            }
            Err(error) => return problem(StatusCode::SERVICE_UNAVAILABLE, &error.to_string()),
        }
    }
    HttpResponse::Ok().json(Rehearsal {
        compared_with: against,
        integrations: reports,
    })
}

/// Reads a tenant's file: files lie on a disk, so not on this thread.
pub(super) async fn read(
    state: &AdminState,
    name: String,
    text: String,
) -> Result<Draft, HttpResponse> {
    let drafts = state.drafts.clone();
    match web::block(move || drafts(&name, text)).await {
        Ok(Ok(draft)) => Ok(draft),
        Ok(Err(mistakes)) => {
            let title = format!("{} mistake(s) in the settings", mistakes.len());
            let members = [("mistakes", json!(mistakes))];
            Err(problem_with(StatusCode::BAD_REQUEST, &title, &members))
        }
        Err(error) => Err(problem(StatusCode::SERVICE_UNAVAILABLE, &error.to_string())),
    }
}

/// Puts together what is in force and what is rehearsed, integration by integration.
fn pairs<'a>(overview: &'a Overview, draft: Option<&'a Draft>) -> Vec<Pair<'a>> {
    let mut pairs = Vec::new();
    for candidate in &overview.settings {
        let rehearsed = match draft {
            None => Some(candidate),
            Some(draft) if draft.tenant == candidate.integration.tenant => {
                let mut settings = draft.settings.iter();
                settings.find(|one| one.integration == candidate.integration)
            }
            Some(_) => continue,
        };
        pairs.push(Pair {
            integration: &candidate.integration,
            in_force: Some(candidate),
            rehearsed,
        });
    }
    let known = |key: &IntegrationKey| {
        let mut settings = overview.settings.iter();
        settings.any(|one| one.integration == *key)
    };
    let new = draft.into_iter().flat_map(|draft| &draft.settings);
    let new = new.filter(|one| !known(&one.integration));
    pairs.extend(new.map(|one| Pair {
        integration: &one.integration,
        in_force: None,
        rehearsed: Some(one),
    }));
    pairs
}
