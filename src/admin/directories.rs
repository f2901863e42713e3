//! The directories of portals: how far they are read, how fresh they are, and the wish to read.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::ids::PortalKey;
use crate::model::timestamp::Timestamp;
use crate::problem::problem;
use crate::store::directory::FullPass;

use super::body::{JsonBody, unreadable};
use super::openapi::operation::Operation;
use super::state::AdminState;

/// The directories of portals.
#[derive(Serialize, JsonSchema)]
struct Directories {
    /// Of all portals.
    items: Vec<DirectoryStatus>,
}

/// The portals that are read soon.
#[derive(Serialize, JsonSchema)]
struct DirectoriesAsked {
    /// Their keys.
    asked: Vec<PortalKey>,
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get(
            "/v1/directories",
            "The directories of portals: how far they are read, how fresh they are",
            list,
        )
        .answers::<Directories>(200, "The directories")
        .refuses(503, "The store cannot be read"),
        Operation::post(
            "/v1/directories/sync",
            "Read what changed in a portal now, or everything anew",
            sync,
        )
        .answers::<DirectoriesAsked>(202, "The portals that are asked soon")
        .refuses(404, "There is no such portal"),
    ]
}

/// One portal's directory.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Directory")]
struct DirectoryStatus {
    /// The portal.
    portal: PortalKey,
    /// Everything was read once: numbers that it does not hold are not in the CRM.
    complete: bool,
    /// What the CRM held then is here.
    as_of: Option<Timestamp>,
    /// How old that picture is, in seconds.
    age_s: Option<u64>,
    /// Communications are decided by it; else the CRM is asked about each client.
    decides: bool,
    /// Contacts, companies and leads.
    cards: u64,
    /// Open deals.
    deals: u64,
    /// When the last reading of everything began that came to its end.
    read_whole_at: Option<Timestamp>,
    /// The reading of everything that is under way.
    reading: Option<Reading>,
    /// What went wrong last.
    trouble: Option<String>,
    /// When that was.
    trouble_at: Option<Timestamp>,
}

/// A reading of everything.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "DirectoryReading")]
struct Reading {
    /// When it began.
    begun_at: Timestamp,
    /// Records that were read.
    records: u64,
    /// How many of them stood otherwise here.
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
    HttpResponse::Ok().json(Directories { items })
}

/// Which directory is to be read.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "DirectoryWish")]
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
        asked.push(portal.key.clone());
    }
    if asked.is_empty() && wanted.portal.is_some() {
        return problem(StatusCode::NOT_FOUND, "there is no such portal");
    }
    HttpResponse::Accepted().json(DirectoriesAsked { asked })
}
