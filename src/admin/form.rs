//! What a page needs to let a person fill the settings in: their schema with named parts, the
//! variables of templates, and, of one integration, what its CRM can do and who there is.

use std::sync::LazyLock;

use actix_web::{HttpResponse, web};
use serde_json::{Map, Value, json};

use crate::model::communication::Kind;
use crate::model::explanation::Language;
use crate::model::ids::IntegrationKey;
use crate::rules::{form, preview};

use super::edits::{Path, integration_in};
use super::language::{Asked, asked_for};
use super::settings_schema::EMPLOYEE;
use super::state::AdminState;

const KINDS: [Kind; 3] = [Kind::Call, Kind::Chat, Kind::Request];

/// The same for every question: made of the program's own types.
static SETTINGS: LazyLock<Value> = LazyLock::new(form::schema);

pub(super) async fn of_settings(state: web::Data<AdminState>, query: Asked) -> HttpResponse {
    let language = match asked_for(query, &state) {
        Ok(language) => language,
        Err(wrong) => return wrong.answer(),
    };
    HttpResponse::Ok().json(json!({
        "settings": &*SETTINGS,
        "employee": &*EMPLOYEE,
        "variables": variables(language),
    }))
}

/// Lists the variables of templates by kind, each with meaning and sample.
fn variables(language: Language) -> Map<String, Value> {
    let of = |kind| -> Value {
        let variables = preview::variables(kind).iter();
        variables
            .map(|one| {
                let meaning = match language {
                    Language::Ru => one.meaning_ru,
                    Language::En => one.meaning_en,
                };
                json!({ "name": one.name, "meaning": meaning, "sample": one.sample_text() })
            })
            .collect()
    };
    let kinds = KINDS.into_iter();
    kinds.map(|kind| (kind.to_string(), of(kind))).collect()
}

pub(super) async fn of_integration(state: web::Data<AdminState>, path: Path) -> HttpResponse {
    let Some((tenant, integration)) = integration_in(path) else {
        return super::not_found();
    };
    let key = IntegrationKey::new(tenant, integration);
    let overview = state.overview.load_full();
    let mut integrations = overview.integrations.iter();
    let Some(found) = integrations.find(|one| one.key == key) else {
        return super::not_found();
    };
    let mut accounts = overview.accounts.iter();
    let account = accounts.find(|one| one.portal == found.portal && one.tenant == key.tenant);
    let capabilities = account.map(|one| one.adapter.capabilities());
    let steps = capabilities.map(|able| able.steps.iter().map(|step| step.kind));
    let kinds = capabilities.map(|able| {
        let offered = |kind: &Kind| able.phases.iter().any(|(one, _)| one == kind);
        KINDS.into_iter().filter(offered).collect::<Vec<_>>()
    });
    let sources = overview.sources.iter();
    let sources: Vec<Value> = sources
        .filter(|source| source.key.tenant == key.tenant)
        .map(|source| json!({ "id": source.key.source, "name": source.name }))
        .collect();
    HttpResponse::Ok().json(json!({
        "steps": steps.map(Iterator::collect::<Vec<_>>),
        "kinds": kinds,
        "sources": sources,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_variable_is_told_with_meaning_and_sample_in_both_languages() {
        for language in [Language::Ru, Language::En] {
            let variables = variables(language);
            assert_eq!(variables.len(), KINDS.len());
            for one in variables.values().flat_map(|of| of.as_array()).flatten() {
                for key in ["name", "meaning", "sample"] {
                    let text = one[key].as_str().unwrap_or_default();
                    assert!(!text.is_empty(), "{key} of {one}");
                }
            }
        }
    }

    #[test]
    fn an_employee_has_a_schema_of_its_own() {
        assert!(EMPLOYEE["properties"]["users"].is_object());
    }
}
