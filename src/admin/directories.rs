//! The directories of portals: how far they are read, how fresh they are, and the wish to read.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::model::ids::PortalKey;
use crate::model::timestamp::Timestamp;
use crate::problem::problem;
use crate::store::directory::FullPass;

use super::body::{JsonBody, unreadable};
use super::state::AdminState;

/// One portal's directory.
#[derive(Debug, Serialize)]
struct DirectoryStatus {
    portal: PortalKey,
    /// Everything was read once: numbers that it does not hold are not in the CRM.
    complete: bool,
    /// What the CRM held then is here.
    as_of: Option<Timestamp>,
    /// How old that picture is.
    age_s: Option<u64>,
    /// Calls are decided by it (else the CRM is asked about each client).
    decides: bool,
    cards: u64,
    deals: u64,
    /// When the last reading of everything began that came to its end.
    read_whole_at: Option<Timestamp>,
    /// The reading of everything that is under way.
    reading: Option<Reading>,
    /// What went wrong last, and when.
    trouble: Option<String>,
    trouble_at: Option<Timestamp>,
}

#[derive(Debug, Serialize)]
struct Reading {
    begun_at: Timestamp,
    records: u64,
    repaired: u64,
}

impl Reading {
    fn of(pass: FullPass) -> Self {
        Self {
            begun_at: pass.begun_at,
            records: pass.read,
            repaired: pass.repaired,
        }
    }
}

pub(super) async fn list(state: web::Data<AdminState>) -> HttpResponse {
    let overview = state.overview.load_full();
    let mut items = Vec::new();
    for portal in &overview.portals {
        let stored = match state.store.directory(portal.key.clone()).await {
            Ok(stored) => stored.unwrap_or_default(),
            Err(error) => return problem(StatusCode::SERVICE_UNAVAILABLE, &error.to_string()),
        };
        let child = state.board.get(&format!("directory {}", portal.key));
        let as_of = stored.state.complete_as_of;
        items.push(DirectoryStatus {
            portal: portal.key.clone(),
            complete: stored.state.mark.is_some(),
            as_of,
            age_s: as_of.map(|as_of| state.clock.now().since(as_of).as_secs()),
            decides: portal.freshness().as_of().is_some(),
            cards: stored.cards,
            deals: stored.deals,
            read_whole_at: stored.state.full_at,
            reading: stored.state.pass.map(Reading::of),
            trouble: child.as_ref().and_then(|child| child.last_error.clone()),
            trouble_at: child.and_then(|child| child.last_error_at),
        });
    }
    HttpResponse::Ok().json(json!({ "items": items }))
}

/// Which directory is to be read.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    /// The portal; every one where it is left out.
    #[serde(default)]
    portal: Option<PortalKey>,
    /// Everything is to be read anew, not only what changed.
    #[serde(default)]
    everything: bool,
}

pub(super) async fn sync(
    state: web::Data<AdminState>,
    wanted: Result<JsonBody<Wanted>, actix_web::Error>,
) -> HttpResponse {
    let wanted = match wanted {
        Ok(wanted) => wanted.into_inner(),
        Err(error) => return unreadable(&error),
    };
    let overview = state.overview.load_full();
    let mut asked = Vec::new();
    for portal in &overview.portals {
        if wanted.portal.as_ref().is_some_and(|key| *key != portal.key) {
            continue;
        }
        match wanted.everything {
            true => portal.freshness().wish_everything(),
            false => portal.freshness().wish_soon(),
        }
        // Whoever asks for clients wants employees, pipelines and fields as they are now, too.
        portal.book().doubt();
        asked.push(&portal.key);
    }
    if asked.is_empty() && wanted.portal.is_some() {
        return problem(StatusCode::NOT_FOUND, "there is no such portal");
    }
    HttpResponse::Accepted().json(json!({ "asked": asked }))
}
