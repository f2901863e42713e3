//! What is left to be done until events come in and reach the CRM: where each source and CRM is told
//! to send what, and what was seen of it. Secrets are named, never shown.

use std::collections::HashMap;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use schemars::JsonSchema;
use serde::Serialize;

use crate::integration::context::board_name;
use crate::integration::status::ChildStatus;
use crate::model::activity::Activity;
use crate::model::explanation::Language;
use crate::model::ids::{CommunicationKey, IntegrationKey, SourceKey, TenantId};
use crate::model::ledger::{LedgerStep, StepState};
use crate::model::timestamp::Timestamp;
use crate::problem::problem;
use crate::store::StoreError;
use crate::store::query::{JournalOutcome, JournalSearch, SEARCH_ROWS_MAX};

use super::language::{Asked, asked_for};
use super::openapi::operation::Operation;
use super::state::{AdminState, DoorOwner, Overview};

/// Stands in an address where the secret belongs.
const SECRET: &str = "SECRET";

/// How many communications are looked at for one of which something was made.
const LOOKED_AT_MAX: usize = 20;

/// A communication as the guide names it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "GuideCommunication")]
struct Seen {
    /// Which.
    key: CommunicationKey,
    /// When it was first accepted.
    accepted_at: Timestamp,
}

/// What is left to be done until events come in and reach the CRM.
#[derive(Serialize, JsonSchema)]
struct Guide {
    /// The address under which the outside reaches us.
    public_url: Option<String>,
    /// The sources of all companies.
    sources: Vec<GuideSource>,
    /// The integrations of all companies.
    integrations: Vec<GuideIntegration>,
}

/// What is done on the side of a source, and what was seen of it.
#[derive(Serialize, JsonSchema)]
struct GuideSource {
    /// Which.
    key: SourceKey,
    /// What it is.
    kind: String,
    /// Its name.
    name: String,
    /// It keeps a session up; else it is posted to.
    session: bool,
    /// Where it is told to send; SECRET stands where the secret belongs.
    address: Option<String>,
    /// What is pasted into its own pages.
    texts: Vec<GuideText>,
    /// How its session is.
    state: Option<ChildStatus>,
    /// The newest that came of it.
    last: Option<Seen>,
    /// The integrations that take something of it.
    taken_by: Vec<IntegrationKey>,
}

/// A text to be pasted.
#[derive(Serialize, JsonSchema)]
struct GuideText {
    /// What the page calls the place it belongs to.
    title: &'static str,
    /// The text.
    text: String,
}

/// What is done on the side of a CRM, and what was seen of it.
#[derive(Serialize, JsonSchema)]
struct GuideIntegration {
    /// Which.
    key: IntegrationKey,
    /// Its CRM.
    crm: String,
    /// Whether it works.
    activity: Activity,
    /// Where its CRM is told to send; SECRET stands where the secret belongs.
    address: Option<String>,
    /// What a person must do about the account.
    alarm: Option<String>,
    /// When the CRM last answered as it should.
    last_success_at: Option<Timestamp>,
    /// How it is.
    state: Option<ChildStatus>,
    /// The newest communication of which it made something, among the last ones.
    last_done: Option<Seen>,
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get(
            "/v1/guide",
            "What is left to be done until events come in and reach the CRM: where each source and CRM is \
             told to send what, and what was seen of it. Secrets are named, never shown",
            show,
        )
        .answers::<Guide>(200, "The guide")
        .refuses(400, "lang is neither")
        .refuses(503, "The store does not answer now"),
    ]
}

pub(super) async fn show(state: web::Data<AdminState>, query: Asked) -> HttpResponse {
    let language = match asked_for(query, &state) {
        Ok(language) => language,
        Err(wrong) => return wrong.answer(),
    };
    let overview = state.overview.load_full();
    match (
        sources(&state, &overview, language).await,
        integrations(&state, &overview).await,
    ) {
        (Ok(sources), Ok(integrations)) => HttpResponse::Ok().json(Guide {
            public_url: overview.public_url.clone(),
            sources,
            integrations,
        }),
        (Err(error), _) | (_, Err(error)) => {
            problem(StatusCode::SERVICE_UNAVAILABLE, &error.to_string())
        }
    }
}

