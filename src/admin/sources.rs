//! Sources of a company: what there is to choose from, and changes of its file. A source is shown
//! with the tag of its file and replaced as a whole, but for its secrets, which are only ever set.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::model::ids::{SourceId, TenantId};
use crate::model::secret::Secret;
use crate::problem::problem;

use super::body::{JsonBody, unreadable_as};
use super::edits::{Path, carry_out, done, made, refused, secret_is_good, shown};
use super::settings_schema::{COMPANY, SOURCES};
use super::state::AdminState;
use super::tenant_files::{Change, NoChange, SecretWishes, Settings, TypedSecrets};

/// A source that is to be.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewSource {
    source: SourceId,
    kind: String,
    /// What else stands in its table, secrets left out.
    #[serde(default)]
    values: Settings,
    #[serde(default)]
    secrets: TypedSecrets,
}

/// What a source is to be.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wish {
    /// All that stands in its table but id, kind and secrets.
    values: Settings,
    /// Secrets that are typed anew; `null` takes one away.
    #[serde(default)]
    secrets: SecretWishes,
}

/// Says what is wrong with a body that cannot be read. What was sent is not repeated: there may be a
/// secret in it.
const NO_WISH: &str = "the body cannot be read: values is an object, secrets an object of texts";

/// Returns the kinds of source of this build with what each asks for, and what every source and the
/// company have besides.
pub(super) async fn kinds(state: web::Data<AdminState>) -> HttpResponse {
    let overview = state.overview.load_full();
    let kinds = overview.source_kinds.iter();
    let items: Vec<Value> = kinds
        .map(|one| {
            let parts = SOURCES.kinds.get(one.kind);
            json!({
                "kind": one.kind,
                "title": one.form.title,
                "hint": one.form.hint,
                "first": one.form.first,
                "titles": one.form.titles,
                "settings": parts.map(|parts| &parts.settings),
                "secrets": parts.map(|parts| &parts.secrets),
            })
        })
        .collect();
    HttpResponse::Ok().json(json!({
        "items": items,
        "source": &SOURCES.common,
        "company": &*COMPANY,
    }))
}

pub(super) async fn show(state: web::Data<AdminState>, path: Path) -> HttpResponse {
    let Some((tenant, source)) = source_in(path) else {
        return super::not_found();
    };
    match state.files.source(tenant.clone(), source.clone()).await {
        Ok((written, revision)) => shown(
            &revision,
            json!({ "tenant": tenant, "source": source }),
            &json!({
                // Mistakes name values by their way through the file.
                "path": format!("sources[{}]", written.place),
                "kind": written.kind,
                "values": written.values,
                "secrets": written.secrets,
            }),
        ),
        Err(no) => refused(no),
    }
}

/// Adds a source. What is typed as a secret stands sealed in the file, and is shown never.
pub(super) async fn add(
    state: web::Data<AdminState>,
    request: HttpRequest,
    path: web::Path<String>,
    wish: Result<JsonBody<NewSource>, actix_web::Error>,
) -> HttpResponse {
    let Ok(tenant) = path.parse::<TenantId>() else {
        return super::not_found();
    };
    let wish = match wish {
        Ok(wish) => wish.into_inner(),
        Err(error) => {
            let text = format!("source and kind are needed; {NO_WISH}");
            return unreadable_as(&error, &text);
        }
    };
    let typed = wish
        .secrets
        .iter()
        .map(|(name, secret)| (name, Some(secret)));
    if let Err(no) = values_are_good(&wish.values).and(secrets_are_good(typed)) {
        return problem(StatusCode::BAD_REQUEST, &no);
    }
    let change = Change::AddSource {
        source: wish.source.clone(),
        kind: wish.kind,
        values: wish.values,
        secrets: wish.secrets,
    };
    match carry_out(&state, &request, tenant, change).await {
        Ok(changed) => made(&changed, json!({ "source": wish.source })),
        Err(refusal) => refusal,
    }
}

pub(super) async fn replace(
    state: web::Data<AdminState>,
    request: HttpRequest,
    path: Path,
    wish: Result<JsonBody<Wish>, actix_web::Error>,
) -> HttpResponse {
    let Some((tenant, source)) = source_in(path) else {
        return super::not_found();
    };
    let Wish { values, secrets } = match wish {
        Ok(wish) => wish.into_inner(),
        Err(error) => return unreadable_as(&error, NO_WISH),
    };
    let typed = secrets.iter().map(|(name, secret)| (name, secret.as_ref()));
    if let Err(no) = values_are_good(&values).and(secrets_are_good(typed)) {
        return problem(StatusCode::BAD_REQUEST, &no);
    }
    let change = Change::Source {
        source,
        values,
        secrets,
    };
    match carry_out(&state, &request, tenant, change).await {
        Ok(changed) => done(&changed, json!({})),
        Err(refusal) => refusal,
    }
}

/// Takes a source out of the file, unless something is taken of it. What came of it stays in the
/// journal.
pub(super) async fn remove(
    state: web::Data<AdminState>,
    request: HttpRequest,
    path: Path,
) -> HttpResponse {
    let Some((tenant, source)) = source_in(path) else {
        return super::not_found();
    };
    match takers(&state, &tenant, &source).await {
        Ok(takers) if !takers.is_empty() => {
            let text = format!(
                "the source is taken by {}: have it taken no more there, then remove it",
                takers.join(", ")
            );
            return problem(StatusCode::CONFLICT, &text);
        }
        Ok(_) => {}
        Err(no) => return refused(no),
    }
    match carry_out(&state, &request, tenant, Change::RemoveSource(source)).await {
        Ok(changed) => done(&changed, json!({})),
        Err(refusal) => refusal,
    }
}

/// Returns the names of the integrations that take something of a source.
async fn takers(
    state: &AdminState,
    tenant: &TenantId,
    source: &SourceId,
) -> Result<Vec<String>, NoChange> {
    let (written, _) = state.files.tenant(tenant.clone()).await?;
    let integrations = written.integrations.into_iter();
    let takers = integrations.filter(|(_, one)| {
        let mut takes = one.takes.iter();
        takes.any(|take| take.source == source.as_str())
    });
    Ok(takers.map(|(id, one)| one.title.unwrap_or(id)).collect())
}

fn source_in(path: Path) -> Option<(TenantId, SourceId)> {
    let (tenant, source) = path.into_inner();
    Some((tenant.parse().ok()?, source.parse().ok()?))
}

/// What a source is known by and its secrets have places of their own.
fn values_are_good(values: &Map<String, Value>) -> Result<(), String> {
    let apart = ["id", "kind", "secrets"];
    match apart.into_iter().find(|key| values.contains_key(*key)) {
        Some(key) => Err(format!("values cannot hold {key:?}: it is set beside them")),
        None => Ok(()),
    }
}

fn secrets_are_good<'a>(
    typed: impl Iterator<Item = (&'a String, Option<&'a Secret>)>,
) -> Result<(), String> {
    for (name, secret) in typed {
        secret_is_good(name, secret)?;
    }
    Ok(())
}
