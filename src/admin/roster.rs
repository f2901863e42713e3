//! Who and what a source says that it has, and who of that is configured.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};

use crate::model::employee::Employees;
use crate::model::ids::{SourceId, SourceKey, TenantId};
use crate::model::roster::Roster;
use crate::pbx::{RosterError, RosterReader};
use crate::problem::problem;

use super::openapi::operation::Operation;
use super::state::AdminState;

/// A source that can list its people.
#[derive(Clone)]
pub struct RosterPlace {
    /// Its key.
    pub key: SourceKey,
    /// Who lists them.
    pub reader: Arc<dyn RosterReader>,
    /// The people of the tenant, who may be among them.
    pub employees: Arc<Employees>,
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get(
            "/v1/tenants/{tenant}/sources/{source}/roster",
            "List the people, groups and numbers that the phone system says that it has, and who of them is \
             configured. Nothing is changed there",
            read,
        )
        .answers::<Roster>(200, "What was listed")
        .refuses(404, "There is no such source")
        .refuses(
            409,
            "A source of this kind does not list its people, or its settings do not say how to ask",
        )
        .refuses(429, "The phone system takes no more questions for now")
        .refuses(
            502,
            "The phone system cannot be reached, does not let us in, or cannot be understood",
        ),
    ]
}

pub(super) async fn read(
    state: web::Data<AdminState>,
    path: web::Path<(String, String)>,
) -> HttpResponse {
    let (tenant, source) = path.into_inner();
    let (Ok(tenant), Ok(source)) = (tenant.parse::<TenantId>(), source.parse::<SourceId>()) else {
        return super::not_found();
    };
    let key = SourceKey::new(tenant, source);
    let overview = state.overview.load_full();
    if !overview.sources.iter().any(|one| one.key == key) {
        return problem(StatusCode::NOT_FOUND, &format!("there is no source {key}"));
    }
    let Some(place) = overview.rosters.iter().find(|one| one.key == key) else {
        let text = format!("source {key} does not list its people");
        return problem(StatusCode::CONFLICT, &text);
    };
    match place.reader.read().await {
        Ok(mut roster) => {
            roster.compare(&key.source, &place.employees);
            HttpResponse::Ok().json(roster)
        }
        Err(error) => {
            let status = match &error {
                RosterError::NotConfigured(_) => StatusCode::CONFLICT,
                RosterError::Busy(_) => StatusCode::TOO_MANY_REQUESTS,
                RosterError::Unreachable(_)
                | RosterError::Refused(_)
                | RosterError::Unreadable(_) => StatusCode::BAD_GATEWAY,
            };
            problem(status, &error.to_string())
        }
    }
}