async fn sources(
    state: &AdminState,
    overview: &Overview,
    language: Language,
) -> Result<Vec<GuideSource>, StoreError> {
    let mut last: HashMap<SourceKey, Seen> = HashMap::new();
    let mut tenants: Vec<&TenantId> = overview.sources.iter().map(|one| &one.key.tenant).collect();
    tenants.sort();
    tenants.dedup();
    for tenant in tenants {
        for stored in newest(state, tenant, None, SEARCH_ROWS_MAX).await? {
            last.entry(stored.key.source.clone()).or_insert(stored);
        }
    }
    let place = match language {
        Language::Ru => 0,
        Language::En => 1,
    };
    let told = overview.sources.iter().map(|source| {
        let owner = DoorOwner::Source(source.key.clone());
        let door = overview.doors.iter().find(|door| door.of == owner);
        let texts = door.map(|door| door.texts.as_slice()).unwrap_or_default();
        let texts = texts
            .iter()
            .map(|one| GuideText {
                title: one.titles[place],
                text: one.text.clone(),
            })
            .collect();
        let child = state.board.get(&format!("source {}", source.key));
        let takers = overview.settings.iter();
        let takers = takers
            .filter(|one| one.integration.tenant == source.key.tenant)
            .filter(|one| {
                one.takes
                    .iter()
                    .any(|(taken, _)| *taken == source.key.source)
            })
            .map(|one| one.integration.clone())
            .collect();
        GuideSource {
            key: source.key.clone(),
            kind: source.kind.clone(),
            name: source.name.clone(),
            session: source.session,
            address: door.map(|door| address(overview, &door.path)),
            texts,
            state: child,
            last: last.get(&source.key).cloned(),
            taken_by: takers,
        }
    });
    Ok(told.collect())
}

async fn integrations(
    state: &AdminState,
    overview: &Overview,
) -> Result<Vec<GuideIntegration>, StoreError> {
    let mut found = Vec::new();
    for integration in &overview.integrations {
        let owner = DoorOwner::Integration(integration.key.clone());
        let door = overview.doors.iter().find(|door| door.of == owner);
        let mut portals = overview.portals.iter();
        let portal = portals.find(|one| one.key == integration.portal);
        let mut accounts = overview.accounts.iter();
        let account = accounts.find(|one| one.portal == integration.portal);
        let alarm = match account {
            Some(account) => account.adapter.alarm().await,
            None => None,
        };
        let done = last_made(state, &integration.key).await?;
        found.push(GuideIntegration {
            key: integration.key.clone(),
            crm: integration.crm.clone(),
            activity: integration.activity,
            address: door.map(|door| address(overview, &door.path)),
            alarm,
            last_success_at: portal.and_then(|one| one.http.status().last_success_at),
            state: state.board.get(&board_name(&integration.key)),
            last_done: done,
        });
    }
    Ok(found)
}

/// Returns the newest communication of which an integration has made something, among the last ones.
async fn last_made(state: &AdminState, key: &IntegrationKey) -> Result<Option<Seen>, StoreError> {
    let done = Some(JournalOutcome::Done);
    for seen in newest(state, &key.tenant, done, LOOKED_AT_MAX).await? {
        let Some(story) = state.store.story(seen.key.clone()).await? else {
            continue;
        };
        let mut ledgers = story.ledgers.iter().filter(|(one, _)| one == key);
        let is_made = |step: &LedgerStep| matches!(step.state, StepState::Done { .. });
        if ledgers.any(|(_, ledger)| ledger.steps.iter().any(is_made)) {
            return Ok(Some(seen));
        }
    }
    Ok(None)
}

/// Returns an address to be pasted elsewhere; without an outside address, its path.
fn address(overview: &Overview, path: &str) -> String {
    let base = overview.public_url.as_deref().unwrap_or_default();
    format!("{base}{path}{SECRET}")
}

async fn newest(
    state: &AdminState,
    tenant: &TenantId,
    outcome: Option<JournalOutcome>,
    limit: usize,
) -> Result<Vec<Seen>, StoreError> {
    let search = JournalSearch {
        tenant: Some(tenant.clone()),
        phone: None,
        from: None,
        until: None,
        outcome,
        kind: None,
        after: None,
        limit,
    };
    let page = state.store.search_page(search).await?;
    let seen = page.found.into_iter().map(|stored| Seen {
        key: stored.snapshot.key,
        accepted_at: stored.accepted_at,
    });
    Ok(seen.collect())
}
