//! Checks the CRM accounts of a tenant and builds their settings.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;
use url::Url;

use crate::crm::AccountSettings;
use crate::crm::registry::CrmKind;
use crate::model::ids::AccountId;

use super::configuration::AccountConfig;
use super::daemon::plain;
use super::fingerprint::FingerprintBuilder;
use super::key_path::KeyPath;
use super::kind_mistakes;
use super::mistake::Findings;
use super::names::{self, Unique};
use super::raw::RawAccount;
use super::reading::Places;
use super::secret_place;
use super::suggestion;
use super::tenant::Context;

/// Turns the written accounts into built ones; those with a mistake are left out.
pub(super) fn check(
    findings: &mut Findings<'_>,
    raw: &[RawAccount],
    places: &Places,
    context: &mut Context<'_>,
) -> Vec<AccountConfig> {
    let list = KeyPath::top().key("accounts");
    let mut ids = Unique::default();
    let mut portals = HashMap::new();
    let mut accounts = Vec::new();
    for (table, raw) in places.of(&list, raw) {
        let id: Option<AccountId> = ids.id(findings, &table, &raw.id);
        let label = raw.name.as_deref().unwrap_or(&raw.id);
        let name = names::name(findings, &table.key("name"), label);
        let Some(kind) = find_kind(findings, &table.key("crm"), &raw.crm, context) else {
            continue;
        };
        let path = table.key("secrets");
        let fetched = secret_place::fetch_all(
            findings,
            &path,
            &raw.secrets,
            kind.secrets,
            context.environment,
        );
        let settings = match build(kind, raw, context) {
            Ok(settings) => settings,
            Err(mistakes) => {
                kind_mistakes::add(findings, &table, mistakes, &fetched.failed);
                continue;
            }
        };
        if let Some(first) = portals.insert(settings.portal(), raw.id.clone()) {
            findings.mistake(
                &table.key("settings"),
                format!("account {first:?} is this portal already: let its integrations share it"),
            );
        }
        let (Some(id), Some(name)) = (id, name) else {
            continue;
        };
        let fingerprint = FingerprintBuilder::default()
            .part(kind.name)
            .part(settings.base_url())
            .part(&settings.fingerprint())
            .secrets(&fetched.secrets)
            .finish();
        accounts.push(AccountConfig {
            id,
            crm: kind.name,
            name,
            settings,
            secrets: fetched.secrets,
            fingerprint,
        });
    }
    accounts
}

fn find_kind<'a>(
    findings: &mut Findings<'_>,
    path: &KeyPath,
    word: &str,
    context: &Context<'a>,
) -> Option<&'a CrmKind> {
    let kinds = context.registries.crms;
    let found = kinds.iter().find(|kind| kind.name == word);
    if found.is_none() {
        let hint = suggestion::hint(word, kinds.iter().map(|kind| kind.name));
        findings.mistake(path, format!("there is no CRM {word:?}; {hint}"));
    }
    found
}

/// Builds the settings; a second time where the portal's address stands in `base_urls`.
fn build(
    kind: &CrmKind,
    raw: &RawAccount,
    context: &mut Context<'_>,
) -> Result<Arc<dyn AccountSettings>, Vec<crate::model::mistake::Mistake>> {
    let value = Value::Object(raw.settings.clone());
    let settings = (kind.build)(&value, None)?;
    let address = match Url::parse(settings.base_url()) {
        Ok(url) => plain(&url),
        Err(_) => settings.base_url().to_owned(),
    };
    match context.base_urls.get(&address) {
        None => Ok(settings),
        Some(instead) => {
            context.used_base_urls.insert(address);
            (kind.build)(&value, Some(instead))
        }
    }
}
