//! The company itself: its name and clocks, its numbers (S1-25), and who is asked whom a caller should
//! reach. Shown with the tag of the file; each of the three is replaced as a whole.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use serde_json::json;

use crate::model::ids::TenantId;
use crate::problem::{problem, problem_with};

use super::body::{JsonBody, unreadable};
use super::edits::{carry_out, done, refused, shown};
use super::state::AdminState;
use super::tenant_files::{Change, Settings};

/// The most numbers of one company that are taken at once.
const NUMBERS_MAX: usize = 5000;

/// What is to be changed; what is not named stays.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wish {
    company: Option<Settings>,
    numbers: Option<Vec<Settings>>,
    questions: Option<Settings>,
}

pub(super) async fn show(state: web::Data<AdminState>, path: web::Path<String>) -> HttpResponse {
    let Ok(tenant) = path.into_inner().parse::<TenantId>() else {
        return super::not_found();
    };
    match state.files.company(tenant.clone()).await {
        Ok((written, revision)) => shown(&revision, json!({ "tenant": tenant }), &written),
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
    match carry_out(&state, &request, tenant, change).await {
        Ok(changed) => done(&changed, json!({})),
        Err(refusal) => refusal,
    }
}
