//! Sources of a company: what there is to choose from, and changes of its file. A source is shown
//! with the tag of its file and replaced as a whole, but for its secrets, which are only ever set.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::model::ids::{SourceId, TenantId};
use crate::model::secret::Secret;
use crate::model::words::Words;
use crate::pbx::SettingTitle;
use crate::problem::problem;

use super::body::{JsonBody, unreadable_as};
use super::edits::{InForce, Path, carry_out, done, made, refused, secret_is_good, shown};
use super::openapi::operation::Operation;
use super::openapi::shapes::{Line, SecretWishesByName, TypedSecretsByName};
use super::seen::Seen;
use super::settings_schema::{COMPANY, CompanyParts, KindSecret, SOURCES};
use super::state::AdminState;
use super::tenant_files::{Change, NoChange, SecretWishes, Settings, TypedSecrets};

/// A source that is to be.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewSource {
    /// Its id in the file; it never changes.
    source: SourceId,
    /// One of those of /v1/source-kinds.
    #[schemars(with = "Line")]
    kind: String,
    /// What else stands in its table (docs/settings-reference.md): name, settings, numbers, questions,
    /// recordings; null takes a value away.
    #[serde(default)]
    #[schemars(extend("propertyNames" = { "not": { "enum": APART } }))]
    values: Settings,
    #[serde(default)]
    #[schemars(with = "TypedSecretsByName")]
    secrets: TypedSecrets,
}

/// What a source is to be.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "SourceWish")]
pub(super) struct Wish {
    /// All that stands in its table but id, kind and secrets (docs/settings-reference.md): name,
    /// settings, numbers, questions, recordings; null takes a value away.
    #[schemars(extend("propertyNames" = { "not": { "enum": APART } }))]
    values: Settings,
    #[serde(default)]
    #[schemars(with = "SecretWishesByName")]
    secrets: SecretWishes,
}

/// What a source is known by and its secrets, which are set beside the rest of its table.
const APART: [&str; 3] = ["id", "kind", "secrets"];

/// The kinds of source of this build.
#[derive(Serialize, JsonSchema)]
struct SourceKinds<'a> {
    /// In the order of the registry.
    items: Vec<SourceKind<'a>>,
    /// JSON Schema of what every source has.
    #[schemars(with = "Settings")]
    source: &'a Value,
    /// JSON Schemas of what a file says of the company.
    company: &'a CompanyParts,
}

/// A kind of source, with what it asks for.
#[derive(Serialize, JsonSchema)]
struct SourceKind<'a> {
    /// The word in files.
    kind: &'static str,
    /// What people call it.
    title: Words,
    /// What it is, and what is made ready on the other side before.
    hint: Words,
    /// What is asked first: keys of its settings, and secrets as secrets.NAME.
    first: &'static [&'static str],
    /// What its keys, its secrets (secrets.NAME) and the words of its choices (KEY=WORD) are called.
    titles: &'static [SettingTitle],
    /// JSON Schema of its settings.
    #[schemars(with = "Option<Settings>")]
    settings: Option<&'a Value>,
    /// Its secrets.
    secrets: Option<&'a [KindSecret]>,
}

/// A source as its tenant's file says it.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "WrittenSource")]
struct Shown {
    /// Whose file it is.
    tenant: TenantId,
    /// Its id there.
    source: SourceId,
    /// With which the ways of mistakes begin.
    path: String,
    /// What it is.
    kind: Option<String>,
    /// Everything that can be set but its secrets.
    values: Settings,
    /// The names of its secrets.
    secrets: Vec<String>,
}

