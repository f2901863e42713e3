//! What a template gives before it is saved: mistakes, a made-up communication, and the last real ones
//! (S2-29). Reads only.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::call::Direction;
use crate::model::communication::{Body, Kind};
use crate::model::explanation::{Language, TemplateMiss};
use crate::model::facts::{Facts, FactsOrigin};
use crate::model::ids::{CommunicationKey, IntegrationKey, TenantId};
use crate::model::ledger::Ledger;
use crate::model::timestamp::Timestamp;
use crate::problem::problem;
use crate::rehearsal::Candidate;
use crate::rules::preview::{self, Purpose};
use crate::rules::settings::Template;
use crate::rules::situation::Situation;
use crate::store::StoreError;
use crate::store::query::{JournalSearch, StoredCommunication, Story};

use super::body::{JsonBody, unreadable};
use super::edits::{Path, integration_in};
use super::openapi::operation::Operation;
use super::state::{AccountOverview, AdminState};

/// How many real communications a preview shows.
const SHOWN_MAX: usize = 5;

/// How many communications are looked at for them: others went the other way, or to another
/// integration.
const LOOKED_AT_MAX: usize = 100;

/// The template to be tried.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "PreviewWish")]
pub(super) struct Wish {
    /// Of which communications.
    kind: Kind,
    /// The template.
    text: Template,
    /// What it is for: it bounds the length.
    #[serde(default)]
    #[schemars(extend("default" = "name"))]
    purpose: Purpose,
    /// Only calls of this direction.
    direction: Option<Direction>,
    /// The language of the reasons.
    lang: Option<Language>,
}

/// What a template gives.
#[derive(Serialize, JsonSchema)]
struct Preview {
    /// What is wrong with it.
    mistakes: Vec<String>,
    /// Of a made-up communication; null where nothing is left of the text.
    sample: Option<String>,
    /// Of real ones, newest first.
    items: Vec<Filled>,
}

/// What a template gives for a communication.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "PreviewItem")]
struct Filled {
    /// Which.
    key: CommunicationKey,
    /// When it began.
    started_at: Timestamp,
    /// The client's address.
    client: Option<String>,
    /// The text.
    text: Option<String>,
    /// Why there is no text.
    why: Option<String>,
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::post(
            "/v1/tenants/{tenant}/integrations/{integration}/preview",
            "Fill a template in before it is saved: its mistakes, a made-up communication, and the last \
             real ones that the integration decided. Reads only",
            preview,
        )
        .answers::<Preview>(200, "What it gives")
        .refuses(404, "The integration is not in force")
        .refuses(503, "The store does not answer now"),
    ]
}

pub(super) async fn preview(
    state: web::Data<AdminState>,
    path: Path,
    wish: Result<JsonBody<Wish>, actix_web::Error>,
) -> HttpResponse {
    let Some((tenant, integration)) = integration_in(path) else {
        return super::not_found();
    };
    let wish = match wish {
        Ok(wish) => wish.into_inner(),
        Err(error) => return unreadable(&error),
    };
    let key = IntegrationKey::new(tenant, integration);
    let overview = state.overview.load_full();
    let mut settings = overview.settings.iter();
    let Some(candidate) = settings.find(|one| one.integration == key) else {
        return super::not_found();
    };
    let mistakes = preview::mistakes(wish.kind, &wish.text);
    if !mistakes.is_empty() {
        return HttpResponse::Ok().json(Preview {
            mistakes,
            sample: None,
            items: Vec::new(),
        });
    }
    let language = wish.lang.unwrap_or(state.language);
    let sample = preview::sample(wish.kind, wish.purpose, &wish.text);
    let mut accounts = overview.accounts.iter();
    let account = accounts.find(|one| one.portal == candidate.portal && one.tenant == key.tenant);
    let items = match account {
        Some(account) => real(&state, candidate, account, &wish, language).await,
        None => Ok(Vec::new()),
    };
    match items {
        Ok(items) => HttpResponse::Ok().json(Preview {
            mistakes,
            sample: sample.ok(),
            items,
        }),
        Err(error) => problem(StatusCode::SERVICE_UNAVAILABLE, &error.to_string()),
    }
}

