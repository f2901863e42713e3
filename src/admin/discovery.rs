//! A look around in a source: what is there, and what of it is configured.

use std::sync::Arc;

use crate::model::discovery::Discovery;
use crate::model::employee::Employees;
use crate::model::ids::{SourceId, SourceKey, TenantId};
use crate::pbx::{DiscoverError, Discoverer, ListenerError};
use crate::problem::problem;
use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};

use super::language::LanguageQuery;
use super::openapi::operation::Operation;
use super::state::AdminState;

/// A source in which one can look around.
#[derive(Clone)]
pub struct Discoverable {
    /// Its key.
    pub key: SourceKey,
    /// Who looks.
    pub discoverer: Arc<dyn Discoverer>,
    /// The people of the tenant, who may have extensions there.
    pub employees: Arc<Employees>,
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get(
            "/v1/tenants/{tenant}/sources/{source}/discovery",
            "Look around in the phone system: what there is, what it seems to be and why, and what to \
             configure. Nothing is changed there",
            discover,
        )
        .answers::<Discovery>(200, "What was found")
        .refuses(404, "There is no such source")
        .refuses(409, "One cannot look around in a source of this kind")
        .refuses(429, "Somebody is looking around there now")
        .refuses(502, "The phone system cannot be reached or does not let us in")
        .refuses(503, "The store does not answer")
        .refuses(504, "The phone system did not tell everything in time"),
    ]
}

pub(super) async fn discover(
    state: web::Data<AdminState>,
    path: web::Path<(String, String)>,
    query: Result<web::Query<LanguageQuery>, actix_web::Error>,
) -> HttpResponse {
    let language = match query {
        Ok(query) => query.lang.unwrap_or(state.language),
        Err(error) => return problem(StatusCode::BAD_REQUEST, &error.to_string()),
    };
    let (tenant, source) = path.into_inner();
    let (Ok(tenant), Ok(source)) = (tenant.parse::<TenantId>(), source.parse::<SourceId>()) else {
        return super::not_found();
    };
    let key = SourceKey::new(tenant, source);
    let overview = state.overview.load_full();
    if !overview.sources.iter().any(|one| one.key == key) {
        return problem(StatusCode::NOT_FOUND, &format!("there is no source {key}"));
    }
    let mut places = overview.discoverable.iter();
    let Some(place) = places.find(|one| one.key == key) else {
        let text = format!("source {key} is posted to: there is nothing to look around in");
        return problem(StatusCode::CONFLICT, &text);
    };
    match place.discoverer.discover(language).await {
        Ok(mut found) => {
            found.compare(&key.source, &place.employees);
            HttpResponse::Ok().json(found)
        }
        Err(error) => {
            let status = match &error {
                DiscoverError::Busy => StatusCode::TOO_MANY_REQUESTS,
                DiscoverError::Late { .. } => StatusCode::GATEWAY_TIMEOUT,
                DiscoverError::Session(ListenerError::Sink(_)) => StatusCode::SERVICE_UNAVAILABLE,
                DiscoverError::Session(_) => StatusCode::BAD_GATEWAY,
            };
            problem(status, &error.to_string())
        }
    }
}
