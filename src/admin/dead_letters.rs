//! Steps that were refused for good, and what a person wants of them.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use futures_util::future::join_all;
use schemars::JsonSchema;
use serde::de::IntoDeserializer as _;
use serde::{Deserialize, Serialize};

use crate::integration::portal::Freed;
use crate::model::ids::{CommunicationKey, IntegrationKey};
use crate::model::plan::{Role, StepKey};
use crate::model::timestamp::Timestamp;
use crate::problem::problem;
use crate::store::StoreError;
use crate::store::command::{Revival, Revive};
use crate::store::query::DeadLetter;

use super::body::{JsonBody, unreadable};
use super::openapi::operation::Operation;
use super::state::AdminState;

/// The most dead letters that one request lists or changes.
const ITEMS_MAX: usize = 500;

/// The most dead letters that one request looks through for a filter.
const LOOK_MAX: usize = 10_000;

/// Wishes that are on their way to the store at once. Each is a transaction of its own, and those
/// that wait together share a sync; more would hold up what intake has to write.
const AT_ONCE: usize = 32;

/// Which dead letters are listed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Query {
    /// Only this integration's (tenant/integration).
    integration: Option<IntegrationKey>,
    /// Only those whose reason holds these words.
    reason: Option<String>,
}

/// Steps that were refused for good.
#[derive(Serialize, JsonSchema)]
struct DeadLetters {
    /// The first of them.
    items: Vec<DeadLetter>,
    /// There are more, or may be.
    more: bool,
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/v1/dead-letters", "Steps that were refused for good", list)
            .answers::<DeadLetters>(200, "The dead letters")
            .refuses(503, "The store does not answer"),
        Operation::post(
            "/v1/dead-letters/{wish}",
            "Try dead letters again as they are, decide them again, or drop them",
            revive,
        )
        .names::<Wish>("wish", "What is to become of them")
        .answers::<Changed>(200, "What was changed")
        .refuses(404, "There is no such wish")
        .refuses(413, "The body is too long, or names too many dead letters")
        .refuses(503, "The store does not answer"),
    ]
}

/// What is to become of dead letters.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
enum Wish {
    Retry,
    DecideAgain,
    Drop,
}

impl Wish {
    /// Reads the word of a path.
    fn read(word: &str) -> Option<Self> {
        let word: serde::de::value::StrDeserializer<'_, serde::de::value::Error> =
            word.into_deserializer();
        Self::deserialize(word).ok()
    }

    fn revival(self) -> Revival {
        match self {
            Wish::Retry => Revival::Retry,
            Wish::DecideAgain => Revival::DecideAgain,
            Wish::Drop => Revival::Drop,
        }
    }
}

pub(super) async fn list(
    state: web::Data<AdminState>,
    query: Result<web::Query<Query>, actix_web::Error>,
) -> HttpResponse {
    let query = match query {
        Ok(query) => query.into_inner(),
        Err(error) => return problem(StatusCode::BAD_REQUEST, &error.to_string()),
    };
    let filter = Filter {
        integration: query.integration,
        reason: query.reason,
        until: None,
    };
    match filter.find(&state).await {
        Ok((items, more)) => HttpResponse::Ok().json(DeadLetters { items, more }),
        Err(error) => problem(StatusCode::SERVICE_UNAVAILABLE, &error.to_string()),
    }
}

/// Which dead letters are meant: those listed, or all that a filter lets through.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    /// These.
    #[serde(default)]
    #[schemars(extend("default" = []))]
    items: Vec<Item>,
    /// All dead letters of this integration (tenant/integration).
    #[serde(default)]
    all_of: Option<IntegrationKey>,
    /// All dead letters whose reason holds these words.
    #[serde(default)]
    reason: Option<String>,
    /// Only what had died by then; as_of of the answer before. Who repeats a request until there is no
    /// more does not meet what died of the wish itself again.
    #[serde(default)]
    as_of: Option<Timestamp>,
}

/// A dead letter by its names.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Item {
    /// Whose.
    integration: IntegrationKey,
    /// The communication.
    communication: CommunicationKey,
    /// The step.
    role: Role,
}

/// What was changed.
#[derive(Serialize, JsonSchema)]
struct Changed {
    /// How many it was done with.
    done: usize,
    /// Those with which it was not.
    refused: Vec<Refused>,
    /// Repeat the request with as_of: there are more.
    more: bool,
    /// What had died by then was looked at.
    as_of: Timestamp,
}

/// A dead letter with which it was not done.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "NotRevived")]
struct Refused {
    #[serde(flatten)]
    item: Item,
    /// Why.
    why: String,
}

/// Lets dead letters through.
struct Filter {
    integration: Option<IntegrationKey>,
    reason: Option<String>,
    until: Option<Timestamp>,
}

