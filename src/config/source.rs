//! Checks the sources of a tenant and builds them.

use serde_json::Value;

use crate::model::answering::SourceAnswering;
use crate::model::ids::{SourceId, SourceKey, TenantId};
use crate::model::number_rules::NumberRules;
use crate::model::phone::Region;
use crate::model::secret::{Secret, Secrets};
use crate::pbx::SourceIdentity;
use crate::pbx::registry::SourceKind;

use super::answering;
use super::configuration::SourceConfig;
use super::daemon::{TOKEN_BYTES_MIN, long_enough};
use super::fingerprint::FingerprintBuilder;
use super::key_path::KeyPath;
use super::kind_mistakes;
use super::mistake::Findings;
use super::names::{self, Unique};
use super::raw::{RawNumbers, RawSource};
use super::reading::Places;
use super::recordings;
use super::secret_place::{self, Owner};
use super::suggestion;
use super::tenant::Context;

/// The secrets that every kind may have: those of its HTTP path. Two overlap while one replaces
/// the other.
pub(super) const HOOK_SECRETS: [&str; 2] = ["hook", "hook_previous"];

/// The list of sources.
pub(super) const LIST: &str = "sources";

/// Turns the written sources into built ones; those with a mistake are left out.
pub(super) fn check(
    findings: &mut Findings<'_>,
    raw: &[RawSource],
    places: &Places,
    tenant: &TenantId,
    region: Region,
    context: &Context<'_>,
) -> Vec<SourceConfig> {
    let list = KeyPath::top().key(LIST);
    let mut ids = Unique::default();
    let mut sources = Vec::new();
    for (table, raw) in places.of(&list, raw) {
        let id: Option<SourceId> = ids.id(findings, &table, &raw.id);
        let label = raw.name.as_deref().unwrap_or(&raw.id);
        let name = names::name(findings, &table.key("name"), label);
        let numbers = numbers(findings, &table.key("numbers"), &raw.numbers, region);
        let path = table.key("questions");
        let questions = answering::source(findings, &path, &raw.questions, places, context);
        let Some(kind) = find_kind(findings, &table.key("kind"), &raw.kind, context) else {
            continue;
        };
        // Its own mistakes are looked for even where the identity is wrong.
        let identity = SourceIdentity {
            key: SourceKey::new(tenant.clone(), id.clone().unwrap_or_else(stand_in)),
            numbers: numbers.clone().unwrap_or_default(),
        };
        let built = build(findings, &table, raw, kind, identity, context);
        if let (Some(built), Some(name), Some(_)) = (built, name, id) {
            sources.push(SourceConfig {
                name,
                numbers: numbers.unwrap_or_default(),
                answering: questions.unwrap_or_default(),
                ..built
            });
        }
    }
    sources
}

fn stand_in() -> SourceId {
    "unnamed"
        .parse()
        .expect("the word keeps the rules of identifiers")
}

fn find_kind<'a>(
    findings: &mut Findings<'_>,
    path: &KeyPath,
    word: &str,
    context: &Context<'a>,
) -> Option<&'a SourceKind> {
    let kinds = context.registries.sources;
    let found = kinds.iter().find(|kind| kind.name == word);
    if found.is_none() {
        let hint = suggestion::hint(word, kinds.iter().map(|kind| kind.name));
        findings.mistake(path, format!("there is no kind of source {word:?}; {hint}"));
    }
    found
}

fn numbers(
    findings: &mut Findings<'_>,
    table: &KeyPath,
    raw: &RawNumbers,
    region: Region,
) -> Option<NumberRules> {
    let region = match &raw.region {
        None => Some(region),
        Some(text) => findings.take(&table.key("region"), text.parse()),
    };
    Some(NumberRules {
        region: region?,
        incoming: raw.incoming.clone(),
        outgoing: raw.outgoing.clone(),
    })
}

fn build(
    findings: &mut Findings<'_>,
    table: &KeyPath,
    raw: &RawSource,
    kind: &SourceKind,
    identity: SourceIdentity,
    context: &Context<'_>,
) -> Option<SourceConfig> {
    let others = HOOK_SECRETS.iter().chain(&[recordings::SECRET]);
    let known: Vec<&str> = kind.secrets.iter().chain(others).copied().collect();
    let path = table.key("secrets");
    let owner = Owner {
        tenant: identity.key.tenant.as_str(),
        list: LIST,
        id: &raw.id,
    };
    let opener = context.opener();
    let fetched = secret_place::fetch_all(findings, &path, &raw.secrets, &known, opener, owner);
    let hook_secrets = hook_secrets(findings, &path, &fetched.secrets);
    let mut own = Secrets::default();
    for name in kind.secrets {
        if let Some(secret) = fetched.secrets.get(name) {
            own.insert(name, secret.clone());
        }
    }
    let recordings = recordings::roots(
        findings,
        &table.key("recordings"),
        &raw.recordings,
        fetched.secrets.get(recordings::SECRET),
    );
    let settings = Value::Object(raw.settings.clone());
    let fingerprint = FingerprintBuilder::default()
        .part(kind.name)
        .value(&identity.key)
        .value(&identity.numbers)
        .value(&settings)
        .secrets(&own)
        .finish();
    let key = identity.key.clone();
    let source = match (kind.build)(identity, &settings, &own) {
        Ok(source) => source,
        Err(mistakes) => {
            kind_mistakes::add(findings, table, mistakes, &fetched.failed);
            return None;
        }
    };
    let posted_to = source.hook().is_some() || source.exchange().is_some();
    if posted_to && hook_secrets.is_empty() && fetched.failed.is_empty() {
        findings.mistake(
            &path.key("hook"),
            "a source of this kind is reached over HTTP, and its path needs a secret: \
             hook = { file = \"…\" }",
        );
    }
    Some(SourceConfig {
        key,
        kind: kind.name,
        name: String::new(),
        numbers: NumberRules::default(),
        answering: SourceAnswering::default(),
        source,
        hook_secrets,
        recordings,
        fingerprint,
    })
}

/// Returns the secrets of a path, each checked.
pub(super) fn hook_secrets(
    findings: &mut Findings<'_>,
    table: &KeyPath,
    secrets: &Secrets,
) -> Vec<Secret> {
    let mut checked = Vec::new();
    for name in HOOK_SECRETS {
        let Some(secret) = secrets.get(name) else {
            continue;
        };
        let path = table.key(name);
        let enough = long_enough(secret, TOKEN_BYTES_MIN);
        findings.take(&path, enough);
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '~');
        if !secret.expose().chars().all(plain) {
            findings.mistake(
                &path,
                "it stands in a path: use letters, digits, '-', '_', '.' and '~' only, such as \
                 openssl rand -hex 24 makes",
            );
        }
        checked.push(secret.clone());
    }
    checked
}
