//! Steps that were refused for good, and what a person wants of them.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::model::ids::{CommunicationKey, IntegrationKey};
use crate::model::plan::Role;
use crate::problem::problem;
use crate::store::command::{Revival, Revive};

use super::state::AdminState;

/// The most dead letters that one request lists or changes.
const ITEMS_MAX: usize = 500;

pub(super) async fn list(state: web::Data<AdminState>) -> HttpResponse {
    match state.store.dead_letters(ITEMS_MAX, None).await {
        Ok(items) => HttpResponse::Ok().json(json!({ "items": items })),
        Err(error) => problem(StatusCode::SERVICE_UNAVAILABLE, &error.to_string()),
    }
}

/// Which dead letters are meant: those listed, or all of one integration.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    #[serde(default)]
    items: Vec<Item>,
    #[serde(default)]
    all_of: Option<IntegrationKey>,
}

#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Item {
    integration: IntegrationKey,
    communication: CommunicationKey,
    role: Role,
}

#[derive(Serialize)]
struct Refused {
    #[serde(flatten)]
    item: Item,
    why: String,
}

pub(super) async fn revive(
    state: web::Data<AdminState>,
    path: web::Path<String>,
    wanted: Result<web::Json<Wanted>, actix_web::Error>,
) -> HttpResponse {
    let revival = match path.as_str() {
        "retry" => Revival::Retry,
        "decide-again" => Revival::DecideAgain,
        "drop" => Revival::Drop,
        _ => return super::not_found(),
    };
    let wanted = match wanted {
        Ok(wanted) => wanted.into_inner(),
        Err(error) => return problem(StatusCode::BAD_REQUEST, &error.to_string()),
    };
    let (items, more) = match chosen(&state, wanted).await {
        Ok(chosen) => chosen,
        Err(response) => return response,
    };
    let mut done = 0_usize;
    let mut refused = Vec::new();
    let mut woken = Vec::new();
    for item in items {
        let Some(portal) = portal_of(&state, &item.integration) else {
            refused.push(Refused {
                item,
                why: "this integration is not configured".to_owned(),
            });
            continue;
        };
        let revive = Revive {
            integration: item.integration.clone(),
            communication: item.communication.clone(),
            role: item.role.clone(),
            revival,
            now: state.clock.now(),
            portal: portal.key.clone(),
        };
        match state.store.revive(revive).await {
            Ok(revived) => {
                done += 1;
                if let Some(id) = revived.work {
                    if let Ok(Some(work)) = state.store.work(id).await {
                        let mut lanes = portal.lanes();
                        woken.extend(lanes.insert(id, &work.integration, &work.addresses));
                    }
                    woken.push((revived.integration, id));
                }
            }
            Err(error) => refused.push(Refused {
                item,
                why: error.to_string(),
            }),
        }
    }
    state.handles.wake(woken);
    HttpResponse::Ok().json(json!({ "done": done, "refused": refused, "more": more }))
}

/// Returns the wanted items, and whether there are more than one request changes.
async fn chosen(state: &AdminState, wanted: Wanted) -> Result<(Vec<Item>, bool), HttpResponse> {
    if wanted.items.len() > ITEMS_MAX {
        return Err(problem(
            StatusCode::PAYLOAD_TOO_LARGE,
            &format!("at most {ITEMS_MAX} items in one request"),
        ));
    }
    let Some(integration) = wanted.all_of else {
        return Ok((wanted.items, false));
    };
    let letters = state
        .store
        .dead_letters_of(integration, ITEMS_MAX, None)
        .await
        .map_err(|error| problem(StatusCode::SERVICE_UNAVAILABLE, &error.to_string()))?;
    let more = letters.len() >= ITEMS_MAX;
    let all = letters.into_iter().map(|one| Item {
        integration: one.integration,
        communication: one.communication,
        role: one.role,
    });
    Ok((wanted.items.into_iter().chain(all).collect(), more))
}

fn portal_of(
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
