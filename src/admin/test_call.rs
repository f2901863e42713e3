//! The test call: where the next call of a number is on its way to the CRM.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::model::communication::{Address, Kind};
use crate::model::explanation::Language;
use crate::model::ids::{CommunicationKey, SourceId, SourceKey, TenantId};
use crate::model::phone::{Phone, Region};
use crate::model::timestamp::Timestamp;
use crate::problem::problem_with;
use crate::store::StoreError;
use crate::store::query::JournalSearch;

use super::openapi::operation::Operation;
use super::state::AdminState;
use super::stations::{Scene, Way, way};

/// Calls of the number, and of the source, that are looked at: the newest.
const CALLS_MAX: usize = 50;

/// Other numbers that are named.
const OTHERS_MAX: usize = 5;

/// Which call is followed, as it is asked for.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Query {
    /// The number that calls or is called, in any form.
    phone: String,
    /// Calls accepted at or after this time count; without it, now. Give the answer's since again.
    #[schemars(with = "Option<Timestamp>")]
    since: Option<String>,
    /// The call itself, as click-to-call named it.
    #[schemars(with = "Option<CommunicationKey>")]
    communication: Option<String>,
    /// The language of texts.
    lang: Option<Language>,
}

/// Where a call is on its way to the CRM.
#[derive(Serialize, JsonSchema)]
struct TestCall {
    /// When that was so.
    asked_at: Timestamp,
    /// Calls accepted at or after this time count.
    since: Timestamp,
    /// The number that is waited for.
    phone: Phone,
    /// The call, where it came.
    communication: Option<CommunicationKey>,
    #[serde(flatten)]
    way: Way,
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get(
            "/v1/tenants/{tenant}/sources/{source}/test-call",
            "Say where the next call of a number is on its way to the CRM; ask again until it is over",
            follow,
        )
        .answers::<TestCall>(200, "Where it is")
        .refuses(400, "The number or the time cannot be read")
        .refuses(404, "There is no such source")
        .refuses(503, "The store does not answer"),
    ]
}

pub(super) async fn follow(
    state: web::Data<AdminState>,
    path: web::Path<(String, String)>,
    query: Result<web::Query<Query>, actix_web::Error>,
) -> HttpResponse {
    let (tenant, source) = path.into_inner();
    let (Ok(tenant), Ok(source)) = (tenant.parse::<TenantId>(), source.parse::<SourceId>()) else {
        return super::not_found();
    };
    let key = SourceKey::new(tenant, source);
    let overview = state.overview.load_full();
    let Some(source) = overview.sources.iter().find(|one| one.key == key) else {
        let why = format!("there is no source {key}");
        return super::problem(StatusCode::NOT_FOUND, &why);
    };
    let query = match query {
        Ok(query) => query.into_inner(),
        Err(error) => return super::problem(StatusCode::BAD_REQUEST, &error.to_string()),
    };
    let asked_at = state.clock.now();
    let wish = match read(&query, asked_at) {
        Ok(wish) => wish,
        Err((parameter, why)) => {
            let members = [("parameter", json!(parameter))];
            return problem_with(StatusCode::BAD_REQUEST, &why, &members);
        }
    };
    let unavailable =
        |error: StoreError| super::problem(StatusCode::SERVICE_UNAVAILABLE, &error.to_string());
    let found = match find(&state, &key, &wish).await {
        Ok(found) => found,
        Err(error) => return unavailable(error),
    };
    let mut story = None;
    if let Some(communication) = &found.communication {
        story = match state.store.story(communication.clone()).await {
            Ok(story) => story,
            Err(error) => return unavailable(error),
        };
    }
    for work in story.iter_mut().flat_map(|story| &mut story.works) {
        state.say_what_it_waits_for(work);
    }
    let child = state.board.get(&format!("source {key}"));
    let way = way(&Scene {
        session: source.session,
        source: child.as_ref(),
        since: wish.since,
        phone: wish.phone.as_str(),
        story: story.as_ref(),
        others: &found.others,
        language: query.lang.unwrap_or(state.language),
    });
    HttpResponse::Ok().json(TestCall {
        asked_at,
        since: wish.since,
        phone: wish.phone,
        communication: story.map(|story| story.communication.snapshot.key),
        way,
    })
}

/// Which call is followed.
struct Wish {
    phone: Phone,
    since: Timestamp,
    communication: Option<CommunicationKey>,
}

fn read(query: &Query, asked_at: Timestamp) -> Result<Wish, (&'static str, String)> {
    let phone = Phone::parse(&query.phone, Region::default());
    let since = query.since.as_deref().map(Timestamp::parse).transpose();
    let communication = query.communication.as_deref().map(str::parse).transpose();
    Ok(Wish {
        phone: phone.map_err(|error| ("phone", error.to_string()))?,
        since: since
            .map_err(|error| ("since", error.to_string()))?
            .unwrap_or(asked_at),
        communication: communication.map_err(
            |error: <CommunicationKey as std::str::FromStr>::Err| {
                ("communication", error.to_string())
            },
        )?,
    })
}

/// The call that is followed, or who called instead.
#[derive(Default)]
struct Found {
    communication: Option<CommunicationKey>,
    others: Vec<String>,
}

/// Finds the call: the named one, else the first of the number that was accepted since.
async fn find(state: &AdminState, source: &SourceKey, wish: &Wish) -> Result<Found, StoreError> {
    if let Some(named) = &wish.communication {
        // It may not be reported yet.
        let stored = state.store.communication(named.clone()).await?;
        return Ok(Found {
            communication: stored.map(|stored| stored.snapshot.key),
            others: Vec::new(),
        });
    }
    let calls = |phone: Option<Phone>| JournalSearch {
        tenant: Some(source.tenant.clone()),
        kind: Some(Kind::Call),
        phone,
        limit: CALLS_MAX,
        ..JournalSearch::default()
    };
    let of_number = state.store.search(calls(Some(wish.phone.clone()))).await?;
    let first = of_number
        .into_iter()
        .filter(|call| call.snapshot.key.source == *source && call.accepted_at >= wish.since)
        .min_by_key(|call| call.accepted_at);
    if let Some(first) = first {
        return Ok(Found {
            communication: Some(first.snapshot.key),
            others: Vec::new(),
        });
    }
    let mut found = Found::default();
    for call in state.store.search(calls(None)).await? {
        if call.snapshot.key.source != *source || call.accepted_at < wish.since {
            continue;
        }
        for address in call.snapshot.body.addresses() {
            let Address::Phone(phone) = address else {
                continue;
            };
            let phone = phone.to_string();
            if !found.others.contains(&phone) && found.others.len() < OTHERS_MAX {
                found.others.push(phone);
            }
        }
    }
    Ok(found)
}