/// Fills a template in for the last communications that the integration decided.
async fn real(
    state: &AdminState,
    candidate: &Candidate,
    account: &AccountOverview,
    wish: &Wish,
    language: Language,
) -> Result<Vec<Filled>, StoreError> {
    let found = last(state, &candidate.integration.tenant, wish).await?;
    let mut items = Vec::new();
    for stored in found {
        if items.len() == SHOWN_MAX {
            break;
        }
        let key = stored.snapshot.key.clone();
        let Some(story) = state.store.story(key).await? else {
            continue;
        };
        if let Some(written) = written(&story, candidate, account, wish) {
            let (text, why) = match written {
                Ok(text) => (Some(text), None),
                Err(miss) => (None, Some(miss.text(language))),
            };
            let body = &story.communication.snapshot.body;
            items.push(Filled {
                key: story.communication.snapshot.key.clone(),
                started_at: body.started_at(),
                client: body.addresses().first().map(ToString::to_string),
                text,
                why,
            });
        }
    }
    Ok(items)
}

/// Returns the last communications of the kind, newest first.
async fn last(
    state: &AdminState,
    tenant: &TenantId,
    wish: &Wish,
) -> Result<Vec<StoredCommunication>, StoreError> {
    let search = JournalSearch {
        tenant: Some(tenant.clone()),
        phone: None,
        from: None,
        until: None,
        outcome: None,
        kind: Some(wish.kind),
        after: None,
        limit: LOOKED_AT_MAX,
    };
    let mut found = state.store.search_page(search).await?.found;
    found.retain(|stored| match &stored.snapshot.body {
        Body::Call { call } => wish.direction.is_none_or(|wanted| wanted == call.direction),
        Body::Chat { .. } | Body::Request { .. } => true,
    });
    Ok(found)
}

/// Returns what the template gives for one communication, with the client as the last decision of
/// this integration saw it; `None` = it decided nothing about it.
fn written(
    story: &Story,
    candidate: &Candidate,
    account: &AccountOverview,
    wish: &Wish,
) -> Option<Result<String, TemplateMiss>> {
    let mut ledgers = story.ledgers.iter();
    let (_, ledger) = ledgers.find(|(key, _)| *key == candidate.integration)?;
    let decision = ledger.decisions.last()?;
    let mut decisions = ledger.decisions.iter().rev();
    let facts = decisions.find_map(|one| one.facts.clone());
    let nobody = Facts {
        as_of: decision.at,
        origin: FactsOrigin::default(),
        contacts: Vec::new(),
        companies: Vec::new(),
        leads: Vec::new(),
        closed_leads: Vec::new(),
        fields: None,
    };
    let basis = &candidate.basis;
    let snapshot = &story.communication.snapshot;
    let source = &snapshot.key.source.source;
    let named = basis.source_names.get(source);
    // What was made of it since must not change what a new one would be called.
    let before = Ledger {
        first_time: ledger.first_time,
        ..Ledger::default()
    };
    let zone = TimeZone::get(&basis.time_zone).unwrap_or(TimeZone::UTC);
    let situation = Situation {
        snapshot,
        phase: decision.phase,
        work: decision.work,
        ledger: &before,
        settings: &basis.settings,
        employees: &basis.employees,
        account: basis.account.as_ref()?,
        capabilities: account.adapter.capabilities(),
        source_name: named.map_or(source.as_str(), String::as_str),
        time_zone: &zone,
        recording: None,
        now: decision.at,
    };
    preview::filled(
        &wish.text,
        wish.purpose,
        &situation,
        facts.as_ref().unwrap_or(&nobody),
    )
}
