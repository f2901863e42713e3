//! The people of a company and who they are in its CRMs (S1-06), shown with the tag of their file and
//! replaced as a whole. In the file only what differs is written anew.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::ids::TenantId;
use crate::problem::problem;

use super::body::{JsonBody, unreadable};
use super::edits::{InForce, carry_out, done, refused, shown};
use super::openapi::operation::Operation;
use super::seen::Seen;
use super::state::AdminState;
use super::tenant_files::{Change, Settings};

/// The most people of one company that are taken at once.
const PEOPLE_MAX: usize = 5000;

/// Who the people are to be.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "PeopleWish")]
pub(super) struct Wish {
    /// All of them.
    #[schemars(length(max = PEOPLE_MAX))]
    employees: Vec<Settings>,
}

/// The people of a company.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "WrittenPeople")]
struct Shown {
    /// Whose file it is.
    tenant: TenantId,
    /// With which the ways of mistakes begin.
    path: &'static str,
    /// As docs/settings-reference.md says.
    #[schemars(with = "Vec<Settings>")]
    employees: Vec<Value>,
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get(
            "/v1/tenants/{tenant}/employees",
            "The people of a company, as its file says them",
            show,
        )
        .answers::<Shown>(200, "The people")
        .shows_etag()
        .refuses(404, "There is no such tenant's file")
        .refuses(503, "The file cannot be read now"),
        Operation::put(
            "/v1/tenants/{tenant}/employees",
            "Replace the people of a company in its file, and put them into force; who does not differ stays \
             as written",
            replace,
        )
        .changes_file::<InForce>(200)
        .refuses(404, "There is no such tenant's file"),
    ]
}

pub(super) async fn show(state: web::Data<AdminState>, path: web::Path<String>) -> HttpResponse {
    let Ok(tenant) = path.into_inner().parse::<TenantId>() else {
        return super::not_found();
    };
    match state.files.employees(tenant.clone()).await {
        Ok((employees, revision)) => {
            let told = Shown {
                tenant,
                path: "employees",
                employees,
            };
            shown(&revision, &told)
        }
        Err(no) => refused(no),
    }
}

pub(super) async fn replace(
    state: web::Data<AdminState>,
    seen: Seen,
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
    match carry_out(&state, seen, tenant, Change::Employees(employees)).await {
        Ok(changed) => done(&changed),
        Err(refusal) => refusal,
    }
}