/// A source that was added.
#[derive(Serialize, JsonSchema)]
struct SourceAdded {
    #[serde(flatten)]
    change: InForce,
    /// Its id.
    source: SourceId,
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get(
            "/v1/source-kinds",
            "The kinds of source of this build with what each asks for, and what every source and the \
             company have besides",
            kinds,
        )
        .answers::<SourceKinds<'_>>(200, "The kinds"),
        Operation::post(
            "/v1/tenants/{tenant}/sources",
            "Add a source to a company's file, and put it into force",
            add,
        )
        .changes_file::<SourceAdded>(201)
        .refuses(404, "No file is of this company"),
        Operation::get(
            "/v1/tenants/{tenant}/sources/{source}",
            "A source as its tenant's file says it",
            show,
        )
        .answers::<Shown>(200, "The source")
        .shows_etag()
        .refuses(404, "No tenant's file has this source")
        .refuses(503, "The file cannot be read now"),
        Operation::put(
            "/v1/tenants/{tenant}/sources/{source}",
            "Replace everything that can be set of a source in its tenant's file, and put it into force; its \
             id and kind never change, and secrets that are not named stay",
            replace,
        )
        .changes_file::<InForce>(200)
        .refuses(404, "No tenant's file has this source"),
        Operation::delete(
            "/v1/tenants/{tenant}/sources/{source}",
            "Take a source of which nothing is taken out of its tenant's file",
            remove,
        )
        .changes_file::<InForce>(200)
        .refuses(404, "No tenant's file has this source")
        .refuses(
            409,
            "An integration takes something of it, the daemon may not write the file, or it is written so \
             that only a person can change it: why",
        ),
    ]
}

/// Says what is wrong with a body that cannot be read. What was sent is not repeated: there may be a
/// secret in it.
const NO_WISH: &str = "the body cannot be read: values is an object, secrets an object of texts";

/// Returns the kinds of source of this build with what each asks for, and what every source and the
/// company have besides.
pub(super) async fn kinds(state: web::Data<AdminState>) -> HttpResponse {
    let overview = state.overview.load_full();
    let kinds = overview.source_kinds.iter();
    let items = kinds
        .map(|one| {
            let parts = SOURCES.kinds.get(one.kind);
            SourceKind {
                kind: one.kind,
                title: one.form.title,
                hint: one.form.hint,
                first: one.form.first,
                titles: one.form.titles,
                settings: parts.map(|parts| &parts.settings),
                secrets: parts.map(|parts| parts.secrets.as_slice()),
            }
        })
        .collect();
    HttpResponse::Ok().json(SourceKinds {
        items,
        source: &SOURCES.common,
        company: &COMPANY,
    })
}

pub(super) async fn show(state: web::Data<AdminState>, path: Path) -> HttpResponse {
    let Some((tenant, source)) = source_in(path) else {
        return super::not_found();
    };
    match state.files.source(tenant.clone(), source.clone()).await {
        Ok((written, revision)) => {
            let told = Shown {
                tenant,
                source,
                // Mistakes name values by their way through the file.
                path: format!("sources[{}]", written.place),
                kind: written.kind,
                values: written.values,
                secrets: written.secrets,
            };
            shown(&revision, &told)
        }
        Err(no) => refused(no),
    }
}

/// Adds a source. What is typed as a secret stands sealed in the file, and is shown never.
pub(super) async fn add(
    state: web::Data<AdminState>,
    seen: Seen,
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
    match carry_out(&state, seen, tenant, change).await {
        Ok(changed) => {
            let added = SourceAdded {
                change: InForce::of(&changed),
                source: wish.source,
            };
            made(&changed, &added)
        }
        Err(refusal) => refusal,
    }
}

pub(super) async fn replace(
    state: web::Data<AdminState>,
    seen: Seen,
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
    match carry_out(&state, seen, tenant, change).await {
        Ok(changed) => done(&changed),
        Err(refusal) => refusal,
    }
}

/// Takes a source out of the file, unless something is taken of it. What came of it stays in the
/// journal.
pub(super) async fn remove(state: web::Data<AdminState>, seen: Seen, path: Path) -> HttpResponse {
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
    match carry_out(&state, seen, tenant, Change::RemoveSource(source)).await {
        Ok(changed) => done(&changed),
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
    match APART.into_iter().find(|key| values.contains_key(*key)) {
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