impl Filter {
    /// Returns the first of what it lets through, and whether there is or may be more.
    async fn find(&self, state: &AdminState) -> Result<(Vec<DeadLetter>, bool), StoreError> {
        let (mut found, mut looked, mut after) = (Vec::new(), 0, None);
        loop {
            let page = match &self.integration {
                Some(integration) => {
                    let integration = integration.clone();
                    let store = &state.store;
                    store.dead_letters_of(integration, ITEMS_MAX, after).await?
                }
                None => state.store.dead_letters(ITEMS_MAX, after).await?,
            };
            looked += page.len();
            let Some(last) = page.last() else {
                return Ok((found, false));
            };
            after = Some(StepKey {
                integration: last.integration.clone(),
                communication: last.communication.clone(),
                role: last.role.clone(),
            });
            for letter in page.into_iter().filter(|letter| self.lets_through(letter)) {
                if found.len() == ITEMS_MAX {
                    return Ok((found, true));
                }
                found.push(letter);
            }
            if looked >= LOOK_MAX {
                return Ok((found, true));
            }
        }
    }

    fn lets_through(&self, letter: &DeadLetter) -> bool {
        let said = self.reason.as_ref().is_none_or(|words| {
            let reason = letter.reason.to_lowercase();
            reason.contains(&words.to_lowercase())
        });
        said && self.until.is_none_or(|until| letter.at <= until)
    }
}

pub(super) async fn revive(
    state: web::Data<AdminState>,
    path: web::Path<String>,
    wanted: Result<JsonBody<Wanted>, actix_web::Error>,
) -> HttpResponse {
    let Some(revival) = Wish::read(&path).map(Wish::revival) else {
        return super::not_found();
    };
    let wanted = match wanted {
        Ok(wanted) => wanted.into_inner(),
        Err(error) => return unreadable(&error),
    };
    let as_of = wanted.as_of.unwrap_or_else(|| state.clock.now());
    let (items, more) = match chosen(&state, wanted, as_of).await {
        Ok(chosen) => chosen,
        Err(response) => return response,
    };
    let mut done = 0;
    let mut refused = Vec::new();
    let mut woken = Vec::new();
    for part in items.chunks(AT_ONCE) {
        let wishes = part.iter().map(|item| one(&state, item, revival));
        for (item, outcome) in part.iter().zip(join_all(wishes).await) {
            match outcome {
                Ok(works) => {
                    done += 1;
                    woken.extend(works);
                }
                Err(why) => refused.push(Refused {
                    item: item.clone(),
                    why,
                }),
            }
        }
        state.handles.wake(std::mem::take(&mut woken));
    }
    HttpResponse::Ok().json(Changed {
        done,
        refused,
        more,
        as_of,
    })
}

/// Carries out the wish about one dead letter; returns the works to be woken, or why not.
async fn one(state: &AdminState, item: &Item, revival: Revival) -> Result<Freed, String> {
    let portal = portal_of(state, &item.integration)
        .ok_or_else(|| "this integration is not configured".to_owned())?;
    let revive = Revive {
        integration: item.integration.clone(),
        communication: item.communication.clone(),
        role: item.role.clone(),
        revival,
        now: state.clock.now(),
        portal: portal.key.clone(),
    };
    let revived = state.store.revive(revive).await;
    let revived = revived.map_err(|error| error.to_string())?;
    let mut woken = Vec::new();
    if let Some(id) = revived.work {
        if let Ok(Some(work)) = state.store.work(id).await {
            let mut lanes = portal.lanes();
            woken.extend(lanes.insert(id, &work.integration, &work.addresses));
        }
        woken.push((revived.integration, id));
    }
    Ok(woken)
}

/// Returns the wanted items, and whether there are more than one request changes.
async fn chosen(
    state: &AdminState,
    wanted: Wanted,
    as_of: Timestamp,
) -> Result<(Vec<Item>, bool), HttpResponse> {
    if wanted.items.len() > ITEMS_MAX {
        return Err(problem(
            StatusCode::PAYLOAD_TOO_LARGE,
            &format!("at most {ITEMS_MAX} items in one request"),
        ));
    }
    if wanted.all_of.is_none() && wanted.reason.is_none() {
        return Ok((wanted.items, false));
    }
    let filter = Filter {
        integration: wanted.all_of,
        reason: wanted.reason,
        until: Some(as_of),
    };
    let (letters, more) = filter
        .find(state)
        .await
        .map_err(|error| problem(StatusCode::SERVICE_UNAVAILABLE, &error.to_string()))?;
    let all = letters.into_iter().map(|one| Item {
        integration: one.integration,
        communication: one.communication,
        role: one.role,
    });
    Ok((wanted.items.into_iter().chain(all).collect(), more))
}

pub(super) fn portal_of(
    state: &AdminState,
    integration: &IntegrationKey,
) -> Option<std::sync::Arc<crate::integration::portal::Portal>> {
    let overview = state.overview.load();
    let portal = &overview
        .integrations
        .iter()
        .find(|one| one.key == *integration)?
        .portal;
    overview
        .portals
        .iter()
        .find(|one| one.key == *portal)
        .cloned()
}
