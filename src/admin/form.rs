//! What a page needs to let a person fill the settings in: their schema with named parts, the
//! variables of templates, and, of one integration, what its CRM can do and who there is.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use actix_web::{HttpResponse, web};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::model::communication::Kind;
use crate::model::explanation::Language;
use crate::model::ids::{IntegrationKey, SourceId};
use crate::model::plan::StepKind;
use crate::rules::{form, preview};

use super::edits::{Path, integration_in};
use super::language::{Asked, asked_for};
use super::openapi::operation::Operation;
use super::settings_schema::EMPLOYEE;
use super::state::AdminState;

const KINDS: [Kind; 3] = [Kind::Call, Kind::Chat, Kind::Request];

/// The same for every question: made of the program's own types.
static SETTINGS: LazyLock<Value> = LazyLock::new(form::schema);

/// What forms of settings are made of.
#[derive(Serialize, JsonSchema)]
struct SettingsForm {
    /// JSON Schema of an integration's settings.
    #[schemars(with = "Map<String, Value>")]
    settings: &'static Value,
    /// JSON Schema of an employee.
    #[schemars(with = "Map<String, Value>")]
    employee: &'static Value,
    /// The variables of templates by kind.
    variables: BTreeMap<Kind, Vec<TemplateVariable>>,
}

/// A variable of templates.
#[derive(Serialize, JsonSchema)]
struct TemplateVariable {
    /// Its name, as it stands between the braces.
    name: &'static str,
    /// What it says.
    meaning: &'static str,
    /// A value as it may come.
    sample: String,
}

/// What a form of an integration offers.
#[derive(Serialize, JsonSchema)]
struct IntegrationForm {
    /// The kinds of steps; null = its account is not in force.
    steps: Option<Vec<StepKind>>,
    /// The kinds of communications that its CRM takes; null = its account is not in force.
    kinds: Option<Vec<Kind>>,
    /// The sources of its tenant.
    sources: Vec<SourceChoice>,
}

/// A source that can be chosen.
#[derive(Serialize, JsonSchema)]
struct SourceChoice {
    /// Its id.
    id: SourceId,
    /// Its name.
    name: String,
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get(
            "/v1/settings/form",
            "The settings as a schema with named parts, for forms: what a text names stands beside it as \
             x-shape; and the variables of templates",
            of_settings,
        )
        .answers::<SettingsForm>(200, "What forms are made of")
        .refuses(400, "lang is neither"),
        Operation::get(
            "/v1/tenants/{tenant}/integrations/{integration}/form",
            "What an integration's CRM can do, and the sources of its tenant: what a form offers",
            of_integration,
        )
        .answers::<IntegrationForm>(200, "What can be chosen")
        .refuses(404, "It is not in force"),
    ]
}

pub(super) async fn of_settings(state: web::Data<AdminState>, query: Asked) -> HttpResponse {
    let language = match asked_for(query, &state) {
        Ok(language) => language,
        Err(wrong) => return wrong.answer(),
    };
    HttpResponse::Ok().json(SettingsForm {
        settings: &SETTINGS,
        employee: &EMPLOYEE,
        variables: variables(language),
    })
}

/// Lists the variables of templates by kind, each with meaning and sample.
fn variables(language: Language) -> BTreeMap<Kind, Vec<TemplateVariable>> {
    let of = |kind| {
        let variables = preview::variables(kind).iter();
        variables
            .map(|one| {
                let meaning = match language {
                    Language::Ru => one.meaning_ru,
                    Language::En => one.meaning_en,
                };
                TemplateVariable {
                    name: one.name,
                    meaning,
                    sample: one.sample_text(),
                }
            })
            .collect()
    };
    KINDS.into_iter().map(|kind| (kind, of(kind))).collect()
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
    let sources = sources
        .filter(|source| source.key.tenant == key.tenant)
        .map(|source| SourceChoice {
            id: source.key.source.clone(),
            name: source.name.clone(),
        })
        .collect();
    HttpResponse::Ok().json(IntegrationForm {
        steps: steps.map(Iterator::collect),
        kinds,
        sources,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_variable_is_told_with_meaning_and_sample_in_both_languages() {
        for language in [Language::Ru, Language::En] {
            let variables = variables(language);
            assert_eq!(variables.len(), KINDS.len());
            for one in variables.values().flatten() {
                for text in [one.name, one.meaning, one.sample.as_str()] {
                    assert!(!text.is_empty(), "{}", one.name);
                }
            }
        }
    }

    #[test]
    fn an_employee_has_a_schema_of_its_own() {
        assert!(EMPLOYEE["properties"]["users"].is_object());
    }
}
