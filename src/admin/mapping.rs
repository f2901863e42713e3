//! Who of a tenant is who in a CRM account, and who is nobody there (S1-06).

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use schemars::JsonSchema;
use serde::Serialize;

use crate::crm::DescribedAccount;
use crate::crm::account::status::description_row;
use crate::model::pairing::{Pairing, PortalUser, pairing};
use crate::model::timestamp::Timestamp;
use crate::problem::problem;

use super::openapi::operation::Operation;
use super::state::AdminState;

/// Who of the employees is which user of the account.
#[derive(Serialize, JsonSchema)]
struct Mapping {
    /// When the CRM listed its users.
    as_of: Timestamp,
    /// The CRM lets us list them.
    users_listed: bool,
    /// What does not work there, and why.
    limits: Vec<String>,
    /// Who is who.
    mapping: Pairing,
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get(
            "/v1/tenants/{tenant}/accounts/{account}/mapping",
            "Who of the employees is which user of the account, who is none, and who it may be",
            report,
        )
        .answers::<Mapping>(200, "The mapping")
        .refuses(404, "There is no such account")
        .refuses(503, "The account was not read yet"),
    ]
}

pub(super) async fn report(
    state: web::Data<AdminState>,
    path: web::Path<(String, String)>,
) -> HttpResponse {
    let (tenant, account) = path.into_inner();
    let overview = state.overview.load_full();
    let Some(found) = overview.account(&tenant, &account) else {
        return super::not_found();
    };
    let stored = match state.store.account(description_row(&found.portal)).await {
        Ok(stored) => stored,
        Err(error) => return problem(StatusCode::SERVICE_UNAVAILABLE, &error.to_string()),
    };
    // A row of another version that cannot be read is written anew at the next start.
    let read = stored.and_then(|value| serde_json::from_value::<DescribedAccount>(value).ok());
    let Some(described) = read else {
        return problem(
            StatusCode::SERVICE_UNAVAILABLE,
            "the account was not read yet: status says whether its CRM answers",
        );
    };
    let users: Vec<PortalUser> = described
        .account
        .users
        .into_iter()
        .map(|user| PortalUser {
            user: user.id,
            name: user.name,
            email: user.email,
            phone: user.phone,
            active: user.active,
        })
        .collect();
    let mut pairing = pairing(&found.employees, &found.account, &users);
    if users.is_empty() {
        // The CRM does not let us list them: that is no reason to call anybody gone.
        pairing.gone.clear();
    }
    HttpResponse::Ok().json(Mapping {
        as_of: described.as_of,
        users_listed: !users.is_empty(),
        limits: described.account.limits,
        mapping: pairing,
    })
}
