//! The company itself: its name and clocks, its numbers (S1-25), and who is asked whom a caller should
//! reach. Shown with the tag of the file; each of the three is replaced as a whole.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::model::ids::TenantId;
use crate::problem::{problem, problem_with};

use super::body::{JsonBody, unreadable};
use super::edits::{InForce, carry_out, done, refused, shown};
use super::openapi::operation::Operation;
use super::seen::Seen;
use super::state::AdminState;
use super::tenant_files::{Change, CompanyInFile, Settings};

/// The most numbers of one company that are taken at once.
const NUMBERS_MAX: usize = 5000;

/// What is to be changed; what is not named stays.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "CompanyWish")]
pub(super) struct Wish {
    /// All of `[tenant]` but its id (docs/settings-reference.md).
    #[schemars(extend("propertyNames" = { "not": { "const": "id" } }))]
    company: Option<Settings>,
    /// All of the numbers.
    #[schemars(length(max = NUMBERS_MAX))]
    numbers: Option<Vec<Settings>>,
    /// All of `[questions]`.
    questions: Option<Settings>,
}

/// What the file of a company says of itself.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Company")]
struct Shown {
    /// Whose file it is.
    tenant: TenantId,
    #[serde(flatten)]
    written: CompanyInFile,
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get(
            "/v1/tenants/{tenant}/company",
            "What the file of a company says of itself: name and clocks, its numbers, and who is asked whom a \
             caller should reach",
            show,
        )
        .answers::<Shown>(200, "The company")
        .shows_etag()
        .refuses(404, "There is no such tenant's file")
        .refuses(503, "The file cannot be read now"),
        Operation::put(
            "/v1/tenants/{tenant}/company",
            "Replace what is named of that, each as a whole, in the company's file, and put it into force; what \
             does not differ stays as written",
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
    match state.files.company(tenant.clone()).await {
        Ok((written, revision)) => shown(&revision, &Shown { tenant, written }),
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
    let Wish {
        company,
        numbers,
        questions,
    } = match wish {
        Ok(wish) => wish.into_inner(),
        Err(error) => return unreadable(&error),
    };
    if company.is_none() && numbers.is_none() && questions.is_none() {
        let text = "say what is to be changed: company, numbers, questions";
        let members = [("parameter", json!("body"))];
        return problem_with(StatusCode::BAD_REQUEST, text, &members);
    }
    if numbers.as_ref().is_some_and(|all| all.len() > NUMBERS_MAX) {
        let text = format!("at most {NUMBERS_MAX} numbers");
        return problem(StatusCode::BAD_REQUEST, &text);
    }
    if company.as_ref().is_some_and(|all| all.contains_key("id")) {
        let text = "the id of a company never changes: leave it out";
        return problem(StatusCode::BAD_REQUEST, text);
    }
    let change = Change::Company {
        company,
        numbers,
        questions,
    };
    match carry_out(&state, seen, tenant, change).await {
        Ok(changed) => done(&changed),
        Err(refusal) => refusal,
    }
}
