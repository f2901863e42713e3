//! The people of a company and who they are in its CRMs (S1-06), shown with the tag of their file and
//! replaced as a whole. In the file only what differs is written anew.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use serde_json::json;

use crate::model::ids::TenantId;
use crate::problem::problem;

use super::body::{JsonBody, unreadable};
use super::edits::{carry_out, done, refused, shown};
use super::state::AdminState;
use super::tenant_files::{Change, Settings};

/// The most people of one company that are taken at once.
const PEOPLE_MAX: usize = 5000;

/// Who the people are to be.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wish {
    employees: Vec<Settings>,
}

pub(super) async fn show(state: web::Data<AdminState>, path: web::Path<String>) -> HttpResponse {
    let Ok(tenant) = path.into_inner().parse::<TenantId>() else {
        return super::not_found();
    };
    match state.files.employees(tenant.clone()).await {
        Ok((employees, revision)) => shown(
            &revision,
            json!({ "tenant": tenant }),
            &json!({ "path": "employees", "employees": employees }),
        ),
        Err(no) => refused(no),
    }
}

pub(super) async fn replace(
    state: web::Data<AdminState>,
    request: HttpRequest,
    path: web::Path<String>,
    wish: Result<JsonBody<Wish>, actix_web::Error>,
) -> HttpResponse {
    let Ok(tenant) = path.into_inner().parse::<TenantId>() else {
        return super::not_found();
    };
    let employees = match wish {
        Ok(wish) => wish.into_inner().employees,
        Err(error) => return unreadable(&error),
    };
    if employees.len() > PEOPLE_MAX {
        let text = format!("at most {PEOPLE_MAX} employees");
        return problem(StatusCode::BAD_REQUEST, &text);
    }
    match carry_out(&state, &request, tenant, Change::Employees(employees)).await {
        Ok(changed) => done(&changed, json!({})),
        Err(refusal) => refusal,
    }
}
