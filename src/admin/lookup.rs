//! Who a caller would reach, asked by an administrator: the same answer as a phone system gets, and
//! how it was found.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::explanation::Language;
use crate::model::ids::{SourceId, TenantId};
use crate::model::question::Answer;
use crate::problem::problem;
use crate::questions::desk::Ask;
use crate::questions::reason::{Found, Reason, route_words};

use super::openapi::operation::Operation;
use super::state::AdminState;

/// Who calls.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Query {
    /// The caller's number in any form; empty for a withheld one.
    phone: String,
    /// The company's number that was dialled.
    did: Option<String>,
    /// The employee whom an earlier answer named did not answer.
    #[serde(default)]
    redirect_failed: bool,
    /// The language of the explanation.
    lang: Option<Language>,
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get(
            "/v1/tenants/{tenant}/sources/{source}/lookup",
            "Whom a caller would reach: the answer that a phone system gets on the endpoint of questions, \
             and how it was found",
            lookup,
        )
        .answers::<Reply>(200, "The answer")
        .refuses(404, "There is no such source"),
    ]
}

/// Whom a caller would reach.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Lookup")]
struct Reply {
    #[serde(flatten)]
    answer: Answer,
    /// How it was found.
    explanation: Explanation,
}

/// How an answer was found.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "LookupExplanation")]
struct Explanation {
    /// What the route is.
    text: &'static str,
    /// What chose among several cards with the number.
    policy: Option<&'static str>,
    /// What counted, in order.
    reasons: Vec<Line>,
}

/// One thing that counted.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "LookupReason")]
struct Line {
    /// The row of the feature table.
    row: Option<&'static str>,
    /// In words.
    text: String,
    /// As data.
    detail: Reason,
}

pub(super) async fn lookup(
    state: web::Data<AdminState>,
    path: web::Path<(String, String)>,
    query: Result<web::Query<Query>, actix_web::Error>,
) -> HttpResponse {
    let (tenant, source) = path.into_inner();
    let (Ok(tenant), Ok(source)) = (tenant.parse::<TenantId>(), source.parse::<SourceId>()) else {
        return super::not_found();
    };
    let query = match query {
        Ok(query) => query.into_inner(),
        Err(error) => return problem(StatusCode::BAD_REQUEST, &error.to_string()),
    };
    let source = state
        .questions
        .table()
        .source(&format!("{tenant}/{source}"))
        .cloned();
    let Some(source) = source else {
        return problem(StatusCode::NOT_FOUND, "no such source is configured");
    };
    let ask = Ask {
        caller: &query.phone,
        did: query.did.as_deref(),
        redirect_failed: query.redirect_failed,
        within: None,
        explain: true,
    };
    let found = state.questions.find(&source, ask).await;
    HttpResponse::Ok().json(reply(found, query.lang.unwrap_or(state.language)))
}

fn reply(found: Found, language: Language) -> Reply {
    let line = |reason: Reason| Line {
        row: reason.row(),
        text: reason.words(language),
        detail: reason,
    };
    Reply {
        explanation: Explanation {
            text: route_words(found.answer.route, language),
            policy: found.policy,
            reasons: found.reasons.into_iter().map(line).collect(),
        },
        answer: found.answer,
    }
}
