//! The language in which a question is to be answered, where that is all that it may name.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::model::explanation::Language;
use crate::problem::problem;

use super::state::AdminState;

/// In which language texts are wanted.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LanguageQuery {
    /// The language of reasons and remarks; the first tenant's unless given.
    pub(super) lang: Option<Language>,
}

/// What a question named.
pub(super) type Asked = Result<web::Query<LanguageQuery>, actix_web::Error>;

/// A question named something else.
pub(super) struct NoLanguage;

impl NoLanguage {
    /// Answers it.
    pub(super) fn answer(self) -> HttpResponse {
        let title = "lang is ru or en, and nothing else can be asked for";
        problem(StatusCode::BAD_REQUEST, title)
    }
}

/// Returns the language that was asked for, or else the configured one.
pub(super) fn asked_for(query: Asked, state: &AdminState) -> Result<Language, NoLanguage> {
    match query {
        Ok(query) => Ok(query.lang.unwrap_or(state.language)),
        Err(_) => Err(NoLanguage),
    }
}
